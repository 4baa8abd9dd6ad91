"""Targets as they come, brought into NumPy: gaps, mixed kinds and ragged rows are told there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.formatting import plural
from mlnb.train.feed.labels import row_text, told

Array = npt.NDArray[Any]

IGNORED = -100
"""torch's own label for rows without one."""


def target_array(values: Any, name: str = "targets") -> Array:
    """Targets as a NumPy array: numbers, bools, or objects that are all text.

    Raises:
        DataError: gaps, rows of unequal length, labels of several kinds.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = values.float() if values.dtype == torch.bfloat16 else values
        return np.asarray(values.numpy())
    if hasattr(values, "to_numpy"):
        missing = np.asarray(values.isna()) if hasattr(values, "isna") else np.zeros(1, bool)
        if missing.any():
            _refuse_rows(np.argwhere(missing)[:, 0], name)
        values = values.to_numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"{name} have rows of unequal length; give each row as many numbers, or one label"
        ) from error
    if array.dtype.kind in "SU" and isinstance(values, list | tuple):
        # NumPy writes numbers beside text as text, and None as 'None'.
        array = np.array(values, object)
    if array.dtype.kind in "OSUT":
        array = _text(array, name)
    if array.ndim == 0:
        raise DataError(f"{name} are one value, {array}; expected one a row")
    return array


def as_tensor(array: Array) -> Tensor:
    """A tensor on the array's own memory, wherever torch can have it."""
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    if any(stride < 0 for stride in array.strides):
        array = np.ascontiguousarray(array)
    if not array.flags.writeable:
        import warnings

        with warnings.catch_warnings():
            # Nobody writes into it; torch cannot know.
            warnings.simplefilter("ignore")
            return torch.from_numpy(array)
    return torch.from_numpy(array)


def check_range(array: Array, classes: int, name: str = "targets") -> None:
    """Whether every label has an output.

    Raises:
        DataError: with the labels and the rows.
    """
    bad = ((array < 0) & (array != IGNORED)) | (array >= classes)
    if bad.any():
        raise DataError(beyond(array, bad, classes, name))


def beyond(
    array: Array,
    bad: Array,
    outputs: int | None,
    name: str = "targets",
    *,
    occurring: int | None = None,
) -> str:
    """The message for labels without an output.

    Args:
        array: all labels.
        bad: which of them.
        outputs: how many the model has; `None` without one.
        name: what the labels are called.
        occurring: how many labels there are, where all rows are known.
    """
    labels = np.unique(array[bad])
    held = (
        f"{name} hold the {'label' if len(labels) == 1 else 'labels'} {told(labels)} "
        f"({row_text(np.argwhere(bad)[:, 0])})"
    )
    if outputs is not None:
        held += (
            f", and the model has {plural(outputs, 'output')}, for the labels 0 to {outputs - 1}"
        )
    else:
        held += ", and labels are counted from 0"
    if (labels < 0).any():
        return (
            f"{held}: leave those rows out where {labels.min()} means that there is no label, "
            "or count the labels from 0"
        )
    needed = int(labels.max()) + 1
    fewer = occurring is not None and occurring < needed
    each = f", or {occurring}, one for each label that occurs" if fewer else ""
    return f"{held}: give its last layer {needed} outputs{each}, or mend the labels"


def _text(array: Array, name: str) -> Array:
    """Objects that are all text as text, or all numbers as numbers."""
    flat = [_plain(value) for value in array.reshape(-1).tolist()]
    gaps = [row for row, value in enumerate(flat) if value is None or value != value]
    width = max(1, array.size // max(1, len(array))) if array.ndim else 1
    if gaps:
        _refuse_rows([row // width for row in gaps], name)
    kinds = {("text" if isinstance(v, str) else _kind(v)) for v in flat}
    if kinds == {"text"}:
        return np.array(flat, object).reshape(array.shape)
    if kinds and kinds <= {"number"}:
        return np.array(flat).reshape(array.shape)
    if kinds == {"bool"}:
        return np.array(flat, bool).reshape(array.shape)
    if "other" in kinds:
        strange = next(v for v in flat if _kind(v) == "other" and not isinstance(v, str))
        if isinstance(strange, Sequence):
            raise DataError(
                f"{name} have rows of unequal length; give each row as many numbers, or one label"
            )
        raise DataError(f"{name} hold a {type(strange).__name__}; expected numbers, bools or text")
    raise DataError(
        f"{name} hold {' and '.join(sorted(k + ('s' if k != 'text' else '') for k in kinds))} at "
        "once; give all labels as text, or all as numbers"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    # pandas' NA is neither true nor false; only its type tells.
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "bool"
    return "number" if isinstance(value, int | float | np.number) else "other"


def refuse_gaps(array: Array, name: str) -> None:
    """Whether every float is a number.

    Raises:
        DataError: with the rows.
    """
    bad = ~np.isfinite(array)
    if bad.any():
        _refuse_rows(np.argwhere(bad)[:, 0], name, "NaN" if np.isnan(array).any() else "Inf")


def _refuse_rows(rows: Any, name: str, what: str = "a gap") -> None:
    raise DataError(
        f"{name} hold {what} in {row_text(rows)}: leave these rows out, or fill in what is missing"
    )
