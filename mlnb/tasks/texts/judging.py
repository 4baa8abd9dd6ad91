"""How good a text classifier is, beside what is simpler: `Judged`, the part of it that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import left_out_text
from mlnb.data.text_columns import Columns
from mlnb.errors import TrainError
from mlnb.formatting import plural
from mlnb.tasks.estimator import Classifier
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.labels import codes_of
from mlnb.train.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    import pandas as pd

    from mlnb.tasks.texts.fitted import Fitted
    from mlnb.tasks.texts.taking import TextRows

Array = np.ndarray[Any, np.dtype[Any]]

MAJORITY, NOUN = "majority", "sentence"


class Judged(Classifier):
    """What a `TextClassifier` says of itself: `evaluate`, `score`, `most_wrong`, `held_out_`."""

    evaluation_: Evaluation
    _fitted: Fitted | None = None

    @property
    def held_out_(self) -> Evaluation | None:
        """How good it was on texts that it was not trained on: see `TextClassifier`."""
        return self._ready.held_out_beside

    def evaluate(
        self,
        test: Any,
        y: Any = None,
        *,
        text: Any = None,
        text_pair: Any = None,
        target: Any = None,
    ) -> Evaluation:
        """How good it is on texts that it has not seen, beside what is simpler.

        Its `baselines` are "majority", the answer most frequent in training, and "TF-IDF", a
        logistic regression on counted words and letters that has learnt from the same texts. Texts
        that were learnt from are told in its `notes`.

        >>> classifier.evaluate(test).baselines
        {'majority': 0.5, 'TF-IDF': 0.84}

        Args:
            test: as for `fit`; of a frame with a column `split` its rows "test".
            y: a label for each; by default the frame's.
            text: of a frame: the column of the texts; by default that of `fit`.
            text_pair: likewise.
            target: of the labels, likewise.

        Raises:
            DataError: there are no labels, or one that training has not.
        """
        fitted = self._ready
        rows, left_out = fitted.testing(test, y, Columns(text, text_pair, target))
        self.evaluation_ = beside(fitted, rows, judged(fitted, rows, left_out))
        return self.evaluation_

    def score(self, X: Any, y: Any = None) -> float:
        """The share that is right, of many labels in every class; `evaluate` tells more."""
        fitted = self._ready
        return judged(fitted, fitted.testing(X, y, Columns())[0]).accuracy

    def most_wrong(self, n: int = 10) -> pd.DataFrame:
        """The texts whose label it thought least likely: odd sentences, and labels that are wrong.

        Of the last `evaluate`; before one, of the texts that were held out of training.

        >>> classifier.most_wrong(5)

        Args:
            n: at most so many.

        Raises:
            TrainError: it was trained on all texts and has not been evaluated.
        """
        scored = getattr(self, "evaluation_", None) or self._ready.held_out
        if scored is None:
            raise TrainError("There is nothing that it was judged on: evaluate(test) first.")
        return scored.most_wrong(n)

    @property
    def _ready(self) -> Fitted:
        self._require_fitted()
        assert self._fitted is not None
        return self._fitted


def judged(
    fitted: Fitted,
    rows: TextRows,
    left_out: Mapping[Any, str] | None = None,
    said: Array | None = None,
    note: str = "",
) -> Evaluation:
    """What a classifier says of labelled texts, beside always giving the same answer.

    Args:
        fitted: what it has come to.
        rows: with a label each.
        left_out: why others are not among them.
        said: the probabilities, where they are known.
        note: for the reader.

    Raises:
        DataError: a label that training has not.
    """
    codes = codes_of(rows.labels or (), fitted.labels, "test")
    many, empty = codes.ndim == 2, int(rows.is_empty.sum())
    notes = [
        fitted.text,
        note,
        left_out_text(left_out, "text") if left_out else "",
        f"{plural(empty, 'text')} empty: answered by how often each class came" if empty else "",
    ]
    frame, column = rows.shown()
    return evaluate(
        codes.astype(bool) if many else list(rows.labels or ()),
        fitted.said(rows) if said is None else said,
        fitted.labels.classes,
        ids=frame.index,
        frame=frame,
        content=column,
        noun=NOUN,
        baselines={MAJORITY: _share_right(codes, np.asarray(fitted.majority))},
        notes=filter(None, notes),
    )


def beside(fitted: Fitted, rows: TextRows, made: Evaluation) -> Evaluation:
    """The same beside counted words, and with a note on texts that were learnt from."""
    baselines, notes = dict(made.baselines), list(made.notes)
    if fitted.counted is not fitted.features:
        logits = fitted.counted.logits(rows.texts, rows.pairs)
        answers = logits > 0 if made.multi_label else logits.argmax(1)
        baselines[TfIdf.name] = _share_right(made.truth, answers)
    again = 0 if fitted.learnt is None else fitted.learnt.count_of(rows)
    if again:
        notes.append(f"{plural(again, 'text')} learnt from as well, which makes the score too good")
    return replace(made, baselines=baselines, notes=tuple(notes))


def majority_of(codes: Array) -> Any:
    """The most frequent class; of many labels the most frequent set, as 0 and 1."""
    kinds, counts = np.unique(codes, axis=0, return_counts=True)
    return kinds[counts.argmax()].tolist()


def shares_of(codes: Array, classes: int) -> Array:
    """How often each class came, `float32 [classes]`: what is known of a text that says nothing."""
    if codes.ndim == 2:
        return np.asarray(codes.mean(0), np.float32)
    return np.asarray(np.bincount(codes, minlength=classes) / len(codes), np.float32)


def _share_right(codes: Array, answers: Array) -> float:
    right = codes == answers
    return float((right.all(axis=1) if codes.ndim == 2 else right).mean())
