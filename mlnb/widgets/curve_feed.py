"""What of a run is still to be told to its views: `CurveFeed`, as JSON and float32 buffers.

A tick tells what is new, in a message whose size does not grow with the speed of the loop: beyond a
hundred values or so, buckets with smallest, largest and mean stand for the steps, and say so. A
view that comes later asks for the whole curve, and for a range that it wants to see closer. What is
told lies between two places of the history, so that a view knows when it has missed something.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import display_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlnb.train.history import History
    from mlnb.train.run import Run

TICK_POINTS = 180
"""Values a tick that cross one by one; more of them cross as a quarter as many buckets, which are
as many numbers: step, mean, smallest and largest."""
WHOLE_POINTS = 4000
"""Buckets of a whole curve or of a range: more than a screen has columns."""
WHOLE_BYTES = 400_000
ROWS_A_TICK = 8
ROWS = 1000
MARKS = 200
GIVEN_UP = 3
SERIES = 8
"""Series a run: a step of the user's own may return hundreds of losses."""


class Buffers(list[bytes]):
    """The binary part of a message; what is added gets its number."""

    def floats(self, values: NDArray[Any]) -> int:
        """Add float32 values."""
        self.append(np.ascontiguousarray(values, "<f4").tobytes())
        return len(self) - 1

    def steps(self, values: NDArray[Any]) -> int:
        """Add step numbers, as uint32: exact where float32 is not."""
        self.append(np.ascontiguousarray(values, "<u4").tobytes())
        return len(self) - 1


class CurveFeed:
    """What the views of one run were told.

    >>> feed = CurveFeed(run)
    >>> buffers = Buffers()
    >>> feed.fresh(buffers)
    {'generation': 0, 'from': 0, 'to': 100, 'block': {…}, …}

    Args:
        run: any `Run`; what it has so far counts as told, because a new view asks for it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._epochs = self._marks = 0
        self._generation = -1
        self._sent = 0
        self._catch_up()

    @property
    def moved(self) -> bool:
        """Whether the run was rewound since: only a whole curve says it."""
        return self._generation != _generation(self._run) or len(self._run.history) < self._sent

    def fresh(self, buffers: Buffers, points: int = TICK_POINTS) -> dict[str, Any]:
        """What came since the last time.

        Args:
            buffers: are added to.
            points: how many values may cross one by one.
        """
        if self.moved:
            self._catch_up()
            return self.whole(buffers)
        history, start = self._run.history, self._sent
        stop, epochs, marks = len(history), len(history.epochs), len(history.marks)
        told: dict[str, Any] = {"generation": self._generation, "from": start, "to": stop}
        if stop > start:
            told["block"] = block(history, start, stop, points, max(8, points // 4), buffers)
        if epochs != self._epochs:
            told["epochs"] = _rows(history.epochs[self._epochs : epochs], ROWS_A_TICK)
            told["best"] = best_epoch(history)
        if marks != self._marks:
            new = history.marks[self._marks : marks]
            told["marks"] = [_mark(mark) for mark in new[-ROWS_A_TICK:]]
        self._sent, self._epochs, self._marks = stop, epochs, marks
        return told

    def whole(self, buffers: Buffers, points: int = WHOLE_POINTS) -> dict[str, Any]:
        """All that was told so far, thinned to what a screen shows."""
        history = self._run.history
        given_up = list(self._run.abandoned)[-GIVEN_UP:]
        points = min(points, WHOLE_BYTES // 16 // max(1, len(series_of(history))))
        lr = block(history, 0, self._sent, 500, 500, buffers, ["lr"])
        return {
            "whole": True,
            "generation": self._generation,
            "from": 0,
            "to": self._sent,
            "block": block(history, 0, self._sent, points, points, buffers),
            "lr": lr,
            "epochs": _rows(list(history.epochs)[: self._epochs], ROWS),
            "best": best_epoch(history),
            "marks": [_mark(mark) for mark in list(history.marks)[: self._marks][-MARKS:]],
            "given_up": [
                block(one, 0, len(one), 300, 300, buffers, series_of(one)[:1]) for one in given_up
            ],
        }

    def between(
        self, first: float, last: float, buffers: Buffers, points: int = WHOLE_POINTS
    ) -> dict[str, Any]:
        """The steps from `first` to `last`, as close as a screen shows them."""
        history = self._run.history
        steps = history.part("step", 0, self._sent)
        start = int(np.searchsorted(steps, first, "left"))
        stop = int(np.searchsorted(steps, last, "right"))
        points = min(points, WHOLE_BYTES // 16 // max(1, len(series_of(history))))
        return {
            "generation": self._generation,
            "first": first,
            "last": last,
            "block": block(history, start, max(start, stop), points, points, buffers),
        }

    def _catch_up(self) -> None:
        history = self._run.history
        self._generation = _generation(self._run)
        self._sent = len(history)
        self._epochs, self._marks = len(history.epochs), len(history.marks)


def block(
    history: History,
    start: int,
    stop: int,
    most: int,
    buckets: int,
    buffers: Buffers,
    names: list[str] | None = None,
) -> dict[str, Any]:
    """Some steps of a history: one by one where they are at most `most`, else in buckets.

    `per` is how many steps a point stands for. A series names its buffers: its values, or mean,
    smallest and largest of each bucket.
    """
    names = series_of(history) if names is None else [n for n in names if n in history.names]
    steps = history.part("step", start, stop)
    values = {name: history.part(name, start, stop) for name in names}
    count = min([len(steps), *map(len, values.values())])
    if max(1, len(names)) * count <= most:
        series = {n: [buffers.floats(v[:count])] for n, v in values.items()}
        return {"per": 1, **_places(steps[:count], buffers), "series": _told(series)}
    buckets = max(2, min(count, buckets // max(1, len(names))))
    starts = np.arange(buckets) * count // buckets
    ends = np.append(starts[1:], count)
    middle = steps[(starts + ends - 1) // 2]
    middle[0], middle[-1] = steps[0], steps[count - 1]  # a curve begins and ends where it does
    series = {
        n: [buffers.floats(a) for a in bucketed(v[:count], starts)] for n, v in values.items()
    }
    return {"per": count / buckets, "x": buffers.steps(middle), "series": _told(series)}


def bucketed(
    values: NDArray[np.float32], starts: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Mean, smallest and largest of each bucket; NaN counts only where there is nothing else."""
    known = np.isfinite(values)
    counted = np.add.reduceat(known.astype(np.float64), starts)
    total = np.add.reduceat(np.where(known, values, 0.0).astype(np.float64), starts)
    with np.errstate(all="ignore"):
        mean = total / counted
    return mean, np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)


