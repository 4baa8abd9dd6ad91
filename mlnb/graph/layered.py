"""One level laid out in rows, data flowing downwards: ranks, order within a row, places, routes.

The classic method (Sugiyama et al. 1981): cycles are opened, long edges get a narrow dummy in every
row they pass, so that no edge runs through a box, and rows are ordered by the barycentre of their
neighbours. A level that comes out much higher than wide goes on in a second column.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from mlnb.graph.ranks import flow_places, ranks
from mlnb.graph.row_order import Neighbour, order_rows
from mlnb.graph.spread import SIDE, spread

GAP = 30
DUMMY = 10
GUTTER = 46
COLUMN = 560
"""Height in pixels from which on a level goes on in another column, where one edge leads there."""
COLUMNS = 4
WIDEST = 1100
TURN = 14
SWEEPS = 8

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """Something to place: its size, and where within its width edges enter and leave it.

    Args:
        width: in pixels.
        height: in pixels; 0 for a port.
        end: -1 for what must stand in the first row, 1 for the last, 0 for anything else.
    """

    width: float
    height: float
    end: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between two cells, and how far from their left sides it leaves and arrives."""

    source: int
    target: int
    leaves: float
    arrives: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one edge, in turn straight down through a row and across the gap to the next.

    Args:
        points: from its source to its target.
        backward: whether it runs upwards, closing a cycle.
        gutter: between which columns it goes on in the next one; `None` where it stays in one.
    """

    points: tuple[Point, ...]
    backward: bool = False
    gutter: float | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """The upper left corner of every cell, the route of every link, and the size of it all."""

    corners: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def place(cells: Sequence[Cell], links: Sequence[Link], columns: int = COLUMNS) -> Placement:
    """Cells and links as a picture without overlaps.

    Args:
        cells: in data-flow order, which decides between equally good places.
        links: the edges between them.
        columns: at most so many columns next to each other.
    """
    level = _Level(cells, links, columns)
    level.rows = order_rows(level.rows, level.above, level.below, SWEEPS)
    level.place_rows()
    return level.placement()


class _Level:
    """The working state of one layout; cells from `len(cells)` on are dummies."""

    def __init__(self, cells: Sequence[Cell], links: Sequence[Link], columns: int) -> None:
        self.columns = columns
        self.cells = list(cells)
        self.links = links
        self.real = len(cells)
        at = flow_places(len(cells), [(link.source, link.target) for link in links])
        self.backward = [at[link.source] >= at[link.target] for link in links]
        ends = [
            (k.target, k.source) if back else (k.source, k.target)
            for k, back in zip(links, self.backward, strict=True)
        ]
        self.rank = ranks([cell.end for cell in cells], ends, at)
        self.paths = [self._path(low, high) for low, high in ends]
        self.above: list[list[Neighbour]] = [[] for _ in self.cells]
        self.below: list[list[Neighbour]] = [[] for _ in self.cells]
        for path, link, back in zip(self.paths, links, self.backward, strict=True):
            self._connect(path, link, back)
        self.rows: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for cell, rank in enumerate(self.rank):
            self.rows[rank].append(cell)
        self.left = [0.0] * len(self.cells)
        self.top: list[float] = []
        self.height: list[float] = []

    def _path(self, low: int, high: int) -> list[int]:
        """The cells an edge passes, with a new dummy for every row between its ends."""
        path = [low]
        for rank in range(self.rank[low] + 1, self.rank[high]):
            path.append(len(self.cells))
            self.cells.append(Cell(DUMMY, 0))
            self.rank.append(rank)
        return [*path, high]

    def _connect(self, path: list[int], link: Link, back: bool) -> None:
        first, last = (link.arrives, link.leaves) if back else (link.leaves, link.arrives)
        for a, b in itertools.pairwise(path):
            out = first if a == path[0] else DUMMY / 2
            into = last if b == path[-1] else DUMMY / 2
            self.below[a].append((b, out, into))
            self.above[b].append((a, into, out))

    def place_rows(self) -> None:
        """Each cell as near to its neighbours as the order of its row allows, sweep by sweep."""
        for row in self.rows:
            x = 0.0
            for cell in row:
                self.left[cell] = x
                x += self.cells[cell].width + SIDE
        for sweep in range(3 * SWEEPS):
            rows = self.rows if sweep % 2 == 0 else self.rows[::-1]
            last = sweep >= 2 * SWEEPS
            for row in rows:
                self._place_row(row, sweep % 2 == 0 or last, sweep % 2 == 1 or last)
        for row in self.rows[1:]:
            self._straighten(row)
        shift = min((self.left[c] for c in range(len(self.cells))), default=0.0)
        self.left = [x - shift for x in self.left]

    def _place_row(self, row: list[int], look_up: bool, look_down: bool) -> None:
        wished, weights = [], []
        for cell in row:
            near = (self.above[cell] if look_up else []) + (self.below[cell] if look_down else [])
            pulls = [
                (self.left[other] + there - here, self._weight(cell, other))
                for other, here, there in near
            ]
            weight = sum(w for _, w in pulls)
            wished.append(
                sum(x * w for x, w in pulls) / weight if weight else self.left[cell],
            )
            weights.append(weight or 0.01)
        widths = [self.cells[cell].width for cell in row]
        for cell, x in zip(row, spread(wished, widths, weights), strict=True):
            self.left[cell] = x

    def _straighten(self, row: list[int]) -> None:
        """The links of a chain exactly below each other; what else is in the row gives way."""
        wished, weights = [], []
        for cell in row:
            chained = self.above[cell] if self._continues(cell) else []
            wished.append(
                self.left[chained[0][0]] + chained[0][2] - chained[0][1]
                if chained
                else self.left[cell]
            )
            weights.append(1000.0 if chained else 1.0)
        widths = [self.cells[cell].width for cell in row]
        for cell, x in zip(row, spread(wished, widths, weights), strict=True):
            self.left[cell] = x

    def _continues(self, cell: int) -> bool:
        """Whether the cell reads one cell only, which is read by it only."""
        return len(self.above[cell]) == 1 and len(self.below[self.above[cell][0][0]]) == 1

    def _weight(self, cell: int, other: int) -> float:
        """Long edges, and the links of a chain, are kept straighter than what branches."""
        upper, lower = (cell, other) if self.rank[cell] < self.rank[other] else (other, cell)
        if self._continues(lower) and self.above[lower][0][0] == upper:
            return 16.0
        return float((4 if cell >= self.real else 1) * (4 if other >= self.real else 1))

    def placement(self) -> Placement:
        """Rows one below the other, cut into columns where the level is high."""
        self.height = [max((self.cells[c].height for c in row), default=0.0) for row in self.rows]
        gaps = [self._gap(at) for at in range(len(self.rows) - 1)]
        starts = self._columns(gaps)
        width, height = 0.0, 0.0
        slack = TURN if len(starts) > 1 else 0.0
        gutters: dict[int, float] = {}
        for low, high in zip(starts, [*starts[1:], len(self.rows)], strict=True):
            cells = [c for row in self.rows[low:high] for c in row]
            left = min((self.left[c] for c in cells), default=0.0)
            shift = width + (GUTTER if low else 0.0) - left
            gutters[low] = width + GUTTER / 2
            y = slack
            for at in range(low, high):
                self.top.append(y)
                y += self.height[at] + (gaps[at] if at + 1 < high else 0.0)
            for c in cells:
                self.left[c] += shift
            width = max((self.left[c] + self.cells[c].width for c in cells), default=width)
            height = max(height, y + slack)
        corners = tuple(
            (self.left[c], self.top[self.rank[c]] + self._inset(c)) for c in range(self.real)
        )
        gutters.pop(0, None)
        routes = tuple(self._route(i, gutters, corners) for i in range(len(self.links)))
        return Placement(corners, routes, width, height)

    def _inset(self, cell: int) -> float:
        return (self.height[self.rank[cell]] - self.cells[cell].height) / 2

    def _gap(self, at: int) -> float:
        """Wider where edges go far across."""
        across = max(
            (
                abs(self.left[a] + out - self.left[b] - into)
                for a in self.rows[at]
                for b, out, into in self.below[a]
            ),
            default=0.0,
        )
        if not (self.height[at] and self.height[at + 1]):
            return GAP / 2 + min(20.0, across / 10)
        return GAP + min(30.0, across / 12)

    def _columns(self, gaps: Sequence[float]) -> list[int]:
        """The rows that columns begin with: as equal as places with a single edge allow."""
        total = sum(self.height) + sum(gaps)
        widest = max(
            (self.left[c] + self.cells[c].width for c in range(len(self.cells))), default=0
        )
        fitting = max(1, int(WIDEST // (widest + GUTTER)))
        count = min(self.columns, round(total / COLUMN + 0.25), fitting)
        starts = [0]
        if count < 2:
            return starts
        y = 0.0
        tops = []
        for at, height in enumerate(self.height):
            tops.append(y)
            y += height + (gaps[at] if at < len(gaps) else 0.0)
        narrow = [
            at
            for at in range(2, len(self.rows) - 1)
            if sum(len(self.below[c]) for c in self.rows[at - 1]) == 1
        ]
        for number in range(1, count):
            after = [at for at in narrow if at > starts[-1] + 1]
            if after:
                starts.append(min(after, key=lambda at: abs(tops[at] - total * number / count)))
        return starts

    def _route(self, i: int, gutters: dict[int, float], corners: Sequence[Point]) -> Route:
        path, link, back = self.paths[i], self.links[i], self.backward[i]
        first, last = (link.arrives, link.leaves) if back else (link.leaves, link.arrives)
        x, y = corners[path[0]]
        points: list[Point] = [(x + first, y + self.cells[path[0]].height)]
        gutter = None
        for at, cell in enumerate(path):
            rank = self.rank[cell]
            end, into = at == len(path) - 1, last if at == len(path) - 1 else DUMMY / 2
            if at:
                points.append((self.left[cell] + into, self.top[rank]))
                gutter = gutters.get(rank, gutter)
            if end:
                points.append((corners[cell][0] + last, corners[cell][1]))
            else:
                out = first if not at else DUMMY / 2
                points.append((self.left[cell] + out, self.top[rank] + self.height[rank]))
        return Route(tuple(points[::-1] if back else points), back, gutter)
