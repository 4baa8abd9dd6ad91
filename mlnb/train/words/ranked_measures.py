"""AUC and average precision, which need the order of all scores and so keep every row's."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlnb.train.words.measures import NAN, Given, Part, has_double, kept_ignored

RANKED = ("auc", "average_precision")


class Scores:
    """Every row's probabilities and label, kept on the device until the end."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.reset()

    def reset(self) -> None:
        """Start anew."""
        self._scores: list[Tensor] = []
        self._labels: list[Tensor] = []

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Keep a batch."""
        self._scores.append(self.given.scores(outputs))
        self._labels.append(self.given.labels(outputs, targets))

    def all(self) -> tuple[Tensor, Tensor] | None:
        """Scores and labels of the rows that count; None where there is none."""
        if not self._scores:
            return None
        scores, labels = torch.cat(self._scores), torch.cat(self._labels)
        if labels.ndim == 1:
            counted = kept_ignored(labels)
            scores, labels = scores[counted], labels[counted]
        return (scores, labels) if len(labels) else None


class Ranked:
    """AUC and average precision: one class against the rest, averaged over classes present."""

    def __init__(self, name: str, average: str | None, given: Given) -> None:
        self.name, self.average, self.given = name, average or "macro", given
        self.part: Part = given.part("scores", Scores)

    def values(self, name: str) -> dict[str, float]:
        """The value over the whole set; NaN where only one class is there."""
        found = self.part.all()  # type: ignore[attr-defined]
        if found is None:
            return {name: NAN}
        scores, labels = found
        if self.given.kind == "binary":
            return {name: self._one(scores, labels == 1)}
        if self.given.kind == "classification":
            columns = torch.arange(self.given.classes, device=labels.device)
            if self.given.classes == 2:
                return {name: self._one(scores[:, 1], labels == 1)}
            labels = labels[:, None] == columns
        labels = labels.bool()
        if self.average == "micro":
            return {name: self._one(scores.reshape(-1), labels.reshape(-1))}
        each = [self._one(scores[:, at], labels[:, at]) for at in range(labels.shape[1])]
        weights = [float(w) if self.average == "weighted" else 1.0 for w in labels.sum(0)]
        pairs = [(v, w) for v, w in zip(each, weights, strict=True) if not math.isnan(v)]
        total = sum(w for _, w in pairs)
        return {name: sum(v * w for v, w in pairs) / total if total else NAN}

    def _one(self, scores: Tensor, positive: Tensor) -> float:
        if bool(scores.isnan().any()) or not bool(positive.any()):
            return NAN
        return (_auc if self.name == "auc" else _average_precision)(scores, positive)


def _auc(scores: Tensor, positive: Tensor) -> float:
    """Mann and Whitney's U over all pairs; a tie counts one half."""
    above = scores[positive].sort().values
    below = scores[~positive].sort().values
    if not len(below):
        return NAN
    wins = torch.searchsorted(below, above).double() if has_double(scores) else (
        torch.searchsorted(below, above).float()
    )  # fmt: skip
    ties = torch.searchsorted(below, above, right=True) - wins
    return float((wins + ties / 2).sum() / len(above) / len(below))


def _average_precision(scores: Tensor, positive: Tensor) -> float:
    """The sum of precision times the step in recall, at every distinct score."""
    order = scores.argsort(descending=True)
    ranked, hits = scores[order], positive[order].cumsum(0)
    last = torch.ones_like(ranked, dtype=torch.bool)
    last[:-1] = ranked[1:] != ranked[:-1]
    at = last.nonzero()[:, 0]
    found = hits[at].cpu().double()
    precision = found / (at.cpu() + 1)
    steps = torch.diff(found, prepend=torch.zeros(1, dtype=torch.float64))
    return float((precision * steps).sum() / found[-1])
