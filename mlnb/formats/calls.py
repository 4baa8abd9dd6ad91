"""`Calls`: the graphs that a node calls, looked up when they are opened.

A function is one graph for all its calls. So functions may call each other in any order, even in
circles, and a file of functions that call each other twice each does not unfold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph


class Calls(Mapping[str, "Graph"]):
    """The `Node.subgraphs` of a call.

    >>> Calls(bodies, {"cond": 1, "body": 2})["body"] is bodies[2]
    True

    Args:
        bodies: every function of the file, by whatever names it; filled while the file is read.
        called: by their labels at this node, what names the functions.
    """

    __slots__ = ("_bodies", "called")

    def __init__(self, bodies: Mapping[Any, Graph | None], called: Mapping[str, Any]) -> None:
        self._bodies = bodies
        self.called = called

    def __getitem__(self, label: str) -> Graph:
        body = self._bodies[self.called[label]]
        if body is None:
            raise KeyError(label)
        return body

    def __iter__(self) -> Iterator[str]:
        return iter(self.called)

    def __len__(self) -> int:
        return len(self.called)
