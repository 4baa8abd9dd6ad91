"""`GgufFile`: the tensors and the metadata of a GGUF file, as llama.cpp writes them.

A header, keys with typed values, a table of tensors, and the tensors, aligned. Dimensions stand
there with the fastest one first; here they are turned round, as NumPy has them. A quantised tensor
is listed with its type and its true size in bytes; its values are not unpacked.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError, unknown
from mlnb.formats.element_types import numpy_dtype, swapped
from mlnb.formats.weights.gguf_types import TENSOR_TYPES, TensorType
from mlnb.formats.weights.gguf_values import Values
from mlnb.formats.weights_file import WeightsFile
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text
from mlnb.graph.graph import Value
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph

BEGINNING = b"GGUF"


def looks(head: bytes, source: Source) -> bool:
    """Whether a file begins as GGUF does."""
    return head.startswith(BEGINNING)


class GgufFile(WeightsFile):
    """The tensors of a GGUF file.

    >>> GgufFile(Source.of("tiny.gguf")).metadata["general.architecture"]
    'llama'

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is cut off, contradicts itself, or is of another version.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "GGUF"
    advice = (
        "it holds weights only, for llama.cpp and programs that build on it, such as "
        "llama_cpp.Llama(model_path=path) of llama-cpp-python"
    )

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        self._places: dict[str, tuple[int, TensorType]] = {}
        with source.reading() as read, self._told():
            self._read(Values(read, source.size, limits))

    @property
    def tensors(self) -> tuple[Value, ...]:
        """The tensors in the order of the file; a quantised one by ggml's name for its type."""
        return self._values

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The version, and the file's keys with their values; of long arrays the first ones."""
        order = ", large bytes first" if self._order == "big" else ""
        return {"GGUF": f"version {self._version}{order}", **self._facts}

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """The values of a tensor of a plain type, read now; see `ModelFile.tensor`.

        Raises:
            ModelFormatError: it is quantised in blocks.
        """
        import numpy as np

        if name not in self._places:
            raise unknown("stored tensor", name, self._places)
        value, (start, kind) = self.graph.values[name], self._places[name]
        where = f"the tensor '{display_text(name, 60)}'"
        if kind.block > 1:
            raise ModelFormatError(
                f"{where} is quantised as {kind.name}, in blocks of {kind.block}; such values are "
                "not unpacked here, gguf.dequantize of the package gguf does it"
            )
        self.limits.check("tensor_bytes", value.nbytes or 0, where)
        raw = self.source.read(start, value.nbytes or 0)
        dtype = numpy_dtype(kind.name)
        if self._order == "big":
            raw = swapped(raw, dtype)
        shape = [size for size in value.shape or () if isinstance(size, int)]
        try:
            return np.frombuffer(raw, dtype).reshape(shape)
        except ValueError as error:
            raise ModelFormatError(f"{where} cannot be read: {error}") from error

    def _read(self, values: Values) -> None:
        """Header, keys, and the table of tensors."""
        if values.take(4) != BEGINNING:
            raise Broken(0, "it does not begin with GGUF")
        self._version = values.version()
        self._order = values.order
        tensors, keys = values.number(8), values.number(8)
        self.limits.check("values", tensors, "the tensors of the file")
        self.limits.check("nodes", keys, "the keys of the file")
        self._facts = {}
        for _ in range(keys):
            key = values.text()
            self._facts[key] = values.value()
        infos = [self._info(values) for _ in range(tensors)]
        aligned = self._facts.get("general.alignment", "32")
        step = int(aligned) if aligned.isdigit() and 0 < int(aligned) <= 1 << 20 else 32
        base = -(-values.position // step) * step
        found: dict[str, Value] = {}
        for value, offset, kind in infos:
            if value.name in found:
                raise Broken(values.position, f"two tensors are called '{_shown(value.name)}'")
            end = base + offset + (value.nbytes or 0)
            if end > self.source.size:
                raise Broken(
                    self.source.size,
                    f"the tensor '{_shown(value.name)}' should end at byte {end:,}, and the file "
                    "is cut off",
                )
            found[value.name] = value
            self._places[value.name] = base + offset, kind
        self._values = tuple(found.values())

    def _info(self, values: Values) -> tuple[Value, int, TensorType]:
        """One row of the table: name, dimensions, type, and where it lies behind the table."""
        name = values.text()
        rank = values.number(4)
        self.limits.check("rank", rank, f"the tensor '{_shown(name)}'")
        shape = tuple(reversed([values.number(8) for _ in range(rank)]))
        at = values.position
        number, offset = values.number(4), values.number(8)
        kind = TENSOR_TYPES.get(number)
        if kind is None:
            raise Broken(at, f"the tensor '{_shown(name)}' has the type {number}, which is unknown")
        if shape and shape[-1] % kind.block:
            raise Broken(
                at, f"the rows of '{_shown(name)}' are no whole number of blocks of {kind.block}"
            )
        nbytes = prod(shape) // kind.block * kind.nbytes
        return Value(name, kind.name, shape, initializer=True, nbytes=nbytes), offset, kind


def _shown(name: str) -> str:
    return display_text(name, 60)
