"""The order in which data flows through a graph, and what survives when nodes are hidden.

A file should list its nodes in that order already and nearly every one does; a file with a cycle
has no such order, and then what lies on the cycle keeps its place in the file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node, Value

HANDS_ON = frozenset(
    {"Identity", "ReadVariableOp", "StopGradient", "PreventGradient", "Snapshot", "alias", "detach"}
)
"""What gives out the tensor that it reads."""
PASS_THROUGH = HANDS_ON | {"Cast", "CastLike", "CAST"}


def data_flow_order(graph: Graph) -> list[int]:
    """The indices of the nodes, producers before consumers; file order where either would do."""
    before = predecessors(graph)
    if all(p < i for i, ps in enumerate(before) for p in ps):
        return list(range(len(before)))
    return flow_sorted(before)


def predecessors(graph: Graph) -> list[list[int]]:
    """For each node, the nodes whose outputs it reads."""
    producers = graph.producers
    return [
        list(dict.fromkeys(producers[name] for name in reads(node) if name in producers))
        for node in graph.nodes
    ]


def reads(node: Node) -> Sequence[str]:
    """The values a node reads: its inputs, and what its nested graphs take from around them."""
    if not node.subgraphs:
        return node.inputs
    names = dict.fromkeys(node.inputs)
    seen: set[int] = set()
    waiting = [(graph, frozenset[str]()) for graph in node.subgraphs.values()]
    while waiting:
        graph, around = waiting.pop()
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        own = around | graph.producers.keys() | set(graph.inputs)
        for inner in graph.nodes:
            outside = (n for n in inner.inputs if n not in own and not graph.value(n).initializer)
            names.update(dict.fromkeys(outside))
            waiting.extend((nested, own) for nested in inner.subgraphs.values())
        names.update(dict.fromkeys(n for n in graph.outputs if n not in own))
    return tuple(names)


def flow_sorted(before: Sequence[Sequence[int]]) -> list[int]:
    """Kahn's order; where only cycles are left, the first node in the file goes next."""
    after: list[list[int]] = [[] for _ in before]
    for i, ps in enumerate(before):
        for p in ps:
            after[p].append(i)
    missing = [len(ps) for ps in before]
    ready = [i for i, count in enumerate(missing) if not count]
    heapify(ready)
    done = [False] * len(before)
    order: list[int] = []
    first_left = 0
    while len(order) < len(before):
        if not ready:
            while done[first_left]:
                first_left += 1
            ready.append(first_left)
        i = heappop(ready)
        if done[i]:
            continue
        done[i] = True
        order.append(i)
        for j in after[i]:
            missing[j] -= 1
            if missing[j] == 0 and not done[j]:
                heappush(ready, j)
    return order


def visible_source(graph: Graph, name: str, hidden: Collection[int]) -> str | None:
    """The value that a drawn edge for `name` starts at, or `None` where no edge is drawn.

    A hidden Identity or Cast lets the edge through to what it reads itself; any other hidden
    producer (a constant, shape arithmetic) ends it.
    """
    producers = graph.producers
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        i = producers.get(name)
        if i is None or i not in hidden:
            return name
        node = graph.nodes[i]
        if node.op not in PASS_THROUGH or not node.inputs:
            return None
        name = node.inputs[0]
    return None


def handed_on(graph: Graph, name: str) -> Value:
    """The value that stands behind a name: past identities and reads of a variable."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        value = graph.value(name)
        i = graph.producers.get(name)
        if value.initializer or i is None or graph.nodes[i].op not in HANDS_ON:
            break
        name = next(iter(graph.nodes[i].inputs), name)
    return graph.value(name)


def visible_sources(graph: Graph, hidden: Collection[int]) -> list[list[int]]:
    """For each node, the shown nodes it reads from; nothing for hidden nodes."""
    producers = graph.producers
    known: dict[str, int | None] = {}

    def source(name: str) -> int | None:
        if name not in known:
            start = visible_source(graph, name, hidden)
            known[name] = None if start is None else producers.get(start)
        return known[name]

    sources: list[list[int]] = []
    for i, node in enumerate(graph.nodes):
        found = () if i in hidden else (source(name) for name in reads(node) if name)
        sources.append(list(dict.fromkeys(p for p in found if p is not None)))
    return sources
