"""A prediction is a dict that can be read at a glance."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from mlnb.models.prediction import Prediction


def test_it_is_a_dict_of_arrays():
    prediction = Prediction({"y": np.ones(2)}, inputs={"x": np.zeros(1)}, notes=("a",), seconds=0.5)
    assert isinstance(prediction, dict)
    assert prediction["y"].sum() == 2
    assert (list(prediction.inputs), prediction.notes, prediction.seconds) == (["x"], ("a",), 0.5)


def test_nan_in_the_inputs_is_noted():
    for dtype in ("float16", "float32", "float64", ml_dtypes.bfloat16):
        values = np.array([1, np.nan, np.nan]).astype(dtype)
        assert Prediction({}, inputs={"x": values}).notes == ("x: holds 2 NaN values",)
    quiet = {"x": np.array([np.inf, -1], np.float16), "n": np.arange(3), "s": np.array(["nan"])}
    assert Prediction({}, inputs=quiet).notes == ()
    listed = {"xs": [np.array([np.nan]), np.zeros(1)], "absent": None}
    assert Prediction({}, inputs=listed).notes == ("xs: holds 1 NaN value",)


def test_its_repr_has_a_line_for_each_tensor_and_note():
    prediction = Prediction(
        {
            "scores": np.array([[0.25, 0.75]], np.float32),
            "n": np.array(3),
            "words": np.array(["a\x1b[31m", "b"], object),
            "bad": np.array([np.nan, 1.0, np.inf]),
            "empty": np.zeros((0, 4)),
            "parts": [np.zeros(1)] * 3,
            "map": {1: 0.5},
            "none": None,
        },
        notes=("x: float64 became float32",),
        seconds=0.021,
        device="CUDA",
    )
    assert repr(prediction).splitlines() == [
        "Prediction in 21 ms on CUDA",
        "  scores  float32 [1, 2]  0.25 … 0.75",
        "  n       int64 scalar  3",
        "  words   string [2]  'a\\\\x1b[31m' …",
        "  bad     float64 [3]  1 … 1, 2 not finite",
        "  empty   float64 [0, 4]",
        "  parts   a list of 3",
        "  map     a dict of 1",
        "  none    None",
        "  note: x: float64 became float32",
    ]


def test_names_from_a_file_are_made_visible():
    assert "\\u202e" in repr(Prediction({"\u202ey": np.zeros(1)}))
