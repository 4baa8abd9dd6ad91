"""`ImageGrid`: the pictures of a frame, thousands of them, to look through, to choose and to label.

What it has of its own are pictures and files that cannot be shown; the rest stands in `FrameRows`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from mlnb.data.rows import columns_text
from mlnb.errors import DataError
from mlnb.formatting import Markup, html, plural
from mlnb.widgets import picture_rows
from mlnb.widgets.base import bundle, refuse_unknown
from mlnb.widgets.frame_rows import FrameRows
from mlnb.widgets.saved_pictures import saved_pictures
from mlnb.widgets.thumbnails import ThumbnailThread

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from mlnb.widgets.selection import Selection

_STATIC = 24


class ImageGrid(FrameRows):
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

    _esm = bundle("image_grid.js")
    _css = bundle("image_grid.css")

    columns = t.Int(0, min=0, max=100, help="Pictures in a row; 0: as many as fit.").tag(sync=True)
    broken = t.Int(help="How many files cannot be shown.").tag(sync=True)
    size = t.Int(128, min=48, max=320, help="Pixels of a thumbnail's side.").tag(sync=True)

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
        self._thumbnails = ThumbnailThread(self._path_of, self.send)
        look = {"order": order, "tab": "pictures"}
        super().__init__(_checked(frame), selection, labels, look, columns=columns)

    # ----------------------------------------------------------------------------- the two outputs

    def static_html(self) -> Markup:
        """The first pictures as they are ordered now, with their labels."""
        rows = np.frombuffer(self.view, np.int32)[:_STATIC].tolist()
        told = self._told(rows, set())
        figures = saved_pictures([(self._path_of(one["row"]), one) for one in told])
        rest = len(self.view) // 4 - len(figures)
        return html(
            "<p><b>{facts}</b></p><div>{figures}</div>{rest}",
            facts=self.facts,
            figures=figures,
            rest=html("<p>and {n} more</p>", n=f"{rest:,}") if rest > 0 else "",
        )

    # ------------------------------------------------------------------------- what it is made of

    def _receive_thumbnails(self, content: dict[str, Any]) -> None:
        self._thumbnails.ask(content["rows"], content["side"])

    def _knowledge(self) -> dict[str, Any]:
        broken = int(picture_rows.is_broken(self.frame).sum())
        return {**super()._knowledge(), "broken": broken}

    def _countable(self) -> NDArray[np.bool_]:
        return ~picture_rows.is_broken(self.frame)

    def _facts(self, left_out: str) -> str:
        whole = int(self._countable().sum())
        broken = len(self.frame) - whole
        return plural(whole, "picture") + (f", {broken:,} broken" if broken else "") + left_out

    def _orders(self) -> list[str]:
        return picture_rows.orders_of(self.frame)

    def _view(self, look: dict[str, Any]) -> NDArray[np.int32]:
        return picture_rows.view_of(
            self.frame,
            self._facets,
            filters=look["filters"],
            search=str(look["search"]),
            order=look["order"],
            broken=look["tab"] == "broken",
        )

    def _told(self, rows: Iterable[int], edited: set[int]) -> list[dict[str, Any]]:
        return picture_rows.tiles(self.frame, rows, edited)

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
        raise DataError(
            f"ImageGrid expects a column 'path'; the frame has: {columns_text(frame)}. "
            "image_frame(folder) makes one"
        )
    return frame
