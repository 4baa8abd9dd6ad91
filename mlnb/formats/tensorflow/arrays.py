"""From a TensorProto to a NumPy array, whichever of its fields holds the elements.

Where fewer elements are stored than the shape asks for, the last one stands for the rest: that is
how TensorFlow writes `tf.zeros([1000, 1000])`. Nothing is allocated before its size was looked at.

The message: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/tensor.proto
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import ModelFormatError
from mlnb.formats.element_types import numpy_dtype
from mlnb.formats.wire import LEN, fields, text, varint

if TYPE_CHECKING:
    from mlnb.formats.tensorflow.types import StoredTensor

Array = np.ndarray[Any, np.dtype[Any]]

_CONTENT, _STRINGS, _HALVES, _FLOAT8 = 4, 8, 13, 18
_FIXED = {5: "<f4", 6: "<f8", 9: "<c8", 12: "<c16"}
_VARINTS = frozenset({7, 10, 11, 16, 17})


def to_array(proto: bytes, tensor: StoredTensor) -> Array:
    """The elements in the TensorProto `proto`, which `tensor` describes.

    Raises:
        ModelFormatError: they are too many or too few for the shape, or of no known type.
        MissingExtra: the type needs ml_dtypes, and it is not installed.
    """
    if tensor.dtype in ("unknown", "resource", "variant"):
        raise ModelFormatError(f"it holds {tensor.dtype}, which is no array")
    contents: dict[int, list[bytes]] = {}
    singly: set[int] = set()
    for tag, start, stop in fields(proto, 0, len(proto)):
        if tag >> 3 >= _CONTENT:
            contents.setdefault(tag >> 3, []).append(proto[start:stop])
            if tag & 7 != LEN:
                singly.add(tag >> 3)
    if tensor.dtype == "string":
        strings = [text(item) for item in contents.get(_STRINGS, ())]
        return _spread(np.array(strings, object), tensor.shape)
    dtype = numpy_dtype(tensor.dtype)
    if content := b"".join(contents.get(_CONTENT, ())):
        return _spread(_whole(content, dtype), tensor.shape)
    for number, chunks in contents.items():
        return _spread(_elements(number, b"".join(chunks), dtype), tensor.shape)
    return _spread(np.zeros(0, dtype), tensor.shape)


def _elements(number: int, content: bytes, dtype: np.dtype[Any]) -> Array:
    """The elements of one repeated field, packed or not: both are the same bytes in a row."""
    if number in _FIXED:
        return _whole(content, np.dtype(_FIXED[number])).astype(dtype)
    if number == _FLOAT8:
        return _whole(content, np.dtype(np.uint8)).view(dtype)
    if number == _HALVES:
        return np.array(_numbers(content), np.uint64).astype(np.uint16).view(dtype)
    if number in _VARINTS:
        return np.array(_numbers(content), np.uint64).view(np.int64).astype(dtype)
    raise ModelFormatError(f"its elements stand in field {number}, which is none for {dtype.name}")


def _whole(content: bytes, dtype: np.dtype[Any]) -> Array:
    if len(content) % dtype.itemsize:
        raise ModelFormatError(f"{len(content):,} bytes are no whole number of {dtype.name}")
    return np.frombuffer(content, dtype)


def _numbers(content: bytes) -> list[int]:
    numbers, position = [], 0
    while position < len(content):
        value, position = varint(content, position, len(content))
        numbers.append(value)
    return numbers


def _spread(flat: Array, shape: tuple[int, ...]) -> Array:
    """The array of that shape; the last element that is stored stands for those that are not."""
    count = 1
    for size in shape:
        count *= size
    if flat.size > count:
        raise ModelFormatError(f"it stores {flat.size:,} elements, its shape has {count:,}")
    if flat.size == count:
        return flat.reshape(shape)
    if not flat.size:
        return np.zeros(shape, flat.dtype) if flat.dtype != object else np.full(shape, "", object)
    if flat.size == 1:
        return np.broadcast_to(flat.reshape(()), shape)
    return np.concatenate([flat, np.repeat(flat[-1:], count - flat.size)]).reshape(shape)
