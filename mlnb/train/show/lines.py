"""A run in a line: where it is, or how it ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlnb.figures import number_text
from mlnb.formatting import display_text, plural, seconds_text

if TYPE_CHECKING:
    from mlnb.train.history import History

_ENDED = {
    "finished": "finished",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "early": "stopped early",
    "nan": "stopped by NaN or Inf",
    "failed": "failed",
}
_PLAIN = ("epoch", "step", "lr", "seconds")


def line(run: Any, *, values: bool = True) -> str:
    """Where the run is, or how it ended.

    Args:
        run: any `Run`.
        values: whether loss and metrics are told, or the step in their place, while it trains.
    """
    return final_line(run) if run.stop_reason in _ENDED else progress_line(run, values=values)


def progress_line(run: Any, *, values: bool = True) -> str:
    """Where a run is.

    >>> progress_line(run)
    'epoch 3/20 · loss 0.312 · val_loss 0.298 · val_accuracy 0.971 · 12,300 samples/s · 0:12 left'
    >>> progress_line(run, values=False)
    'epoch 3/20 · step 1,412 · 12,300 samples/s · 0:12 left'
    """
    parts = [] if run.status in ("training", "preparing") else [str(run.status)]
    parts.append(f"epoch {min(run.epoch + 1, max(run.epochs, 1)):,}/{run.epochs:,}")
    parts += _values(run.history) if values else [f"step {run.step:,}"]
    if run.status == "training":
        samples = run.samples_per_second
        if samples:
            parts.append(f"{_rate_text(samples)} samples/s")
        elif run.steps_per_second:
            parts.append(f"{_rate_text(run.steps_per_second)} steps/s")
        if run.eta is not None:
            parts.append(f"{clock_text(run.eta)} left")
    return " · ".join(parts)


def final_line(run: Any) -> str:
    """How a run ended.

    >>> final_line(run)
    'finished: 20 epochs, 440 steps in 3.2 s · loss 0.0312 · best loss 0.0298 at epoch 18'
    """
    reason = _ENDED.get(str(run.stop_reason), display_text(str(run.stop_reason)))
    where = plural(run.epoch, "epoch") if run.epoch == run.epochs else (
        f"epoch {run.epoch:,}/{run.epochs:,}"
    )  # fmt: skip
    parts = [f"{reason}: {where}, {plural(run.step, 'step')} in {seconds_text(run.seconds)}"]
    parts += _last_values(run.history, but=()) or _values(run.history)
    if len(run.history.epochs) > 1:
        parts += _best(run.history)
    if run.error is not None:
        parts.append(display_text(str(run.error).partition("\n")[0], 160))
    return " · ".join(parts)


def summary(history: History) -> str:
    """A history in a line, for a picture of several."""
    steps = plural(len(history), "step")
    return " · ".join([steps, *_last_values(history, but=()), *_best(history)])


def clock_text(seconds: float) -> str:
    """Time left, as a clock shows it: `0:12`, `1:05:00`.

    >>> clock_text(12.4), clock_text(3900)
    ('0:12', '1:05:00')
    """
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _rate_text(rate: float) -> str:
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 10 else f"{rate:.2g}"


def _best(history: History) -> list[str]:
    best, name = history.best(), history.monitored()
    if best is None:
        return []
    return [f"best {name} {number_text(best[name])} at epoch {best.get('epoch', '?')}"]


def _values(history: History) -> list[str]:
    """The loss now, and what the last epoch measured."""
    loss = _latest_loss(history)
    said = [] if loss is None else [f"loss {number_text(loss)}"]
    return said + _last_values(history, but=("loss",))


def _latest_loss(history: History) -> float | None:
    """The mean of the last steps: a single one jumps about."""
    if "loss" in history.names and len(history):
        values = history.part("loss", len(history) - 20).tolist()  # numpy is slow on so few
        finite = [value for value in values if math.isfinite(value)]
        return sum(finite) / len(finite) if finite else float(values[-1])
    return None


def _last_values(history: History, but: Sequence[str]) -> list[str]:
    """Loss, loss of validation and the first metrics of the last epoch; validation's if there."""
    if not history.epochs:
        return []
    row = {name: v for name, v in history.epochs[-1].items() if isinstance(v, int | float)}
    metrics = [
        name
        for name in row
        if name not in (*_PLAIN, "loss", "val_loss") and f"val_{name}" not in row
    ]
    names = [name for name in ("loss", "val_loss", *metrics[:2]) if name in row and name not in but]
    return [f"{display_text(name, 30)} {number_text(float(row[name]))}" for name in names]
