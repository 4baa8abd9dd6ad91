"""The order of the boxes within each row, so that few edges cross (Sugiyama et al. 1981)."""

from __future__ import annotations

from collections.abc import Sequence

Neighbour = tuple[int, float, float]
"""A box in the next row, where the edge meets this box and where it meets that one."""

Rows = list[list[int]]


def order_rows(
    rows: Rows,
    above: Sequence[Sequence[Neighbour]],
    below: Sequence[Sequence[Neighbour]],
    sweeps: int,
) -> Rows:
    """Sweeps down and up by barycentres; of all orders on the way the one with fewest crossings.

    Args:
        rows: the boxes of each row, as a first guess.
        above: for each box, those it is joined to in the row above.
        below: for each box, those in the row below.
        sweeps: how many times to go through all rows at most.
    """
    rows = [list(row) for row in rows]
    best, fewest = [list(row) for row in rows], crossings(rows, below)
    for sweep in range(sweeps):
        if not fewest:
            break
        down = sweep % 2 == 0
        for at in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            beside = rows[at - 1] if down else rows[at + 1]
            rows[at] = _sorted(rows[at], beside, above if down else below)
        found = crossings(rows, below)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _sorted(row: list[int], beside: list[int], joined: Sequence[Sequence[Neighbour]]) -> list[int]:
    """The row by the mean place of each box's neighbours in the row beside it."""
    place = {box: at for at, box in enumerate(beside)}
    key: dict[int, float] = {}
    for at, box in enumerate(row):
        near = [place[other] for other, _, _ in joined[box]]
        key[box] = sum(near) / len(near) if near else at
    return sorted(row, key=key.__getitem__)


def crossings(rows: Rows, below: Sequence[Sequence[Neighbour]]) -> int:
    """How many pairs of edges cross between neighbouring rows."""
    place = {box: at for row in rows for at, box in enumerate(row)}
    total = 0
    for row in rows:
        ends = [(at, place[other]) for at, box in enumerate(row) for other, _, _ in below[box]]
        total += sum(
            1 for i, (a, b) in enumerate(ends) for c, d in ends[i + 1 :] if (a - c) * (b - d) < 0
        )
    return total
