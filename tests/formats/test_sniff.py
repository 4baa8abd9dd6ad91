"""A file that is no model: the error names it, says what it looks like, and where it broke off."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from models_made import onnx_models

from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
GRAPH_DEF = b"\x0a\x14\x0a\x05image\x12\x0bPlaceholder"
SAVED_MODEL = b"\x08\x01\x12\x0c\x0a\x0a\x12\x08\x0a\x06serve\x00"
TENSOR = onnx.numpy_helper.from_array(np.zeros((2, 3), np.float32)).SerializeToString()

NO_MODELS = {
    "an empty file": b"",
    "zeros only": bytes(1000),
    "an HTML page": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "an XML or HTML file": b"<?xml version='1.0'?><a/>",
    "a Git-LFS pointer": POINTER,
    "a zip archive": zipped("a.txt"),
    "NumPy arrays (.npz)": zipped("x.npy", "y.npy"),
    "a gzip archive": gzip.compress(b"model"),
    "a TFLite model that is damaged": b"\xff\xff\x00\x00TFL3" + bytes(40),
    "an ONNX Runtime model": b"\x1c\x00\x00\x00ORTM" + bytes(40),
    "a GGML model": b"GGML" + bytes(40),
    "a single tensor of ONNX": TENSOR,
    "a JSON file": b'{"model": 1}',
    "a NumPy array": npy(),
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "a text file": "Ceci n'est pas un modèle\n".encode(),
}


@pytest.mark.parametrize("looks", NO_MODELS)
def test_the_error_says_what_it_looks_like(looks: str, tmp_path: Path) -> None:
    file = tmp_path / "thing.onnx"
    file.write_bytes(NO_MODELS[looks])
    with pytest.raises(ModelFormatError) as error:
        open_model_file(file)
    message = str(error.value)
    assert message.startswith("thing.onnx is no model that mlnb reads; it looks like")
    assert looks in message
    assert "at byte " in message


DAMAGED = {
    "zip file": b"PK\x03\x04" + bytes(50),
    "checkpoint": zipped("archive/data.pkl", "archive/byteorder"),
    "config.json": zipped("metadata.json", "config.json", "model.weights.h5"),
    "safetensors": safetensors()[:-2],
    "pickle": pickle.dumps({"weights": [1.0]}),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(50),
    "TFLite": b"\x1c\x00\x00\x00TFL3" + bytes(40),
    "GGUF": b"GGUF\x03\x00\x00\x00",
    "GraphDef": GRAPH_DEF + b"\x0a\x40",
    "SavedModel": SAVED_MODEL[:-3],
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_told_as_what_it_is(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "thing.onnx"
    file.write_bytes(DAMAGED[kind])
    with pytest.raises(ModelFormatError) as error:
        open_model_file(file).graph  # noqa: B018
    assert str(error.value).startswith("thing.onnx")
    assert kind in str(error.value)
    assert "ONNX" not in str(error.value)


def test_the_extension_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "model.txt"
    file.write_bytes(onnx_models.relu())
    assert open_model_file(file).inputs.names == ["x"]


def test_a_model_that_begins_like_another_format_is_still_a_model() -> None:
    model = onnx.load_from_string(onnx_models.relu())
    model.producer_name = "TFL3"
    content = model.SerializeToString()
    assert content[4:8] == b"TFL3"
    assert open_model_file(content).metadata["producer"] == "TFL3"


@pytest.mark.parametrize(
    "content",
    [
        b"\x12\x05hello",
        onnx.ModelProto(ir_version=8).SerializeToString(),
        onnx.helper.make_model(onnx.GraphProto(), ir_version=8).SerializeToString(),
        b"\xa2\x06\x03abc" * 20,
        b"\x00",
    ],
    ids=["a string", "no graph", "an empty graph", "unknown fields", "a zero byte"],
)
def test_a_protobuf_that_onnx_loads_as_an_empty_model_is_none(content: bytes) -> None:
    with pytest.raises(ModelFormatError):
        open_model_file(content)


def test_a_hostile_file_name_is_shown_harmless(tmp_path: Path) -> None:
    file = tmp_path / "a\u202egnp\n.onnx"
    file.write_bytes(b"<html>")
    with pytest.raises(ModelFormatError) as error:
        open_model_file(file)
    assert "\\u202e" in str(error.value)
    assert "\n" not in str(error.value)
