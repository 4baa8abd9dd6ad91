"""Which pixels a model was trained on, found out: for made models that are known, for real ones."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models.fake_file import FakeFile
from models_made.build import FLOAT, VALUE, model
from onnx import TensorProto, helper
from PIL import Image
from sklearn.pipeline import make_pipeline

from mlnb.errors import DataError, UnknownName
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.specs import Quantization, TensorSpec
from mlnb.tasks.pipeline import (
    CONVENTIONS,
    ExtractPixels,
    LoadImages,
    Score,
    TopK,
    suggest_preprocessing,
)

CLASSES = ["red", "blue", "ash", "silver", "night", "fog", "stone", "olive"]
COLORS = np.array(
    [
        (210, 40, 50),
        (40, 60, 200),
        (75, 76, 80),
        (170, 172, 168),
        (20, 25, 40),
        (215, 220, 225),
        (120, 118, 110),
        (120, 130, 60),
    ],
    np.uint8,
)
SIDE = 6


def pictures(each: int = 4) -> tuple[np.ndarray, list[str]]:
    """A few pictures about the colour of each class."""
    noise = np.random.default_rng(0).normal(0, 9, (each, len(COLORS), SIDE, SIDE, 3))
    images = (COLORS[None, :, None, None, :] + noise).clip(0, 255).astype(np.uint8)
    return images.reshape(-1, SIDE, SIDE, 3), CLASSES * each


def seen_as(convention: str) -> np.ndarray:
    """The classes' colours as a model sees them that was trained so."""
    pixels = ExtractPixels(**CONVENTIONS[convention], layout="NHWC").pixels(COLORS[None])
    return pixels[0].astype(np.float64)


def nearest(convention: str, layout: str = "NCHW"):
    """A model that knows the colours by that convention, and the nearest is the likeliest."""
    known = seen_as(convention)
    unit = np.mean(CONVENTIONS[convention]["scale"])

    def answer(values: np.ndarray) -> np.ndarray:
        mean = values.astype(np.float64).mean(axis=(2, 3) if layout == "NCHW" else (1, 2))
        return -(((mean[:, None] - known) / unit / 12) ** 2).sum(axis=2)

    return answer


