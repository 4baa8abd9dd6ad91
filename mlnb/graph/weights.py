"""Which stored weights each node uses, looked up through constant expressions and outer graphs.

A parameter is an element of a stored tensor of numbers that some node reads. Not counted are
scalars and tensors of int64, bool and text: they say how to compute (axes, shapes, indices, masks)
and are not learned. A weight that several nodes share is counted at the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from mlnb.graph.elide import constant_nodes

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Value

NO_PARAMETERS = frozenset({"int64", "uint64", "bool", "string", "unknown"})

_GENERATORS = frozenset({"ConstantOfShape", "EyeLike"})


class Weights:
    """The weights of one graph.

    Args:
        graph: whose nodes use them.
        outer: the graphs around it, outermost first; their weights are seen from inside.
    """

    def __init__(self, graph: Graph, outer: Sequence[Weights] = ()) -> None:
        self.graph = graph
        self.outer = outer
        self.constants = constant_nodes(graph)

    def of(self, index: int) -> Iterator[tuple[Graph, Value]]:
        """The weights that a node reads, itself or through constant expressions."""
        node = self.graph.nodes[index]
        waiting = [name for name in reversed(node.inputs) if name]
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
            elif i in self.constants:
                maker = self.graph.nodes[i]
                if maker.op in _GENERATORS:
                    yield self.graph, value
                else:
                    waiting.extend(n for n in reversed(maker.inputs) if n)

    def _outside(self, name: str) -> Iterator[tuple[Graph, Value]]:
        if name in self.graph.inputs:
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
    seen_graphs: set[int] = set()
    seen_weights: set[tuple[int, str]] = set()
    waiting: list[tuple[Graph, tuple[Weights, ...]]] = [(graph, ())]
    while waiting:
        inner, outer = waiting.pop()
        if id(inner) in seen_graphs:
            continue
        seen_graphs.add(id(inner))
        weights = Weights(inner, outer)
        for i, node in enumerate(inner.nodes):
            waiting.extend((nested, (*outer, weights)) for nested in node.subgraphs.values())
            if i in weights.constants:
                continue
            for home, value in weights.of(i):
                if elements(value) and (id(home), value.name) not in seen_weights:
                    seen_weights.add((id(home), value.name))
                    yield WeightUse(inner, i, home, value)


def elements(value: Value) -> int:
    """How many parameters a weight holds; 0 where it is none or its shape is unknown."""
    if value.dtype in NO_PARAMETERS or not value.shape:
        return 0
    numbers = [size for size in value.shape if isinstance(size, int)]
    return prod(numbers) if len(numbers) == len(value.shape) else 0
