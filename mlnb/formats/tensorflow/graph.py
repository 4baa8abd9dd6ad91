"""From the nodes of a GraphDef to `Graph`: values, functions as nested graphs, and warnings.

An edge is called as the file calls the tensor, without the `:0`. Control inputs only say what runs
first: they are an attribute and no edge. What is fed is an input of the graph and no node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlnb.formats.calls import Calls
from mlnb.formats.checks import circle, problems
from mlnb.formats.element_types import stored_bytes
from mlnb.formats.scopes import Scopes
from mlnb.formats.tensorflow.dangers import danger_of
from mlnb.formats.tensorflow.ops import (
    CONSTANTS,
    VARIABLES,
    is_sink,
    output_dtype,
    output_shape,
    outputs_of,
)
from mlnb.formats.tensorflow.reach import called, functions_of, node_of, output_of, plain
from mlnb.formatting import display_text, plural
from mlnb.graph.graph import Graph, Node, TensorAttribute, Value

if TYPE_CHECKING:
    from mlnb.formats.model_file import Danger
    from mlnb.formats.tensorflow.nodes import RawFunction, RawGraph, RawNode

Ends = tuple[list[Value], list[Value]]
"""What is fed and what comes out, by the names of their tensors."""

WARNED = 5
"""Dangers that are told one by one; the rest is counted."""


def build(
    raw: RawGraph,
    nodes: list[RawNode],
    name: str,
    ends: Ends,
    dangers: Sequence[Danger],
    *,
    inlined: bool = False,
) -> Graph:
    """The graph of these nodes between its ends, with the functions they call inside.

    Args:
        raw: the whole GraphDef.
        nodes: those to show.
        name: of the graph.
        ends: see `Ends`.
        dangers: what the model does with the user's rights; each is a warning.
        inlined: whether nodes of functions are among them, whose tensors have another notation.
    """
    used = functions_of(nodes, raw.functions)
    builder = _Builder({name: raw.functions[name] for name in used})
    bodies = builder.build_bodies()
    graph = builder.graph(name, nodes, ends, in_function=inlined)
    warnings = [
        *_dangerous(dangers),
        *_clipped(raw.clipped),
        *_circles(builder.functions),
        *problems(_without_loops(graph), list(map(_without_loops, bodies))),
    ]
    return replace(graph, warnings=tuple(warnings))


class _Builder:
    def __init__(self, functions: Mapping[str, RawFunction]) -> None:
        self.functions = functions
        self.bodies: dict[str, Graph] = {}
        self.scopes = Scopes()

    def build_bodies(self) -> list[Graph]:
        """The graph of every function; calls look them up, so that their order does not matter."""
        for name, function in self.functions.items():
            given = [Value(argument, dtype) for argument, dtype in function.inputs]
            results = [Value(plain_in_function(result)) for result in function.outputs]
            ends = (given, results)
            self.bodies[name] = self.graph(name, function.nodes, ends, in_function=True)
        return list(self.bodies.values())

    def graph(
        self, name: str, nodes: list[RawNode], ends: Ends, *, in_function: bool = False
    ) -> Graph:
        """One graph; a node all of whose outputs are fed is left out."""
        fed, wanted = ends
        given = {value.name: value for value in fed}
        shown = plain_in_function if in_function else plain
        outputs_of_node = _outputs_in_function if in_function else _outputs
        read = _read(nodes, wanted, shown)
        made: list[Node] = []
        values: dict[str, Value] = {}
        for node in nodes:
            every = outputs_of_node(node, read.get(node.name, ()))
            outputs = [value for value in every if value.name not in given]
            if every and not outputs:
                continue
            values.update((value.name, value) for value in outputs)
            names = tuple(value.name for value in outputs)
            made.append(self._node(node, tuple(map(shown, node.inputs)), names))
        for value in wanted:
            if value.name in values and value.dtype != "unknown":
                values[value.name] = _merged(values[value.name], value)
        values.update(given)
        return Graph(name, tuple(made), tuple(given), tuple(v.name for v in wanted), values)

    def _node(self, node: RawNode, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Node:
        return Node(
            node.name,
            node.op,
            inputs,
            outputs,
            scope=self.scopes.named(node.name) if "/" in node.name else (),
            attributes=node.attributes,
            subgraphs=self._subgraphs(node),
            danger=danger_of(node.op, node.attributes),
        )

    def _subgraphs(self, node: RawNode) -> Mapping[str, Graph]:
        if not self.functions:
            return {}
        labels = {}
        if node.op in self.functions:
            labels["body"] = node.op
        for label, function in node.attributes.functions:
            if function in self.functions:
                labels["body" if label == "f" else label] = function
        return Calls(self.bodies, labels) if labels else {}


def _read(
    nodes: list[RawNode], wanted: list[Value], shown: Callable[[str], str]
) -> dict[str, dict[str, None]]:
    """For each node, the tensors of it that somebody reads."""
    read: dict[str, dict[str, None]] = {}
    for tensor in (*(given for node in nodes for given in node.inputs), *(v.name for v in wanted)):
        read.setdefault(node_of(tensor), {})[shown(tensor)] = None
    return read


def plain_in_function(tensor: str) -> str:
    """As `plain`, in a function: the `:0` of an argument goes, that of `node:output:0` stays."""
    return tensor if tensor.count(":") > 1 else plain(tensor)


def _outputs(node: RawNode, read: Iterable[str]) -> list[Value]:
    """The values that a node makes in the main graph: `node`, `node:1`, as far as is known."""
    indices = [output_of(tensor) for tensor in read]
    if not indices and is_sink(node.op):
        return []
    count = max([0, *indices]) + 1
    if count < _MOST_OUTPUTS:
        count = max(count, min(outputs_of(node.op, node.attributes), _MOST_OUTPUTS))
        indices = list(range(count))
    names = ((i, f"{node.name}:{i}" if i else node.name) for i in indices)
    return [_value(node, name, i) for i, name in names]


def _outputs_in_function(node: RawNode, read: Iterable[str]) -> list[Value]:
    """As `_outputs`, in a function: there a tensor is called `node:output:0`."""
    tensors = list(read)
    if not tensors and not is_sink(node.op):
        tensors = [node.name]
    return [
        _value(node, tensor, output_of(tensor), tensor.removeprefix(node.name).strip(":0123456789"))
        for tensor in tensors
    ]


_MOST_OUTPUTS = 10_000


def _value(node: RawNode, name: str, index: int, output: str = "") -> Value:
    attributes = node.attributes
    if node.op in CONSTANTS:
        tensor = attributes.get("value")
        if isinstance(tensor, TensorAttribute):
            return Value(name, tensor.dtype, tensor.shape, True, tensor.nbytes)
    if node.op in VARIABLES:
        shape, dtype = attributes.get("shape"), str(attributes.get("dtype", "unknown"))
        known = shape if isinstance(shape, tuple) else None
        return Value(name, dtype, known, True, stored_bytes(dtype, known))
    dtype = output_dtype(node.op, attributes, index, output)
    return Value(name, dtype, output_shape(attributes, index))


def _merged(ours: Value, told: Value) -> Value:
    """What the node says of its output, and what the signature says of it."""
    shape = ours.shape if told.shape is None else told.shape
    dtype = ours.dtype if told.dtype == "unknown" else told.dtype
    return replace(ours, dtype=dtype, shape=shape)


def _dangerous(dangers: Sequence[Danger]) -> list[str]:
    told = [
        f"'{display_text(danger.node, 60)}' {danger.why}, with your rights"
        for danger in dangers[:WARNED]
    ]
    more = len(dangers) - WARNED
    return [*told, f"and {plural(more, 'such operation')} more"] if more > 0 else told


def _clipped(count: int) -> list[str]:
    return [f"{plural(count, 'name')} too long, clipped"] if count else []


def _circles(functions: Mapping[str, RawFunction]) -> list[str]:
    calls = {
        name: {inner for node in function.nodes for inner in called(node, functions)}
        for name, function in functions.items()
    }
    path = " → ".join(map(display_text, circle(calls)))
    return [f"a function calls itself: {path}"] if path else []


def _without_loops(graph: Graph) -> Graph:
    """The graph with the loops of TensorFlow 1 cut open: their cycles are meant."""
    if all(node.op not in _BACK for node in graph.nodes):
        return graph
    nodes = (replace(node, inputs=()) if node.op in _BACK else node for node in graph.nodes)
    return replace(graph, nodes=tuple(nodes))


_BACK = frozenset({"NextIteration", "RefNextIteration"})
