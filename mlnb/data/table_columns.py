"""Rows of cells to named columns: is the first row one of names, which columns, what kind each is.

Cells become numbers only where a whole column is of numbers that are written as one writes them:
007 stays a text, and so does a review that says "None" or "NA", which pandas takes for missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Columns = Sequence[str] | Mapping[str | int, str]

_WHOLE = re.compile(r" *-?(?:0|[1-9][0-9]{0,17}) *")
_REAL = re.compile(
    r" *-?(?:inf|(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?) *"
)
_NONE = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
"""What stands for a missing number; among words these are words, but for the empty one."""

_TRUTH = ({"True": True, "False": False}, {"true": True, "false": False})
_NAME = re.compile(r"(?:[^\W\d](?:[\w .:/()#%-]{0,58}[\w)#%])?)?")


def named(
    rows: list[list[str]], columns: Columns | None, header: bool | str, where: str
) -> tuple[list[list[str]], list[str], bool]:
    """The rows without their names, the name of each column, and whether the file gave them.

    Args:
        rows: of the file, all of one width, at least one.
        columns: as in `read_table`.
        header: `True`, `False` or `"auto"`.
        where: the file, for messages.

    Raises:
        DataError: two columns of one name; a first row that might be names or not; no row but it.
    """
    first = [cell.strip() for cell in rows[0]]
    if header == "auto":
        header = _has_names(rows, first, columns, where)
    if not header:
        given = None if columns is None or isinstance(columns, Mapping) else list(columns)
        if given is not None and len(given) != len(first):
            raise DataError(
                f"{where}, line 1: {plural(len(first), 'column')}, and columns= has "
                f"{plural(len(given), 'name')}: {_shown(given)}"
            )
        names = given or [f"column_{number}" for number in range(1, len(first) + 1)]
        return rows, names, False
    if len(rows) == 1:
        raise DataError(
            f"{where}: there is no row below the names {_shown(first)}; if they are a row, say "
            "header=False"
        )
    names = [name or f"column_{number}" for number, name in enumerate(first, 1)]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        number = len(names) - names[::-1].index(twice[0])
        raise DataError(
            f"{where}, line 1: column {number} is called {display_text(twice[0], 40)!r}, and so is "
            f"column {names.index(twice[0]) + 1}"
        )
    return rows[1:], names, True


def _has_names(
    rows: list[list[str]], first: list[str], columns: Columns | None, where: str
) -> bool:
    """Whether the first row has names, by those that were asked for, else by its looks."""
    asked = [name for name in columns or () if isinstance(name, str)]
    if any(name in first for name in asked):
        return True
    is_like_names = any(first) and all(map(_NAME.fullmatch, first))
    if len(first) == 1 and " " in first[0]:  # a sentence, and not the name of one
        return False
    over_numbers = is_like_names and any(
        first[number] and rows[1:] and _numbers([row[number] for row in rows[1:]]) is not None
        for number in range(len(first))
    )
    if asked and isinstance(columns, Mapping):
        raise unknown("column", asked[0], first)
    if asked and over_numbers:
        raise DataError(
            f"{where}, line 1 looks like names, {_shown(first)}, and none is among the columns "
            f"asked for, {_shown(asked)}; to rename say columns={{old: new}}, and header=False if "
            "line 1 is a row"
        )
    if asked:
        return False
    recurs = any(first[n] and first[n] in {row[n] for row in rows[1:]} for n in range(len(first)))
    return is_like_names and len(set(first)) == len(first) and not recurs


def chosen(frame: DataFrame, columns: Columns | None, where: str) -> DataFrame:
    """The columns that were asked for, in this order, by these names.

    Raises:
        UnknownName: there is no such column.
        DataError: two would have one name.
    """
    if columns is None:
        return frame
    names = list(frame.columns)
    pairs = columns.items() if isinstance(columns, Mapping) else [(name, name) for name in columns]
    new = [to for _, to in pairs]
    if len(set(new)) < len(new):
        raise DataError(f"{where}: two columns cannot have one name; received {_shown(new)}")
    old = []
    for name, _ in pairs:
        if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
            name = names[name]
        if name not in names:
            raise unknown("column", str(name), map(str, names))
        old.append(name)
    frame = frame[old]
    frame.columns = new
    return frame


def column(cells: Sequence[str]) -> Series:
    """The cells as whole numbers, numbers, truth values or texts; an empty one is missing."""
    import pandas as pd

    for words in _TRUTH:
        if cells[0] in words and all(cell in words for cell in cells):
            return pd.Series([words[cell] for cell in cells])
    numbers = _numbers(cells)
    if numbers is None:
        return pd.Series([cell or None for cell in cells])
    return number_column(numbers)


def number_column(numbers: list[Any]) -> Series:
    """Numbers, some of them `None`, without making 1 into 1.0 where one is missing."""
    import pandas as pd

    whole = all(number is None or type(number) is int for number in numbers)
    is_gapless = None not in numbers
    return pd.Series(numbers, dtype=("int64" if is_gapless else "Int64") if whole else "float64")


def _numbers(cells: Sequence[str]) -> list[Any] | None:
    """The numbers that the cells are, `None` for a missing one; or that they are none."""
    for pattern, number in ((_WHOLE, int), (_REAL, float)):
        numbers = _by(cells, pattern, number)
        if numbers is not None:
            return numbers
    return None


def _by(
    cells: Sequence[str], pattern: re.Pattern[str], number: Callable[[str], Any]
) -> list[Any] | None:
    fits = pattern.fullmatch
    if not all(fits(cell) or cell in _NONE for cell in cells):
        return None
    numbers = [None if cell in _NONE else number(cell) for cell in cells]
    return numbers if any(one is not None for one in numbers) else None


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(display_text(str(name), 40) for name in names[:8])
    return shown + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
