"""`check_data`: flipped labels, twins, leaks and bad slices are found, each with its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")
import pandas as pd
from PIL import Image

from mlnb.data.checks import FOUND, check_data
from mlnb.errors import DataError


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def clusters(rng, rows: int = 300, width: int = 20, apart: float = 3.0):
    """Two classes a few deviations apart, with ids that are no numbers."""
    codes = np.arange(rows) % 2
    features = rng.normal(size=(rows, width)).astype(np.float32)
    features[:, 0] += apart * codes
    features[:, 1] -= apart * codes
    frame = pd.DataFrame(
        {"label": np.array(["cat", "dog"])[codes]}, index=[f"row {at}" for at in range(rows)]
    )
    return frame, features


def flipped(frame, rng, share: float = 0.05):
    """The frame with wrong labels, and which they are."""
    ids = frame.index[rng.choice(len(frame), round(share * len(frame)), replace=False)]
    wrong = frame.copy()
    wrong.loc[ids, "label"] = np.where(frame.loc[ids, "label"] == "cat", "dog", "cat")
    return wrong, set(ids)


def test_flipped_labels_come_first(rng):
    frame, features = clusters(rng)
    wrong, ids = flipped(frame, rng)
    found = check_data(wrong, features)
    first = found.head(len(frame) // 10)
    assert len(ids & set(first["id"])) >= 0.8 * len(ids)
    assert list(found.columns[:4]) == list(FOUND)
    assert found["score"].is_monotonic_decreasing
    assert found["score"].between(0, 1).all()
    top = found.iloc[0]
    other = "dog" if top["label"] == "cat" else "cat"
    assert top["problem"] == "label"
    assert top["why"].startswith(f"labelled '{top['label']}', looks like '{other}'")


def test_clean_data_that_is_easy_has_nothing_to_say(rng):
    frame, features = clusters(rng, apart=12)
    assert check_data(frame, features).empty


def test_the_same_twice_gives_the_same(rng):
    frame, features = clusters(rng, apart=1)
    assert check_data(frame, features).equals(check_data(frame, features))


def test_twins_are_told_once_and_leaks_by_both_splits(rng):
    frame, features = clusters(rng, apart=12)
    frame["split"] = "train"
    features[10], features[20] = features[4], features[6]
    frame.loc["row 20", "split"] = "test"
    found = check_data(frame, features)
    assert found["problem"].to_dict() == {"row 10": "duplicate", "row 20": "leak"}
    assert found.loc["row 10", "why"] == "the same as row 4"
    assert found.loc["row 20", "why"] == "the same as row 6, in 'train'; this one is in 'test'"


def test_a_twin_with_another_label_has_one_row_with_both_reasons(rng):
    frame, features = clusters(rng, apart=12)
    features[11] = features[4]
    found = check_data(frame, features)
    assert list(found.index) == ["row 11"]
    why = found.loc["row 11", "why"]
    assert "which is labelled 'cat'" in why
    assert "labelled 'dog', looks like 'cat'" in why


def test_pictures_are_compared_by_their_looks(rng, tmp_path: Path):
    frame, features = clusters(rng, rows=40, apart=12)
    paths = [tmp_path / f"{at}.png" for at in range(len(frame))]
    for path in paths:
        pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(path)
    Image.open(paths[4]).resize((96, 72)).save(paths[30].with_suffix(".jpg"))
    paths[30] = paths[30].with_suffix(".jpg")
    frame["path"] = [str(path) for path in paths]
    found = check_data(frame, features)
    assert list(found["id"]) == ["row 30"]
    assert found["problem"].tolist() == ["duplicate"]
    assert found["why"].iloc[0].endswith("the same as row 4")


def test_a_bad_slice_is_named_and_small_ones_are_not(rng):
    frame, features = clusters(rng, rows=400, apart=12)
    frame["mode"] = ["CMYK" if at < 60 else "L" if at < 65 else "RGB" for at in range(400)]
    looks = 0.5 * rng.normal(size=(30, 20))
    features[:60:2] = features[1:60:2] + looks  # those cats look like dogs
    found = check_data(frame, features)
    told = [why for why in found["why"] if "misjudged" in why]
    assert any(why.count("mode 'CMYK'") for why in told)
    assert not any("'L'" in why for why in told)


def test_what_cannot_be_judged_is_left_alone(rng):
    frame, features = clusters(rng, apart=12)
    frame["status"] = "ok"
    frame.loc["row 1", "status"] = "truncated"
    frame.loc["row 2", "label"] = "bird"
    frame.loc["row 3", "label"] = None
    features[5] = np.nan
    assert check_data(frame, features).empty


def test_one_class_alone_is_searched_for_twins(rng):
    frame, features = clusters(rng)
    frame["label"] = "cat"
    features[9] = features[1]
    assert check_data(frame, features)["problem"].tolist() == ["duplicate"]


def test_a_class_of_two_rows_needs_no_five_folds(rng):
    frame, features = clusters(rng, apart=12)
    frame.iloc[:2, 0] = "bird"
    assert set(check_data(frame, features)["id"]) >= {"row 0", "row 1"}


def test_labels_may_be_numbers_and_columns_have_their_own_names(rng):
    frame, features = clusters(rng)
    wrong, ids = flipped(frame, rng)
    numbers = pd.DataFrame({"stars": (wrong["label"] == "cat").astype(int), "score": 7})
    found = check_data(numbers, features, labels="stars")
    assert len(ids & set(found["id"])) >= 0.8 * len(ids)
    assert found["score"].max() <= 1


def test_a_strangers_label_is_made_visible(rng):
    frame, features = clusters(rng)
    wrong, _ = flipped(frame, rng)
    wrong["label"] = wrong["label"].replace("cat", "ca\u202et\x1b[31m")
    assert not any("\u202e" in why or "\x1b" in why for why in check_data(wrong, features)["why"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f, x: (f, x[:-1]), r"features are \[300, width\], a row for each"),
        (lambda f, x: (f, x[:, 0]), r"received \[300\]"),
        (lambda f, x: (f.rename(columns={"label": "kind"}), x), "no column 'label'.* it has kind"),
        (lambda f, x: (f.set_axis([0] * 300), x), "reset_index"),
        (lambda f, x: (f, x * np.nan), "nothing to check"),
    ],
)
def test_what_does_not_fit_is_said(rng, change, said: str):
    frame, features = clusters(rng)
    with pytest.raises(DataError, match=said):
        check_data(*change(frame, features))


def test_the_grid_opens_on_it(rng, tmp_path: Path):
    widgets = pytest.importorskip("mlnb.widgets.image_grid")
    frame, features = clusters(rng, rows=60, apart=6)
    paths = [tmp_path / f"{at}.png" for at in range(len(frame))]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
    frame["path"] = [str(path) for path in paths]
    wrong, ids = flipped(frame, rng)
    grid = widgets.ImageGrid(check_data(wrong, features))
    assert ids & set(grid.frame.index)
    grid.label([next(iter(ids & set(grid.frame.index)))], "cat")


@pytest.mark.slow
def test_of_flipped_cats_and_dogs_four_in_five_are_among_the_first_tenth(mlnb_data, rng, tmp_path):
    pytest.importorskip("torch")
    from mlnb.data.image_frame import image_frame
    from mlnb.tasks.images.classification import ImageClassifier

    frame = image_frame(mlnb_data / "cats_vs_dogs").rename(index="photo {}".format)
    classifier = ImageClassifier("mobilenet_v2", epochs=1, cache=tmp_path).fit(frame)
    frame["label"] = frame["label"].replace({"cats": "cat", "dogs": "dog"})
    wrong, ids = flipped(frame, rng)
    found = check_data(wrong, classifier.features(frame)).head(len(frame) // 10)
    assert len(ids & set(found["id"])) >= 0.8 * len(ids)
