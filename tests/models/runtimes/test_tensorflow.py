"""TensorFlow models that run in the child."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import F, const, graph_def, node, placeholder, saved_model

from mlnb.errors import InputError, ModelCrashed, ModelFileChanged, ModelRunError
from mlnb.limits import Limits
from mlnb.models.loading import load_model

pytestmark = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs tensorflow")

PATIENCE = 300.0
"""Seconds: the first call imports TensorFlow, on a machine that may be busy."""


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    load_model(made.classifier()).predict(np.zeros((1, 3), np.float32), timeout=PATIENCE)


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_the_two_lines_of_mlnet(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(made.classifier())
    x = np.array([[1, 2, 3], [0, 1, 0]], np.float32)
    expected = softmax(x @ made.WEIGHTS + [0.5, -0.5])
    scores = load_model(path).predict({"input": x})["softmax2"]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    again = load_model(path).predict({"input:0": x}, outputs="softmax2:0")["softmax2:0"]
    np.testing.assert_array_equal(again, scores)


def test_a_saved_model_runs_from_its_folder_and_from_bytes(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(made.classifier_folder())
    x = np.ones((2, 3), np.float32)
    for model in (load_model(tmp_path), load_model(made.classifier_folder())):
        assert model.predict({"features": x})["scores"].shape == (2, 2)


def test_text_runs_like_bytes() -> None:
    answer = load_model(made.CLASSIFIER_TEXT).predict([[1.0, 10.0]])
    assert answer["y"].tolist() == [[1, 20]]


def test_functions_run() -> None:
    answer = load_model(made.with_function()).predict(np.array([1, 2], np.float32))
    assert answer["y"].tolist() == [2, 4]


def test_inner_tensors_come_out_of_a_cut_and_go_into_one() -> None:
    model = load_model(made.classifier())
    x = np.ones((1, 3), np.float32)
    inner = model.cut(outputs=["dense/MatMul", "dense/add:0"]).predict(x)
    np.testing.assert_allclose(inner["dense/add"] - inner["dense/MatMul"], [[0.5, -0.5]])
    head = graph_def([*made.classifier_nodes()[:-1], node("s", "Softmax", "dense/add", T=F)])
    fed = load_model(head).cut(["dense/add"], outputs=["s"]).predict(np.zeros((1, 2), np.float32))
    assert fed["s"].tolist() == [[0.5, 0.5]]


def test_tensors_inside_functions_come_out_of_a_cut_and_go_into_one() -> None:
    model = load_model(made.calls_that_read_each_other())
    x = np.array([2, 6], np.float32)
    assert model.predict(x)["y"].tolist() == [0, 6]
    inner = model.cut(outputs=["half", "two/n"]).predict(x)
    assert inner["one/half:z:0"].tolist() == [1, 3]
    assert inner["two/n:y:0"].tolist() == [-1, -3]
    fed = model.cut(["half"], outputs=["y"]).predict(np.array([4, 5], np.float32))
    assert fed["y"].tolist() == [12, 20]


KERAS = """
import keras, sys
keras.utils.set_random_seed(0)
layers = keras.layers
keras.Sequential([
    keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
    layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax"),
]).export(sys.argv[1], verbose=False)
"""


@pytest.mark.slow
def test_a_keras_network_saved_by_tensorflow_is_cut_before_its_classifier(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    subprocess.run([sys.executable, "-c", KERAS, str(folder)], check=True, capture_output=True)
    model = load_model(folder)
    x = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)
    pool = model.suggest_cut()
    assert pool is not None
    assert pool.endswith("global_average_pooling2d_1/Mean:output:0")
    body, head = model.cut(outputs=[pool]), model.cut([pool], outputs=model.outputs.names)
    features = body.predict(x)[pool]
    assert features.shape == (2, 4)
    np.testing.assert_allclose(
        head.predict(features)["output_0"], model.predict(x)["output_0"], atol=1e-6
    )
    for part in (body, head):
        assert part.to_onnx(tmp_path / "part.onnx").difference < 1e-5


def test_a_default_is_taken_where_nothing_is_fed() -> None:
    nodes = [
        const("keep", np.array(3, np.float32)),
        node("prob", "PlaceholderWithDefault", "keep", dtype=F, shape=made.shape(())),
        node("y", "Neg", "prob", T=F),
    ]
    model = load_model(graph_def(nodes))
    assert model.predict({})["y"] == -3
    assert model.predict({"prob": np.float32(5)})["y"] == -5


def test_text_passes_through_and_bytes_that_are_none_stay_bytes() -> None:
    kind = made.dtype("string")
    nodes = [placeholder("x", "string", (None,)), node("y", "Identity", "x", T=kind)]
    model = load_model(graph_def(nodes))
    given = np.array(["a", "ü\0", b"\xff\xfe", ""], object)
    assert model.predict(given)["y"].tolist() == ["a", "ü\0", b"\xff\xfe", ""]


def test_what_acts_with_the_users_rights_is_refused_until_it_is_allowed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("told")
    path = const("path", np.array(str(secret).encode(), object))
    content = graph_def([path, node("y", "ReadFile", "path")])
    with pytest.raises(ModelRunError, match=r"ReadFile \(reads files\).*allow_io=True"):
        load_model(content).predict({})
    assert load_model(content, allow_io=True).predict({})["y"] == "told"


def test_a_file_that_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(made.classifier())
    model = load_model(path)
    path.write_bytes(made.classifier() + made.encode(1, made.const("c", np.zeros(3))))
    with pytest.raises(ModelFileChanged):
        model.predict(np.ones((1, 3), np.float32))


def test_variables_that_changed_are_told_and_never_mixed_with_the_old_graph(
    mlnb_data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "half"
    shutil.copytree(mlnb_data / "models" / "tf" / "saved_model" / "half_plus_two_tf2", folder)
    x = {"x": np.array([4], np.float32)}
    model = load_model(folder, signature="serving_default")
    assert model.predict(x)["y"].tolist() == [4]
    values = folder / "variables" / "variables.data-00000-of-00001"
    values.write_bytes(values.read_bytes()[::-1])
    os.utime(values, ns=(1, 1))
    with pytest.raises(ModelFileChanged, match=r"variables\.data-00000-of-00001 has changed"):
        model.predict(x)
    values.unlink()
    with pytest.raises(ModelFileChanged, match=r"variables\.data-00000-of-00001 is gone"):
        model.predict(x)


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([node("y", "MyOwnOp", "x", T=F)], "TensorFlow has no operation MyOwnOp"),
        ([node("y", "Neg", "nowhere", T=F)], "nowhere"),
        (
            [node("w", "VariableV2", dtype=F, shape=made.shape((2,))), node("y", "Neg", "w", T=F)],
            "the graph was not frozen",
        ),
        ([const("i", np.int32(5)), node("y", "Gather", "x", "i", Tparams=F)], "Tindices"),
    ],
)
def test_what_tensorflow_refuses_is_told_in_a_line(nodes: list[bytes], told: str) -> None:
    model = load_model(graph_def([placeholder("x", "float32", (2,)), *nodes]))
    with pytest.raises(ModelRunError, match=told) as error:
        model.predict({"x": np.zeros(2, np.float32)})
    assert len(str(error.value).splitlines()[0]) <= 200
    assert "[[" not in str(error.value)


def test_shapes_that_do_not_fit_are_told_before_the_crossing() -> None:
    with pytest.raises(InputError, match=r"expects float32 \[\?, 3\]"):
        load_model(made.classifier()).predict(np.zeros((1, 4), np.float32))


def test_without_signatures_the_error_says_how_to_go_on() -> None:
    ends = [placeholder("x", "float32", (None,)), node("y", "Neg", "x", T=F)]
    model = load_model(saved_model(graph_def(ends), {}))
    with pytest.raises(ModelRunError, match=r"model\.cut\(inputs="):
        model.predict({})
    assert model.cut(["x"], outputs=["y"]).predict(np.ones(1, np.float32))["y"].tolist() == [-1]


def test_tensorflow_is_never_imported_here() -> None:
    assert "tensorflow" not in sys.modules


def test_a_missing_tensorflow_is_told_by_the_line_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from mlnb.errors import MissingExtra\n"
        "try:\n    import mlnb.models.runtimes.tensorflow\n"
        "except MissingExtra as error:\n    print(error)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "pip install 'mlnb[tensorflow]'" in done.stdout


def test_half_plus_two_does_that_in_all_six_signatures(mlnb_data: Path) -> None:
    folder = mlnb_data / "models" / "tf" / "saved_model" / "half_plus_two_tf2"
    names = load_model(folder).signatures
    assert len(names) == 6
    for name in names:
        model = load_model(folder, signature=name)
        is_text = model.inputs[0].dtype == "string"
        x = np.array([example(4.0, 4.0)], object) if is_text else np.array([4], np.float32)
        (output,) = model.outputs.names
        plus = 3 if name.endswith(("y2", "y3")) else 2  # two of its weights are 2 and 3
        assert model.predict(x)[output].reshape(-1).tolist() == [2 + plus], name


def example(x: float, x2: float) -> bytes:
    """A tf.train.Example with two features."""
    features = b""
    for name, value in (("x", x), ("x2", x2)):
        packed = made.encode(1, np.array([value], "<f4").tobytes())
        features += made.encode(1, made.entry(name, made.encode(2, packed)))
    return made.encode(1, features)


def test_strings_pass_through_the_model_of_strings(mlnb_data: Path) -> None:
    model = load_model(mlnb_data / "models" / "tf" / "saved_model" / "model_string_test")
    given = np.array([["This is fine.", "That's ok."]], object)
    answer = model.predict({"A": given, "B": np.array(["Thank", "you"], object)})
    assert answer["Original_A"].tolist() == given.tolist()
    assert answer["Joined_Splited_Text"].shape == (1, 1)


def test_the_chair_is_a_chair(mlnb_data: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    photograph = Image.open(mlnb_data / "images" / "Green-Office-Chair-Test.jpg").convert("RGB")
    pixels = np.asarray(photograph.resize((227, 227)), np.float32)[:, :, ::-1] - 117
    model = load_model(mlnb_data / "models" / "tf" / "frozen" / "chairs_model.pb")
    assert model.predict(pixels[None])["model_outputs"].argmax() == 0


def test_digits_are_read_by_the_weakly_trained_model(mlnb_data: Path) -> None:
    labels, pixels = digits(mlnb_data / "mnist" / "MNIST.Test.tiny.txt")
    model = load_model(mlnb_data / "models" / "tf" / "saved_model" / "mnist_conv_model")
    answer = model.predict(pixels.reshape(-1, 28, 28, 1))["Prediction"]
    assert 0.8 < (answer.argmax(1) == labels).mean() < 0.9


def digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels and pixels of a file that leaves zeros out: `label 784 place:value …`."""
    lines = [line.split() for line in path.read_text().splitlines()]
    pixels = np.zeros((len(lines), 784), np.float32)
    for row, (_, _, *points) in zip(pixels, lines, strict=True):
        for point in points:
            place, value = point.split(":")
            row[int(place)] = float(value)
    return np.array([int(line[0]) for line in lines]), pixels


