"""TensorFlow's element types, shapes, and what a TensorProto is without its elements.

The messages: types.proto, tensor_shape.proto and tensor.proto in
https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlnb.formats.element_types import stored_bytes
from mlnb.formats.wire import VARINT, fields, integer, key

if TYPE_CHECKING:
    from mlnb.limits import Limits
    from mlnb.specs import Dimension, Shape

Span = tuple[int, int]

_TYPES = """INVALID FLOAT DOUBLE INT32 UINT8 INT16 INT8 STRING COMPLEX64 INT64 BOOL QINT8 QUINT8
    QINT32 BFLOAT16 QINT16 QUINT16 UINT16 COMPLEX128 HALF RESOURCE VARIANT UINT32 UINT64 FLOAT8_E5M2
    FLOAT8_E4M3FN FLOAT8_E4M3FNUZ FLOAT8_E4M3B11FNUZ FLOAT8_E5M2FNUZ INT4 UINT4 INT2 UINT2"""
_OTHERWISE = {"INVALID": "unknown", "FLOAT": "float32", "DOUBLE": "float64", "HALF": "float16"}

ENUMS = {f"DT_{name}": number for number, name in enumerate(_TYPES.split())}
"""The numbers of the DataTypes by the names that text has for them."""

_NAMES = [_OTHERWISE.get(name, name.lower()) for name in _TYPES.split()]
_REFERENCE = 100
"""DT_FLOAT_REF is DT_FLOAT + 100: a tensor that may be written to."""
ENUMS |= {f"{name}_REF": number + _REFERENCE for name, number in ENUMS.items()}

OMITTED = key(1000, VARINT)
"""The field of a lean copy that counts the bytes of elements which were left out of it."""

HANDLES = frozenset({"resource", "variant"})
"""What stands for a variable, a table, a list or a data set: nothing that can be looked at."""


def dtype_name(number: int) -> str:
    """The dtype with that DataType; `"unknown"` for a number that is none."""
    number -= _REFERENCE if number > _REFERENCE else 0
    return _NAMES[number] if 0 <= number < len(_NAMES) else "unknown"


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
        omitted: whether its elements were left out of what it was read from.
    """

    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    omitted: bool = False


def describe(data: bytes, start: int, stop: int, limits: Limits) -> StoredTensor:
    """The tensor whose TensorProto is `data[start:stop]`; its elements may have been left out."""
    dtype, stored, omitted = "unknown", 0, False
    shape: tuple[int, ...] = ()
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1, VARINT):
            dtype = dtype_name(integer(data, begin, end))
        elif tag == key(2):
            known = shape_of(data, begin, end, limits) or ()
            shape = tuple(size for size in known if isinstance(size, int))
        elif tag == OMITTED:
            omitted, stored = True, stored + integer(data, begin, end)
        elif tag >> 3 >= 4:
            stored += end - begin
    size = stored_bytes(dtype, shape)
    return StoredTensor(dtype, shape, stored if size is None else size, omitted)
