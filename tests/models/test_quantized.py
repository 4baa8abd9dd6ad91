"""A quantised model takes and gives real values; `raw=True` is for the integers it stores."""

from __future__ import annotations

import numpy as np
import pytest
from models.fake_file import FakeFile

from mlnb.errors import InputError
from mlnb.models.model import Model
from mlnb.specs import Quantization, TensorSpec

HALVES = Quantization((0.5,), (128,))
QUARTERS = Quantization((0.25,), (10,))


def doubler(**more) -> Model:
    """Stored integers in, the same plus one out; so it can be told which were fed."""
    file = FakeFile(
        [TensorSpec("x", "uint8", (1, 3), quantization=HALVES)],
        [TensorSpec("y", "uint8", (1, 3), quantization=QUARTERS)],
        lambda x: {"y": (x + 1).astype(np.uint8)},
        **more,
    )
    return Model(file)


def test_real_values_go_in_and_come_out():
    answer = doubler().predict(np.array([[0.0, 1.0, -1.0]], np.float32))
    assert answer["y"].dtype == np.float32
    # 0, 1 and -1 are stored as 128, 130 and 126; one more of each means 0.25 * (stored - 10)
    assert answer["y"].tolist() == [[0.25 * (n + 1 - 10) for n in (128, 130, 126)]]
    assert answer.inputs["x"].tolist() == [[0, 1, -1]]


def test_stored_values_go_in_and_come_out_raw():
    answer = doubler().predict(np.array([[1, 2, 255]], np.uint8), raw=True)
    assert answer["y"].dtype == np.uint8
    assert answer["y"].tolist() == [[2, 3, 0]]


def test_what_is_out_of_range_becomes_the_end_of_the_range():
    fed = doubler().predict(np.array([[-1e9, 1e9, np.inf]], np.float32))["y"]
    assert fed.tolist() == [[0.25 * (0 + 1 - 10), 0.25 * (0 - 10), 0.25 * (0 - 10)]]


@pytest.mark.filterwarnings("error")
def test_nan_becomes_zero_and_is_told():
    answer = doubler().predict(np.array([[np.nan, 0, 0]], np.float32))
    assert answer["y"][0, 0] == answer["y"][0, 1]
    assert "NaN" in answer.notes[0]


def test_a_picture_of_integers_is_refused_with_both_remedies():
    with pytest.raises(InputError) as error:
        doubler().predict(np.zeros((1, 3), np.uint8))
    assert "x.astype(np.float32)" in str(error.value)
    assert "raw=True" in str(error.value)


def test_floats_are_refused_where_stored_integers_are_promised():
    with pytest.raises(InputError, match="uint8"):
        doubler().predict(np.zeros((1, 3), np.float32), raw=True)


def test_a_longer_batch_runs_piece_by_piece_all_the_same():
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    answer = doubler().predict(rows)
    assert answer["y"].tolist() == (0.25 * (128 + 2 * rows + 1 - 10)).tolist()


def test_what_is_not_quantised_stays_as_it_is():
    file = FakeFile(
        [TensorSpec("x", "uint8", (1, 2)), TensorSpec("q", "int8", (1,), quantization=HALVES)],
        [TensorSpec("y", "uint8", (1, 2)), TensorSpec("n", "int64", (1,))],
        lambda x, q: {"y": x, "n": np.array([q[0]], np.int64)},
    )
    answer = Model(file).predict({"x": np.array([[1, 2]], np.uint8), "q": [-200.0]})
    assert answer["y"].tolist() == [[1, 2]]
    assert answer["n"].tolist() == [-128]


def test_a_scale_for_each_channel():
    quantization = Quantization((1.0, 2.0), (0, 10), axis=1)
    stored = np.array([[5, 15], [6, 16]], np.int8)
    assert quantization.real(stored).tolist() == [[5, 10], [6, 12]]
    assert quantization.quantized(quantization.real(stored), "int8").tolist() == stored.tolist()
    assert str(quantization) == "2 scales along axis 1"


def test_every_stored_value_survives_the_way_to_real_and_back():
    stored = np.arange(256, dtype=np.uint8)
    for quantization in (HALVES, QUARTERS, Quantization((0.0078125,), (3,))):
        back = quantization.quantized(quantization.real(stored), "uint8")
        assert (back == stored).all()


def test_the_code_to_copy_feeds_real_values():
    assert "np.float32" in doubler().feed_code
