"""From scores to names: `Softmax` and `TopK`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError
from mlnb.formatting import display_text
from mlnb.tasks.pipeline.class_names import class_names
from mlnb.tasks.pipeline.step import Step, need_column

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlnb.tasks.pipeline.pictures import Array


_BLOCK = 1024


class Softmax(Step):
    """Turns the scores of a row into probabilities that sum to 1: `exp(x) / sum(exp(x))`.

    >>> make_pipeline(LoadImages(), ResizeImages(224), ExtractPixels(), Score(model), Softmax())

    For models that end before their softmax; one that gives probabilities needs none.

    Args:
        column: which one, where `Score` made several.
    """

    def __init__(self, column: str = "scores") -> None:
        self.column = column

    def transform(self, X: Any) -> DataFrame:
        """The frame with probabilities in place of the scores.

        Args:
            X: a frame of `Score`, or scores as `[n, classes]`.
        """
        import pandas as pd

        frame = _scored(X, self.column)
        cells: list[Any] = [None] * len(frame)
        for rows, scores in _blocks(frame, self.column):
            for row, one in zip(rows, softmax(scores).astype(np.float32), strict=True):
                cells[row] = one
        return frame.assign(**{self.column: pd.Series(cells, index=frame.index, dtype=object)})


class TopK(Step):
    """The likeliest classes by name: `predicted` and `probability`, `predicted_2` and so on.

    >>> steps = LoadImages(), ResizeImages(224), ExtractPixels(), Score(model), TopK(5, labels)
    >>> make_pipeline(*steps).transform("photographs")[["predicted", "probability"]]

    Args:
        k: how many.
        labels: names in the order of the model's output, or a text file of them; a background that
            only one side counts is put right. Without, classes are told by number.
        column: which one, where `Score` made several.

    Raises:
        DataError: more or fewer labels than classes, or scores that are no probabilities.
    """

    def __init__(
        self,
        k: int = 5,
        labels: str | os.PathLike[str] | Sequence[str] | None = None,
        column: str = "scores",
    ) -> None:
        self.k = k
        self.labels = labels
        self.column = column

    def transform(self, X: Any) -> DataFrame:
        """The frame with the likeliest classes in place of the scores."""
        if self.k < 1:
            raise DataError(f"k is {self.k}; expected at least 1")
        frame = _scored(X, self.column)
        classes = next((len(one) for one in frame[self.column] if one is not None), self.k)
        k = min(self.k, classes)
        names = np.array(class_names(self.labels, classes) if len(frame) else (), object)
        predicted = np.full((k, len(frame)), None, object)
        probability = np.full((k, len(frame)), np.nan)
        for rows, scores in _blocks(frame, self.column):
            _require_probabilities(scores)
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            predicted[:, rows] = names[best].T
            probability[:, rows] = np.take_along_axis(scores, best, 1).T
        made: dict[str, Any] = {}
        for place in range(k):
            end = f"_{place + 1}" if place else ""
            made[f"predicted{end}"] = predicted[place]
            made[f"probability{end}"] = probability[place]
        return frame.drop(columns=self.column).assign(**made)


def softmax(scores: Array) -> Array:
    """`exp(x) / sum(exp(x))` of each row, in float64."""
    values = scores.astype(np.float64)
    if not values.size:
        return values
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    found: Array = raised / raised.sum(axis=1, keepdims=True)
    return found


def _require_probabilities(scores: Array) -> None:
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    if low < -1e-3 or high > 1.001:
        raise DataError(
            f"expected probabilities, 0 to 1; received scores from {low:.4g} to {high:.4g}. "
            f"Put Softmax() before TopK"
        )


def _scored(X: Any, column: str) -> DataFrame:
    """A frame with a vector or `None` a row, all of one length."""
    import pandas as pd

    if not isinstance(X, pd.DataFrame):
        array = np.asarray(X)
        if array.ndim != 2:
            raise DataError(f"expected a frame of Score, or [n, classes]; received {array.shape}")
        return pd.DataFrame({column: pd.Series(list(array), dtype=object)})
    need_column(X, column, "Score")
    shapes = {getattr(one, "shape", ()) for one in X[column] if one is not None}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise DataError(
            f"expected a vector a row in {display_text(column)!r}; received "
            f"{' and '.join(str(list(shape)) for shape in sorted(shapes)[:3])}"
        )
    return X


def _blocks(frame: DataFrame, column: str) -> Iterator[tuple[list[int], Array]]:
    """The rows that have scores, and these as `[n, classes]`, some at a time to spare memory."""
    cells = frame[column].tolist()
    rows = [row for row, one in enumerate(cells) if one is not None]
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        yield part, np.stack([cells[row] for row in part])
