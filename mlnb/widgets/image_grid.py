"""`ImageGrid`: the pictures of a frame, thousands of them, to look through, to choose and to label.

Python holds the frame, filters and sorts it, and tells the page only the order and the rows in
sight: the page of 25,000 pictures then carries 100 kB, and a reload finds all as it was. What one
edits stays in its place until one filters or sorts anew, so that nothing jumps from under the hand.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from mlnb.errors import DataError
from mlnb.formatting import Markup, html, plural
from mlnb.widgets import picture_rows
from mlnb.widgets.base import Widget, bundle, refuse_unknown
from mlnb.widgets.row_edits import RowEdits
from mlnb.widgets.saved_pictures import saved_pictures
from mlnb.widgets.selection import Selection
from mlnb.widgets.thumbnails import ThumbnailThread

if TYPE_CHECKING:
    from pandas import DataFrame

_STATIC = 24
_ROWS = 2_000
_LABELS = 200


class ImageGrid(Widget):
    """Pictures of a frame as thumbnails: filter, search, choose, relabel, leave out.

    >>> grid = ImageGrid(image_frame("photographs"))
    >>> grid                      # the last line of a cell shows it
    >>> grid.frame                # the frame with what was edited
    >>> grid.selection.frame      # the chosen rows
    >>> ImageGrid(evaluation.to_frame(), order="most wrong first")

    Click, shift and ctrl choose; so do the arrow keys, the space bar and `a` (all). Keys 1 to 9
    give the chosen pictures a label, `x` leaves them out or takes them in again, `u` undoes. In
    labelling mode a key labels one picture and goes on to the next, the least sure first. Files
    that cannot be shown have a tab, with their reasons.

    Args:
        frame: a frame with a column `path`, as `image_frame` and `Evaluation.to_frame` make it, or
            a folder. Used where they are there: `label`, `split`, `status`, `left_out`,
            `predicted`, `probability` (0 to 1), `problem`, `why`, `score`. It stays as it is.
        selection: shared with other widgets; one of its own by default.
        columns: pictures in a row; 0: as many as fit.
        order: one of `grid.orders`.
        labels: further labels to choose from.

    Raises:
        DataError: no column `path`, two rows of one id, or arrays, which `ImageSheet` shows.
        UnknownName: no such order.
        TypeError: an argument that does not exist.
    """

    _follows = False

    _esm = bundle("image_grid.js")
    _css = bundle("image_grid.css")

    facts = t.Unicode(help="One line about all of them.").tag(sync=True)
    columns = t.Int(0, min=0, max=100, help="Pictures in a row; 0: as many as fit.").tag(sync=True)
    broken = t.Int(help="How many files cannot be shown.").tag(sync=True)
    facets = t.List(t.Dict(), help="Filters: name, values and counts (of the values).").tag(
        sync=True
    )
    labels = t.List(t.Unicode(), help="The known labels as they are shown.").tag(sync=True)
    orders = t.List(t.Unicode(), help="The orders that the frame can be shown in.").tag(sync=True)
    look = t.Dict(
        help="What is looked at: filters (the position of a value for the name of a facet), "
        "search, order, tab (`pictures` or `broken`), labelling."
    ).tag(sync=True)
    view = t.Bytes(help="int32: the positions of the rows shown, in their order.").tag(sync=True)
    chosen = t.Bytes(help="int32: the positions of the chosen rows.").tag(sync=True)
    current = t.Int(-1, help="The row that the keyboard is on; −1: none.").tag(sync=True)
    size = t.Int(128, min=48, max=320, help="Pixels of a thumbnail's side.").tag(sync=True)
    edits = t.Int(help="How many edits can be undone.").tag(sync=True)
    version = t.Int(help="Goes up with every edit, done or undone.").tag(sync=True)

    def __init__(
        self,
        frame: DataFrame | str | os.PathLike[str],
        selection: Selection | None = None,
        columns: int = 0,
        *,
        order: str = "as they stand",
        labels: Iterable[Any] = (),
        **unknown_ones: Any,
    ) -> None:
        refuse_unknown(
            "ImageGrid", unknown_ones, ["frame", "selection", "columns", "order", "labels"]
        )
        self._edits = RowEdits(_checked(frame))
        self._known: list[Any] = list(labels)
        self.selection = Selection() if selection is None else selection
        self.selection.take(self.frame)
        self._thumbnails = ThumbnailThread(self._path_of, self.send)
        look = {"filters": {}, "search": "", "order": order, "tab": "pictures", "labelling": False}
        super().__init__(columns=columns, look=look, **self._knowledge(), **self._shown(look))
        self._follow_selection()
        self.selection.observe(self._follow_selection, "ids")
        self._follows = True

    def close(self) -> None:
        """Take it off the page; it follows the selection no more."""
        if self._follows:
            self.selection.unobserve(self._follow_selection, "ids")
            self._follows = False
        super().close()

    # ------------------------------------------------------------------------------ from Python

    @property
    def frame(self) -> DataFrame:
        """The frame with all edits; each edit makes a new one."""
        return self._edits.frame

    def label(self, ids: Iterable[Hashable], label: Any) -> None:
        """Give rows a label; `None` takes it away.

        Args:
            ids: labels of the frame's index.
            label: anything that the column `label` may hold.
        """
        self._edit(self._positions(ids), "label", label, missing=None)

    def leave_out(self, ids: Iterable[Hashable]) -> None:
        """Set `left_out`; `split` and `check_data` leave such rows alone."""
        self._edit(self._positions(ids), "left_out", True, missing=False)

    def take_in(self, ids: Iterable[Hashable]) -> None:
        """Undo `leave_out` for these rows."""
        self._edit(self._positions(ids), "left_out", False, missing=False)

    def undo(self) -> None:
        """Take the last edit back, whoever made it."""
        with self._lock:
            rows = self._edits.undo()
        if rows:
            self._edited()

    # ----------------------------------------------------------------------------- the two outputs

    def static_html(self) -> Markup:
        """The first pictures as they are ordered now, with their labels."""
        rows = np.frombuffer(self.view, np.int32)[:_STATIC].tolist()
        told = picture_rows.tiles(self.frame, rows, set())
        figures = saved_pictures([(self._path_of(one["row"]), one) for one in told])
        rest = len(self.view) // 4 - len(figures)
        return html(
            "<p><b>{facts}</b></p><div>{figures}</div>{rest}",
            facts=self.facts,
            figures=figures,
            rest=html("<p>and {n} more</p>", n=f"{rest:,}") if rest > 0 else "",
        )

    def static_text(self) -> str:
        """The line of facts."""
        return repr(self)

    def __repr__(self) -> str:
        return f"ImageGrid({self.facts})"

    # ------------------------------------------------------------------------------ from the page

    def _receive_look(self, content: dict[str, Any]) -> None:
        look = self.look | {name: content[name] for name in self.look if name in content}
        if content.get("labelling") and not self.look["labelling"]:
            look["order"] = self._labelling_order(look["order"])
        shown = self._shown(look)
        self.update(look=look, **shown)

    def _receive_rows(self, content: dict[str, Any]) -> None:
        with self._lock:
            frame, edited = self.frame, self._edits.rows
        told = picture_rows.tiles(frame, content["rows"][:_ROWS], edited)
        self.send({"kind": "rows", "version": self.version, "rows": told})

    def _receive_thumbnails(self, content: dict[str, Any]) -> None:
        self._thumbnails.ask(content["rows"], content["side"])

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
        self._edit(content["rows"], "label", value, missing=None)

    def _receive_leave_out(self, content: dict[str, Any]) -> None:
        self._edit(content["rows"], "left_out", bool(content["value"]), missing=False)

    def _receive_undo(self, content: dict[str, Any]) -> None:
        self.undo()

    # --------------------------------------------------------------------------------- the state

    def _knowledge(self) -> dict[str, Any]:
        """What is known of the whole frame, and shown around the pictures."""
        frame = self.frame
        self._facets = picture_rows.facets_of(frame, self._known)
        if "label" in self._facets:
            self._known = list(self._facets["label"].values)
        is_broken = picture_rows.is_broken(frame)
        broken = int(is_broken.sum())
        out = int(picture_rows.is_left_out(frame).sum())
        facts = [plural(len(frame) - broken, "picture")]
        facts += [f"{broken:,} broken"] if broken else []
        facts += [f"{out:,} left out"] if out else []
        return {
            "facts": ", ".join(facts),
            "broken": broken,
            "facets": [
                {
                    "name": f.name,
                    "values": f.texts[:_LABELS],
                    "counts": f.counts(~is_broken)[:_LABELS],
                }
                for f in self._facets.values()
            ],
            "labels": [picture_rows.value_text(value) for value in self._label_values()][:_LABELS],
            "orders": picture_rows.orders_of(frame),
        }

    def _shown(self, look: dict[str, Any]) -> dict[str, Any]:
        rows = picture_rows.view_of(
            self.frame,
            self._facets,
            filters={name: int(code) for name, code in look["filters"].items()},
            search=str(look["search"]),
            order=look["order"],
            broken=look["tab"] == "broken",
        )
        return {"view": rows.tobytes()}

    def _labelling_order(self, order: str) -> str:
        """The one that puts first what most needs a label."""
        if "probability" in self.frame:
            return "least sure first"
        missing = "label" in self.frame and any(map(picture_rows.is_none, self._known))
        return "without a label first" if missing else order

    def _follow_selection(self, change: object = None) -> None:
        rows = self.selection.positions(self.frame).astype(np.int32)
        self.update(chosen=rows.tobytes())

    def _label_values(self) -> list[Any]:
        return [value for value in self._known if not picture_rows.is_none(value)]

    def _typed(self, text: str) -> Any:
        """A typed label: a known one that reads so, a number among numbers, else the text."""
        for value in self._label_values():
            if str(value) == text:
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
        if column == "label" and not any(value is k or value == k for k in self._known):
            self._known.insert(len(self._label_values()), value)
        self._edited()

    def _edited(self) -> None:
        self.selection.take(self.frame)
        self.update(**self._knowledge(), edits=len(self._edits), version=self.version + 1)

    def _positions(self, ids: Iterable[Hashable]) -> list[int]:
        return Selection(self.frame, ids).positions(self.frame).tolist()

    def _path_of(self, row: int) -> Any:
        return self.frame["path"].iloc[row]


def _checked(frame: Any) -> DataFrame:
    import pandas as pd

    if isinstance(frame, str | os.PathLike):
        from mlnb.data.image_frame import image_frame

        return image_frame(Path(frame))
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            "ImageGrid expects a frame with a column 'path', or a folder; received "
            f"{type(frame).__name__}. Arrays are shown by ImageSheet(images)"
        )
    if "path" not in frame:
        names = ", ".join(str(name) for name in frame.columns[:12])
        raise DataError(
            f"ImageGrid expects a column 'path'; the frame has: {names}. "
            "image_frame(folder) makes one"
        )
    return frame
