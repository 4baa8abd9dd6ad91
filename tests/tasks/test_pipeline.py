"""Pictures to names: each step by itself, in scikit-learn's pipeline, with what is broken in it."""

from __future__ import annotations

import pickle
import tracemalloc
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models.fake_file import FakeFile
from models_made.build import FLOAT, VALUE, model
from onnx import helper
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from mlnb.data.images import read_image
from mlnb.errors import DataError, InputError, UnknownName
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.specs import Quantization, TensorSpec
from mlnb.tasks.pipeline import (
    CONVENTIONS,
    ExtractPixels,
    LoadImages,
    ResizeImages,
    Score,
    Softmax,
    TopK,
    class_names,
)

RED, GREEN, BLUE = (250, 10, 20), (10, 240, 20), (20, 10, 230)
COLORS = {"red": RED, "green": GREEN, "blue": BLUE}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures of three sizes, one that is no picture, one that breaks off."""
    for at, (name, color) in enumerate(COLORS.items()):
        (tmp_path / name).mkdir()
        Image.new("RGB", (40 + 10 * at, 30), color).save(tmp_path / name / f"{at}.png")
    (tmp_path / "red" / "8.png").write_bytes(b"no picture at all")
    whole = (tmp_path / "blue" / "2.png").read_bytes()
    (tmp_path / "blue" / "9.png").write_bytes(whole[: len(whole) - 30])
    return tmp_path


def color_model(batch: int | str = "N", dtype: int = FLOAT, layout: str = "NCHW", side: int = 8):
    """The mean of each channel of what goes in: three classes."""
    shape = [batch, 3, side, side] if layout == "NCHW" else [batch, side, side, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    made = helper.make_node("ReduceMean", ["data:0", "axes"], ["mean"], keepdims=0)
    return load_model(
        model(
            [made],
            [VALUE("data:0", dtype, shape)],
            [VALUE("mean", dtype, [batch, 3])],
            {"axes": np.array(axes, np.int64)},
        )
    )


def means(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=(2, 3))


def test_the_whole_way_from_a_folder_to_names(folder: Path) -> None:
    steps = LoadImages(), ResizeImages(8, 8), ExtractPixels(scale=1 / 255), Score(color_model())
    frame = make_pipeline(*steps, Softmax(), TopK(2, ["red", "green", "blue"])).transform(folder)
    good = frame[frame.status == "ok"]
    assert good.predicted.tolist() == good.label.tolist()
    assert sorted(good.label) == ["blue", "green", "red"]
    assert (good.probability > good.probability_2).all()
    assert "scores" not in frame
    assert "image" not in frame


def test_a_broken_picture_is_a_row_with_its_reason(folder: Path) -> None:
    steps = LoadImages(), ResizeImages(8), ExtractPixels(), Score(means), Softmax(), TopK(1)
    frame = make_pipeline(*steps).transform(folder).set_index("path")
    assert len(frame) == 5
    assert "no picture" in frame.status[str(folder / "red" / "8.png")]
    assert "damaged" in frame.status[str(folder / "blue" / "9.png")]
    broken = frame[frame.status != "ok"]
    assert broken.predicted.isna().all()
    assert broken.probability.isna().all()


@pytest.mark.parametrize("kind", ["paths", "series", "frame", "arrays", "array", "pillow"])
def test_paths_frames_and_arrays_give_the_same(folder: Path, kind: str) -> None:
    paths = [folder / "red" / "0.png", folder / "green" / "1.png"]
    frame = pd.DataFrame({"path": paths, "mine": [7, 8]}, index=[30, 10])
    arrays = [read_image(path)[:, :40] for path in paths]
    given = {
        "paths": paths,
        "series": frame.path.astype(str),
        "frame": frame,
        "arrays": arrays,
        "array": np.stack(arrays),
        "pillow": [Image.open(path) for path in paths],
    }[kind]
    found = make_pipeline(ResizeImages(6, 4), ExtractPixels(), Score(means)).transform(given)
    assert np.stack(found.scores).round().tolist() == [list(RED), list(GREEN)]
    if kind == "frame":
        assert found.index.tolist() == [30, 10]
        assert found.mine.tolist() == [7, 8]
        assert "image" not in frame


def test_one_array_and_one_file_are_one_picture(folder: Path) -> None:
    assert len(LoadImages().transform(np.zeros((5, 6, 3), np.uint8))) == 1
    assert len(LoadImages().transform(str(folder / "red" / "0.png"))) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((2, 5, 6, 3), np.float32), "float32"),
        (np.zeros((2, 5, 6, 4), np.uint8), r"uint8 \[5, 6, 4\]"),
        (pd.DataFrame({"file": ["a"]}), "a frame of file"),
        ([1, 2], "picture 0"),
        (7, "received int"),
        (None, "received NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(given, told: str) -> None:
    with pytest.raises(DataError, match=told):
        LoadImages().transform(given)


def test_nothing_is_decoded_before_somebody_asks(tmp_path: Path) -> None:
    path = tmp_path / "later.png"
    frame = make_pipeline(LoadImages(), ResizeImages(4, 6), ExtractPixels()).transform([path])
    Image.new("RGB", (20, 20), RED).save(path)
    assert frame.image[0].to_numpy().shape == (3, 4, 6)


def test_many_large_pictures_never_lie_in_memory_at_once(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (400, 400), RED).save(path)
    steps = LoadImages(), ResizeImages(200), ExtractPixels(), Score(means, batch_size=8)
    tracemalloc.start()
    try:
        frame = make_pipeline(*steps).transform([path] * 120)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frame.scores.notna().all()
    assert peak < 25e6 < 120 * 200 * 200 * 3 * 4


def test_files_that_are_gone_are_rows_too(tmp_path: Path) -> None:
    frame = make_pipeline(ResizeImages(4), ExtractPixels(), Score(means)).transform(
        [tmp_path / "gone.png"]
    )
    assert "gone.png" in frame.status[0]
    assert frame.scores[0] is None


def test_rows_that_were_bad_before_stay_as_they_are(folder: Path) -> None:
    frame = pd.DataFrame(
        {"path": [str(folder / "red" / "0.png")] * 2, "status": ["ok", "too dark for me"]}
    )
    found = make_pipeline(ResizeImages(4), ExtractPixels(), Score(means)).transform(frame)
    assert found.status.tolist() == ["ok", "too dark for me"]
    assert found.scores[1] is None


def test_an_empty_list_gives_an_empty_frame() -> None:
    steps = LoadImages(), ResizeImages(4), ExtractPixels(), Score(means), Softmax(), TopK(1)
    frame = make_pipeline(*steps).transform([])
    assert len(frame) == 0
    assert {"predicted", "probability"} <= {*frame.columns}


# ----------------------------------------------------------------------------------------- pixels


def test_pixels_are_less_the_mean_times_the_scale_in_the_order_that_is_named() -> None:
    picture = np.array([[[[10, 20, 30]]]], np.uint8)
    caffe = ExtractPixels(mean=(104, 117, 123), order="BGR").pixels(picture)
    assert caffe.shape == (1, 3, 1, 1)
    assert caffe.dtype == np.float32
    assert caffe.ravel().tolist() == [30 - 104, 20 - 117, 10 - 123]
    tensorflow = ExtractPixels(mean=127.5, scale=1 / 127.5, layout="NHWC", dtype="float16")
    assert tensorflow.pixels(picture).shape == (1, 1, 1, 3)
    assert tensorflow.pixels(picture).ravel()[0] == np.float16((10 - 127.5) / 127.5)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_every_layout_and_order_is_what_numpy_would_compute(layout, order) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), np.uint8)
    mean, scale = (1.0, 2.0, 3.0), (0.5, 0.25, 2.0)
    wanted = (images[..., ::-1] if order == "BGR" else images).astype(np.float32)
    wanted = (wanted - mean) * scale
    wanted = wanted.transpose(0, 3, 1, 2) if layout == "NCHW" else wanted
    found = ExtractPixels(mean, scale, order, layout).pixels(images)
    assert np.allclose(found, wanted)
    assert found.flags.c_contiguous


def test_torchvisions_convention_is_torchvisions() -> None:
    image = np.random.default_rng(1).integers(0, 256, (6, 7, 3), np.uint8)
    normal = (image / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    found = ExtractPixels(**CONVENTIONS["RGB mean/std"]).pixels(image)
    assert np.abs(found - normal.transpose(2, 0, 1)).max() < 1e-5
    turned = ExtractPixels(**CONVENTIONS["BGR mean/std"]).pixels(image)
    assert np.array_equal(turned, found[::-1])


def test_integers_are_rounded_and_clipped() -> None:
    picture = np.array([[[0, 100, 255]]], np.uint8)
    assert ExtractPixels(dtype="uint8", layout="NHWC").pixels(picture).ravel().tolist() == [
        0,
        100,
        255,
    ]
    signed = ExtractPixels(mean=100.4, scale=2, dtype="int8", layout="NHWC").pixels(picture)
    assert signed.ravel().tolist() == [-128, -1, 127]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (ExtractPixels(order="GBR"), "no order 'GBR'; did you mean"),
        (ExtractPixels(layout="NHCW"), "no layout 'NHCW'"),
        (ResizeImages(8, mode="cut"), "no mode 'cut'"),
    ],
)
def test_unknown_words_are_refused_with_the_closest(step, told: str) -> None:
    with pytest.raises(UnknownName, match=told):
        step.transform(np.zeros((1, 4, 4, 3), np.uint8))


def test_two_means_are_refused_and_so_is_resizing_numbers() -> None:
    picture = np.zeros((1, 4, 4, 3), np.uint8)
    with pytest.raises(DataError, match=r"mean is .* three"):
        ExtractPixels(mean=(1, 2)).transform(picture)
    numbers = ExtractPixels().transform(picture)
    with pytest.raises(DataError, match="ResizeImages expects pictures"):
        ResizeImages(2).transform(numbers)


# ----------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize("batch", [1, 2, "N"])
@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_a_fixed_batch_is_no_obstacle(batch, batch_size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), np.uint8)
    score = Score(color_model(batch), batch_size=batch_size)
    found = make_pipeline(ExtractPixels(), score).transform(images)
    assert np.allclose(np.stack(found.scores), images.mean(axis=(1, 2)), atol=1e-3)


def test_names_go_with_and_without_tensorflows_zero() -> None:
    images = np.full((1, 8, 8, 3), RED, np.uint8)
    for name in ("mean", "mean:0"):
        found = make_pipeline(ExtractPixels(), Score(color_model(), outputs=name)).transform(images)
        assert found.scores[0].round().tolist() == list(RED)


def test_several_outputs_are_columns_by_their_names() -> None:
    images = np.full((2, 8, 8, 3), GREEN, np.uint8)

    def two(values: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": means(values), "maps": values * 2}

    found = make_pipeline(ExtractPixels(), Score(two)).transform(images)
    assert found["mean"][1].tolist() == list(GREEN)
    assert found.maps[0].shape == (3, 8, 8)
    with pytest.raises(DataError, match="no column 'scores'"):
        TopK(1).transform(found)
    assert Softmax("mean").transform(found)["mean"][0].sum() == pytest.approx(1)
    with pytest.raises(UnknownName, match="no output 'men'; did you mean 'mean'"):
        make_pipeline(ExtractPixels(), Score(two, outputs=["men"])).transform(images)


def test_a_quantised_model_takes_real_values_or_what_it_stores() -> None:
    half = Quantization((0.5,), (128,))
    file = FakeFile(
        [TensorSpec("x", "uint8", (1, 1, 1, 3), quantization=half)],
        [TensorSpec("y", "uint8", (1, 3), quantization=half)],
        lambda x: {"y": x[:, 0, 0]},
    )
    images = np.full((3, 1, 1, 3), 10, np.uint8)
    real = make_pipeline(ExtractPixels(layout="NHWC"), Score(Model(file))).transform(images)
    assert real.scores[2].tolist() == [10, 10, 10]
    stored = ExtractPixels(layout="NHWC", dtype="uint8"), Score(Model(file), raw=True)
    assert make_pipeline(*stored).transform(images).scores[2].tolist() == [10, 10, 10]
    assert make_pipeline(*stored).transform(images).scores[2].dtype == np.uint8


def test_a_torch_module_and_a_file_are_models_too(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    images = np.full((2, 8, 8, 3), BLUE, np.uint8)
    module = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).train()
    found = make_pipeline(ExtractPixels(), Score(module)).transform(images)
    assert found.scores[0].round().tolist() == list(BLUE)
    assert module.training
    path = tmp_path / "color.onnx"
    path.write_bytes(color_model()._file.source.content)
    found = make_pipeline(ExtractPixels(), Score(path)).transform(images)
    assert found.scores[1].round().tolist() == list(BLUE)


def test_singleton_axes_of_a_vector_are_taken_off() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    score = Score(lambda values: np.ones((len(values), 1000, 1, 1), np.float16))
    found = make_pipeline(ExtractPixels(), score).transform(images)
    assert found.scores[0].shape == (1000,)


def test_pictures_of_several_sizes_that_nobody_resized_run_by_their_sizes() -> None:
    images = [np.full((side, 9, 3), side, np.uint8) for side in (4, 4, 6, 4)]
    found = make_pipeline(ExtractPixels(), Score(means)).transform(images)
    assert [scores[0] for scores in found.scores] == [4, 4, 6, 4]


def test_pixels_that_the_model_does_not_take_are_told_with_a_remedy() -> None:
    images = np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.raises(InputError, match=r"expects float32 \[N, 3, 8, 8\]"):
        make_pipeline(ExtractPixels(layout="NHWC"), Score(color_model())).transform(images)
    with pytest.raises(DataError, match="received NoneType"):
        Score(None).transform(images)
    with pytest.raises(DataError, match="one row for each"):
        Score(lambda values: np.zeros(5)).transform(images)


def test_softmax_is_right_for_large_scores_and_in_the_saved_dtype() -> None:
    found = Softmax().transform(np.array([[1000.0, 1000.0], [-5.0, 5.0]]))
    assert found.scores[0].tolist() == [0.5, 0.5]
    assert found.scores[1].dtype == np.float32
    assert found.scores[1].sum() == pytest.approx(1)


def test_top_k_wants_probabilities_and_says_how_to_get_them() -> None:
    with pytest.raises(DataError, match=r"Put Softmax\(\) before TopK"):
        TopK(1).transform(np.array([[3.0, -1.0]]))
    with pytest.raises(DataError, match="expected at least 1"):
        TopK(0).transform(np.array([[0.5, 0.5]]))


def test_top_k_gives_no_more_than_there_are_and_numbers_without_labels() -> None:
    frame = TopK(5).transform(np.array([[0.1, 0.6, 0.3]]))
    assert frame[["predicted", "predicted_2", "predicted_3"]].iloc[0].tolist() == ["1", "2", "0"]
    assert "predicted_4" not in frame


# ----------------------------------------------------------------------------------------- labels


def test_a_background_that_only_one_side_counts_is_put_right() -> None:
    assert class_names(["a", "b"], 3) == ("background", "a", "b")
    assert class_names(["background", "a", "b"], 2) == ("a", "b")
    assert class_names(["background", "a", "b"], 3) == ("background", "a", "b")
    with pytest.raises(DataError, match="4 classes and there are 2 labels"):
        class_names(["a", "b"], 4)


@pytest.mark.parametrize(
    "text",
    ["cat\ndog\n", "  0  cat\n  1  dog\n", "1: cat\n2: dog", "n01440764 cat\nn01443537 dog"],
)
def test_numbers_and_synsets_of_label_files_are_taken_off(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(text)
    assert class_names(path, 2) == ("cat", "dog")


def test_a_label_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file of labels"):
        class_names(tmp_path / "none.txt", 2)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="no text file"):
        class_names(tmp_path / "bytes", 2)


# ------------------------------------------------------------------------------------ conventions


def test_clones_share_the_model_and_keep_every_parameter() -> None:
    made = color_model()
    pipeline = make_pipeline(
        LoadImages(),
        ResizeImages(8, 9, "pad"),
        ExtractPixels(2, 3),
        Score(made, batch_size=4),
        TopK(3),
    )
    copy = clone(pipeline)
    assert copy.named_steps["score"] is not pipeline.named_steps["score"]
    assert copy.named_steps["score"].model is made
    assert copy.named_steps["score"].batch_size == 4
    assert copy.named_steps["resizeimages"].get_params()["mode"] == "pad"
    copy.set_params(topk__k=1)
    assert pipeline.named_steps["topk"].k == 3


def test_steps_and_lazy_frames_can_be_pickled(folder: Path) -> None:
    steps = make_pipeline(LoadImages(), ResizeImages(4), ExtractPixels())
    frame = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(steps)).transform(folder)))
    assert frame.image[frame.status == "ok"].iloc[0].to_numpy().shape == (3, 4, 4)


def test_a_cell_says_what_will_be_done_and_hides_nothing_in_its_name() -> None:
    frame = make_pipeline(ResizeImages(4), ExtractPixels()).transform(["/a/b\u202egnp.exe"])
    assert "\u202e" not in repr(frame.image[0])
    assert repr(frame.image[0]).endswith("> 4 × 4 crop > RGB NCHW float32")


def test_a_frame_with_its_own_images_is_taken_as_it_is(folder: Path) -> None:
    path = folder / "red" / "0.png"
    frame = pd.DataFrame({"image": [read_image(path), None, str(path)], "mine": [1, 2, 3]})
    found = make_pipeline(ResizeImages(4), ExtractPixels(), Score(means)).transform(frame)
    assert found.scores[0].tolist() == found.scores[2].tolist() == list(RED)
    assert found.scores[1] is None
    assert found.mine.tolist() == [1, 2, 3]


def test_pandas_is_what_comes_out_and_nothing_else_can_be_asked_for() -> None:
    pipeline = make_pipeline(ResizeImages(4), ExtractPixels(), Score(means))
    images = np.zeros((1, 8, 8, 3), np.uint8)
    assert isinstance(pipeline.set_output(transform="pandas").transform(images), pd.DataFrame)
    with pytest.raises(ValueError, match="frames of pandas"):
        pipeline.set_output(transform="polars")


def test_an_interrupt_ends_it_and_the_next_call_works(folder: Path) -> None:
    calls = []

    def interrupted(values: np.ndarray) -> np.ndarray:
        calls.append(len(values))
        if len(calls) == 1:
            raise KeyboardInterrupt
        return means(values)

    pipeline = make_pipeline(ResizeImages(4), ExtractPixels(), Score(interrupted, batch_size=1))
    with pytest.raises(KeyboardInterrupt):
        pipeline.transform(folder)
    assert pipeline.transform(folder).scores.notna().sum() == 3


def test_the_real_squeezenet_names_what_it_sees(mlnb_data: Path) -> None:
    squeezenet = load_model(mlnb_data / "models" / "onnx" / "squeezenet1.1_fp16.onnx")
    labels = mlnb_data / "labels" / "imagenet_synset_1000.txt"
    pixels = ExtractPixels(**CONVENTIONS["BGR minus mean"], dtype="float16")
    steps = LoadImages(), ResizeImages(224, 224), pixels, Score(squeezenet), TopK(5, labels)
    images = [mlnb_data / "images" / name for name in ("pizza.jpg", "broccoli.jpg")]
    frame = make_pipeline(*steps).transform(images)
    assert frame.predicted.tolist() == ["pizza, pizza pie", "broccoli"]


@pytest.mark.skipif(not find_spec("ai_edge_litert"), reason="needs ai-edge-litert")
def test_the_real_quantised_mobilenet_does_with_real_values_and_with_its_own(
    mlnb_data: Path,
) -> None:
    path = mlnb_data / "models" / "tflite" / "mobilenet_v2_1.0_224_quant.tflite"
    labels = mlnb_data / "labels" / "imagenet_synset_1000.txt"
    images = [mlnb_data / "images" / name for name in ("pizza.jpg", "broccoli.jpg")]
    real = ExtractPixels(**CONVENTIONS["RGB -1 to 1"], layout="NHWC"), Score(path)
    own = ExtractPixels(layout="NHWC", dtype="uint8"), Score(path, raw=True)
    for pixels, score in (real, own):
        frame = make_pipeline(ResizeImages(224), pixels, score, Softmax(), TopK(1, labels))
        assert frame.transform(images).predicted.tolist() == ["pizza, pizza pie", "broccoli"]
