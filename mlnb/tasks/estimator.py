"""`Classifier`: what a classifier of pictures and one of texts share.

scikit-learn's conventions: words are kept as they were given and looked at by `fit`, what is learnt
ends in an underscore, a clone shares nothing that a fit would change.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, need
from mlnb.formatting import display_text, plural

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


def classes_of(labels: Iterable[Any], what: str = "pictures") -> Array:
    """The different labels, sorted.

    >>> classes_of(["dog", "cat", "dog"])
    array(['cat', 'dog'], dtype='<U3')

    Raises:
        DataError: there are fewer than two, or labels that have no order.
    """
    given = list(labels)
    if not given:
        raise DataError(f"There are no {what} to learn from.")
    try:
        classes = np.unique(np.asarray(given))
        if not np.issubdtype(classes.dtype, np.str_):
            classes = np.array(sorted(set(given)))
    except TypeError as error:
        kinds = ", ".join(sorted({type(label).__name__ for label in given}))
        raise DataError(f"Labels are all of one kind; received {kinds}.") from error
    if len(classes) == 1:
        raise DataError(
            f"All {len(given):,} {what} have the label {shown(classes[:1])}; a classifier needs at "
            "least two classes."
        )
    return classes


def codes_of(labels: Sequence[Any], classes: Array, where: str) -> Array:
    """The place of each label in `classes`, `int64 [n]`.

    Args:
        labels: of the rows.
        classes: what was learnt.
        where: such as "validation", for the message.

    Raises:
        DataError: labels that training has not; they are named, with how often they come.
    """
    place = {label: code for code, label in enumerate(classes.tolist())}
    codes = [place.get(_plain(label), -1) for label in labels]
    strange = [label for label, code in zip(labels, codes, strict=True) if code < 0]
    if strange:
        different = list(dict.fromkeys(map(_plain, strange)))
        raise DataError(
            f"The {where} has {plural(len(strange), 'row')} with labels that training has not: "
            f"{shown(different)}; it knows {shown(classes)}."
        )
    return np.array(codes, np.int64)


def shown(labels: Iterable[Any], most: int = 6) -> str:
    """A few labels in a sentence."""
    all_of = list(labels)
    text = ", ".join(repr(display_text(str(label), 40)) for label in all_of[:most])
    return f"{text} and {len(all_of) - most} more" if len(all_of) > most else text


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


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
