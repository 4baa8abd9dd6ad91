"""A frame that is edited row by row and can go back: each edit makes a new frame.

Nobody who holds the frame of before sees it change, and a thread that reads sees a whole one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pandas import DataFrame, Series


class _Edit(NamedTuple):
    column: str
    rows: tuple[int, ...]
    values: list[Any]
    dtype: Any  # None: there was no such column


class RowEdits:
    """The edited frame, and what undoes its edits one by one.

    >>> edits = RowEdits(frame)
    >>> edits.set([0, 3], "label", "cat")
    >>> edits.frame
    >>> edits.undo()
    """

    def __init__(self, frame: DataFrame) -> None:
        self.frame = frame
        self._done: list[_Edit] = []

    def __len__(self) -> int:
        return len(self._done)

    @property
    def rows(self) -> set[int]:
        """The positions of all rows that were edited."""
        return {row for edit in self._done for row in edit.rows}

    def set(self, rows: Sequence[int], column: str, value: Any, missing: Any = None) -> None:
        """Set a column at these positions; where there is none yet, the others get `missing`."""
        there = column in self.frame
        old = self.frame[column] if there else _filled(self.frame, missing)
        self._done.append(
            _Edit(column, tuple(rows), old.iloc[list(rows)].tolist(), old.dtype if there else None)
        )
        self.frame = self.frame.assign(**{column: _with(old, rows, [value] * len(rows))})

    def undo(self) -> tuple[int, ...]:
        """Take the last edit back; returns the positions of its rows."""
        if not self._done:
            return ()
        column, rows, values, dtype = self._done.pop()
        if dtype is None:
            self.frame = self.frame.drop(columns=column)
        else:
            back = _with(self.frame[column], rows, values).astype(dtype)
            self.frame = self.frame.assign(**{column: back})
        return rows


def _filled(frame: DataFrame, value: Any) -> Series[Any]:
    import pandas as pd

    return pd.Series([value] * len(frame), index=frame.index)


def _with(column: Series[Any], rows: Sequence[int], values: list[Any]) -> Series[Any]:
    """The same column with other values in these rows, of the same dtype where it can hold them."""
    column = _with_categories(column, values)
    changed = column.astype(object).copy()
    changed.iloc[list(rows)] = values
    try:
        same = changed.astype(column.dtype)
    except (TypeError, ValueError):
        return changed.infer_objects()
    return same if same.iloc[list(rows)].tolist() == values else changed.infer_objects()


def _with_categories(column: Series[Any], values: list[Any]) -> Series[Any]:
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    new = {value for value in values if not pd.isna(value)} - set(column.cat.categories)
    return column.cat.add_categories(list(new))
