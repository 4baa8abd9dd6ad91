"""The attributes of a node, parsed when first looked at.

A model of ten thousand nodes has forty thousand attributes, of which a person reads a dozen. What
must be known at once, whether an attribute holds a nested graph, is answered by a search for the
only bytes that can begin one.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlnb.errors import LimitExceeded
from mlnb.formats.onnx.tensor import (
    StoredTensor,
    describe,
    describe_sparse,
    outside,
    outside_sparse,
    packed,
)
from mlnb.formats.onnx.types import type_of
from mlnb.formats.wire import FIXED32, VARINT, Broken, fields, integer, key, text
from mlnb.graph.graph import TensorAttribute

if TYPE_CHECKING:
    from mlnb.limits import Limits

Span = tuple[int, int]

NAME, TENSOR, GRAPH, GRAPHS, SPARSE = key(1), key(5), key(6), key(11), key(22)
_FLOAT, _INT, _STRING = key(2, FIXED32), key(3, VARINT), key(4)
_FLOATS, _PACKED_FLOATS, _INTS, _PACKED_INTS = key(7, FIXED32), key(7), key(8, VARINT), key(8)
_STRINGS, _TENSORS, _TYPE, _TYPES, _SPARSES = key(9), key(10), key(14), key(15), key(23)
_REFERENCE, _KIND = key(21), key(20, VARINT)

MAY_HOLD_GRAPH = re.compile(rb"[\x32\x5a\xb2\xda]")
"""The tags of `g` and `graphs`, in their short form and as the first byte of a longer one."""


class Attributes(Mapping[str, Any]):
    """What a node was given, by name: numbers, strings, tuples, or a `TensorAttribute`.

    A reference to an attribute of the function around it reads `"@alpha"`. What is broken in an
    attribute is its text, so that the rest of the node can still be looked at.

    Args:
        data: the skeleton.
        spans: where the AttributeProtos lie in it.
        limits: hold for the shapes of tensors.
    """

    __slots__ = ("_data", "_limits", "_parsed", "_spans")

    def __init__(self, data: bytes, spans: list[Span], limits: Limits) -> None:
        self._data = data
        self._spans = spans
        self._limits = limits
        self._parsed: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._parsed is None:
            parsed: dict[str, Any] = {}
            for start, stop in self._spans:
                name, value = _attribute(self._data, start, stop, self._limits)
                if value is not None:
                    parsed[name] = value
            self._parsed = parsed
        return self._parsed

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


def attribute_name(data: bytes, start: int, stop: int) -> str:
    """The name of the AttributeProto in `data[start:stop]`, as far as it can be read."""
    with suppress(Broken):
        for tag, begin, end in fields(data, start, stop):
            if tag == NAME:
                return text(data[begin:end])
    return ""


def graphs_in(data: bytes, start: int, stop: int) -> list[Span]:
    """Where the nested graphs of an attribute lie; mostly there are none."""
    if not MAY_HOLD_GRAPH.search(data, start, stop):
        return []
    return [(begin, end) for tag, begin, end in fields(data, start, stop) if tag in (GRAPH, GRAPHS)]


def constant_in(data: bytes, spans: list[Span], limits: Limits) -> StoredTensor | None:
    """The tensor that a Constant or ConstantOfShape node was given in `value` or `sparse_value`."""
    for start, stop in spans:
        for tag, begin, end in fields(data, start, stop):
            if tag == TENSOR:
                return describe(data, begin, end, limits)
            if tag == SPARSE:
                return describe_sparse(data, begin, end, limits)
    return None


def outside_in(data: bytes, spans: list[Span]) -> Iterator[list[tuple[str, str]]]:
    """What lies outside the file among the tensors of these attributes, as `outside` has it."""
    for start, stop in spans:
        if data.find(_LOCATION, start, stop) < 0:
            continue
        single: dict[int, list[Span]] = {TENSOR: [], SPARSE: []}
        for tag, begin, end in fields(data, start, stop):
            if tag in single:
                single[tag].append((begin, end))
            elif tag == _TENSORS:
                yield outside(data, [(begin, end)])
            elif tag == _SPARSES:
                yield from outside_sparse(data, [(begin, end)])
        yield outside(data, single[TENSOR])
        yield from outside_sparse(data, single[SPARSE])


_LOCATION = b"location"


def _attribute(data: bytes, start: int, stop: int, limits: Limits) -> tuple[str, Any]:
    """The name and value of one attribute; the value is `None` where it is a nested graph."""
    try:
        return _Parsed(data, start, stop, limits).result()
    except Broken as broken:
        return attribute_name(data, start, stop), f"unreadable: {broken.reason}"
    except LimitExceeded as error:
        return attribute_name(data, start, stop), f"unreadable: {error}"


class _Parsed:
    """One AttributeProto, field by field."""

    def __init__(self, data: bytes, start: int, stop: int, limits: Limits) -> None:
        self.name = ""
        self.kind = 0
        self.single: Any = None
        self.many: list[Any] = []
        self.nested = False
        for tag, begin, end in fields(data, start, stop):
            self._field(data, tag, begin, end, limits)

    def _field(self, data: bytes, tag: int, start: int, stop: int, limits: Limits) -> None:
        if tag == NAME:
            self.name = text(data[start:stop])[: limits.name_length]
        elif tag == _KIND:
            self.kind = integer(data, start, stop)
        elif tag == _INT:
            self.single = integer(data, start, stop)
        elif tag == _FLOAT:
            self.single = struct.unpack_from("<f", data, start)[0]
        elif tag == _STRING:
            self.single = text(data[start:stop])
        elif tag == _REFERENCE:
            self.single = "@" + text(data[start:stop])
        elif tag == _TYPE:
            self.single = str(type_of(data, start, stop, limits))
        elif tag == TENSOR:
            self.single = _shown(describe(data, start, stop, limits))
        elif tag == SPARSE:
            self.single = _shown(describe_sparse(data, start, stop, limits))
        elif tag in (GRAPH, GRAPHS):
            self.nested = True
        else:
            self._element(data, tag, start, stop, limits)

    def _element(self, data: bytes, tag: int, start: int, stop: int, limits: Limits) -> None:
        if tag == _INTS:
            self.many.append(integer(data, start, stop))
        elif tag == _PACKED_INTS:
            self.many += packed(data, start, stop)
        elif tag in (_FLOATS, _PACKED_FLOATS):
            count = (stop - start) // 4
            self.many += struct.unpack_from(f"<{count}f", data, start)
        elif tag == _STRINGS:
            self.many.append(text(data[start:stop]))
        elif tag == _TENSORS:
            self.many.append(_shown(describe(data, start, stop, limits)))
        elif tag == _SPARSES:
            self.many.append(_shown(describe_sparse(data, start, stop, limits)))
        elif tag == _TYPES:
            self.many.append(str(type_of(data, start, stop, limits)))

    def result(self) -> tuple[str, Any]:
        """A value that equals its default is not written, so the kind decides what is missing."""
        if self.nested:
            return self.name, None
        if self.single is None and (self.many or self.kind in _LISTS):
            return self.name, tuple(self.many)
        if self.single is None:
            return self.name, _DEFAULTS.get(self.kind, "")
        return self.name, self.single


_LISTS = frozenset((6, 7, 8, 9, 12, 14))
_DEFAULTS: dict[int, Any] = {1: 0.0, 2: 0, 3: ""}


def _shown(tensor: StoredTensor) -> TensorAttribute:
    return TensorAttribute(tensor.element.name, tensor.shape, tensor.nbytes)
