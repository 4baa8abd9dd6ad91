"""What a callback watches: a value of the last epoch, whether it is better, and its weights."""

from __future__ import annotations

import math
from typing import Any

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text
from mlnb.train.callbacks.callbacks import name_of
from mlnb.train.words.metrics import direction


def checked_mode(mode: str) -> str:
    """The mode, where it is one."""
    if mode not in ("auto", "min", "max"):
        raise unknown("mode", mode, ["auto", "min", "max"])
    return mode


def watched(callback: Any, run: Any, monitor: str, mode: str) -> tuple[str, float, bool]:
    """Name and value of what is watched in the last epoch, and whether high is best."""
    row = run.history.epochs[-1]
    name = run.history.monitored() if monitor == "auto" else monitor
    value = row.get(name)
    if value is None:
        numbers = [key for key in row if key not in ("epoch", "step", "seconds")]
        raise unknown(f"metric for {name_of(callback)}", name, numbers)
    way = direction(name) if mode == "auto" else mode
    if way is None:
        raise TrainError(
            f"whether {display_text(name)} is best high or low is not known; "
            f'give {name_of(callback)} mode="min" or mode="max"'
        )
    return name, float(value), way == "max"


def is_better(value: float, best: float | None, best_high: bool, delta: float) -> bool:
    """Whether it is better by more than `delta`; NaN never is."""
    if math.isnan(value):
        return False
    if best is None:
        return True
    return value > best + delta if best_high else value < best - delta


def copied_weights(model: Any) -> dict[str, Any]:
    """A copy of parameters and buffers, on their device."""
    import torch

    models = model if isinstance(model, dict) else {"": model}
    return {
        f"{key}.{name}" if key else name: value.detach().clone()
        for key, one in models.items()
        for name, value in one.state_dict().items()
        if isinstance(value, torch.Tensor)
    }
