"""From a TensorProto to a NumPy array, whichever of its eight fields holds the elements.

Types that NumPy lacks come as ml_dtypes' (bfloat16, float8, int4 …). The count of elements is held
against the shape before anything is reshaped: a file may promise a terabyte and store four bytes.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from mlnb.errors import ModelFormatError
from mlnb.formats.element_types import numpy_dtype
from mlnb.formats.wire import LEN, fields, text

if TYPE_CHECKING:
    from mlnb.formats.onnx.tensor import StoredTensor
    from mlnb.formats.onnx.types import ElementType

_RAW = 9


def to_array(proto: bytes, tensor: StoredTensor) -> np.ndarray:
    """The elements in the TensorProto `proto`, which `tensor` describes.

    Raises:
        ModelFormatError: they are too few or too many for the shape.
        MissingExtra: the type needs ml_dtypes, and it is not installed.
    """
    element, shape = tensor.element, tensor.shape
    if element.name == "unknown":
        raise ModelFormatError("the tensor has an element type that ONNX does not know")
    chunks = _chunks(proto, element)
    if element.name == "string":
        strings = np.array([text(chunk) for _, chunk in chunks], dtype=object)
        return _shaped(strings, shape)
    if any(number == _RAW for number, _ in chunks):
        raw = b"".join(chunk for number, chunk in chunks if number == _RAW)
        return from_raw(raw, element, shape)
    return _from_field(b"".join(chunk for _, chunk in chunks), element, shape)


def spread(one: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What a ConstantOfShape makes: its one element, over the whole shape."""
    if one.size != 1:
        raise ModelFormatError(f"a ConstantOfShape spreads one element; received {one.size}")
    return np.broadcast_to(one.reshape(()), shape)


def _chunks(proto: bytes, element: ElementType) -> list[tuple[int, bytes]]:
    """What the fields with elements hold; elements that stand singly join to a packed field."""
    chunks = []
    for tag, start, stop in fields(proto, 0, len(proto)):
        number = tag >> 3
        if (number == _RAW and tag & 7 == LEN) or number == element.field:
            chunks.append((number, proto[start:stop]))
    return chunks


def from_raw(raw: bytes, element: ElementType, shape: tuple[int, ...]) -> np.ndarray:
    """Elements that lie there as they are, little-endian; small ones are packed, lowest bits first.

    Raises:
        ModelFormatError: they are too few or too many for the shape.
        MissingExtra: the type needs ml_dtypes, and it is not installed.
    """
    if element.bits < 8:
        return _unpacked(np.frombuffer(raw, np.uint8), element, shape)
    dtype = numpy_dtype(element.name)
    if len(raw) % dtype.itemsize:
        raise ModelFormatError(f"{len(raw):,} bytes are no whole number of {element.name}")
    return _shaped(np.frombuffer(raw, dtype.newbyteorder("<")), shape)


def _from_field(packed: bytes, element: ElementType, shape: tuple[int, ...]) -> np.ndarray:
    """Elements from a typed field: floats lie there as they are, all others as varints."""
    name = element.name
    if name in ("float32", "complex64", "float64", "complex128"):
        return from_raw(packed, element, shape)
    numbers = decode_varints(packed)
    if name in ("int64", "uint64"):
        return _shaped(numbers.view(np.int64 if name == "int64" else np.uint64), shape)
    if element.bits < 8 and not name.startswith("float6"):
        return _unpacked(numbers.astype(np.uint8), element, shape)
    if element.bits == 32:
        return _shaped(numbers.astype(np.uint32).view(numpy_dtype(element.name)), shape)
    if name.startswith("float6"):
        numbers &= np.uint64(0x3F)
    bits = numbers.astype(np.uint16 if element.bits == 16 else np.uint8)
    if name == "bool":
        return _shaped(bits != 0, shape)
    return _shaped(bits.view(numpy_dtype(element.name)), shape)


def _unpacked(data: np.ndarray, element: ElementType, shape: tuple[int, ...]) -> np.ndarray:
    """Elements of 2, 4 or 6 bits, the lowest bits first; int4 and int2 carry a sign."""
    count = prod(shape)
    bits = np.unpackbits(data, bitorder="little")
    if count < 0 or not 0 <= len(bits) - count * element.bits < 8:
        raise ModelFormatError(_mismatch(len(bits) // element.bits, shape))
    rows = bits[: count * element.bits].reshape(count, element.bits)
    values = np.zeros(count, np.uint8)
    for i in range(element.bits):
        values |= rows[:, i] << i
    if element.name.startswith("int"):
        shift = 8 - element.bits
        signed = ((values << shift).view(np.int8) >> shift).astype(np.int8)
        return _shaped(signed.astype(numpy_dtype(element.name)), shape)
    if element.name.startswith("uint"):
        return _shaped(values.astype(numpy_dtype(element.name)), shape)
    return _shaped(values.view(numpy_dtype(element.name)), shape)


def decode_varints(packed: bytes) -> np.ndarray:
    """All numbers of a packed field at once, as unsigned 64 bits."""
    data = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        raise ModelFormatError("the last number of the tensor is cut off")
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    lengths = ends - starts + 1
    if len(lengths) and lengths.max() > 10:
        raise ModelFormatError("a number of the tensor has more than ten bytes")
    numbers = np.zeros(len(ends), np.uint64)
    for i in range(int(lengths.max(initial=0))):
        longer = lengths > i
        digits = data[starts[longer] + i].astype(np.uint64) & np.uint64(0x7F)
        numbers[longer] |= digits << np.uint64(7 * i)
    return numbers


def _shaped(flat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    count = prod(shape)
    if count != flat.size or any(dimension < 0 for dimension in shape):
        raise ModelFormatError(_mismatch(flat.size, shape))
    return flat.reshape(shape)


def _mismatch(stored: int, shape: tuple[int, ...]) -> str:
    return f"the tensor should have the shape {list(shape)}; {stored:,} elements are stored"
