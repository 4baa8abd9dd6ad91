"""`WatchedStep`: a step that now and then looks at the layers while it is taken.

Hooks are on the model within that one call only, so that all other steps, every copy and whatever
ends a step know nothing of them. They read: the weights that come out are bit for bit the same.
All numbers are worked out on the device, and fetched together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from mlnb.train.health import LayerHealth, LayerState, Measurement

if TYPE_CHECKING:
    from mlnb.train.state import TrainState

SAMPLE = 65_536
"""Elements of one weight that are copied to see how far it moves: all, or evenly spread ones."""
SOONEST = 0.25
_ZEROS = {
    functional.relu: "relu",
    functional.relu_: "relu",
    functional.relu6: "relu6",
    torch.relu: "relu",
    torch.relu_: "relu",
    Tensor.relu: "relu",
    Tensor.relu_: "relu",
}
_ENDS = {
    torch.sigmoid: "sigmoid",
    torch.sigmoid_: "sigmoid",
    Tensor.sigmoid: "sigmoid",
    Tensor.sigmoid_: "sigmoid",
    functional.sigmoid: "sigmoid",
    torch.tanh: "tanh",
    torch.tanh_: "tanh",
    Tensor.tanh: "tanh",
    Tensor.tanh_: "tanh",
    functional.tanh: "tanh",
}
_CHANNELS_SECOND = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm")


class WatchedStep:
    """Another step, with eyes.

    >>> step = WatchedStep(step, state, LayerHealth(every=6))
    >>> loss, outputs = step(x, y)
    >>> step.health

    Args:
        step: takes the steps; with `backend="compile"` the measured ones run eagerly.
        state: the models and the number of the step.
        health: where the measurements go.
    """

    def __init__(self, step: Any, state: TrainState, health: LayerHealth) -> None:
        self.inner = step
        self.health = health
        self._state = state
        self._began: float | None = None
        self._due = 0.0
        self._looking: _Look | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["inner"], name)

    def __call__(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """Learn from one batch."""
        if self._looking is None and (
            time.perf_counter() < self._due or not self._between_updates()
        ):
            answer: tuple[Any, Any] = self.inner(inputs, targets)
            return answer
        return self._measured(inputs, targets)

    def _between_updates(self) -> bool:
        """Whether this batch begins an update: with `accumulate` not each one does."""
        return not getattr(self.inner, "_waiting", 0) and not getattr(
            getattr(self.inner, "eager", None), "_waiting", 0
        )

    def _measured(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        look = self._looking or _Look(self._state.models, self.inner.scaler)
        self._looking = None
        with look.hooked(), _eagerly(self.inner):
            answer: tuple[Any, Any] = self.inner(inputs, targets)
        if not self.inner.stepped:
            self._looking = look
            return answer
        self.health.add(Measurement(self._state.step + 1, look.read()))
        self.health.called = look.called
        now = time.perf_counter()
        self._began = now if self._began is None else self._began
        wait = min(self.health.every, max(SOONEST, now - self._began))
        self._due = now + wait
        return answer


@contextmanager
def _eagerly(step: Any) -> Iterator[None]:
    """A compiled step knows no hooks, so one step goes without the graph."""
    before = step.__dict__.get("compiles")
    if not before:
        yield
        return
    step.compiles = False
    try:
        yield
    finally:
        step.compiles = before


class _Layer:
    """What is seen of one layer; numbers are 0-d tensors on the device."""

    def __init__(self, name: str, module: nn.Module) -> None:
        self.name, self.module = name, module
        self.weights = [p for p in module.parameters(recurse=False) if p.requires_grad]
        self.before = [_sampled(weight).clone() for weight in self.weights]
        self.gradients: dict[int, Tensor] = {}
        self.idle: list[tuple[Tensor, int]] = []
        self.activation = ""
        self.finite: Tensor | None = None

    def moved(self) -> tuple[Tensor, Tensor]:
        """The norm of the update, and that of the weights before it."""
        after = [_sampled(weight) for weight in self.weights]
        steps = [now - then for now, then in zip(after, self.before, strict=True)]
        return _norm(steps), _norm(self.before)


class _Look:
    """One measurement: hooks, what they found, and reading it."""

    def __init__(self, models: Mapping[str, nn.Module], scaler: Any) -> None:
        self.models, self.scaler = models, scaler
        self.called: list[tuple[str, str]] = []
        self.names: dict[nn.Module, str] = {}
        self.layers: dict[nn.Module, _Layer] = {}
        self._order: dict[nn.Module, None] = {}
        self._last: _Layer | None = None
        self._scale: Tensor | None = None
        for key, model in models.items():
            for path, module in model.named_modules():
                name = path if len(models) == 1 else f"{key}.{path}".rstrip(".")
                self.names[module] = name or type(module).__name__.lower()
                if any(p.requires_grad for p in module.parameters(recurse=False)):
                    self.layers[module] = _Layer(self.names[module], module)

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """The hooks, for as long as the block lasts."""
        with ExitStack() as stack:
            compiled = any(hasattr(m, "_orig_mod") for m in self.names)
            for module, layer in self.layers.items():
                for weight in layer.weights:
                    hook = weight.register_post_accumulate_grad_hook(self._gradient_hook(layer))
                    stack.callback(hook.remove)
                if not compiled:
                    stack.callback(module.register_forward_hook(self._gave).remove)
            if not compiled:
                for module in self.names:
                    if next(module.children(), None) is None:
                        stack.callback(module.register_forward_pre_hook(self._calling).remove)
                stack.enter_context(_Activations(self._activated))
            yield

    def read(self) -> tuple[LayerState, ...]:
        """The layers in the order of their calls, with numbers; the device is asked once."""
        order = [m for m in self._order if m in self.layers]
        order += [m for m in self.layers if m not in self._order]
        layers = [self.layers[module] for module in order]
        pairs = [(number, what) for at, one in enumerate(layers) for number, what in _seen(at, one)]
        values = torch.stack([n.float() for n, _ in pairs]).tolist() if pairs else []
        found = {what: value for (_, what), value in zip(pairs, values, strict=True)}
        scale = 1.0 if self._scale is None else float(self._scale)
        return tuple(_state(at, layer, found, scale) for at, layer in enumerate(layers))

    def _gradient_hook(self, layer: _Layer) -> Any:
        def keep(weight: Tensor) -> None:
            gradient = weight.grad
            if gradient is None:
                return
            if self.scaler is not None and self._scale is None:
                self._scale = self.scaler._scale.clone()
            flat = gradient.coalesce().values() if gradient.is_sparse else gradient
            layer.gradients[id(weight)] = _norm([flat.detach()])

        return keep

    def _calling(self, module: nn.Module, _: Any) -> None:
        if module not in self._order:
            self._order[module] = None
            self.called.append((self.names[module], type(module).__name__))

    def _gave(self, module: nn.Module, _: Any, given: Any) -> None:
        self._order.setdefault(module)
        layer = self.layers[module]
        if any(weight.dim() > 1 for weight in layer.weights) or self._last is None:
            self._last = layer
        one = given[0] if isinstance(given, tuple) and given else given
        if isinstance(one, Tensor) and one.is_floating_point():
            finite = torch.isfinite(one.detach()).all()
            layer.finite = finite if layer.finite is None else layer.finite & finite

    def _activated(self, function: Any, given: Any) -> None:
        layer = self._last
        if layer is None or not isinstance(given, Tensor) or given.dim() < 2:
            return
        given = given.detach()
        if function in _ZEROS:
            layer.activation = _ZEROS[function]
            units = _unit_axis(given, layer.module)
            others = [axis for axis in range(given.dim()) if axis != units]
            alive = (given > 0).any(dim=others) if others else given > 0
            layer.idle.append(((~alive).sum(), alive.numel()))
        else:
            layer.activation = _ENDS[function]
            middle, reach = (0.5, 0.49) if layer.activation == "sigmoid" else (0.0, 0.98)
            layer.idle.append((((given - middle).abs() > reach).sum(), given.numel()))


class _Activations(TorchFunctionMode):
    """Tells of each activation, whether a module or a function calls it."""

    def __init__(self, tell: Any) -> None:
        super().__init__()
        self._tell = tell

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in _ZEROS or func in _ENDS:
            with torch.no_grad():
                self._tell(func, result)
        return result


def _seen(at: int, layer: _Layer) -> Iterator[tuple[Tensor, tuple[int, str]]]:
    """Every number of a layer, with what it is."""
    if layer.gradients:
        yield (
            torch.linalg.vector_norm(torch.stack(list(layer.gradients.values()))),
            (at, "gradient"),
        )
    step, weight = layer.moved()
    yield step, (at, "step")
    yield weight, (at, "weight")
    if layer.idle:
        yield torch.stack([count for count, _ in layer.idle]).sum(), (at, "idle")
    if layer.finite is not None:
        yield layer.finite, (at, "finite")


def _state(
    at: int, layer: _Layer, found: Mapping[tuple[int, str], float], scale: float
) -> LayerState:
    gradient, weight = found.get((at, "gradient")), found[at, "weight"]
    units = sum(count for _, count in layer.idle)
    return LayerState(
        layer.name,
        type(layer.module).__name__,
        None if gradient is None else gradient / scale,
        found[at, "step"] / weight if weight else None,
        found[at, "idle"] / units if units else None,
        layer.activation,
        bool(found.get((at, "finite"), 1.0)),
    )


def _unit_axis(given: Tensor, module: nn.Module) -> int:
    """Which axis counts units: the channels of pictures, else the last one."""
    channels = given.dim() > 3 or type(module).__name__.startswith(_CHANNELS_SECOND)
    return 1 if channels else given.dim() - 1


def _sampled(weight: Tensor) -> Tensor:
    flat = weight.detach().reshape(-1)
    return flat[:: -(-flat.numel() // SAMPLE)] if flat.numel() > SAMPLE else flat


def _norm(parts: list[Tensor]) -> Tensor:
    norms = [torch.linalg.vector_norm(part, dtype=torch.float32) for part in parts]
    return norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))
