"""What is shown of an array: statistics, a picture where it has one, and a few of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import display_text, image_uri, plural
from mlnb.tensor_stats import tensor_picture, tensor_stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS, _COLUMNS = 6, 6


def dtype_text(array: NDArray[Any]) -> str:
    """The dtype's name; `string` for text, however NumPy holds it."""
    return "string" if array.dtype.kind in "OSUT" else array.dtype.name


def stats_json(array: NDArray[Any]) -> dict[str, Any] | None:
    """The statistics as the front end takes them; `None` for text, which has none."""
    stats = tensor_stats(array)
    return None if stats is None else stats.to_json()


def picture_uri(array: NDArray[Any]) -> str | None:
    """A heat map, or the picture where the shape is one, as a PNG data URI."""
    png = tensor_picture(array)
    return None if png is None else image_uri(png)


def slice_text(array: NDArray[Any]) -> str:
    """The first corner of the array, with where it stands in it.

    >>> print(slice_text(np.arange(8.0).reshape(2, 2, 2)))
    [0, :, :] of 8 values
    0  1
    2  3
    """
    corner, place = array, []
    while corner.ndim > 2 and corner.size:
        corner = corner[0]
        place.append("0")
    if corner.size == 0:
        return "empty"
    place += _extents(corner.shape)
    cells = [
        [_value_text(value) for value in row] for row in np.atleast_2d(corner)[:_ROWS, :_COLUMNS]
    ]
    width = max(len(cell) for row in cells for cell in row)
    lines = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
    of = f" of {plural(array.size, 'value')}"
    return "\n".join([f"[{', '.join(place)}]{of}" if place else f"scalar{of}", *lines])


def _extents(shape: tuple[int, ...]) -> list[str]:
    caps = (_ROWS, _COLUMNS)[-len(shape) :] if shape else ()
    return [":" if size <= cap else f":{cap}" for size, cap in zip(shape, caps, strict=True)]


def _value_text(value: Any) -> str:
    if isinstance(value, str | bytes):
        return f"'{display_text(value, limit=24)}'" if isinstance(value, str) else repr(value[:24])
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(value)
    if isinstance(value, complex | np.complexfloating):
        return f"{value:.4g}"
    return f"{float(value):.4g}"  # bfloat16 and its like are no np.floating
