"""The made-up TensorFlow and TFLite files: they are read, they say what they are, and they run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlnb.data.samples import load_sample
from mlnb.data.stand_in_models import COLORS, WITHOUT_ADDRESS
from mlnb.errors import MissingExtra
from mlnb.models.loading import load_model

CHAIRS, MOBILENET = "chairs_model", "mobilenet_v1_0.25_224_float"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of real models, and a cache of its own."""
    monkeypatch.delenv("MLNB_DATA", raising=False)
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path))


@pytest.mark.parametrize("name", WITHOUT_ADDRESS)
def test_each_says_what_it_is_and_comes_out_the_same(name: str):
    said: list[str] = []
    sample = load_sample(name, tell=said.append)
    assert said == [f"STAND-IN made up by mlnb, not the real {name}: its figures mean nothing"]
    assert sample.stand_in
    first = sample.data()
    Path(sample).unlink()
    Path(sample).parent.joinpath("README").unlink()
    Path(sample).parent.joinpath("labels.txt").unlink()
    Path(sample).parent.rmdir()
    assert load_sample(name, tell=said.append).data() == first


@pytest.mark.parametrize(
    ("name", "kind", "inputs", "parameters"),
    [(CHAIRS, "TensorFlow GraphDef", (None, 227, 227, 3), 6), (MOBILENET, "TFLite", None, 32)],
)
def test_they_are_read_like_the_real_ones(name: str, kind: str, inputs, parameters: int):
    model = load_model(load_sample(name, tell=lambda line: None))
    assert model.format == kind
    assert model.inputs[0].shape == (inputs or (1, 224, 224, 3))
    assert model.summary().parameters == parameters
    assert not model.graph.warnings


def painted(side: int, *color: float) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.float32), (1, side, side, 3)).copy()


def test_the_frozen_graph_tells_green_from_the_rest():
    model = load_model(load_sample(CHAIRS, tell=lambda line: None))
    try:
        green = model.predict(painted(227, 0, 255, 0) - 117)["model_outputs"]
    except MissingExtra as error:
        pytest.skip(str(error))
    assert green.argmax() == 0
    assert model.predict(painted(227, 0, 0, 255) - 117)["model_outputs"].argmax() == 1


def test_the_tflite_file_names_eight_colours():
    model = load_model(load_sample(MOBILENET, tell=lambda line: None))
    try:
        answers = [model.predict(2 * painted(224, *c) - 1)["Softmax"] for c in COLORS.values()]
    except MissingExtra as error:
        pytest.skip(str(error))
    assert [int(answer.argmax()) for answer in answers] == list(range(len(COLORS)))
