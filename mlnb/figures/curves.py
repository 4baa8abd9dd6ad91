"""Values to buckets: no more of them than a picture has pixels to show.

What is denser becomes a band from the smallest to the largest, so that every spike stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.figures.style import LIGHT

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COLUMNS = 1400
"""Buckets a picture, shared by its series."""


@dataclass(frozen=True)
class Series:
    """One curve.

    >>> Series("loss", steps, losses, smooth=True)

    Args:
        name: what stands in the legend.
        x: where the values are, in ascending order.
        y: the values; NaN and infinity leave a gap.
        smooth: draw the values faintly, and their running mean over them.
        dots: a dot at every value; for few values, such as one an epoch.
        dashed: whether the line is dashed.
        faint: whether it stays in the background.
        color: which of eight colours; by default its place among the series.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    smooth: bool = False
    dots: bool = False
    dashed: bool = False
    faint: bool = False
    color: int | None = None


@dataclass(frozen=True)
class Curve:
    """A series as it is drawn: smallest, largest and mean of every bucket, gaps as NaN."""

    x: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    mean: NDArray[Any]
    style: Series
    color: int

    @property
    def band(self) -> bool:
        """Whether a bucket holds several values."""
        return self.high is not self.low


def bucketed(series: Series, at: int, count: int, log_x: bool, log_y: bool) -> Curve:
    """At most so many buckets as the picture can show, gaps as NaN, logarithms taken."""
    x, y = (np.asarray(values, np.float64).reshape(-1) for values in (series.x, series.y))
    x, y = x[: len(y)], y[: len(x)].copy()
    # Spans must not overflow: nobody reads an axis beyond this.
    y[~(np.abs(y) < 1e150)] = np.nan
    y[np.abs(y) < 1e-150] = 0.0
    with np.errstate(all="ignore"):
        if log_x:
            x = np.where(x > 0, np.log10(x), np.nan)
        if log_y:
            y = np.where(y > 0, np.log10(y), np.nan)
    known = np.isfinite(x)
    x, y = x[known], y[known]
    color = at if series.color is None else series.color
    most = int(np.clip(COLUMNS // max(count, 1), 32, 640))
    if len(y) <= most:
        return Curve(x, y, y, smoothed(y) if series.smooth else y, series, color % len(LIGHT))
    starts = np.arange(most) * len(y) // most
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    counted = np.add.reduceat(np.isfinite(y).astype(float), starts)
    with np.errstate(all="ignore"):
        mean = np.add.reduceat(np.nan_to_num(y), starts) / counted
    middle = x[(starts + np.append(starts[1:], len(y))) // 2]
    middle[0], middle[-1] = x[0], x[-1]
    mean = smoothed(mean) if series.smooth else mean
    return Curve(middle, low, high, mean, series, color % len(LIGHT))


def smoothed(y: NDArray[Any]) -> NDArray[Any]:
    """The mean of the neighbours on both sides, fewer of them near the beginning; gaps stay."""
    reach = len(y) // 40
    if not reach:
        return y
    finite = np.isfinite(y)
    totals = np.concatenate(([0.0], np.cumsum(np.where(finite, y, 0.0))))
    counts = np.concatenate(([0], np.cumsum(finite)))
    at = np.arange(len(y))
    near = np.minimum(at, reach)
    first, last = at - near, np.minimum(at + near + 1, len(y))
    with np.errstate(all="ignore"):
        mean = (totals[last] - totals[first]) / (counts[last] - counts[first])
    return np.where(finite, mean, np.nan)
