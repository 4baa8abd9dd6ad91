"""`Network`: layers in any wiring, with several inputs and outputs, in the functional style.

    a, b = Input((8,), name="a"), Input((4,), name="b")
    y = a.dense(16, "relu").concat(b.dense(16, "relu")).dense(3)
    net = Network(inputs=[a, b], outputs={"y": y})

Every word is a method of what flows, as it is of a `Sequential`; each layer is run on a dry batch
as soon as it is written.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from mlnb.errors import unknown
from mlnb.formatting import display_text, plural
from mlnb.networks.blocks import Wired
from mlnb.networks.building import Built, Part, free_name
from mlnb.networks.dry import dry_batch
from mlnb.networks.holder import Holder
from mlnb.networks.mistakes import layer_error, shape_of
from mlnb.networks.nodes import Input, Node, concat
from mlnb.networks.places import caller

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
        self.inputs = (inputs,) if isinstance(inputs, Node) else tuple(inputs)
        given = _outputs(outputs)
        for node in (*self.inputs, *given.values()):
            if not isinstance(node, Node):
                kind = type(node).__name__
                text = f"A Network is of Inputs and what flows from them; received {kind}."
                raise layer_error(text, "", place)
        self._name_inputs(place)
        found = _behind(given.values())
        stray = [node for node in found if node.built is None and node not in self.inputs]
        if stray:
            text = f"The outputs depend on {stray[0]!r}, which is not among the inputs."
            raise layer_error(text, "", place)
        self.nodes = tuple(node for node in found if node.built is not None)
        self._parts: list[Part] = []
        wiring = self._wire()
        self.outputs = given
        names = {key: self._ends[node.name] for key, node in self.outputs.items()}
        modules = nn.ModuleDict(OrderedDict((part.name, part.module) for part in self._parts))
        fed = tuple(node.name for node in self.inputs)
        self._module = Wired(fed, names, wiring, modules)

    def _name_inputs(self, place: Any) -> None:
        names: set[str] = set()
        for node in self.inputs:
            if node.built is not None:
                raise layer_error(f"{node!r} is no Input.", node.layer.name, place)
            if not node.name:
                node.name = "input" if len(self.inputs) == 1 else f"input_{len(names) + 1}"
            if node.name in names:
                text = f"Two inputs are called `{node.name}`. Give each a name of its own."
                raise layer_error(text, node.name, place)
            names.add(node.name)

    def _wire(self) -> dict[str, tuple[str, ...]]:
        """Names for all layers, and what each part reads: its layer's inputs or the part before."""
        names = {node.name for node in self.inputs}
        self._ends = {node.name: node.name for node in self.inputs}
        wiring: dict[str, tuple[str, ...]] = {}
        reserved = {node.given_name for node in self.nodes}
        for node in self.nodes:
            built = node.built
            assert built is not None
            given = node.given_name
            if given in names:
                text = f"Two layers are called `{given}`. Give one another name."
                raise layer_error(text, given, built.layer.place)
            node.name = given or free_name(built.layer, names | reserved)
            reads = tuple(self._ends[source.name] for source in node.sources)
            for part in built.parts:
                name = node.name + part.name.removeprefix(built.layer.name)
                wiring[name] = reads
                self._parts.append(Part(name, part.module, part.call))
                names.add(name)
                reads = (name,)
            names.add(node.name)
            self._ends[node.name] = reads[0]
        return wiring

    @property
    def module(self) -> nn.Module:
        """The network as a `torch.nn.Module`, fed in order, by keyword, or with one dict."""
        return self._module

    @property
    def built(self) -> tuple[Built, ...]:
        """The layers as they stand, in the order of computing."""
        return tuple(node.built for node in self.nodes if node.built is not None)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The layers' modules under the names that they have here."""
        return tuple(self._parts)

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one sample for each input by name."""
        return {node.name: node.shape for node in self.inputs}

    def dry_inputs(self) -> tuple[Any, ...]:
        """Two zeros for each input."""
        return tuple(
            dry_batch(node.shape, node.dtype or torch.float32) if node.dry is None else node.dry
            for node in self.inputs
        )

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, name: str) -> nn.Module:
        names = {part.name: part.module for part in self._parts}
        for node in self.nodes:
            assert node.built is not None
            names.setdefault(node.name, node.built.parts[0].module)
        if name not in names:
            raise unknown("layer", name, names)
        return names[name]

    def __contains__(self, name: object) -> bool:
        return any(node.name == name for node in self.nodes)

    def __repr__(self) -> str:
        fed = ", ".join(f"{display_text(n.name)} {shape_of(n.shape)}" for n in self.inputs)
        out = ", ".join(f"{display_text(k)} {shape_of(n.shape)}" for k, n in self.outputs.items())
        count = plural(self.parameter_count, "parameter")
        name = display_text(self.name)
        return f"Network({name!r}, {fed} -> {out}, {plural(len(self), 'layer')}, {count})"


def _outputs(given: Any) -> dict[str, Any]:
    if isinstance(given, Node):
        return {"output": given}
    if isinstance(given, Mapping):
        return {str(key): node for key, node in given.items()}
    nodes = list(given) if isinstance(given, Iterable) else [given]
    if len(nodes) == 1:
        return {"output": nodes[0]}
    return {f"output_{at + 1}": node for at, node in enumerate(nodes)}


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
