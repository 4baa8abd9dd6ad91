from __future__ import annotations

import io
import json
import math

import ml_dtypes
import numpy as np
import pytest
from PIL import Image

from mlnb import tensor_stats as room
from mlnb.formatting import image_uri
from mlnb.tensor_stats import tensor_picture, tensor_stats


def pixels(array) -> np.ndarray:
    """The picture as another library reads it."""
    png = tensor_picture(array)
    assert png is not None
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_statistics_are_those_of_numpy():
    array = np.random.default_rng(0).normal(3, 2, (64, 3, 7, 7)).astype(np.float32)
    stats = tensor_stats(array)
    assert stats.count == array.size
    assert (stats.minimum, stats.maximum) == (array.min(), array.max())
    assert stats.mean == pytest.approx(array.astype(np.float64).mean())
    assert stats.std == pytest.approx(array.astype(np.float64).std())
    expected, _ = np.histogram(array.astype(np.float64), 32, (stats.low, stats.high))
    assert list(stats.histogram) == expected.tolist()


def test_chunks_add_up(monkeypatch):
    array = np.random.default_rng(0).normal(size=(50, 41))
    whole = tensor_stats(array)
    monkeypatch.setattr(room, "CHUNK", 7)
    for parts in (tensor_stats(array), tensor_stats(np.asfortranarray(array))):
        assert parts.histogram == whole.histogram
        assert parts.mean == pytest.approx(whole.mean)
        assert parts.std == pytest.approx(whole.std)


def test_what_is_not_finite_is_counted_and_left_out():
    stats = tensor_stats(np.array([1.0, 3.0, np.nan, np.inf, -np.inf, 0.0]))
    assert (stats.nan, stats.inf, stats.zeros) == (1, 2, 1)
    assert (stats.minimum, stats.maximum, stats.mean) == (0.0, 3.0, pytest.approx(4 / 3))
    assert sum(stats.histogram) == 3


@pytest.mark.parametrize("array", [np.array([]), np.array([np.nan, np.inf]), np.zeros((0, 3))])
def test_without_a_finite_value_json_has_none(array):
    written = json.dumps(tensor_stats(array).to_json(), allow_nan=False)
    stats = json.loads(written)
    assert stats["count"] == array.size
    assert [stats[name] for name in ("minimum", "maximum", "mean", "std", "low")] == [None] * 5
    assert stats["histogram"] == [0] * 32


def test_float16_does_not_overflow_its_own_mean():
    stats = tensor_stats(np.full(100_000, 60_000, np.float16))
    assert stats.mean == 60_000
    assert stats.std == 0


def test_float64_near_its_limits_does_not_overflow():
    with np.errstate(all="raise"):
        stats = tensor_stats(np.array([1.7e308, -1.7e308, 1.7e308]))
    assert math.isfinite(stats.mean)
    assert math.isfinite(stats.std)
    assert sum(stats.histogram) == 3


@pytest.mark.parametrize(
    ("array", "mean"),
    [
        (np.array(3.0), 3.0),
        (np.array([True, False]), 0.5),
        (np.array([1, 2, 3], np.uint8), 2.0),
        (np.array([-(2**62), 2**62]), 0.0),
        (np.array([3 + 4j]), 5.0),
        (np.arange(5).astype(ml_dtypes.bfloat16), 2.0),
        (np.array([1, 2, 3], ml_dtypes.int4), 2.0),
        (np.array([1, 3], ml_dtypes.float8_e4m3fn), 2.0),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_every_kind_of_number_has_statistics(array, mean):
    stats = tensor_stats(array)
    assert stats.mean == mean
    assert sum(stats.histogram) == array.size


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a", "b"]),
        np.array(["a", None], object),
        np.array([b"x"]),
        np.zeros(2, [("a", "f4")]),
        np.array(["2024-01-01"], "datetime64[D]"),
    ],
    ids=lambda array: str(array.dtype),
)
def test_texts_have_neither_statistics_nor_a_picture(array):
    assert tensor_stats(array) is None
    assert tensor_picture(array) is None


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((28, 28), (28, 28, 3)),
        ((1, 28, 20), (28, 20, 3)),
        ((1, 1, 28, 20), (28, 20, 3)),
        ((3, 32, 20), (32, 20, 3)),
        ((1, 3, 32, 20), (32, 20, 3)),
        ((32, 20, 3), (32, 20, 3)),
        ((4, 32, 20, 3), (32, 20, 3)),
        ((32, 20, 1), (32, 20, 3)),
        ((224, 500), (96, 96, 3)),
        ((1000,), (32, 32, 3)),
        ((), (1, 1, 3)),
        ((16, 7, 7), (96, 7, 3)),
        ((5, 0), None),
    ],
)
def test_the_picture_has_the_shape_of_the_tensor(shape, size):
    array = np.random.default_rng(0).random(shape)
    if size is None:
        assert tensor_picture(array) is None
    else:
        assert pixels(array).shape == size


def test_a_photograph_keeps_its_colours():
    photo = np.zeros((8, 9, 3), np.uint8)
    photo[:, :4] = (200, 30, 10)
    assert (pixels(photo) == photo).all()
    assert (pixels(np.moveaxis(photo, 2, 0)[None]) == photo).all()


def test_a_normalized_photograph_is_stretched_over_its_range():
    shown = pixels(np.linspace(-2.1, 2.6, 3 * 64).reshape(1, 3, 8, 8))
    assert (shown.min(), shown.max()) == (0, 255)


def test_the_heat_map_runs_from_dark_to_light_and_shows_nan_as_grey():
    shown = pixels(np.array([[0.0, 1.0], [np.nan, 0.5]]))
    assert shown[0, 0].tolist() == [68, 1, 84]
    assert shown[0, 1].tolist() == [253, 231, 37]
    assert shown[1, 0].tolist() == [160, 160, 160]


def test_a_constant_and_a_boundless_tensor_have_pictures():
    assert pixels(np.full((4, 4), 7.0)).shape == (4, 4, 3)
    assert pixels(np.array([[-1.7e308, 1.7e308]])).max() == 253
    assert tensor_picture(np.full((4, 4), np.nan)) is None


def test_a_large_tensor_makes_a_small_picture():
    png = tensor_picture(np.random.default_rng(0).random((2_000, 2_000)).astype(np.float32))
    assert len(png) < 96 * 96 * 3 + 500
    assert image_uri(png).startswith("data:image/png;base64,iVBOR")
