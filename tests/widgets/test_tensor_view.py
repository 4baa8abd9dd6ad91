"""A few values of an array as text, and what has no statistics."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from mlnb.widgets.tensor_view import dtype_text, picture_uri, slice_text, stats_json


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float32(1.5), "scalar of 1 value\n1.5"),
        (np.arange(3), "[:] of 3 values\n0  1  2"),
        (np.arange(8.0), "[:6] of 8 values\n0  1  2  3  4  5"),
        (np.arange(8.0).reshape(2, 2, 2), "[0, :, :] of 8 values\n0  1\n2  3"),
        (np.zeros((0, 3)), "empty"),
        (np.zeros((2, 0, 3)), "empty"),
        (np.array([True, False]), "[:] of 2 values\n True  False"),
        (np.array([1 + 2j]), "[:] of 1 value\n1+2j"),
        (np.array([np.nan, -np.inf]), "[:] of 2 values\n nan  -inf"),
        (np.array(["a\nb", "c"], object), "[:] of 2 values\n'a\\nb'     'c'"),
        (np.array([1.5], ml_dtypes.bfloat16), "[:] of 1 value\n1.5"),
        (np.array([3], ml_dtypes.int4), "[:] of 1 value\n3"),
    ],
)
def test_the_first_corner_is_shown_with_its_place(array: np.ndarray, text: str):
    assert slice_text(np.asarray(array)) == text


def test_a_large_array_shows_a_corner_of_six_by_six():
    lines = slice_text(np.zeros((64, 3, 7, 7))).splitlines()
    assert lines[0] == "[0, 0, :6, :6] of 9,408 values"
    assert [line.split() for line in lines[1:]] == [["0"] * 6] * 6


@pytest.mark.parametrize("dtype", [object, "U3", "S3"])
def test_text_has_neither_statistics_nor_a_picture(dtype):
    array = np.full((4, 4), "abc", dtype)
    assert stats_json(array) is None
    assert picture_uri(array) is None
    assert dtype_text(array) == "string"


def test_numbers_have_statistics_and_a_picture_that_the_front_end_takes():
    array = np.arange(64, dtype=np.float32).reshape(8, 8)
    assert stats_json(array)["maximum"] == 63
    assert picture_uri(array).startswith("data:image/png;base64,")
