"""`TextTable`: the texts of a frame, to search, to filter, to doubt and to label.

Rows travel when they are seen, the whole of a long text when it is opened. What it shares with the
grid of pictures stands in `FrameRows`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from mlnb.errors import DataError
from mlnb.formatting import Markup, display_text, html, plural, probability_text
from mlnb.train.evaluation import Evaluation
from mlnb.widgets import row_facets, text_rows
from mlnb.widgets.base import bundle, refuse_unknown
from mlnb.widgets.frame_rows import FrameRows
from mlnb.widgets.row_facets import Facet
from mlnb.widgets.text_rows import MARK, Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from mlnb.widgets.selection import Selection

_STATIC = 40
_STATIC_TEXT = 240
_STATIC_BYTES = 58_000


class TextTable(FrameRows):
    """Texts of a frame as a table: search, filter, sort, choose, relabel, leave out.

    >>> table = TextTable(reviews, text="Text", label="Liked")
    >>> table                     # the last line of a cell shows it
    >>> table.frame               # the frame with what was edited
    >>> table.selection.frame     # the chosen rows
    >>> TextTable(evaluation, order="most wrong first")
    >>> TextTable(classifier.predict(reviews), order="least sure first")

    A click on a row, or an arrow key, shows the whole of its text beside the table; Enter goes into
    it. Shift and ctrl choose more, and so do the space bar and `a` (all). Keys 1 to 9 give the
    chosen rows a label, `w` marks that the label looks wrong, `x` leaves them out or takes them in
    again, `u` undoes. In labelling mode a key labels one row and goes on to the next. A heading
    sorts.

    Args:
        frame: a frame with a column of texts, or an `Evaluation` that has one. Used where they are
            there: `split`, `left_out`, `predicted` or `PredictedLabel`, `probability` (0 to 1) or
            `Score`, `problem`. It stays as it is.
        text: the column of the texts; by default one of a usual name, or the only one of texts.
        label: the column of the labels; by default `label`, or one of a usual name.
        selection: shared with other widgets; one of its own by default.
        order: one of `table.orders`, or a column with `↑` or `↓` after it.
        labels: further labels to choose from.

    Raises:
        DataError: no column of texts is to be found, or two rows have one id.
        UnknownName: no such column or order.
        TypeError: an argument that does not exist.
    """

    _esm = bundle("text_table.js")
    _css = bundle("text_table.css")

    columns = t.List(t.Dict(), help="kind and name of each column, in their order.").tag(sync=True)

    def __init__(
        self,
        frame: DataFrame | Evaluation,
        text: str | None = None,
        label: str | None = None,
        selection: Selection | None = None,
        *,
        order: str = row_facets.AS_THEY_STAND,
        labels: Iterable[Any] = (),
        **unknown_ones: Any,
    ) -> None:
        known = ["frame", "text", "label", "selection", "order", "labels"]
        refuse_unknown("TextTable", unknown_ones, known)
        rows, text = _checked(frame, text)
        self._columns: Columns = text_rows.columns_of(rows, text, label)
        self._label = self._columns.label
        look = {"order": order, "sure": [0.0, 1.0]}
        super().__init__(rows, selection, labels, look)

    def mark(self, ids: Iterable[Hashable], looks_wrong: bool = True) -> None:
        """Say that the labels of rows look wrong, in the column `label_looks_wrong`.

        Args:
            ids: labels of the frame's index.
            looks_wrong: whether they do.
        """
        self._edit(self._positions(ids), MARK, looks_wrong, missing=False)

    # ----------------------------------------------------------------------------- the two outputs

    def static_html(self) -> Markup:
        """The first texts as they are ordered now, a script-free table."""
        rows = np.frombuffer(self.view, np.int32)
        lines, budget = [], _STATIC_BYTES
        for told in self._told(rows[:_STATIC].tolist(), set()):
            line = _line(told, self._columns)
            budget -= len(line.encode())
            if budget < 0:
                break
            lines.append(line)
        rest = len(rows) - len(lines)
        return html(
            "<p><b>{facts}</b></p><table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody>"
            "</table>{rest}",
            facts=self.facts,
            names=[
                html('<th style="text-align:left">{name}</th>', name=display_text(name))
                for _, name in self._columns.shown
            ],
            lines=lines,
            rest=html("<p>and {n} more</p>", n=f"{rest:,}") if rest > 0 else "",
        )

    # -------------------------------------------------------------------------------- from the page

    def _receive_text(self, content: dict[str, Any]) -> None:
        """The whole text of one row."""
        row = int(content["row"])
        if not 0 <= row < len(self.frame):
            raise DataError(f"rows are 0 to {len(self.frame) - 1}; received {row}")
        whole = text_rows.whole_text(self.frame[self._columns.text].iloc[row])
        self.send({"kind": "text", "row": row, "text": whole})

    def _receive_mark(self, content: dict[str, Any]) -> None:
        self._edit(content["rows"], MARK, bool(content["value"]), missing=False)

    # -------------------------------------------------------------------------- what it is made of

    def _knowledge(self) -> dict[str, Any]:
        columns = [{"kind": kind, "name": name} for kind, name in self._columns.shown]
        return {**super()._knowledge(), "columns": columns}

    def _known_of(self, frame: DataFrame) -> DataFrame:
        return text_rows.known_of(frame, self._columns)

    def _facets_of(self) -> dict[str, Facet]:
        """As of any rows; the confidence is a range here."""
        facets = super()._facets_of()
        facets.pop("confidence", None)
        marks = text_rows.marked_of(self.frame).astype(np.int64)
        return facets | {"mark": Facet("mark", ("not marked", "label looks wrong"), marks)}

    def _facts(self, left_out: str) -> str:
        marked = int(text_rows.marked_of(self.frame).sum())
        doubted = f", {marked:,} marked" if marked else ""
        return plural(len(self.frame), "text") + doubted + left_out

    def _orders(self) -> list[str]:
        return row_facets.orders_of(self._known)

    def _view(self, look: dict[str, Any]) -> NDArray[np.int32]:
        low, high = (float(part) for part in look["sure"])
        look = look | {"sure": (low, high)}
        return text_rows.view_of(self.frame, self._known, self._columns, self._facets, look)

    def _told(self, rows: Iterable[int], edited: set[int]) -> list[dict[str, Any]]:
        frame, known = self.frame, self._known
        return [
            text_rows.told(frame, known, self._columns, row, row in edited)
            for row in rows
            if 0 <= row < len(frame)
        ]


def _checked(frame: Any, text: str | None) -> tuple[DataFrame, str | None]:
    import pandas as pd

    if isinstance(frame, Evaluation):
        if text is None and (frame.frame is None or frame.content in (None, "path")):
            raise DataError(
                "this evaluation has no texts; evaluation.with_frame(frame, 'COLUMN') gives it them"
            )
        return frame.to_frame(), text or frame.content
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            "TextTable expects a frame with a column of texts, or an Evaluation; received "
            f"{type(frame).__name__}. Of a list: TextTable(pd.DataFrame({{'text': texts}}))"
        )
    return frame, text


def _line(told: dict[str, Any], columns: Columns) -> Markup:
    """A row of the saved notebook's table."""
    said = {
        "text": display_text(told["text"], _STATIC_TEXT) or "(empty)",
        "label": told.get("label", "") + (" · looks wrong" if told["marked"] else ""),
        "predicted": told.get("predicted", ""),
        "probability": probability_text(told["probability"]) if "probability" in told else "",
        "split": told["split"],
    }
    cells = [said[kind] for kind in said if getattr(columns, kind)] + told["others"]
    if told["left_out"]:
        cells[0] = f"left out: {cells[0]}"
    weight = "bold" if told.get("wrong") else "normal"
    return html(
        "<tr>{cells}</tr>",
        cells=[
            html('<td style="text-align:left;font-weight:{w}">{c}</td>', w=weight, c=cell)
            if at
            else html('<td style="text-align:left">{c}</td>', c=cell)
            for at, cell in enumerate(cells)
        ],
    )
