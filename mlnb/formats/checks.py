"""What is wrong in a graph and can still be drawn: cycles, duplicate names, edges from nowhere.

One sentence each, for any format. A graph in the order of its data, as nearly all are, costs one
pass over its nodes; only where a name is used before it is made is a cycle looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from mlnb.formats.calls import Calls
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node

Key = TypeVar("Key", bound=Hashable)

SHOWN = 20
"""Warnings of one file; the rest is counted."""


def problems(graph: Graph, functions: Sequence[Graph] = ()) -> list[str]:
    """What is wrong in a graph, its nested graphs and the file's functions, a sentence each.

    Args:
        graph: the outermost graph.
        functions: the bodies that `Calls` lead to; each is looked at once.
    """
    found: list[str] = []
    waiting: list[tuple[Graph, str, tuple[frozenset[str], ...]]] = [
        (function, f" in function {_name(function.name)}", ()) for function in functions
    ]
    waiting.append((graph, "", ()))
    while waiting:
        current, where, outer = waiting.pop()
        made = _made(current)
        found += _problems(current, where, made, outer)
        for i, node in enumerate(current.nodes):
            if node.subgraphs and not isinstance(node.subgraphs, Calls):
                for label, nested in node.subgraphs.items():
                    place = f" in {_name(label)} of {_name(_called(node, i))}{where}"
                    waiting.append((nested, place, (*outer, made)))
    if len(found) <= SHOWN:
        return found
    return [*found[:SHOWN], f"and {len(found) - SHOWN:,} warnings more"]


def circle(edges: Mapping[Key, Iterable[Key]]) -> list[Key]:
    """A way round, its first key again at the end; empty where there is none.

    >>> circle({"a": ["b"], "b": ["a"]})
    ['a', 'b', 'a']
    """
    finished: set[Key] = set()
    for first in edges:
        if first in finished:
            continue
        path: dict[Key, None] = {first: None}
        steps = [(first, iter(edges[first]))]
        while steps:
            here, onward = steps[-1]
            for there in onward:
                if there in path:
                    around = list(path)
                    return [*around[around.index(there) :], there]
                if there not in finished and there in edges:
                    path[there] = None
                    steps.append((there, iter(edges[there])))
                    break
            else:
                finished.add(here)
                del path[here]
                steps.pop()
    return []


def _made(graph: Graph) -> frozenset[str]:
    """Every name that has a value in the graph: fed, stored, or made by a node."""
    made = {name for name, value in graph.values.items() if value.initializer}
    made.update(graph.inputs)
    for node in graph.nodes:
        made.update(node.outputs)
    made.add("")
    return frozenset(made)


def _problems(
    graph: Graph, where: str, made: frozenset[str], outer: tuple[frozenset[str], ...]
) -> list[str]:
    found = _duplicates(graph, where)
    known = {name for name, value in graph.values.items() if value.initializer}
    known.update(graph.inputs, ("",))
    ordered = True
    missing: dict[str, str] = {}
    for i, node in enumerate(graph.nodes):
        if not known.issuperset(node.inputs):
            for name in node.inputs:
                if name in made:
                    ordered = ordered and name in known
                elif not any(name in names for names in outer):
                    missing.setdefault(name, _called(node, i))
        known.update(node.outputs)
    for name, reader in missing.items():
        found.append(f"nothing makes {_name(name)}, which {_name(reader)}{where} reads")
    for name in graph.outputs:
        if name not in made and not any(name in names for names in outer):
            found.append(f"nothing makes the output {_name(name)}{where}")
    return found if ordered else [*found, *_cycle(graph, where)]


def _duplicates(graph: Graph, where: str) -> list[str]:
    """Values that two claim to make, inputs given twice, and nodes that share a name."""
    outputs = [name for node in graph.nodes for name in node.outputs if name]
    constants = {node.outputs[0] for node in graph.nodes if node.op in _CONSTANT and node.outputs}
    given = [name for name, value in graph.values.items() if value.initializer]
    fed = [*graph.inputs, *(name for name in given if name not in constants)]
    names = [node.name for node in graph.nodes if node.name]
    return [
        *(f"{_name(n)}{where} is made {count} times" for n, count in _repeated([*fed, *outputs])),
        *(f"{count} nodes{where} are called {_name(n)}" for n, count in _repeated(names)),
    ]


_CONSTANT = frozenset(
    ("Constant", "ConstantOfShape", "Const", "VarHandleOp", "VariableV2", "Variable")
)
"""Nodes whose output is stored, in the file or beside it."""


def _repeated(names: list[str]) -> list[tuple[str, int]]:
    if len(set(names)) == len(names):
        return []
    return [(name, count) for name, count in Counter(names).items() if count > 1]


def _cycle(graph: Graph, where: str) -> list[str]:
    """The cycle through the first node that has one; nodes merely out of order make none."""
    edges = {
        i: sorted({j for name in node.outputs if name for j in graph.consumers.get(name, ())})
        for i, node in enumerate(graph.nodes)
    }
    around = circle(edges)
    if not around:
        return []
    names = [_name(_called(graph.nodes[i], i)) for i in around]
    shown = names if len(names) <= 8 else [*names[:4], f"{len(names) - 7} more", *names[-3:]]
    return [f"a cycle{where}: {' → '.join(shown)}"]


def _called(node: Node, index: int) -> str:
    return node.name or f"{node.op} (node {index})"


def _name(name: str) -> str:
    return f"'{display_text(name, 60)}'"
