"""The learning rates in an optimizer's groups: read, set, and checked where a user gives one."""

from __future__ import annotations

import math
from typing import Any

from mlnb.errors import DataError


def set_rate(optimizer: Any, lr: float) -> float:
    """Set the learning rate where there is no schedule; groups keep their ratios. Gives the old.

    Raises:
        DataError: for what is no number from 0 up.
    """
    lr = checked_rate(lr)
    groups = optimizer.param_groups
    before = float(groups[0]["lr"])
    for group in groups:
        write_rate(group, lr * float(group["lr"]) / before if before else lr)
    return before


def rate_of(group: dict[str, Any]) -> float:
    """The rate of a group, which a compiled step holds as a tensor."""
    return float(group["lr"])


def write_rate(group: dict[str, Any], rate: float) -> None:
    """Set the rate of a group; a tensor stays the same tensor."""
    import torch

    lr = group["lr"]
    if isinstance(lr, torch.Tensor):
        lr.fill_(rate)
    else:
        group["lr"] = rate


def checked_rate(value: Any) -> float:
    """A learning rate as a number.

    >>> checked_rate(3e-4)
    0.0003

    Raises:
        DataError: it is no finite number from 0 up.
    """
    try:
        rate = math.nan if isinstance(value, bool | str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise DataError(
            f"a learning rate is a finite number from 0 up; received {repr(value)[:80]}. "
            "Usual ones lie between 1e-5 and 0.1: run.set_lr(1e-3)"
        )
    return rate
