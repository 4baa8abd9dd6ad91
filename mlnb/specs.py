"""What goes into a model and what comes out of it: `TensorSpec`, and `TensorSpecs`, a row of them.

A dimension is a number, a name where the file names it (`"N"`), or `None` where it says nothing. A
shape of `None` means that even the rank is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from mlnb.errors import unknown
from mlnb.formatting import display_text

if TYPE_CHECKING:
    import numpy as np

Dimension = int | str | None
Shape = tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Quantization:
    """How integers stand for real values: `real = scale * (stored - zero_point)`.

    >>> Quantization((0.5,), (128,)).real(np.array([128, 130], np.uint8))
    array([0., 1.], dtype=float32)

    Args:
        scale: one for the whole tensor, or one for each index along `axis`.
        zero_point: as many; the stored value that means 0.
        axis: the dimension along which they differ; `None` where there is one for all.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    def real(self, stored: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """What stored integers stand for, as float32."""
        import numpy as np

        scale, zero_point = self._along(stored.ndim)
        shifted = stored.astype(np.float64) - zero_point
        return np.asarray(shifted * scale, np.float32)

    def quantized(self, real: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
        """The nearest stored integers; what lies outside of `dtype` becomes its end, and NaN 0.

        Args:
            real: floats.
            dtype: of the stored integers, such as `"uint8"`.
        """
        import numpy as np

        scale, zero_point = self._along(real.ndim)
        ends = np.iinfo(dtype)
        values = np.where(np.isnan(real), 0.0, real.astype(np.float64))
        stored = np.rint(values / scale) + zero_point
        return np.asarray(np.clip(stored, ends.min, ends.max), dtype)

    def _along(self, rank: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        import numpy as np

        shape = [1] * rank
        if self.axis is not None and rank:
            shape[self.axis] = -1
        both = (np.array(self.scale, np.float64), np.array(self.zero_point, np.float64))
        scale, zero_point = (one.reshape(shape if rank else ()) for one in both)
        return scale, zero_point

    @property
    def text(self) -> str:
        """In words: `scale 0.5, zero point 128`."""
        if len(self.scale) != 1:
            return f"{len(self.scale)} scales along axis {self.axis}"
        return f"scale {self.scale[0]:.6g}, zero point {self.zero_point[0]}"

    def __str__(self) -> str:
        if len(self.scale) != 1:
            return f"{len(self.scale)} scales along axis {self.axis}"
        return f"{self.scale[0]:.6g} * (stored - {self.zero_point[0]})"


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
        quantization: how its integers stand for real values; `dtype` is what is stored.
    """

    name: str
    dtype: str
    shape: Shape | None
    kind: str = "tensor"
    quantization: Quantization | None = None

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

    TensorFlow's `x:0`, the first output of the operation `x`, and `x` are one name.

    Raises:
        UnknownName: for a name that is not there, with the closest ones.
    """

    def __init__(self, specs: Iterable[TensorSpec] = (), noun: str = "tensor") -> None:
        self._specs = tuple(specs)
        self._by_name = {spec.name: spec for spec in reversed(self._specs)}
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
        spec = self._by_name.get(key) or self._by_name.get(self.own_name(key))
        if spec is not None:
            return spec
        raise unknown(self._noun, key, self.names)

    def own_name(self, name: str) -> str:
        """The name as the file has it, where `name` differs by `:0`; else `name` as it came."""
        return own_name(name, self._by_name)

    def __contains__(self, key: object) -> bool:
        return key in self._specs or (isinstance(key, str) and self.own_name(key) in self._by_name)

    def __len__(self) -> int:
        return len(self._specs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpecs) and self._specs == other._specs

    def __hash__(self) -> int:
        return hash(self._specs)

    def __repr__(self) -> str:
        return "TensorSpecs(" + ", ".join(f"{display_text(s.name)}: {s}" for s in self._specs) + ")"


def own_name(name: str, names: Collection[str]) -> str:
    """Which of `names` is meant, where `name` differs by TensorFlow's `:0`; else `name` itself."""
    for meant in (name, name.removesuffix(":0"), f"{name}:0"):
        if meant in names:
            return meant
    return name


def shape_text(shape: Shape | None) -> str:
    """A shape as one reads it: `[N, 3, ?]`, `scalar`, or `unknown shape`."""
    if shape is None:
        return "unknown shape"
    if not shape:
        return "scalar"
    return "[" + ", ".join("?" if d is None else display_text(str(d), 40) for d in shape) + "]"
