"""`ImageClassifier` as a user meets it: fit, predict, evaluate, and what unlucky data does."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_pictures import PREPROCESSING, picture, picture_folder, tiny_backbone, tiny_onnx

from mlnb.data.image_frame import image_frame
from mlnb.data.splits import split
from mlnb.errors import DataError, ImageError, LayerError, MlnbError, TrainError, UnknownName
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.networks.sequential import Sequential
from mlnb.tasks.images import features as features_room
from mlnb.tasks.images.classification import ImageClassifier
from mlnb.tasks.pipeline import ExtractPixels, ResizeImages

BODY = tiny_backbone()


def classifier(**words: object) -> ImageClassifier:
    return ImageClassifier(**{"backbone": BODY, "epochs": 20, "lr": 0.01, **words})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def fitted(folder: Path) -> ImageClassifier:
    return classifier().fit(folder)


# ------------------------------------------------------------------------------------- what it does


def test_it_learns_the_folders_names(fitted: ImageClassifier) -> None:
    new = [picture("warm", 5000), picture("cold", 5001)]
    assert fitted.classes_.tolist() == ["cold", "warm"]
    assert fitted.predict(new).tolist() == ["warm", "cold"]


def test_probabilities_add_up_and_follow_the_classes(fitted: ImageClassifier) -> None:
    probabilities = fitted.predict_proba(np.stack([picture("warm", 5000)] * 3))
    assert probabilities.shape == (3, 2)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert (probabilities[:, 1] > 0.5).all()


def test_a_picture_may_be_a_file_a_list_of_one_array_one_array_or_of_pillow(
    fitted: ImageClassifier, folder: Path
) -> None:
    from PIL import Image

    path = folder / "warm" / "warm.3.png"
    pixels = np.asarray(Image.open(path))
    answers = [
        fitted.predict_proba(given)
        for given in (path, [str(path)], [pixels], pixels, pixels[None], Image.open(path))
    ]
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], atol=1e-5)


def test_pictures_of_several_sizes_go_in_together(fitted: ImageClassifier) -> None:
    sizes = [(24, 24), (100, 30), (7, 50)]
    assert len(fitted.predict([picture("cold", i, size) for i, size in enumerate(sizes)])) == 3


def test_the_same_words_give_the_same_classifier(folder: Path, fitted: ImageClassifier) -> None:
    again = classifier().fit(folder)
    np.testing.assert_array_equal(again.predict_proba(folder), fitted.predict_proba(folder))


def test_the_run_is_the_training_phase_and_says_of_what(fitted: ImageClassifier) -> None:
    assert fitted.run_.name == "linear on tiny"
    assert "val_loss" in fitted.run_.history.epochs[-1]
    assert fitted.runs_ == (fitted.run_,)


@pytest.mark.parametrize("head", ["mlp", Sequential().dense(6, "relu").dense(2)])
def test_other_heads(folder: Path, head: object) -> None:
    made = classifier(head=head).fit(folder)
    assert made.score(folder) > 0.9


def test_a_head_of_ones_own_is_copied_and_stays_untrained(folder: Path) -> None:
    head = Sequential(input_shape=(12,)).dense(2)
    before = head.module[0].weight.clone()
    classifier(head=head).fit(folder)
    assert torch.equal(head.module[0].weight, before)


def test_fit_says_what_the_bottleneck_phase_cost(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = picture_folder(tmp_path / "new", each=6)
    made = classifier(cache=tmp_path / "cache").fit(folder, tell=lines.append)
    assert any("12 pictures in" in line and "pictures/s" in line for line in lines)
    assert made.bottleneck_.computed == 12


# ---------------------------------------------------------------------------------------- the cache


def test_a_second_fit_with_another_head_and_split_computes_no_features(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "pictures", each=8)
    cache = tmp_path / "cache"
    assert classifier(cache=cache).fit(folder).bottleneck_.computed == 16
    assert classifier(cache=cache, head="mlp", seed=3).fit(folder).bottleneck_.computed == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"backbone": tiny_backbone(seed=1)},
        {"preprocessing": [ResizeImages(20), ExtractPixels(mean=127, scale=1 / 127)]},
    ],
)
def test_other_weights_or_preprocessing_are_computed_anew(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    folder = picture_folder(tmp_path / "pictures", each=6)
    cache = tmp_path / "cache"
    classifier(cache=cache).fit(folder)
    assert classifier(cache=cache, **changed).fit(folder).bottleneck_.computed == 12


def test_a_file_that_changed_is_computed_anew_and_one_that_moved_is_not(tmp_path: Path) -> None:
    from PIL import Image

    folder, cache = picture_folder(tmp_path / "pictures", each=6), tmp_path / "cache"
    classifier(cache=cache).fit(folder)
    (folder / "warm" / "warm.0.png").rename(folder / "warm" / "moved.png")
    Image.fromarray(picture("warm", 777)).save(folder / "warm" / "warm.1.png")
    assert classifier(cache=cache).fit(folder).bottleneck_.computed == 1


def test_an_interrupted_bottleneck_phase_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlnb.tasks.images import features as image_features

    folder, cache = picture_folder(tmp_path / "pictures", each=40), tmp_path / "cache"
    compute = image_features.TorchFeatures.__call__
    calls = []

    def interrupted(self: object, pixels: np.ndarray) -> np.ndarray:
        calls.append(len(pixels))
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return compute(self, pixels)

    monkeypatch.setattr(image_features.TorchFeatures, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        classifier(cache=cache).fit(folder)
    monkeypatch.undo()
    assert classifier(cache=cache).fit(folder).bottleneck_.computed == 80 - 32
    assert not [t for t in threading.enumerate() if t.name.startswith("mlnb-decode")]


def test_no_cache_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLNB_CACHE", str(tmp_path / "kit"))
    folder = picture_folder(tmp_path / "pictures", each=6)
    classifier(cache=False).fit(folder)
    assert not (tmp_path / "kit").exists()


def test_folded_batch_norms_give_the_same_features(fitted: ImageClassifier) -> None:
    pixels = np.stack([PREPROCESSING.fit(picture("warm", i)) for i in range(5)])
    with torch.no_grad():
        plain = BODY(torch.from_numpy(PREPROCESSING(pixels))).numpy()
    np.testing.assert_allclose(fitted.features(pixels), plain, atol=1e-4)


# ---------------------------------------------------------------------------------- as scikit-learn


def test_a_clone_has_the_words_and_nothing_learnt(fitted: ImageClassifier) -> None:
    from sklearn.base import clone, is_classifier

    other = clone(fitted.set_params(batch_size=16))
    assert is_classifier(other)
    assert other.get_params() == fitted.get_params()
    assert other.backbone is fitted.backbone
    assert not hasattr(other, "classes_")
    fitted.set_params(batch_size=32)


def test_no_pictures_have_no_answers(fitted: ImageClassifier) -> None:
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict_proba([]).shape == (0, 2)
    assert fitted.features([]).shape == (0, 12)


def test_it_goes_into_cross_val_score(folder: Path) -> None:
    from sklearn.model_selection import cross_val_score

    frame = image_frame(folder, tell=lambda _: None)
    scores = cross_val_score(classifier(), frame, frame["label"], cv=3)
    assert len(scores) == 3
    assert scores.mean() > 0.9


def test_an_unfitted_one_says_so(folder: Path) -> None:
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        classifier().predict(folder)


def test_labels_given_apart_and_numbers_as_labels(folder: Path) -> None:
    paths = sorted(folder.rglob("*.png"))
    labels = [int(path.parent.name == "warm") for path in paths]
    made = classifier().fit(paths, labels)
    assert made.classes_.tolist() == [0, 1]
    assert made.score(paths, labels) > 0.9


def test_arrays_and_labels() -> None:
    labels = ["cold", "warm"] * 15
    pixels = np.stack([picture(label, i) for i, label in enumerate(labels)])
    assert classifier().fit(pixels, labels).score(pixels, labels) > 0.9


# ------------------------------------------------------------------------------------------- splits


def test_a_frame_that_is_split_trains_validates_and_tests_on_its_own_rows(folder: Path) -> None:
    frame = split(image_frame(folder, tell=lambda _: None), 0.2, 0.2, tell=lambda _: None)
    made = classifier().fit(frame)
    assert len(made.bottleneck_.features) == (frame.split != "test").sum()
    report = made.evaluate(frame)
    assert len(report.correct) == (frame.split == "test").sum()
    assert set(report.to_frame().index) == set(frame.index[frame.split == "test"])
    assert report.accuracy > 0.8


def test_validation_may_be_pictures_of_its_own(folder: Path, tmp_path: Path) -> None:
    other = picture_folder(tmp_path / "other", each=3)
    made = classifier().fit(folder, validation=other)
    assert len(made.bottleneck_.features) == 46


def test_without_validation_all_are_trained_on(folder: Path) -> None:
    made = classifier(epochs=3).fit(folder, validation=0)
    assert "val_loss" not in made.run_.history.epochs[-1]


def test_the_report_knows_the_backbone_and_its_preprocessing(
    fitted: ImageClassifier, folder: Path
) -> None:
    assert "tiny (random weights), 24 × 24, RGB" in fitted.evaluate(folder).notes[0]


# ----------------------------------------------------------------------------------------- bad data


def test_one_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"All 6 pictures have the label 'warm'"):
        classifier().fit(picture_folder(tmp_path, each=6, labels=("warm",)))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MlnbError, match="picture"):
        classifier().fit(tmp_path)


def test_broken_files_are_left_out_with_a_word(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = picture_folder(tmp_path, each=8)
    (folder / "warm" / "broken.jpg").write_bytes(b"no picture")
    (folder / "warm" / "empty.png").write_bytes(b"")
    os.mkfifo(folder / "cold" / "pipe.jpg")
    made = classifier().fit(folder, tell=lines.append)
    assert len(made.left_out_) >= 2
    assert any("left out" in line for line in lines)


def test_files_that_turn_out_broken_only_when_they_are_decoded_are_left_out(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path, each=8)
    paths = sorted(map(str, folder.rglob("*.png")))
    labels = [Path(path).parent.name for path in paths]
    content = Path(paths[0]).read_bytes()
    Path(paths[0]).write_bytes(content[: len(content) // 2])
    lines: list[str] = []
    made = classifier().fit(paths, labels, tell=lines.append)
    assert list(made.left_out_) == [0]
    assert any("left out 1 picture" in line for line in lines)
    assert made.predict(paths)[0] is None
    assert np.isnan(made.predict_proba(paths)[0]).all()
    assert len(made.evaluate(paths, labels).correct) == 15


def test_a_class_whose_pictures_are_all_broken_is_no_class(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path, each=8)
    paths = sorted(folder.rglob("*.png"))
    for path in (folder / "warm").iterdir():
        path.write_bytes(b"gone")
    with pytest.raises(DataError, match="Only 'cold'"):
        classifier().fit(paths, [path.parent.name for path in paths])


def test_nothing_that_can_be_read_is_an_error(fitted: ImageClassifier, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="Not one of 2 pictures"):
        fitted.predict([tmp_path / "a.jpg", tmp_path / "b.jpg"])


def test_a_frame_without_labels_names_its_columns(folder: Path) -> None:
    frame = image_frame(folder, tell=lambda _: None).rename(columns={"label": "kind"})
    with pytest.raises(DataError, match=r"no column 'label'.* kind"):
        classifier().fit(frame)
    assert classifier().fit(frame, target="kind").score(frame, frame.kind) > 0.9


def test_a_frame_without_paths_is_refused() -> None:
    with pytest.raises(DataError, match="no column 'path'"):
        classifier().fit(pd.DataFrame({"label": ["a", "b"]}))


def test_rows_without_a_label_are_left_out(folder: Path) -> None:
    frame = image_frame(folder, tell=lambda _: None)
    frame.loc[3, "label"] = None
    assert classifier().fit(frame, tell=lambda _: None).left_out_ == {3: "it has no label"}


def test_what_was_left_out_by_hand_is_not_learnt_from_and_is_still_answered(folder: Path) -> None:
    frame = image_frame(folder, tell=lambda _: None)
    frame["left_out"] = frame.index == 2
    made = classifier().fit(frame, tell=lambda _: None)
    assert made.left_out_ == {2: "it was left out by hand"}
    assert len(made.predict(frame)) == len(frame)


def test_a_label_that_only_validation_has_is_named(folder: Path) -> None:
    frame = split(image_frame(folder, tell=lambda _: None), tell=lambda _: None)
    frame.loc[frame.index[frame.split == "validation"][:2], "label"] = "fox"
    with pytest.raises(
        DataError,
        match=r"2 labels of the validation are not known from training: 'fox'; known are 'cold'",
    ):
        classifier().fit(frame)


def test_a_label_that_only_the_test_has_is_named(fitted: ImageClassifier, folder: Path) -> None:
    frame = image_frame(folder, tell=lambda _: None)
    frame.loc[0, "label"] = "fox"
    with pytest.raises(DataError, match="'fox'"):
        fitted.evaluate(frame)


def test_a_hostile_label_is_made_visible(folder: Path) -> None:
    frame = image_frame(folder, tell=lambda _: None)
    frame["label"] = "\x1b[31m<script>"
    with pytest.raises(DataError) as error:
        classifier().fit(frame)
    assert "\x1b" not in str(error.value)


def test_labels_and_pictures_of_different_number_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="2 pictures and 1 label"):
        classifier().fit(sorted(folder.rglob("*.png"))[:2], ["a"])


@pytest.mark.parametrize(
    "given", [3, np.zeros((4, 4)), [np.zeros((4, 4, 3))], np.zeros((2, 8, 8, 4), np.uint8)]
)
def test_what_is_no_picture_is_refused(fitted: ImageClassifier, given: object) -> None:
    with pytest.raises(DataError, match="uint8"):
        fitted.predict(given)


def test_a_folder_that_is_not_there_says_so(fitted: ImageClassifier, tmp_path: Path) -> None:
    for ask in (classifier().fit, fitted.predict):
        with pytest.raises(ImageError, match=r"no folder and no picture at .*nowhere"):
            ask(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=r"^empty is an empty folder"):
        fitted.predict(tmp_path / "empty")


def test_a_cache_that_cannot_be_written_is_told(folder: Path) -> None:
    lines: list[str] = []
    file = next(folder.rglob("*.png"))
    made = classifier(epochs=1, cache=file).fit(folder, tell=lines.append)
    assert made.bottleneck_.computed == 40
    assert any("not kept in" in line and "exists" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        ({"head": "liner"}, UnknownName, "linear"),
        ({"head": Sequential().dense(7)}, LayerError, r"end it with \.dense\(2\)"),
        ({"augment": "heavy"}, UnknownName, "light"),
        ({"preprocessing": len}, DataError, "ResizeImages"),
        ({"validation": 1.5}, DataError, "between 0 and 1"),
        ({"backbone": "mobilnet_v2"}, UnknownName, "mobilenet_v2"),
        ({"fine_tune": 9}, TrainError, "3 stages"),
        ({"backbone": __file__}, TrainError, r"is a file; load it: backbone=load_model\('"),
    ],
)
def test_words_that_cannot_be_meant(
    folder: Path, words: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        classifier(**words).fit(folder)


def test_a_fit_that_fails_leaves_the_classifier_as_it_was(folder: Path, tmp_path: Path) -> None:
    made = classifier().fit(folder)
    before = made.predict_proba(folder)
    with pytest.raises(MlnbError):
        made.fit(picture_folder(tmp_path, each=3, labels=("warm",)))
    np.testing.assert_array_equal(made.predict_proba(folder), before)


# --------------------------------------------------------------------------------- a loaded model


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_onnx(tmp_path_factory.mktemp("model") / "tiny.onnx")


def test_a_loaded_model_is_cut_before_its_classifier_and_finds_its_preprocessing(
    folder: Path, model_path: Path
) -> None:
    lines: list[str] = []
    made = classifier(backbone=load_model(model_path)).fit(folder, tell=lines.append)
    assert any("scores best with tiny.onnx" in line for line in lines)
    assert "backbone: tiny.onnx cut at flat, before its classifier" in lines
    assert made.score(folder) > 0.9
    assert made.features(folder).shape == (40, 16)
    assert "cut at flat" in made.evaluate(folder).notes[0]
    with pytest.raises(TrainError, match="does not run in torch"):
        made.torch_module()


def test_conventions_are_tried_on_one_cut_that_is_read_once(
    folder: Path, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts, hashes = [], []
    for kept, name in ((cuts, "cut_for_features"), (hashes, "model_hash")):
        asked = getattr(features_room, name)

        def noted(model: Model, kept: list = kept, asked: object = asked) -> object:
            kept.append(model)
            return asked(model)

        monkeypatch.setattr(features_room, name, noted)
    made = classifier(backbone=load_model(model_path), cache=False).fit(folder)
    assert (len(cuts), len(hashes)) == (1, 1)
    assert made._features.preprocessing == made.preprocessing_


def test_the_backbone_runs_on_the_fastest_device_and_answers_come_from_there(
    fitted: ImageClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_room, "find_device", lambda device: torch.device("meta", 0))
    fitted.save(tmp_path)
    loaded = ImageClassifier.load(tmp_path, backbone=BODY)
    assert loaded._features.device.type == "meta"
    with pytest.raises(NotImplementedError, match="meta"):  # it has no numbers to come back
        loaded.predict([picture("warm", 1)])


def test_a_model_is_cut_where_its_owner_cut_it(folder: Path, model_path: Path) -> None:
    cut = load_model(model_path).cut(outputs=["relu"])
    steps = [ResizeImages(24), ExtractPixels(mean=127, scale=1 / 127)]
    made = classifier(backbone=cut, preprocessing=steps).fit(folder)
    assert "cut at relu" in made.evaluate(folder).notes[0]
    assert made.features(folder).shape == (40, 16)


def test_what_the_steps_leave_open_is_as_the_backbone_wants_it(
    folder: Path, model_path: Path
) -> None:
    pixels = [ExtractPixels(mean=127, scale=1 / 127, order="BGR")]
    on_model = classifier(backbone=load_model(model_path), preprocessing=pixels, epochs=1)
    assert on_model.fit(folder).preprocessing_.size == (24, 24)
    by_name = classifier(preprocessing=pixels, epochs=1).fit(folder).preprocessing_
    assert (by_name.size, by_name.order) == ((24, 24), "BGR")
    larger = classifier(preprocessing=ResizeImages(28), epochs=1).fit(folder).preprocessing_
    assert (larger.size, larger.mean) == ((28, 28), PREPROCESSING.mean)


def test_a_loaded_model_cannot_be_fine_tuned(folder: Path, model_path: Path) -> None:
    with pytest.raises(TrainError, match="fine_tune=1"):
        classifier(backbone=load_model(model_path), fine_tune=1).fit(folder)


# --------------------------------------------------------------------------------------- explaining


def test_a_map_lies_over_the_whole_picture(fitted: ImageClassifier) -> None:
    wide = picture("warm", 1, (30, 90))
    seen = fitted.explain(wide)
    assert seen.shape == (30, 90)
    assert 0 <= seen.min() <= seen.max() <= 1
    assert (seen[:, :25] == 0).all()
    assert (seen[:, -25:] == 0).all()
    assert fitted.explain(wide, target="cold").shape == (30, 90)
    with pytest.raises(DataError, match="not known: 'hot'; known are 'cold', 'warm'"):
        fitted.explain(wide, target="hot")


# ---------------------------------------------------------------------------- real photographs


def test_mobilenet_tells_sixty_cats_and_dogs_apart(mlnb_data: Path) -> None:
    frame = image_frame(mlnb_data / "cats_vs_dogs", tell=lambda _: None)
    frame = frame.groupby("label").head(30).reset_index(drop=True)
    frame["split"] = np.where(frame.index % 3 == 0, "test", "train")
    made = ImageClassifier("mobilenet_v2").fit(frame, tell=lambda _: None)
    assert made.evaluate(frame).accuracy >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mobilenet_v2", 0.98), ("squeezenet1_1", 0.92)])
def test_cats_and_dogs_by_five_seeds(mlnb_data: Path, name: str, least: float) -> None:
    frame = image_frame(mlnb_data / "cats_vs_dogs", tell=lambda _: None)
    scores = []
    for seed in range(5):
        parts = split(frame, 0, 0.2, seed=seed, tell=lambda _: None)
        made = ImageClassifier(name, seed=seed)
        made.fit(parts[parts.split == "train"].drop(columns="split"))
        scores.append(made.evaluate(parts).accuracy)
    assert np.mean(scores) >= least, scores
