"""The curve of a run: its steps, its validation, and what was done meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.figures import Note, Series, line_chart, number_text

if TYPE_CHECKING:
    from mlnb.train.history import History

CURVES = 8


def run_curve(run: Any) -> str:
    """Its picture as SVG, with what was given up by rewinds behind it."""
    history: History = run.history
    series = [_valued(one, history) for one in of_steps(history)[:CURVES]]
    series = given_up(run) + series + of_epochs(history, color=max(1, len(series)))
    return line_chart(
        series,
        title=run.name,
        x_label="step",
        log_y=needs_log([one.y for one in series]),
        marks=notes_of(history),
    )


def given_up(run: Any) -> list[Series]:
    """What rewinds left behind, the last three."""
    left = list(getattr(run, "abandoned", ()))[-3:]
    series = [of_steps(one, color=7, label="given up", dashed=True)[:1] for one in left]
    return [one for some in series for one in some]


def notes_of(history: History) -> list[Note]:
    """What was done meanwhile, each at its step."""
    return [Note(mark.step, mark.text or mark.kind.replace("_", " ")) for mark in history.marks]


def of_steps(
    history: History, *, color: int | None = None, label: str = "", dashed: bool = False
) -> list[Series]:
    """One series for everything that has a value a step."""
    names = [name for name in history.names if name not in ("lr", "step")]
    return [
        Series(
            _named(name, label, alone=len(names) == 1),
            history["step"],
            history[name],
            smooth=True,
            dashed=dashed,
            color=at if color is None else color,
        )
        for at, name in enumerate(names)
    ]


def of_epochs(
    history: History, *, color: int, label: str = "", dashed: bool = False
) -> list[Series]:
    """The loss of validation, a dot an epoch; nothing where there is none."""
    rows = [row for row in history.epochs if isinstance(row.get("val_loss"), int | float)]
    if not rows:
        return []
    steps, values = [row.get("step", 0) for row in rows], [row["val_loss"] for row in rows]
    name = label or f"val_loss {number_text(float(values[-1]))}"
    return [Series(name, steps, values, dots=True, dashed=dashed, color=color)]


def _valued(series: Series, history: History) -> Series:
    """With what the last epoch gave behind its name."""
    value = history.epochs[-1].get(series.name) if history.epochs else None
    if not isinstance(value, int | float):
        return series
    return replace(series, name=f"{series.name} {number_text(float(value))}")


def _named(name: str, label: str, *, alone: bool) -> str:
    if label:
        return label if alone else f"{label} {name}"
    return name


def needs_log(arrays: Sequence[Any]) -> bool:
    """Whether a plain axis would press most of the curve against the bottom."""
    values = np.concatenate([np.empty(0), *[np.asarray(part, np.float64) for part in arrays]])
    values = values[np.isfinite(values)]
    if len(values) < 8 or values.min() <= 0:
        return False
    low, high = np.percentile(values, [10, 97])
    return bool(high > 40 * low)
