"""The numbers of a `History`: float32 in chunks, step numbers as ranges, thinned for a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 65_536
"""Values a chunk: 256 kB, what a series takes at least."""


class Series:
    """float32 values in chunks, NaN where it had not begun."""

    def __init__(self, missing: int = 0) -> None:
        self._chunks: list[NDArray[np.float32]] = []
        self._length = 0
        if missing:
            self.extend(np.full(missing, np.nan, np.float32))

    def extend(self, values: NDArray[np.float32]) -> None:
        """Append values."""
        while len(values):
            used = self._length % CHUNK
            if not used:
                self._chunks.append(np.empty(CHUNK, np.float32))
            part = values[: CHUNK - used]
            self._chunks[-1][used : used + len(part)] = part
            self._length += len(part)
            values = values[len(part) :]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length`; a chunk that was handed out is not written again."""
        self._length = min(self._length, length)
        del self._chunks[-(-self._length // CHUNK) :]
        if self._length % CHUNK:
            self._chunks[-1] = self._chunks[-1].copy()

    def chunks(self, length: int) -> list[NDArray[np.float32]]:
        """The first `length`, piece by piece: full chunks themselves, of the last one a copy."""
        whole, rest = divmod(length, CHUNK)
        return self._chunks[:whole] + ([self._chunks[whole][:rest].copy()] if rest else [])

    def part(self, start: int, stop: int) -> NDArray[np.float32]:
        """The values from `start` up to `stop`; copies these alone."""
        stop = min(stop, self._length)  # cut meanwhile, where another thread rewinds
        parts = []
        for at in range(start // CHUNK, -(-stop // CHUNK)):
            low = at * CHUNK
            parts.append(self._chunks[at][max(0, start - low) : stop - low])
        return np.concatenate([np.empty(0, np.float32), *parts])


class Steps:
    """Step numbers as ranges: they count up but where somebody rewound or skipped."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def extend(self, steps: NDArray[np.int64]) -> None:
        """Append values."""
        if not len(steps):
            return
        breaks = np.flatnonzero(np.diff(steps) != 1) + 1
        for part in np.split(steps, breaks):
            first, count = int(part[0]), len(part)
            if self._ranges and sum(self._ranges[-1]) == first:
                self._ranges[-1] = (self._ranges[-1][0], self._ranges[-1][1] + count)
            else:
                self._ranges.append((first, count))

    def truncate(self, length: int) -> None:
        """Forget all but the first `length`."""
        self._ranges = [(first, count) for first, count in self.ranges(length)]

    def ranges(self, length: int) -> list[list[int]]:
        """First number and count of each range, of the first `length` steps."""
        found = []
        for first, count in list(self._ranges):
            if length > 0:
                found.append([first, min(count, length)])
            length -= count
        return found

    def part(self, start: int, stop: int) -> NDArray[np.int64]:
        """The step numbers at the places from `start` up to `stop`; makes these alone."""
        parts, place = [], 0
        for first, count in list(self._ranges):
            low, high = max(start, place), min(stop, place + count)
            if low < high:
                parts.append(np.arange(first + low - place, first + high - place))
            place += count
        return np.concatenate([np.empty(0, np.int64), *parts])


def thin(
    x: NDArray[Any], values: NDArray[Any], points: int = 2000
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The middle of `x` and the extremes of `values` in at most `points` buckets of equal length.

    >>> thin(np.arange(4), np.array([1.0, 5.0, 2.0, 2.0]), points=2)
    (array([1, 3]), array([1., 2.]), array([5., 2.]))
    """
    if len(values) <= points:
        return x, values, values
    starts = np.arange(points) * len(values) // points
    ends = np.append(starts[1:], len(values))
    low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    return x[(starts + ends) // 2], low, high
