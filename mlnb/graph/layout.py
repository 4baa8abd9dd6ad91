"""The layout of the static picture: every box, frame and edge of a folded graph with its place.

Only what stays in a saved notebook is laid out here; the viewer lays itself out in the browser.
Each open group is laid out on its own and then stands in the level around it as one large box.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlnb.graph.layered import COLUMNS, Cell, Link, Placement, Route, place
from mlnb.graph.scene import Ends, Key, Level, Port, Scene, Trail, scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.graph.fold import Fold, Group
    from mlnb.graph.graph import Graph

BOX_WIDTH = 160.0
BOX_HEIGHT = 38.0
HEADER = 26.0
PADDING = 14.0
PORT = 12.0
PAGE = 900.0


@dataclass(frozen=True, slots=True)
class Box:
    """A box or a frame: what it stands for, and where.

    Args:
        kind: `"node"`, `"group"` (closed), `"frame"` (an open group), `"in"` or `"out"`.
        x: of its left side, in pixels.
        y: of its upper side.
        width: in pixels.
        height: in pixels.
        node: the node's index, for a node.
        group: the group, for a group or frame.
        names: the values that an input or output box stands for.
        around: the id of the frame around it, `""` on the top level.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    node: int | None = None
    group: Group | None = None
    names: tuple[str, ...] = ()
    around: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """The way of the values from one box to another, or to or from the border of a frame.

    Args:
        route: the points on its way.
        names: the values that flow along it.
        arrow: whether it ends in an arrowhead: at a box, not at a border.
        left: how far to the left its text may reach.
        right: how far to the right.
    """

    route: Route
    names: tuple[str, ...]
    arrow: bool
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is, in pixels; a frame comes before what stands in it."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def layout(graph: Graph, folded: Fold) -> Layout:
    """Lay out what is open in `folded`, data flowing downwards.

    Columns on the top level alone read best; where they leave the picture high, the levels inside
    get columns too.
    """
    shown = scene(graph, folded)
    layouts = [_lay_out(shown, folded.open, (), deep).layout for deep in (False, True)]
    return min(layouts, key=_badness)


def _badness(placed: Layout) -> float:
    """The height on a page, and more for what must be shrunk to fit the page's width."""
    scale = min(1.0, PAGE / max(placed.width, 1.0))
    return placed.height / scale


@dataclass(frozen=True, slots=True)
class _Part:
    """A level laid out on its own, and at which x each value crosses its border."""

    layout: Layout
    ports: dict[Port, float]


def _lay_out(shown: Scene, opened: frozenset[str], trail: Trail, deep: bool) -> _Part:
    """One level: its open groups first, then the level around them."""
    level = shown.levels[trail]
    ends = [e for e in level.edges if e.source != e.target]
    ports = _border_ports(ends)
    keys: list[Key] = [
        *(port for port in ports if port.kind == "entry"),
        *level.keys,
        *(port for port in ports if port.kind == "exit"),
    ]
    parts: dict[Key, _Part] = {
        key: _lay_out(shown, opened, (*trail, key), deep)
        for key in keys
        if isinstance(key, str) and key in opened
    }
    index = {key: at for at, key in enumerate(keys)}
    links = [
        Link(
            index[e.source],
            index[e.target],
            _crossing(parts, e.source, "exit", e.leaves),
            _crossing(parts, e.target, "entry", e.arrives),
        )
        for e in ends
    ]
    columns = COLUMNS if deep or not trail else 1
    placed = place([_cell(key, parts) for key in keys], links, columns)
    dx, dy, width, height = _surroundings(placed, shown, trail)
    corners = {key: (x + dx, y + dy) for key, (x, y) in zip(keys, placed.corners, strict=True)}
    boxes: list[Box] = []
    edges: list[Edge] = []
    for key in keys:
        boxes.extend(_boxes(key, corners[key], parts, shown, trail))
        if key in parts:
            edges.extend(_moved(edge, corners[key]) for edge in parts[key].layout.edges)
    edges.extend(_self_edges(level, corners))
    bounds = (4.0, width - 4.0) if trail else (float("-inf"), float("inf"))
    for e, route in zip(ends, placed.routes, strict=True):
        points = tuple((x + dx, y + dy) for x, y in route.points)
        gutter = None if route.gutter is None else route.gutter + dx
        route = Route(_to_border(points, e, height), route.backward, gutter)
        edges.append(Edge(route, tuple(level.edges[e]), not _is_border(e.target), *bounds))
    crossings = {port: corners[port][0] + PORT / 2 for port in ports}
    return _Part(Layout(width, height, tuple(boxes), tuple(edges)), crossings)


