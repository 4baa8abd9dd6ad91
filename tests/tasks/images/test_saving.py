"""A classifier in a folder, and as one ONNX file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_pictures import picture, picture_folder, tiny_backbone, tiny_onnx

from mlnb.data.image_frame import image_frame
from mlnb.data.images import read_image
from mlnb.errors import CheckpointError, ExportError
from mlnb.models.loading import load_model
from mlnb.specs import Quantization
from mlnb.tasks.images import export as image_export
from mlnb.tasks.images import export_model
from mlnb.tasks.images.classification import ImageClassifier
from mlnb.tasks.images.export_pixels import pixels_graph
from mlnb.tasks.images.preprocessing import Preprocessing
from mlnb.tasks.pipeline import ExtractPixels, ResizeImages

BODY = tiny_backbone()
NEW = [picture("warm", 900), picture("cold", 901, (60, 33))]


def classifier(**words: object) -> ImageClassifier:
    return ImageClassifier(**{"backbone": BODY, "epochs": 8, "lr": 0.01, **words})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp("pictures"), each=12)


@pytest.fixture(scope="module")
def fitted(folder: Path) -> ImageClassifier:
    return classifier(head="mlp").fit(folder)


@pytest.fixture(scope="module")
def on_a_model(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ImageClassifier, Path]:
    path = tiny_onnx(tmp_path_factory.mktemp("model") / "tiny.onnx")
    words = {"preprocessing": Preprocessing((24, 24), order="BGR", mean=(104.0, 117.0, 123.0))}
    return classifier(backbone=load_model(path), **words).fit(folder), path


# ------------------------------------------------------------------------------------ save and load


def test_a_loaded_classifier_answers_as_the_saved_one(
    fitted: ImageClassifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "kept")
    other = ImageClassifier.load(tmp_path / "kept", backbone=BODY)
    assert other.classes_.tolist() == fitted.classes_.tolist()
    assert other.preprocessing_ == fitted.preprocessing_
    np.testing.assert_array_equal(other.predict_proba(NEW), fitted.predict_proba(NEW))


def test_the_folder_holds_json_and_safetensors_and_is_small(
    fitted: ImageClassifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"classifier.json", "weights.safetensors"}
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 30_000
    facts = json.loads((tmp_path / "classifier.json").read_text())
    assert facts["classes"] == ["cold", "warm"]
    assert facts["backbone"]["stored"] is False


def test_numbers_and_unicode_as_classes_come_back(tmp_path: Path) -> None:
    pixels = [picture(label, i) for i, label in enumerate(["cold", "warm"] * 6)]
    for labels in ([3, 7] * 6, ["Kätzchen", "狗"] * 6):
        made = classifier(epochs=1).fit(pixels, labels)
        made.save(tmp_path)
        assert ImageClassifier.load(tmp_path, backbone=BODY).classes_.tolist() == labels[:2]


def test_a_named_backbone_with_random_weights_goes_in_whole(folder: Path, tmp_path: Path) -> None:
    made = classifier(backbone="shufflenet_v2_x0_5", weights=None, epochs=1).fit(folder)
    made.save(tmp_path)
    other = ImageClassifier.load(tmp_path)
    assert other.get_params()["backbone"] == "shufflenet_v2_x0_5"
    np.testing.assert_allclose(other.predict_proba(NEW), made.predict_proba(NEW), atol=1e-5)


def test_stored_weights_leave_the_backbone_that_is_given_as_it_was(
    fitted: ImageClassifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path, whole=True)
    given = tiny_backbone(seed=4)
    before = {name: tensor.clone() for name, tensor in given.state_dict().items()}
    other = ImageClassifier.load(tmp_path, backbone=given)
    np.testing.assert_allclose(other.predict_proba(NEW), fitted.predict_proba(NEW), atol=1e-6)
    assert all(torch.equal(before[name], tensor) for name, tensor in given.state_dict().items())


def test_a_loaded_model_is_named_by_its_path_and_hash(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path
) -> None:
    made, path = on_a_model
    made.save(tmp_path)
    answers = made.predict_proba(NEW)
    np.testing.assert_array_equal(ImageClassifier.load(tmp_path).predict_proba(NEW), answers)
    moved = shutil.copy(path, tmp_path / "moved.onnx")
    path.rename(path.with_suffix(".away"))
    try:
        with pytest.raises(CheckpointError, match=r"which is not at .*tiny\.onnx.*whole=True"):
            ImageClassifier.load(tmp_path)
        other = ImageClassifier.load(tmp_path, backbone=moved)
        np.testing.assert_array_equal(other.predict_proba(NEW), answers)
    finally:
        path.with_suffix(".away").rename(path)


def test_a_loaded_model_goes_in_whole(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path
) -> None:
    made, path = on_a_model
    made.save(tmp_path / "kept", whole=True)
    assert (tmp_path / "kept" / "backbone.onnx").read_bytes() == path.read_bytes()
    (tmp_path / "kept").rename(tmp_path / "moved")
    other = ImageClassifier.load(tmp_path / "moved")
    np.testing.assert_array_equal(other.predict_proba(NEW), made.predict_proba(NEW))


def test_what_was_loaded_from_a_folder_is_saved_there_again(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path
) -> None:
    made, _ = on_a_model
    made.save(tmp_path, whole=True)
    for whole in (False, True):
        ImageClassifier.load(tmp_path).save(tmp_path, whole=whole)
    answers = ImageClassifier.load(tmp_path).predict_proba(NEW)
    np.testing.assert_array_equal(answers, made.predict_proba(NEW))


def test_a_stored_backbone_goes_with_the_classifier_that_needed_it(
    on_a_model: tuple[ImageClassifier, Path], fitted: ImageClassifier, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("stays")
    on_a_model[0].save(tmp_path, whole=True)
    fitted.save(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"classifier.json", "weights.safetensors", "mine.txt"}


def test_a_damaged_stored_backbone_and_a_file_for_a_folder_are_refused(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path
) -> None:
    on_a_model[0].save(tmp_path, whole=True)
    stored = tmp_path / "backbone.onnx"
    stored.write_bytes(stored.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="is damaged"):
        ImageClassifier.load(tmp_path)
    with pytest.raises(CheckpointError, match="can be no folder"):
        on_a_model[0].save(stored)


def test_another_backbone_than_the_one_it_was_trained_on_is_refused(
    fitted: ImageClassifier, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    with pytest.raises(CheckpointError, match="other weights"):
        ImageClassifier.load(tmp_path, backbone=tiny_backbone(seed=4))


def test_weights_that_are_not_on_this_machine_are_a_clear_error(
    fitted: ImageClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLNB_DATA", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    fitted.save(tmp_path)
    facts = json.loads((tmp_path / "classifier.json").read_text())
    facts["backbone"] |= {"name": "resnet18", "weights": "default"}
    (tmp_path / "classifier.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match=r"needs the backbone resnet18 .*whole=True"):
        ImageClassifier.load(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "classifier.json").unlink(),
        lambda f: (f / "weights.safetensors").unlink(),
        lambda f: (f / "classifier.json").write_text("{"),
        lambda f: (f / "classifier.json").write_text("[" * 100_000),
        lambda f: (f / "classifier.json").write_text('{"format": "other", "version": 1}'),
        lambda f: (f / "weights.safetensors").write_bytes(b"\x80\x04pickle"),
        lambda f: flip(f / "weights.safetensors"),
        lambda f: change(f, "head", {"layers": "no list"}),
        lambda f: change(f, "preprocessing", {"size": [1, 2, 3]}),
        lambda f: change(f, "backbone", "x"),
        lambda f: change(f, "words", {}),
    ],
)
def test_a_damaged_folder_is_a_clear_error(
    fitted: ImageClassifier, tmp_path: Path, damage: object
) -> None:
    fitted.save(tmp_path)
    damage(tmp_path)
    with pytest.raises(CheckpointError):
        ImageClassifier.load(tmp_path, backbone=BODY)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def change(folder: Path, key: str, value: object) -> None:
    facts = json.loads((folder / "classifier.json").read_text())
    facts[key] = value
    (folder / "classifier.json").write_text(json.dumps(facts))


def test_a_stored_model_outside_of_the_folder_is_refused(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path
) -> None:
    made, path = on_a_model
    made.save(tmp_path / "kept", whole=True)
    facts = json.loads((tmp_path / "kept" / "classifier.json").read_text())
    change(tmp_path / "kept", "backbone", facts["backbone"] | {"path": str(path)})
    with pytest.raises(CheckpointError, match="outside"):
        ImageClassifier.load(tmp_path / "kept")


# --------------------------------------------------------------------------------------------- ONNX


def runtime_answer(path: Path, pixels: np.ndarray) -> np.ndarray:
    import onnxruntime

    runs = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    [answer] = runs.run(None, {runs.get_inputs()[0].name: pixels})
    return answer


def test_one_file_answers_as_the_classifier_on_pixels_of_any_size(
    fitted: ImageClassifier, tmp_path: Path
) -> None:
    path = tmp_path / "warm.onnx"
    report = fitted.export_onnx(path)
    assert report.inputs == {"pixels": ("batch", "height", "width", 3)}
    for size in ((24, 24), (90, 40), (31, 77), (5, 9)):
        pixels = np.stack([picture("warm", 1, size), picture("cold", 2, size)])
        wanted = fitted.predict_proba(pixels)
        np.testing.assert_allclose(runtime_answer(path, pixels), wanted, atol=0.01)
    model = load_model(path)
    answer = model.predict(pixels)["probabilities"]
    np.testing.assert_allclose(answer, wanted, atol=0.01)
    assert json.loads(model.metadata["classes"]) == ["cold", "warm"]


def test_the_file_brings_the_names_of_the_classes(fitted: ImageClassifier, tmp_path: Path) -> None:
    fitted.export_onnx(tmp_path / "made.onnx")
    model = load_model(tmp_path / "made.onnx")
    assert model.labels == ("cold", "warm")
    lines = repr(model.predict(picture("warm", 5000)[None])).splitlines()
    assert lines[1].split("  ")[-1].startswith("warm .")
    several = np.stack([picture(label, 5000) for label in ("warm", "cold", "warm", "warm")])
    assert repr(model.predict(several)).splitlines()[1].endswith("  warm, cold, warm, …")


def test_without_preprocessing_it_takes_what_the_backbone_takes(
    fitted: ImageClassifier, tmp_path: Path
) -> None:
    report = fitted.export_onnx(tmp_path / "core.onnx", preprocessing=False)
    assert report.inputs == {"picture": ("batch", 3, 24, 24)}
    fit = fitted.preprocessing_.fit
    given = fitted.preprocessing_(np.stack([fit(one) for one in NEW]))
    answer = runtime_answer(tmp_path / "core.onnx", given)
    np.testing.assert_allclose(answer, fitted.predict_proba(NEW), atol=1e-4)


def test_a_loaded_model_with_its_batch_fixed_at_one_is_exported_with_a_free_batch(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path
) -> None:
    made, _ = on_a_model
    report = made.export_onnx(tmp_path / "made.onnx")
    assert report.inputs["pixels"][0] == "batch"
    pixels = np.stack([picture("warm", i, (50, 33)) for i in range(3)])
    answer = runtime_answer(tmp_path / "made.onnx", pixels)
    np.testing.assert_allclose(answer, made.predict_proba(pixels), atol=0.01)


def test_a_file_that_answers_otherwise_is_not_written(
    on_a_model: tuple[ImageClassifier, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = on_a_model
    path = tmp_path / "older.onnx"
    path.write_bytes(b"older")
    wrong = Preprocessing((24, 24), scale=(3.0, 1.0, 1.0))
    monkeypatch.setattr(image_export, "pixels_graph", lambda opset, _: pixels_graph(opset, wrong))
    with pytest.raises(ExportError, match="otherwise"):
        made.export_onnx(path)
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_stored_integers_are_real_values_in_the_file(axis: int | None, dtype: str) -> None:
    import onnx
    import onnxruntime

    count = 1 if axis is None else 3
    by = Quantization((0.5, 0.1, 2.0)[:count], (3, 0, 7)[:count], axis)
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    ends = onnx.helper.make_tensor_value_info("stored", kind, ["batch", 3])
    real = np.random.default_rng(0).normal(0, 60, (5, 3)).astype(np.float32)
    stored = by.quantized(real, dtype)
    for op, fed, wanted in (
        ("QuantizeLinear", real, stored),
        ("DequantizeLinear", stored, by.real(stored)),
    ):
        content = export_model._linear(op, by, ends).SerializeToString()
        runs = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        np.testing.assert_allclose(runs.run(None, {"given": fed})[0], wanted, rtol=1e-6)


@pytest.mark.slow
def test_a_quantised_tflite_goes_into_one_file_from_pixels(mlnb_data: Path, tmp_path: Path) -> None:
    model = load_model(mlnb_data / "models" / "tflite" / "mobilenet_v2_1.0_224_quant.tflite")
    steps = [ResizeImages(224), ExtractPixels(mean=127.5, scale=1 / 127.5, layout="NHWC")]
    frame = image_frame(mlnb_data / "cats_vs_dogs", tell=str).groupby("label").head(24)
    made = classifier(backbone=model, preprocessing=steps, epochs=10, lr=None, cache=False)
    report = made.fit(frame).export_onnx(tmp_path / "made.onnx")
    assert report.difference <= 0.1
    pixels = read_image(frame["path"].iloc[0])[None]
    answer = runtime_answer(tmp_path / "made.onnx", pixels)
    np.testing.assert_allclose(answer, made.predict_proba(pixels), atol=0.1)


def soft_picture(size: tuple[int, int]) -> np.ndarray:
    """As photographs are: at a border, onnxruntime weighs noise otherwise than Pillow."""
    rows, columns = (np.linspace(0, 6, side) for side in size)
    waves = np.sin(rows)[:, None, None] + np.cos(columns)[None, :, None] * [1.0, 0.5, -1.0]
    return (127 + 60 * waves).astype(np.uint8)


@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing((32, 32), resize=40),
        Preprocessing((32, 32), mode="stretch", layout="NHWC"),
        Preprocessing((32, 48), mode="pad", order="BGR", mean=(1.0, 2.0, 3.0)),
        Preprocessing((48, 32), antialias=False),
        Preprocessing((32, 32), dtype="float16", scale=(1 / 255,) * 3),
        Preprocessing((32, 32), resize=40, interpolation="bicubic"),
        Preprocessing((32, 48), mode="pad", interpolation="bicubic"),
    ],
)
@pytest.mark.parametrize("size", [(100, 61), (61, 100), (32, 32), (9, 20)])
def test_resizing_inside_the_file_is_pillows_within_two_grey_levels(
    preprocessing: Preprocessing, size: tuple[int, int]
) -> None:
    import onnxruntime

    content = pixels_graph(18, preprocessing).SerializeToString()
    runs = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    pixels = soft_picture(size)[None]
    [came] = runs.run(None, {"pixels": pixels})
    wanted = preprocessing(preprocessing.fit(pixels[0])[None])
    assert came.dtype == wanted.dtype
    apart = np.abs(came.astype(np.float32) - wanted.astype(np.float32)) / preprocessing.scale[0]
    assert apart.max() <= 2.1
    assert apart.mean() < 0.5
