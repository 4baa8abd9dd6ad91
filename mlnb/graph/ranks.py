"""Which row each box of a level stands in: below all that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from mlnb.graph.order import flow_sorted


def flow_places(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The place of each of `count` boxes in the data flow, cycles opened at the earliest box."""
    before: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        if source != target:
            before[target].append(source)
    before = [list(dict.fromkeys(sources)) for sources in before]
    places = [0] * count
    for at, box in enumerate(flow_sorted(before)):
        places[box] = at
    return places


def ranks(
    ends: Sequence[int], edges: Sequence[tuple[int, int]], places: Sequence[int]
) -> list[int]:
    """The row of each box; what reads nothing stands just above its first reader.

    Args:
        ends: -1 for what must stand in the first row, 1 for the last, 0 for anything else.
        edges: from upper to lower box, without cycles.
        places: as `flow_places` gives them.
    """
    below: list[list[int]] = [[] for _ in ends]
    above: list[list[int]] = [[] for _ in ends]
    for low, high in edges:
        if low != high:
            below[low].append(high)
            above[high].append(low)
    order = sorted(range(len(ends)), key=places.__getitem__)
    rank = [0] * len(ends)
    first = 1 if -1 in ends else 0
    for box in order:
        if ends[box] >= 0:
            rank[box] = max((rank[a] + 1 for a in above[box]), default=first)
    for box in reversed(order):
        if not above[box] and below[box] and not ends[box]:
            rank[box] = max(first, min(rank[b] for b in below[box]) - 1)
    last = max((rank[box] for box in order if ends[box] <= 0), default=0) + 1
    return [last if end > 0 else rank[box] for box, end in enumerate(ends)]
