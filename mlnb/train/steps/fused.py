"""The optimizer's step without what surrounds it: `FusedUpdate` calls the same fused kernel.

On a net of a few layers `Optimizer.step` takes as long as the kernel that it calls: it gathers
parameters and moments anew each time and counts every parameter's steps by itself. Here the lists
are made once, from the optimizer's own state, and the counters share one tensor, so that
`state_dict()` stays true. Wherever anything is out of the ordinary (hooks, a parameter without a
gradient, a state put in from outside), `optimizer.step()` is called instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim import optimizer as torch_optimizer

from mlnb.train.steps.guard import withholds

_MOMENTS = {Adam: ("exp_avg", "exp_avg_sq"), AdamW: ("exp_avg", "exp_avg_sq"), SGD: ()}


class FusedUpdate:
    """Takes the steps of one optimizer, and drops the gradients after each.

    >>> update = FusedUpdate(optimizer)
    >>> loss.backward()
    >>> update()

    Args:
        optimizer: any; those that are no fused Adam, AdamW or SGD take their ordinary step.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._known = type(optimizer) in _MOMENTS
        self._groups: list[_Group] | None = None
        self._no_grad = torch.no_grad()  # entered anew every step: making one takes as long
        self._forget = optimizer.register_load_state_dict_post_hook(self._unbind)

    def __call__(self, found: Tensor | None = None) -> None:
        """Take one step.

        Args:
            found: 1 on the device where the update must be withheld.
        """
        groups = self._groups
        if groups is not None and self.ordinary() and self._ready(groups):
            with self._no_grad:
                for group in groups:
                    group.update(found)
            self.optimizer._opt_called = True  # schedulers ask
            return
        self._step(found)
        if self._known:
            self._groups = _bind(self.optimizer)

    def close(self) -> None:
        """Take the hook off the optimizer."""
        self._forget.remove()

    def _step(self, found: Tensor | None) -> None:
        if found is None:
            self.optimizer.step()
        elif not withholds(self.optimizer):
            if not found.item():
                self.optimizer.step()
        else:
            self.optimizer.found_inf = found
            try:
                self.optimizer.step()
            finally:
                del self.optimizer.found_inf
        self.optimizer.zero_grad(set_to_none=True)

    def ordinary(self) -> bool:
        """Whether nobody asked to be called around a step."""
        optimizer = self.optimizer
        if (
            optimizer._optimizer_step_pre_hooks
            or optimizer._optimizer_step_post_hooks
            or torch_optimizer._global_optimizer_pre_hooks
            or torch_optimizer._global_optimizer_post_hooks
        ):
            return False
        own = vars(optimizer).get("step")  # a scheduler puts its counting one over the class's
        return own is None or hasattr(own, "_wrapped_by_lr_sched")

    def _ready(self, groups: list[_Group]) -> bool:
        for group in groups:
            if not group.ready():
                return False
        return len(groups) == len(self.optimizer.param_groups)

    def _unbind(self, optimizer: Optimizer) -> None:
        self._groups = None


class _Group:
    """One parameter group: its tensors as the kernel takes them."""

    def __init__(self, optimizer: Optimizer, group: dict[str, Any], active: list[Tensor]) -> None:
        self.optimizer = optimizer
        self.group = group
        self.active = active
        held = {id(parameter) for parameter in active}
        self.idle = [p for p in group["params"] if id(p) not in held]
        self.count = len(group["params"])
        self.grads: list[Tensor] = []
        states = [optimizer.state.get(parameter) or {} for parameter in active]
        self.first = states[0] if states and states[0] else None
        self.last = states[-1] if states and states[-1] else None
        self.steps, self.counter = _shared_counter(states)
        kind = type(optimizer)
        self.moments = [[s[name] for s in states] for name in _MOMENTS[kind]]
        self.kernel: Callable[..., Any]
        if kind is SGD:
            self.kernel = torch._fused_sgd_
            momentum = [s["momentum_buffer"] for s in states] if group["momentum"] else []
            self.moments = [momentum]
        else:
            decoupled = group.get("decoupled_weight_decay", kind is AdamW)
            self.kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
            amsgrad = [s["max_exp_avg_sq"] for s in states] if group["amsgrad"] else []
            self.moments = [*self.moments, amsgrad, self.steps]
        self.key = next(iter(self.first or {}), "")
        self.marks = tuple((state or {}).get(self.key) for state in (self.first, self.last))

    def ready(self) -> bool:
        """Whether the optimizer still is what it was, with a gradient for every moment."""
        state, active = self.optimizer.state, self.active
        if len(self.group["params"]) != self.count:
            return False
        if active and not (
            state.get(active[0]) is self.first
            and state.get(active[-1]) is self.last
            and (self.first is None or self.first.get(self.key) is self.marks[0])
            and (self.last is None or self.last.get(self.key) is self.marks[1])
        ):
            return False
        self.grads = grads = [parameter.grad for parameter in active]
        for grad in grads:
            if grad is None:
                return False
        return all(parameter.grad is None for parameter in self.idle)

    def update(self, found: Tensor | None) -> None:
        if not self.active:
            return
        group = self.group
        if self.counter is None:  # SGD
            self.kernel(
                self.active,
                self.grads,
                *self.moments,
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                lr=group["lr"],
                dampening=group["dampening"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
                is_first_step=False,
                found_inf=found,
            )
        else:
            self.counter.add_(1)
            beta1, beta2 = group["betas"]
            self.kernel(
                self.active,
                self.grads,
                *self.moments,
                amsgrad=group["amsgrad"],
                lr=group["lr"],
                beta1=beta1,
                beta2=beta2,
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=group["maximize"],
                found_inf=found,
            )
            if found is not None:
                self.counter.sub_(found)
        self.grads = []
        for parameter in self.active:
            parameter.grad = None


def _shared_counter(states: list[dict[str, Any]]) -> tuple[list[Tensor], Tensor | None]:
    """Every parameter's count of steps as a view of one tensor, and that tensor."""
    if not states or "step" not in states[0]:
        return [], None
    counter = torch.stack([state["step"] for state in states])
    steps = list(counter.unbind())
    for state, step in zip(states, steps, strict=True):
        state["step"] = step
    return steps, counter


def _bind(optimizer: Optimizer) -> list[_Group] | None:
    """The groups of a fused optimizer that has taken a step; `None` where it is not one."""
    groups = []
    for group in optimizer.param_groups:
        active = [parameter for parameter in group["params"] if optimizer.state.get(parameter)]
        kinds = {(parameter.device, parameter.dtype) for parameter in active}
        if not group.get("fused") or group.get("differentiable") or len(kinds) > 1:
            return None
        if type(optimizer) is SGD and not active:
            if group["momentum"]:
                return None
            active = [p for p in group["params"] if p.requires_grad]
        groups.append(_Group(optimizer, group, active))
    return groups
