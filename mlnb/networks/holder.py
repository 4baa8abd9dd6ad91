"""What a `Sequential` and a `Network` have in common: everything that is done with one that stands.

Building is theirs; training is `mlnb.train`'s, looking is `summary` and `graph`, keeping is
`saving`. This class only hands on, so that all of it is found at the network itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mlnb.errors import unknown
from mlnb.networks.fitting import Fitting

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from torch import nn

    from mlnb.graph.graph import Graph
    from mlnb.networks.backend_table import BackendTable
    from mlnb.networks.building import Built, Part
    from mlnb.networks.layers import Layer
    from mlnb.networks.summary import NetworkSummary


class Holder(Fitting):
    """A network that stands in `module`, an ordinary `torch.nn.Module`.

    Args:
        name: for summaries, files and magics.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @property
    def built(self) -> tuple[Built, ...]:
        """The layers as they stand, with their modules and shapes."""
        raise NotImplementedError

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers with their names."""
        return tuple(built.layer for built in self.built)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The modules of all layers under their names, in order."""
        return tuple(part for built in self.built for part in built.parts)

    def __len__(self) -> int:
        """How many layers were written."""
        return len(self.layers or self.parts)

    def __iter__(self) -> Iterator[nn.Module]:
        return iter([part.module for part in self._firsts()])

    def __contains__(self, name: object) -> bool:
        return any(given.name == name for given in self.layers)

    def __getitem__(self, key: str | int) -> nn.Module:
        if isinstance(key, int):
            return self._firsts()[key].module
        modules = {built.layer.name: built.parts[0].module for built in self.built}
        modules |= {part.name: part.module for part in self.parts}
        if key not in modules:
            raise unknown("layer", key, modules)
        return modules[key]

    def _firsts(self) -> Sequence[Part]:
        """The module that does the work of each layer; an activation stands behind it."""
        return [built.parts[0] for built in self.built] or self.parts

    def __call__(self, *args: Any, **named: Any) -> Any:
        """What the module gives, with gradients and in its present mode; `predict` has neither."""
        return self.module(*args, **named)

    # -------------------------------------------------------------------------------------- torch

    def state_dict(self) -> dict[str, Any]:
        """The module's own: every weight and buffer by name."""
        return dict(self.module.state_dict())

    def load_state_dict(self, state: Mapping[str, Any]) -> Self:
        """Take weights over from a module that is built alike.

        Raises:
            RuntimeError: torch's, naming what is missing, left over or of another shape.
        """
        self._refuse_busy()
        self.module.load_state_dict(state)
        return self

    def parameters(self) -> Iterator[nn.Parameter]:
        """The module's own."""
        return iter(self.module.parameters())

    @property
    def parameter_count(self) -> int:
        """Numbers in all weights; one that is used twice counts once."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    def freeze(self, *patterns: str) -> Self:
        """Keep weights as they are while the rest trains.

        A frozen batch norm still counts its running statistics in training, as in torch.

        >>> net.freeze("conv*")

        Args:
            patterns: of layers' or weights' names, with `*` and `?`; none at all means everything.

        Raises:
            UnknownName: a pattern that fits nothing, with the closest name.
        """
        return self._frozen(patterns, trains=False)

    def unfreeze(self, *patterns: str) -> Self:
        """Let weights train again; the counterpart of `freeze`."""
        return self._frozen(patterns, trains=True)

    def _frozen(self, patterns: tuple[str, ...], *, trains: bool) -> Self:
        weights = dict(self.module.named_parameters())
        for pattern in patterns or ("*",):
            found = [name for name in weights if _fits(name, pattern)]
            if not found and patterns:
                raise unknown("weight or layer", pattern, _with_owners(weights))
            for name in found:
                weights[name].requires_grad_(trains)
        self._changed()
        return self

    # ------------------------------------------------------------------------------------- looking

    def summary(self, sample: Any = None) -> NetworkSummary:
        """The layers with their shapes, parameters, MACs and memory.

        >>> net.summary().total_params

        Args:
            sample: a batch, where the network does not know its input's shape.
        """
        from mlnb.networks.summary import summarize_network

        return summarize_network(self, sample)

    @property
    def graph(self) -> Graph:
        """The network as the graph that the viewer shows: `GraphViewer(net.graph)`."""
        from mlnb.networks.graph import network_graph

        return network_graph(self)

    def backends(self, sample: Any = None) -> BackendTable:
        """How fast eager, compile and onnxruntime answer on your sample, and how far apart.

        >>> net.backends(images[:64])

        Args:
            sample: the batch that is timed; two zeros without it.
        """
        from mlnb.networks.backends import backends

        return backends(self, sample)

    def code(self) -> str:
        """The same network as plain torch source, ending in a variable `module`.

        >>> print(net.code())

        Raises:
            LayerError: a module or function that has no source to print.
        """
        from mlnb.networks.code import network_code

        return network_code(self)

    def _repr_html_(self) -> str:
        from mlnb.networks.summary import summarize_network

        return summarize_network(self)._repr_html_()

    # ------------------------------------------------------------------------------------- keeping

    def spec(self) -> dict[str, Any]:
        """The definition as JSON has it: one can read it, diff it and build from it.

        >>> Sequential.from_spec(net.spec())

        Raises:
            LayerError: a module or function of somebody else, which no definition can hold.
        """
        from mlnb.networks.spec import network_spec

        return network_spec(self)

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any] | str) -> Self:
        """A network from its definition, with new weights.

        Args:
            spec: what `spec()` gave, or the same as JSON text.

        Raises:
            LayerError: it is no definition of such a network.
        """
        from mlnb.networks.spec import from_spec

        net: Self = from_spec(spec, cls)
        return net

    def save(self, path: str | Path) -> Path:
        """Write definition and weights into one safetensors file.

        >>> net.save("lenet.safetensors")

        Args:
            path: of the file; what stands there is replaced at once or not at all.

        Returns:
            The path.

        Raises:
            LayerError: the network holds a module or function that no definition can hold.
            ExportError: it cannot be written there.
        """
        from mlnb.networks.saving import save

        return save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """A network from what `save` wrote: the same layers with the same weights.

        Raises:
            CheckpointError: the file is missing, damaged, or holds something else.
        """
        from mlnb.networks.saving import load

        net: Self = load(path, cls)
        return net

    # ------------------------------------------------------------------------------------ internal

    def _refuse_busy(self) -> None:
        """No change while a run trains the module; without a trainer there is none."""
        active = sys.modules.get("mlnb.train.active")
        if active is not None:
            active.refuse([self.module])


def _fits(weight: str, pattern: str) -> bool:
    """Whether a pattern means a weight, or a layer around it."""
    return any(fnmatchcase(name, pattern) for name in _with_owners([weight]))


def _with_owners(weights: Any) -> list[str]:
    names: dict[str, None] = {}
    for weight in weights:
        pieces = weight.split(".")
        names |= dict.fromkeys(".".join(pieces[:at]) for at in range(1, len(pieces) + 1))
    return list(names)
