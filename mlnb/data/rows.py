"""Which rows of a frame take part, by the columns `status` and `left_out` where it has them.

And what one says of rows and columns in a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

_COLUMNS = 12
_REASONS = 3


def is_left_out(frame: DataFrame) -> BoolArray:
    """Whether somebody left each row out, as in `ImageGrid`: `left_out` is `True`.

    >>> is_left_out(pd.DataFrame({"left_out": [True, False, None]}))
    array([ True, False, False])
    """
    if "left_out" not in frame:
        return np.zeros(len(frame), bool)
    return np.asarray(frame["left_out"].eq(True).fillna(False), bool)


def is_good(frame: DataFrame) -> BoolArray:
    """Whether each row can be read: `status` is "ok"; without such a column all can."""
    if "status" not in frame:
        return np.ones(len(frame), bool)
    return np.asarray(frame["status"].eq("ok").fillna(False), bool)


def taking_part(frame: DataFrame) -> BoolArray:
    """Whether each row can be read and was not left out.

    >>> taking_part(pd.DataFrame({"status": ["ok", "damaged", "ok"], "left_out": [0, 0, True]}))
    array([ True, False, False])
    """
    taken: BoolArray = is_good(frame) & ~is_left_out(frame)
    return taken


def columns_text(frame: DataFrame) -> str:
    """The first columns of a frame in a sentence; "none" where there are none."""
    shown = [display_text(str(name), 40) for name in frame.columns[:_COLUMNS]]
    more = len(frame.columns) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "") if shown else "none"


def require_column(frame: DataFrame, name: Any) -> None:
    """Refuse a column that is not there, or more than once.

    Raises:
        UnknownName: there is no such column.
        DataError: there are several.
    """
    count = int((frame.columns == name).sum())
    if count == 0:
        raise unknown("column", str(name), [str(column) for column in frame.columns])
    if count > 1:
        raise DataError(
            f"The frame has {count} columns {display_text(str(name), 40)!r}; rename all but one."
        )


def kind_text(given: Any) -> str:
    """What was received in place of what was expected: `int64 [3, 2]`, or the name of its type."""
    if isinstance(given, np.ndarray):
        return f"{given.dtype} {list(given.shape)}"
    return display_text(type(given).__name__, 40)


def left_out_text(left_out: Mapping[Any, str], noun: str) -> str:
    """One line on what was left out and why, the most frequent reasons first.

    >>> left_out_text({3: "it has no label", 7: "its text is empty", 8: "it has no label"}, "text")
    'left out 3 texts: it has no label (2), its text is empty (1)'

    Args:
        left_out: the reasons by the ids; one at least.
        noun: for one of them.
    """
    counts = Counter(left_out.values()).most_common()
    shown = [f"{display_text(why, 100)} ({count:,})" for why, count in counts[:_REASONS]]
    more = [f"and {plural(len(counts) - _REASONS, 'other reason')}"] if counts[_REASONS:] else []
    return f"left out {plural(len(left_out), noun)}: {', '.join(shown + more)}"
