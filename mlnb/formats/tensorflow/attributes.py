"""The attributes of a TensorFlow node, parsed when first looked at: AttrValue to Python.

The message: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/attr_value.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlnb.errors import LimitExceeded
from mlnb.formats.tensorflow.types import describe, dtype_name, shape_of
from mlnb.formats.wire import FIXED32, VARINT, Broken, fields, integer, key, text, varint
from mlnb.graph.graph import TensorAttribute

if TYPE_CHECKING:
    from mlnb.limits import Limits

Span = tuple[int, int]

TENSOR, FUNCTION, LIST = key(8), key(10), key(1)
_STRING, _INT, _FLOAT, _BOOL = key(2), key(3, VARINT), key(4, FIXED32), key(5, VARINT)
_TYPE, _SHAPE, _PLACEHOLDER = key(6, VARINT), key(7), key(9)
_LIST_STRING, _LIST_SHAPE, _LIST_TENSOR, _LIST_FUNCTION = key(2), key(7), key(8), key(9)

_SMALL = 256
"""Bytes: no shape has more."""

_HIDDEN = frozenset({"_output_shapes", "_class", "_has_manual_control_dependencies"})
"""What TensorFlow notes for itself; shapes are shown on the edges."""


class Function(str):
    """The name of a function of the file's library, as the value of an attribute."""

    __slots__ = ()


class Attributes(Mapping[str, Any]):
    """What a node was given, by name: numbers, strings, dtypes, shapes, or a `TensorAttribute`.

    What is broken in an attribute is its text, so that the rest of the node can be looked at.

    Args:
        data: bytes that hold the attributes.
        spans: for each name, where its AttrValue lies in `data`.
        controls: the nodes that have to run before, under `control_inputs`.
        limits: hold for the shapes of tensors.
    """

    __slots__ = ("_controls", "_data", "_limits", "_spans")

    def __init__(
        self, data: bytes, spans: dict[str, Span], controls: tuple[str, ...], limits: Limits
    ) -> None:
        self._data = data
        self._spans = spans
        self._controls = controls
        self._limits = limits

    def __getitem__(self, name: str) -> Any:
        if name == "control_inputs" and self._controls:
            return self._controls
        start, stop = self._spans[name]
        try:
            return value(self._data, start, stop, self._limits)
        except Broken as broken:
            return f"unreadable: {broken.reason}"
        except (LimitExceeded, struct.error) as error:
            return f"unreadable: {error}"

    def __contains__(self, name: object) -> bool:
        return name in self._spans or (name == "control_inputs" and bool(self._controls))

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default`; a graph is asked for a dozen names a node that it lacks."""
        if name not in self:
            return default
        return self[name]

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._spans if name not in _HIDDEN)
        if self._controls:
            yield "control_inputs"

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def integers(self, name: str) -> list[int]:
        """The elements of a small tensor of whole numbers, such as a shape or an axis.

        Raises:
            ValueError: it is none, or was left out as a weight.
        """
        from mlnb.formats.tensorflow.arrays import to_array

        try:
            for tag, start, stop in fields(self._data, *self._spans.get(name, (0, 0))):
                tensor = describe(self._data, start, stop, self._limits)
                small = tensor.nbytes <= _SMALL and not tensor.omitted
                if tag == TENSOR and tensor.dtype in ("int32", "int64") and small:
                    found = to_array(self._data[start:stop], tensor).reshape(-1).tolist()
                    return [int(number) for number in found]
        except (Broken, LimitExceeded, struct.error) as error:
            raise ValueError(f"{name} cannot be read") from error
        raise ValueError(f"{name} is no small tensor of whole numbers")

    @property
    def functions(self) -> Iterator[tuple[str, str]]:
        """The attributes that name functions, and the function: a While has `cond` and `body`."""
        for name, (start, stop) in self._spans.items():
            with suppress(Broken):  # what cannot be read is no call: TensorFlow reads none of it
                yield from _functions(self._data, start, stop, name)


def _functions(data: bytes, start: int, stop: int, name: str) -> Iterator[tuple[str, str]]:
    for tag, begin, end in fields(data, start, stop):
        if tag == FUNCTION:
            yield name, _function(data, begin, end)
        elif tag == LIST:
            several = (span for span in fields(data, begin, end) if span[0] == _LIST_FUNCTION)
            for i, (_, low, high) in enumerate(several):
                yield f"{name}[{i}]", _function(data, low, high)


def value(data: bytes, start: int, stop: int, limits: Limits) -> Any:
    """The Python value of the AttrValue in `data[start:stop]`; `""` where it holds none."""
    found: Any = ""
    for tag, begin, end in fields(data, start, stop):
        if tag == _STRING:
            found = text(data[begin:end])
        elif tag == _INT:
            found = integer(data, begin, end)
        elif tag == _FLOAT:
            found = struct.unpack_from("<f", data, begin)[0]
        elif tag == _BOOL:
            found = bool(integer(data, begin, end))
        elif tag == _TYPE:
            found = dtype_name(integer(data, begin, end))
        elif tag == _SHAPE:
            found = shape_of(data, begin, end, limits)
        elif tag == TENSOR:
            found = _shown(data, begin, end, limits)
        elif tag == _PLACEHOLDER:
            found = "@" + text(data[begin:end])
        elif tag == FUNCTION:
            found = Function(_function(data, begin, end))
        elif tag == LIST:
            found = tuple(_items(data, begin, end, limits))
    return found


def _items(data: bytes, start: int, stop: int, limits: Limits) -> Iterator[Any]:
    """The elements of a ListValue; numbers may be packed."""
    for tag, begin, end in fields(data, start, stop):
        if tag == _LIST_STRING:
            yield text(data[begin:end])
        elif tag == key(3):
            yield from _packed(data, begin, end)
        elif tag == key(3, VARINT):
            yield integer(data, begin, end)
        elif tag in (key(4), key(4, FIXED32)):
            yield from struct.unpack_from(f"<{(end - begin) // 4}f", data, begin)
        elif tag in (key(5), key(5, VARINT)):
            yield from map(bool, _packed(data, begin, end))
        elif tag in (key(6), key(6, VARINT)):
            yield from map(dtype_name, _packed(data, begin, end))
        elif tag == _LIST_SHAPE:
            yield shape_of(data, begin, end, limits)
        elif tag == _LIST_TENSOR:
            yield _shown(data, begin, end, limits)
        elif tag == _LIST_FUNCTION:
            yield Function(_function(data, begin, end))


def _packed(data: bytes, start: int, stop: int) -> Iterator[int]:
    while start < stop:
        number, start = varint(data, start, stop)
        yield number - (1 << 64) if number >> 63 else number


def _function(data: bytes, start: int, stop: int) -> str:
    """The name in a NameAttrList."""
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1):
            return text(data[begin:end])
    return ""


def _shown(data: bytes, start: int, stop: int, limits: Limits) -> TensorAttribute:
    tensor = describe(data, start, stop, limits)
    return TensorAttribute(tensor.dtype, tensor.shape, tensor.nbytes)
