"""`SafetensorsFile`: a header of JSON that says where each tensor lies, and the tensors behind it.

The whole header is held against the file before anything is believed: no gap, no overlap, no size
that is not dtype times shape, no name twice.

The format: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, TypeGuard

from mlnb.errors import ModelFormatError, unknown
from mlnb.formats.element_types import numpy_dtype
from mlnb.formats.torch.layouts import torchvision_name
from mlnb.formats.weights_file import WeightsFile
from mlnb.formatting import display_text
from mlnb.graph.graph import Value
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph

HEADER_BYTES = 100_000_000
"""The longest header that the format allows."""

_DTYPES = {
    "BOOL": ("bool", 8),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "U16": ("uint16", 16),
    "I16": ("int16", 16),
    "U32": ("uint32", 32),
    "I32": ("int32", 32),
    "U64": ("uint64", 64),
    "I64": ("int64", 64),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "F32": ("float32", 32),
    "F64": ("float64", 64),
    "C64": ("complex64", 64),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F6_E2M3": ("float6_e2m3fn", 6),
    "F6_E3M2": ("float6_e3m2fn", 6),
    "F4": ("float4_e2m1fn", 4),
}
"""The format's names to ours, and bits of one element."""


def looks(head: bytes, source: Source) -> bool:
    """Whether a file begins with the length of a header that lies in it, and with the header."""
    length = int.from_bytes(head[:8], "little")
    return len(head) > 8 and head[8:9] == b"{" and 2 <= length <= min(source.size, 1 << 40) - 8


class SafetensorsFile(WeightsFile):
    """The tensors of one safetensors file.

    >>> SafetensorsFile(Source.of("model.safetensors")).metadata
    {'format': 'pt'}

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: the header contradicts itself or the file.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "safetensors"

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        self._places: dict[str, tuple[int, int]] = {}
        with self._told():
            self._metadata, self._values = self._header()
        self.advice = _advice(self._values)

    @property
    def tensors(self) -> tuple[Value, ...]:
        """The tensors in the order in which they lie in the file."""
        return self._values

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the author wrote into the header as `__metadata__`."""
        return self._metadata

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """The values of a tensor, read now; see `ModelFile.tensor`."""
        import numpy as np

        if name not in self._places:
            raise unknown("stored tensor", name, self._places)
        value = self.graph.values[name]
        where = f"the tensor '{display_text(name, 60)}'"
        self.limits.check("tensor_bytes", value.nbytes or 0, where)
        start, stop = self._places[name]
        raw = self.source.read(start, stop - start)
        try:
            dtype = numpy_dtype(value.dtype)
            flat = np.frombuffer(raw, dtype.newbyteorder("<"))
            return flat.reshape([size for size in value.shape or () if isinstance(size, int)])
        except ValueError as error:
            raise ModelFormatError(f"{where} cannot be read: {error}") from error

    def _header(self) -> tuple[dict[str, str], tuple[Value, ...]]:
        length = int.from_bytes(self.source.read(0, min(8, self.source.size)), "little")
        if self.source.size < 8 or length > self.source.size - 8:
            raise self._broken(f"its header should have {length:,} bytes; it is cut off")
        if length > HEADER_BYTES:
            raise self._broken(f"its header has {length:,} bytes; {HEADER_BYTES:,} are allowed")
        self.limits.check("structure_bytes", length, "the header")
        header = self._parsed(self.source.read(8, length))
        given = header.pop("__metadata__", None) or {}
        if not isinstance(given, dict):
            raise self._broken("its __metadata__ is no object")
        self.limits.check("values", len(header), "the tensors of the file")
        metadata = {key: value for key, value in given.items() if isinstance(value, str)}
        rows = sorted(
            ((self._row(name, entry, 8 + length)) for name, entry in header.items()),
            key=lambda row: row[0],
        )
        self._check_gaps(rows, 8 + length)
        for (start, stop), value in rows:
            self._places[value.name] = start, stop
        return metadata, tuple(value for _, value in rows)

    def _parsed(self, header: bytes) -> dict[str, Any]:
        try:
            found = json.loads(header.decode("utf-8"), object_pairs_hook=_without_doubles)
        except RecursionError as error:
            raise self._broken("its header nests too deeply") from error
        except ValueError as error:
            raise self._broken(f"its header is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise self._broken("its header is no JSON object")
        return found

    def _row(self, name: str, entry: object, base: int) -> tuple[tuple[int, int], Value]:
        """Where a tensor lies, and what it is."""
        shown = f"the tensor '{display_text(name, 60)}'"
        if not isinstance(entry, dict):
            raise self._broken(f"{shown} is no object")
        dtype, shape = entry.get("dtype"), entry.get("shape")
        offsets = entry.get("data_offsets")
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise self._broken(f"{shown} has the dtype {display_text(str(dtype), 30)}")
        if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
            raise self._broken(f"{shown} has no shape and place of whole numbers")
        self.limits.check("rank", len(shape), shown)
        self.limits.check("name_length", len(name), shown)
        start, stop = offsets
        ours, bits = _DTYPES[dtype]
        needed = prod(shape) * bits
        if stop < start or base + stop > self.source.size:
            raise self._broken(
                f"{shown} lies at bytes {start:,} to {stop:,} of {self.source.size - base:,}"
            )
        if needed != 8 * (stop - start):
            raise self._broken(
                f"{shown} has {stop - start:,} bytes; {dtype} {shape[:8]} has {needed // 8:,}"
            )
        value = Value(name, ours, tuple(shape), initializer=True, nbytes=stop - start)
        return (base + start, base + stop), value

    def _check_gaps(self, rows: list[tuple[tuple[int, int], Value]], base: int) -> None:
        end, before = base, "the header"
        for (start, stop), value in rows:
            if start != end:
                what = "overlaps" if start < end else "leaves a gap behind"
                shown = display_text(value.name, 60)
                raise self._broken(f"the tensor '{shown}' {what} {before}, at byte {start:,}")
            end, before = stop, f"'{display_text(value.name, 60)}'"
        if end != self.source.size:
            raise self._broken(f"{self.source.size - end:,} bytes at its end belong to no tensor")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the name '{display_text(key, 60)}' stands there twice")
        found[key] = value
    return found


def _are_counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 62 for n in value)


def _advice(tensors: tuple[Value, ...]) -> str:
    name = torchvision_name(tensors)
    if name is not None:
        return (
            f"it holds weights only, those of torchvision's {name}: "
            f'mlnb.networks.backbone("{name}", weights=path)'
        )
    return (
        "it holds weights only; make the network in code, then "
        "net.load_state_dict(safetensors.torch.load_file(path))"
    )
