"""`Network`: layers in any wiring, with several inputs and outputs, in the functional style.

    a, b = Input((8,), name="a"), Input((4,), name="b")
    y = a.dense(16, "relu").concat(b.dense(16, "relu")).dense(3)
    net = Network(inputs=[a, b], outputs={"y": y})

Every word is a method of what flows, as it is of a `Sequential`; each layer is run on a dry batch
as soon as it is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from mlnb.formatting import display_text, plural
from mlnb.networks.blocks import Wired
from mlnb.networks.building import Built, free_name
from mlnb.networks.dry import dry_batch
from mlnb.networks.holder import Holder
from mlnb.networks.mistakes import layer_error, shape_of
from mlnb.networks.nodes import Input, Node, concat
from mlnb.networks.places import Place, caller

__all__ = ["Input", "Network", "Node", "concat"]


class Network(Holder):
    """Layers in any wiring, with several inputs and outputs.

    >>> net = Network(inputs=[a, b], outputs={"y": y})
    >>> net.fit({"a": features, "b": more}, labels)
    >>> net.predict({"a": features, "b": more})

    Args:
        inputs: what is fed: one `Input` or several, in the order in which the module takes them.
        outputs: what is handed out: one, several, or a dict by name.
        name: for summaries, files and magics.

    Raises:
        LayerError: an output that depends on an input that is not listed, or two of one name.
    """

    def __init__(
        self,
        inputs: Node | Iterable[Node],
        outputs: Node | Iterable[Node] | Mapping[str, Node],
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name or "network")
        place = caller()
        self.inputs = tuple(_listed(inputs))
        given = _outputs(outputs)
        for node in (*self.inputs, *given.values()):
            if not isinstance(node, Node):
                kind = type(node).__name__
                text = f"A Network is of Inputs and what flows from them; received {kind}."
                raise layer_error(text, "", place)
        if not given:
            raise layer_error("A Network hands out something; received no outputs.", "", place)
        self.outputs = given
        self.names = _input_names(self.inputs, place)
        """What each node is called here; another network may call it otherwise."""
        found = _behind(given.values())
        stray = [node for node in found if node.built is None and node not in self.inputs]
        if stray:
            text = f"The outputs depend on {stray[0]!r}, which is not among the inputs."
            raise layer_error(text, "", place)
        self.nodes = tuple(node for node in found if node.built is not None)
        self._module = self._wired()

    def _wired(self) -> Wired:
        """Names for all layers, and what each part reads: its layer's inputs or the part before."""
        fed = tuple(self.names[node] for node in self.inputs)
        ends, taken = dict(self.names), set(fed)
        reserved = {node.name for node in self.nodes}
        wiring: dict[str, tuple[str, ...]] = {}
        standing = []
        for node in self.nodes:
            assert node.built is not None
            name = node.name or free_name(node.layer, taken | reserved)
            built = node.built.called(name)
            twice = built.names & taken
            if twice:
                text = f"Two layers are called `{min(twice)}`. Give one another name."
                raise layer_error(text, name, built.layer.place)
            reads = tuple(ends[source] for source in node.sources)
            for part in built.parts:
                wiring[part.name] = reads
                reads = (part.name,)
            self.names[node], ends[node] = name, reads[0]
            taken |= built.names
            standing.append(built)
        self._built = tuple(standing)
        modules = nn.ModuleDict(OrderedDict((part.name, part.module) for part in self.parts))
        gives = {key: ends[node] for key, node in self.outputs.items()}
        return Wired(fed, gives, wiring, modules)

    @property
    def module(self) -> nn.Module:
        """The network as a `torch.nn.Module`, fed in order, by keyword, or with one dict."""
        return self._module

    @property
    def built(self) -> tuple[Built, ...]:
        """The layers as they stand, in the order of computing."""
        return self._built

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one sample for each input by name."""
        return {self.names[node]: node.shape for node in self.inputs}

    def dry_inputs(self) -> tuple[Any, ...]:
        """Two zeros for each input."""
        return tuple(
            dry_batch(node.shape, node.dtype or torch.float32) if node.dry is None else node.dry
            for node in self.inputs
        )

    def __repr__(self) -> str:
        fed = ", ".join(f"{display_text(k)} {shape_of(s)}" for k, s in self.input_shapes.items())
        out = ", ".join(f"{display_text(k)} {shape_of(n.shape)}" for k, n in self.outputs.items())
        count = plural(self.parameter_count, "parameter")
        name = display_text(self.name)
        return f"Network({name!r}, {fed} -> {out}, {plural(len(self), 'layer')}, {count})"


def _input_names(inputs: Collection[Node], place: Place) -> dict[Node, str]:
    names: dict[Node, str] = {}
    for at, node in enumerate(inputs):
        if node.built is not None:
            raise layer_error(f"{node!r} is no Input.", node.layer.name, place)
        name = node.name or ("input" if len(inputs) == 1 else f"input_{at + 1}")
        if name in names.values():
            text = f"Two inputs are called `{name}`. Give each a name of its own."
            raise layer_error(text, name, place)
        names[node] = name
    return names


def _outputs(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {str(key): node for key, node in given.items()}
    nodes = _listed(given)
    if len(nodes) == 1:
        return {"output": nodes[0]}
    return {f"output_{at + 1}": node for at, node in enumerate(nodes)}


def _listed(given: Any) -> list[Any]:
    single = isinstance(given, Node) or not isinstance(given, Iterable)
    return [given] if single else list(given)


def _behind(outputs: Iterable[Node]) -> list[Node]:
    """Everything that the outputs depend on, in the order in which it was written."""
    seen: dict[int, Node] = {}
    waiting = list(outputs)
    while waiting:
        node = waiting.pop()
        if node.order not in seen:
            seen[node.order] = node
            waiting.extend(node.sources)
    return [seen[order] for order in sorted(seen)]
