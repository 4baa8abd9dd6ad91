"""TensorFlow's element types, shapes, and what a TensorProto is without its elements.

The messages: types.proto, tensor_shape.proto and tensor.proto in
https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from mlnb.formats.wire import VARINT, fields, integer, key

if TYPE_CHECKING:
    from mlnb.limits import Limits
    from mlnb.specs import Dimension, Shape

Span = tuple[int, int]

DTYPES: dict[int, tuple[str, int]] = {
    1: ("float32", 32),
    2: ("float64", 64),
    3: ("int32", 32),
    4: ("uint8", 8),
    5: ("int16", 16),
    6: ("int8", 8),
    7: ("string", 0),
    8: ("complex64", 64),
    9: ("int64", 64),
    10: ("bool", 8),
    11: ("qint8", 8),
    12: ("quint8", 8),
    13: ("qint32", 32),
    14: ("bfloat16", 16),
    15: ("qint16", 16),
    16: ("quint16", 16),
    17: ("uint16", 16),
    18: ("complex128", 128),
    19: ("float16", 16),
    20: ("resource", 0),
    21: ("variant", 0),
    22: ("uint32", 32),
    23: ("uint64", 64),
    24: ("float8_e5m2", 8),
    25: ("float8_e4m3fn", 8),
    26: ("float8_e4m3fnuz", 8),
    27: ("float8_e4m3b11fnuz", 8),
    28: ("float8_e5m2fnuz", 8),
    29: ("int4", 8),
    30: ("uint4", 8),
    31: ("int2", 8),
    32: ("uint2", 8),
}
"""Name and bits by DataType; types under a byte are stored one element a byte."""

_BITS = dict(DTYPES.values())
_REFERENCE = 100
"""DT_FLOAT_REF is DT_FLOAT + 100: a tensor that may be written to."""

OMITTED = key(1000, VARINT)
"""The field of a lean copy that counts the bytes of elements which were left out of it."""

HANDLES = frozenset({"resource", "variant"})
"""What stands for a variable, a table, a list or a data set: nothing that can be looked at."""


def dtype_name(number: int) -> str:
    """The dtype with that DataType; `"unknown"` for a number that is none."""
    return DTYPES.get(number - _REFERENCE if number > _REFERENCE else number, ("unknown", 0))[0]


def stored_size(dtype: str, shape: Shape | None) -> int | None:
    """How many bytes a tensor takes; `None` where its elements have no fixed size."""
    bits = _BITS.get(dtype, 0)
    sizes = [size for size in shape or () if isinstance(size, int) and size >= 0]
    if not bits or shape is None or len(sizes) < len(shape):
        return None
    return (prod(sizes) * bits + 7) // 8


def shape_of(data: bytes, start: int, stop: int, limits: Limits) -> Shape | None:
    """The shape in a TensorShapeProto; `None` where it says that the rank is unknown."""
    dimensions: list[Dimension] = []
    for tag, begin, end in fields(data, start, stop):
        if tag == key(2):
            dimensions.append(_dimension(data, begin, end))
            if len(dimensions) > limits.rank:
                limits.check("rank", len(dimensions), "the shape of a tensor")
        elif tag == key(3, VARINT) and integer(data, begin, end):
            return None
    return tuple(dimensions)


def _dimension(data: bytes, start: int, stop: int) -> Dimension:
    size = 0
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1, VARINT):
            size = integer(data, begin, end)
    return None if size < 0 else size


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A TensorProto without its elements.

    Args:
        dtype: as in `TensorSpec`.
        shape: as stored.
        nbytes: how much its elements take; for text, what is stored.
    """

    dtype: str
    shape: tuple[int, ...]
    nbytes: int


def describe(data: bytes, start: int, stop: int, limits: Limits) -> StoredTensor:
    """The tensor whose TensorProto is `data[start:stop]`; its elements may have been left out."""
    dtype, stored = "unknown", 0
    shape: tuple[int, ...] = ()
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1, VARINT):
            dtype = dtype_name(integer(data, begin, end))
        elif tag == key(2):
            known = shape_of(data, begin, end, limits) or ()
            shape = tuple(size for size in known if isinstance(size, int))
        elif tag == OMITTED:
            stored += integer(data, begin, end)
        elif tag >> 3 >= 4:
            stored += end - begin
    size = stored_size(dtype, shape)
    return StoredTensor(dtype, shape, stored if size is None else size)
