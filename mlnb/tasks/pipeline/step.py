"""What every step of a picture pipeline is: a transformer of scikit-learn's that learns nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from mlnb.data.rows import columns_text
from mlnb.errors import DataError, need

need("sklearn.base", "train")

from sklearn.base import BaseEstimator, TransformerMixin  # noqa: E402

if TYPE_CHECKING:
    from pandas import DataFrame


class Step(TransformerMixin, BaseEstimator):
    """A step without anything to fit: `transform` works at once, alone and in a pipeline."""

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Nothing to learn."""
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """As of every transformer; a frame of pandas comes out of a step whatever is asked.

        Raises:
            ValueError: another kind of frame is asked for.
        """
        if transform not in (None, "default", "pandas"):
            raise DataError(f"transform is {transform!r}; steps give frames of pandas")
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        return tags


def need_column(frame: DataFrame, column: str, before: str) -> None:
    """Refuse a frame without the column that a step works on.

    Args:
        frame: what the step was given.
        column: what it must have.
        before: the step that makes this column.

    Raises:
        DataError: it is not there.
    """
    if column not in frame:
        raise DataError(
            f"no column {column!r}; the frame has: {columns_text(frame)}. {before} makes it"
        )
