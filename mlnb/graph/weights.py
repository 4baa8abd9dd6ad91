"""Which stored weights each node uses, looked up through constant expressions and outer graphs.

A parameter is an element of a stored tensor of numbers that some node reads. Not counted are
scalars and tensors of int64, bool and text: they say how to compute (axes, shapes, indices, masks)
and are not learned. So do tensors of int32, but for the bias of a quantised layer. A weight that
several nodes share is counted at the first; one that is handed to a function, where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from mlnb.graph.elide import constant_nodes
from mlnb.graph.order import HANDS_ON

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node, Value

NO_PARAMETERS = frozenset({"int64", "uint64", "bool", "string", "unknown"})

_GENERATORS = frozenset({"ConstantOfShape", "EyeLike"})
_EIGHT_BITS = frozenset({"int8", "uint8", "int4", "uint4"})


Homed = tuple["Graph", "Value"]
"""A weight, and the graph that stores it."""


class Weights:
    """The weights of one graph.

    Args:
        graph: whose nodes use them.
        outer: the graphs around it, outermost first; their weights are seen from inside.
        given: by its inputs, the weights that the caller of a function hands it.
    """

    def __init__(
        self,
        graph: Graph,
        outer: Sequence[Weights] = (),
        given: Mapping[str, Sequence[Homed]] | None = None,
    ) -> None:
        self.graph = graph
        self.outer = outer
        self.given = given or {}
        self.constants = constant_nodes(graph)

    def of(self, index: int) -> Iterator[Homed]:
        """The weights that a node reads, itself or through constant expressions."""
        return self.behind(self.graph.nodes[index].inputs)

    def behind(self, names: Sequence[str]) -> Iterator[Homed]:
        """The weights that these values are, or are made of."""
        waiting = [name for name in reversed(names) if name]
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            i = self.graph.producers.get(name)
            value = self.graph.value(name)
            if i is None and not value.initializer:
                yield from self._outside(name)
            elif value.initializer:
                yield self.graph, value
            elif i is not None and self.leads_on(i):
                maker = self.graph.nodes[i]
                if maker.op in _GENERATORS:
                    yield self.graph, value
                else:
                    waiting.extend(n for n in reversed(maker.inputs) if n)

    def parameters(self, index: int) -> Iterator[Homed]:
        """Those of a node's weights that are learned."""
        used = list(self.of(index))
        quantised = any(value.dtype in _EIGHT_BITS and value.shape for _, value in used)
        bias = self.graph.nodes[index].inputs[-1:] if quantised else ()
        for home, value in used:
            if elements(value) and (value.dtype != "int32" or value.name in bias):
                yield home, value

    def given_to(self, nested: Graph, node: Node) -> dict[str, list[Homed]]:
        """By the inputs of a nested graph, the weights that its node hands it, last with last."""
        if len(nested.inputs) > len(node.inputs):
            return {}
        pairs = zip(reversed(nested.inputs), reversed(node.inputs), strict=False)
        given = {inner: list(self.behind([outside])) for inner, outside in pairs}
        return {name: weights for name, weights in given.items() if weights}

    def handed_in(self, node: Node) -> set[tuple[int, str]]:
        """Every weight that a node hands to the graphs nested in it."""
        return {
            (id(home), value.name)
            for nested in node.subgraphs.values()
            for weights in self.given_to(nested, node).values()
            for home, value in weights
        }

    def leads_on(self, index: int) -> bool:
        """Whether a node is on the way from a weight to what uses it."""
        return index in self.constants or self.graph.nodes[index].op in HANDS_ON

    def _outside(self, name: str) -> Iterator[Homed]:
        if name in self.graph.inputs:
            yield from self.given.get(name, ())
            return
        for around in reversed(self.outer):
            value = around.graph.value(name)
            if value.initializer:
                yield around.graph, value
                return


class WeightUse(NamedTuple):
    """A stored weight, and the node that uses it first."""

    graph: Graph
    node: int
    home: Graph
    weight: Value


def weight_uses(graph: Graph) -> Iterator[WeightUse]:
    """Every stored weight that some node uses, once; nested graphs included, each once.

    The one rule for what the parameters of a model are: the summary and the viewer both follow it.
    """
    seen: set[tuple[int, str]] = set()
    handed: list[WeightUse] = []
    for weights in _levels(graph):
        for i, node in enumerate(weights.graph.nodes):
            if weights.leads_on(i):
                continue
            inside = set() if not node.subgraphs else weights.handed_in(node)
            for home, value in weights.parameters(i):
                use, key = WeightUse(weights.graph, i, home, value), (id(home), value.name)
                if key in inside:
                    handed.append(use)
                elif key not in seen:
                    seen.add(key)
                    yield use
    for use in handed:  # to a function that does not use it, or that another call was counted in
        key = (id(use.home), use.weight.name)
        if key not in seen:
            seen.add(key)
            yield use


def _levels(graph: Graph) -> Iterator[Weights]:
    """The weights of a graph and of those nested in it, each graph once."""
    seen: set[int] = set()
    waiting = [Weights(graph)]
    while waiting:
        weights = waiting.pop()
        if id(weights.graph) in seen:
            continue
        seen.add(id(weights.graph))
        yield weights
        for node in weights.graph.nodes:
            waiting.extend(
                Weights(nested, (*weights.outer, weights), weights.given_to(nested, node))
                for nested in node.subgraphs.values()
            )


def elements(value: Value) -> int:
    """How many parameters a weight holds; 0 where it is none or its shape is unknown."""
    if value.dtype in NO_PARAMETERS or not value.shape:
        return 0
    numbers = [size for size in value.shape if isinstance(size, int)]
    return prod(numbers) if len(numbers) == len(value.shape) else 0
