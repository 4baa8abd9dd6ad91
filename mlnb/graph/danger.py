"""What in a graph would act with the rights of the person who runs it, and the boxes that hold it.

A reader says it of a node (`Node.danger`). What stands around the node is marked too: a closed
group, or the call of a function, so that no fold hides it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph

NOTE = "runs only with allow_io=True"
"""What is said of a model that holds such a node."""
CODE = "contains code, not loaded"
"""The danger of what is never run, so that it needs no note."""

MOST = 3
"""Kinds of danger that one line names."""


def dangers(graph: Graph) -> Mapping[int, str]:
    """By the index of each node that is drawn in red, why: its own danger, or what is inside it.

    >>> dangers(model.graph)
    {3: 'reads files', 7: 'inside: reads files'}
    """
    nested = _nested(graph)
    found = {}
    for i, node in enumerate(graph.nodes):
        inside = (why for inner in node.subgraphs.values() for why in nested.get(id(inner), ()))
        text = node.danger or inside_text(inside)
        if text:
            found[i] = text
    return found


def inside_text(dangers: Iterable[str]) -> str:
    """`inside: reads files, runs Python` for what is not to be seen; "" for none.

    >>> inside_text(["reads files", "reads files"])
    'inside: reads files'
    """
    kinds = list(dict.fromkeys(why.removeprefix("inside: ") for why in dangers))
    more = ", …" if len(kinds) > MOST else ""
    return f"inside: {', '.join(kinds[:MOST])}{more}" if kinds else ""


def danger_line(graph: Graph) -> str:
    """A line about the whole graph: `reads files · runs only with allow_io=True`; "" for none."""
    own = (node.danger for node in graph.nodes if node.danger)
    nested = (node.danger for inner in graph.subgraphs for node in inner.nodes if node.danger)
    said = inside_text([*own, *nested]).removeprefix("inside: ")
    return said if said in ("", CODE) else f"{said} · {NOTE}"


def _nested(graph: Graph) -> dict[int, dict[str, None]]:
    """For each nested graph the dangers in it and in those nested in it, by `id()`."""
    graphs = graph.subgraphs
    found: dict[int, dict[str, None]] = {
        id(inner): dict.fromkeys(node.danger for node in inner.nodes if node.danger)
        for inner in graphs
    }
    callers: dict[int, list[Graph]] = {}
    for outer in graphs:
        for inner in _inner(outer):
            callers.setdefault(id(inner), []).append(outer)
    waiting = [inner for inner in graphs if found[id(inner)]]
    while waiting:
        inner = waiting.pop()
        for outer in callers.get(id(inner), ()):
            before = len(found[id(outer)])
            found[id(outer)].update(found[id(inner)])
            if len(found[id(outer)]) > before:
                waiting.append(outer)
    return found


def _inner(graph: Graph) -> Iterator[Graph]:
    for node in graph.nodes:
        yield from node.subgraphs.values()
