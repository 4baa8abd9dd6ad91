"""One step of training: forward, loss, backward, guard, optimizer. `build_step` chooses how.

The loop calls a step and reads nothing back; what a step returns lies on the device.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from mlnb.train.steps.backward import backward
from mlnb.train.steps.fused import FusedUpdate
from mlnb.train.steps.guard import Guard, gradients_of
from mlnb.train.steps.precision import (
    Precision,
    autocast,
    choose,
    grad_scaler,
    lay_out,
    pictures_last,
)
from mlnb.train.steps.recurrent import QuickGRU, has_gru

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from mlnb.train.steps.compiled import CompiledUpdate
    from mlnb.train.words.losses import Loss


class Step(Protocol):
    """What the loop calls once for every batch."""

    stepped: bool
    guard: Guard | None
    scaler: Any
    precision: Precision
    notes: list[str]

    def __call__(self, inputs: Any, targets: Any) -> tuple[Tensor, Any]:
        """Learn from one batch; returns its loss (0-d) and the outputs, both detached."""

    def take_norm(self) -> Tensor | None:
        """The norm of all gradients on the step that was asked last; the next one is asked."""

    def flush(self) -> bool:
        """Take the step that an epoch's end left unfinished; `False` where there is none."""

    def lr_changed(self) -> None:
        """Take over the learning rate that stands in the optimizer now."""

    def close(self) -> None:
        """Leave the model and the optimizer as they would be without the step."""


def build_step(
    model: nn.Module,
    loss: Loss | Callable[[Any, Any], Tensor],
    optimizer: Optimizer,
    *,
    device: torch.device,
    precision: Precision | str = "auto",
    backend: str = "eager",
    clip_norm: float | None = None,
    accumulate: int = 1,
    guard: bool = True,
) -> Step:
    """The step for a model: the weights are laid out for it, its guard stands in `step.guard`.

    >>> step = build_step(net, nn.functional.cross_entropy, optimizer, device=find_device())
    >>> loss, outputs = step(x, y)

    Args:
        model: on the device already.
        loss: `function(outputs, targets)`, or a `Loss`, which holds one.
        optimizer: over the model's parameters.
        device: where all of it is.
        precision: what `precision.choose` gave, or a word for it.
        backend: `"eager"`, or `"compile"`: then `step.notes` says where that did not work out.
        clip_norm: the largest norm that all gradients together may have.
        accumulate: batches for each optimizer step.
        guard: whether NaN and Inf are withheld.
    """
    if isinstance(precision, str):
        precision = choose(precision, model, device)
    lay_out(model, precision.channels_last)
    function: Any = getattr(loss, "function", None) or loss
    eager = EagerStep(
        model,
        function,
        optimizer,
        device=device,
        precision=precision,
        clip_norm=clip_norm,
        accumulate=accumulate,
        guard=guard,
    )
    if backend == "eager":
        return eager
    from mlnb.train.steps.compiled import CompiledStep

    return CompiledStep(eager)


