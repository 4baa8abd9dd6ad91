"""NaN and Inf: no update that comes from one reaches the weights. `Guard` withholds it.

A loss can be finite where a gradient is not (the square root of 0), and NaN where every gradient
is 0; so both are looked at, before the optimizer sees them. On a CPU the host looks at every step.
On a GPU that would stop the queue, so the answer stays there: fused optimizers take it as
`found_inf` and withhold that update and all later ones, until the loop asks `bad()` at its next
tick. An optimizer without `fused=True` cannot, and costs a host read a step there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer

from mlnb.formatting import display_text
from mlnb.train.steps.kept_buffers import KeptBuffers

_WITHHOLD = (Adam, AdamW, SGD, Adagrad)
_SMALLEST_SCALE = 1.0


class Guard:
    """Stands before every optimizer step.

    >>> guard = Guard({"model": net}, {"optimizer": optimizer}, torch.device("cpu"))
    >>> if guard.before_step(loss):
    ...     optimizer.step()
    >>> guard.after_step()
    >>> guard.bad()
    False

    Args:
        models: whose gradients are looked at, and whose buffers are kept.
        optimizers: what would carry the update out.
        device: where they are.
        scaler: of fp16. A gradient that overflows by its scale is no fault; the scaler skips it.
        deferred: whether the answer stays on the device until `bad()`; `None` decides.
    """

    def __init__(
        self,
        models: Mapping[str, nn.Module],
        optimizers: Mapping[str, Optimizer],
        device: torch.device,
        *,
        scaler: Any = None,
        deferred: bool | None = None,
    ) -> None:
        self.models = dict(models)
        self.optimizers = dict(optimizers)
        self.scaler = scaler
        self.device = device
        self.deferred = False
        self.decide(deferred)
        self.found = torch.zeros((), device=device)
        self._one = torch.ones((), device=device)
        self._first_by_loss = torch.zeros((), device=device)
        self._applied = torch.zeros((), dtype=torch.int64, device=device)
        self._asked = 0
        self._known_bad = False
        self._reason = ""
        self._hooks: list[Any] = []
        self._buffers = KeptBuffers(self.models.values(), scaler)

    @property
    def every_step(self) -> bool:
        """Whether `bad()` is to be asked after every step; else at ticks, as it waits for a GPU."""
        return not (self.deferred and self.device.type == "cuda")

    def decide(self, deferred: bool | None = None) -> None:
        """Where the answer stays: on the device, on the host, or (`None`) where it costs less."""
        if deferred is None:
            can_wait = all(withholds(optimizer) for optimizer in self.optimizers.values())
            deferred = self.device.type == "cuda" and can_wait
        self.deferred = deferred

    def before_step(
        self, loss: Tensor | None, gradients: list[Tensor] | None = None, norm: Tensor | None = None
    ) -> bool:
        """Look at what an update would come from; `False` forbids it.

        `True` where the answer stays on the device: the fused optimizer gets `found`.

        Args:
            loss: of the step; with accumulation the sum of all its parts.
            gradients: those about to be applied; without them, those of all optimizers.
            norm: of all the gradients, where it was calculated already.
        """
        if gradients is None:
            gradients = gradients_of(self.optimizers.values())
        if self.deferred and not self._fresh():
            self._look_there(loss, gradients)
            return True
        good = self._look_here(loss, gradients, norm)
        self._asked += not good  # no `after_step` follows, and `lost` counts it all the same
        return good

    def after_step(self) -> None:
        """The step is done: its buffers are the last good ones, unless it was withheld."""
        self._asked += 1
        if self.deferred:
            self._applied += self.found == 0
            self._buffers.keep(self.found)
        elif not self._known_bad:
            self._buffers.keep()

    def bad(self) -> bool:
        """Whether a step was withheld; on a GPU this is the host read, for ticks only."""
        if self.deferred and not self._known_bad:
            self._known_bad = bool(self.found.item())
        return self._known_bad

    def lost(self) -> int:
        """How many steps were withheld, the first bad one among them."""
        if not self.bad():
            return 0
        return self._asked - int(self._applied.item()) if self.deferred else 1

    def why(self) -> str:
        """What was not finite: `"the loss"` or `"the gradient of 0.weight"`; empty while good."""
        if not self.bad():
            return ""
        if self._reason:
            return self._reason
        return "the loss" if bool(self._first_by_loss.item()) else "a gradient"

    def put_back(self) -> None:
        """Put the buffers of the last good step back, and drop the gradients."""
        self._buffers.put_back()
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)

    def restore(self) -> None:
        """Put back what the last good step left, and begin anew: `bad()` is `False` again."""
        self.put_back()
        self.reset()

    def reset(self) -> None:
        """Begin anew with what there is now: after a rewind, or where weights were put in."""
        for tensor in (self.found, self._first_by_loss, self._applied):
            tensor.zero_()
        self._asked, self._known_bad, self._reason = 0, False, ""
        self._buffers = KeptBuffers(self.models.values(), self.scaler)

    def attach(self) -> None:
        """Stand before `optimizer.step()` wherever it is called: for steps of the user's own."""
        for optimizer in self.optimizers.values():
            self._hooks.append(optimizer.register_step_pre_hook(self._before_own_step))

    def look_at_losses(self, losses: Iterable[Tensor]) -> None:
        """Look at what a step of the user's own returned; its update is done by then."""
        losses = [loss.detach().float().mean() for loss in losses]
        if not losses:
            return
        if self.deferred and not self._fresh():
            self._find_in_loss(torch.stack(losses).sum())
        elif not self._known_bad and not all(loss.isfinite().item() for loss in losses):
            self._refuse("the loss")

    def close(self) -> None:
        """Leave the optimizers as they were."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        for optimizer in self.optimizers.values():
            vars(optimizer).pop("found_inf", None)

    def _fresh(self) -> bool:
        """Whether an optimizer has no moments yet: SGD takes its first ones from a bad step too."""
        return any(not o.state and not has_no_moments(o) for o in self.optimizers.values())

    def _look_here(
        self, loss: Tensor | None, gradients: list[Tensor], norm: Tensor | None = None
    ) -> bool:
        if self._known_bad:
            return False
        if loss is not None and not _is_finite(loss.item()):
            return self._refuse("the loss")
        total = norm.item() if norm is not None else _sum(gradients)
        if _is_finite(total) or all(bool(g.isfinite().all()) for g in map(_dense, gradients)):
            return True
        if self.scaler is not None and self.scaler.get_scale() >= _SMALLEST_SCALE:
            return True  # the scaler skips this step and tries a smaller scale
        return self._refuse(f"the gradient of {self._culprit()}")

    def _refuse(self, reason: str) -> bool:
        self._known_bad, self._reason = True, reason
        self.found.fill_(1.0)
        return False

    def _look_there(self, loss: Tensor | None, gradients: list[Tensor]) -> None:
        if loss is not None:
            self._find_in_loss(loss)
        if self.scaler is None:
            find_not_finite(gradients, self.found, self._one)
            return
        overflow = torch.zeros_like(self.found)
        find_not_finite(gradients, overflow, self._one)
        scale = self.scaler._scale
        if scale is not None:
            torch.maximum(self.found, overflow * (scale < _SMALLEST_SCALE), out=self.found)

    def _find_in_loss(self, loss: Tensor) -> None:
        fault = 1.0 - loss.detach().isfinite().float()
        torch.maximum(self._first_by_loss, fault - self.found, out=self._first_by_loss)
        torch.maximum(self.found, fault, out=self.found)

    def _before_own_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        gradients = gradients_of([optimizer])
        if self.deferred and (optimizer.state or has_no_moments(optimizer)):
            find_not_finite(gradients, self.found, self._one)
            optimizer.found_inf = self.found
        elif not self._look_here(None, gradients):
            optimizer.zero_grad(set_to_none=True)  # a step without gradients changes nothing

    def _culprit(self) -> str:
        for name, model in self.models.items():
            for part, parameter in model.named_parameters():
                if parameter.grad is not None and not _dense(parameter.grad).isfinite().all():
                    return display_text(part if len(self.models) == 1 else f"{name}.{part}")
        return "a parameter"


def withholds(optimizer: Optimizer) -> bool:
    """Whether an optimizer takes `found_inf`, and so withholds an update on the device."""
    fused = all(group.get("fused") for group in optimizer.param_groups)
    return fused and isinstance(optimizer, _WITHHOLD)


def has_no_moments(optimizer: Optimizer) -> bool:
    """Whether an optimizer never keeps anything from step to step: SGD without momentum."""
    if not isinstance(optimizer, SGD):
        return False
    return not any(group["momentum"] for group in optimizer.param_groups)


def gradients_of(optimizers: Iterable[Optimizer]) -> list[Tensor]:
    """Every gradient that the optimizers would apply."""
    return [
        parameter.grad
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.grad is not None
    ]


def find_not_finite(gradients: list[Tensor], found: Tensor, one: Tensor) -> None:
    """Set `found` to 1 where any gradient has a NaN or Inf; it is never set back."""
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for gradient in gradients:
        by_type.setdefault(gradient.dtype, []).append(_dense(gradient))
    for same in by_type.values():
        torch._amp_foreach_non_finite_check_and_unscale_(same, found, one)


def _sum(gradients: list[Tensor]) -> float:
    """A number that is finite only if every gradient is: one pass, and no memory."""
    total = 0.0
    for gradient in gradients:
        if gradient.dtype is torch.float32 and gradient.layout is torch.strided:
            total += gradient.sum().item()
        else:
            total += abs(_dense(gradient).sum(dtype=_wide(gradient.dtype)).item())
    return total


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.complex128 if dtype.is_complex else torch.float64


def _dense(gradient: Tensor) -> Tensor:
    return gradient if gradient.layout is torch.strided else gradient.coalesce().values()


def _is_finite(number: float) -> bool:
    return number - number == 0.0
