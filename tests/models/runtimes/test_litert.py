"""TFLite models run in the child: batches, text, signatures, loops, cuts, and what LiteRT lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from models_made import tflite_models as made

from mlnb import load_model
from mlnb.errors import InputError, MissingExtra, ModelCrashed, ModelRunError
from mlnb.models.runtimes import litert

pytest.importorskip("ai_edge_litert")


def test_a_batch_of_any_length_runs_at_once_where_the_file_allows_it() -> None:
    model = load_model(made.add())
    for rows in (1, 5, 2, 5):
        x = np.arange(3 * rows, dtype=np.float32).reshape(rows, 3) - 4
        prediction = model.predict(x)
        expected = np.maximum(x + np.float32([1, 2, 3]), 0)
        np.testing.assert_array_equal(prediction["block/add/y;block/bias"], expected)
        assert prediction.notes == ()


def test_a_batch_that_the_file_fixes_runs_in_pieces() -> None:
    x = np.arange(12, dtype=np.float32).reshape(4, 3) - 6
    prediction = load_model(made.chain()).predict(x)
    np.testing.assert_array_equal(prediction["block/relu_2"], np.maximum(x, 0))
    assert "4 pieces" in prediction.notes[0]


def test_a_quantised_model_takes_and_gives_real_values_and_raw_ones_on_demand() -> None:
    model = load_model(made.quantised())
    x = np.float32([[-4, 0, 1, 4]])
    real = model.predict(x)["probabilities"]
    assert real.dtype == np.float32
    np.testing.assert_allclose(real, 1 / (1 + np.exp(-x)), atol=1 / 128)
    stored = np.uint8([[120, 128, 130, 136]])
    raw = model.predict(stored, raw=True)["probabilities"]
    assert raw.dtype == np.uint8
    np.testing.assert_array_equal(raw, np.rint(real * 256))
    with pytest.raises(InputError, match="x"):
        model.predict(stored)


def test_text_goes_in_and_comes_out() -> None:
    words = np.array(["äpfel", "", "pears \U0001f350", "plums"], object)
    prediction = load_model(made.strings()).predict({"words": words})
    assert prediction["reversed"].tolist() == ["pears \U0001f350", "", "äpfel"]
    picked = load_model(made.text_constant()).predict({"index": np.int32([2])})
    assert picked["word"].tolist() == ["Köln"]


def test_bytes_that_are_no_text_pass_through_unharmed() -> None:
    words = np.array([b"\xff\xfe", b"ok", b"x"], object)
    (_, ok, odd) = load_model(made.strings()).predict({"words": words})["reversed"].tolist()
    assert ok == "ok"
    assert odd == b"\xff\xfe"


def test_loops_and_branches_run() -> None:
    model = load_model(made.loop())
    x = np.float32([3])
    assert model.predict({"x": x, "flag": np.array([True])})["y"].tolist() == [193]
    assert model.predict({"x": x, "flag": np.array([False])})["y"].tolist() == [192]


def test_every_signature_runs_by_its_own_names() -> None:
    x = np.float32([[1, 2], [3, 4], [5, 6]])
    for name, factor in (("double", 2), ("triple", 3)):
        model = load_model(made.signatures(), signature=name)
        np.testing.assert_array_equal(model.predict({"x": x})["y"], factor * x)
    plain = load_model(made.signatures()).predict(x)
    np.testing.assert_array_equal(plain["StatefulPartitionedCall:0"], 2 * x)


def test_names_that_are_missing_or_shared_still_tell_the_tensors_apart() -> None:
    model = load_model(made.alike())
    feeds = {"tensor_0": np.float32([[1, -5, 0]]), "tensor_1": np.float32([[1, 1, 1]])}
    prediction = model.predict(feeds)
    assert prediction["y"].tolist() == [[2, -4, 1]]
    assert prediction["y#3"].tolist() == [[2, 0, 1]]


def test_a_weight_behind_the_flatbuffer_is_used() -> None:
    assert load_model(made.outside()).predict(np.zeros((1, 3), np.float32))["y"].tolist() == [
        [1, 2, 3]
    ]


def test_a_cut_fetches_inner_tensors() -> None:
    model = load_model(made.chain())
    x = np.float32([[-1, 0, 2]])
    cut = model.cut(outputs=["block/relu_0", "block/relu_1"])
    prediction = cut.predict(x)
    assert list(prediction) == ["block/relu_0", "block/relu_1"]
    np.testing.assert_array_equal(prediction["block/relu_0"], [[0, 0, 2]])
    assert list(model.predict(x)) == ["block/relu_2"]


def test_a_cut_runs_without_the_inputs_that_it_does_not_need() -> None:
    cut = load_model(made.two_inputs()).cut(outputs=["more"])
    assert cut.predict(np.float32([[1, 2, 3]]))["more"].tolist() == [[2, 3, 4]]


def test_a_cut_of_a_signature_fetches_from_its_subgraph() -> None:
    cut = load_model(made.signatures(), signature="triple").cut(outputs=["y"])
    assert cut.predict({"x": np.float32([[1, 2]])})["y"].tolist() == [[3, 6]]


def test_what_a_model_keeps_does_not_leak_into_the_next_run() -> None:
    model = load_model(made.initialised())
    x = np.float32([[1, 2, 3]])
    first = model.predict(x)["y"]
    np.testing.assert_array_equal(model.predict(x)["y"], first)
    np.testing.assert_array_equal(first, x)


def test_variables_that_outlive_a_run_are_told() -> None:
    model = load_model(made.counting())
    assert model.graph.warnings == ()
    first, second = (model.predict(np.float32([1, 2, 3])) for _ in range(2))
    assert first["sum"].tolist() == [1, 2, 3]
    assert second["sum"].tolist() == [2, 4, 6]
    assert any("there for the next one" in note for note in second.notes)


@pytest.mark.parametrize("name", ["Sharpen", "fake op"])
def test_a_custom_operation_that_litert_lacks_is_named(name: str) -> None:
    model = load_model(made.custom(name))
    with pytest.raises(ModelRunError, match=f"custom operation '{name}', which LiteRT"):
        model.predict(np.zeros((1, 3), np.float32))


def test_an_operation_of_tensorflow_is_told_with_the_remedy() -> None:
    model = load_model(made.custom("FlexAddV2"))
    with pytest.raises(ModelRunError, match=r"operations of TensorFlow.*SELECT_TF_OPS"):
        model.predict(np.zeros((1, 3), np.float32))


def test_a_model_that_kills_the_interpreter_kills_the_child_alone() -> None:
    model = load_model(made.calling_itself())
    with pytest.raises((ModelCrashed, ModelRunError)):
        model.predict(np.zeros((1, 3), np.float32), timeout=30)
    assert load_model(made.left_out()).predict(np.float32([[9, 2, 0]]))["y"].tolist() == [[6, 2]]


def test_after_a_failed_run_the_next_one_works(tmp_path: Path) -> None:
    model = load_model(made.text_constant())
    with pytest.raises(ModelRunError, match="LiteRT"):
        model.predict({"index": np.int32([77])})
    assert model.predict({"index": np.int32([0])})["word"].tolist() == ["cat"]


def test_a_file_and_its_bytes_answer_alike(tmp_path: Path) -> None:
    path = tmp_path / "add.tflite"
    path.write_bytes(made.add())
    x = np.float32([[1, 2, 3]])
    (by_path,) = load_model(path).predict(x).values()
    (by_bytes,) = load_model(made.add()).predict(x).values()
    np.testing.assert_array_equal(by_path, by_bytes)


def test_litert_that_is_not_installed_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mlnb\[tflite\]'"):
        litert._interpreter(made.add(), inner=False)
    assert litert.device() == "CPU"


def pictures(folder: Path) -> list[tuple[np.ndarray, str]]:
    """The photographs as bytes of 224 by 224 pixels, each with what is on it."""
    image = pytest.importorskip("PIL.Image")
    lines = (folder / "images" / "tags.tsv").read_text().splitlines()
    pairs = [line.split("\t") for line in lines]
    found = [(folder / "images" / name, tag) for name, tag in pairs]
    return [
        (np.asarray(image.open(path).convert("RGB").resize((224, 224))), tag)
        for path, tag in found
        if path.exists()
    ]


@pytest.mark.parametrize(
    ("name", "right"), [("mobilenet_v1_0.25_224_float", 16), ("mobilenet_v2_1.0_224_quant", 15)]
)
def test_the_classifiers_name_the_photographs(mlnb_data: Path, name: str, right: int) -> None:
    model = load_model(mlnb_data / f"models/tflite/{name}.tflite")
    labels = (mlnb_data / "labels" / "imagenet_1001.txt").read_text().splitlines()
    shown = pictures(mlnb_data)
    assert len(shown) >= 18
    batch = np.stack([picture for picture, _ in shown])
    (scores,) = model.predict(batch.astype(np.float32) / 127.5 - 1).values()
    ranked = np.argsort(-scores, axis=1)
    first = sum(tag in labels[row[0]] for row, (_, tag) in zip(ranked, shown, strict=True))
    among = sum(
        any(tag in labels[i] for i in row[:5]) for row, (_, tag) in zip(ranked, shown, strict=True)
    )
    assert first >= right
    assert among >= 17


def test_the_quantised_classifier_takes_pictures_raw(mlnb_data: Path) -> None:
    model = load_model(mlnb_data / "models/tflite/mobilenet_v2_1.0_224_quant.tflite")
    picture, _ = pictures(mlnb_data)[0]
    raw = model.predict(picture[None], raw=True)["output"]
    real = model.predict(picture[None].astype(np.float32) / 127.5 - 1)["output"]
    assert raw.dtype == np.uint8
    scale = model.outputs["output"].quantization
    assert scale is not None
    np.testing.assert_allclose(scale.real(raw), real, atol=3 * scale.scale[0])


def test_the_detector_finds_the_dog(mlnb_data: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    model = load_model(mlnb_data / "models/tflite/coco_ssd_mobilenet_v1_quant.tflite")
    photograph = image.open(mlnb_data / "images" / "detection" / "image2.jpg").convert("RGB")
    picture = np.asarray(photograph.resize((300, 300)))
    boxes, classes, scores, count = model.predict(picture[None], raw=True).values()
    assert boxes.shape[2] == 4
    assert count[0] == scores.shape[1]
    found = [
        model.labels[int(i)] for i, score in zip(classes[0], scores[0], strict=True) if score > 0.5
    ]
    assert "dog" in found


def test_the_movie_reviews_run_and_a_cut_gives_their_features(mlnb_data: Path) -> None:
    model = load_model(mlnb_data / "models/tflite/movie_review.tflite")
    words = np.full((2, 256), 4, np.int32)
    answer = model.predict({"input_3": words})["Identity"]
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-5)
    features = "sequential_2/global_average_pooling1d_2/Mean"
    assert model.cut(outputs=[features]).predict(words)[features].shape == (2, 16)


def test_the_model_with_an_unknown_operation_leaves_the_session_alive(mlnb_data: Path) -> None:
    model = load_model(mlnb_data / "malformed/tflite/model_invoking_error.tflite")
    with pytest.raises(ModelRunError, match="fake-op-double"):
        model.predict(np.zeros((1, 3), np.uint8))
    assert load_model(made.add()).predict(np.zeros((1, 3), np.float32))
