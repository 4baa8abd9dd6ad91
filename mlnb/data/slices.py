"""The worst slices: groups of rows in which a model errs more often than chance explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.decoding import decode
from mlnb.errors import need
from mlnb.formatting import display_text
from mlnb.progress import progress

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlnb.data.confident_learning import Judged

Array = np.ndarray[Any, np.dtype[Any]]

SUPPORT = 20
"""The fewest rows that are called a slice: of fewer, two errors look like a pattern."""
CHANCE = 0.05
"""How probable it may be that one of all slices is named without a reason."""
_MOST_VALUES = 50
_SIDE = 16


@dataclass(frozen=True)
class Slice:
    """A group of rows with more errors than others.

    Args:
        name: what they have in common.
        rows: their numbers.
        wrong: how many of them are misjudged.
        overall: the share of all rows that is misjudged.
    """

    name: str
    rows: Array
    wrong: int
    overall: float

    @property
    def rate(self) -> float:
        """The share that is misjudged."""
        return self.wrong / len(self.rows)


def worst_slices(frame: DataFrame, judged: Judged, labels: str) -> list[Slice]:
    """Classes, modes, sizes and brightnesses with more errors than the rest, the worst first.

    Args:
        frame: the rows; `width`, `height`, `mode` and `path` are used where they are there.
        judged: what a model makes of them.
        labels: the column of labels.
    """
    seen = np.flatnonzero(judged.is_judged)
    if not len(seen):
        return []
    wrong = judged.is_wrong
    overall = float(wrong[seen].mean())
    groups = [(name, rows[judged.is_judged[rows]]) for name, rows in _groups(frame, labels)]
    groups = [(name, rows) for name, rows in groups if SUPPORT <= len(rows) < len(seen)]
    test = need("scipy.stats", "train").binomtest
    found = []
    for name, rows in groups:
        errors = int(wrong[rows].sum())
        chance = test(errors, len(rows), overall, alternative="greater").pvalue
        if errors and chance * len(groups) < CHANCE:
            found.append(Slice(name, rows, errors, overall))
    return sorted(found, key=lambda one: -one.rate)


def _groups(frame: DataFrame, labels: str) -> Iterator[tuple[str, Array]]:
    for column in dict.fromkeys((labels, "mode")):
        if column not in frame or frame[column].nunique() > _MOST_VALUES:
            continue
        for value, rows in frame.reset_index(drop=True).groupby(column).groups.items():
            yield f"{column} {display_text(str(value), 40)!r}", rows.to_numpy()
    if "width" in frame and "height" in frame:
        yield from _quarters("pixels", (frame["width"] * frame["height"]).to_numpy(float))
    if "path" in frame:
        yield from _quarters("brightness", _brightness(frame["path"].tolist()))


def _quarters(name: str, values: Array) -> Iterator[tuple[str, Array]]:
    """Four groups of as many rows."""
    if not np.isfinite(values).any():
        return
    edges = np.nanquantile(values, [0, 0.25, 0.5, 0.75, 1])
    for low, high in pairwise(edges.tolist()):
        inside = (values >= low) & ((values < high) | (high == edges[-1]) & (values == high))
        if low < high and inside.any():
            yield f"{name} {low:,.0f} to {high:,.0f}", np.flatnonzero(inside)


def _brightness(paths: list[str]) -> Array:
    """The mean of the pixels, 0 to 255; NaN of what cannot be read."""
    means = np.full(len(paths), np.nan)
    with progress("measuring brightness", len(paths)) as done:
        for rows, pixels, reasons in decode(paths, (_SIDE, _SIDE), "stretch"):
            means[rows] = pixels.mean(axis=(1, 2, 3))
            means[list(reasons)] = np.nan
            done(rows.stop)
    return means