def _border_ports(ends: Sequence[Ends]) -> list[Port]:
    """The ports on the frame's own border, in the order of the edges to and from them."""
    found = (key for e in ends for key in (e.source, e.target) if isinstance(key, Port))
    return list(dict.fromkeys(port for port in found if _is_border(port)))


def _is_border(key: object) -> bool:
    return isinstance(key, Port) and key.kind in ("entry", "exit")


def _crossing(parts: dict[Key, _Part], key: Key, side: str, name: str | None) -> float:
    """How far from the left side of a box an edge meets it."""
    if key in parts and name is not None:
        return parts[key].ports[Port(side, name)]
    return (PORT if _is_border(key) else BOX_WIDTH) / 2


def _cell(key: Key, parts: dict[Key, _Part]) -> Cell:
    if key in parts:
        return Cell(parts[key].layout.width, parts[key].layout.height)
    if isinstance(key, Port) and _is_border(key):
        return Cell(PORT, 0, -1 if key.kind == "entry" else 1)
    return Cell(BOX_WIDTH, BOX_HEIGHT)


def _surroundings(
    placed: Placement, shown: Scene, trail: Trail
) -> tuple[float, float, float, float]:
    """Where the content of a level begins, and the size of the level with its frame."""
    if not trail:
        return 0.0, 0.0, placed.width, placed.height
    group = shown.groups[trail[-1]]
    title = 7.4 * min(len(group.name), 40) + 6.2 * min(len(group.label), 48) + 28
    width = max(placed.width + 2 * PADDING, title)
    dx = (width - placed.width) / 2
    return dx, HEADER, width, placed.height + HEADER + PADDING


def _boxes(
    key: Key, corner: tuple[float, float], parts: dict[Key, _Part], shown: Scene, trail: Trail
) -> list[Box]:
    x, y = corner
    around = trail[-1] if trail else ""
    if isinstance(key, str) and key in parts:
        inner = parts[key].layout
        frame = Box("frame", x, y, inner.width, inner.height, group=shown.groups[key])
        moved = [replace(box, x=box.x + x, y=box.y + y) for box in inner.boxes]
        return [replace(frame, around=around), *moved]
    if isinstance(key, Port):
        names = shown.bundles.get(key)
        kind = key.kind.rstrip("s")
        return [Box(kind, x, y, BOX_WIDTH, BOX_HEIGHT, names=names)] if names else []
    if isinstance(key, str):
        group = shown.groups[key]
        return [Box("group", x, y, BOX_WIDTH, BOX_HEIGHT, group=group, around=around)]
    return [Box("node", x, y, BOX_WIDTH, BOX_HEIGHT, node=key, around=around)]


def _moved(edge: Edge, corner: tuple[float, float]) -> Edge:
    dx, dy = corner
    gutter = None if edge.route.gutter is None else edge.route.gutter + dx
    points = tuple((x + dx, y + dy) for x, y in edge.route.points)
    route = replace(edge.route, points=points, gutter=gutter)
    return replace(edge, route=route, left=edge.left + dx, right=edge.right + dx)


def _to_border(
    points: tuple[tuple[float, float], ...], ends: Ends, height: float
) -> tuple[tuple[float, float], ...]:
    """The route with its ends at ports drawn out to the frame's border."""
    if _is_border(ends.source):
        points = ((points[0][0], HEADER), *points[1:])
    if _is_border(ends.target):
        points = (*points[:-1], (points[-1][0], height))
    return points


def _self_edges(level: Level, corners: dict[Key, tuple[float, float]]) -> list[Edge]:
    """A node that reads its own output: a loop at its right side."""
    edges = []
    for ends, names in level.edges.items():
        if ends.source == ends.target:
            x, y = corners[ends.source]
            right = x + BOX_WIDTH
            points = (
                (right, y + BOX_HEIGHT * 0.7),
                (right + 14, y + BOX_HEIGHT * 0.7),
                (right + 14, y + BOX_HEIGHT * 0.3),
                (right, y + BOX_HEIGHT * 0.3),
            )
            edges.append(Edge(Route(points, backward=True), tuple(names), True, 0, 0))
    return edges
