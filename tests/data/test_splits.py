"""Train, validation and test: sizes, classes, small classes, and what leaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlnb.data.image_frame import image_frame
from mlnb.data.splits import split
from mlnb.errors import DataError, UnknownName


def table(**counts: int) -> pd.DataFrame:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"label": labels, "x": range(len(labels))})


def drawn(frame: pd.DataFrame, *args, **words) -> tuple[pd.DataFrame, list[str]]:
    told: list[str] = []
    return split(frame, *args, tell=told.append, **words), told


def test_the_parts_have_the_sizes_that_were_asked_for_in_every_class() -> None:
    frame, told = drawn(table(cat=500, dog=300, owl=200), 0.2, 0.1)
    counts = frame.groupby(["label", "split"]).size().unstack()
    assert counts.loc["cat"].to_dict() == {"train": 350, "validation": 100, "test": 50}
    assert counts.sum().to_dict() == {"train": 700, "validation": 200, "test": 100}
    assert (counts["test"] - [50, 30, 20]).abs().max() <= 1
    assert told == []


def test_many_small_classes_still_give_the_whole_its_size() -> None:
    frame, _ = drawn(table(**{f"class {n}": 3 for n in range(100)}), 0.2, 0.1)
    counts = frame["split"].value_counts()
    assert counts["test"] == 30
    assert abs(counts["validation"] - 60) <= 3
    assert frame[frame.split == "train"].label.nunique() == 100


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    frame = table(cat=50, dog=50)
    first, again, other = (drawn(frame, seed=seed)[0].split for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    assert "split" not in frame


def test_without_stratify_the_column_is_not_needed() -> None:
    frame, _ = drawn(pd.DataFrame({"x": range(100)}), stratify=False)
    assert frame.split.value_counts().to_dict() == {"train": 70, "validation": 20, "test": 10}


def test_only_rows_that_are_ok_and_labelled_take_part() -> None:
    frame = table(cat=40, dog=40)
    frame["status"] = ["ok"] * 79 + ["damaged"]
    frame.loc[0, "label"] = None
    result, told = drawn(frame)
    assert (result.split == "").tolist() == [True] + [False] * 78 + [True]
    assert told == ["1 row without a label left out"]


def test_an_index_of_ones_own_and_a_split_of_old_are_no_trouble() -> None:
    frame = table(cat=30, dog=30)
    frame.index = pd.Index([7] * 60)
    frame["split"] = "old"
    assert drawn(frame)[0].split.value_counts().to_dict() == {
        "train": 42,
        "validation": 12,
        "test": 6,
    }


def test_a_class_of_one_is_trained_on_and_told() -> None:
    for seed in range(20):
        frame, told = drawn(table(cat=40, dog=40, owl=1, emu=2), 0.4, 0.4, seed=seed)
        trained = set(frame[frame.split == "train"].label)
        assert trained == {"cat", "dog", "owl", "emu"}
        assert any("owl" in line and line.startswith("too few rows for") for line in told)


def test_a_part_that_stays_empty_is_told() -> None:
    _, told = drawn(table(cat=2), 0.2, 0.1)
    assert told == [
        "too few rows for validation: no cat in it",
        "too few rows for test: no cat in it",
    ]


def test_a_quantity_is_stratified_by_tenths() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    frame, told = drawn(pd.DataFrame({"label": values}), 0.2, 0.1)
    assert frame.split.value_counts().to_dict() == {"train": 700, "validation": 200, "test": 100}
    highest = frame[frame.label >= np.quantile(values, 0.9)].split.value_counts()
    assert abs(highest["test"] - 10) <= 1
    assert told == []


def test_several_labels_a_row_are_one_class_together() -> None:
    frame = pd.DataFrame({"label": [["a", "b"], ["a"]] * 50})
    parts = drawn(frame, 0.2, 0.1)[0].split
    assert parts[::2].value_counts().to_dict() == {"train": 35, "validation": 10, "test": 5}


def test_what_cannot_be_split_says_why() -> None:
    frame = table(cat=10)
    with pytest.raises(DataError, match=r"validation=0.7 and test=0.3 leave nothing to train on"):
        split(frame, 0.7, 0.3)
    with pytest.raises(DataError, match="leave nothing"):
        split(frame, validation=-0.1)
    with pytest.raises(UnknownName, match="no column 'lable'; did you mean 'label'"):
        split(frame, label="lable")
    with pytest.raises(UnknownName, match="did you mean 'together'"):
        split(frame, duplicates="togther")
    with pytest.raises(DataError, match="the frame is empty"):
        split(frame[:0])
    with pytest.raises(DataError, match="none has status 'ok'"):
        split(frame.assign(status="damaged"))
    with pytest.raises(DataError, match=r"no row has a label; .*stratify=False"):
        split(frame.assign(label=None))


def photographs(folder: Path) -> pd.DataFrame:
    """Twenty pictures of two classes, and each of them once more, smaller."""
    for number in range(20):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        picture = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
        home = folder / "ab"[number % 2]
        home.mkdir(exist_ok=True)
        picture.save(home / f"{number:02} large.png")
        picture.resize((80, 60)).save(home / f"{number:02} small.jpg")
    return image_frame(folder, tell=lambda line: None)


def test_near_duplicates_in_different_parts_are_warned_of(tmp_path: Path) -> None:
    frame, told = drawn(photographs(tmp_path))
    (line,) = told
    pairs = frame.groupby(frame.path.map(lambda path: Path(path).name[:2])).split.nunique()
    assert line.startswith(f"{2 * (pairs > 1).sum()} rows with a near-duplicate in another part")
    assert 'split(frame, duplicates="together")' in line
    assert "large.png" in line or "small.jpg" in line


def test_near_duplicates_are_kept_together_on_request(tmp_path: Path) -> None:
    frame, told = drawn(photographs(tmp_path), duplicates="together")
    pairs = frame.groupby(frame.path.map(lambda path: Path(path).name[:2])).split.nunique()
    assert (pairs == 1).all()
    assert frame.split.value_counts().to_dict() == {"train": 28, "validation": 8, "test": 4}
    assert told == []
    assert drawn(frame, duplicates="ignore")[1] == []


def test_texts_that_say_the_same_are_warned_of() -> None:
    texts = [text for n in range(30) for text in (f"good {n}", f"  Good\n{n} ")]
    frame = pd.DataFrame({"text": texts, "label": [1] * 60})
    _, told = drawn(frame)
    assert "rows with a near-duplicate in another part" in told[0]
    assert told[0].isprintable()
    together, told = drawn(frame, duplicates="together")
    assert (together.split.to_numpy()[::2] == together.split.to_numpy()[1::2]).all()
    assert told == []


def test_hostile_labels_are_shown_harmless() -> None:
    _, told = drawn(table(**{"cat": 30, "a\nb\u202e": 1}))
    assert all(line.isprintable() for line in told)
    assert told
