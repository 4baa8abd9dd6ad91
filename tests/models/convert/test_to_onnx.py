"""Other formats as ONNX files: written when they agree with their source, and not otherwise."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models_made import keras_models as made
from models_made import onnx_models, tensorflow_models, tflite_models

from mlnb.child.client import Child
from mlnb.errors import ExportError, ModelRunError
from mlnb.models.convert import agreement
from mlnb.models.convert.conversion import Conversion
from mlnb.models.convert.to_onnx import to_onnx
from mlnb.models.loading import load_model

pytest.importorskip("onnx")


@pytest.fixture
def row() -> Any:
    """A Keras model of three layers."""
    if not find_spec("tf2onnx"):  # importing it here would bring TensorFlow into this process
        pytest.skip("tf2onnx is not installed")
    pytest.importorskip("h5py")
    return load_model(made.keras_zip(made.row_of_two(), made.row_weights()))


def test_a_keras_model_is_converted_with_its_names_and_a_free_batch(
    row: Any, tmp_path: Path
) -> None:
    done = row.to_onnx(tmp_path / "row.onnx")
    assert isinstance(done, Conversion)
    assert done.difference < 1e-6
    made_of_it = load_model(tmp_path / "row.onnx")
    assert [(s.name, s.shape) for s in made_of_it.inputs] == [("pixels", ("batch", 4, 4))]
    assert [(s.name, s.shape) for s in made_of_it.outputs] == [("scores", ("batch", 2))]
    x = np.ones((5, 4, 4), np.float32)
    ours, theirs = made_of_it.predict(x)["scores"], row.predict(x)["scores"]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert repr(done).startswith("Conversion('row.onnx', ")
    assert "differs by" in done._repr_html_()
    assert [file.name for file in tmp_path.iterdir()] == ["row.onnx"]


def test_a_cut_model_is_converted_up_to_its_cut(row: Any, tmp_path: Path) -> None:
    row.cut(outputs=["hidden"]).to_onnx(tmp_path / "cut.onnx")
    assert load_model(tmp_path / "cut.onnx").outputs.names == ["hidden"]


@pytest.mark.parametrize(
    ("content", "cut", "difference"),
    [
        (tensorflow_models.good_saved_model()[0], None, 1e-6),
        (tensorflow_models.good_pbtxt()[0], None, 1e-6),
        (tflite_models.chain(), ["block/relu_0", "block/relu_1"], 0.0),
        (tflite_models.two_inputs(), ["more"], 0.0),
    ],
)
def test_bytes_of_tensorflow_and_cuts_of_tflite_are_converted(
    tmp_path: Path, content: bytes, cut: list[str] | None, difference: float
) -> None:
    if not find_spec("tf2onnx"):
        pytest.skip("tf2onnx is not installed")
    model = load_model(content)
    model = model.cut(outputs=cut) if cut else model
    done = model.to_onnx(tmp_path / "made.onnx")
    assert done.difference <= difference
    assert done.inputs.names == model.inputs.names
    assert done.outputs.names == model.outputs.names


def test_what_acts_with_the_users_rights_is_not_converted_either(tmp_path: Path) -> None:
    reading = tensorflow_models.node("r", "ReadFile", "x")
    graph = tensorflow_models.graph_def([tensorflow_models.placeholder("x", "string", ()), reading])
    with pytest.raises(ModelRunError, match=r"ReadFile \(reads files\)"):
        to_onnx(load_model(graph), tmp_path / "x.onnx")


def answering(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Have the child that converts answer so."""
    call = Child.call

    def instead(self: Child, function: str, /, *args: Any, **more: Any) -> Any:
        if ":from_" not in function:
            return call(self, function, *args, **more)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(Child, "call", instead)


def small_keras() -> Any:
    return load_model(made.keras_zip(made.sequential([made.input_layer("x", [None, 2])])))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"content": b"", "foreign": ["ParseExampleV2", "StringLower"]}, "ParseExampleV2, String"),
        ({"content": b"no model", "foreign": []}, "cannot be read"),
        ({"content": 3}, "something else"),
        (None, "something else"),
    ],
)
def test_a_bad_conversion_is_an_error_and_an_older_file_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Any, said: str
) -> None:
    target = tmp_path / "old.onnx"
    target.write_bytes(b"old")
    answering(monkeypatch, answer)
    with pytest.raises(ExportError, match=said):
        to_onnx(small_keras(), target)
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_interrupt_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answering(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        to_onnx(small_keras(), tmp_path / "new.onnx")
    assert not list(tmp_path.iterdir())


def test_a_result_that_answers_otherwise_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: Any
) -> None:
    monkeypatch.setattr(agreement, "distance", lambda wanted, came: (0.5, 1.0))
    with pytest.raises(ExportError, match=r"answers otherwise, by up to 0\.5"):
        row.to_onnx(tmp_path / "row.onnx")
    assert not list(tmp_path.iterdir())


