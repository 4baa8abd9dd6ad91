"""What a dtype may become on its way into a model: `converted`, and why not.

A conversion that could lose a value's meaning is refused; one that only rounds is made and told.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlnb.child.arrays import dtype_named
from mlnb.formatting import plural

Array = np.ndarray[Any, np.dtype[Any]]

_PLAIN_FLOATS = {"float16": "np.float16", "float32": "np.float32", "float64": "np.float64"}


class Problem(Exception):
    """A sentence on what does not fit."""


def converted(array: Array, dtype: str, chosen: bool) -> tuple[Array, str]:
    """`array` as `dtype`, and what was changed (empty for nothing).

    Args:
        array: as the user gave it.
        dtype: as in `TensorSpec`.
        chosen: whether the array's dtype was somebody's choice, or only what NumPy made of a list.

    Raises:
        Problem: it would lose a value, or what it means.
    """
    if dtype == "string":
        return _strings(array), ""
    if dtype == "unknown" or array.dtype.name == dtype:
        return array, ""
    have, want = family(array.dtype), family(dtype_named(dtype))
    if array.dtype.kind in "OUSTmMV" and not have:
        raise Problem("It holds no numbers.") if array.size else Problem("")
    if have == want or (not chosen and (have, want) == ("integer", "float")):
        result = _cast(array, dtype, want)
    elif {have, want} == {"integer", "float"}:
        raise Problem(
            "Floats do not become integers by themselves: round them first."
            if have == "float"
            else "Integers do not become floats by themselves: scale them as the model was trained."
        )
    else:
        raise Problem("")
    return result, f"{array.dtype.name} became {dtype}" if chosen else ""


def family(dtype: np.dtype[Any]) -> str:
    """`"integer"` (bools too), `"float"`, `"complex"`, or empty for what is no number."""
    if dtype.kind in "biu":
        return "integer"
    if dtype.kind == "f":
        return "float"
    if dtype.kind == "c":
        return "complex"
    if dtype.isbuiltin == 2:
        return "integer" if "int" in dtype.name else "float"
    return ""


def another_family(have: np.dtype[Any], want: str) -> bool:
    """Whether numbers of one kind would become another kind, which only their owner can decide."""
    if want in ("string", "unknown") or not family(have):
        return False
    return family(have) != family(dtype_named(want))


def expected_dtype(dtype: str) -> str:
    """The dtype as one writes it in a cell; for what NumPy lacks, one that converts into it."""
    if dtype in _PLAIN_FLOATS:
        return _PLAIN_FLOATS[dtype]
    if dtype == "string":
        return "object"
    if dtype == "bool":
        return "np.bool_"
    if dtype == "unknown":
        return "np.float32"
    if "int" in dtype:
        known = hasattr(np, dtype)
        return f"np.{dtype}" if known else "np.uint8" if dtype.startswith("u") else "np.int8"
    return f"np.{dtype}" if dtype.startswith("complex") else "np.float32"


def nan_note(array: Array) -> str:
    """Says how many values are NaN; empty for none."""
    if not array.size or family(array.dtype) != "float":
        return ""
    count = int(np.count_nonzero(np.isnan(array)))
    return f"holds {plural(count, 'NaN value')}" if count else ""


def _cast(array: Array, dtype: str, kind: str) -> Array:
    target = dtype_named(dtype)
    if kind == "integer":
        _require_range(array, dtype, target)
        return array.astype(target)
    with np.errstate(all="ignore"):
        result = array.astype(target)
        grown = np.count_nonzero(~np.isfinite(result)) - np.count_nonzero(~np.isfinite(array))
    if grown > 0:
        raise Problem(f"{plural(int(grown), 'value')} would become infinite.")
    return result


def _require_range(array: Array, dtype: str, target: np.dtype[Any]) -> None:
    if not array.size:
        return
    low, high = int(array.min()), int(array.max())
    least, most = _range(target)
    if low < least or high > most:
        raise Problem(f"Values from {low} to {high} do not fit {dtype} ({least} to {most}).")


def _range(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    if dtype.isbuiltin == 2:
        import ml_dtypes

        return int(ml_dtypes.iinfo(dtype).min), int(ml_dtypes.iinfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _strings(array: Array) -> Array:
    """Text as onnxruntime takes it: an array of Python strings."""
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8").astype(object)
    if array.dtype.kind in "UT":
        return array.astype(object)
    if array.dtype.kind == "O" and all(isinstance(s, str | bytes) for s in array.reshape(-1)):
        return array
    raise Problem("It holds no text.")
