"""What a grid knows of its rows: names, the columns to filter by, the orders, what a tile says.

Rows go by position, counted from 0 in the frame, since that is what crosses to the page.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import unknown
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

NONE = "no label"
_STEPS = (0.5, 0.7, 0.9, 0.99)
_SURE = ("below 0.5", "0.5 to 0.7", "0.7 to 0.9", "0.9 to 0.99", "from 0.99")
_PLAIN = ("label", "split", "problem")


@dataclass(frozen=True)
class Facet:
    """A column to filter by.

    Args:
        name: what it is called.
        values: what it can be, in the order in which it is offered.
        codes: for every row the position of its value; −1: it has none.
    """

    name: str
    values: tuple[Any, ...]
    codes: NDArray[np.int64]

    @property
    def texts(self) -> list[str]:
        """The values as they are shown."""
        return [value_text(value) for value in self.values]

    def counts(self, rows: NDArray[np.bool_]) -> list[int]:
        """How many of these rows have each."""
        codes = self.codes[rows & (self.codes >= 0)]
        return np.bincount(codes, minlength=len(self.values)).tolist()


def value_text(value: object) -> str:
    """A label as it is shown: one harmless line."""
    return NONE if is_none(value) else display_text(str(value), 200)


def is_none(value: Any) -> bool:
    """Whether a label is no label: None, NaN, or the empty string."""
    import pandas as pd

    return bool(
        pd.api.types.is_scalar(value)
        and (value == "" if isinstance(value, str) else pd.isna(value))
    )


def is_broken(frame: DataFrame) -> NDArray[np.bool_]:
    """Whether each row's file cannot be shown, by the column `status`."""
    if "status" not in frame:
        return np.zeros(len(frame), bool)
    return np.asarray(frame["status"].fillna("no status") != "ok")


def is_left_out(frame: DataFrame) -> NDArray[np.bool_]:
    """Whether each row was left out, by the column `left_out`."""
    if "left_out" not in frame:
        return np.zeros(len(frame), bool)
    return np.asarray(frame["left_out"].eq(True), bool)


def name_of(path: object) -> str:
    """The name of a file as it is shown."""
    return display_text(os.path.basename(str(path)), 200)


def facets_of(frame: DataFrame, labels: Sequence[Any] = ()) -> dict[str, Facet]:
    """The columns to filter by that this frame has; `labels` keep their place."""
    found = [
        _plain_facet(frame[n], n, labels if n == "label" else ()) for n in _PLAIN if n in frame
    ]
    found.append(Facet("status", ("taken in", "left out"), is_left_out(frame).astype(np.int64)))
    right = correctness(frame)
    if right is not None:
        found.append(Facet("correctness", ("right", "wrong"), np.array([0, 1, -1])[1 - right]))
    sure = confidence(frame)
    if sure is not None:
        codes = np.where(np.isnan(sure), -1, np.searchsorted(_STEPS, sure, side="right"))
        found.append(Facet("confidence", _SURE, codes))
    return {facet.name: facet for facet in found}


def correctness(frame: DataFrame) -> NDArray[np.int8] | None:
    """Whether each row is predicted as it is labelled now: 1 or 0, −1 without a label.

    None where nothing was predicted.
    """
    if "predicted" not in frame or "label" not in frame:
        return None
    labels = frame["label"].astype(object)
    right = np.asarray(frame["predicted"].astype(object) == labels, bool)
    missing = np.fromiter(map(is_none, labels), bool, len(frame))
    return np.where(missing, -1, right).astype(np.int8)


def confidence(frame: DataFrame) -> NDArray[np.float64] | None:
    """The probability of what was predicted, 0 to 1."""
    if "probability" not in frame:
        return None
    import pandas as pd

    return np.asarray(pd.to_numeric(frame["probability"], errors="coerce"), np.float64)


def _plain_facet(column: Series[Any], name: str, known: Sequence[Any]) -> Facet:
    import pandas as pd

    values = column.astype(object).where(column.notna(), "")
    codes, found = pd.factorize(values)
    order = list(known) + sorted(set(found) - set(known), key=_natural)
    place = {value: at for at, value in enumerate(order)}
    moved = np.array([place[value] for value in found], np.int64)
    return Facet(name, tuple(order), moved[codes] if len(found) else codes)


def _natural(value: Any) -> tuple[Any, ...]:
    """Numbers by size, before texts; no label at the end."""
    number = isinstance(value, int | float | np.number)
    return (is_none(value), not number, value if number else 0, str(value))


# ------------------------------------------------------------------------------- filter and order

Orders = Mapping[str, Callable[["DataFrame", "NDArray[np.int64]"], "NDArray[Any]"]]


def orders_of(frame: DataFrame) -> list[str]:
    """The orders that this frame can be shown in; the first is its own."""
    orders = ["as they stand", "by name"]
    if "label" in frame:
        orders.append("without a label first")
    if "probability" in frame:
        orders += ["least sure first", "surest first"]
        if correctness(frame) is not None:
            orders.append("most wrong first")
    if "score" in frame:
        orders.append("by score")
    return orders


def view_of(
    frame: DataFrame,
    facets: Mapping[str, Facet],
    *,
    filters: Mapping[str, int],
    search: str = "",
    order: str = "as they stand",
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
    shown = is_broken(frame) == broken
    for name, code in filters.items():
        if name not in facets:
            raise unknown("filter", name, facets)
        shown &= facets[name].codes == code
    rows = np.flatnonzero(shown)
    if search.strip():
        wanted = search.strip().casefold()
        names = frame["path"].iloc[rows]
        rows = rows[[wanted in os.path.basename(str(path)).casefold() for path in names]]
    return _ordered(frame, rows, order).astype(np.int32)


def _ordered(frame: DataFrame, rows: NDArray[np.int64], order: str) -> NDArray[np.int64]:
    if order not in orders_of(frame):
        raise unknown("order", order, orders_of(frame))
    if order == "as they stand":
        return rows
    return rows[np.argsort(_sort_key(frame, order)[rows], kind="stable")]


def _sort_key(frame: DataFrame, order: str) -> NDArray[Any]:
    """What is small comes first; NaN comes last."""
    if order == "by name":
        return np.array([os.path.basename(str(path)).casefold() for path in frame["path"]], object)
    if order == "without a label first":
        return np.array([not is_none(value) for value in frame["label"]], bool)
    if order == "by score":
        return -np.asarray(frame["score"], np.float64)
    sure = confidence(frame)
    assert sure is not None
    if order == "least sure first":
        return sure
    if order == "surest first":
        return -sure
    right = correctness(frame)
    assert right is not None
    return np.choose(1 - right, [sure, -1.0 - sure, np.full(len(sure), -0.5)])


# ------------------------------------------------------------------------------ what a tile says


def tile(frame: DataFrame, row: int, edited: bool) -> dict[str, Any]:
    """What the page is told of one row; every text is one harmless line."""
    values = frame.iloc[row]
    told = {
        "row": row,
        "name": name_of(values["path"]),
        "edited": edited,
        "left_out": values.get("left_out") in (True,),
        "facts": _facts(values),
    }
    for name in ("label", "predicted"):
        if name in values:
            told[name] = value_text(values[name])
    if "label" in told and "predicted" in told and not is_none(values["label"]):
        told["wrong"] = bool(values["label"] != values["predicted"])
    probability = values.get("probability")
    if isinstance(probability, int | float | np.number) and probability == probability:
        told["probability"] = float(probability)
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
