"""Keras models in HDF5, HDF5 with weights alone, and HDF5 that leads elsewhere."""

from __future__ import annotations

import io
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile.watch import processor_seconds
from models_made import keras_models as made

from mlnb.child.client import Child
from mlnb.errors import MlnbError, ModelCrashed, ModelFormatError, ModelRunError
from mlnb.formats import open_model_file
from mlnb.formats.keras.h5_file import Hdf5WeightsFile, KerasH5File
from mlnb.formats.weights_file import WeightsFile
from mlnb.models.loading import load_model

h5py = pytest.importorskip("h5py")


def test_an_old_row_tells_its_shapes_by_the_rules_of_its_layers() -> None:
    weights = made.old_weights()
    file = open_model_file(made.keras_h5(made.old_row(), weights))
    assert isinstance(file, KerasH5File)
    assert [(s.name, s.shape) for s in file.inputs] == [("conv_input", (None, 8, 8, 1))]
    assert [(s.name, s.shape) for s in file.outputs] == [("pool", (None, 2))]
    conv, pool = file.graph.nodes
    assert conv.inputs == ("conv_input", "conv/kernel", "conv/bias")
    assert file.graph.value("conv").shape == (None, 6, 6, 2)
    assert pool.inputs == ("conv",)
    np.testing.assert_array_equal(file.tensor("conv/kernel"), weights["conv"]["conv/kernel:0"])
    assert file.metadata == {
        "producer": "Keras 2.9.0", "backend": "tensorflow", "class": "Sequential",
    }  # fmt: skip


def test_weights_alone_are_a_table_that_says_how_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "only.weights.h5"
    path.write_bytes(made.hdf5(made.row_weights()))
    file = open_model_file(path)
    assert isinstance(file, Hdf5WeightsFile)
    assert isinstance(file, WeightsFile)
    assert file.tensors[0].name == "layers/dense/vars/0"
    assert file.tensor("layers/dense/vars/1").shape == (3,)
    with pytest.raises(ModelRunError, match="load_weights"):
        load_model(path).predict(np.zeros(1))


def nested() -> dict[str, object]:
    inner = {
        "class_name": "Sequential",
        "config": {
            "name": "inner",
            "layers": [
                {"class_name": "Dense", "config": {"name": name, "units": 2}}
                for name in ("dense", "dense_1")
            ],
        },
    }
    outer = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2]}}
    return {"class_name": "Sequential", "config": {"name": "outer", "layers": [outer, inner]}}


def test_weights_of_a_nested_model_are_found_by_the_layers_names() -> None:
    names = ("inner/dense/kernel:0", "inner/dense_1/kernel:0")
    weights = {"inner": {name: np.full((2, 2), i, "f4") for i, name in enumerate(names)}}
    file = open_model_file(made.keras_h5(nested(), weights))
    first, second = file.graph.nodes[0].subgraphs["body"].nodes
    assert first.inputs[1:] == ("inner/dense/kernel",)
    assert second.inputs[1:] == ("inner/dense_1/kernel",)
    assert file.tensor("inner/dense_1/kernel").max() == 1


def test_a_model_that_points_into_other_files_is_refused_and_they_are_not_opened(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret.h5"
    secret.write_bytes(made.hdf5({"v": np.ones(3)}))
    path = tmp_path / "model.h5"
    path.write_bytes(made.keras_h5(made.old_row(), made.old_weights()))
    with h5py.File(path, "r+") as file:
        file["model_weights/stolen"] = h5py.ExternalLink(str(secret), "/v")
    with pytest.raises(ModelFormatError, match="other files"):
        open_model_file(path)


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_weights_in_other_files_are_left_out_of_an_archive_with_a_warning(
    tmp_path: Path, kind: str
) -> None:
    secret = tmp_path / "secret.h5"
    secret.write_bytes(made.hdf5({"v": np.ones((3, 2), "f4")}))
    held = io.BytesIO(made.hdf5(made.row_weights()))
    with h5py.File(held, "r+") as file:
        group = file["layers/dense_1/vars"]
        del group["0"]
        if kind == "link":
            group["0"] = h5py.ExternalLink(str(secret), "/v")
        elif kind == "storage":
            group.create_dataset("0", (3, 2), "f4", external=[(str(secret), 0, 24)])
        else:
            layout = h5py.VirtualLayout((3, 2), "f4")
            layout[:] = h5py.VirtualSource(str(secret), "v", shape=(3, 2))
            group.create_virtual_dataset("0", layout)
    members = {"model.weights.h5": held.getvalue()}
    model = open_model_file(made.keras_zip(made.row_of_two(), members=members))
    assert "scores/kernel" not in model.graph.values
    assert any("other files" in warning for warning in model.graph.warnings)


def test_groups_that_hold_themselves_are_walked_once() -> None:
    held = io.BytesIO(made.hdf5(made.row_weights()))
    with h5py.File(held, "r+") as file:
        file["layers/again"] = file["layers"]
    file = open_model_file(held.getvalue())
    assert len(file.graph.values) == 4


def test_a_file_cut_off_anywhere_is_an_error_that_says_hdf5() -> None:
    content = made.keras_h5(made.old_row(), made.old_weights())
    for i in range(40):
        with pytest.raises(ModelFormatError, match=r"HDF5|ONNX"):
            open_model_file(content[: i * len(content) // 40])


def test_bytes_changed_at_random_end_in_a_graph_or_in_our_error() -> None:
    chance = random.Random(3)
    for _ in range(150):
        content = bytearray(chance.choice(made.good_keras_h5()))
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(8, len(content))] = chance.randrange(256)
        begun = processor_seconds()
        try:
            open_model_file(bytes(content)).graph  # noqa: B018
        except MlnbError as error:
            assert str(error)  # noqa: PT017
        assert processor_seconds() - begun < 3


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such clock")
def test_a_parser_that_goes_round_in_circles_is_ended_after_half_a_second_of_work() -> None:
    spin = "import mlnb.formats.keras.hdf5_child as it\nwith it._mortal([b'']):\n    while 1: pass"
    begun = processor_seconds()
    done = subprocess.run([sys.executable, "-c", spin], timeout=60, check=False)
    assert done.returncode == -signal.SIGPROF
    assert processor_seconds() - begun < 3


def test_a_file_in_which_the_parser_hung_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = load_model(made.hdf5(made.row_weights()))
    asked = []

    def crash(self: Child, function: str, /, *args: Any, **more: Any) -> Any:
        asked.append(function)
        raise ModelCrashed("h5py crashed (SIGPROF) on this model; your session is unharmed")

    monkeypatch.setattr(Child, "call", crash)
    for weight in model.graph.weights:
        with pytest.raises(ModelFormatError, match="the parser goes round in circles"):
            model.tensor(weight.name)
    assert len(asked) == 1


def test_real_files_of_both_formats_are_read(mlnb_data: Path) -> None:
    folder = mlnb_data / "models" / "keras"
    faces = open_model_file(folder / "fer2013_mini_XCEPTION.102-0.66.hdf5")
    assert [(s.name, s.shape) for s in faces.inputs] == [("input_1", (None, 64, 64, 1))]
    assert [(s.name, s.shape) for s in faces.outputs] == [("predictions", (None, 7))]
    assert not faces.graph.warnings
    assert all(value.shape for value in faces.graph.values.values())
    digits = open_model_file(folder / "mnist.keras")
    assert sum(value.nbytes or 0 for value in digits.graph.weights) == 4 * 101_770
