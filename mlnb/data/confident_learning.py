"""Confident learning: which labels a model that has not seen the rows cannot believe.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70
(2021): a row is suspected where the probability of a class that it is not labelled as reaches what
rows that are labelled so have on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need
from mlnb.progress import progress

if TYPE_CHECKING:
    from pandas import Series

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
"""Of the regularisation (scikit-learn's C): wrong labels want more of it than any default has."""
COMPONENTS = 128


@dataclass(frozen=True)
class Judged:
    """Rows as a model sees them that was trained on others.

    Args:
        classes: the labels that were judged.
        codes: the label of each row by its place in `classes`; -1 where it is not judged.
        probabilities: `[rows, classes]`, out of sample; NaN where it is not judged.
        suspects: rows whose label is doubted.
    """

    classes: tuple[Any, ...]
    codes: Array
    probabilities: Array
    suspects: tuple[int, ...] = ()

    @property
    def is_judged(self) -> Array:
        """Whether each row was judged."""
        return self.codes >= 0

    @property
    def is_wrong(self) -> Array:
        """Whether the likeliest class is not the label; `False` where it was not judged."""
        answers = np.nan_to_num(self.probabilities, nan=-1).argmax(axis=1) if self.classes else -1
        return self.is_judged & (answers != self.codes)

    @property
    def own(self) -> Array:
        """The probability of each row's own label; 1 where it was not judged."""
        if not self.classes:
            return np.ones(len(self.codes))
        taken = self.probabilities[np.arange(len(self.codes)), np.maximum(self.codes, 0)]
        return np.where(self.is_judged, taken, 1.0)

    def label(self, row: int) -> Any:
        """What the row is labelled as."""
        return self.classes[self.codes[row]]

    def rival(self, row: int) -> tuple[Any, float]:
        """The likeliest class beside the row's label, and its probability."""
        others = self.probabilities[row].copy()
        others[self.codes[row]] = -1
        code = int(others.argmax())
        return self.classes[code], float(others[code])


def judge(features: Array, labels: Series, folds: int, seed: int) -> Judged:
    """Probabilities by a model that has not seen the row, and the labels that they speak against.

    Args:
        features: `[rows, width]`, finite.
        labels: one each; a row without is not judged, nor is a class of one row.
        folds: parts of the cross-validation; fewer where a class has fewer rows.
        seed: of the parts.
    """
    counts = labels.value_counts()
    classes = tuple(sorted(counts.index[counts >= 2], key=lambda label: (str(label), repr(label))))
    place = {label: code for code, label in enumerate(classes)}
    codes = np.array([place.get(label, -1) for label in labels], np.int64)
    probabilities = np.full((len(codes), len(classes)), np.nan)
    if len(classes) < 2:
        return Judged((), np.full(len(codes), -1), probabilities[:, :0])
    rows = np.flatnonzero(codes >= 0)
    parts = min(folds, int(np.bincount(codes[rows]).min()))
    probabilities[rows] = out_of_sample(features[rows], codes[rows], parts, seed)
    suspects = rows[_doubted(probabilities[rows], codes[rows])]
    return Judged(classes, codes, probabilities, tuple(suspects.tolist()))


def out_of_sample(features: Array, codes: Array, folds: int, seed: int) -> Array:
    """`[rows, classes]` by logistic regression on the other folds, as strongly regularised as best.

    Args:
        features: `[rows, width]`; their first principal components are looked at.
        codes: classes from 0.
        folds: at least 2, and no class has fewer rows.
        seed: of the folds.
    """
    linear = need("sklearn.linear_model", "train")
    log_loss = need("sklearn.metrics", "train").log_loss
    selection = need("sklearn.model_selection", "train")
    rows = _components(features)
    parts = selection.StratifiedKFold(folds, shuffle=True, random_state=seed)
    splits = list(parts.split(rows, codes))
    tried = {c: np.empty((len(codes), codes.max() + 1)) for c in STRENGTHS}
    one_thread = need("threadpoolctl", "train").threadpool_limits(1)  # more wait for each other
    with one_thread, progress("looking for wrong labels", len(STRENGTHS) * len(splits)) as done:
        for at, (c, probabilities) in enumerate(tried.items()):
            for fold, (train, test) in enumerate(splits):
                model = linear.LogisticRegression(C=c, max_iter=500).fit(rows[train], codes[train])
                probabilities[test] = model.predict_proba(rows[test])
                done(at * len(splits) + fold + 1)
    best: Array = min(tried.values(), key=lambda one: log_loss(codes, one))
    return best


def _components(features: Array) -> Array:
    """Fewer columns than a network gives: in them a wrong label cannot be learnt by heart."""
    scaled = need("sklearn.preprocessing", "train").StandardScaler().fit_transform(features)
    most = min(COMPONENTS, *scaled.shape)
    if most == scaled.shape[1]:
        return np.asarray(scaled, np.float64)
    analysis = need("sklearn.decomposition", "train").PCA(most, random_state=0)
    return np.asarray(analysis.fit_transform(scaled), np.float64)


def _doubted(probabilities: Array, codes: Array) -> Array:
    """Rows that the confident joint counts under another class (equation 1 of the paper), and rows
    whose likeliest class is another: of these the paper's own comparison finds more, less surely.
    """
    own = probabilities[np.arange(len(codes)), codes]
    threshold = np.bincount(codes, own) / np.bincount(codes)
    confident = np.where(probabilities >= threshold, probabilities, -1.0)
    counted = (confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != codes)
    return np.flatnonzero(counted | (probabilities.argmax(axis=1) != codes))
