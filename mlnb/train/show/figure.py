"""A run, or several laid over each other, as a plotly figure: loss, metrics, learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.figures import Panel, Series, Spot, number_text, plotly_figure
from mlnb.formatting import display_text
from mlnb.train.show.curve import CURVES, given_up, needs_log, notes_of, of_epochs, of_steps

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from mlnb.train.history import History

METRICS = 4
_PLAIN = ("epoch", "step", "loss", "val_loss", "lr", "seconds")


def run_figure(runs: Iterable[Any]) -> Figure:
    """One run with all that is known of it; of several each in its colour.

    >>> run_figure([run, fork])

    Args:
        runs: each with a `name` and a `history`, which may be a method.

    Raises:
        MissingExtra: plotly is not installed.
    """
    given = list(runs)
    return _of_one(given[0]) if len(given) == 1 else _of_several(given)


def _of_one(run: Any) -> Figure:
    """With what was done meanwhile, and what rewinds left behind."""
    history = _history(run)
    series = of_steps(history)[:CURVES]
    losses = _Losses(given_up(run) + series)
    losses.add_validation(history, color=max(1, len(series)))
    alone = [("", history)]
    return plotly_figure(
        [losses.panel(), *_metrics(alone), *_rates(alone)],
        title=str(run.name),
        x_label="step",
        marks=notes_of(history),
    )


def _of_several(runs: Sequence[Any]) -> Figure:
    """A colour each; validation is dashed."""
    pairs = [(display_text(str(run.name), 30), _history(run)) for run in runs]
    losses = _Losses([])
    for color, (name, history) in enumerate(pairs):
        losses.series += of_steps(history, color=color, label=name)[:2]
        losses.add_validation(history, color=color, label=name)
    return plotly_figure([losses.panel(), *_metrics(pairs), *_rates(pairs)], x_label="step")


class _Losses:
    """The first panel, as it is put together."""

    def __init__(self, series: list[Series]) -> None:
        self.series = series
        self._spots: list[Spot] = []

    def add_validation(self, history: History, *, color: int, label: str = "") -> None:
        """The dots of its epochs, and a star at the best one."""
        named = f"{label} validation" if label else "val_loss"
        found = of_epochs(history, color=color, label=named, dashed=bool(label))
        self.series += found
        best = history.best() if len(history.epochs) > 1 else None
        if best is not None:
            name = history.monitored()
            text = f"{label} best: epoch {best.get('epoch', '?')}".strip()
            at = color if found or label else 0
            self._spots.append(Spot(best.get("step", 0), float(best[name]), text, at))

    def panel(self) -> Panel:
        """What stands on top."""
        log = needs_log([one.y for one in self.series])
        return Panel("loss", self.series, log=log, spots=self._spots)


def _history(run: Any) -> History:
    history: History = run.history() if callable(run.history) else run.history
    return history


def _metrics(pairs: Sequence[tuple[str, History]]) -> list[Panel]:
    """A panel a metric: in training a line, in validation dots."""
    found: dict[str, list[Series]] = {}
    for color, (label, history) in enumerate(pairs):
        rows = list(history.epochs)
        names = dict.fromkeys(name for row in rows for name in row)
        for name in names:
            if name in _PLAIN or name in history.names:
                continue
            known = [row for row in rows if isinstance(row.get(name), int | float)]
            metric, kept_back = name.removeprefix("val_"), name.startswith("val_")
            if not known:
                continue
            series = Series(
                f"{label} validation" if kept_back and label else label or name,
                np.array([row.get("step", 0) for row in known], np.int64),
                np.array([row[name] for row in known], np.float64),
                dots=kept_back,
                dashed=kept_back and bool(label),
                color=color if label else int(kept_back),
            )
            found.setdefault(display_text(metric, 30), []).append(series)
    return [Panel(metric, series) for metric, series in list(found.items())[:METRICS]]


def _rates(pairs: Sequence[tuple[str, History]]) -> list[Panel]:
    """The learning rate of every step."""
    series = [
        Series(label or f"lr {number_text(float(history['lr'][-1]))}", history["step"],
               history["lr"], color=color if label else 4)
        for color, (label, history) in enumerate(pairs)
        if "lr" in history.names and len(history)
    ]  # fmt: skip
    return [Panel("learning rate", series, needs_log([one.y for one in series]))] if series else []
