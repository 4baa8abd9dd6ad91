"""Rows with their labels and with what a classifier said of them: which are right, in what order.

A row is worth looking at by how unlikely its label was thought, and by how close the two best
answers were. The measures over all rows stand in `evaluation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import unknown

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False)
class ScoredRows:
    """What was said of each row, and how wrong that is.

    Args:
        classes: in the order of the columns.
        truth: `int64 [rows]`, the column of each row's label; where a row may have many labels
            `bool [rows, classes]`.
        probabilities: float `[rows, classes]`.
        ids: `[rows]`, the rows' ids.
        frame: the rows themselves, in the same order, or `None`.
        content: the column of the frame that a person looks at, or `None`.
        noun: what a row is called.
        threshold: of many labels: from which probability on one is given.
        baselines: accuracies to compare with, by name.
        notes: lines for the reader.
    """

    classes: tuple[Any, ...]
    truth: NDArray[Any]
    probabilities: NDArray[np.floating[Any]]
    ids: NDArray[Any]
    frame: pd.DataFrame | None = None
    content: str | None = None
    noun: str = "row"
    threshold: float = 0.5
    baselines: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def multi_label(self) -> bool:
        """Whether a row may have many labels, or none."""
        return bool(self.truth.ndim == 2)

    @cached_property
    def answers(self) -> NDArray[Any]:
        """What was said, in the form of `truth`; of many labels all from `threshold` on."""
        if self.multi_label:
            return np.asarray(self.probabilities >= self.threshold)
        return np.asarray(self.probabilities.argmax(axis=1))

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """`[rows]`: whether the answer is the label; of many labels, whether all are right."""
        right = np.asarray(self.answers == self.truth)
        return np.asarray(right.all(axis=1)) if self.multi_label else right

    @property
    def predicted(self) -> NDArray[Any]:
        """`[rows]`: the class that was said; of many labels a tuple of them."""
        return self._names(self.answers)

    @property
    def labels(self) -> NDArray[Any]:
        """`[rows]`: the true class; of many labels a tuple of them."""
        return self._names(self.truth)

    def _names(self, columns: NDArray[Any]) -> NDArray[Any]:
        named = np.empty(len(columns), dtype=object)
        for at, row in enumerate(columns):
            named[at] = (
                tuple(self.classes[c] for c in np.flatnonzero(row))
                if self.multi_label
                else self.classes[row]
            )
        return named

    @cached_property
    def by_loss(self) -> NDArray[np.int64]:
        """All rows by position, the one whose label was thought least likely first."""
        return np.argsort(-self._losses, kind="stable")

    @cached_property
    def by_margin(self) -> NDArray[np.int64]:
        """All rows by position, the one that the model was least sure of first."""
        return np.argsort(self._margins, kind="stable")

    @cached_property
    def _margins(self) -> NDArray[Any]:
        """How far the best answer is ahead; of many labels, the nearest from the threshold."""
        if self.multi_label:
            return np.asarray(np.abs(self.probabilities - self.threshold).min(axis=1))
        if len(self.classes) == 1:
            return self.probabilities[:, 0]
        best = np.partition(self.probabilities, -2, axis=1)
        return np.asarray(best[:, -1] - best[:, -2])

    def most_wrong(self, n: int = 10) -> pd.DataFrame:
        """The mistakes, the least likely label first: id, label, predicted, probability, content.

        >>> classifier.evaluate(test).most_wrong(5)

        Args:
            n: at most so many.
        """
        return self._table(self.by_loss[~self.correct[self.by_loss]][:n])

    def least_sure(self, n: int = 10) -> pd.DataFrame:
        """The rows whose two best answers are closest, right or wrong.

        Args:
            n: at most so many.
        """
        return self._table(self.by_margin[:n])

    def rows(self, label: Any = None, predicted: Any = None) -> list[Any]:
        """The ids of a cell of the confusion matrix, the most wrong first.

        >>> evaluation.rows("cat", "dog")  # cats taken for dogs

        Args:
            label: a class; any without it.
            predicted: likewise.
        """
        chosen = np.ones(len(self), bool)
        for of, columns in ((label, self.truth), (predicted, self.answers)):
            if of is not None:
                at = self._column(of)
                chosen &= columns[:, at] if self.multi_label else columns == at
        return list(self.ids[self.by_loss[chosen[self.by_loss]]])

    def to_frame(self) -> pd.DataFrame:
        """All rows, by their ids: the frame's own columns, and what was said of each.

        Those are `label`, `predicted`, `probability` (of what was said), `margin` (to the next
        best) and `correct`.
        """
        import pandas as pd

        said = {
            "label": self.labels,
            "predicted": self.predicted,
            "probability": self.sureness,
            "margin": self._margins,
            "correct": self.correct,
        }
        if self.frame is not None:
            return self.frame.assign(**said)
        return pd.DataFrame(said, index=pd.Index(self.ids.tolist(), tupleize_cols=False))

    @cached_property
    def sureness(self) -> NDArray[Any]:
        """`[rows]`: the probability of the answer; of many labels, of its least sure part."""
        if self.multi_label:
            sure = np.where(self.answers, self.probabilities, 1 - self.probabilities)
            return np.asarray(sure.min(axis=1))
        return np.asarray(self.probabilities.max(axis=1))

    def _table(self, places: NDArray[np.int64]) -> pd.DataFrame:
        import pandas as pd

        table = pd.DataFrame(
            {
                "id": self.ids[places],
                "label": self.labels[places],
                "predicted": self.predicted[places],
                "probability": self.sureness[places],
            }
        )
        if self.frame is not None and self.content is not None:
            # Its dtype stays: pyarrow's strings, which pandas takes by itself, hold no half emoji.
            table[self.content] = self.frame[self.content].iloc[places].set_axis(table.index)
        return table

    @cached_property
    def _losses(self) -> NDArray[Any]:
        """Of every row."""
        tiny = float(np.finfo(self.probabilities.dtype).eps)
        kept = np.clip(self.probabilities.astype(np.float64), tiny, 1 - tiny)
        if self.multi_label:
            return np.asarray(-np.log(np.where(self.truth, kept, 1 - kept)).mean(axis=1))
        return np.asarray(-np.log(kept[np.arange(len(self)), self.truth]))

    def _column(self, of: Any) -> int:
        if of not in self.classes:
            raise unknown("class", str(of), [str(name) for name in self.classes])
        return self.classes.index(of)