def trained(convention: str, layout: str = "NCHW", dtype: int = FLOAT, batch: int | str = "N"):
    """The same as an ONNX file: the nearest colour has the largest x·2c - |c|²."""
    known = seen_as(convention) / np.mean(CONVENTIONS[convention]["scale"]) / 12
    unit = 12 * np.mean(CONVENTIONS[convention]["scale"])
    shape = [batch, 3, SIDE, SIDE] if layout == "NCHW" else [batch, SIDE, SIDE, 3]
    weights = {
        "axes": np.array([2, 3] if layout == "NCHW" else [1, 2], np.int64),
        "w": (2 * known.T / unit).astype(np.float32),
        "b": -(known**2).sum(axis=1).astype(np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["data", "axes"], ["mean"], keepdims=0),
        helper.make_node("Cast", ["mean"], ["wide"], to=FLOAT),
        helper.make_node("Gemm", ["wide", "w", "b"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["likely"], axis=1),
    ]
    output = VALUE("likely", FLOAT, [batch, len(CLASSES)])
    return load_model(model(nodes, [VALUE("data", dtype, shape)], [output], weights))


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_is_found_for_a_model_that_was_trained_so(convention: str) -> None:
    images, labels = pictures()
    found = suggest_preprocessing(
        nearest(convention), images, labels, classes=CLASSES, shape=(None, 3, SIDE, SIDE)
    )
    assert found.frame.convention[0] == convention
    assert found.frame.accuracy[0] == 1
    assert found.frame.log_loss.is_monotonic_increasing or not found.frame.accuracy.is_unique
    assert found.pictures == 32
    assert found.head == "classes"


@pytest.mark.parametrize(
    ("convention", "layout", "dtype", "batch"),
    [
        ("BGR minus mean", "NCHW", TensorProto.FLOAT16, 1),
        ("RGB -1 to 1", "NHWC", FLOAT, "N"),
        ("RGB mean/std", "NCHW", FLOAT, 3),
    ],
)
def test_layout_and_dtype_are_the_inputs_and_the_steps_are_ready(
    tmp_path: Path, convention, layout, dtype, batch
) -> None:
    images, labels = pictures()
    paths = [tmp_path / f"{at}.png" for at in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    made = trained(convention, layout, dtype, batch)
    frame = pd.DataFrame({"path": paths, "label": labels})
    found = suggest_preprocessing(made, frame, classes=CLASSES)
    assert found.frame.convention[0] == convention
    assert (found.layout, found.size) == (layout, (SIDE, SIDE))
    assert found.dtype == ("float16" if dtype == TensorProto.FLOAT16 else "float32")
    steps = make_pipeline(LoadImages(), *found.best, Score(made), TopK(1, CLASSES))
    assert (steps.transform(frame).predicted == frame.label).all()
    assert found.name == f"{convention}, {found.frame['mode'][0]}"
    assert convention in repr(found)
    assert convention in found._repr_html_()


def test_the_second_best_has_steps_too() -> None:
    images, labels = pictures()
    found = suggest_preprocessing(trained("BGR 0 to 1"), images, labels, classes=CLASSES)
    resize, extract = found.steps(1)
    assert resize.mode == found.frame["mode"][1]
    assert extract.order == found.frame.order[1]
    assert tuple(extract.mean) == found.frame["mean"][1]


def test_numbers_are_labels_as_well_and_names_are_taken_from_the_file() -> None:
    images, labels = pictures()
    numbers = [CLASSES.index(label) for label in labels]
    made = trained("RGB 0 to 1")
    assert suggest_preprocessing(made, images, numbers).frame.convention[0] == "RGB 0 to 1"
    named = nearest("BGR 0 to 1")
    named.labels = tuple(CLASSES)
    found = suggest_preprocessing(named, images, labels, shape=(None, 3, SIDE, SIDE))
    assert (found.head, found.frame.convention[0]) == ("classes", "BGR 0 to 1")


def test_a_model_with_a_background_takes_labels_without_one_and_one_of_several_names() -> None:
    images, labels = pictures()
    answer = nearest("RGB 0 to 1")

    def with_background(values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.full((len(values), 1), -1e3), answer(values)], axis=1)

    names = [f"{name}, {name} colour" for name in CLASSES]
    found = suggest_preprocessing(
        with_background, images, labels, classes=names, shape=(None, 3, SIDE, SIDE)
    )
    assert (found.frame.convention[0], found.frame.accuracy[0]) == ("RGB 0 to 1", 1)


def test_features_are_judged_by_a_linear_head() -> None:
    """A network with an activation is blind to what comes in below it: only some scalings work."""
    images, labels = pictures(each=6)
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(3, 24)) * 4, rng.normal(size=24) * 2

    def features(values: np.ndarray) -> np.ndarray:
        mean = values.mean(axis=(2, 3))
        maps = np.tanh(mean @ weights + bias)[:, :, None, None]
        return np.repeat(np.repeat(maps, 4, axis=2), 4, axis=3)

    found = suggest_preprocessing(features, images, labels, shape=(None, 3, SIDE, SIDE))
    assert found.head == "linear"
    assert found.frame.accuracy[0] > 0.8
    assert "255" not in found.frame.convention[0]
    assert "minus" not in found.frame.convention[0]


def test_quantised_inputs_rule_out_what_they_cannot_hold() -> None:
    """An input of -1 to 0.99 would clip half of mean/std, and yet answer well by chance."""
    images, labels = pictures()
    answer = nearest("RGB -1 to 1", "NHWC")
    held = Quantization((1 / 128,), (128,))
    file = FakeFile(
        [TensorSpec("x", "uint8", (1, SIDE, SIDE, 3), quantization=held)],
        [TensorSpec("y", "float32", (1, len(CLASSES)))],
        lambda x: {"y": answer(held.real(x)).astype(np.float32)},
    )
    found = suggest_preprocessing(Model(file), images, labels, classes=CLASSES)
    assert found.frame.convention[0] == "RGB -1 to 1"
    assert {*found.frame.convention} == {
        f"{order} {scaling}" for order in ("RGB", "BGR") for scaling in ("-1 to 1", "0 to 1")
    }


