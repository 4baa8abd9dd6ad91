"""What stands behind the names of metrics: a part that counts batches, and a value at the end.

Several metrics may share a part (accuracy, recall and F1 one confusion matrix). Definitions are
scikit-learn's; the formulas follow its user guide, section "Metrics and scoring".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

NAN = math.nan


class Part(Protocol):
    """Counts batches on the device."""

    def reset(self) -> None:
        """Start anew."""

    def update(self, outputs: Any, targets: Any) -> None:
        """Count a batch."""


class Measure(Protocol):
    """A value, or several, that a part comes to."""

    part: Part

    def values(self, name: str) -> dict[str, float]:
        """By name; several where one object gives several."""


@dataclass
class Given:
    """What is known of the outputs, and the parts that metrics share.

    Args:
        kind: "classification", "binary", "multilabel", "regression" or "custom".
        activation: what makes probabilities of the outputs; None where they are that already.
        classes: outputs a row.
        half: the output of one unit from which on it says yes.
    """

    kind: str
    activation: str | None
    classes: int
    half: float = 0.0
    shared: dict[str, Any] = field(default_factory=dict)

    def part(self, name: str, make: Callable[[Given], Any]) -> Any:
        """The part of this name, made once."""
        if name not in self.shared:
            self.shared[name] = make(self)
        return self.shared[name]

    def rows(self, outputs: Tensor) -> Tensor:
        """Outputs as [rows, classes], the positions of a picture or a text as rows too."""
        return outputs.movedim(1, -1).flatten(0, -2) if outputs.ndim > 2 else outputs

    def labels(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Class numbers of the targets, one a row; 0 or 1 in columns for several labels."""
        if self.kind == "multilabel":
            return targets.reshape(-1, self.classes).long()
        if self.kind == "classification" and targets.is_floating_point():
            return self.rows(targets).argmax(1)
        return (targets.reshape(-1) > 0).long() if self.kind == "binary" else targets.reshape(-1)

    def predicted(self, outputs: Tensor) -> Tensor:
        """The class numbers that the outputs mean."""
        if self.kind == "classification":
            return self.rows(outputs).argmax(1)
        yes = (outputs > self.half).long()
        return yes.reshape(-1, self.classes) if self.kind == "multilabel" else yes.reshape(-1)

    def scores(self, outputs: Tensor) -> Tensor:
        """Probabilities as [rows, classes]; [rows] for two classes by one output."""
        outputs = outputs.float() if outputs.dtype != torch.float64 else outputs
        if self.kind == "classification":
            rows = self.rows(outputs)
            return rows.softmax(1) if self.activation == "softmax" else rows
        shape = (-1, self.classes) if self.kind == "multilabel" else (-1,)
        flat = outputs.reshape(shape)
        return flat.sigmoid() if self.activation == "sigmoid" else flat

    def running(self, name: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """The sum that a batch adds to a running metric, without a host read."""
        if name == "accuracy":
            if self.kind == "classification" and not targets.is_floating_point():
                return (outputs.argmax(1) == targets).sum()
            return (self.predicted(outputs) == self.labels(outputs, targets)).sum()
        error = outputs.detach().reshape(-1).float() - targets.reshape(-1)
        return error.abs().sum() if name == "mae" else error.square().sum()

    def counted(self, targets: Tensor) -> Tensor:
        """How many targets a running metric counts, without a host read."""
        if self.kind == "classification" and not targets.is_floating_point():
            return kept_ignored(targets).sum()
        return torch.tensor(targets.numel())


def kept_ignored(targets: Tensor, ignore: int = -100) -> Tensor:
    """Which rows count: torch leaves out targets of -100 from the loss, so do the metrics."""
    return targets != ignore


def has_double(tensor: Tensor) -> bool:
    """Whether the tensor's device has float64."""
    return str(tensor.device.type) != "mps"


class Summed:
    """A sum on the device and a count of rows."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self.total: Tensor | None = None
        self.rows: Tensor | int = 0

    def add(self, value: Tensor, rows: Tensor | int) -> None:
        """Add what a batch gave."""
        self.total = value if self.total is None else self.total + value
        self.rows = self.rows + rows

    @property
    def mean(self) -> float:
        """The mean over rows; NaN without any."""
        rows = float(self.rows)
        return float(self.total) / rows if self.total is not None and rows else NAN
