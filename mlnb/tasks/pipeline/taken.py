"""What pictures a model takes: their size, the layout of their pixels, and the dtype."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError
from mlnb.models.live import live_module
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.models.quantized import taken as fed
from mlnb.specs import TensorSpec, shape_text
from mlnb.tasks.pipeline.conventions import CONVENTIONS, Convention

if TYPE_CHECKING:
    from mlnb.tasks.pipeline.images import Layout

_USUAL_SIDE = 224
_ROOM = 0.05
"""How much of the range may be missing: -1 to 1 is stored as -1 to 0.992."""
DTYPES = ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64")
"""Of pixels, by NumPy's names."""


@dataclass(frozen=True)
class Taken:
    """What goes in.

    Args:
        size: height and width.
        layout: whether channels come first or last.
        dtype: NumPy's name.
        ends: the lowest and the highest value that it holds, where it stores integers.
    """

    size: tuple[int, int]
    layout: Layout
    dtype: str
    ends: tuple[float, float] | None = None

    @property
    def conventions(self) -> dict[str, Convention]:
        """Those of `CONVENTIONS` whose pixels it can hold, by name; all where it holds none."""
        held = {name: one for name, one in CONVENTIONS.items() if self._holds(one)}
        return held or CONVENTIONS

    def _holds(self, convention: Convention) -> bool:
        """Whether the pixels of a convention fit into it, and are not mostly one number in it."""
        if self.ends is None:
            return True
        low, high = self.ends
        room = _ROOM * (high - low)
        pairs = list(zip(convention["mean"], convention["scale"], strict=True))
        least = min((0 - mean) * scale for mean, scale in pairs)
        most = max((255 - mean) * scale for mean, scale in pairs)
        fits = low - room <= least and most <= high + room
        return fits and (self.dtype.startswith("float") or most - least > (high - low) / 2)


def what_it_takes(model: Any, shape: Sequence[int | None] | None = None) -> Taken:
    """What pictures a model takes, by the shape of its input; 224 × 224 where that leaves it open.

    Args:
        model: as `Score` takes it.
        shape: of the input, `(None, 3, 224, 224)`, for a model that does not say.

    Raises:
        DataError: no picture goes in, or nothing says what does.
    """
    dtype, ends = "float32", None
    if isinstance(model, str | os.PathLike):
        model = load_model(model)
    if isinstance(model, Model):
        if len(model.inputs) != 1:
            raise DataError(f"the model has {len(model.inputs)} inputs; pictures go into one")
        spec = fed(model.inputs)[0]
        found, dtype = shape or spec.shape, spec.dtype
        ends = _ends(model.inputs[0])
    elif shape is None and (live_module(model) is not None or hasattr(model, "input_shape")):
        one = getattr(model, "input_shape", None)
        found = (None, *one) if one is not None else (None, 3, None, None)
    else:
        found = shape
    if found is None:
        raise DataError("nothing says what goes into the model; pass shape=(None, 3, 224, 224)")
    if dtype not in DTYPES:
        raise DataError(f"the model takes {dtype}, and pictures are numbers")
    layout, height, width = _read(tuple(found))
    return Taken((height, width), layout, dtype, ends)


def _ends(spec: TensorSpec) -> tuple[float, float] | None:
    """What stored integers can stand for; values beyond it would all become its ends."""
    if spec.dtype not in ("uint8", "int8"):
        return None
    ends = np.array([np.iinfo(spec.dtype).min, np.iinfo(spec.dtype).max], spec.dtype)
    if spec.quantization is None:
        return float(ends[0]), float(ends[1])
    if spec.quantization.axis is not None and len(spec.quantization.scale) > 1:
        return None
    low, high = spec.quantization.real(ends)
    return float(low), float(high)


def _read(shape: tuple[Any, ...]) -> tuple[Layout, int, int]:
    if len(shape) == 4 and shape[1] == 3:
        return "NCHW", _side(shape[2]), _side(shape[3])
    if len(shape) == 4 and shape[3] == 3:
        return "NHWC", _side(shape[1]), _side(shape[2])
    raise DataError(
        f"the input is {shape_text(shape)}; pictures of three channels are [n, 3, height, width] "
        f"or [n, height, width, 3]. Where it is open, pass shape=(None, 3, 224, 224)"
    )


def _side(size: Any) -> int:
    return size if isinstance(size, int) and size > 0 else _USUAL_SIDE
