"""`FrameRows`: rows of a frame to look through, to choose and to label, as pictures or as texts.

Python holds the frame, filters and sorts it, and tells the page only the order and the rows in
sight: the page of 25,000 pictures then carries 100 kB, and a reload finds all as it was. What one
edits stays in its place until one filters or sorts anew, so that nothing jumps from under the hand.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from mlnb.data.rows import is_left_out
from mlnb.errors import DataError
from mlnb.widgets.base import Widget
from mlnb.widgets.row_edits import RowEdits
from mlnb.widgets.row_facets import Facet, facets_of, is_none, value_text
from mlnb.widgets.selection import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

_ROWS = 2_000
_LABELS = 200


class FrameRows(Widget):
    """What a grid of pictures and a table of texts share: order, choice, labels, undo.

    A subclass says what is known of its rows (`_known_of`), which are shown (`_view`), what the
    page is told of some (`_told`), and in one line what they are (`_facts`).
    """

    _follows = False
    _label = "label"  # the column that an edit of a label changes

    facts = t.Unicode(help="One line about all of them.").tag(sync=True)
    facets = t.List(t.Dict(), help="Filters: name, values and counts (of the values).").tag(
        sync=True
    )
    labels = t.List(t.Unicode(), help="The known labels as they are shown.").tag(sync=True)
    orders = t.List(t.Unicode(), help="The orders that the frame can be shown in.").tag(sync=True)
    look = t.Dict(
        help="What is looked at: filters (the position of a value for the name of a facet), "
        "search, order, labelling, and what a subclass adds."
    ).tag(sync=True)
    view = t.Bytes(help="int32: the positions of the rows shown, in their order.").tag(sync=True)
    chosen = t.Bytes(help="int32: the positions of the chosen rows.").tag(sync=True)
    current = t.Int(-1, help="The row that the keyboard is on; −1: none.").tag(sync=True)
    edits = t.Int(help="How many edits can be undone.").tag(sync=True)
    version = t.Int(help="Goes up with every edit, done or undone.").tag(sync=True)

    def __init__(
        self,
        frame: DataFrame,
        selection: Selection | None,
        labels: Iterable[Any],
        look: dict[str, Any],
        **traits: Any,
    ) -> None:
        self._edits = RowEdits(frame)
        self._labels: list[Any] = list(labels)
        self.selection = Selection() if selection is None else selection
        self.selection.take(self.frame)
        look = {"filters": {}, "search": "", "labelling": False} | look
        super().__init__(look=look, **traits, **self._knowledge(), **self._shown(look))
        self._follow_selection()
        self.selection.observe(self._follow_selection, "ids")
        self.selection.observe(self._follow_edits, "version")
        self._follows = True

    def close(self) -> None:
        """Take it off the page; it follows the selection no more."""
        if self._follows:
            self.selection.unobserve(self._follow_selection, "ids")
            self.selection.unobserve(self._follow_edits, "version")
            self._follows = False
        super().close()

    # ------------------------------------------------------------------- what a subclass says of it

    def _known_of(self, frame: DataFrame) -> DataFrame:
        """The same rows, with what is known of them under the names that `row_facets` reads."""
        return frame

    def _facets_of(self) -> dict[str, Facet]:
        """The columns to filter by."""
        return facets_of(self._known, self._labels)

    def _countable(self) -> NDArray[np.bool_]:
        """The rows that the counts of the filters count."""
        return np.ones(len(self.frame), bool)

    def _view(self, look: dict[str, Any]) -> NDArray[np.int32]:
        raise NotImplementedError

    def _told(self, rows: Iterable[int], edited: set[int]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _facts(self, left_out: str) -> str:
        raise NotImplementedError

    def _orders(self) -> list[str]:
        raise NotImplementedError

    # ------------------------------------------------------------------------------ from Python

    @property
    def frame(self) -> DataFrame:
        """The frame with all edits; each edit makes a new one."""
        return self._edits.frame

    def label(self, ids: Iterable[Hashable], label: Any) -> None:
        """Give rows a label; `None` takes it away.

        Args:
            ids: labels of the frame's index.
            label: anything that the column of the labels may hold.
        """
        self._edit(self._positions(ids), self._label, label, missing=None)

    def leave_out(self, ids: Iterable[Hashable]) -> None:
        """Set `left_out`; `split` and `check_data` leave such rows alone."""
        self._edit(self._positions(ids), "left_out", True, missing=False)

    def take_in(self, ids: Iterable[Hashable]) -> None:
        """Undo `leave_out` for these rows."""
        self._edit(self._positions(ids), "left_out", False, missing=False)

    def undo(self) -> None:
        """Take the last edit back, whoever made it."""
        with self._lock:
            before = self.frame
            rows = self._edits.undo()
        if rows:
            self._edited(gone=before.columns.difference(self.frame.columns))

    def static_text(self) -> str:
        """The line of facts."""
        return repr(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.facts})"

    # ------------------------------------------------------------------------------ from the page

    def _receive_look(self, content: dict[str, Any]) -> None:
        look = self.look | {name: content[name] for name in self.look if name in content}
        if content.get("labelling") and not self.look["labelling"]:
            look["order"] = self._labelling_order(look["order"])
        shown = self._shown(look)
        self.update(look=look, **shown)

    def _receive_rows(self, content: dict[str, Any]) -> None:
        told = self._told(content["rows"][:_ROWS], self._edits.rows)
        self.send({"kind": "rows", "version": self.version, "rows": told})

    def _receive_choose(self, content: dict[str, Any]) -> None:
        try:
            self.selection.choose(self.frame, content["rows"])
        finally:
            self.send({"kind": "chosen"})

    def _receive_label(self, content: dict[str, Any]) -> None:
        at, typed = content.get("at"), str(content.get("text", "")).strip()
        if at is None and not typed:
            raise DataError("a label is at least one character")
        value = self._label_values()[at] if at is not None else self._typed(typed)
        self._edit(content["rows"], self._label, value, missing=None)

    def _receive_leave_out(self, content: dict[str, Any]) -> None:
        self._edit(content["rows"], "left_out", bool(content["value"]), missing=False)

    def _receive_undo(self, content: dict[str, Any]) -> None:
        self.undo()

    # --------------------------------------------------------------------------------- the state

    def _knowledge(self) -> dict[str, Any]:
        """What is known of the whole frame, and shown around the rows."""
        self._known = self._known_of(self.frame)
        self._facets = self._facets_of()
        if "label" in self._facets:
            self._labels = list(self._facets["label"].values)
        out = int(is_left_out(self._known).sum())
        countable = self._countable()
        return {
            "facts": self._facts(f", {out:,} left out" if out else ""),
            "facets": [
                {
                    "name": facet.name,
                    "values": facet.texts[:_LABELS],
                    "counts": facet.counts(countable)[:_LABELS],
                }
                for facet in self._facets.values()
            ],
            "labels": [value_text(value) for value in self._label_values()][:_LABELS],
            "orders": self._orders(),
        }

    def _shown(self, look: dict[str, Any]) -> dict[str, Any]:
        filters = {name: int(code) for name, code in look["filters"].items()}
        return {"view": self._view(look | {"filters": filters}).tobytes()}

    def _labelling_order(self, order: str) -> str:
        """The one that puts first what most needs a label."""
        if "probability" in self._known:
            return "least sure first"
        missing = "label" in self._known and any(map(is_none, self._labels))
        return "without a label first" if missing else order

    def _follow_selection(self, change: object = None) -> None:
        rows = self.selection.positions(self.frame).astype(np.int32)
        self.update(chosen=rows.tobytes())

    def _label_values(self) -> list[Any]:
        return [value for value in self._labels if not is_none(value)]

    def _typed(self, text: str) -> Any:
        """A typed label: a known one that reads so, a number among numbers, else the text."""
        for value in self._label_values():
            if text in (str(value), value_text(value)):
                return value
        numbers = [isinstance(value, int) for value in self._label_values()]
        if numbers and all(numbers) and text.removeprefix("-").isdecimal():
            return int(text)
        return text

    def _edit(self, rows: Iterable[int], column: str, value: Any, *, missing: Any) -> None:
        places = sorted({int(row) for row in rows})
        if not places:
            return
        if places[0] < 0 or places[-1] >= len(self.frame):
            raise DataError(f"rows are 0 to {len(self.frame) - 1}; received {places}")
        with self._lock:
            self._edits.set(places, column, value, missing)
        if column == self._label and not any(value is k or value == k for k in self._labels):
            self._labels.insert(len(self._label_values()), value)
        self._edited()

    def _edited(self, gone: Iterable[str] = ()) -> None:
        self.selection.take(self.frame, gone)
        self.update(**self._knowledge(), edits=len(self._edits), version=self.version + 1)

    def _follow_edits(self, change: object = None) -> None:
        """What another widget of this selection did to these rows."""
        with self._lock:
            newest = self.selection.newest(self.frame, (self._label, "left_out"))
            mine = self.frame
            if newest is mine or newest.astype(object).equals(mine.astype(object)):
                return
            self._edits.frame = newest
        self.update(**self._knowledge(), version=self.version + 1)

    def _positions(self, ids: Iterable[Hashable]) -> list[int]:
        return Selection(self.frame, ids).positions(self.frame).tolist()
