"""Measures of classes: what one confusion matrix tells, the top k, and the log loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlnb.errors import TrainError
from mlnb.train.words.measures import NAN, Given, Part, Summed, kept_ignored

CONFUSION = (
    "accuracy", "balanced_accuracy", "precision", "recall", "f1", "jaccard", "specificity", "mcc",
    "kappa",
)  # fmt: skip


class Matrix:
    """Counts by true and predicted class; by label, truth and prediction for several labels."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.counts: Tensor | None = None

    def reset(self) -> None:
        """Start anew."""
        self.counts = None

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Count a batch by one bincount."""
        given = self.given
        guess, truth = given.predicted(outputs), given.labels(outputs, targets)
        if given.kind == "multilabel":
            labels = given.classes
            place = torch.arange(labels, device=guess.device) * 4 + truth * 2 + guess
            shape: tuple[int, ...] = (labels, 2, 2)
        else:
            size = 2 if given.kind == "binary" else given.classes
            counted = kept_ignored(truth)
            # A row that does not count goes into one cell more, so that no size is read on the host
            place = torch.where(counted, truth * size + guess, size * size)
            shape = (size, size)
        cells = math.prod(shape)
        found = torch.bincount(place.reshape(-1), minlength=cells + 1)[:cells].reshape(shape)
        self.counts = found if self.counts is None else self.counts + found


class Confusion:
    """accuracy, precision, recall, F1 …, from the confusion matrix."""

    def __init__(self, name: str, average: str | None, given: Given) -> None:
        if name in ("mcc", "kappa", "balanced_accuracy") and given.kind == "multilabel":
            raise TrainError(f"metric '{name}' is not for several labels a row; f1_macro is")
        self.name, self.average, self.given = name, average, given
        self.part: Part = given.part("matrix", Matrix)

    def values(self, name: str) -> dict[str, float]:
        """The value over the whole set."""
        counts = self.part.counts  # type: ignore[attr-defined]
        if counts is None or not int(counts.sum()):
            return {name: NAN}
        return {name: self._value(counts.cpu().double())}

    def _value(self, counts: Tensor) -> float:
        if self.given.kind == "multilabel":
            tp, fp, fn = counts[:, 1, 1], counts[:, 0, 1], counts[:, 1, 0]
            if self.name == "accuracy":
                return float((counts[:, 0, 0] + tp).sum() / counts.sum())
        else:
            tp = counts.diagonal()
            fp, fn = counts.sum(0) - tp, counts.sum(1) - tp
            whole = {"accuracy": _accuracy, "mcc": _mcc, "kappa": _kappa}.get(self.name)
            if whole is not None:
                return whole(counts)
        rest = counts.sum() / (len(tp) if self.given.kind == "multilabel" else 1) - tp - fp - fn
        if self.name == "balanced_accuracy":
            present = tp + fn > 0
            return float((tp / (tp + fn))[present].mean())
        return self._averaged(tp, fp, fn, rest)

    def _averaged(self, tp: Tensor, fp: Tensor, fn: Tensor, rest: Tensor) -> float:
        way = self.average or ("positive" if self.given.kind == "binary" else "macro")
        if way == "positive":
            tp, fp, fn, rest = tp[1:], fp[1:], fn[1:], rest[1:]
        if way == "micro":
            tp, fp, fn, rest = (part.sum()[None] for part in (tp, fp, fn, rest))
        above, below = {
            "precision": (tp, tp + fp),
            "recall": (tp, tp + fn),
            "f1": (2 * tp, 2 * tp + fp + fn),
            "jaccard": (tp, tp + fp + fn),
            "specificity": (rest, rest + fp),
        }[self.name]
        each = torch.where(below > 0, above / below.clamp_min(1), 0.0)
        if way == "weighted":
            return float((each * (tp + fn)).sum() / (tp + fn).sum())
        if way == "macro" and self.given.kind != "multilabel":
            each = each[tp + fp + fn > 0]
        return float(each.mean())


def _accuracy(counts: Tensor) -> float:
    return float(counts.diagonal().sum() / counts.sum())


def _mcc(counts: Tensor) -> float:
    truth, guess, total = counts.sum(1), counts.sum(0), counts.sum()
    above = counts.diagonal().sum() * total - truth @ guess
    below = (total**2 - guess @ guess) * (total**2 - truth @ truth)
    return float(above / below.sqrt()) if below > 0 else 0.0


def _kappa(counts: Tensor) -> float:
    expected = float(counts.sum(1) @ counts.sum(0)) / float(counts.sum()) ** 2
    return (_accuracy(counts) - expected) / (1 - expected) if expected < 1 else NAN


class TopK(Summed):
    """How often the right class is among the `k` highest; of equal scores the later class wins."""

    def __init__(self, k: int, given: Given) -> None:
        super().__init__(given)
        if k < 1:
            raise TrainError("top_k needs a k of at least 1, as in top5")
        self.k = k
        self.part: Part = self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Count a batch by comparison, without sorting."""
        rows, labels = self.given.rows(outputs), self.given.labels(outputs, targets)
        counted = kept_ignored(labels)
        safe = labels.clamp_min(0)[:, None]
        own = rows.gather(1, safe)
        places = torch.arange(rows.shape[1], device=rows.device)
        ahead = (rows > own) | ((rows == own) & (places > safe))
        right = (ahead.sum(1) < self.k) & ~own[:, 0].isnan() & counted
        self.add(right.sum(), counted.sum())

    def values(self, name: str) -> dict[str, float]:
        """The share over the whole set."""
        return {name: self.mean}


class LogLoss(Summed):
    """The mean of minus the logarithm of the probability of what is true."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.part: Part = self

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch, from logits where there are any, because that is exact."""
        given, labels = self.given, self.given.labels(outputs, targets)
        smallest = torch.finfo(torch.float32).eps
        if given.kind == "classification":
            rows = given.rows(outputs).float()
            known = given.activation == "softmax"
            logs = rows.log_softmax(1) if known else rows.clamp(smallest, 1 - smallest).log()
            counted = kept_ignored(labels)
            own = logs.gather(1, labels.clamp_min(0)[:, None])[:, 0]
            self.add(-(own * counted).sum(), counted.sum())
            return
        flat = outputs.float().reshape(labels.shape)
        plain = torch.nn.functional.binary_cross_entropy
        if given.activation == "sigmoid":
            plain = torch.nn.functional.binary_cross_entropy_with_logits
        else:
            flat = flat.clamp(smallest, 1 - smallest)
        self.add(plain(flat, labels.float(), reduction="sum"), len(labels))

    def values(self, name: str) -> dict[str, float]:
        """The mean over the whole set."""
        return {name: self.mean}