def test_an_input_of_bytes_takes_bytes() -> None:
    images, labels = pictures()
    answer = nearest("BGR 0 to 255", "NHWC")
    file = FakeFile(
        [TensorSpec("x", "uint8", (None, SIDE, SIDE, 3))],
        [TensorSpec("y", "float32", (None, len(CLASSES)))],
        lambda x: {"y": answer(x).astype(np.float32)},
    )
    found = suggest_preprocessing(Model(file), images, labels, classes=CLASSES)
    assert (found.dtype, found.frame.convention[0]) == ("uint8", "BGR 0 to 255")
    assert found.best[1].dtype == "uint8"


def test_unreadable_and_unlabelled_pictures_are_passed_over(tmp_path: Path) -> None:
    images, labels = pictures()
    paths = [tmp_path / f"{at}.png" for at in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    paths[0].write_bytes(b"broken")
    labels[1] = None
    found = suggest_preprocessing(trained("RGB 0 to 1"), paths, labels, classes=CLASSES)
    assert found.pictures == len(images) - 2


def test_few_are_looked_at_and_of_each_label_as_many() -> None:
    images, labels = pictures(each=10)
    calls: list[int] = []

    def count(values: np.ndarray) -> np.ndarray:
        calls.append(len(values))
        return nearest("RGB 0 to 1")(values)

    options = {"classes": CLASSES, "shape": (None, 3, SIDE, SIDE), "limit": 16}
    found = suggest_preprocessing(count, images, sorted(labels), **options)
    assert found.pictures == 16
    assert sum(calls) == 16 * len(found.frame)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": ["red"]}, "came with 1 labels"),
        ({"labels": "tags"}, "no column 'tags' of labels"),
        ({"labels": ["mauve"] * 32}, "label 'mauve' is none of the classes"),
        ({"labels": [99] * 32, "head": "classes"}, "label 99 is no output of 8"),
        ({"classes": CLASSES[:3]}, "8 classes and there are 3 labels"),
        ({"classes": None, "head": "classes"}, "pass their names, classes="),
        ({"shape": None}, r"pass shape=\(None, 3, 224, 224\)"),
        ({"shape": (None, 1, 28, 28)}, "three channels"),
        ({"images": ["gone.png"] * 32}, "no labelled picture can be read"),
        ({"head": "linear", "labels": ["red"] * 32}, "linear head needs two"),
    ],
)
def test_what_does_not_fit_is_told(change: dict, told: str) -> None:
    images, labels = pictures()
    given = {"images": images, "labels": labels, "classes": CLASSES, "shape": (None, 3, SIDE, SIDE)}
    with pytest.raises(DataError, match=told):
        suggest_preprocessing(nearest("RGB 0 to 1"), **given | change)


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(UnknownName, match="no head 'lineal'; did you mean 'linear'"):
        suggest_preprocessing(len, [], [], head="lineal")


def test_a_sure_answer_is_told_from_a_surer_one() -> None:
    """Both probabilities round to 1; what the other class has left tells them apart."""
    images = np.full((1, SIDE, SIDE, 3), (200, 100, 50), np.uint8)

    def sure(values: np.ndarray) -> np.ndarray:
        right = np.isclose(values[:, 0, 0, 0], 50 - 117)
        other = np.where(right, 1e-20, 1e-17).astype(np.float32)
        return np.stack([np.ones_like(other), other], axis=1)

    found = suggest_preprocessing(sure, images, [0], shape=(None, 3, SIDE, SIDE))
    assert found.frame.convention[0] == "BGR minus 117"
    assert (found.frame.accuracy == 1).all()


