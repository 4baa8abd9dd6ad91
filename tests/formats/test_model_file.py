"""What a format has that gives only its inputs, its outputs and its graph; and folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models.fake_file import FakeFile
from models_made import onnx_models, tensorflow_models

from mlnb.errors import ModelFileChanged, ModelFormatError, ModelRunError, UnknownName
from mlnb.formats import WeightsFile, is_model_folder, open_model_file
from mlnb.formats.source import Source
from mlnb.graph.graph import Value
from mlnb.models.loading import load_model
from mlnb.models.model import Model


class Table(WeightsFile):
    format = "table"
    tensors = (Value("w", "float32", (2, 3), True, 24), Value("b", "float32", (3,), True, 12))
    metadata = {}  # noqa: RUF012
    advice = "read it as a table"


def test_what_a_format_does_not_have_is_told_by_its_name():
    file = FakeFile()
    assert (file.parts, file.labels, file.signatures, file.dangers) == ((), (), (), ())
    assert file.signature is None
    assert file.skeleton() is None
    with pytest.raises(ModelFormatError, match=r"model\.fake \(fake\) has no signatures"):
        file.with_signature("x")
    with pytest.raises(ModelRunError, match=r"model\.fake \(fake\) holds weights and no graph"):
        file.cut(None, ["x"])
    with pytest.raises(UnknownName, match="no stored tensor 'w'"):
        file.tensor("w")
    assert Model(file).infer_shapes() is False
    assert Model(file).notes == ()


def test_a_file_of_weights_is_a_graph_of_values_alone():
    file = Table(Source.of(b"12345"))
    assert len(file.inputs) == len(file.outputs) == 0
    assert [value.name for value in file.graph.weights] == ["w", "b"]
    model = Model(file)
    assert repr(model) == "Model('bytes', weights only, 2 tensors)"
    assert "weights only" in model.facts
    assert len(model.tensors) == 2
    assert "<table" in model._repr_html_()
    with pytest.raises(ModelRunError, match="cannot run by itself; read it as a table"):
        model.predict()


def test_a_folder_is_opened_by_what_lies_in_it(tmp_path: Path):
    folder = tmp_path / "net"
    folder.mkdir()
    with pytest.raises(ModelFormatError, match="is a folder, and no model lies in it"):
        open_model_file(folder)
    assert not is_model_folder(folder)
    (folder / "saved_model.pb").write_bytes(tensorflow_models.classifier_folder())
    assert is_model_folder(folder)
    model = load_model(folder)
    assert (model.title, model.name, model.path) == ("net", "net", folder)
    assert model.format == "TensorFlow SavedModel"


def test_a_folder_of_several_models_says_which(tmp_path: Path):
    for name in "ab":
        (tmp_path / f"{name}.safetensors.index.json").write_text("{}")
    with pytest.raises(ModelFormatError, match=r"a\.safetensors\.index\.json, b\.saf.*one of them"):
        open_model_file(tmp_path)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000])
def test_what_is_no_path_is_told_as_before(name: str):
    with pytest.raises(ModelFormatError):
        open_model_file(name)


def test_a_saved_model_that_changed_since_it_was_loaded_does_not_run(tmp_path: Path):
    path = tmp_path / "saved_model.pb"
    path.write_bytes(tensorflow_models.classifier_folder())
    model = load_model(tmp_path)
    feeds = {
        spec.name: np.zeros([d if isinstance(d, int) else 1 for d in spec.shape or ()], spec.dtype)
        for spec in model.inputs
    }
    path.write_bytes(tensorflow_models.classifier_folder() + b"\x08\x01")
    with pytest.raises(ModelFileChanged, match=r"saved_model\.pb has changed"):
        model.predict(feeds)


def test_the_name_of_a_producer_makes_no_other_format_of_a_model():
    assert open_model_file(onnx_models.relu()).format == "ONNX"
