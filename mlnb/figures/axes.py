"""Axes: what they span, where their round numbers are, and from values to pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.figures.numbers import tick_text

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, in powers of ten where it is logarithmic."""

    low: float
    high: float
    log: bool

    @classmethod
    def over(cls, arrays: Sequence[NDArray[Any]], log: bool, slack: float) -> Axis:
        """Around all finite values; a constant gets room on both sides."""
        finite = [part[np.isfinite(part)] for part in arrays]
        values = np.concatenate([np.empty(0), *finite])
        if not len(values):
            return cls(0.0, 1.0, log)
        low, high = float(values.min()), float(values.max())
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            room = 0.5 if log or low == 0 else abs(low) * 0.1
            return cls(low - room, high + room, log)
        room = (high - low) * slack
        # An axis that nearly begins at zero begins there.
        start = 0.0 if not log and slack and 0 <= low < (high - low) * 0.15 else low - room
        return cls(start, high + room, log)

    def ticks(self, count: int) -> list[tuple[float, str]]:
        """Places and texts, at round numbers."""
        return _log_ticks(self.low, self.high, count) if self.log else self._plain(count)

    def _plain(self, count: int) -> list[tuple[float, str]]:
        step = _round_step((self.high - self.low) / max(count, 1))
        places = [
            k * step
            for k in range(
                math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1
            )
        ]
        largest = max(map(abs, places), default=0.0)
        return [(place, tick_text(place, step, largest)) for place in places[: 4 * count]]


def _round_step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(
        (factor * power for factor in (1, 2, 5) if factor * power >= rough * 0.999), 10 * power
    )


def _log_ticks(low: float, high: float, count: int) -> list[tuple[float, str]]:
    """Decades, every second or fifth where there are many, with 2 and 5 where there are few."""
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first >= 2:
        every = int(max(1, _round_step((last - first) / max(count, 1))))
        return [(float(k), tick_text(10.0**k, 10.0**k)) for k in range(first, last + 1, every)]
    if high - low < 0.7:
        plain = Axis(10.0**low, 10.0**high, log=False).ticks(count)
        return [(math.log10(place), text) for place, text in plain if place > 0]
    places = [f * 10.0**k for k in range(first - 1, last + 1) for f in (1, 2, 5)]
    return [
        (math.log10(p), tick_text(p, p))
        for p in places
        if low - 1e-9 <= math.log10(p) <= high + 1e-9
    ]


@dataclass(frozen=True)
class Frame:
    """Where the axes stand in the picture, in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    x_axis: Axis
    y_axis: Axis

    def x(self, values: Any) -> Any:
        """Pixels from values."""
        low, high = self.x_axis.low, self.x_axis.high
        return self.left + (values - low) / (high - low) * (self.right - self.left)

    def y(self, values: Any) -> Any:
        """Pixels from values, upwards."""
        low, high = self.y_axis.low, self.y_axis.high
        return self.bottom - (values - low) / (high - low) * (self.bottom - self.top)
