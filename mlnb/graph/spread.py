"""Boxes in one row, each as near to where it is wished as the others allow."""

from __future__ import annotations

from collections.abc import Sequence

SIDE = 22
"""Pixels between two boxes in a row."""


def spread(
    wished: Sequence[float], widths: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Left sides as near as possible to those wished for, in order and without overlaps.

    The least squares solution by pooling adjacent violators (Ayer et al. 1955): subtracting what
    the cells to the left take up makes it an isotonic regression.
    """
    offset, offsets = 0.0, []
    for width in widths:
        offsets.append(offset)
        offset += width + SIDE
    pools: list[tuple[float, float, int]] = []
    for x, weight, start in zip(wished, weights, offsets, strict=True):
        mean, heavy, count = x - start, weight, 1
        while pools and pools[-1][0] > mean:
            other, load, number = pools.pop()
            mean = (mean * heavy + other * load) / (heavy + load)
            heavy, count = heavy + load, count + number
        pools.append((mean, heavy, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + start for mean, start in zip(means, offsets, strict=True)]
