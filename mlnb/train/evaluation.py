"""How good a classifier is: `evaluate` makes an `Evaluation` of labels and probabilities.

It holds plain arrays and computes a measure when it is asked for one; the widget draws it.
Probabilities are asked for, not answers: how sure a model is where it is wrong is half of what one
wants to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need
from mlnb.formatting import Markup, display_text, plural
from mlnb.train.evaluation_rows import (
    checked_classes,
    checked_labels,
    checked_probabilities,
    checked_rows,
    content_of,
    has_many,
    noun_of,
)
from mlnb.train.measures import (
    Curve,
    calibration,
    expected_calibration_error,
    percent,
    precision_recall_curve,
    roc_curve,
    wilson,
)
from mlnb.train.scored_rows import ScoredRows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure


def evaluate(
    labels: Any,
    probabilities: Any,
    classes: Iterable[Any],
    *,
    ids: Any = None,
    frame: pd.DataFrame | None = None,
    content: str | None = None,
    noun: str | None = None,
    threshold: float = 0.5,
    baselines: Mapping[str, float] | None = None,
    notes: Iterable[str] = (),
) -> Evaluation:
    """Compare what a classifier says with what is true.

    >>> evaluation = evaluate(["cat", "dog"], [[0.9, 0.1], [0.6, 0.4]], ["cat", "dog"])
    >>> evaluation.accuracy
    0.5

    Args:
        labels: `[rows]`, as they stand in `classes`. Where a row may have many labels: a table
            `[rows, classes]` of 0 and 1, or a list of classes a row.
        probabilities: `[rows, classes]` from 0 to 1; a row adds up to 1, unless it may have many
            labels.
        classes: in the order of the columns, such as `classifier.classes_`.
        ids: the ids of the rows, such as `test.index`; those of the frame without it.
        frame: the rows themselves, with these ids for an index; there may be more of them.
        content: the column that a person looks at; `path` (of pictures) or `text` without it.
        noun: what a row is; `photograph`, `sentence` or `row` without it.
        threshold: of rows with many labels: from which probability on a label is given.
        baselines: accuracies to compare with, by name.
        notes: lines for the reader, such as how pictures were prepared.

    Raises:
        DataError: what does not fit together, or is no probability, with the remedy.
    """
    known = checked_classes(classes)
    labels = labels if hasattr(labels, "__len__") else list(labels)
    values = checked_probabilities(probabilities, known, has_many(labels))
    truth = checked_labels(labels, known, len(values))
    found, rows = checked_rows(ids, frame, labels, len(values))
    shown = content_of(rows, content)
    return Evaluation(
        classes=known,
        truth=truth,
        probabilities=values,
        ids=found,
        frame=rows,
        content=shown,
        noun=noun or noun_of(shown),
        threshold=threshold,
        baselines=dict(baselines or {}),
        notes=tuple(notes),
    )


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(ScoredRows):
    """What a classifier said of rows whose labels are known; made by `evaluate`.

    >>> evaluation = classifier.evaluate(test)
    >>> evaluation.accuracy, evaluation.interval
    (0.987, (0.966, 0.995))
    >>> evaluation.most_wrong(5)
    """

    @property
    def accuracy(self) -> float:
        """The share of rows that are right; of many labels, of those right in every class."""
        return float(self.correct.mean())

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, by Wilson's score (1927).

        It says how far chance alone could have moved the number, were these rows drawn at random.
        """
        return wilson(int(self.correct.sum()), len(self))

    @cached_property
    def majority(self) -> float:
        """The accuracy of always giving the answer that is right most often."""
        counts = np.unique(self.truth, axis=0, return_counts=True)[1]
        return float(counts.max() / len(self))

    @cached_property
    def log_loss(self) -> float:
        """The mean of −log p(label), in nats; of many labels over all classes as well.

        A probability of 0 counts as the smallest step of its dtype, as in scikit-learn.
        """
        return float(self._losses.mean())

    @cached_property
    def ece(self) -> float:
        """The expected calibration error: 15 bins of equal width (Guo et al. 2017, equation 3).

        The mean distance between how sure the model is and how often it is right, weighted by rows.
        """
        return expected_calibration_error(*self._confidences)

    def calibration(self, bins: int = 15) -> pd.DataFrame:
        """How often the model is right, by how sure it is: a row a bin of equal width.

        Args:
            bins: how many.

        Returns:
            `low`, `high`, `count`, `confidence` and `accuracy` (means; NaN in an empty bin). Of
            many labels every probability counts, whether its class was given or not.
        """
        return calibration(*self._confidences, bins)

    @cached_property
    def _confidences(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """How sure each answer was, and whether it was right."""
        if self.multi_label:
            return self.probabilities.ravel(), self.truth.ravel()
        return self.probabilities.max(axis=1), self.correct

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1, support: a row a class; NaN where there is nothing to divide."""
        import pandas as pd

        scores = need("sklearn.metrics", "train").precision_recall_fscore_support
        labels = list(range(len(self.classes)))
        columns = scores(self.truth, self.answers, labels=labels, zero_division=np.nan)
        names = ("precision", "recall", "f1", "support")
        index = pd.Index(list(self.classes), name="class", tupleize_cols=False)
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index)

    @property
    def macro_f1(self) -> float:
        """The mean of F1 over the classes that occur or were said."""
        return float(self.per_class["f1"].mean())

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts `[classes, classes]`: rows are labels, columns what was said.

        Of many labels `[classes, 2, 2]`, for each class: not or so, said not or so.
        """
        if self.multi_label:
            metrics = need("sklearn.metrics", "train")
            return np.asarray(metrics.multilabel_confusion_matrix(self.truth, self.answers))
        count = len(self.classes)
        cells = np.bincount(self.truth * count + self.answers, minlength=count * count)
        return cells.reshape(count, count)

    def roc(self, of: Any) -> Curve:
        """One class against the rest: x is the false positive rate, y the true positive rate.

        Args:
            of: the class. Its curve is empty where all rows are of it, or none.

        Raises:
            UnknownName: there is no such class.
        """
        return roc_curve(*self._one_against_rest(of))

    def precision_recall(self, of: Any) -> Curve:
        """One class against the rest: x is recall, y precision; the area is average precision."""
        return precision_recall_curve(*self._one_against_rest(of))

    def _one_against_rest(self, of: Any) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        column = self._column(of)
        yes = self.truth[:, column] if self.multi_label else self.truth == column
        return np.asarray(yes), self.probabilities[:, column]

    def with_frame(self, frame: pd.DataFrame, content: str | None = None) -> Evaluation:
        """The same, with the rows themselves, so that one can look at them.

        >>> evaluate(labels, probabilities, classes, ids=test.index).with_frame(test)

        Args:
            frame: its index holds the ids; there may be more rows.
            content: the column that a person looks at; `path` or `text` without it.
        """
        ids, rows = checked_rows(self.ids, frame, None, len(self))
        shown = content_of(rows, content)
        noun = noun_of(shown) if self.noun == "row" else self.noun
        return replace(self, ids=ids, frame=rows, content=shown, noun=noun)

    # -------------------------------------------------------------------------------------- to look

    def figure(self) -> Figure:
        """Confusion, ROC, precision-recall and calibration as a plotly figure.

        Raises:
            MissingExtra: plotly is not installed.
        """
        from mlnb.train.show.evaluation_figure import evaluation_figure

        return evaluation_figure(self)

    @property
    def facts(self) -> tuple[str, ...]:
        """The line that sums it up, in parts: `98.7%`, `97.1 to 99.5`, `300 photographs`, …"""
        low, high = self.interval
        return (
            percent(self.accuracy),
            f"{percent(low)[:-1]} to {percent(high)[:-1]}",
            plural(len(self), display_text(self.noun, 20)),
            f"log-loss {self.log_loss:.3f}",
            f"ECE {self.ece:.3f}",
        )

    def __repr__(self) -> str:
        beside = [
            f"{display_text(name, 40)} {percent(one)}" for name, one in self.baselines.items()
        ]
        return f"Evaluation({' · '.join((*self.facts, *beside))})"

    def _repr_html_(self) -> Markup:
        from mlnb.train.show.evaluation_page import evaluation_html

        return evaluation_html(self)
