"""`EvaluationReport`: how good a classifier is, and a look at the rows where it is wrong.

The numbers are computed once and cross as traits. Rows cross a page at a time and pictures as
thumbnails, both on request: a report of 50,000 photographs opens as fast as one of fifty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t
from IPython import get_ipython

from mlnb.errors import DataError, MlnbError
from mlnb.formatting import Markup, display_text, html
from mlnb.progress import shown_by
from mlnb.train.evaluate_model import evaluate_model
from mlnb.train.evaluation import Evaluation
from mlnb.train.show.evaluation_page import MOST_CLASSES, baselines_text, confused_pairs
from mlnb.widgets.asked import Asked
from mlnb.widgets.base import Widget, bundle, error_line, refuse_unknown
from mlnb.widgets.one_at_a_time import OneAtATime
from mlnb.widgets.report_rows import (
    calibration_json,
    classes_json,
    curves_json,
    in_order,
    matrix_json,
    places_of,
    row_json,
    shows_pictures,
    why_json,
)
from mlnb.widgets.report_strip import strip_html
from mlnb.widgets.selection import Selection
from mlnb.widgets.thumbnails import ThumbnailThread

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

PAIRS = 500
PAGE = 200
_KNOWN = ("model", "test", "frame", "target", "text", "selection")


class EvaluationReport(Widget):
    """How good a classifier is: its numbers, its confusion matrix, and the rows behind each cell.

    >>> EvaluationReport(classifier, test)
    >>> EvaluationReport(classifier, classifier.evaluate(test), selection=selection)
    >>> EvaluationReport(evaluate(labels, probabilities, classes), frame=test)

    A click on a cell of the matrix shows its pictures or sentences, the most wrong first, and
    chooses them in `report.selection`, which other widgets may share; a click on a picture chooses
    that one. A click on a sentence asks the model, where there is one, which of its words speak for
    the answer. In the matrix the arrow keys go from cell to cell.

    Args:
        model: a classifier (`evaluate(test)`, or `predict_proba` and `classes_`), or an
            `Evaluation`.
        test: rows whose labels are known, as `evaluate_model` takes them; or the `Evaluation` of
            this model.
        frame: of an `Evaluation` that has none: the rows themselves, their ids as its index.
        target: of a frame: the column of the labels; `label` without it.
        text: of a frame: the column of the texts.
        selection: the rows chosen, shared with other widgets; one of its own without it.

    Raises:
        TypeError: the model is no classifier, or an argument does not exist.
        DataError: what does not fit together.
    """

    _esm = bundle("evaluation_report.js")
    _css = bundle("evaluation_report.css")

    facts = t.List(t.Unicode(), help="The line that sums it up, in parts.").tag(sync=True)
    beside = t.Unicode(help="What others would have.").tag(sync=True)
    notes = t.List(t.Unicode(), help="What the reader should know.").tag(sync=True)
    noun = t.Unicode("row", help="What a row is called.").tag(sync=True)
    content = t.Unicode(help='What a row shows: "picture", "text" or nothing.').tag(sync=True)
    many = t.Bool(help="Whether a row may have many labels.").tag(sync=True)
    classes = t.List(t.Unicode(), help="In the order of the columns.").tag(sync=True)
    matrix = t.List(
        t.List(t.Int()),
        help="Counts: rows are labels, columns answers; of many labels found, missed and wrongly "
        "given; empty where there are too many classes.",
    ).tag(sync=True)
    pairs = t.List(
        t.List(t.Int()), help="Of many classes: label, answer, count; the most often first."
    ).tag(sync=True)
    table = t.List(t.Dict(), help="precision, recall, f1, support of each class.").tag(sync=True)
    calibration = t.List(t.List(t.Float()), help="confidence, accuracy, count a bin.").tag(
        sync=True
    )
    explains = t.Bool(help="Whether there is a model to ask why it answered so.").tag(sync=True)
    order = t.Enum(["wrong", "unsure"], "wrong", help="Which rows come first.").tag(sync=True)
    chosen = t.Dict(
        help="The cell whose rows are shown: label and answer by their columns, -1 for any; empty: "
        "all rows; rows: so many, chosen elsewhere."
    ).tag(sync=True)

    def __init__(
        self,
        model: Any,
        test: Any = None,
        *,
        frame: pd.DataFrame | None = None,
        target: str | None = None,
        text: str | None = None,
        selection: Selection | None = None,
        **unknown: Any,
    ) -> None:
        refuse_unknown("EvaluationReport", unknown, _KNOWN)
        self.evaluation = _evaluation(model, test, frame, target, text)
        self._frame = self.evaluation.to_frame()
        self.selection = Selection() if selection is None else selection
        self.selection.take(self._frame)
        self._choosing = False
        self._turn = 0
        self._thumbnails = ThumbnailThread(self._path, lambda *parts: self.send(*parts))
        self._asked = _who_explains(model, self.evaluation)
        self._work = OneAtATime("mlnb-report")
        super().__init__(**_traits(self.evaluation), explains=self._asked is not None)
        self.selection.observe(self._chosen_elsewhere, "ids")

    def close(self) -> None:
        """Take it off the page; it follows the selection no more."""
        if self.comm is not None:
            self.selection.unobserve(self._chosen_elsewhere, "ids")
        super().close()

    def figure(self) -> Figure:
        """Confusion, ROC, precision-recall and calibration as a plotly figure."""
        return self.evaluation.figure()

    def static_html(self) -> Markup:
        """The numbers, and the most wrong rows as small pictures or sentences."""
        return html(
            "{numbers}{strip}",
            numbers=self.evaluation._repr_html_(),
            strip=strip_html(self.evaluation),
        )

    def static_text(self) -> str:
        """The line that sums it up, and the classes."""
        table = self.evaluation.per_class.rename(index=lambda name: display_text(str(name), 40))
        lines = [" · ".join(self.evaluation.facts), self.beside, *self.notes]
        return "\n".join([*lines, table.head(MOST_CLASSES).to_string(float_format="%.3f")])

    def __repr__(self) -> str:
        return f"EvaluationReport({' · '.join(self.evaluation.facts)})"

    # ----------------------------------------------------------------------------- what is chosen

    @t.validate("chosen")
    def _a_cell(self, proposal: Mapping[str, Any]) -> dict[str, int]:
        chosen: dict[str, int] = proposal["value"]
        count = len(self.evaluation.classes)
        cell = all(isinstance(n, int) and -1 <= n < max(count, 3) for n in chosen.values())
        if "rows" in chosen or not chosen or (chosen.keys() == {"label", "answer"} and cell):
            return chosen
        raise t.TraitError("a cell is a label and an answer, each the number of a class")

    @t.observe("chosen")
    def _choose(self, change: Mapping[str, Any]) -> None:
        if "rows" in change["new"]:
            return
        self._select(self._rows(change["new"], self.order) if change["new"] else ())

    def _select(self, rows: Any) -> None:
        self._choosing = True
        try:
            self.selection.choose(self._frame, rows)
        finally:
            self._choosing = False

    def _chosen_elsewhere(self, _: object) -> None:
        if self._choosing:
            return
        self._turn += 1
        rows = len(self.selection.positions(self._frame))
        self.chosen = {"rows": rows, "turn": self._turn} if rows else {}

    def _rows(self, chosen: Mapping[str, int], order: str) -> NDArray[np.int64]:
        """The positions of the rows of a cell, in their order."""
        if "rows" in chosen:
            shown = np.zeros(len(self.evaluation), bool)
            shown[self.selection.positions(self._frame)] = True
        else:
            shown = places_of(self.evaluation, chosen.get("label", -1), chosen.get("answer", -1))
        return in_order(self.evaluation, shown, order)

    # ----------------------------------------------------------------------------------- messages

    def _receive_rows(self, message: Mapping[str, Any]) -> None:
        """A page of rows; which and how is said here, because traits may come later."""
        first, count = int(message["first"]), min(PAGE, int(message["count"]))
        if first < 0:
            raise MlnbError(f"there is no row {first}")
        every = self._rows(message["chosen"], message["order"])
        rows = [row_json(self.evaluation, int(at)) for at in every[first : first + count]]
        answer = {"kind": "rows", "request": message["request"], "total": len(every)}
        self.send(answer | {"rows": rows})

    def _receive_thumbnails(self, message: Mapping[str, Any]) -> None:
        self._thumbnails.ask(message["rows"], message["side"])

    def _receive_pick(self, message: Mapping[str, Any]) -> None:
        """One row was clicked, or clicked away."""
        rows = [int(at) for at in message["rows"]]
        if not all(0 <= at < len(self.evaluation) for at in rows):
            raise MlnbError("there is no such row")
        self._select(rows)

    def _receive_why(self, message: Mapping[str, Any]) -> None:
        """Which words of a row speak for its answer; a thread asks the model, the last row only."""
        at, asked = int(message["row"]), self._asked
        if asked is None or not 0 <= at < len(self.evaluation):
            raise MlnbError("there is no such row, or nobody to ask")

        def explain() -> None:
            try:
                with shown_by(lambda *_: None):  # a line of the cell's would outlast the answer
                    found = why_json(self.evaluation, asked, at)
            except Exception as error:  # noqa: BLE001 - it stands below the sentence
                found = {"problem": error_line(error)}
            self.send({"kind": "why", "row": at} | found)

        self._work.ask(explain, lane="why")

    def _receive_curves(self, message: Mapping[str, Any]) -> None:
        """ROC and precision-recall of a class."""
        column = int(message["column"])
        if not 0 <= column < len(self.evaluation.classes):
            raise MlnbError(f"there is no class {column}")
        made = curves_json(self.evaluation, column)
        self.send({"kind": "curves", "request": message["request"], "column": column} | made)

    def _receive_figure(self, message: Mapping[str, Any]) -> None:
        """The code that draws the figure, by the names that the user has for it."""
        self.send({"kind": "figure", "request": message["request"], "code": self._figure_code()})

    def _figure_code(self) -> str:
        names = getattr(get_ipython(), "user_ns", {})
        held = [name for name, value in list(names.items()) if value is self]
        held += [name for name, value in list(names.items()) if value is self.evaluation]
        return f"{min(held, key=_hidden, default='evaluation')}.figure()"

    def _path(self, row: int) -> Any:
        if not shows_pictures(self.evaluation) or self.evaluation.frame is None:
            raise DataError("these rows have no pictures")
        return self.evaluation.frame[self.evaluation.content].iloc[row]


def _hidden(name: str) -> int:
    """A name of the user's own first, then `_5` of a cell's result, which stays, then `_`."""
    return 0 if not name.startswith("_") else 1 if name.lstrip("_").isdigit() else 2


def _evaluation(
    model: Any, test: Any, frame: pd.DataFrame | None, target: str | None, text: str | None
) -> Evaluation:
    if isinstance(test, Evaluation):
        model, test = test, None
    if not isinstance(model, Evaluation):
        if test is None:
            raise TypeError("EvaluationReport(model, test): on which rows?")
        made = evaluate_model(model, test, target=target, text=text)
        return made if frame is None else made.with_frame(frame, text)
    rows = test if frame is None else frame
    return model if rows is None else model.with_frame(rows, text)


def _who_explains(model: Any, evaluation: Evaluation) -> Asked | None:
    """The model behind the answers, where it judges texts and can tell why."""
    texts = evaluation.content is not None and not shows_pictures(evaluation)
    if not texts or not hasattr(model, "predict_proba"):
        return None
    asked = Asked(model)
    return asked if asked.takes_text and not asked.why_not else None


def _traits(evaluation: Evaluation) -> dict[str, Any]:
    few = evaluation.multi_label or len(evaluation.classes) <= MOST_CLASSES
    content = "" if evaluation.content is None else "text"
    return {
        "facts": list(evaluation.facts),
        "beside": baselines_text(evaluation),
        "notes": [display_text(note, 300) for note in evaluation.notes[:8]],
        "noun": display_text(evaluation.noun, 20),
        "content": "picture" if shows_pictures(evaluation) else content,
        "many": evaluation.multi_label,
        "classes": [display_text(str(name)) for name in evaluation.classes],
        "matrix": matrix_json(evaluation) if few else [],
        "pairs": [] if few else [list(pair) for pair in confused_pairs(evaluation)[:PAIRS]],
        "table": classes_json(evaluation),
        "calibration": calibration_json(evaluation),
    }
