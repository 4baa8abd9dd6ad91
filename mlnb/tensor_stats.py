"""What one wants to know of an array at one look: its range, mean, histogram, and a small picture.

Sums run in float64 over chunks, so that a float16 array does not overflow its own mean and a large
one is never copied whole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isfinite, isqrt, sqrt
from typing import Any

import numpy as np

CHUNK = 1 << 20
"""Elements that are converted to float64 at a time."""
PICTURE = 96
"""Pixels on a side, at most, of a picture of a tensor."""

Array = np.ndarray[Any, np.dtype[Any]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class TensorStats:
    """The statistics of an array, over its finite values.

    Args:
        count: elements in all.
        minimum: the least value; NaN where no value is finite.
        maximum: the greatest value.
        mean: the arithmetic mean.
        std: the standard deviation of all values, not of a sample (`ddof=0`).
        nan: how many are NaN.
        inf: how many are infinite, of either sign.
        zeros: how many are zero.
        histogram: how many finite values fall into each of the equal bins from `low` to `high`.
        low: where the first bin begins.
        high: where the last bin ends, itself included.
    """

    count: int
    minimum: float
    maximum: float
    mean: float
    std: float
    nan: int
    inf: int
    zeros: int
    histogram: tuple[int, ...]
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """A dictionary that JSON can hold: `None` for what is not finite."""
        return {
            name: None if isinstance(value, float) and not isfinite(value) else value
            for name, value in (asdict(self) | {"histogram": list(self.histogram)}).items()
        }


def tensor_stats(array: Array, bins: int = 32) -> TensorStats | None:
    """The statistics of an array of numbers or booleans; `None` for one of texts.

    >>> tensor_stats(np.array([1.0, 2.0, np.nan])).mean
    1.5

    Args:
        array: of any shape; of complex numbers the absolute values count.
        bins: how many bins the histogram has.
    """
    array = np.asarray(array)
    if not _is_numeric(array):
        return None
    count, nan, inf, zeros, total = array.size, 0, 0, 0, 0.0
    minimum, maximum, finite = float("inf"), float("-inf"), 0
    for chunk in _chunks(array):
        nan += int(np.isnan(chunk).sum())
        inf += int(np.isinf(chunk).sum())
        zeros += int((chunk == 0).sum())
        good = chunk[np.isfinite(chunk)]
        if good.size:
            finite += good.size
            minimum, maximum = min(minimum, float(good.min())), max(maximum, float(good.max()))
    if not finite:
        empty = float("nan")
        return TensorStats(
            count, empty, empty, empty, empty, nan, inf, zeros, (0,) * bins, empty, empty
        )
    for chunk in _chunks(array):
        total += float((chunk[np.isfinite(chunk)] / finite).sum())
    mean = min(max(total, minimum), maximum)
    low, high = (minimum, maximum) if minimum < maximum else (minimum - 0.5, maximum + 0.5)
    scale = max(abs(low), abs(high), 1.0)
    squares, histogram = 0.0, np.zeros(bins, np.int64)
    for chunk in _chunks(array):
        good = chunk[np.isfinite(chunk)] / scale
        squares += float(((good - mean / scale) ** 2 / finite).sum())
        edges = (low / scale, high / scale)
        histogram += np.histogram(good, bins=bins, range=edges)[0]
    std = sqrt(squares) * scale
    counts = tuple(int(number) for number in histogram)
    return TensorStats(count, minimum, maximum, mean, std, nan, inf, zeros, counts, low, high)


def tensor_picture(array: Array) -> bytes | None:
    """A PNG of at most 96 x 96 pixels: the picture where the shape is one, else a heat map.

    >>> tensor_picture(np.zeros((1, 3, 224, 224)))[:4]
    b'\\x89PNG'

    Of a batch the first element is shown. A vector wraps into rows. `None` for texts, for an empty
    array, and for one where no value is finite.
    """
    array = np.asarray(array)
    if not _is_numeric(array) or not array.size:
        return None
    while array.ndim > 3 or (array.ndim == 3 and array.shape[0] == 1):
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3 and min(array.shape[1:]) > 4:
        return _photograph(np.moveaxis(array, 0, 2))
    if array.ndim == 3 and array.shape[2] == 3 and min(array.shape[:2]) > 4:
        return _photograph(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return _heat_map(array)


def _is_numeric(array: Array) -> bool:
    """Numbers and booleans, and those of ml_dtypes (`bfloat16`, `float8_e4m3fn`, `int4`)."""
    if array.dtype.kind in "biufc":
        return True
    if array.dtype.kind != "V" or array.dtype.names is not None:
        return False
    try:
        array.reshape(-1)[:0].astype(np.float64)
    except (TypeError, ValueError):
        return False
    return array.dtype.type is not np.void


def _chunks(array: Array) -> Iterator[np.ndarray[Any, np.dtype[np.float64]]]:
    """The values in float64, a chunk at a time and without a copy of the whole."""
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
        for start in range(0, flat.size, CHUNK):
            yield _float(flat[start : start + CHUNK])
    elif array.size <= CHUNK or array.ndim == 0:
        yield _float(array.reshape(-1))
    else:
        for part in array:
            yield from _chunks(part)


def _float(part: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    numbers = np.abs(part) if part.dtype.kind == "c" else part
    return numbers.astype(np.float64)


def _photograph(pixels: Array) -> bytes | None:
    """Colours as they are where they are 0 to 255; anything else stretched over its range."""
    small = _float(_thinned(_thinned(pixels, 0), 1))
    if pixels.dtype == np.uint8:
        return _png(small.astype(np.uint8))
    unit = _stretched(small)
    return None if unit is None else _png((unit * 255).round().astype(np.uint8))


def _heat_map(array: Array) -> bytes | None:
    """Dark blue for the least value to yellow for the greatest, grey for what is not finite."""
    if array.ndim == 3:
        array = array.reshape(-1, array.shape[-1]) if array.flags.c_contiguous else array[0]
    if array.ndim < 2:
        flat = array.reshape(-1)[: PICTURE * PICTURE * 16]
        width = max(1, isqrt(max(flat.size - 1, 0)) + 1)
        rows = -(-flat.size // width)
        padded = np.full(rows * width, np.nan)
        padded[: flat.size] = _float(flat)
        array = padded.reshape(rows, width)
    small = _float(_thinned(_thinned(array, 0), 1))
    unit = _stretched(small)
    if unit is None:
        return None
    colors = np.stack([np.interp(unit, _STOPS, channel) for channel in _COLORS], axis=-1)
    colors[~np.isfinite(small)] = 160
    return _png(colors.round().astype(np.uint8))


_STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Viridis at five places, as red, green and blue: read alike by people with any colour vision.
_COLORS = ((68, 59, 33, 94, 253), (1, 82, 145, 201, 231), (84, 139, 140, 98, 37))


def _thinned(array: Array, axis: int) -> Array:
    """Every n-th row or column, so that at most `PICTURE` are left."""
    size = array.shape[axis]
    if size <= PICTURE:
        return array
    return np.take(array, np.linspace(0, size - 1, PICTURE).round().astype(np.int64), axis=axis)


def _stretched(
    numbers: np.ndarray[Any, np.dtype[np.float64]],
) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """The finite values from 0 to 1; 0 for the others; `None` where there is none."""
    good = np.isfinite(numbers)
    if not good.any():
        return None
    low, high = float(numbers[good].min()), float(numbers[good].max())
    half = (high / 2 - low / 2) or 1.0  # halves: the difference itself may overflow
    return np.where(good, (np.where(good, numbers, low) / 2 - low / 2) / half, 0.0)


def _png(pixels: Pixels) -> bytes:
    """An RGB picture of 8 bits a channel as PNG (RFC 2083)."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(pixels))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