def test_answers_that_are_not_finite_come_last() -> None:
    images, labels = pictures()
    answer = nearest("RGB 0 to 1")

    def overflowing(values: np.ndarray) -> np.ndarray:
        return answer(values) if np.abs(values).max() <= 1 else np.full((len(values), 8), np.nan)

    options = {"classes": CLASSES, "shape": (None, 3, SIDE, SIDE)}
    found = suggest_preprocessing(overflowing, images, labels, **options)
    assert found.frame.convention[0] == "RGB 0 to 1"
    assert found.frame.accuracy.iloc[-1] == 0
    assert np.isfinite(found.frame.log_loss).all()


# ------------------------------------------------------------------------------------- real models

# Asked for and not imported: TensorFlow and torchvision in one process abort it.
needs_tensorflow = pytest.mark.skipif(not find_spec("tensorflow"), reason="needs tensorflow")
needs_litert = pytest.mark.skipif(not find_spec("ai_edge_litert"), reason="needs ai-edge-litert")


@pytest.fixture(scope="module")
def tagged(mlnb_data: Path) -> pd.DataFrame:
    """The photographs with ImageNet truth; some of those named are not there."""
    frame = pd.read_csv(mlnb_data / "images" / "tags.tsv", sep="\t", names=["path", "label"])
    return frame.assign(path=[str(mlnb_data / "images" / name) for name in frame.path])


def test_squeezenet_wants_blue_first_less_the_mean(mlnb_data: Path, tagged) -> None:
    path = mlnb_data / "models" / "onnx" / "squeezenet1.1_fp16.onnx"
    labels = mlnb_data / "labels" / "imagenet_synset_1000.txt"
    found = suggest_preprocessing(load_model(path), tagged, classes=labels)
    assert found.frame.convention[0] == "BGR minus mean"
    assert (found.layout, found.dtype, found.pictures) == ("NCHW", "float16", 18)
    assert found.frame.accuracy[0] > 0.8
    wrong = found.frame[found.frame.convention == "RGB mean/std"]
    assert (wrong.accuracy < 0.1).all()


@needs_litert
@pytest.mark.parametrize("labels", ["imagenet_synset_1000.txt", "imagenet_1001.txt"])
@pytest.mark.parametrize("name", ["mobilenet_v1_0.25_224_float", "mobilenet_v2_1.0_224_quant"])
def test_the_mobilenets_of_tflite_want_minus_one_to_one(
    mlnb_data: Path, tagged, name: str, labels: str
) -> None:
    made = load_model(mlnb_data / "models" / "tflite" / f"{name}.tflite")
    found = suggest_preprocessing(made, tagged, classes=mlnb_data / "labels" / labels)
    assert found.frame.convention[0] == "RGB -1 to 1"
    assert (found.layout, found.dtype) == ("NHWC", "float32")
    assert found.frame.accuracy[0] > 0.8


@pytest.mark.slow
@needs_tensorflow
def test_the_chairs_want_blue_first_less_117(mlnb_data: Path) -> None:
    folder = mlnb_data / "models" / "tf" / "frozen"
    labels = folder / "chairs_labels.txt"
    found = suggest_preprocessing(
        folder / "chairs_model.pb",
        [mlnb_data / "images" / "Green-Office-Chair-Test.jpg"],
        labels.read_text().split()[:1],
        classes=labels,
    )
    assert found.frame.convention[0] == "BGR minus 117"
    assert (found.layout, found.size) == ("NHWC", (227, 227))


@pytest.mark.slow
@needs_tensorflow
def test_the_cifar_graph_wants_red_first_less_a_mean(mlnb_data: Path) -> None:
    folder = mlnb_data / "cats_vs_dogs"
    images = [
        folder / f"{kind}s" / f"{kind}.{at}.jpg" for kind in ("cat", "dog") for at in range(60)
    ]
    names = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    found = suggest_preprocessing(
        mlnb_data / "models" / "tf" / "frozen" / "cifar_frozen.pb",
        images,
        ["cat"] * 60 + ["dog"] * 60,
        classes=names,
        limit=120,
    )
    assert found.frame.convention[0] in ("RGB minus 117", "RGB minus mean")
    assert found.frame.accuracy[0] > 0.25
