"""What goes into a model and what comes out of it: `TensorSpec`, and `TensorSpecs`, a row of them.

A dimension is a number, a name where the file names it (`"N"`), or `None` where it says nothing. A
shape of `None` means that even the rank is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

from mlnb.errors import unknown
from mlnb.formatting import display_text

Dimension = int | str | None
Shape = tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """The name, dtype and shape of one input or output.

    >>> TensorSpec("data", "float32", ("N", 3, 224, 224))
    TensorSpec('data', float32 [N, 3, 224, 224])

    Args:
        name: as the file has it; may be any text.
        dtype: NumPy's name (`"float32"`, `"bool"`, `"int64"`), or `"string"`, `"bfloat16"`,
            `"float8_e4m3fn"`, `"int4"` … where NumPy has none, or `"unknown"`.
        shape: dimensions as numbers, names or `None`; `None` for an unknown rank; `()` is a scalar.
        kind: `"tensor"`, or `"sequence"`, `"optional"`, `"map"`, `"sparse"` of tensors.
    """

    name: str
    dtype: str
    shape: Shape | None
    kind: str = "tensor"

    @property
    def rank(self) -> int | None:
        """How many dimensions there are, or `None` where the file does not say."""
        return None if self.shape is None else len(self.shape)

    @property
    def shape_text(self) -> str:
        """The shape as one reads it: `[N, 3, 224, 224]`, `scalar`, or `unknown shape`."""
        return shape_text(self.shape)

    def __str__(self) -> str:
        inner = f"{self.dtype} {self.shape_text}"
        return inner if self.kind == "tensor" else f"{self.kind} of {inner}"

    def __repr__(self) -> str:
        return f"TensorSpec({display_text(self.name)!r}, {self})"


class TensorSpecs(Sequence[TensorSpec]):
    """An ordered row of specs that answers to positions and to names.

    >>> specs = TensorSpecs([TensorSpec("data", "float32", ("N", 3))])
    >>> specs["data"] is specs[0]
    True

    Raises:
        UnknownName: for a name that is not there, with the closest ones.
    """

    def __init__(self, specs: Iterable[TensorSpec] = (), noun: str = "tensor") -> None:
        self._specs = tuple(specs)
        self._noun = noun

    @property
    def names(self) -> list[str]:
        """The names in order."""
        return [spec.name for spec in self._specs]

    @overload
    def __getitem__(self, key: int | str) -> TensorSpec: ...
    @overload
    def __getitem__(self, key: slice) -> TensorSpecs: ...
    def __getitem__(self, key: int | str | slice) -> TensorSpec | TensorSpecs:
        if isinstance(key, slice):
            return TensorSpecs(self._specs[key], self._noun)
        if isinstance(key, int):
            return self._specs[key]
        for spec in self._specs:
            if spec.name == key:
                return spec
        raise unknown(self._noun, key, self.names)

    def __contains__(self, key: object) -> bool:
        return key in self._specs or key in self.names

    def __len__(self) -> int:
        return len(self._specs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpecs) and self._specs == other._specs

    def __hash__(self) -> int:
        return hash(self._specs)

    def __repr__(self) -> str:
        return "TensorSpecs(" + ", ".join(f"{display_text(s.name)}: {s}" for s in self._specs) + ")"


def shape_text(shape: Shape | None) -> str:
    """A shape as one reads it: `[N, 3, ?]`, `scalar`, or `unknown shape`."""
    if shape is None:
        return "unknown shape"
    if not shape:
        return "scalar"
    return "[" + ", ".join("?" if d is None else display_text(str(d), 40) for d in shape) + "]"
