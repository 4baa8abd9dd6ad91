"""Measures of numbers: a few sums of errors, and the sizes of all where a median is asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mlnb.train.words.measures import NAN, Given, Part, has_double

ERRORS = (
    "mae", "mse", "rmse", "r2", "mape", "smape", "msle", "max_error", "median_absolute_error",
    "explained_variance",
)  # fmt: skip


class ErrorSums:
    """Sums of errors and of targets, a column an output; targets less their first mean.

    Squares of targets that lie far from zero would otherwise cancel in R2.
    """

    def __init__(self, given: Given) -> None:
        self.given = given
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self.sums: dict[str, Tensor] = {}
        self.peak: Tensor | None = None
        self.rows = 0
        self._shift: Tensor | None = None

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch."""
        precise = torch.float64 if has_double(outputs) else torch.float32
        truth = targets.reshape(len(targets), -1).to(precise)
        error = outputs.reshape(len(outputs), -1).to(precise) - truth
        if self._shift is None:
            self._shift = truth.mean(0)
        centred, size = truth - self._shift, error.abs()
        tiny = torch.finfo(torch.float64 if precise == torch.float64 else torch.float32).eps
        guess = truth + error
        logs = (guess.clamp_min(0).log1p() - truth.clamp_min(0).log1p()).square()
        added = {
            "abs": size.sum(0), "square": error.square().sum(0), "error": error.sum(0),
            "truth": centred.sum(0), "truth2": centred.square().sum(0),
            "share": (size / truth.abs().clamp_min(tiny)).sum(0),
            "both": (2 * size / (truth.abs() + guess.abs()).clamp_min(tiny)).sum(0),
            "logs": logs.sum(0),
        }  # fmt: skip
        self.sums = {key: self.sums[key] + v if self.sums else v for key, v in added.items()}
        peak = size.max() if size.numel() else None
        if peak is not None:
            self.peak = peak if self.peak is None else torch.maximum(self.peak, peak)
        self.rows += len(truth)


class Errors:
    """MAE, RMSE, R2 …; several outputs count alike."""

    def __init__(self, name: str, given: Given) -> None:
        self.name, self.given = name, given
        median = name == "median_absolute_error"
        self.part: Part = given.part("sizes", Sizes) if median else given.part("sums", ErrorSums)

    def values(self, name: str) -> dict[str, float]:
        """The value over the whole set; R2 of less than two rows is NaN."""
        if isinstance(self.part, Sizes):
            return {name: self.part.median()}
        part: Any = self.part
        if not part.rows:
            return {name: NAN}
        if self.name == "max_error":
            return {name: float(part.peak)}
        sums = {key: value.cpu().double() / part.rows for key, value in part.sums.items()}
        return {name: self._value(sums, part.rows)}

    def _value(self, mean: dict[str, Tensor], rows: int) -> float:
        simple = {"mae": "abs", "mse": "square", "mape": "share", "smape": "both", "msle": "logs"}
        if self.name in simple:
            return float(mean[simple[self.name]].mean())
        if self.name == "rmse":
            return float(mean["square"].sqrt().mean())
        if rows < 2:
            return NAN
        spread = (mean["truth2"] - mean["truth"].square()).clamp_min(0)
        left = mean["square"]
        if self.name == "explained_variance":
            left = left - mean["error"].square()
        each = torch.where(spread > 0, 1 - left / spread, torch.where(left > 0, 0.0, 1.0))
        return float(each.mean())


class Sizes:
    """The size of every error, kept until the end."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self._sizes: list[Tensor] = []

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Keep a batch."""
        error = outputs.reshape(len(outputs), -1) - targets.reshape(len(targets), -1)
        self._sizes.append(error.abs().float())

    def median(self) -> float:
        """The median of every output, averaged; of an even number the middle of two."""
        if not self._sizes:
            return NAN
        ordered = torch.cat(self._sizes).sort(0).values
        rows = len(ordered)
        return float(((ordered[(rows - 1) // 2] + ordered[rows // 2]) / 2).mean())
