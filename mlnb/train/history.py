"""`History`: what happened in a run, every step of it, as plain arrays.

Steps are kept whole as float32 in chunks (4 MB a series for a million steps) and only a picture is
thinned. One thread appends while others read: the length is written last and read first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text, plural
from mlnb.train.series import Series, Steps, thin

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Mark:
    """Something that was done to a run, at the step after which it took effect.

    >>> Mark(1200, "set_lr", "lr 0.001 → 0.0003", 0.0003)

    Args:
        step: optimizer steps done when it took effect.
        kind: set_lr, pause, resume, stop, checkpoint, rewind, fork, nan, or resumed.
        text: what to write beside it.
        value: the number that came with it, if one did.
    """

    step: int
    kind: str
    text: str = ""
    value: float | None = None


class History:
    """Every step's loss and learning rate, every epoch's metrics, and what was done meanwhile.

    >>> run.history["loss"]             # one float32 a step
    >>> run.history.epochs[-1]          # {"epoch": 3, "step": 66, "loss": 0.31, "val_loss": …}
    >>> run.history.to_frame().plot()

    Attributes:
        epochs: one dict an epoch: epoch (from 1), step, loss, val_loss, metrics, seconds.
        marks: what was done while it trained, in order.
    """

    def __init__(self) -> None:
        self.epochs: list[dict[str, Any]] = []
        self.marks: list[Mark] = []
        self._series: dict[str, Series] = {}
        self._steps = Steps()
        self._length = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The series that have one value a step."""
        return tuple(self._series)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: object) -> bool:
        return name == "step" or name in self._series or any(name in row for row in self.epochs)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A series with one value a step or, where only epochs have it, with one an epoch.

        Raises:
            UnknownName: with the series that exist.
        """
        length = self._length
        if name == "step":
            return self._steps.part(0, length)
        if name in self._series:
            return self._series[name].part(0, length)
        if name in self:
            return np.array([_number(row.get(name)) for row in list(self.epochs)])
        rest = dict.fromkeys(key for row in self.epochs for key in row)
        raise unknown("series", name, dict.fromkeys(["step", *self._series, *rest]))

    def part(self, name: str, start: int, stop: int | None = None) -> NDArray[Any]:
        """The values of a series from a place on, so that a live view copies only what is new.

        >>> history.part("loss", len(history) - 20)

        Args:
            name: "step", or a series with one value a step.
            start: the place of the first, from 0; a negative one is the first of all.
            stop: the place after the last; all there are by default.

        Raises:
            UnknownName: with the series that exist.
        """
        length = self._length
        stop = length if stop is None else min(stop, length)
        start = min(max(0, start), stop)
        if name == "step":
            return self._steps.part(start, stop)
        if name not in self._series:
            raise unknown("series", name, ["step", *self._series])
        return self._series[name].part(start, stop)

    def __repr__(self) -> str:
        text = f"{plural(len(self), 'step')}, {plural(len(self.epochs), 'epoch')}"
        if self.epochs:
            last = self.epochs[-1]
            shown = [k for k in ("loss", "val_loss") if isinstance(last.get(k), int | float)]
            text += "".join(f", {name} {last[name]:.4g}" for name in shown)
        return f"History({text})"

    def extend(self, step: Sequence[int] | NDArray[Any], /, **series: ArrayLike) -> None:
        """Append what some steps gave; called at ticks, not at every step.

        >>> history.extend(range(0, 3), loss=[2.3, 2.2, 2.1], lr=[0.001] * 3)

        Args:
            step: the number of each step, exact as int64.
            series: for every name as many values as steps. A series that is missing here, or that
                was missing before, has NaN there.

        Raises:
            TrainError: where a series has another length than `step`.
        """
        steps = np.asarray(step, np.int64).reshape(-1)
        arrays = {name: np.asarray(values, np.float32) for name, values in series.items()}
        for name, values in arrays.items():
            if values.shape != steps.shape:
                raise TrainError(
                    f"series '{display_text(name)}' has shape {list(values.shape)}, but there are "
                    f"{plural(len(steps), 'step')}; give one value a step"
                )
        for name, values in arrays.items():
            kept = self._series.get(name) or Series(self._length)
            kept.extend(values)
            self._series[name] = kept
        for name, kept in self._series.items():
            if name not in arrays:
                kept.extend(np.full(len(steps), np.nan, np.float32))
        self._steps.extend(steps)
        self._length += len(steps)

    def add_epoch(self, **values: Any) -> None:
        """Append the row of a finished epoch: `add_epoch(epoch=1, step=22, loss=0.9, …)`."""
        self.epochs.append(values)

    def mark(self, step: int, kind: str, text: str = "", value: float | None = None) -> Mark:
        """Write down what was done at `step`."""
        mark = Mark(step, kind, text, value)
        self.marks.append(mark)
        return mark

    def best(self, metric: str = "auto") -> dict[str, Any] | None:
        """The epoch with the best value of `metric`, the first of equals; None where there is none.

        Args:
            metric: a key of the epochs; "auto" is val_loss where there is one, else loss.

        Raises:
            UnknownName: where no epoch has this metric.
        """
        from mlnb.train.words.metrics import direction

        rows = list(self.epochs)
        name = self.monitored() if metric == "auto" else metric
        if rows and metric != "auto" and not any(name in row for row in rows):
            raise unknown("metric", name, dict.fromkeys(key for row in rows for key in row))
        values = np.array([_number(row.get(name)) for row in rows])
        finite = np.isfinite(values)
        if not finite.any():
            return None
        worst, pick = (-np.inf, np.argmax) if direction(name) == "max" else (np.inf, np.argmin)
        return rows[int(pick(np.where(finite, values, worst)))]

    def monitored(self) -> str:
        """What "auto" looks at: val_loss where an epoch has one, else loss."""
        return "val_loss" if any("val_loss" in row for row in self.epochs) else "loss"

    def thinned(
        self, name: str, points: int = 2000
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Steps, smallest and largest value of at most `points` buckets, so that spikes stay.

        NaN counts only where a bucket holds nothing else.
        """
        values = self[name]
        if name in self._series or name == "step":
            steps = self["step"][: len(values)]
        else:
            steps = np.array([_number(row.get("step")) for row in self.epochs[: len(values)]])
        return thin(steps, values, points)

    def truncate(self, step: int) -> None:
        """Forget everything after `step` optimizer steps: what a rewind does."""
        keep = int(np.searchsorted(self["step"], step, side="right"))
        for series in self._series.values():
            series.truncate(keep)
        self._steps.truncate(keep)
        self._length = keep
        self.epochs = [row for row in self.epochs if row.get("step", 0) <= step]
        self.marks = [mark for mark in self.marks if mark.step <= step]

    def to_frame(self, per: str = "step") -> pd.DataFrame:
        """A pandas frame, one row a step or, with `per="epoch"`, one row an epoch.

        Raises:
            UnknownName: for another word than step and epoch.
        """
        import pandas as pd

        if per == "epoch":
            frame = pd.DataFrame(self.epochs)
            return frame.set_index("epoch") if "epoch" in frame else frame
        if per != "step":
            raise unknown("kind of row", per, ["step", "epoch"])
        index = pd.Index(self["step"], name="step")
        return pd.DataFrame(
            {n: s.part(0, len(index)) for n, s in self._series.items()}, index=index
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything, for a checkpoint: arrays as tensors, the rest as JSON has it.

        A series is a list of tensors which nobody writes again, so that what is kept of many steps
        holds the early ones once.
        """
        import torch

        length = self._length
        series = {
            name: [torch.from_numpy(chunk) for chunk in kept.chunks(length)]
            for name, kept in self._series.items()
        }
        return {
            "series": series,
            "steps": self._steps.ranges(length),
            "epochs": _columns(self.epochs),
            "marks": [asdict(mark) for mark in self.marks],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become what `state_dict` was."""
        steps = [np.arange(first, first + count) for first, count in state["steps"]]
        fresh = History()
        fresh.extend(
            np.concatenate([np.empty(0, np.int64), *steps]),
            **{name: _joined(chunks) for name, chunks in state["series"].items()},
        )
        self._series, self._steps, self._length = fresh._series, fresh._steps, fresh._length
        self.epochs = _rows(state["epochs"])
        self.marks = [Mark(**mark) for mark in state["marks"]]


_NUMBERS = (int, float, np.number)


def _joined(chunks: Sequence[ArrayLike]) -> NDArray[np.float32]:
    return np.concatenate([np.empty(0, np.float32), *(np.asarray(c, np.float32) for c in chunks)])


def _columns(rows: Sequence[dict[str, Any]]) -> list[dict[str, list[Any]]]:
    """Rows with the same names by column, which costs half of what the rows do as JSON."""
    return [
        dict(zip(names, map(list, zip(*(row.values() for row in some), strict=True)), strict=True))
        for names, some in groupby(list(rows), key=tuple)
    ]


def _rows(columns: Sequence[Mapping[str, Sequence[Any]]]) -> list[dict[str, Any]]:
    return [
        dict(zip(some, values, strict=True))
        for some in columns
        for values in zip(*some.values(), strict=True)
    ]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, _NUMBERS) else float("nan")
