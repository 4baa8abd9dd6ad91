"""What a TensorProto in the skeleton is: its name, dtype, shape, size, and where its elements lie.

The size is what the shape says, not what is stored: a file may lie about either, and only reading
the tensor (`arrays.py`) finds out that they differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlnb.formats.onnx.types import UNKNOWN, ElementType, element_type, stored_size
from mlnb.formats.wire import VARINT, Broken, fields, integer, key, text, varint

if TYPE_CHECKING:
    from mlnb.limits import Limits

_DIMS, _PACKED_DIMS, _TYPE, _NAME = key(1, VARINT), key(1), key(2, VARINT), key(8)
_EXTERNAL, _LOCATION = key(13), key(14, VARINT)
_DIMS_OF_SPARSE, _PACKED_DIMS_OF_SPARSE = key(3, VARINT), key(3)
_ELEMENTS = frozenset((4, 5, 6, 7, 9, 10, 11))


@dataclass(slots=True)
class StoredTensor:
    """A tensor without its elements.

    Args:
        name: `""` inside an attribute.
        element: its element type.
        shape: as stored; may hold negative numbers in a broken file.
        nbytes: how much its elements take.
        span: where the TensorProto lies in the skeleton.
        external: the entries of `external_data`; empty where the elements stand in the file.
        filled: whether a ConstantOfShape spreads its one element over the shape.
        sparse: whether it is a SparseTensorProto.
    """

    name: str
    element: ElementType
    shape: tuple[int, ...]
    nbytes: int
    span: tuple[int, int]
    external: dict[str, str]
    filled: bool = False
    sparse: bool = False


def describe(data: bytes, start: int, stop: int, limits: Limits) -> StoredTensor:
    """The tensor whose TensorProto is `data[start:stop]`."""
    name, element, outside, elements = b"", UNKNOWN, False, 0
    shape: list[int] = []
    external: dict[str, str] = {}
    for tag, begin, end in fields(data, start, stop):
        if tag == _DIMS:
            shape.append(data[begin] if end - begin == 1 else integer(data, begin, end))
            if len(shape) > limits.rank:
                limits.check("rank", len(shape), "the shape of a stored tensor")
        elif tag == _TYPE:
            element = element_type(integer(data, begin, end))
        elif tag == _NAME:
            name = data[begin:end]
        elif tag == _EXTERNAL:
            external.update([_entry(data, begin, end)])
        elif tag == _LOCATION:
            outside = integer(data, begin, end) == 1
        elif tag == _PACKED_DIMS:
            limits.check("rank", (end - begin) // 10, "the shape of a stored tensor")
            shape += packed(data, begin, end)
        elif tag >> 3 in _ELEMENTS:
            elements += end - begin
    dims = tuple(shape)
    if not outside:
        external = {}
    nbytes = stored_size(element, dims)
    if nbytes is None:
        nbytes = number(external, "length") or elements
    return StoredTensor(
        text(name)[: limits.name_length], element, dims, nbytes, (start, stop), external
    )


def number(external: dict[str, str], entry: str) -> int:
    """An entry of `external_data` as a number; 0 where it is none."""
    given = external.get(entry, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 20 else 0


def packed(data: bytes, start: int, stop: int) -> list[int]:
    """The signed numbers in a packed field."""
    numbers: list[int] = []
    while start < stop:
        value, start = varint(data, start, stop)
        numbers.append(value - (1 << 64) if value >> 63 else value)
    return numbers


def small_integers(data: bytes, start: int, stop: int, limit: int) -> list[int] | None:
    """The elements of an int64 tensor in the skeleton: a shape; `None` where it is not one.

    Args:
        limit: more elements than this are no shape.
    """
    raw, numbers, element = b"", list[int](), 0
    for tag, begin, end in fields(data, start, stop):
        if tag == _TYPE:
            element = integer(data, begin, end)
        elif tag == key(9):
            raw = data[begin:end]
        elif tag == key(7):
            numbers += packed(data, begin, end)
        elif tag == key(7, VARINT):
            numbers.append(integer(data, begin, end))
        elif tag == _LOCATION:
            return None
    if raw:
        steps = range(0, len(raw) - 7, 8)
        numbers = [int.from_bytes(raw[i : i + 8], "little", signed=True) for i in steps]
    return numbers if element == 7 and len(numbers) <= limit else None


def outside(data: bytes, spans: list[tuple[int, int]]) -> list[tuple[str, str]]:
    """Every entry of `external_data` in order, where the elements lie in another file.

    Args:
        data: the skeleton.
        spans: TensorProtos that stand in one field, which protobuf merges into one tensor.
    """
    entries: list[tuple[str, str]] = []
    location = 0
    for start, stop in spans:
        for tag, begin, end in fields(data, start, stop):
            if tag == _EXTERNAL:
                entries.append(_entry(data, begin, end))
            elif tag == _LOCATION:
                location = integer(data, begin, end)
    return entries if location == 1 else []


def outside_sparse(data: bytes, spans: list[tuple[int, int]]) -> list[list[tuple[str, str]]]:
    """As `outside`, for the values and for the indices of a sparse tensor."""
    tensors: dict[int, list[tuple[int, int]]] = {key(1): [], key(2): []}
    for start, stop in spans:
        for tag, begin, end in fields(data, start, stop):
            if tag in tensors:
                tensors[tag].append((begin, end))
    return [outside(data, each) for each in tensors.values()]


def _entry(data: bytes, start: int, stop: int) -> tuple[str, str]:
    name = value = ""
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1):
            name = text(data[begin:end])
        elif tag == key(2):
            value = text(data[begin:end])
    return name, value


def describe_sparse(data: bytes, start: int, stop: int, limits: Limits) -> StoredTensor:
    """A SparseTensorProto: name and dtype of its values, its own shape, and the size of both."""
    shape: list[int] = []
    parts: list[StoredTensor] = []
    for tag, begin, end in fields(data, start, stop):
        if tag in (key(1), key(2)):
            parts.append(describe(data, begin, end, limits))
        elif tag == _PACKED_DIMS_OF_SPARSE:
            shape += packed(data, begin, end)
        elif tag == _DIMS_OF_SPARSE:
            shape.append(integer(data, begin, end))
    if not parts:
        raise Broken(start, "a sparse tensor holds no values")
    limits.check("rank", len(shape), "the shape of a sparse tensor")
    nbytes = sum(part.nbytes for part in parts)
    first = parts[0]
    return StoredTensor(
        first.name, first.element, tuple(shape), nbytes, (start, stop), first.external, sparse=True
    )
