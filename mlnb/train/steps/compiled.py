"""backend="compile": forward, loss, backward and optimizer as compiled graphs. `CompiledStep`.

The first step runs as it is written, so that the optimizer has its moments. Then two functions are
compiled: outputs and loss, whose backward graph torch compiles along with it; and the optimizer's
own code with the guard around it, the learning rate a tensor so that a schedule compiles nothing
anew. On a GPU both are replayed as CUDA graphs. A batch of another shape, as the last one of an
epoch, runs eagerly. Where compiling fails, so does all of it, with one sentence.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mlnb.formatting import display_text
from mlnb.train.steps.fused import FusedUpdate
from mlnb.train.steps.kept_buffers import KeptBuffers
from mlnb.train.steps.precision import pictures_last
from mlnb.train.steps.step import mapped

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from mlnb.train.steps.step import EagerStep


class CompiledStep:
    """An `EagerStep` whose work is done by compiled graphs.

    >>> step = CompiledStep(eager)
    >>> loss, outputs = step(x, y)
    >>> step.notes
    []

    Args:
        eager: the step as it would run without compiling, and does where it must.
    """

    def __init__(self, eager: EagerStep) -> None:
        self.eager = eager
        self.compiles = True
        self.replays = eager.device.type == "cuda" and eager.accumulate == 1
        self._forward: Callable[..., Any] | None = None
        self._signature: Any = None
        self._update = FusedUpdate(eager.optimizer)
        eager.update.close()
        eager.update = self._update
        if eager.guard is not None and eager.scaler is None:
            eager.guard.deferred = True

    stepped = property(lambda self: self.eager.stepped)
    guard = property(lambda self: self.eager.guard)
    scaler = property(lambda self: self.eager.scaler)
    precision = property(lambda self: self.eager.precision)
    notes = property(lambda self: self.eager.notes)

    def __call__(self, inputs: Any, targets: Any) -> tuple[Tensor, Any]:
        """Learn from one batch."""
        if not self.compiles:
            return self.eager(inputs, targets)
        if not self.eager.optimizer.state and not self.eager.stepped:
            return self.eager(inputs, targets)
        if self.replays:
            torch.compiler.cudagraph_mark_step_begin()
        if self._forward is None:
            return self._first(inputs, targets)
        if signature(inputs, targets) != self._signature:
            return self.eager(inputs, targets)
        return self._compiled(inputs, targets)

    def take_norm(self) -> Tensor | None:
        """The norm of all gradients on the step that was asked last; the next one is asked."""
        return self.eager.take_norm()

    def flush(self) -> bool:
        """Take the step that an epoch's end left unfinished."""
        return self.eager.flush()

    def lr_changed(self) -> None:
        """Put the optimizer's learning rate where the compiled graph reads it."""
        if isinstance(self.eager.update, CompiledUpdate):
            self.eager.update.lr_changed()

    def close(self) -> None:
        """Leave the optimizer as it was."""
        self.eager.close()

    def _first(self, inputs: Any, targets: Any) -> tuple[Tensor, Any]:
        """Compile, and take the first compiled step; eagerly where that does not go."""
        eager = self.eager
        state = _Before(eager)
        try:
            self._forward = torch.compile(
                eager.forward, mode="reduce-overhead" if self.replays else None, dynamic=False
            )
            self._signature = signature(inputs, targets)
            if eager.scaler is None:
                eager.update = CompiledUpdate(eager, self._update, self.replays)
            return self._compiled(inputs, targets)
        except Exception as error:  # noqa: BLE001 - of whatever the compiler's errors are
            state.put_back()
            self._give_up()
            answer = eager(inputs, targets)  # a fault of the model itself is raised here
            eager.notes.append(reason(error))
            return answer

    def _give_up(self) -> None:
        self.compiles, self._forward = False, None
        self.eager.update = self._update
        if self.eager.guard is not None:
            self.eager.guard.decide()

    def _compiled(self, inputs: Any, targets: Any) -> tuple[Tensor, Any]:
        if self.eager.precision.channels_last:
            inputs = pictures_last(inputs)
        assert self._forward is not None
        loss, outputs = self.eager.learn(*self._forward(inputs, targets))
        return mapped((loss, outputs), Tensor.clone) if self.replays else (loss, outputs)


