"""Types of elements as files of weights name them: their sizes, and NumPy's dtype for each.

Types that NumPy lacks come as ml_dtypes' (bfloat16, float8 …), where it is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.errors import MissingExtra, ModelFormatError

if TYPE_CHECKING:
    import numpy as np

ITEM_BYTES = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "uint16": 2,
    "int16": 2,
    "uint32": 4,
    "int32": 4,
    "uint64": 8,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex32": 4,
    "complex64": 8,
    "complex128": 16,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "qint8": 1,
    "quint8": 1,
    "qint32": 4,
    "quint4x2": 1,
    "quint2x4": 1,
    "float4_e2m1fn_x2": 1,
}
"""Bytes of one element, by the name of its type; packed types by the byte."""

_STORED_AS = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}


def numpy_dtype(name: str) -> np.dtype:
    """NumPy's dtype for a type of elements; a quantised one by the integers that are stored.

    Raises:
        ModelFormatError: NumPy has nothing for it.
        MissingExtra: it takes ml_dtypes.
    """
    import numpy as np

    name = _STORED_AS.get(name, name)
    try:
        return np.dtype(name)
    except TypeError:
        pass
    if not name.startswith(("bfloat", "float8", "int4", "uint4")):
        raise ModelFormatError(f"NumPy has no arrays of {name}")
    try:
        import ml_dtypes

        dtype: np.dtype = np.dtype(getattr(ml_dtypes, name))
    except (ImportError, AttributeError) as error:
        raise MissingExtra(f"{name} needs ml_dtypes; run: pip install -U ml_dtypes") from error
    return dtype


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a tensor that lies row by row, in elements.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def extent(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """How many elements of its storage a tensor spans, from its first one.

    >>> extent((2, 3), (3, 1))
    6
    """
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
