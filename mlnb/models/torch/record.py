"""What a module does with its sample, noted while it runs: where torch.export gives up.

Forward hooks tell which module is at work, and torch's dispatcher which operation. What stands
there is the way that this one sample went; another may go another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mlnb.errors import MlnbError, ModelRunError
from mlnb.formats.torch.graph import Ref, TorchGraph
from mlnb.formatting import display_text
from mlnb.models.torch.arrays import dtype_of
from mlnb.models.torch.taps import Call
from mlnb.models.torch.values import Sample, forward_text
from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph


def recorded(
    module: nn.Module,
    sample: Sample,
    tensors: Sequence[torch.Tensor],
    taps: Sequence[str],
    name: str,
    why: str,
) -> Graph:
    """The operations that a module performs on its sample.

    Args:
        module: is run once.
        sample: the call.
        tensors: what it is called with.
        taps: submodules whose outputs are wanted.
        name: of the graph.
        why: what torch.export says.

    Raises:
        ModelRunError: the module fails, too.
    """
    recorder = _Recorder(name, module)
    tensors = [tensor.clone() for tensor in tensors]
    call = Call(module, sample, taps)
    for each, tensor in zip(sample.names, tensors, strict=True):
        recorder.fed(each, tensor)
    try:
        with _scopes(module, recorder), recorder:
            results = call(*tensors)
    except Exception as error:
        raise failed(module, error, "on its sample") from error
    recorder.made.warnings.append(
        f"this is the way of the sample alone, noted while the module ran, since torch.export "
        f"cannot follow it: {why}."
    )
    for each, value in zip(call.names, results, strict=True):
        recorder.given(each, value)
    return recorder.made.done(sample.names, call.names)


def loose(graph: Graph, names: Sequence[str], noun: str, batch: int | None) -> TensorSpecs:
    """Specs of values of a graph, the batch left open: a live module takes what it takes."""
    specs = []
    for name in names:
        value = graph.value(name)
        shape = value.shape
        if shape and batch is not None and shape[0] == batch:
            shape = (None, *shape[1:])
        specs.append(TensorSpec(name, value.dtype, shape))
    return TensorSpecs(specs, noun)


def failed(module: nn.Module, error: Exception, where: str) -> MlnbError:
    """The error of a module that fails in its own forward, in a line."""
    if isinstance(error, MlnbError):
        return error
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    what = display_text(lines[0], 300) if lines else ""
    kind = type(module).__name__
    return ModelRunError(
        f"{kind}.{forward_text(module)} fails {where}: {type(error).__name__}: {what}".rstrip(": ")
    )


class _Recorder(TorchDispatchMode):
    """Notes every operation between its tensors."""

    def __init__(self, name: str, module: nn.Module) -> None:
        super().__init__()
        self.made = TorchGraph(name)
        self.stack: list[tuple[str, str]] = [("", type(module).__name__)]
        self._names: dict[int, str] = {}
        self._alive: list[torch.Tensor] = []
        self._count = 0
        for path, tensor in (*module.named_parameters(), *module.named_buffers()):
            self._names[id(tensor)] = path
            self.made.weight(path, dtype_of(tensor), tuple(tensor.shape))

    def fed(self, name: str, tensor: torch.Tensor) -> None:
        """A value that comes from outside."""
        self._name(tensor, name)
        self.made.value(name, dtype_of(tensor), tuple(tensor.shape))

    def given(self, name: str, tensor: torch.Tensor) -> None:
        """A value that goes out."""
        self.made.alias(name, self._argument(tensor).name)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        arguments = [
            (one.name, self._argument(given))
            for one, given in zip(func._schema.arguments, args, strict=False)
        ]
        arguments += [(key, self._argument(given)) for key, given in (kwargs or {}).items()]
        rows = result if isinstance(result, tuple | list) else [result]
        outputs = [self._new(one) for one in rows]
        op = str(func)
        self.made.call(f"torch.ops.{op}", arguments, outputs, modules=tuple(self.stack))
        return result

    def _argument(self, given: Any) -> Any:
        if isinstance(given, torch.Tensor):
            if id(given) not in self._names:
                self._count += 1
                self._name(given, f"constant_{self._count}")
                self.made.weight(self._names[id(given)], dtype_of(given), tuple(given.shape))
            return Ref(self._names[id(given)])
        if isinstance(given, tuple | list):
            return [self._argument(one) for one in given]
        plain = given is None or isinstance(given, bool | int | float | str)
        return given if plain else str(given).removeprefix("torch.")

    def _new(self, value: Any) -> str:
        if not isinstance(value, torch.Tensor):
            return ""
        self._count += 1
        name = f"value_{self._count}"
        self._name(value, name)
        self.made.value(name, dtype_of(value), tuple(value.shape))
        return name

    def _name(self, tensor: torch.Tensor, name: str) -> None:
        self._names[id(tensor)] = name
        self._alive.append(tensor)  # so that its id stays its own


@contextmanager
def _scopes(module: nn.Module, recorder: _Recorder) -> Iterator[None]:
    """Forward hooks that tell the recorder which module is at work."""
    handles = []

    def entering(path: str) -> Callable[..., None]:
        return lambda inner, _: recorder.stack.append((path, type(inner).__name__))

    def leaving(*_: Any) -> None:
        recorder.stack.pop()

    try:
        for path, inner in module.named_modules():
            if path:
                handles.append(inner.register_forward_pre_hook(entering(path)))
                handles.append(inner.register_forward_hook(leaving, always_call=True))
        yield
    finally:
        for handle in handles:
            handle.remove()
