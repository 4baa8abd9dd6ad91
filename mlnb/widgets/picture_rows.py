"""What a grid knows of its pictures: names, which are broken, the orders, what a tile says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import is_good
from mlnb.errors import unknown
from mlnb.formatting import display_text
from mlnb.widgets import row_facets
from mlnb.widgets.row_facets import AS_THEY_STAND, Facet, in_order, pass_filters, told_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series


def is_broken(frame: DataFrame) -> NDArray[np.bool_]:
    """Whether each row's file cannot be shown, by the column `status`."""
    return ~is_good(frame)


def name_of(path: object) -> str:
    """The name of a file as it is shown."""
    return display_text(os.path.basename(str(path)), 200)


def orders_of(frame: DataFrame) -> list[str]:
    """The orders that this frame can be shown in; the first is its own."""
    first, *others = row_facets.orders_of(frame)
    return [first, "by name", *others]


def view_of(
    frame: DataFrame,
    facets: Mapping[str, Facet],
    *,
    filters: Mapping[str, int],
    search: str = "",
    order: str = AS_THEY_STAND,
    broken: bool = False,
) -> NDArray[np.int32]:
    """The positions of the rows that are shown, in the order in which they are.

    Args:
        frame: all rows.
        facets: its facets.
        filters: for the name of a facet the position of the value that is asked for.
        search: a part of the file's name, in whatever case.
        order: one of `orders_of`.
        broken: the files that cannot be shown instead of those that can.

    Raises:
        UnknownName: no such facet or order.
    """
    if order not in orders_of(frame):
        raise unknown("order", order, orders_of(frame))
    rows = np.flatnonzero((is_broken(frame) == broken) & pass_filters(frame, facets, filters))
    if search.strip():
        wanted = search.strip().casefold()
        rows = rows[[wanted in name for name in _names(frame)[rows]]]
    key = _names(frame) if order == "by name" else row_facets.sort_key(frame, order)
    return in_order(rows, key)


def _names(frame: DataFrame) -> NDArray[Any]:
    return np.array([os.path.basename(str(path)).casefold() for path in frame["path"]], object)


# ------------------------------------------------------------------------------ what a tile says


def tile(frame: DataFrame, row: int, edited: bool) -> dict[str, Any]:
    """What the page is told of one row; every text is one harmless line."""
    values = frame.iloc[row]
    told = told_of(values, row, edited)
    told |= {"name": name_of(values["path"]), "facts": _facts(values)}
    if values.get("status", "ok") != "ok":
        told["reason"] = display_text(str(values["status"]), 400)
    return told


def _facts(values: Series[Any]) -> list[str]:
    """Lines beside the large picture: its size, its part, why somebody should look."""
    lines = []
    if values.get("width") and values.get("height"):
        lines.append(f"{values['width']:.0f} × {values['height']:.0f} {values.get('mode', '')}")
    lines += [str(values[name]) for name in ("split", "problem", "why") if values.get(name)]
    return [display_text(line.strip(), 300) for line in lines]


def tiles(frame: DataFrame, rows: Iterable[int], edited: set[int]) -> list[dict[str, Any]]:
    """`tile` of each of these rows that the frame has."""
    return [tile(frame, row, row in edited) for row in rows if 0 <= row < len(frame)]
