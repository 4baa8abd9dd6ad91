"""Where the shapes beside the edges of the static picture stand, so that they hide nothing."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from mlnb.graph.box_text import edge_text

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.graph.layout import Edge, Layout


def labels(placed: Layout, graph: Graph) -> list[Label]:
    """The shapes beside the edges, each value once, wherever there is room for one."""
    points = [point for edge in placed.edges for point in _samples(edge)]
    found: list[Label] = []
    said: set[tuple[str, ...]] = set()
    for edge in placed.edges:
        text = edge_text(graph, edge.names)
        if not text or edge.names in said or edge.route.backward or edge.route.gutter is not None:
            continue
        for label in _places(edge, text):
            inside = label.left >= max(0.0, edge.left) and label.right <= edge.right
            if (
                inside
                and not any(label.meets(other) for other in found)
                and not any(label.holds(x, y) for x, y in points)
            ):
                found.append(label)
                said.add(edge.names)
                break
    return found


class Label(NamedTuple):
    """A shape beside an edge, and the area it takes up."""

    text: str
    x: float
    y: float
    anchor: str

    @property
    def left(self) -> float:
        """Where the text begins."""
        return self.x if self.anchor == "start" else self.x - _text_width(self.text)

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + _text_width(self.text)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is in the text or too close to it."""
        return self.left - 3 <= x <= self.right + 3 and self.y - 10 <= y <= self.y + 3

    def meets(self, other: Label) -> bool:
        """Whether two texts overlap."""
        beside = self.right < other.left or other.right < self.left
        return not beside and abs(self.y - other.y) < 12


def _places(edge: Edge, text: str) -> list[Label]:
    """Right and left of the first gap that the edge crosses, where that is high enough."""
    (x1, y1), (x2, y2) = _first_gap(edge)
    if y2 - y1 < 14:
        return []
    y, middle = (y1 + y2) / 2 + 3.5, (x1 + x2) / 2
    right = Label(text, max(x1, middle) + 6, y, "start")
    return [right, Label(text, min(x1, middle) - 6, y, "end")]


def _first_gap(edge: Edge) -> tuple[tuple[float, float], tuple[float, float]]:
    points = edge.route.points
    return (points[1], points[2]) if len(points) > 3 else (points[0], points[-1])


def _samples(edge: Edge) -> list[tuple[float, float]]:
    """Points along an edge, close enough to tell whether it runs through a text."""
    points, gutter = list(edge.route.points), edge.route.gutter
    if gutter is not None:
        at = next(i for i in range(1, len(points)) if points[i][1] < points[i - 1][1])
        (x, y), (nx, ny) = points[at - 1], points[at]
        points[at:at] = [(x, y + 9), (gutter, y + 9), (gutter, ny - 9), (nx, ny - 9)]
    found: list[tuple[float, float]] = []
    for (x, y), (nx, ny) in itertools.pairwise(points):
        steps = max(2, int((abs(nx - x) + abs(ny - y)) / 6))
        for step in range(steps + 1):
            t = step / steps
            ease = t * t * (3 - 2 * t)
            found.append((x + (nx - x) * ease, y + (ny - y) * t))
    return found


def _text_width(text: str) -> float:
    return 6.1 * len(text)
