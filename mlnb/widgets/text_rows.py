"""What a table knows of its texts: which column is what, the orders, what a row of it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlnb.data.text_columns import LABELS, OTHERS, TEXTS, holds_texts
from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text
from mlnb.widgets import row_facets
from mlnb.widgets.row_facets import Facet, confidence, in_order, is_none, pass_filters, told_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

MARK = "label_looks_wrong"
SHORT = 400
WHOLE = 200_000
_TEXTS = (*TEXTS, "sentence1")
_KNOWN = ("score", "problem", "why", "left_out")
_UNSAID = ("left_out", MARK, "correct", "margin", "hash", "bytes")
_OTHERS = 4
_CELL = 80


class Columns(NamedTuple):
    """The columns of a frame of texts by what they are; empty where there is none."""

    text: str
    label: str
    predicted: str
    probability: str
    split: str
    others: tuple[str, ...]

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What each is and its name, in the order in which they are shown."""
        first = [(kind, getattr(self, kind)) for kind in self._fields[:-1]]
        return [one for one in first if one[1]] + [("other", name) for name in self.others]


def columns_of(frame: DataFrame, text: str | None = None, label: str | None = None) -> Columns:
    """Which column is what.

    Args:
        frame: a row each text.
        text: the column of the texts; by default one of a usual name, or the only one of texts.
        label: the column of the labels; by default one of a usual name, else `label`, which the
            first edit makes.

    Raises:
        UnknownName: no such column.
        DataError: no column of texts is to be found.
    """
    names = [name for name in frame.columns if isinstance(name, str)]
    for wanted in (text, label):
        if wanted is not None and wanted not in names:
            raise unknown("column", wanted, names)
    found = {
        "text": text or _usual(names, _TEXTS) or _only_texts(frame, names),
        "label": label or _usual(names, LABELS) or "label",
        "predicted": _usual(names, ("predicted", "PredictedLabel")),
        "probability": _usual(names, ("probability", "Score")),
        "split": _usual(names, ("split",)),
    }
    rest = [name for name in names if name not in (*found.values(), *_UNSAID)]
    others = tuple(name for name in rest if _is_plain(frame[name]))[:_OTHERS]
    return Columns(**found, others=others)


def text_line(content: object, limit: int = 1000) -> str:
    """A text as one line of at most so many characters; only its beginning is looked at."""
    return display_text(" ".join(text_of(content)[: 4 * limit].split()), limit)


def text_of(value: object) -> str:
    """A text as it stands, "" where there is none; of a pair both, with a bar between."""
    if isinstance(value, tuple):
        return " | ".join(map(text_of, value))
    return "" if is_none(value) else str(value)


def known_of(frame: DataFrame, columns: Columns) -> DataFrame:
    """What is known of the rows, under the names that `row_facets` reads."""
    import pandas as pd

    known: dict[str, Any] = {name: frame[name] for name in _KNOWN if name in frame}
    for kind in ("label", "predicted", "split"):
        if (name := getattr(columns, kind)) in frame:
            known[kind] = _comparable(frame[name])
    if columns.probability:
        known["probability"] = _likeliest(frame[columns.probability])
    return pd.DataFrame(known, index=frame.index)


def marked_of(frame: DataFrame) -> NDArray[np.bool_]:
    """Whether each row's label was said to look wrong."""
    if MARK not in frame:
        return np.zeros(len(frame), bool)
    return np.asarray(frame[MARK].eq(True), bool)


# ------------------------------------------------------------------------------- filter and order


def column_orders(columns: Columns) -> dict[str, tuple[str, bool]]:
    """The orders by a column: which one, and whether from its largest value down."""
    return {
        f"{name} {arrow}": (name, falling)
        for _, name in columns.shown
        for arrow, falling in (("↑", False), ("↓", True))
    }


