"""Keras models run in the child, and answer as Keras itself does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models_made import keras_models as made
from models_made import keras_zoo

from mlnb.errors import InputError, ModelRunError
from mlnb.models.loading import load_model

pytest.importorskip("h5py")
if not find_spec("keras") or not find_spec("tensorflow"):  # they stay out of this process
    pytest.skip("keras or tensorflow is not installed", allow_module_level=True)

Said = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """The folder of the zoo, and what Keras says of each model; Keras stays in its own process."""
    folder = tmp_path_factory.mktemp("zoo")
    data = os.environ.get("MLNB_DATA")
    real = sorted((Path(data) / "models" / "keras").iterdir()) if data else []
    command = [sys.executable, keras_zoo.__file__, str(folder), *map(str, real)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, json.loads((folder / "said.json").read_text())


def test_the_reader_says_of_every_model_what_keras_says(zoo: tuple[Path, Said]) -> None:
    _, said = zoo
    assert len(said) >= 13
    for name, keras in said.items():
        model = load_model(keras["path"])
        ours = [[spec.name, list(spec.shape or ()), spec.dtype] for spec in model.inputs]
        assert ours == keras["inputs"], name
        given = [[list(spec.shape or ()), spec.dtype] for spec in model.outputs]
        assert given == keras["outputs"], name
        assert not model.graph.warnings, name


def test_every_model_answers_as_keras_does_and_can_be_cut_anywhere(zoo: tuple[Path, Said]) -> None:
    folder, said = zoo
    for name, keras in said.items():
        model = load_model(keras["path"])
        fed = {spec: _fed(shape, dtype) for spec, shape, dtype in keras["inputs"]}
        answers = np.load(folder / f"{name}.npz")
        ours = model.predict(fed)
        for mine, theirs in zip(ours.values(), answers.values(), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5, err_msg=name)
        if name not in ("two.keras", "shared.keras"):
            continue
        inner = [out for node in model.graph.nodes for out in node.outputs][:12]
        cut = model.cut(outputs=inner).predict(fed)
        for spec in model.cut(outputs=inner).outputs:
            assert cut[spec.name].dtype == spec.dtype, (name, spec)
            assert len(cut[spec.name].shape) == len(spec.shape or ()), (name, spec)


def _fed(shape: list[int | None], dtype: str) -> Any:
    sizes = [2 if size is None else size for size in shape]
    return np.ones(sizes, dtype) if "float" in dtype else np.zeros(sizes, dtype)


def test_a_model_made_without_keras_runs_from_bytes_with_its_weights() -> None:
    weights = made.row_weights()
    model = load_model(made.keras_zip(made.row_of_two(), weights))
    x = np.linspace(-1, 1, 48, dtype=np.float32).reshape(3, 4, 4)
    first, bias, second, last = (weights[name] for name in sorted(weights, key=_by_layer))
    hidden = np.maximum(x.reshape(3, 16) @ first + bias, 0)
    expected = np.maximum(hidden @ second + last, 0)
    np.testing.assert_allclose(model.predict(x)["scores"], expected, rtol=1e-5)
    np.testing.assert_allclose(
        model.cut(outputs=["hidden"]).predict(x)["hidden"], hidden, rtol=1e-5
    )


def _by_layer(name: str) -> tuple[str, str]:
    return name.split("/")[1], name[-1]


def test_inner_layers_of_a_nested_model_come_out_too(zoo: tuple[Path, Said]) -> None:
    model = load_model(zoo[1]["nested.keras"]["path"])
    fed = {"x": np.ones((2, 6), np.float32), "z": np.ones((2, 6), np.float32)}
    inner = model.cut(outputs=["inner_graph/deep", "inner_row/dense_1"]).predict(fed)
    whole = model.predict(fed)["subtract"]
    np.testing.assert_allclose(
        inner["inner_row/dense_1"] - inner["inner_graph/deep"], whole, atol=1e-6
    )


@pytest.mark.parametrize(
    "layer",
    [
        made.entry("Lambda", "twice", function={"class_name": "__lambda__", "config": {}}),
        made.entry("Twice", "twice", "mine") | {"registered_name": "mine>Twice"},
    ],
)  # fmt: skip
def test_what_needs_code_is_refused_with_its_name_and_a_remedy_that_is_safe(layer: Any) -> None:
    row = made.sequential([made.input_layer("x", [None, 2]), layer])
    model = load_model(made.keras_zip(row, {}), allow_io=True)
    with pytest.raises(ModelRunError, match=r"twice.*export\('folder'\)") as raised:
        model.predict(np.ones((1, 2), np.float32))
    assert "safe_mode" not in str(raised.value)
    assert "allow_io" not in str(raised.value)


def test_a_class_that_keras_does_not_know_is_named() -> None:
    row = {"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2]}},
        {"class_name": "MyOwn", "config": {"name": "mine"}}]}}  # fmt: skip
    model = load_model(made.keras_h5(row, {"mine": {}}))
    with pytest.raises(ModelRunError, match="MyOwn"):
        model.predict(np.ones((1, 2), np.float32))


def test_functions_of_keras_2_are_refused_with_their_names() -> None:
    old = {"class_name": "TFOpLambda", "config": {"name": "tf.math.add", "function": "math.add"}}
    feeding = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2]}}
    row = {"class_name": "Sequential", "config": {"name": "s", "layers": [feeding, old]}}
    with pytest.raises(ModelRunError, match=r"tf\.math\.add \(TFOpLambda\)"):
        load_model(made.keras_h5(row, {})).predict(np.ones((1, 2), np.float32))


def test_weights_that_do_not_fit_the_layers_are_an_error_of_one_line() -> None:
    wrong = {**made.row_weights(), "layers/dense/vars/0": np.zeros((2, 2), np.float32)}
    with pytest.raises(ModelRunError, match="Keras does not load it"):
        load_model(made.keras_zip(made.row_of_two(), wrong)).predict(np.ones((1, 4, 4), np.float32))


def test_a_picture_of_bytes_is_refused_as_for_any_model() -> None:
    model = load_model(made.keras_zip(made.row_of_two(), made.row_weights()))
    with pytest.raises(InputError, match="uint8"):
        model.predict(np.zeros((1, 4, 4), np.uint8))


def test_mnist_scores_over_98_percent(mlnb_data: Path) -> None:
    pictures, truth = digits(mlnb_data)
    model = load_model(mlnb_data / "models" / "keras" / "mnist.keras")
    said = model.predict(pictures / 255)["dense_1"].argmax(1)
    assert np.mean(said == truth) > 0.98


def test_a_model_of_keras_2_tells_the_moods_of_noise(mlnb_data: Path) -> None:
    faces = load_model(mlnb_data / "models/keras/fer2013_mini_XCEPTION.102-0.66.hdf5")
    pictures = np.random.default_rng(0).random((3, 64, 64, 1), np.float32)
    said = faces.predict(pictures)["predictions"]
    assert said.shape == (3, 7)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


def digits(mlnb_data: Path) -> tuple[Any, Any]:
    """The pictures, [n, 28, 28] from 0 to 255, and their labels; the file lists what is not 0."""
    lines = (mlnb_data / "mnist" / "MNIST.Test.tiny.txt").read_text().splitlines()
    pictures = np.zeros((len(lines), 784), np.float32)
    for row, line in enumerate(lines):
        for place, value in (entry.split(":") for entry in line.split()[2:]):
            pictures[row, int(place)] = float(value)
    return pictures.reshape(-1, 28, 28), np.array([int(line.split()[0]) for line in lines])
