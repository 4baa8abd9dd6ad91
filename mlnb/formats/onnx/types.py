"""ONNX's element types and the types of its values: TypeProto to dtype, shape and kind.

A dimension that the file leaves empty, or gives as a negative number or an empty name, is unknown
(`None`): exporters write all three and mean the same.

The messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from mlnb.formats.wire import VARINT, fields, integer, key, text
from mlnb.specs import Dimension, Shape, TensorSpec

if TYPE_CHECKING:
    from mlnb.limits import Limits


@dataclass(frozen=True, slots=True)
class ElementType:
    """One of ONNX's element types.

    Args:
        name: NumPy's name, or ml_dtypes' where NumPy has none.
        bits: of one element in `raw_data`; 0 where elements have no fixed size.
        field: the number of the TensorProto field that holds them where `raw_data` does not.
    """

    name: str
    bits: int
    field: int


_FLOATS, _INTS, _STRINGS, _LONGS, _DOUBLES, _UNSIGNED = 4, 5, 6, 7, 10, 11

ELEMENT_TYPES = {
    1: ElementType("float32", 32, _FLOATS),
    2: ElementType("uint8", 8, _INTS),
    3: ElementType("int8", 8, _INTS),
    4: ElementType("uint16", 16, _INTS),
    5: ElementType("int16", 16, _INTS),
    6: ElementType("int32", 32, _INTS),
    7: ElementType("int64", 64, _LONGS),
    8: ElementType("string", 0, _STRINGS),
    9: ElementType("bool", 8, _INTS),
    10: ElementType("float16", 16, _INTS),
    11: ElementType("float64", 64, _DOUBLES),
    12: ElementType("uint32", 32, _UNSIGNED),
    13: ElementType("uint64", 64, _UNSIGNED),
    14: ElementType("complex64", 64, _FLOATS),
    15: ElementType("complex128", 128, _DOUBLES),
    16: ElementType("bfloat16", 16, _INTS),
    17: ElementType("float8_e4m3fn", 8, _INTS),
    18: ElementType("float8_e4m3fnuz", 8, _INTS),
    19: ElementType("float8_e5m2", 8, _INTS),
    20: ElementType("float8_e5m2fnuz", 8, _INTS),
    21: ElementType("uint4", 4, _INTS),
    22: ElementType("int4", 4, _INTS),
    23: ElementType("float4_e2m1fn", 4, _INTS),
    24: ElementType("float8_e8m0fnu", 8, _INTS),
    25: ElementType("uint2", 2, _INTS),
    26: ElementType("int2", 2, _INTS),
    27: ElementType("float6_e2m3fn", 6, _INTS),
    28: ElementType("float6_e3m2fn", 6, _INTS),
}
UNKNOWN = ElementType("unknown", 0, 0)


def element_type(number: int) -> ElementType:
    """The element type with ONNX's number; one called `"unknown"` for a number that is none."""
    return ELEMENT_TYPES.get(number, UNKNOWN)


def stored_size(element: ElementType, shape: tuple[int, ...]) -> int | None:
    """How many bytes a tensor takes; `None` where its elements have no fixed size."""
    if not element.bits or any(dimension < 0 for dimension in shape):
        return None
    return (prod(shape) * element.bits + 7) // 8


def value_info(data: bytes, start: int, stop: int, limits: Limits) -> TensorSpec:
    """The name, dtype, shape and kind in a ValueInfoProto."""
    name, spec = "", _UNTYPED
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1):
            name = text(data[begin:end])[: limits.name_length]
        elif tag == key(2):
            spec = type_of(data, begin, end, limits)
    return TensorSpec(name, spec.dtype, spec.shape, spec.kind)


_UNTYPED = TensorSpec("", "unknown", None)
_KINDS = {key(4): "sequence", key(5): "map", key(8): "sparse", key(9): "optional"}


def type_of(data: bytes, start: int, stop: int, limits: Limits, depth: int = 0) -> TensorSpec:
    """The dtype, shape and kind in a TypeProto; a nested kind reads `"optional sequence"`."""
    limits.check("depth", depth, "the type of a value")
    for tag, begin, end in fields(data, start, stop):
        if tag in (key(1), key(8)):
            return _tensor_type(data, begin, end, limits, _KINDS.get(tag, "tensor"))
        if tag in _KINDS:
            return _container(data, begin, end, limits, depth, _KINDS[tag])
        if tag == key(7):
            return TensorSpec("", "unknown", None, "opaque")
    return _UNTYPED


def _container(
    data: bytes, start: int, stop: int, limits: Limits, depth: int, kind: str
) -> TensorSpec:
    """A sequence, an optional, or a map; what it holds is field 1, or 2 in a map after the key."""
    inner = _UNTYPED
    for tag, begin, end in fields(data, start, stop):
        if tag == key(2 if kind == "map" else 1):
            inner = type_of(data, begin, end, limits, depth + 1)
    kinds = kind if inner.kind == "tensor" else f"{kind} {inner.kind}"
    return TensorSpec("", inner.dtype, inner.shape, kinds)


def _tensor_type(data: bytes, start: int, stop: int, limits: Limits, kind: str) -> TensorSpec:
    element, shape = UNKNOWN, None
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1, VARINT):
            element = element_type(integer(data, begin, end))
        elif tag == key(2):
            shape = _shape(data, begin, end, limits)
    return TensorSpec("", element.name, shape, kind)


def _shape(data: bytes, start: int, stop: int, limits: Limits) -> Shape:
    shape: list[Dimension] = []
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1):
            shape.append(_dimension(data, begin, end))
    limits.check("rank", len(shape), "the shape of a value")
    return tuple(shape)


def _dimension(data: bytes, start: int, stop: int) -> Dimension:
    dimension: Dimension = None
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1, VARINT):
            size = integer(data, begin, end)
            dimension = None if size < 0 else size
        elif tag == key(2):
            dimension = text(data[begin:end]) or None
    return dimension
