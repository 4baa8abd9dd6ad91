"""Real models and other projects' broken ones, where this machine has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from models_made import onnx_says

from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file


def test_every_real_model_is_read_as_onnx_reads_it(mlnb_data: Path) -> None:
    folders = (mlnb_data / "models" / "onnx", mlnb_data / "models" / "derived")
    files = [file for folder in folders for file in sorted(folder.glob("*.onnx"))]
    assert len(files) >= 11
    for path in files:
        check_against_onnx(path)


def test_models_with_operators_of_others_can_still_be_looked_at(mlnb_data: Path) -> None:
    files = sorted((mlnb_data / "malformed" / "onnx").glob("*.onnx"))
    assert len(files) == 3
    for path in files:
        check_against_onnx(path)


def check_against_onnx(path: Path) -> None:
    model, file = onnx.load(path), open_model_file(path)
    assert [(s.name, s.dtype, s.shape, s.kind) for s in file.inputs] == onnx_says.inputs(model)
    outputs = [onnx_says.spec(info) for info in model.graph.output]
    assert [(s.name, s.dtype, s.shape, s.kind) for s in file.outputs] == outputs
    assert [node.op for node in file.graph.nodes] == [node.op_type for node in model.graph.node]
    for name, expected in onnx_says.stored_arrays(model.graph).items():
        ours = file.tensor(name)
        assert ours.dtype == expected.dtype, (path.name, name)
        np.testing.assert_array_equal(ours, expected, err_msg=f"{path.name} {name}")


def test_silero_has_its_branches_and_unnamed_dimensions(mlnb_data: Path) -> None:
    file = open_model_file(mlnb_data / "models" / "onnx" / "silero_vad.onnx")
    assert any(None in (spec.shape or ()) for spec in file.inputs)
    assert any(
        {"then_branch", "else_branch"} <= set(node.subgraphs)
        for graph in (file.graph, *file.graph.subgraphs)
        for node in graph.nodes
    )


def test_candy_style_has_a_dimension_that_is_called_none(mlnb_data: Path) -> None:
    file = open_model_file(mlnb_data / "models" / "onnx" / "candy_style.onnx")
    assert "None" in (file.inputs[0].shape or ())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("models/tf/frozen/cifar_frozen.pb", "TensorFlow GraphDef"),
        ("models/tf/saved_model/half_plus_two_tf2", "TensorFlow SavedModel"),
        ("models/tflite/mobilenet_v1_0.25_224_float.tflite", "TFLite"),
        ("models/keras/mnist.keras", "Keras"),
        ("models/keras/fer2013_mini_XCEPTION.102-0.66.hdf5", "Keras"),
        ("models/derived/squeezenet1_1_torchvision.pth", "PyTorch checkpoint"),
        ("models/torch/resnet20_cifar10.th", "PyTorch checkpoint"),
        ("models/onnx/mnist-8.onnx", "ONNX"),
    ],
)
def test_a_format_is_told_by_content(mlnb_data: Path, name: str, kind: str) -> None:
    assert open_model_file(mlnb_data / name).format == kind
    path = mlnb_data / name
    if path.is_file():
        assert open_model_file(path.read_bytes()).format == kind


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("malformed/protobuf/GHSA-gcx3-7m76-287p_test_input.pb", "at byte 2 of 2,048"),
        ("models/tf/saved_model", "is a folder, and no model lies in it"),
        ("malformed/tflite/invalid_model.bin", "no model that mlnb reads; it looks like a text"),
        ("malformed/tflite/empty_model.bin", "cannot be read as TFLite: its graph is empty"),
    ],
)
def test_what_is_no_model_is_told_as_what_it_is(mlnb_data: Path, name: str, told: str) -> None:
    with pytest.raises(ModelFormatError, match=told):
        open_model_file(mlnb_data / name)


def test_every_file_of_the_data_is_a_model_or_an_error_of_ours(mlnb_data: Path) -> None:
    files = [path for path in (mlnb_data / "models").rglob("*") if path.is_file()]
    files += [path for path in (mlnb_data / "malformed").rglob("*") if path.is_file()]
    formats, nameless = set(), []
    for path in files:
        try:
            formats.add(open_model_file(path).format)
        except ModelFormatError as error:
            nameless += [str(error)] * (path.name[:40] not in str(error))
    assert len(formats) >= 6
    assert nameless == []
