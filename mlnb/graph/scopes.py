"""The module that each node belongs to, with homes found for the nodes whose file names none.

A node without a scope goes to the common scope of what reads it, rather than of what it reads: data
only flows into such a scope, so that adopting makes no cycle between the groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.graph.order import predecessors

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlnb.graph.graph import Graph

Scope = tuple[str, ...]

DEPTH = 24
"""Levels of scopes that become groups; what lies deeper joins the last one."""


def adopted_scopes(graph: Graph, order: Sequence[int], hidden: Collection[int]) -> list[Scope]:
    """The scope of each node; a node without one gets that of its consumers, or of its producers.

    Where most of the shown nodes have no scope the file does not tell its modules, and only hidden
    nodes are adopted: a stray scope must not swallow the whole model before it.
    """
    scopes = [node.scope[:DEPTH] for node in graph.nodes]
    shown = [i for i in order if i not in hidden]
    scoped = 2 * sum(1 for i in shown if scopes[i]) >= len(shown)
    homeless = [i for i in order if not scopes[i] and (scoped or i in hidden)]
    before = predecessors(graph)
    for i in reversed(homeless):
        readers = {j for name in graph.nodes[i].outputs for j in graph.consumers.get(name, ())}
        scopes[i] = _common([scopes[j] for j in readers])
    for i in homeless:
        if not scopes[i]:
            scopes[i] = _common([scopes[j] for j in before[i]])
    return scopes


def _common(scopes: Sequence[Scope]) -> Scope:
    """The longest scope around all of them."""
    if not scopes:
        return ()
    low, high = min(scopes), max(scopes)
    for depth, (a, b) in enumerate(zip(low, high, strict=False)):
        if a != b:
            return low[:depth]
    return low
