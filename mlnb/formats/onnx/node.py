"""One node of an ONNX graph, from its NodeProto: `NodeReader`.

`read` is one long loop on purpose: it is what the 20 us a node are spent in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlnb.formats.calls import Calls
from mlnb.formats.onnx.attributes import MAY_HOLD_GRAPH, Attributes, attribute_name, graphs_in
from mlnb.formats.scopes import CLASSES, NAME_SCOPES, Names, Scope, Scopes
from mlnb.formats.wire import LEN, Broken, field_at, fields, key, text
from mlnb.graph.graph import Graph, Node

if TYPE_CHECKING:
    from mlnb.limits import Limits

Span = tuple[int, int]
FunctionKey = tuple[str, str, str]
"""Domain, name and overload."""

_IN, _OUT, _NAME, _OP, _ATTRIBUTE = key(1), key(2), key(3), key(4), key(5)
_DOMAIN, _OVERLOAD, _PROPERTY = key(7), key(8), key(9)
NOTHING: Mapping[str, Graph] = MappingProxyType({})


class NodeReader:
    """Reads the nodes of one file.

    Args:
        data: the skeleton.
        limits: hold for names and for the shapes in attributes.
        read_graph: makes the graph nested in an attribute, from its span and depth.
    """

    def __init__(
        self, data: bytes, limits: Limits, read_graph: Callable[[Span, int], Graph]
    ) -> None:
        self.data = data
        self.limits = limits
        self.names = Names(limits)
        self.scopes = Scopes()
        self.bodies: dict[FunctionKey, Graph | None] = {}
        self.called: set[FunctionKey] = set()
        self._read_graph = read_graph

    def read(self, position: int, stop: int, depth: int) -> tuple[Node, list[Span]]:
        """The node whose NodeProto is `data[position:stop]`, and where its attributes lie."""
        data, names = self.data, self.names
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: list[Span] = []
        name = op = domain = overload = scopes = classes = ""
        subgraphs: Mapping[str, Graph] = NOTHING
        while position < stop:
            tag = data[position]
            if tag & 0x87 == LEN and position + 1 < stop and data[position + 1] < 0x80:
                start = position + 2
                position = start + data[position + 1]
            else:
                tag, start, position = field_at(data, position, stop)
            if position > stop:
                raise Broken(start, f"a field of a node goes on for {position - stop:,} bytes more")
            if tag == _IN:
                inputs.append(names[data[start:position]])
            elif tag == _OUT:
                outputs.append(names[data[start:position]])
            elif tag == _ATTRIBUTE:
                attributes.append((start, position))
                if MAY_HOLD_GRAPH.search(data, start, position):
                    subgraphs = self._nested(subgraphs, start, position, depth)
            elif tag == _PROPERTY:
                if data.startswith(NAME_SCOPES, start):
                    scopes = _property(data, start + len(NAME_SCOPES), position)
                elif data.startswith(CLASSES, start):
                    classes = _property(data, start + len(CLASSES), position)
            elif tag == _NAME:
                name = names[data[start:position]]
            elif tag == _OP:
                op = names[data[start:position]]
            elif tag == _DOMAIN:
                domain = names[data[start:position]]
            elif tag == _OVERLOAD:
                overload = names[data[start:position]]
        domain = "" if domain == "ai.onnx" else domain
        if self.bodies and (domain, op, overload) in self.bodies:
            subgraphs = self._call((domain, op, overload))
        node = Node(
            name,
            op,
            tuple(inputs),
            tuple(outputs),
            domain,
            self._scope(name, scopes, classes),
            Attributes(data, attributes, self.limits) if attributes else NOTHING,
            subgraphs,
        )
        return node, attributes

    def _call(self, function: FunctionKey) -> Calls:
        self.called.add(function)
        return Calls(self.bodies, {"body": function})

    def _scope(self, name: str, scopes: str, classes: str) -> Scope:
        if scopes:
            return self.scopes.told(scopes, classes)
        return self.scopes.named(name) if "/" in name else ()

    def _nested(
        self, others: Mapping[str, Graph], start: int, stop: int, depth: int
    ) -> Mapping[str, Graph]:
        """The nested graphs of one attribute, under its name, beside those of the others."""
        spans = graphs_in(self.data, start, stop)
        if not spans:
            return others
        label = attribute_name(self.data, start, stop)
        labels = [label] if len(spans) == 1 else [f"{label}[{i}]" for i in range(len(spans))]
        nested = {
            label: self._read_graph(span, depth + 2)
            for label, span in zip(labels, spans, strict=True)
        }
        return {**others, **nested}


def _property(data: bytes, position: int, stop: int) -> str:
    """The value in a StringStringEntryProto, from where its key ends."""
    for tag, start, end in fields(data, position, stop):
        if tag == key(2):
            return text(data[start:end])
    return ""
