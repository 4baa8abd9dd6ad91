"""A live `torch.nn.Module` by the words of a model file: `ModuleFile`.

It is looked at through `torch.export`, and it runs in this process: it is the user's own. Its
weights are never copied: the next prediction sees what training has made of them. While a run of
mlnb trains it, a copy taken between two steps answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from mlnb.errors import InputError, ModelRunError, unknown
from mlnb.formats.model_file import ModelFile
from mlnb.formats.source import Source
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits
from mlnb.models.live import live_module
from mlnb.models.torch.arrays import to_array, to_tensor
from mlnb.models.torch.record import failed
from mlnb.models.torch.state import device_of, settled, undisturbed
from mlnb.models.torch.taps import Call
from mlnb.models.torch.trace import traced
from mlnb.models.torch.values import Sample, forward_text, sample_for
from mlnb.models.torch.walk import Traced, stored_tensors

if TYPE_CHECKING:
    import numpy as np

    from mlnb.graph.graph import Graph
    from mlnb.specs import TensorSpecs


class ModuleFile(ModelFile):
    """A module as a model; `load_model(module, sample=)` makes one.

    >>> model = load_model(torchvision.models.resnet18(), sample=(1, 3, 224, 224))
    >>> model.inputs
    TensorSpecs(x: float32 [N, 3, 224, 224])

    Args:
        model: a module, or what holds one as its `module`: a `Sequential` or a `Network`.
        sample: what goes in: a tensor or an array, several in a tuple or, by the names of
            `forward`, in a dict; or a shape with the batch, `(1, 3, 224, 224)`, in place of any.
        limits: not asked for what is in memory already.
        taps: submodules whose outputs come out; see `cut`.

    Raises:
        InputError: nothing says what goes in, or the sample does not fit `forward`.
        ModelRunError: the module has no weights yet.
    """

    format = "PyTorch module"
    runtime = "torch"

    def __init__(
        self, model: Any, sample: Any = None, limits: Limits = LIMITS, taps: Sequence[str] = ()
    ) -> None:
        module = live_module(model)
        assert module is not None, "load_model asks live_module first"
        size = sum(tensor.numel() * tensor.element_size() for _, tensor in _once(module))
        super().__init__(Source(type(module).__name__, size), limits)
        self._model = model
        self._given = sample
        self.taps = tuple(taps)
        self._read: tuple[Hashable, Traced] | None = None
        self.sample = self._sample(module)

    @property
    def module(self) -> nn.Module:
        """The module as it is now; a network that grew has another one."""
        found = live_module(self._model)
        if found is None:
            raise ModelRunError("what was loaded holds no module any more; load it again")
        return found

    @property
    def inputs(self) -> TensorSpecs:
        """What goes in: named after the arguments of `forward`, shaped like the sample."""
        return self._traced().inputs

    @property
    def outputs(self) -> TensorSpecs:
        """What comes out: `output`, `output_0` and so on for a tuple, or the keys of a dict."""
        return self._traced().outputs

    @property
    def graph(self) -> Graph:
        """The operations as they are now; read again where the structure has changed."""
        return self._traced().graph

    @property
    def metadata(self) -> Mapping[str, str]:
        """The class, and torch's version."""
        kind = type(self.module)
        return {
            "producer": f"torch {torch.__version__}",
            "class": f"{kind.__module__}.{kind.__qualname__}",
        }

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        """A parameter or buffer as it is now, in memory of its own.

        Raises:
            UnknownName: the module has none of that name.
        """
        found = dict(stored_tensors(settled(self.module)))
        if name not in found:
            raise unknown("parameter or buffer", name, found)
        return to_array(found[name])

    def cut(self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> ModuleFile:
        """The same module up to some of its submodules; what lies behind them is not computed.

        >>> model.cut(outputs=["layer4"])

        Args:
            inputs: a module is fed at its beginning; only its own inputs may be named.
            outputs: names of submodules, as `named_modules` has them, or values of the graph that
                are what a submodule gives.

        Raises:
            UnknownName: no submodule of that name.
            ModelRunError: other inputs than its own, or a value between submodules.
        """
        if inputs is not None and list(inputs) != list(self.sample.names):
            raise ModelRunError("a live module is cut behind its submodules, not before them")
        names = {name for name, _ in self.module.named_modules() if name}
        found = [name if name in names else self._submodule(name, names) for name in outputs]
        return ModuleFile(self._model, self._given, self.limits, found)

    def _submodule(self, name: str, names: set[str]) -> str:
        """The submodule that gives a value of the graph."""
        graph = self.graph
        at = graph.producers.get(name)
        if at is None:
            raise unknown("submodule", name, names)
        inside = ".".join(graph.nodes[at].scope)
        last = [node.outputs for node in graph.nodes if ".".join(node.scope) == inside][-1]
        if inside not in names or name not in last:
            before = [".".join(node.scope) for node in graph.nodes[: at + 1]]
            near = next((path for path in reversed(before) if path in names), "")
            hint = f"; cut behind the submodule before it, outputs=[{near!r}]" if near else ""
            raise ModelRunError(
                f"{display_text(name)} is computed by a forward itself and not by a submodule{hint}"
            )
        return inside

    def session(self) -> ModuleSession:
        """What runs the module here, in this process."""
        return ModuleSession(self)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        """The outputs of these names for values of the inputs.

        Raises:
            ModelRunError: the module raised; its own error stands behind.
            UnknownName: the module did not give an output of that name this time.
        """
        module = settled(self.module)
        place = device_of(module)
        call = Call(module, self.sample, self.taps)
        tensors = [to_tensor(feeds[name], place) for name in self.sample.names]
        with undisturbed(module):
            try:
                results = call(*tensors)
            except Exception as error:
                raise failed(module, error, "on these values") from error
            found = dict(zip(call.names, results, strict=True))
        for name in outputs:
            if name not in found:
                raise unknown("output", name, found)
        return [to_array(found[name]) for name in outputs]

    def _traced(self) -> Traced:
        module = self.module
        key = _structure(module)
        if self._read is None or self._read[0] != key:
            self.sample = self._sample(module)
            name = display_text(type(module).__name__)
            self._read = key, traced(settled(module), self.sample, name, self.taps)
        return self._read[1]

    def _sample(self, module: nn.Module) -> Sample:
        waiting = [name for name, tensor in stored_tensors(module) if is_lazy(tensor)]
        if waiting:
            raise ModelRunError(
                f"{display_text(waiting[0])} has no shape yet: call the module once with a batch"
            )
        if self._given is not None:
            return sample_for(module, self._given)
        dry, names = _own_sample(self._model)
        if dry is None:
            kind = type(module).__name__
            raise InputError(
                f"a {kind} does not say what goes in, {forward_text(module)}: pass a sample or its "
                f"shape, load_model(net, sample=(1, 3, 224, 224)); several by name, "
                f'sample={{"a": x, "b": y}}'
            )
        return sample_for(module, dry, names)


class ModuleSession:
    """Runs a live module, as a runtime runs a file.

    Args:
        file: the module.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, file: ModuleFile) -> None:
        self._file = file

    @property
    def device(self) -> str:
        """Where the module's weights are: `"CPU"`, or `"CUDA"`."""
        return "CUDA" if device_of(self._file.module).type == "cuda" else "CPU"

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], _: Any = None) -> list[Any]:
        """The outputs of these names, in this order."""
        return self._file.run(outputs, feeds)


def _own_sample(model: Any) -> tuple[Any, list[str]]:
    """What goes into a model that says so itself, and its names; `None` where it does not."""
    dry = getattr(model, "dry_inputs", None)
    if callable(dry):
        given = dry()
        names = list(getattr(model, "input_shapes", None) or ())
        return (None if given is None else tuple(given)), names
    return getattr(model, "example_input_array", None), []


def _once(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and buffers that have a size by now, each once."""
    seen: set[int] = set()
    for name, tensor in stored_tensors(module):
        if id(tensor) not in seen and not is_lazy(tensor):
            seen.add(id(tensor))
            yield name, tensor


def _structure(module: nn.Module) -> Hashable:
    """What another graph has another of: modules and their settings, shapes and types of weights.

    The weights' numbers are not in it, nor whether the module trains.
    """
    modules = tuple(
        (name, type(inner), inner.extra_repr()) for name, inner in module.named_modules()
    )
    weights = tuple(
        (name, tuple(tensor.shape), tensor.dtype, tensor.device)
        for name, tensor in stored_tensors(module)
    )
    return modules, weights
