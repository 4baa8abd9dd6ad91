"""From the skeleton of an ONNX file to `Graph`: its nodes, values, nested graphs and functions.

What a Constant holds, and what a ConstantOfShape fills to a stored shape, counts as a weight: whole
architectures come with nothing else. Where stored tensors lie is kept beside the graph, not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlnb.formats.checks import circle, problems
from mlnb.formats.onnx.attributes import constant_in, graphs_in, outside_in
from mlnb.formats.onnx.node import FunctionKey, NodeReader, Span
from mlnb.formats.onnx.tensor import (
    StoredTensor,
    describe,
    describe_sparse,
    outside,
    outside_sparse,
    small_integers,
)
from mlnb.formats.onnx.types import ELEMENT_TYPES, stored_size, value_info
from mlnb.formats.wire import fields, key
from mlnb.formatting import display_text, plural
from mlnb.graph.graph import Graph, Node, Value

if TYPE_CHECKING:
    from mlnb.limits import Limits
    from mlnb.specs import TensorSpec

_GRAPH, _FUNCTION = key(7), key(25)
_NODE, _GRAPH_NAME, _INITIALIZER, _SPARSE = key(1), key(2), key(5), key(15)
_INPUT, _OUTPUT, _VALUE_INFO = key(11), key(12), key(13)
_TEXT, _TYPE = key(1), key(2)


@dataclass
class Parsed:
    """What was found in a skeleton.

    Args:
        data: the skeleton, which the attributes of the nodes are read from as well.
        graph: the outermost graph.
        stored: for each graph, by its `id`, the tensors that the file stores, by name. A tensor
            that a ConstantOfShape fills stands here with its shape.
        graphs: every graph, the outermost first; they are held so that no `id` is given twice.
        external: the entries of `external_data` of every tensor whose elements lie outside the
            skeleton, in whatever place: a weight, an attribute of any node, a function's default.
    """

    data: bytes
    graph: Graph
    stored: dict[int, dict[str, StoredTensor]]
    graphs: list[Graph]
    external: list[list[tuple[str, str]]]

    def find(self, name: str, graph: Graph | None = None) -> StoredTensor | None:
        """The tensor stored under a name in `graph`, or in any, the outermost first."""
        if graph is not None and id(graph) in self.stored:
            return self.stored[id(graph)].get(name)
        found = (self.stored[id(each)].get(name) for each in self.graphs)
        return next((tensor for tensor in found if tensor is not None), None)


def parse(data: bytes, limits: Limits) -> Parsed:
    """The graph in a skeleton, with what is wrong in it as `graph.warnings`.

    Raises:
        Broken: the bytes make no sense; the position is in `data`.
        LimitExceeded: too many nodes or names, or nested too deeply.
    """
    return _Parser(data, limits).model()


@dataclass
class _Found:
    """What one graph, or the body of one function, holds, while it is collected."""

    name: str = ""
    nodes: list[Node] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    stored: dict[str, StoredTensor] = field(default_factory=dict)
    filled: list[tuple[Node, StoredTensor | None]] = field(default_factory=list)


class _Parser:
    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.reader = NodeReader(data, limits, lambda span, depth: self._graph([span], depth))
        self.names = self.reader.names
        self.types: dict[bytes, TensorSpec] = {}
        self.count = 0
        self.stored: dict[int, dict[str, StoredTensor]] = {}
        self.graphs: list[Graph] = []
        self.external: list[list[tuple[str, str]]] = []

    def model(self) -> Parsed:
        """The functions' names, the graph, the functions' bodies, and then what is wrong."""
        pieces: list[Span] = []
        functions: dict[FunctionKey, Span] = {}
        for tag, start, stop in fields(self.data, 0, len(self.data)):
            if tag == _GRAPH:
                pieces.append((start, stop))
            elif tag == _FUNCTION:
                functions.setdefault(self._function_key(start, stop), (start, stop))
        reader = self.reader
        reader.bodies.update(dict.fromkeys(functions))
        graph = self._graph(pieces, 2)
        calls: dict[FunctionKey, set[FunctionKey]] = {}
        for function, span in functions.items():
            reader.called = calls[function] = set()
            reader.bodies[function] = self._function(function, span)
        bodies = [body for body in reader.bodies.values() if body is not None]
        warnings = [*self._clipped(), *_circles(calls)]
        warnings += problems(graph, bodies)
        warned = replace(graph, warnings=tuple(warnings))
        self.stored[id(warned)] = self.stored[id(graph)]
        external = [entries for entries in self.external if entries]
        return Parsed(self.data, warned, self.stored, [warned, *self.graphs], external)

    def _clipped(self) -> list[str]:
        count, limit = self.names.clipped, self.limits.name_length
        return [f"{plural(count, 'name')} over {limit:,} characters, clipped"] if count else []

    def _graph(self, pieces: list[Span], depth: int) -> Graph:
        """The GraphProto in these pieces, mostly one."""
        self.limits.check("depth", depth, "the file's messages")
        found, data, weights = _Found(), self.data, list[StoredTensor]()
        for span in pieces:
            for tag, start, stop in fields(data, *span):
                if tag == _NODE:
                    self._add(found, *self.reader.read(start, stop, depth + 1))
                elif tag == _INITIALIZER:
                    weights.append(describe(data, start, stop, self.limits))
                    if weights[-1].external:
                        self.external.append(outside(data, [(start, stop)]))
                elif tag == _VALUE_INFO:
                    self._value(found, start, stop)
                elif tag == _INPUT:
                    found.inputs.append(self._value(found, start, stop))
                elif tag == _OUTPUT:
                    found.outputs.append(self._value(found, start, stop))
                elif tag == _SPARSE:
                    weights.append(describe_sparse(data, start, stop, self.limits))
                    self.external += outside_sparse(data, [(start, stop)])
                elif tag == _GRAPH_NAME:
                    found.name = self.names[data[start:stop]]
        for weight in weights:
            self._store(found, weight.name, weight)
        found.inputs = [name for name in found.inputs if name not in found.stored]
        return self._finished(found)

    def _function(self, function: FunctionKey, span: Span) -> Graph:
        """The body of a model-local function; its inputs and outputs have names only."""
        found, data = _Found(name=function[1]), self.data
        for tag, start, stop in fields(data, *span):
            if tag == key(7):
                self._add(found, *self.reader.read(start, stop, 3))
            elif tag == key(4):
                found.inputs.append(self.names[data[start:stop]])
            elif tag == key(5):
                found.outputs.append(self.names[data[start:stop]])
            elif tag == key(11):
                self.external += outside_in(data, [(start, stop)])
                for nested in graphs_in(data, start, stop):
                    self._graph([nested], 4)
            elif tag == key(12):
                self._value(found, start, stop)
        return self._finished(found)

    def _function_key(self, start: int, stop: int) -> FunctionKey:
        name = domain = overload = ""
        for tag, begin, end in fields(self.data, start, stop):
            if tag == key(1):
                name = self.names[self.data[begin:end]]
            elif tag == key(10):
                domain = self.names[self.data[begin:end]]
            elif tag == key(13):
                overload = self.names[self.data[begin:end]]
        return ("" if domain == "ai.onnx" else domain, name, overload)

    def _add(self, found: _Found, node: Node, attributes: list[Span]) -> None:
        """Append the node, and note the tensor of one that makes a constant."""
        self.count += 1
        if self.count > self.limits.nodes:
            self.limits.check("nodes", self.count, "the graph")
        if node.op in ("Constant", "ConstantOfShape") and not node.domain:
            found.filled.append((node, constant_in(self.data, attributes, self.limits)))
        if attributes:
            self.external += outside_in(self.data, attributes)
        found.nodes.append(node)

    def _finished(self, found: _Found) -> Graph:
        """The collected graph, with the constants of its nodes among the stored tensors."""
        for node, tensor in found.filled:
            self._constant(found, node, tensor)
        graph = Graph(
            found.name,
            tuple(found.nodes),
            tuple(found.inputs),
            tuple(found.outputs),
            found.values,
            self.reader.scopes.types,
        )
        self.stored[id(graph)] = found.stored
        self.graphs.append(graph)
        return graph

    def _value(self, found: _Found, start: int, stop: int) -> str:
        """Note the name, dtype and shape in a ValueInfoProto; most share their type's bytes."""
        data = self.data
        name, spec = "", None
        for tag, begin, end in fields(data, start, stop):
            if tag == _TEXT:
                name = self.names[data[begin:end]]
            elif tag == _TYPE:
                raw = data[begin:end]
                spec = self.types.get(raw)
                if spec is None:
                    spec = self.types[raw] = value_info(data, start, stop, self.limits)
        if spec is not None and (name not in found.values or spec.dtype != "unknown"):
            found.values[name] = Value(name, spec.dtype, spec.shape)
        return name

    def _store(self, found: _Found, name: str, tensor: StoredTensor) -> None:
        found.stored[name] = tensor
        found.values[name] = Value(name, tensor.element.name, tensor.shape, True, tensor.nbytes)

    def _constant(self, found: _Found, node: Node, tensor: StoredTensor | None) -> None:
        """A Constant's tensor is a weight; so is what a ConstantOfShape fills to a stored shape."""
        if not node.outputs:
            return
        if node.op == "Constant":
            if tensor is not None:
                self._store(found, node.outputs[0], tensor)
            return
        given = found.stored.get(node.inputs[0]) if node.inputs else None
        if given is None:
            return
        shape = small_integers(self.data, *given.span, self.limits.rank)
        if shape is None or any(dimension < 0 for dimension in shape):
            return
        tensor = tensor or StoredTensor("", ELEMENT_TYPES[1], (1,), 4, (0, 0), {})
        nbytes = stored_size(tensor.element, tuple(shape)) or 0
        self._store(
            found, node.outputs[0], replace(tensor, shape=tuple(shape), nbytes=nbytes, filled=True)
        )


def _circles(calls: Mapping[FunctionKey, set[FunctionKey]]) -> list[str]:
    around = circle(calls)
    path = " → ".join(display_text(name) for _, name, _ in around)
    return [f"a function calls itself: {path}; no runtime can run that"] if around else []
