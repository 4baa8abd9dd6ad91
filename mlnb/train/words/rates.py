"""The learning rates in an optimizer's groups: read, set, and checked where a user gives one."""

from __future__ import annotations

import math
from typing import Any

import torch

from mlnb.errors import TrainError


def set_rate(optimizer: Any, lr: float) -> float:
    """Set the learning rate where there is no schedule; groups keep their ratios. Gives the old.

    Raises:
        TrainError: for what is no number of at least 0.
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
    lr = group["lr"]
    if isinstance(lr, torch.Tensor):
        lr.fill_(rate)
    else:
        group["lr"] = rate


def checked_rate(lr: float) -> float:
    """The rate, where it is one."""
    if isinstance(lr, bool) or not isinstance(lr, int | float) or not math.isfinite(lr) or lr < 0:
        raise TrainError(f"the learning rate is a number of at least 0; received {lr!r}")
    return float(lr)
