"""Weights beside the model are opened only where they really lie beside it."""

from __future__ import annotations

import os

import numpy as np
import pytest
from models import made

from mlnb.errors import ModelRunError
from mlnb.models.loading import load_model
from mlnb.models.runtimes.external_data import require_contained

SECRET = np.arange(4, dtype=np.float32) + 1000


@pytest.fixture
def folder(tmp_path):
    """A folder `open` for a model, beside a file that it must not reach."""
    (tmp_path / "secret.bin").write_bytes(SECRET.tobytes())
    inside = tmp_path / "open"
    (inside / "sub").mkdir(parents=True)
    (inside / "weights.bin").write_bytes(np.ones(4, np.float32).tobytes())
    (inside / "sub" / "weights.bin").write_bytes(np.ones(4, np.float32).tobytes())
    os.symlink(tmp_path / "secret.bin", inside / "symlink.bin")
    os.symlink(tmp_path, inside / "door")
    os.link(tmp_path / "secret.bin", inside / "hardlink.bin")
    os.mkfifo(inside / "pipe.bin")
    return inside


def model_at(folder, location):
    (folder / "net.onnx").write_bytes(made.with_external_weights(location, 4))
    return load_model(folder / "net.onnx")


@pytest.mark.parametrize("location", ["weights.bin", "./weights.bin", "sub/weights.bin"])
def test_plain_files_in_the_folder_are_read(folder, location):
    model = model_at(folder, location)
    assert model.predict(np.zeros(4, np.float32))["y"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        ("../secret.bin", "climbs out"),
        ("sub/../../secret.bin", "climbs out"),
        ("..\\secret.bin", "climbs out"),
        ("/etc/hostname", "absolute"),
        ("C:\\secret.bin", "absolute"),
        ("symlink.bin", "symbolic link"),
        ("door/secret.bin", "symbolic link"),
        ("hardlink.bin", "hard link"),
        ("sub", "no regular file"),
        (".", "no regular file"),
        ("pipe.bin", "no regular file"),
        ("not there.bin", "missing"),
        ("", "no file name"),
        ("a\0b", "no file name"),
        ("*/_ORT_MEM_ADDR_/*", "missing"),
    ],
)
def test_everything_else_is_refused(folder, location, fault):
    with pytest.raises(ModelRunError, match=fault) as caught:
        require_contained(folder / "net.onnx", [location])
    assert "plain files in the model's own folder" in str(caught.value)


@pytest.mark.parametrize(
    "location",
    ["../secret.bin", "symlink.bin", "door/secret.bin", "hardlink.bin", "ABSOLUTE"],
)
def test_an_escape_never_reaches_a_runtime(folder, location):
    if location == "ABSOLUTE":
        location = str(folder.parent / "secret.bin")
    with pytest.raises(ModelRunError, match="keeps weights in"):
        model_at(folder, location).predict(np.zeros(4, np.float32))


def test_bytes_have_no_folder_to_look_in():
    model = load_model(made.with_external_weights("weights.bin", 4))
    with pytest.raises(ModelRunError, match="load it by its path"):
        model.predict(np.zeros(4, np.float32))
