"""A text classifier in a folder: what is in it, what comes back, and what damage is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_encoder import tiny_encoder, tiny_texts

from mlnb.errors import CheckpointError, DownloadError
from mlnb.networks import encoders
from mlnb.networks.encoders import encoder
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.classification import TextClassifier

TEXTS, LABELS = tiny_texts(60)
NEW = ["the soup was good", "a rude waiter", "", "nothing that it knows"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def fitted(folder: Path) -> TextClassifier:
    return classifier(folder).fit(TEXTS, LABELS, tell=quiet)


@pytest.fixture(scope="module")
def kept(fitted: TextClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted.save(tmp_path_factory.mktemp("kept") / "deep" / "er")


def quiet(_: str) -> None:
    """Nothing is told."""


def classifier(given: Any, **words: Any) -> TextClassifier:
    return TextClassifier(given, cache=False, **words)


def same(one: TextClassifier, other: TextClassifier, given: Any = NEW) -> None:
    np.testing.assert_allclose(one.predict_proba(given), other.predict_proba(given), atol=1e-6)


# ------------------------------------------------------------------------------------ save and load


def test_a_loaded_classifier_answers_and_is_judged_as_the_saved_one(
    fitted: TextClassifier, kept: Path
) -> None:
    loaded = TextClassifier.load(kept)
    same(loaded, fitted)
    assert loaded.labels_ == fitted.labels_
    wanted = fitted.evaluate(TEXTS, LABELS)
    evaluation = loaded.evaluate(TEXTS, LABELS)
    assert evaluation.baselines == wanted.baselines
    assert evaluation.log_loss == pytest.approx(wanted.log_loss)
    assert loaded.left_out_ == {}


def test_the_folder_holds_json_and_safetensors_and_is_small(kept: Path) -> None:
    assert sorted(file.name for file in kept.iterdir()) == [
        "classifier.json",
        "tfidf.json",
        "weights.safetensors",
    ]
    facts = json.loads((kept / "classifier.json").read_bytes())
    assert facts["encoder"]["sha256"] == encoder(facts["encoder"]["source"]).weights


@pytest.mark.parametrize(
    "labels", [["neg", "pos"], [False, True], [0, 1], [0.5, 2.0], ["a", "a\x00"], ["1", "2"]]
)
def test_labels_come_back_as_what_they_were(
    folder: Path, tmp_path: Path, labels: list[Any]
) -> None:
    made = classifier("tfidf").fit(TEXTS, [labels[i] for i in LABELS], tell=quiet)
    loaded = TextClassifier.load(made.save(tmp_path))
    assert loaded.classes_.tolist() == labels
    assert type(loaded.classes_.tolist()[0]) is type(labels[0])
    assert loaded.predict(TEXTS).tolist() == made.predict(TEXTS).tolist()


def test_whole_needs_the_encoder_no_more(
    folder: Path, tmp_path: Path, fitted: TextClassifier
) -> None:
    copy = shutil.copytree(folder, tmp_path / "enc")
    made = classifier(copy).fit(TEXTS, LABELS, tell=quiet)
    made.save(tmp_path / "kept", whole=True)
    shutil.rmtree(copy)
    loaded = TextClassifier.load(tmp_path / "kept")
    same(loaded, fitted)
    again = TextClassifier.load(loaded.save(tmp_path / "again"))
    same(again, fitted)
    assert (tmp_path / "again" / "encoder" / "tokenizer.json").is_file()


def test_a_folder_that_is_named_from_here_is_found_from_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fitted: TextClassifier
) -> None:
    monkeypatch.chdir(folder.parent)
    made = classifier(folder.name).fit(TEXTS, LABELS, tell=quiet)
    made.save(tmp_path / "kept")
    monkeypatch.chdir(tmp_path)
    same(TextClassifier.load(tmp_path / "kept"), fitted)


@pytest.mark.parametrize("head", ["mlp", Sequential().dense(4, "tanh").dense(2)])
def test_a_trained_head_comes_back(folder: Path, tmp_path: Path, head: Any) -> None:
    made = classifier(folder, head=head).fit(TEXTS, LABELS, tell=quiet)
    same(TextClassifier.load(made.save(tmp_path)), made)


def test_counted_words_come_back(tmp_path: Path) -> None:
    made = classifier("tfidf").fit(TEXTS, LABELS, tell=quiet)
    loaded = TextClassifier.load(made.save(tmp_path))
    same(loaded, made)
    assert loaded.evaluate(TEXTS, LABELS).baselines == {"majority": 0.5}
    assert loaded.get_params() == TextClassifier("tfidf").get_params()


def test_a_network_of_ones_own_comes_back(tmp_path: Path) -> None:
    made = classifier(Sequential().embedding(100, 8)).fit(TEXTS, LABELS, tell=quiet)
    same(TextClassifier.load(made.save(tmp_path)), made)


def test_a_tuned_encoder_goes_in(folder: Path, tmp_path: Path) -> None:
    made = classifier(folder).fit(TEXTS, LABELS, tell=quiet)
    before = made.predict_proba(NEW)
    made.fine_tune(epochs=1, lr=1e-2)
    assert np.abs(made.predict_proba(NEW) - before).max() > 1e-3
    same(TextClassifier.load(made.save(tmp_path)), made)


def test_pairs_and_columns_and_many_labels_come_back(folder: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": TEXTS, "b": TEXTS[::-1], "x": LABELS, "y": LABELS[::-1]})
    made = classifier(folder).fit(frame, text="a", text_pair="b", target=["x", "y"], tell=quiet)
    loaded = TextClassifier.load(made.save(tmp_path))
    same(loaded, made, frame)
    assert loaded.evaluate(frame).baselines == made.evaluate(frame).baselines
    assert loaded.predict(list(zip(TEXTS, TEXTS, strict=True))).shape == (60, 2)


def test_a_loaded_classifier_can_be_fitted_anew(kept: Path, fitted: TextClassifier) -> None:
    loaded = TextClassifier.load(kept).set_params(cache=False)
    same(loaded.fit(TEXTS, LABELS, tell=quiet), fitted)


def test_saving_over_another_one_replaces_it(
    folder: Path, tmp_path: Path, fitted: TextClassifier
) -> None:
    fitted.save(tmp_path, whole=True)
    made = classifier("tfidf").fit(TEXTS, ["a" if label else "b" for label in LABELS], tell=quiet)
    made.save(tmp_path)
    assert TextClassifier.load(tmp_path).classes_.tolist() == ["a", "b"]
    assert not (tmp_path / "encoder").exists()


def test_saving_over_another_one_leaves_what_is_not_its_own(
    tmp_path: Path, fitted: TextClassifier
) -> None:
    fitted.save(tmp_path, whole=True)
    (tmp_path / "encoder" / "notes.txt").write_text("mine")
    (tmp_path / "encoder" / "tokenizer.json").write_text("mine, since then")
    fitted.save(tmp_path)
    left = sorted(file.name for file in (tmp_path / "encoder").iterdir())
    assert left == ["notes.txt", "tokenizer.json"]
    same(TextClassifier.load(tmp_path), fitted)


def test_of_an_encoder_in_its_own_folder_nothing_is_lost(
    folder: Path, tmp_path: Path, fitted: TextClassifier
) -> None:
    fitted.save(tmp_path, whole=True)
    classifier(tmp_path / "encoder").fit(TEXTS, LABELS, tell=quiet).save(tmp_path)
    same(TextClassifier.load(tmp_path), fitted)


# ------------------------------------------------------------------------------------------- damage


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize(
    "name",
    ["weights.safetensors", "tfidf.json", "encoder/model.safetensors", "encoder/config.json"],
)
def test_damage_is_told_with_the_file(
    fitted: TextClassifier, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    fitted.save(tmp_path, whole=True)
    damage(tmp_path / name)
    with pytest.raises(CheckpointError, match=rf"{Path(name).name}.*(damaged|\.$)"):
        TextClassifier.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "mlnb.image_classifier"},
        {"version": 99},
        {"labels": {"kind": "int", "classes": [0, 1, 2], "counts": [1, 1, 1]}},
        {"labels": {"kind": "int", "classes": [0, "a"], "counts": [1, 1]}},
        {"labels": None},
        {"layers": [99]},
        {"layers": [1]},
        {"encoder": {"kind": "pickle"}},
        {"encoder": None},
        {"words": {}},
        {"columns": 7},
        {"is_paired": True},
        {"head": {"format": "mlnb.sequential", "version": 1, "layers": [{"layer": "os.system"}]}},
        {"files": {"../../etc/passwd": ""}},
        {"files": {"/etc/passwd": ""}},
        {"files": 3},
        {"weights_sha256": "0"},
    ],
    ids=lambda change: "-".join(change),
)
def test_facts_that_do_not_fit_are_refused(
    kept: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = shutil.copytree(kept, tmp_path / "kept")
    file = folder / "classifier.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()) | change))
    with pytest.raises(CheckpointError):
        TextClassifier.load(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_a_json_that_is_none_is_told(kept: Path, tmp_path: Path, content: bytes) -> None:
    folder = shutil.copytree(kept, tmp_path / "kept")
    (folder / "classifier.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"classifier\.json is damaged"):
        TextClassifier.load(folder)


def test_a_folder_without_a_classifier_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"classifier\.json is missing"):
        TextClassifier.load(tmp_path / "nowhere")


def test_an_encoder_with_other_weights_is_refused_and_the_right_one_may_be_given(
    folder: Path, tmp_path: Path, fitted: TextClassifier
) -> None:
    copy = shutil.copytree(folder, tmp_path / "enc")
    classifier(copy).fit(TEXTS, LABELS, tell=quiet).save(tmp_path / "kept")
    shutil.rmtree(copy)
    with pytest.raises(CheckpointError, match=r"whole=True.*encoder=path"):
        TextClassifier.load(tmp_path / "kept")
    tiny_encoder(copy, seed=7)
    with pytest.raises(CheckpointError, match="other weights than those"):
        TextClassifier.load(tmp_path / "kept")
    same(TextClassifier.load(tmp_path / "kept", encoder=folder), fitted)
    same(TextClassifier.load(tmp_path / "kept", encoder=encoder(folder)), fitted)


def test_no_network_is_asked_for_an_encoder_of_the_hub(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def folder_of(name: str, local: bool = False) -> Path:
        asked.append(local)
        raise DownloadError(f"{name} cannot be had")

    monkeypatch.setattr(encoders, "hub_folder", folder_of)
    folder = shutil.copytree(kept, tmp_path / "kept")
    facts = json.loads((folder / "classifier.json").read_bytes())
    facts["encoder"]["source"] = "org/name"
    (folder / "classifier.json").write_text(json.dumps(facts))
    with pytest.raises(CheckpointError, match=r"org/name.*not on this machine"):
        TextClassifier.load(folder)
    assert asked == [True]


def test_nothing_in_a_folder_is_a_pickle(fitted: TextClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path, whole=True)
    names = {file.suffix for file in tmp_path.rglob("*") if file.is_file()}
    assert names == {".json", ".safetensors"}
