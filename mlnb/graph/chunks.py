"""A crowded level is cut along the data flow, at its narrow places where it has some.

A narrow place is one that a single tensor passes: the seam between two residual blocks. Cutting
there makes stretches that a reader would call a block, and makes equal blocks come out equal, so
that the repeats among them can be compressed. Only a level over `LEVEL` is cut where it is wide.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import ceil, sqrt
from typing import TYPE_CHECKING

from mlnb.graph.families import family
from mlnb.graph.group import Item, describe, label_text, leaves
from mlnb.graph.repeats import compress_repeats

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.graph.repeats import MakeGroup

LEVEL = 150
"""Boxes that a level may have; one with more is always cut."""
CROWDED = 60
"""Boxes from which on a level of loose nodes is cut where it is narrow."""
BLOCK = 6
"""Nodes that a stretch of a plain chain has at least."""
SKIP = 48
"""Boxes; an edge that skips more of them is no part of the local flow and makes no place wide."""

_STARTERS = frozenset({"conv", "dense", "pool", "attention", "recurrent"})


def chunk_level(
    items: list[Item],
    graph: Graph,
    sources: Sequence[Sequence[int]],
    make: MakeGroup,
    most: int = LEVEL,
) -> list[Item]:
    """The level with at most `most` boxes; as it came where it is not crowded.

    Args:
        items: the level in data-flow order.
        graph: what the items' indices point into.
        sources: for each node, the shown nodes it reads from.
        make: builds a group: `make(kind, name, label, items)`.
        most: boxes that the level may have.
    """
    shown = [item for item in items if item.visible]
    loose = sum(1 for item in shown if not item.is_group)
    if len(shown) <= min(CROWDED, most) or (len(shown) <= most and 2 * loose < len(shown)):
        return items
    width = _widths(shown, sources)
    blocks = _blocks(shown, width, graph)
    if len(blocks) > 1:
        items = compress_repeats(_grouped(items, shown, blocks, make), make)
    while sum(1 for item in items if item.visible) > most:
        items = cut_evenly(items, sources, make)
    return items


def cut_evenly(
    items: Sequence[Item], sources: Sequence[Sequence[int]], make: MakeGroup
) -> list[Item]:
    """The level in about as many stretches as each has boxes, cut at the narrowest place nearby."""
    shown = [item for item in items if item.visible]
    width = _widths(shown, sources)
    size = max(2, ceil(sqrt(len(shown))))
    cuts: list[int] = []
    at = 0
    while len(shown) - at > size + size // 2:
        low, high = at + max(2, size - size // 4), at + size + size // 4
        at = min(range(low, high + 1), key=lambda cut: (width[cut - 1], abs(cut - at - size)))
        cuts.append(at)
    return _grouped(items, shown, _stretches(len(shown), cuts), make)


def _widths(shown: Sequence[Item], sources: Sequence[Sequence[int]]) -> list[int]:
    """How many boxes' outputs pass each seam, the one after box 0 first."""
    place = {node: at for at, item in enumerate(shown) for node in leaves(item)}
    last = list(range(len(shown)))
    for at, item in enumerate(shown):
        for node in leaves(item):
            for source in sources[node]:
                start = place.get(source, at)
                if start < at <= start + SKIP:
                    last[start] = max(last[start], at)
    change = [0] * (len(shown) + 1)
    for start, end in enumerate(last):
        change[start] += 1
        change[end] -= 1
    width, widths = 0, []
    for step in change[:-1]:
        width += step
        widths.append(width)
    return widths


def _blocks(shown: Sequence[Item], width: Sequence[int], graph: Graph) -> list[tuple[int, int]]:
    """Stretches between narrow places: a parallel part and the plain boxes after it, or a chain."""
    seams = [at + 1 for at in range(len(shown) - 1) if width[at] <= 1]
    cuts: list[int] = []
    start, parallel = 0, False
    for low, high in _stretches(len(shown), seams):
        branches = high - low > 1 or shown[low].is_group
        if low > start and (branches or _starts(shown[low], graph)):
            long_enough = low - start >= BLOCK
            if parallel or long_enough or (branches and _size(shown, low, high) >= BLOCK):
                cuts.append(low)
                start, parallel = low, False
        parallel = parallel or branches
    return _stretches(len(shown), cuts)


def _size(shown: Sequence[Item], low: int, high: int) -> int:
    return sum(item.visible for item in shown[low:high])


def _starts(item: Item, graph: Graph) -> bool:
    """Whether a reader would begin a new stretch with this box."""
    return isinstance(item.child, int) and family(graph.nodes[item.child].op).name in _STARTERS


def _stretches(count: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    ends = [*cuts, count]
    return list(zip([0, *cuts], ends, strict=True))


def _grouped(
    items: Sequence[Item],
    shown: Sequence[Item],
    stretches: Sequence[tuple[int, int]],
    make: Callable[[str, str, str, Sequence[Item]], Item],
) -> list[Item]:
    """Each stretch of more than one shown box as a group; a hidden node goes with the next box."""
    ends = [shown[high - 1].position for _, high in stretches]
    held: list[list[Item]] = [[] for _ in stretches]
    for item in items:
        held[min(bisect_left(ends, item.position), len(ends) - 1)].append(item)
    result: list[Item] = []
    for number, members in enumerate(held, 1):
        if sum(1 for item in members if item.visible) < 2:
            result.extend(members)
            continue
        times, noun = describe(members)
        result.append(make("chunk", f"part {number}", label_text(times, noun), members))
    return result
