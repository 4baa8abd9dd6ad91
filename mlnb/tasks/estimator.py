"""`Classifier`: what a classifier of pictures and one of texts share.

scikit-learn's conventions: words are kept as they were given and looked at by `fit`, what is learnt
ends in an underscore, a clone shares nothing that a fit would change.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.label_map import LabelMap, labels_text
from mlnb.errors import DataError, need

if TYPE_CHECKING:
    from mlnb.train.evaluation import Evaluation
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

_base: Any = need("sklearn.base", "train")


class Classifier(_base.ClassifierMixin, _base.BaseEstimator):
    """A classifier by scikit-learn's conventions; a subclass gives `fit` and `predict_proba`.

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        run_: the training phase, with its history and its curve.
    """

    classes_: Array
    run_: Run

    @abstractmethod
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, `float32 [n, classes]`."""

    @abstractmethod
    def evaluate(self, test: Any, y: Any = None, *, target: str | None = None) -> Evaluation:
        """How good it is on data that it has not seen."""

    def predict(self, X: Any) -> Array:
        """The likeliest label of each row; `None` for what could not be read."""
        probabilities = self.predict_proba(X)
        unread = np.isnan(probabilities).any(axis=1)
        labels: Array = self.classes_[np.nan_to_num(probabilities).argmax(axis=1)]
        if not unread.any():
            return labels
        labels = labels.astype(object)
        labels[unread] = None
        return labels

    def score(self, X: Any, y: Any = None) -> float:
        """The share that is right; `evaluate` tells more."""
        return float(self.evaluate(X, y).accuracy)

    def __sklearn_clone__(self) -> Any:
        """The same words, unfitted; a backbone is shared, callbacks remember and are copied."""
        words = self.get_params(deep=False)
        return type(self)(
            **{k: copy.deepcopy(v) if k == "callbacks" else v for k, v in words.items()}
        )

    def _require_fitted(self) -> None:
        words = "This %(name)s has learnt nothing yet: fit(…) it, or %(name)s.load(folder)."
        validation = need("sklearn.utils.validation", "train")
        validation.check_is_fitted(self, "classes_", msg=words)


def require_two(labels: LabelMap, noun: str) -> LabelMap:
    """The labels, of which a classifier needs two.

    Args:
        labels: of the rows that are learnt from.
        noun: for one of them.

    Raises:
        DataError: there are fewer.
    """
    if not labels.classes:
        raise DataError(f"There are no {noun}s with labels to learn from.")
    if len(labels.classes) == 1:
        raise DataError(
            f"All {labels.counts[0]:,} {noun}s have the label {labels_text(labels.classes)}; a "
            "classifier needs at least two classes."
        )
    return labels


def train_and_validation(codes: Array, share: float, seed: int | None) -> tuple[Array, Array]:
    """Row numbers to train on and to validate on, each class by its share where it has two rows.

    Raises:
        DataError: a share that leaves nothing to train on.
    """
    rows = np.arange(len(codes))
    if not share:
        return rows, rows[:0]
    if not 0 < share < 1:
        raise DataError(f"validation is a share of the rows between 0 and 1; received {share!r}")
    wanted = round(len(codes) * share)
    if wanted == 0:
        return rows, rows[:0]
    splitting = need("sklearn.model_selection", "train")
    counts = np.bincount(codes)
    classes = np.count_nonzero(counts)
    even = counts[counts > 0].min() >= 2 and classes <= wanted <= len(codes) - classes
    train, validation = splitting.train_test_split(
        rows, test_size=wanted, random_state=seed, stratify=codes if even else None
    )
    return np.sort(train), np.sort(validation)