def test_how_far_apart_answers_are() -> None:
    one = np.array([1.0, np.nan, np.inf])
    assert agreement.distance(one, one) == (0.0, 1.0)
    assert agreement.distance(one, np.array([1.5, np.nan, np.inf])) == (0.5, 1.0)
    assert agreement.distance(one, np.array([1.0, 0.0, np.inf]))[0] == float("inf")
    assert agreement.distance(one, one[:2])[0] == float("inf")
    words = np.array(["a"], object)
    assert agreement.distance(words, words) == (0.0, 0.0)
    assert agreement.distance(words, np.array(["b"], object))[0] == float("inf")


def test_onnx_itself_is_copied_and_not_converted(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="ONNX already: copy the file"):
        load_model(onnx_models.convnet()).to_onnx(tmp_path / "x.onnx")


def test_weights_alone_cannot_be_converted(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    with pytest.raises((ExportError, ModelRunError), match="load_weights"):
        load_model(made.hdf5(made.row_weights())).to_onnx(tmp_path / "x.onnx")


@pytest.mark.parametrize("opset", [8, 27])
def test_an_opset_that_onnxruntime_does_not_take_is_refused(tmp_path: Path, opset: int) -> None:
    with pytest.raises(ExportError, match="9 to 26"):
        to_onnx(small_keras(), tmp_path / "x.onnx", opset=opset)


def test_a_folder_that_is_not_there_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="there is no folder"):
        to_onnx(small_keras(), tmp_path / "none" / "x.onnx")
    with pytest.raises(ExportError, match="is a folder"):
        to_onnx(small_keras(), tmp_path)


def test_a_live_module_is_converted_with_the_names_of_its_forward(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")

    class Two(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(3, 4)
            self.last = torch.nn.Linear(4, 2)

        def forward(self, a: Any, b: Any) -> Any:
            return {"sum": self.last(self.first(a)) + b}

    model = load_model(Two(), sample={"a": (1, 3), "b": (1, 2)})
    done = model.to_onnx(tmp_path / "two.onnx")
    assert done.difference < 1e-5
    two = load_model(tmp_path / "two.onnx")
    assert [(s.name, s.shape) for s in two.inputs] == [("a", ("batch", 3)), ("b", ("batch", 2))]
    assert two.outputs.names == ["sum"]
    assert "first.weight" in two.graph.values
    model.cut(outputs=["first"]).to_onnx(tmp_path / "cut.onnx")
    assert load_model(tmp_path / "cut.onnx").outputs[0].shape == ("batch", 4)


def test_an_exported_program_is_converted_in_its_child(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    sizes = ({0: torch.export.Dim("rows")},)
    program = torch.export.export(torch.nn.Linear(3, 2), (torch.ones(2, 3),), dynamic_shapes=sizes)
    torch.export.save(program, tmp_path / "linear.pt2")
    done = load_model(tmp_path / "linear.pt2").to_onnx(tmp_path / "linear.onnx")
    assert done.difference < 1e-6
    x = np.ones((5, 3), np.float32)
    assert next(iter(load_model(tmp_path / "linear.onnx").predict(x).values())).shape == (5, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "keras/mnist.keras",
        "keras/fer2013_mini_XCEPTION.102-0.66.hdf5",
        "tf/frozen/chairs_model.pb",
        "tf/frozen/cifar_frozen.pb",
        "tf/saved_model/mnist_conv_model",
        "tf/saved_model/cifar_saved_model",
        "tf/saved_model/half_plus_two_tf2",
        "tf/saved_model/model_shape_test",
        "tflite/mobilenet_v1_0.25_224_float.tflite",
        "tflite/mobilenet_v2_1.0_224_quant.tflite",
        "tflite/coco_ssd_mobilenet_v1_quant.tflite",
        "tflite/movie_review.tflite",
    ],
)
def test_every_real_model_that_can_be_is_converted(
    mlnb_data: Path, tmp_path: Path, name: str
) -> None:
    model = load_model(mlnb_data / "models" / name)
    done = model.to_onnx(tmp_path / "made.onnx")
    assert done.inputs.names == model.inputs.names
    assert done.outputs.names == model.outputs.names
    assert done.difference <= 1e-4 * max(1.0, done.largest) or done.notes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "signature", "op"),
    [
        ("model_string_test", None, "ReduceJoin"),
        ("half_plus_two_tf2", "regress_x_to_y", "ParseExampleV2"),
    ],
)
def test_operations_that_onnx_lacks_are_named(
    mlnb_data: Path, tmp_path: Path, name: str, signature: str | None, op: str
) -> None:
    model = load_model(mlnb_data / "models" / "tf" / "saved_model" / name, signature=signature)
    with pytest.raises(ExportError, match=op):
        model.to_onnx(tmp_path / "made.onnx")
    assert not list(tmp_path.iterdir())
