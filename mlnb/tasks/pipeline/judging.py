"""How well scores fit labels: by the model's own classes, or by a linear head on its features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError
from mlnb.formatting import display_text
from mlnb.tasks.pipeline.answers import softmax
from mlnb.tasks.pipeline.class_names import class_names

if TYPE_CHECKING:
    from pandas import Series

    from mlnb.tasks.pipeline.pictures import Array

_WORST = 700.0
"""The log-loss of an answer whose probability is 0 in float64."""


@dataclass(frozen=True)
class Judge:
    """Gives accuracy and log-loss of scores against labels.

    Args:
        name: `"classes"` or `"linear"`.
        judge: from `[n, …]` and `n` labels.
    """

    name: str
    judge: Callable[[Array, Series[Any]], tuple[float, float]]


def by_classes(truth: Series[Any], names: Any, scores: Array) -> Judge:
    """Judges by the outputs that bear the labels' names.

    Args:
        truth: the labels; names, of which one of several between commas is enough, or numbers.
        names: the names of the outputs, as `class_names` takes them; `None` for numbers.
        scores: some, for their number.

    Raises:
        DataError: a label is none of the classes.
    """
    if scores.ndim != 2:
        raise DataError(f"the model answers with {list(scores.shape[1:])} and not with classes")
    count = scores.shape[1]
    known = _columns(class_names(names, count))
    columns = {
        label: _outputs(label, known, count, named=names is not None) for label in set(truth)
    }

    def judge(scores: Array, truth: Series[Any]) -> tuple[float, float]:
        mask = np.zeros(scores.shape, bool)
        for row, label in enumerate(truth):
            mask[row, columns[label]] = True
        chosen = np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1)
        right = mask[np.arange(len(mask)), chosen] & ~np.isnan(scores).any(axis=1)
        return float(right.mean()), float(_losses(_probabilities(scores), mask).mean())

    return Judge("classes", judge)


def by_linear_head(truth: Series[Any]) -> Judge:
    """Judges by what a linear head on the features gets right of pictures that it has not seen.

    Args:
        truth: the labels; at least two of each are needed, and two different ones.

    Raises:
        DataError: there are fewer.
    """
    counts = truth.value_counts()
    if len(counts) < 2 or counts.min() < 2:
        raise DataError(
            f"a linear head needs two pictures of each of two labels; received "
            f"{len(counts)} of which {display_text(str(counts.index[-1]))!r} has {counts.min()}"
        )
    return Judge("linear", _by_head)


def linear_head() -> Any:
    """A classifier that a few pictures can train: a line on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))


def _by_head(features: Array, truth: Series[Any]) -> tuple[float, float]:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    values = features.astype(np.float64)
    if values.ndim == 4:  # maps: averaged over their two longest sides, whatever their layout
        values = values.mean(axis=(2, 3) if values.shape[1] >= values.shape[3] else (1, 2))
    values = values.reshape(len(values), -1)
    if not np.isfinite(values).all():
        return 0.0, _WORST
    labels, codes = np.unique(truth.astype(str).to_numpy(), return_inverse=True)
    folds = StratifiedKFold(min(3, int(np.bincount(codes).min())), shuffle=True, random_state=0)
    with threadpool_limits(1):  # on some hundred rows, waiting for each other is all threads do
        given = cross_val_predict(linear_head(), values, codes, cv=folds, method="predict_proba")
    mask = codes[:, None] == np.arange(len(labels))
    return float((given.argmax(axis=1) == codes).mean()), float(_losses(given, mask).mean())


def _columns(names: tuple[str, ...]) -> dict[str, list[int]]:
    """The outputs by every name that they go by: two of ImageNet's are called crane."""
    known: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        for one in {name, *name.split(",")}:
            known.setdefault(_plain(one), []).append(column)
    return known


def _outputs(label: object, known: dict[str, list[int]], count: int, *, named: bool) -> list[int]:
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        if not 0 <= label < count:
            raise DataError(f"label {label} is no output of {count:,}")
        return [int(label)]
    found = known.get(_plain(str(label)))
    if found is None:
        among = "the classes" if named else f"the {count:,} outputs, whose names are not known"
        raise DataError(
            f"label {display_text(str(label))!r} is none of {among}; pass their names, classes="
        )
    return found


def _plain(name: str) -> str:
    return name.strip().replace("_", " ").casefold()


def _probabilities(scores: Array) -> Array:
    """Scores as they stand where they are probabilities, else their softmax."""
    values = scores.astype(np.float64)
    sums = values.sum(axis=1)
    if (values >= -1e-6).all() and (np.abs(sums - 1) < 0.1).all():
        shares: Array = values.clip(0) / sums[:, None]
        return shares
    if np.isfinite(values).all():
        return softmax(values)
    return np.zeros_like(values)


def _losses(probabilities: Array, mask: Array) -> Array:
    """-log(p) of the true class, told by what the others have: p itself rounds to 1 too early."""
    right = np.where(mask, probabilities, 0).sum(axis=1)
    others = np.where(mask, 0, probabilities).sum(axis=1)
    with np.errstate(all="ignore"):
        losses = np.log1p(others / right)
    found: Array = np.where(np.isfinite(losses), losses, _WORST).clip(max=_WORST)
    return found