def view_of(
    frame: DataFrame,
    known: DataFrame,
    columns: Columns,
    facets: Mapping[str, Facet],
    look: Mapping[str, Any],
) -> NDArray[np.int32]:
    """The positions of the rows that are shown, in the order in which they are.

    Args:
        frame: all rows.
        known: what `known_of` says of them.
        columns: which column is what.
        facets: the columns to filter by.
        look: `filters`, `search` (a part of the text, in whatever case), `sure` (the least and the
            largest probability), `order`.

    Raises:
        UnknownName: no such filter or order.
    """
    by_column, order = column_orders(columns), look["order"]
    if order not in by_column and order not in row_facets.orders_of(known):
        raise unknown("order", order, [*row_facets.orders_of(known), *by_column])
    shown = pass_filters(known, facets, look["filters"])
    low, high = look["sure"]
    sure = confidence(known)
    if sure is not None and (low > 0 or high < 1):
        shown &= (sure >= low) & (sure <= high)
    rows = np.flatnonzero(shown)
    wanted = str(look["search"]).strip().casefold()
    if wanted:
        texts = frame[columns.text].to_numpy(object)[rows]
        rows = rows[[wanted in text_of(text).casefold() for text in texts]]
    if order not in by_column:
        return in_order(rows, row_facets.sort_key(known, order))
    name, falling = by_column[order]
    values = known["probability"] if name == columns.probability else frame.get(name)
    key = np.zeros(len(frame)) if values is None else _column_key(values, falling)
    return in_order(rows, key)


def _column_key(values: Series[Any], falling: bool) -> NDArray[np.float64]:
    """The rank of each value; none at the end, whichever way it goes."""
    import pandas as pd

    empty = np.fromiter(map(is_none, values), bool, len(values))
    if values.dtype.kind in "biuf":
        key = values.to_numpy(np.float64, na_value=np.nan)
    else:
        texts = [str(value).casefold() for value in values]
        key = pd.factorize(np.array(texts, object), sort=True)[0].astype(np.float64)
    return np.where(empty, np.inf, -key if falling else key)


# --------------------------------------------------------------------------------- what a row says


def told(
    frame: DataFrame, known: DataFrame, columns: Columns, row: int, edited: bool
) -> dict[str, Any]:
    """What the page is told of one row; every text is one harmless line."""
    values, text = frame.iloc[row], text_of(frame[columns.text].iloc[row])
    return {
        **told_of(known.iloc[row], row, edited),
        "name": display_text(str(frame.index[row])),
        "text": text_line(text, SHORT),
        "marked": values.get(MARK) in (True,),
        "split": _cell(values[columns.split]) if columns.split else "",
        "others": [_cell(values[name]) for name in columns.others],
    }


def whole_text(value: object) -> str:
    """The whole text, line by line harmless; of very long ones the beginning."""
    text = text_of(value)
    lines = [display_text(line, WHOLE) for line in text[:WHOLE].splitlines()]
    rest = len(text) - WHOLE
    return "\n".join([*lines, f"… and {rest:,} more characters"] if rest > 0 else lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}".replace("-", "−")
    return display_text(text_of(value), _CELL)


def _usual(names: Sequence[str], usual: Sequence[str]) -> str:
    """The first of these names that there is, in whatever case."""
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[one.casefold()] for one in usual if one.casefold() in folded), "")


def _only_texts(frame: DataFrame, names: Sequence[str]) -> str:
    roles = (*LABELS, *OTHERS, "predicted", "why", "problem")
    texts = [n for n in names if n.casefold() not in roles and holds_texts(frame[n])]
    if len(texts) != 1:
        shown = ", ".join(display_text(name) for name in names[:12])
        raise DataError(
            f"TextTable expects a column of texts; the frame has: {shown or 'no column'}. "
            "TextTable(frame, text='COLUMN') names it"
        )
    return texts[0]


def _is_plain(column: Series[Any]) -> bool:
    there = column.dropna().head(20)
    return all(isinstance(value, str | int | float | np.number | np.bool_) for value in there)


def _comparable(column: Series[Any]) -> Series[Any]:
    """Lists of labels as tuples, which can be counted."""
    if column.dtype != object or not any(isinstance(one, list | set) for one in column):
        return column
    import pandas as pd

    tuples = [tuple(one) if isinstance(one, list | set) else one for one in column]
    return pd.Series(tuples, index=column.index, dtype=object)


def _likeliest(column: Series[Any]) -> Series[Any]:
    """The probability of what was predicted, where the column holds one for each class."""
    import pandas as pd

    if column.dtype.kind in "iuf":
        return column
    shares = [
        float(np.max(value))
        if isinstance(value, list | tuple | np.ndarray) and len(value)
        else value
        for value in column
    ]
    return pd.to_numeric(pd.Series(shares, index=column.index), errors="coerce")