def series_of(history: History) -> list[str]:
    """What is drawn of a history that has one value a step."""
    return [name for name in history.names if name != "lr"][:SERIES]


def best_epoch(history: History) -> dict[str, float | None] | None:
    """The row of the best epoch, which need not be among the rows that are told."""
    best = history.best()
    return None if best is None else _rows([best], 1)[0]


def number(value: Any) -> float | None:
    """A number as JSON may hold it: nothing stands for NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    return float(value) if math.isfinite(value) else None


_NUMBERS = (int, float, np.number)  # made once: it is asked for hundreds of times a second


def _generation(run: Run) -> int:
    return len(run.abandoned)


def _places(steps: NDArray[Any], buffers: Buffers) -> dict[str, Any]:
    """Where values stand: the first step and how many, or a buffer where they skip some."""
    if len(steps) and int(steps[-1]) - int(steps[0]) + 1 != len(steps):
        return {"x": buffers.steps(steps)}
    return {"first": int(steps[0]) if len(steps) else 0, "count": len(steps)}


def _told(series: dict[str, list[int]]) -> dict[str, list[int]]:
    return {display_text(name, 30): numbers for name, numbers in series.items()}


def _rows(rows: list[dict[str, Any]], most: int) -> list[dict[str, float | None]]:
    """At most so many epochs, evenly picked, the last one among them; numbers only."""
    if len(rows) > most:
        rows = [rows[(at + 1) * len(rows) // most - 1] for at in range(most)]
    return [
        {display_text(str(k), 30): number(v) for k, v in list(row.items())[:20]} for row in rows
    ]


def _mark(mark: Any) -> dict[str, Any]:
    text = display_text(mark.text, 60) or mark.kind.replace("_", " ")
    return {"step": int(mark.step), "kind": mark.kind, "text": text}