class CompiledUpdate:
    """The optimizer's own code, compiled; moments and weights stay where there was a NaN.

    Args:
        eager: the step; its optimizer has taken a step already.
        plain: takes the steps that the graph is not made for.
        replays: whether to record CUDA graphs.
    """

    def __init__(self, eager: EagerStep, plain: FusedUpdate, replays: bool) -> None:
        self.eager = eager
        self.plain = plain
        self.optimizer = eager.optimizer
        self.twin = _twin(self.optimizer, eager.device)
        step = type(self.twin).step  # without the profiler's wrapper, which cannot be compiled
        self._step: Callable[..., Any] = getattr(step, "__wrapped__", step)
        self._settings = _settings(self.optimizer)
        self._rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self._function = torch.compile(
            self._take, mode="reduce-overhead" if replays else None, dynamic=False
        )

    def __call__(self, found: Tensor | None = None) -> None:
        """Take one step."""
        self.lr_changed()
        if _settings(self.optimizer) != self._settings or not self.plain.ordinary():
            self.plain(found)  # a schedule that changes more than the learning rate, or hooks
            return
        self._function(found)
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        self.optimizer._opt_called = True

    def lr_changed(self) -> None:
        """Take over the learning rates."""
        for index, group in enumerate(self.optimizer.param_groups):
            rate = group["lr"]
            if rate is not self._rates[index]:
                self._rates[index] = rate
                self.twin.param_groups[index]["lr"].fill_(rate)

    def close(self) -> None:
        """Take the hooks off the optimizer."""
        self.plain.close()

    def _take(self, found: Tensor | None) -> None:
        held = _held(self.twin) if found is not None else []
        before = [tensor.detach().clone() for tensor in held]
        self._step(self.twin)
        if found is not None:
            with torch.no_grad():
                for tensor, old in zip(held, before, strict=True):
                    tensor.copy_(torch.where(found != 0, old, tensor))


def signature(*batch: Any) -> Any:
    """Shapes and dtypes of a batch: what a compiled graph is good for."""
    return tuple(_signature(part) for part in batch)


def reason(error: Exception) -> str:
    """Why compiling did not work, in one sentence."""
    text = f"{type(error).__name__}: {error}"
    if "C++ compiler" in text or "InvalidCxxCompiler" in text:
        why = "there is no working C++ compiler here (g++ or clang++)"
    else:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = display_text(f"{type(error).__name__}, {lines[0] if lines else 'no reason given'}")
    return f'backend="compile" did not work for this model, so that it trains eagerly: {why[:300]}.'


class _Before:
    """Random state and buffers, which a failed attempt must not have moved."""

    def __init__(self, eager: EagerStep) -> None:
        self.eager = eager
        self.buffers = KeptBuffers([eager.model])
        self.random = torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state(eager.device) if eager.device.type == "cuda" else None

    def put_back(self) -> None:
        self.buffers.put_back()
        torch.set_rng_state(self.random)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, self.eager.device)
        self.eager.optimizer.zero_grad(set_to_none=True)


def _twin(optimizer: Optimizer, device: torch.device) -> Optimizer:
    """The optimizer with the same state, its learning rates tensors and its code traceable."""
    twin = copy.copy(optimizer)
    vars(twin).pop("step", None)  # a scheduler's counting one
    twin.state = optimizer.state
    twin.param_groups = []
    for group in optimizer.param_groups:
        changed = dict(group, lr=torch.tensor(float(group["lr"]), device=device))
        if "fused" in changed:
            changed["fused"] = None
        if "foreach" in changed:
            changed["foreach"] = True
        if "capturable" in changed:
            changed["capturable"] = True  # else a rate that is a tensor is refused
        twin.param_groups.append(changed)
    return twin


def _settings(optimizer: Optimizer) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in group.items() if name not in ("params", "lr", "initial_lr")}
        for group in optimizer.param_groups
    ]


def _held(optimizer: Optimizer) -> list[Tensor]:
    """Weights and moments of all parameters with a gradient."""
    held: list[Tensor] = []
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                held.append(parameter)
                held += [v for v in optimizer.state[parameter].values() if isinstance(v, Tensor)]
    return held


def _signature(part: Any) -> Any:
    if isinstance(part, Tensor):
        return part.shape, part.dtype
    if isinstance(part, dict):
        return tuple((name, _signature(value)) for name, value in part.items())
    if isinstance(part, tuple | list):
        return tuple(_signature(value) for value in part)
    return type(part)