def test_the_cifar_models_predict(mlnb_data: Path) -> None:
    folder = mlnb_data / "models" / "tf"
    x = np.zeros((2, 32, 32, 3), np.float32)
    for path in (
        folder / "frozen" / "cifar_frozen.pb",
        folder / "saved_model" / "cifar_saved_model",
    ):
        model = load_model(path)
        assert model.predict(x)[model.outputs.names[0]].shape == (2, 10)


def test_odd_ranks_predict(mlnb_data: Path) -> None:
    model = load_model(mlnb_data / "models" / "tf" / "saved_model" / "model_shape_test")
    shapes = {"OneDim": (4,), "TwoDim": (2, 3), "ThreeDim": (1, 3, 2)}
    shapes |= {"FourDim": (1, 5, 4, 3), "FourDimKnown": (2, 2, 2, 2)}
    feeds = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    answer = model.predict(feeds)
    assert answer["o_FourDim"].shape == (1, 5, 4, 3)
    assert answer["o_OneDim"].shape == (1, 4)


def test_missing_variables_are_told_by_name(mlnb_data: Path) -> None:
    folder = mlnb_data / "malformed" / "tf" / "sentiment_model_missing_variables_data"
    with pytest.raises(ModelRunError, match=r"variables\.data-00000-of-00001"):
        load_model(folder).predict(np.zeros((1, 600), np.int32))


def test_a_model_that_takes_too_much_memory_ends_the_child_and_not_the_session() -> None:
    """The last one here: the next call would import TensorFlow anew."""
    nodes = [
        placeholder("x", "float32", ()),
        const("shape", np.array([50_000, 20_000], np.int32)),
        node("y", "Fill", "shape", "x", T=F),
    ]
    model = load_model(graph_def(nodes), limits=Limits(run_bytes=2**28))
    with pytest.raises((ModelCrashed, ModelRunError), match="ran out of memory"):
        model.predict(np.float32(1), timeout=PATIENCE)
