"""`TensorTable` of specs, of a model, of a prediction."""

from __future__ import annotations

import numpy as np
import pytest

from mlnb.models.prediction import Prediction
from mlnb.specs import TensorSpec, TensorSpecs
from mlnb.widgets.tensor_table import TensorTable


def test_specs_are_shown_row_by_row():
    specs = TensorSpecs([TensorSpec("x", "float32", ("N", 4)), TensorSpec("m", "bool", ())])
    table = TensorTable(specs)
    assert [(row["name"], row["shape"]) for row in table.rows] == [("x", "[N, 4]"), ("m", "scalar")]
    assert repr(table) == "TensorTable(x, m)"
    assert TensorTable(list(specs)).rows == table.rows


def test_a_model_is_shown_with_the_code_that_feeds_it(model):
    table = TensorTable(model)
    assert [(row["role"], row["name"]) for row in table.rows] == [("in", "x"), ("out", "y")]
    assert table.feed == 'net.predict({"x": np.zeros((1, 4), np.float32)})'
    assert table.title == "net.onnx"
    assert table.facts == model.facts


def test_a_prediction_is_shown_with_what_went_in_and_came_out():
    prediction = Prediction(
        {"y": np.ones((1, 8, 8), np.float32)},
        inputs={"x": np.zeros((1, 3), np.float16)},
        notes=("x: float64 became float16",),
        seconds=0.0123,
    )
    table = TensorTable(prediction)
    assert [(r["role"], r["name"], r["dtype"]) for r in table.rows] == [
        ("in", "x", "float16"),
        ("out", "y", "float32"),
    ]
    assert table.facts == "12 ms on CPU · x: float64 became float16"
    assert table.rows[1]["stats"]["mean"] == 1
    assert table.feed == ""


def test_a_table_does_not_keep_the_arrays_alive():
    import gc
    import weakref

    array = np.zeros(1000)
    table, alive = TensorTable(Prediction({"y": array})), weakref.ref(array)
    del array
    gc.collect()
    assert alive() is None
    assert table.rows[0]["shape"] == "[1000]"


@pytest.mark.parametrize("source", [None, 3, "net.onnx", np.zeros(3), [1, 2]])
def test_something_else_is_refused(source):
    with pytest.raises(TypeError, match="expects a Model, a Prediction or a row of TensorSpec"):
        TensorTable(source)


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="no argument 'titel'"):
        TensorTable([], titel="x")
