"""A picture as a loaded model wants it, where nobody said how: by the input's shape and dtype.

What the shape does not tell, the range of the numbers, is a convention, and the panel says which
one it took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.decoding import Fit
from mlnb.errors import InputError

if TYPE_CHECKING:
    from mlnb.data.images import RGBArray
    from mlnb.specs import TensorSpec

_MEAN = np.array((123.675, 116.28, 103.53), np.float32)
_STD = np.array((58.395, 57.12, 57.375), np.float32)

Array = np.ndarray[Any, np.dtype[Any]]


def picture_feed(spec: TensorSpec, image: RGBArray) -> tuple[Array, str]:
    """The array to feed, and what was assumed, in words (empty where nothing was).

    Floats get ImageNet's mean and deviation where channels come first, -1 to 1 where they come
    last; integers get the pixels, and quantised ones what the pixels stand for.

    Args:
        spec: the input.
        image: `uint8 [height, width, 3]`.

    Raises:
        InputError: the input takes no picture.
    """
    shape = spec.shape or ()
    if len(shape) not in (3, 4) or not {1, 3} & {shape[-1], shape[-3]}:
        raise InputError(
            f"input {spec} takes no picture [3, height, width] or [height, width, 3]; "
            "preprocessing= says what to feed"
        )
    first = shape[-1] not in (1, 3)
    channels, height, width = shape[-3:] if first else (shape[-1], shape[-3], shape[-2])
    if isinstance(height, int) and isinstance(width, int):
        image = Fit((height, width), "crop")(image)
    values, assumed = _values(spec, image, first)
    if channels == 1:
        values = values.mean(axis=-1, keepdims=True)
    values = values.astype(spec.dtype if spec.quantization is None else np.float32)
    values = np.ascontiguousarray(values.transpose(2, 0, 1)) if first else values
    return (values[None] if len(shape) == 4 else values), assumed


def _values(spec: TensorSpec, image: RGBArray, first: bool) -> tuple[Array, str]:
    if spec.quantization is not None:
        stored = image.astype(np.int32) - (128 if spec.dtype == "int8" else 0)
        return spec.quantization.real(stored), ""
    if not spec.dtype.startswith(("float", "bfloat")):
        return image, ""
    if first:
        return (image - _MEAN) / _STD, "fed by ImageNet's mean and deviation (assumed)"
    return image.astype(np.float32) / 127.5 - 1, "fed as −1 to 1 (assumed)"