class EagerStep:
    """One operation after the other, as torch runs a model without more ado.

    Args: those of `build_step`.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[[Any, Any], Tensor],
        optimizer: Optimizer,
        *,
        device: torch.device,
        precision: Precision,
        clip_norm: float | None = None,
        accumulate: int = 1,
        guard: bool = True,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.device = device
        self.precision = precision
        self.clip_norm = clip_norm
        self.accumulate = accumulate
        self.scaler = grad_scaler(device, precision.name)
        self.guard: Guard | None = None
        if guard:
            self.guard = Guard({"": model}, {"": optimizer}, device, scaler=self.scaler)
        quick = device.type == "cpu" and precision.dtype is None and has_gru(model)
        self.around = QuickGRU() if quick else None
        self.stepped = False
        self._norm_wanted = False
        self._norm: Tensor | None = None
        self.notes: list[str] = []
        self.update: FusedUpdate | CompiledUpdate = FusedUpdate(optimizer)
        self._waiting = 0
        self._waiting_loss: Tensor | None = None

    def __call__(self, inputs: Any, targets: Any) -> tuple[Tensor, Any]:
        """Learn from one batch."""
        if self.precision.channels_last:
            inputs = pictures_last(inputs)
        if self.around is None:
            return self.learn(*self.forward(inputs, targets))
        with self.around:
            loss, outputs = self.forward(inputs, targets)
        return self.learn(loss, outputs)

    def learn(self, loss: Tensor, outputs: Any) -> tuple[Tensor, Any]:
        """Go backward from a loss, and take the optimizer's step where it is due."""
        self._backward(loss)
        loss = loss.detach()
        if self.accumulate > 1:
            self._waiting += 1
            together = loss if self._waiting_loss is None else self._waiting_loss + loss
            self._waiting_loss = together
            self.stepped = self._waiting == self.accumulate
            if self.stepped:
                self._finish(together)
        else:
            self.stepped = True
            self._finish(loss)
        return loss, mapped(outputs, Tensor.detach)

    def forward(self, inputs: Any, targets: Any) -> tuple[Tensor, Any]:
        """Outputs in float32, and the loss, which is never calculated in a lower precision."""
        precision = self.precision
        if precision.dtype is None:
            outputs = call(self.model, inputs)
        else:
            with autocast(self.device, precision.name):
                outputs = call(self.model, inputs)
            outputs = widened(outputs)
        return self.loss(outputs, targets), outputs

    def take_norm(self) -> Tensor | None:
        """The norm of all gradients on the step that was asked last; the next one is asked."""
        norm, self._norm, self._norm_wanted = self._norm, None, True
        return norm

    def flush(self) -> bool:
        """Take the step that an epoch's end left unfinished, as the mean of its batches."""
        if not self._waiting or self._waiting_loss is None:
            return False
        gradients = gradients_of([self.optimizer])
        torch._foreach_mul_(gradients, self.accumulate / self._waiting)
        self._finish(self._waiting_loss)
        return True

    def lr_changed(self) -> None:
        """Nothing to do: every step reads the optimizer's learning rate."""

    def close(self) -> None:
        """Take the guard and the hooks off the optimizer."""
        self.update.close()
        if self.guard is not None:
            self.guard.close()

    def _backward(self, loss: Tensor) -> None:
        if self.accumulate > 1:
            loss = loss / self.accumulate
        if self.scaler is not None:
            loss = self.scaler.scale(loss)
        backward(loss)

    def _finish(self, loss: Tensor) -> None:
        """Clip, look, and take the optimizer's step."""
        self._waiting, self._waiting_loss = 0, None
        guard, scaler = self.guard, self.scaler
        if scaler is not None:
            scaler.unscale_(self.optimizer)
        gradients: list[Tensor] = []
        if guard is not None or self.clip_norm is not None:
            gradients = gradients_of([self.optimizer])
        norm = self._clip(gradients)
        if self._norm_wanted:
            self._norm_wanted = False
            gradients = gradients or gradients_of([self.optimizer])
            self._norm = nn.utils.get_total_norm(gradients) if norm is None else norm
        if guard is not None and not guard.before_step(loss, gradients, norm):
            if scaler is not None:
                scaler.update()  # it waits for this after `unscale_`; its scale is put back
            guard.put_back()
            return
        found = guard.found if guard is not None and guard.deferred else None
        if scaler is None:
            self.update(found)
        else:
            if found is not None:
                _forbid(scaler, self.optimizer, found)
            scaler.step(self.optimizer)
            scaler.update()
            self.optimizer.zero_grad(set_to_none=True)
        if guard is not None:
            guard.after_step()

    def _clip(self, gradients: list[Tensor]) -> Tensor | None:
        if self.clip_norm is None or not gradients:
            return None
        norm = nn.utils.get_total_norm(gradients)
        scale = torch.clamp(self.clip_norm / (norm + 1e-6), max=1.0)
        torch._foreach_mul_(gradients, scale)
        return norm


def call(model: nn.Module, inputs: Any) -> Any:
    """A model's answer to one input, a tuple of inputs, or inputs by name.

    >>> call(net, (left, right))
    """
    if isinstance(inputs, Tensor):
        return model(inputs)
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs)


def widened(outputs: Any) -> Any:
    """Outputs of a lower precision as float32."""
    return mapped(outputs, _wide)


def mapped(outputs: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """A model's outputs with `function` done to every tensor, in objects of the same classes.

    >>> mapped({"a": torch.ones(2), "b": None}, torch.sum)
    {'a': tensor(2.), 'b': None}
    """
    if isinstance(outputs, Tensor):
        return function(outputs)
    if type(outputs) in (tuple, list):
        return type(outputs)(mapped(value, function) for value in outputs)
    if not isinstance(outputs, dict):
        return outputs
    twin = copy.copy(outputs)  # of a subclass that gives its values as attributes, too
    for name, value in outputs.items():
        twin[name] = mapped(value, function)
    return twin


def _wide(outputs: Tensor) -> Tensor:
    return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs


def _forbid(scaler: Any, optimizer: Optimizer, found: Tensor) -> None:
    """Tell a scaler, which has looked at the gradients itself, of what the guard has found."""
    for overflow in scaler._per_optimizer_states[id(optimizer)]["found_inf_per_device"].values():
        torch.maximum(overflow, found, out=overflow)
