"""Types of elements as files name them: their sizes, and NumPy's dtype for each.

Types that NumPy lacks come as ml_dtypes' (bfloat16, float8 …), where it is installed.
"""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING

from mlnb.errors import MissingExtra, ModelFormatError

if TYPE_CHECKING:
    import numpy as np

    from mlnb.specs import Shape

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
    "qint16": 2,
    "quint16": 2,
    "float4_e2m1fn_x2": 1,
    "float8_e4m3b11fnuz": 1,
    "int4": 1,
    "uint4": 1,
    "int2": 1,
    "uint2": 1,
}
"""Bytes of one element, by the name of its type; packed types by the byte, as TensorFlow's small
integers are; of ONNX's, which it packs, `onnx/types.py` knows the bits."""

_STORED_AS = {name: name[1:] for name in ("qint8", "quint8", "qint16", "quint16", "qint32")}
_OF_ML_DTYPES = re.compile(r"bfloat16|float[468]_e\d+m\d+[a-z\d]*|u?int[24]")


def numpy_dtype(name: str) -> np.dtype:
    """NumPy's dtype for a type of elements; a quantised one by the integers that are stored.

    >>> numpy_dtype("bfloat16"), numpy_dtype("qint8")
    (dtype(bfloat16), dtype('int8'))

    Raises:
        ModelFormatError: NumPy has nothing for it.
        MissingExtra: it takes ml_dtypes, or a newer one.
    """
    from mlnb.child.arrays import dtype_named

    try:
        return dtype_named(_STORED_AS.get(name, name))
    except (ImportError, AttributeError) as error:
        if not _OF_ML_DTYPES.fullmatch(name):
            raise ModelFormatError(f"NumPy has no arrays of {name}") from error
        raise MissingExtra(f"{name} needs ml_dtypes; run: pip install -U ml_dtypes") from error


def stored_bytes(dtype: str, shape: Shape | None) -> int | None:
    """The size of a tensor in bytes; `None` where its type or a dimension is not known.

    >>> stored_bytes("float32", (2, 3)), stored_bytes("float32", ("N", 3))
    (24, None)
    """
    numbers = [size for size in shape or () if isinstance(size, int) and size >= 0]
    if shape is None or dtype not in ITEM_BYTES or len(numbers) < len(shape):
        return None
    return prod(numbers) * ITEM_BYTES[dtype]


def swapped(raw: bytes, dtype: np.dtype) -> bytes:
    """The bytes of each number in turned order; a complex one is two numbers."""
    import numpy as np

    unit = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    return np.frombuffer(raw, np.uint8).reshape(-1, unit)[:, ::-1].tobytes()


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
