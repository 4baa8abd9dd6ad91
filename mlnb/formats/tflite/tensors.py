"""A Tensor of a TFLite file: name, dtype, shape, quantisation, and where its elements lie.

`shape_signature` is what the author meant, with -1 for what varies; `shape` is what the file was
last made for. A shape without dimensions is a scalar only where the file says so (`has_rank`) or
where elements are stored: detectors leave the shapes of their outputs out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formats.tflite.flatbuffer import BOOL, BYTE, INT, UINT, ULONG, Flatbuffer, Span, Table
from mlnb.formats.wire import Broken, text
from mlnb.specs import Quantization, Shape

if TYPE_CHECKING:
    import numpy as np

    from mlnb.limits import Limits

_DTYPES = """
float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64
resource variant uint32 uint16 int4 bfloat16 int2 uint4 float8_e4m3fn float8_e5m2
"""
_NAMES = tuple(_DTYPES.split())


def dtype_name(number: int) -> str:
    """The dtype with that number in the schema's `TensorType`; `"unknown"` for a newer one."""
    return _NAMES[number] if 0 <= number < len(_NAMES) else "unknown"


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor without its elements.

    Args:
        name: as the file has it; may be empty, and not unique.
        dtype: as in `TensorSpec`, or `"resource"`, `"variant"`.
        shape: as in `TensorSpec`.
        quantization: how its integers stand for real values.
        span: where its elements lie in the file; `(0, 0)` where there are none.
        variable: whether it keeps its elements from run to run.
        sparse: whether only some of its elements are stored.
    """

    name: str
    dtype: str
    shape: Shape | None
    quantization: Quantization | None
    span: Span
    variable: bool
    sparse: bool


class Tensors:
    """Reads the tensors of one file.

    Args:
        buffer: the file.
        model: its root table.
        limits: `rank` and `name_length` hold for each tensor.
    """

    def __init__(self, buffer: Flatbuffer, model: Table, limits: Limits) -> None:
        self._buffer = buffer
        self._model = model
        self._limits = limits
        self._spans: dict[int, Span] = {0: (0, 0)}
        self._buffers = model.rows(4)
        self.clipped = 0

    def read(self, tensor: Table) -> StoredTensor:
        """The tensor in this table."""
        name = tensor.text(3)
        if len(name) > self._limits.name_length:
            name = name[: self._limits.name_length]
            self.clipped += 1
        dtype = dtype_name(tensor.number(1, BYTE))
        span = self.span(tensor.number(2, UINT))
        shape = self._shape(tensor, stored=bool(span[1]))
        return StoredTensor(
            name,
            dtype,
            shape,
            _quantization(tensor.table(4), dtype, shape),
            span,
            bool(tensor.number(5, BOOL)),
            tensor.has(6),
        )

    def span(self, index: int) -> Span:
        """Where the bytes of a buffer lie, in the flatbuffer or behind it; buffer 0 has none."""
        found = self._spans.get(index)
        if found is None:
            found = self._spans[index] = self._find(index)
        return found

    def _find(self, index: int) -> Span:
        start, count = self._buffers
        if index >= count:
            raise Broken(self._model.position, f"there is no buffer {index:,} among {count:,}")
        table = self._model.row(start, index)
        offset, size = table.number(1, ULONG), table.number(2, ULONG)
        if offset <= 1:
            return table.span(0)
        if offset + size > self._buffer.size:
            raise Broken(
                table.position, f"a buffer of {size:,} bytes at {offset:,} lies outside the file"
            )
        return offset, size

    def _shape(self, tensor: Table, *, stored: bool) -> Shape | None:
        shape = tensor.numbers(0)
        signature = tensor.numbers(7)
        self._limits.check("rank", max(len(shape), len(signature)), "the shape of a tensor")
        if not shape and not stored and not tensor.number(8, BOOL):
            return None
        meant = signature if len(signature) == len(shape) else shape
        return tuple([None if size < 0 else size for size in meant])


def to_array(data: bytes, tensor: StoredTensor) -> np.ndarray:
    """The elements of a tensor, from the bytes that are stored for it.

    Raises:
        ModelFormatError: they are too few or too many for the shape, or none that can be read.
        MissingExtra: the dtype needs ml_dtypes, and it is not installed.
    """
    from mlnb.formats.onnx.arrays import from_raw
    from mlnb.formats.onnx.types import ELEMENT_TYPES

    if tensor.sparse:
        raise ModelFormatError("it is sparse, and only dense tensors are read")
    shape = tuple([size for size in tensor.shape or () if isinstance(size, int)])
    if tensor.dtype == "string":
        return _strings(data, shape)
    for element in ELEMENT_TYPES.values():
        if element.name == tensor.dtype:
            return from_raw(data, element, shape)
    raise ModelFormatError(f"elements of the type {tensor.dtype!r} cannot be read")


def _strings(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """TFLite's strings: how many, where each begins and the last one ends, then their bytes."""
    import numpy as np

    count = int.from_bytes(data[:4], "little")
    if count != prod(shape) or len(data) < 4 * (count + 2):
        raise ModelFormatError(f"it should hold {prod(shape):,} strings; it holds {count:,}")
    ends = np.frombuffer(data, "<i4", count + 1, 4).tolist()
    if any(first > last for first, last in pairwise(ends)):
        raise ModelFormatError("its strings overlap")
    strings = np.empty(count, object)
    strings[:] = [text(data[a:b]) for a, b in pairwise(ends)]
    return strings.reshape(shape)


def _quantization(table: Table | None, dtype: str, shape: Shape | None) -> Quantization | None:
    """Scale and zero point, where integers have them and they make sense."""
    if table is None or "int" not in dtype:
        return None
    scales = tuple(table.reals(2))
    points = tuple(table.numbers(3, "q")) or (0,) * len(scales)
    if not scales or not all(math.isfinite(scale) and scale > 0 for scale in scales):
        return None
    if len(points) == 1:
        points *= len(scales)
    if len(points) != len(scales):
        return None
    if len(scales) == 1:
        return Quantization(scales, points)
    axis = table.number(6, INT)
    if shape is None or not 0 <= axis < len(shape) or shape[axis] != len(scales):
        return None
    return Quantization(scales, points, axis)
