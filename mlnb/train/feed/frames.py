"""A pandas frame as features and targets: numeric columns in order, the target by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text
from mlnb.train.feed.labels import row_text

Array = npt.NDArray[Any]


def is_frame(data: Any) -> bool:
    """Whether it is a frame of pandas, which this module need not import for that."""
    return hasattr(data, "columns") and hasattr(data, "iloc") and hasattr(data, "dtypes")


def read_frame(
    frame: Any, target: str | Sequence[str] | None, columns: Sequence[str], name: str
) -> tuple[Array, Any, tuple[str, ...]]:
    """The features as float32, the targets as they stand, and the names of the features.

    >>> read_frame(pandas.DataFrame({"a": [1, 2], "y": [0, 1]}), "y", (), "data")[2]
    ('a',)

    Args:
        frame: numeric columns; they become features in order.
        target: which column holds the targets, or which columns.
        columns: the features that are wanted; all but the target where there are none.
        name: what it is called in messages.

    Raises:
        DataError: columns of text, gaps, no features; the columns and the rows are named.
        UnknownName: no such column.
    """
    doubled = [str(column) for column in frame.columns[frame.columns.duplicated()]]
    if doubled:
        raise DataError(f"{name} has {_columns_text(doubled)} more than once; rename one")
    wanted = [target] if isinstance(target, str) else list(target or ())
    have = [str(column) for column in frame.columns]
    for column in [*wanted, *columns]:
        if column not in have:
            raise unknown("column", column, have)
    frame = frame.set_axis(have, axis=1)
    features = list(columns) or [column for column in have if column not in wanted]
    if not features:
        raise DataError(f"{name} has no columns besides its target; a model needs one to learn by")
    inputs = frame[features].infer_objects()
    _refuse_text(inputs, name, named=bool(wanted))
    _refuse_gaps(inputs, name, ", or fill them, frame.fillna(frame.mean(numeric_only=True))")
    array = inputs.to_numpy(np.float32)
    targets = None
    if wanted:
        _refuse_gaps(frame[wanted], name)
        targets = frame[wanted[0]] if isinstance(target, str) else frame[wanted]
    return array, targets, tuple(features)


def _refuse_text(frame: Any, name: str, named: bool) -> None:
    """Every column is numbers or bools."""
    from pandas.api import types

    bad = [
        column
        for column, dtype in frame.dtypes.items()
        if not (types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype))
        or types.is_complex_dtype(dtype)
    ]
    if not bad:
        return
    first = frame[bad[0]].dropna()
    example = ""
    if len(first):
        row = frame[bad[0]].notna().to_numpy().argmax()
        example = f" (such as {display_text(repr(first.iloc[0]), 40)} in row {row})"
    listed = ", ".join(repr(display_text(column, 40)) for column in bad[:8])
    named_text = "" if named else f"; what is to be learned is named by target={bad[-1]!r}"
    raise DataError(
        f"{_columns_text(bad)} of {name} {'holds' if len(bad) == 1 else 'hold'} no numbers"
        f"{example}: make numbers of them, pandas.get_dummies(frame, columns=[{listed}]), or "
        f"leave them out, frame.drop(columns=[{listed}]){named_text}"
    )


def _refuse_gaps(frame: Any, name: str, filling: str = "") -> None:
    gaps = frame.isna().to_numpy()
    if not gaps.any():
        return
    bad = [column for column, has in zip(frame.columns, gaps.any(0), strict=True) if has]
    rows = np.flatnonzero(gaps.any(1))
    raise DataError(
        f"{_columns_text(bad)} of {name} {'has' if len(bad) == 1 else 'have'} gaps in "
        f"{row_text(rows)}: leave these rows out, frame.dropna(){filling}"
    )


def _columns_text(columns: Sequence[str]) -> str:
    shown = ", ".join(f"'{display_text(column, 40)}'" for column in columns[:8])
    more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
    return f"{'column' if len(columns) == 1 else 'columns'} {shown}{more}"
