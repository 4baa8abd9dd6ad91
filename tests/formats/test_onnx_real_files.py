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
    ("name", "looks"),
    [
        ("malformed/protobuf/GHSA-gcx3-7m76-287p_test_input.pb", "at byte 2 of 2,048"),
        ("models/tf/frozen/cifar_frozen.pb", "a TensorFlow graph"),
        ("models/tflite/mobilenet_v1_0.25_224_float.tflite", "a TFLite model"),
        ("models/keras/mnist.keras", "a Keras model"),
        ("models/derived/squeezenet1_1_torchvision.pth", "a PyTorch checkpoint"),
        ("models/torch/resnet20_cifar10.th", "an old PyTorch checkpoint"),
        ("models/tf/saved_model", "is a folder"),
    ],
)
def test_a_real_file_of_another_kind_is_told_by_content(
    mlnb_data: Path, name: str, looks: str
) -> None:
    with pytest.raises(ModelFormatError, match=looks):
        open_model_file(mlnb_data / name)


def test_no_other_file_of_the_data_passes_for_a_model(mlnb_data: Path) -> None:
    files = [path for path in (mlnb_data / "models").rglob("*") if path.is_file()]
    files += [path for path in (mlnb_data / "malformed").rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix != ".onnx"]
    assert len(others) > 20
    for path in others:
        with pytest.raises(ModelFormatError):
            open_model_file(path)
