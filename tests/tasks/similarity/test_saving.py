"""Saving and loading: the same answers, a small folder, and what is damaged or missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from tiny_encoder import tiny_encoder
from tiny_pairs import pairs, similarity

from mlnb.errors import CheckpointError, TrainError
from mlnb.tasks.similarity.similarity import SentenceSimilarity

FRAME = pairs(120)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


def fitted(place: Any, **words: Any) -> SentenceSimilarity:
    return similarity(place, **words).fit(FRAME, tell=lambda line: None)


def loaded(folder: Path, **words: Any) -> SentenceSimilarity:
    return SentenceSimilarity.load(folder, **words).set_params(cache=False)


@pytest.mark.parametrize("metric", ["cosine", "learned"])
def test_a_frozen_one_gives_the_same_answers_from_a_small_folder(
    place: Path, tmp_path: Path, metric: str
) -> None:
    made = fitted(place, metric=metric)
    folder = made.save(tmp_path / "similarity")
    again = loaded(folder)
    np.testing.assert_array_equal(again.predict(FRAME), made.predict(FRAME))
    assert sorted(path.name for path in folder.iterdir()) == [
        "similarity.json",
        "weights.safetensors",
    ]
    index = made.index(["the soup", "a room"])
    assert len(again.search("soup", index, k=1)) == 1
    assert again.score(["", "a"], ["a", "the soup was cold"])[0] == made.score([""], ["a"])[0]


@pytest.mark.parametrize("form", ["bi", "cross"])
def test_a_tuned_one_goes_in_whole(place: Path, tmp_path: Path, form: str) -> None:
    made = fitted(place).fine_tune(form=form, lr=1e-3)
    folder = made.save(tmp_path / "similarity")
    place.rename(place.with_name("away")) if form == "bi" else None
    try:
        again = loaded(folder)
    finally:
        place.with_name("away").rename(place) if form == "bi" else None
    np.testing.assert_allclose(again.predict(FRAME), made.predict(FRAME), atol=1e-6)
    found = [one.search("soup", ["the soup", "bread"])["similarity"] for one in (made, again)]
    np.testing.assert_allclose(*found, atol=1e-6)
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pt", ".bin")]


def test_whole_needs_nothing_beside_the_folder(place: Path, tmp_path: Path) -> None:
    other = tiny_encoder(tmp_path / "other", seed=3)
    made = fitted(other)
    before = made.predict(FRAME)
    made.save(tmp_path / "whole", whole=True)
    made.save(tmp_path / "small")
    other.rename(tmp_path / "away")
    np.testing.assert_array_equal(loaded(tmp_path / "whole").predict(FRAME), before)
    with pytest.raises(CheckpointError, match="not on this machine: save"):
        loaded(tmp_path / "small")
    by_hand = loaded(tmp_path / "small", encoder=tmp_path / "away")
    np.testing.assert_array_equal(by_hand.predict(FRAME), before)
    with pytest.raises(CheckpointError, match="with other weights"):
        loaded(tmp_path / "small", encoder=place)


def test_a_loaded_one_has_no_pairs_and_can_be_fitted_again(place: Path, tmp_path: Path) -> None:
    again = loaded(fitted(place).save(tmp_path / "similarity"))
    with pytest.raises(TrainError, match="loaded has none"):
        again.fine_tune()
    np.testing.assert_array_equal(
        again.fit(FRAME, tell=lambda line: None).predict(FRAME), fitted(place).predict(FRAME)
    )


def test_what_was_never_fitted_is_not_saved(place: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        similarity(place).save(tmp_path / "similarity")


def test_a_folder_that_is_damaged_or_none_is_refused(place: Path, tmp_path: Path) -> None:
    folder = fitted(place).save(tmp_path / "similarity", whole=True)
    facts = json.loads((folder / "similarity.json").read_text())
    for change in (
        {"version": 2},
        {"format": "mlnb.text_classifier"},
        {"encoder": None},
        {"layers": [9]},
        {"scale": {}},
        {"words": {"metric": "learned"}},
        {"is_learned": not facts["is_learned"]},
        {"is_cross": True},
        {"files": {"../../etc/passwd": "0"}},
    ):
        (folder / "similarity.json").write_text(json.dumps(facts | change))
        with pytest.raises(CheckpointError):
            loaded(folder)
    (folder / "similarity.json").write_text(json.dumps(facts))
    loaded(folder)
    for name in ("weights.safetensors", "encoder/model.safetensors", "similarity.json"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-3])
        with pytest.raises(CheckpointError):
            loaded(folder)
        (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match="is missing"):
        loaded(tmp_path / "nothing")
