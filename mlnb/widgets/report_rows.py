"""The rows that a report shows: those of a cell of the matrix, in their order, as JSON.

Rows cross by their position in the evaluation, never by their id, which may be anything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import display_text
from mlnb.widgets.text_rows import text_line, text_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlnb.train.evaluation import Evaluation
    from mlnb.widgets.asked import Asked

FOUND, MISSED, WRONGLY_GIVEN = 0, 1, 2
"""The columns of a class where a row may have many labels."""
POINTS = 200


def places_of(evaluation: Evaluation, label: int, answer: int) -> NDArray[np.bool_]:
    """Which rows a cell counts.

    Args:
        label: the class that is true, by its column; -1 for any.
        answer: what was said, likewise. Of many labels `FOUND`, `MISSED` or `WRONGLY_GIVEN`.
    """
    truth, said = evaluation.truth, evaluation.answers
    if evaluation.multi_label:
        if label < 0:
            return np.ones(len(evaluation), bool)
        true, given = truth[:, label], said[:, label]
        cells = {FOUND: true & given, MISSED: true & ~given, WRONGLY_GIVEN: ~true & given}
        return np.asarray(cells.get(answer, true))
    chosen = np.ones(len(evaluation), bool)
    for column, values in ((label, truth), (answer, said)):
        chosen &= (values == column) | (column < 0)
    return chosen


def in_order(evaluation: Evaluation, chosen: NDArray[np.bool_], order: str) -> NDArray[np.int64]:
    """The positions of the chosen rows, the most wrong or the least sure first."""
    every = evaluation.by_margin if order == "unsure" else evaluation.by_loss
    return every[chosen[every]]


def row_json(evaluation: Evaluation, at: int) -> dict[str, Any]:
    """One row: position, classes by their columns, how sure the answer is, what it shows."""
    row: dict[str, Any] = {
        "row": at,
        "labels": _columns(evaluation, evaluation.truth[at]),
        "answers": _columns(evaluation, evaluation.answers[at]),
        "probability": round(float(evaluation.sureness[at]), 6),
        "of_label": _of_label(evaluation, at),
        "wrong": not evaluation.correct[at],
        "name": display_text(str(evaluation.ids[at])),
    }
    if evaluation.frame is not None and evaluation.content is not None:
        content = evaluation.frame[evaluation.content].iloc[at]
        if shows_pictures(evaluation):
            row["name"] = display_text(os.path.basename(str(content)))
        else:
            row["text"] = text_line(content)
    return row


def why_json(evaluation: Evaluation, asked: Asked, at: int) -> dict[str, Any]:
    """A text in pieces with what each of its words does for the answer, and which that is."""
    assert evaluation.frame is not None
    answer = evaluation.classes[int(np.argmax(evaluation.probabilities[at]))]
    content = evaluation.frame[evaluation.content].iloc[at]
    text = content if isinstance(content, tuple) else text_of(content)
    words, note = asked.words(text, asked.labels.index(str(answer)))
    return {"label": display_text(str(answer), 60), "words": list(words), "words_note": note}


def shows_pictures(evaluation: Evaluation) -> bool:
    """Whether what a person looks at are files of pictures."""
    return evaluation.content == "path"


def matrix_json(evaluation: Evaluation) -> list[list[int]]:
    """The matrix of counts; of many labels found, missed and wrongly given of each class."""
    counts = evaluation.confusion
    if evaluation.multi_label:
        counts = np.stack([counts[:, 1, 1], counts[:, 1, 0], counts[:, 0, 1]], axis=1)
    return [[int(count) for count in row] for row in counts]


def classes_json(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of every class; `None` where there is none."""
    return [
        {name: None if np.isnan(value) else float(value) for name, value in row.items()}
        for row in evaluation.per_class.to_dict("records")
    ]


def calibration_json(evaluation: Evaluation) -> list[list[float]]:
    """Confidence, accuracy and count of every bin that holds a row."""
    table = evaluation.calibration().dropna()
    columns = table[["confidence", "accuracy", "count"]]
    return [[float(value) for value in row] for row in columns.to_numpy()]


def curves_json(evaluation: Evaluation, column: int) -> dict[str, Any]:
    """ROC and precision-recall of a class, thinned to what a small chart can show."""
    name = evaluation.classes[column]
    return {
        "roc": _curve(evaluation.roc(name)),
        "recall": _curve(evaluation.precision_recall(name)),
    }


def _curve(curve: Any) -> Mapping[str, Any] | None:
    if not len(curve.x):
        return None
    even = np.linspace(0, len(curve.x) - 1, min(POINTS, len(curve.x))).round().astype(np.int64)
    x, y = (np.round(values[even], 4).tolist() for values in (curve.x, curve.y))
    return {"x": x, "y": y, "area": curve.area}


def _of_label(evaluation: Evaluation, at: int) -> float | None:
    """The probability of what is true, where the answer's does not tell it."""
    if evaluation.multi_label or len(evaluation.classes) < 3:
        return None
    return round(float(evaluation.probabilities[at, evaluation.truth[at]]), 6)


def _columns(evaluation: Evaluation, value: Any) -> list[int]:
    return np.flatnonzero(value).tolist() if evaluation.multi_label else [int(value)]
