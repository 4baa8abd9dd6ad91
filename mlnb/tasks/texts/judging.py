"""How good a text classifier is, and what it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import left_out_text
from mlnb.formatting import plural
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.labels import codes_of
from mlnb.train.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.heads import Head
    from mlnb.tasks.texts.learning import Learnt
    from mlnb.tasks.texts.taking import TextRows

Array = np.ndarray[Any, np.dtype[Any]]

MAJORITY, NOUN = "majority", "sentence"


def judged(
    classifier: TextClassifier,
    rows: TextRows,
    left_out: Mapping[Any, str] | None = None,
    *,
    beside: bool = True,
) -> Evaluation:
    """What a classifier says of labelled texts, beside what is simpler.

    Args:
        classifier: fitted.
        rows: with a label each.
        left_out: why others are not among them.
        beside: whether it is compared with what is simpler.

    Raises:
        DataError: a label that training has not.
    """
    codes = codes_of(rows.labels or (), classifier.labels_, "test")
    notes = [classifier.text]
    if left_out:
        notes.append(left_out_text(left_out, "text"))
    empty = int(rows.is_empty.sum())
    if empty:
        notes.append(f"{plural(empty, 'text')} empty: answered by how often each class came")
    said = classifier._probabilities(rows)
    baselines = baselines_of(classifier, rows, codes) if beside else {}
    return _evaluation(classifier, rows, codes, said, baselines, notes)


def held_out(classifier: TextClassifier, learnt: Learnt, head: Head | None) -> Evaluation | None:
    """The same of the texts that were held out of training, where there were such.

    Args:
        classifier: fitted.
        learnt: what on.
        head: what was trained; it may have held out every training text once.
    """
    held = np.flatnonzero(~learnt.is_training)
    if len(held):
        return judged(classifier, learnt.rows.rows(held))
    if head is None or head.held is None or head.probabilities is None or not len(head.held):
        return None
    rows, codes = learnt.rows.rows(head.held), learnt.codes[head.held]
    notes = [classifier.text, "each text was left out of training when it was asked for"]
    baselines = {MAJORITY: _share_right(codes, np.asarray(classifier._majority))}
    return _evaluation(classifier, rows, codes, head.probabilities, baselines, notes)


def baselines_of(classifier: TextClassifier, rows: TextRows, codes: Array) -> dict[str, float]:
    """The accuracy of always giving the answer most frequent in training, and that of counting."""
    found = {MAJORITY: _share_right(codes, np.asarray(classifier._majority))}
    counted = classifier._tfidf()
    if counted is not classifier._features:
        logits = counted.logits(rows.texts, rows.pairs)
        answers = logits > 0 if codes.ndim == 2 else logits.argmax(1)
        found[TfIdf.name] = _share_right(codes, answers)
    return found


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


def _evaluation(
    classifier: TextClassifier,
    rows: TextRows,
    codes: Array,
    said: Array,
    baselines: Mapping[str, float],
    notes: list[str],
) -> Evaluation:
    frame, column = rows.shown()
    labels = codes.astype(bool) if codes.ndim == 2 else list(rows.labels or ())
    return evaluate(
        labels,
        said,
        classifier.labels_.classes,
        ids=frame.index,
        frame=frame,
        content=column,
        noun=NOUN,
        baselines=baselines,
        notes=notes,
    )
