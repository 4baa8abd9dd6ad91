"""What is known of rows of any kind: the columns to filter by, the orders, right or wrong.

Rows go by position, counted from 0 in the frame, since that is what crosses to the page. Of the
columns `label`, `predicted`, `probability`, `score`, `split`, `problem` and `left_out` count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.label_map import is_missing
from mlnb.data.rows import is_left_out
from mlnb.errors import unknown
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

NONE = "no label"
AS_THEY_STAND = "as they stand"
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
    """A label as it is shown: one harmless line; many of them with commas between."""
    if isinstance(value, tuple):
        return display_text(", ".join(map(str, value)) or "nothing", 200)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # whole numbers of which some are missing are floats to pandas
    return NONE if is_none(value) else display_text(str(value), 200)


def is_none(value: Any) -> bool:
    """Whether a label is no label: None, NaN, or the empty string."""
    return value == "" if isinstance(value, str) else is_missing(value)


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
    labels, predicted = (
        frame[name].astype(object).where(frame[name].notna(), None)
        for name in ("label", "predicted")
    )
    right = np.asarray(predicted == labels, bool)
    missing = np.fromiter(map(is_none, labels), bool, len(frame))
    return np.where(missing, -1, right).astype(np.int8)


def confidence(frame: DataFrame) -> NDArray[np.float64] | None:
    """The probability of what was predicted, 0 to 1."""
    if "probability" not in frame:
        return None
    import pandas as pd

    sure = pd.to_numeric(frame["probability"], errors="coerce")
    return sure.to_numpy(np.float64, na_value=np.nan)


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


def orders_of(frame: DataFrame) -> list[str]:
    """The orders that what is known of these rows gives; the first is their own."""
    orders = [AS_THEY_STAND]
    if "label" in frame:
        orders.append("without a label first")
    if "probability" in frame:
        orders += ["least sure first", "surest first"]
        if correctness(frame) is not None:
            orders.append("most wrong first")
    if "score" in frame:
        orders.append("by score")
    return orders


def sort_key(frame: DataFrame, order: str) -> NDArray[Any]:
    """For one of `orders_of` what is small comes first; NaN comes last."""
    if order == AS_THEY_STAND:
        return np.zeros(len(frame))
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


def in_order(rows: NDArray[np.int64], key: NDArray[Any]) -> NDArray[np.int32]:
    """These rows, the one whose key is smallest first; of equal ones as they stand."""
    return rows[np.argsort(key[rows], kind="stable")].astype(np.int32)


def pass_filters(
    frame: DataFrame, facets: Mapping[str, Facet], filters: Mapping[str, int]
) -> NDArray[np.bool_]:
    """Which rows have the values asked for.

    Args:
        frame: all rows.
        facets: its facets.
        filters: for the name of a facet the position of the value that is asked for.

    Raises:
        UnknownName: no such facet.
    """
    passed = np.ones(len(frame), bool)
    for name, code in filters.items():
        if name not in facets:
            raise unknown("filter", name, facets)
        passed &= facets[name].codes == code
    return passed


# --------------------------------------------------------------------------------- what a row says


def told_of(values: Series[Any], row: int, edited: bool) -> dict[str, Any]:
    """What the page is told of any row; every text is one harmless line."""
    told: dict[str, Any] = {
        "row": row,
        "edited": edited,
        "left_out": values.get("left_out") in (True,),
    }
    for name in ("label", "predicted"):
        if name in values:
            told[name] = value_text(values[name])
    if "label" in told and "predicted" in told and not is_none(values["label"]):
        same = not is_none(values["predicted"]) and values["label"] == values["predicted"]
        told["wrong"] = not same
    probability = values.get("probability")
    if isinstance(probability, int | float | np.number) and probability == probability:
        told["probability"] = float(probability)
    return told
