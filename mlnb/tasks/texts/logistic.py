"""Logistic regression by scikit-learn, and how strongly to hold it back: `choose`.

Features are centred and brought to length 1 on average, so that one list of strengths suits every
encoder. The strength is that of the least log-loss on rows that were held out, and what was said of
those is kept: it shows the wrong labels among the training rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlnb.errors import need
from mlnb.progress import progress

Array = np.ndarray[Any, np.dtype[Any]]
Line = tuple[Array, Array]
"""Weights `[classes, features]` and biases `[classes]`."""

STRENGTHS = (0.5, 2.0, 8.0, 32.0)
"""C of scikit-learn: the larger, the freer the weights."""
FOLDS = 5
ENOUGH = 20_000
"""From so many rows times classes on, one fold tells as much as five."""
_STEPS = 1000
_UNTOLD = 4.0


@dataclass(frozen=True)
class Chosen:
    """A strength, and what was said of the rows that it was chosen on.

    Args:
        strength: C.
        rows: which were held out, of the training rows or, where those were given, of the
            validation rows; none where there were too few to hold any out.
        logits: what was said of them, `float64 [rows, classes]`.
    """

    strength: float
    rows: Array
    logits: Array


class Logistic:
    """One fit after another on the same rows, each begun where the last one ended.

    Args:
        x: `float64 [n, features]`, or a sparse table.
        targets: classes, `int64 [n]`; of many labels `[n, classes]` of 0 and 1.
        classes: how many there are.
    """

    def __init__(self, x: Any, targets: Array, classes: int) -> None:
        self.x, self.targets, self.classes = x, targets, classes
        make = need("sklearn.linear_model", "train").LogisticRegression
        columns = 1 if targets.ndim == 1 else classes
        self._models = [make(max_iter=_STEPS, warm_start=True) for _ in range(columns)]

    def fit(self, strength: float) -> Line:
        """The weights at a strength; softmax of one label, sigmoid of many."""
        if self.targets.ndim == 1:
            return self._softmax(strength)
        lines = [self._sigmoid(column, strength) for column in range(self.classes)]
        return np.stack([w for w, _ in lines]), np.array([b for _, b in lines])

    def _softmax(self, strength: float) -> Line:
        weights = np.zeros((self.classes, self.x.shape[1]))
        bias = np.full(self.classes, -np.log(2.0 * len(self.targets)))
        there = np.unique(self.targets)
        if len(there) < 2:
            bias[there] = 0.0
            return weights, bias
        model = self._models[0].set_params(C=strength).fit(self.x, self.targets)
        if len(there) > 2:
            weights[there], bias[there] = model.coef_, model.intercept_
            return weights, bias
        for place, half in zip(there, (-0.5, 0.5), strict=True):
            weights[place], bias[place] = half * model.coef_[0], half * model.intercept_[0]
        return weights, bias

    def _sigmoid(self, column: int, strength: float) -> tuple[Array, float]:
        yes = self.targets[:, column]
        if 0 < yes.sum() < len(yes):
            model = self._models[column].set_params(C=strength).fit(self.x, yes)
            return model.coef_[0].copy(), float(model.intercept_[0])
        share = (yes.sum() + 0.5) / (len(yes) + 1)
        return np.zeros(self.x.shape[1]), float(np.log(share / (1 - share)))


def choose(
    x: Array,
    targets: Array,
    classes: int,
    validation: tuple[Array, Array] | None = None,
    seed: int | None = 0,
) -> Chosen:
    """The strength with the least log-loss on rows that it was not fitted on.

    Args:
        x: `float64 [n, features]`.
        targets: as `Logistic` takes them.
        classes: how many there are.
        validation: features and targets to choose on; by default the training rows are held out
            in turn, a fifth at a time.
        seed: of the fifths.
    """
    parts = list(_parts(x, targets, classes, validation, seed))
    if not parts:
        return Chosen(_UNTOLD, np.empty(0, np.int64), np.empty((0, classes)))
    rows = np.concatenate([held for _, _, _, held in parts])
    truth = np.concatenate([true for _, _, true, _ in parts])
    best, least = Chosen(STRENGTHS[0], rows, np.empty(0)), np.inf
    with progress("head", len(STRENGTHS)) as done:
        for at, strength in enumerate(STRENGTHS, 1):
            logits = np.concatenate([_said(model, x, strength) for model, x, _, _ in parts])
            loss = _loss(logits, truth)
            if loss >= least:  # freer weights, which take the longest, would only do worse
                break
            best, least = Chosen(strength, rows, logits), loss
            done(at)
    return best


def _said(model: Logistic, held: Array, strength: float) -> Array:
    weights, bias = model.fit(strength)
    logits: Array = held @ weights.T + bias
    return logits


def _parts(
    x: Array,
    targets: Array,
    classes: int,
    validation: tuple[Array, Array] | None,
    seed: int | None,
) -> Iterator[tuple[Logistic, Array, Array, Array]]:
    """What to fit; and what to judge it on: features, targets and row numbers."""
    if validation is not None and len(validation[1]):
        yield Logistic(x, targets, classes), *validation, np.arange(len(validation[1]))
        return
    fold = _folds(targets, seed)
    many = len(targets) * (classes if targets.ndim == 2 else 1) > ENOUGH
    for number in range(1 if many else FOLDS):
        held = np.flatnonzero(fold == number)
        rest = targets[fold != number]
        if len(held) and len(np.unique(rest, axis=0)) > 1:
            yield Logistic(x[fold != number], rest, classes), x[held], targets[held], held


def _folds(targets: Array, seed: int | None) -> Array:
    """The fold of each row: every class, or set of labels, is dealt out in turn."""
    kind = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.random.default_rng(seed).permutation(len(kind))
    fold = np.empty(len(kind), np.int64)
    fold[order[np.argsort(kind[order], kind="stable")]] = np.arange(len(kind)) % FOLDS
    return fold


def _loss(logits: Array, targets: Array) -> float:
    """The mean log-loss."""
    if targets.ndim == 2:
        return float((np.logaddexp(0, logits) - targets * logits).mean())
    whole = np.logaddexp.reduce(logits, axis=1)
    return float((whole - logits[np.arange(len(targets)), targets]).mean())
