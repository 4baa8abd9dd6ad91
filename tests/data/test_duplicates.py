"""The same picture in other sizes and files, and pictures that only look alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlnb.data import duplicates
from mlnb.data.duplicates import image_hashes, near_duplicates
from mlnb.data.image_frame import image_frame
from mlnb.errors import UnknownName


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Soft shapes, as a photograph out of focus has them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def groups(frame: pd.DataFrame) -> list[set[str]]:
    found = near_duplicates(frame)
    return [{Path(path).name for path in rows.path} for _, rows in found.groupby("group")]


def frame_of(folder: Path) -> pd.DataFrame:
    return image_frame(folder, tell=lambda line: None)


def test_a_picture_is_found_in_other_sizes_formats_and_qualities(tmp_path: Path) -> None:
    for seed in range(12):
        scene(seed).save(tmp_path / f"other {seed}.png")
    original = scene(99)
    original.save(tmp_path / "a.png")
    original.save(tmp_path / "b.jpg", quality=30)
    original.resize((160, 120)).save(tmp_path / "c.webp")
    original.resize((960, 720), Image.Resampling.BICUBIC).save(tmp_path / "d.jpg")
    original.convert("L").save(tmp_path / "e.png")
    original.point(lambda value: min(255, int(value * 1.1))).save(tmp_path / "f.png")
    assert groups(frame_of(tmp_path)) == [{"a.png", "b.jpg", "c.webp", "d.jpg", "e.png", "f.png"}]


def test_the_frame_says_which_rows_and_how_far_apart(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"junk")
    scene(3).save(tmp_path / "3.png")
    scene(3).save(tmp_path / "4.png")
    frame = frame_of(tmp_path)
    frame.index = pd.Index([10, 20, 30, 40])
    frame["label"] = "scene"
    found = near_duplicates(frame)
    assert list(found.columns) == ["group", "id", "distance", "path", "label"]
    assert found.id.tolist() == [30, 40]
    assert found.group.tolist() == [0, 0]
    assert found.distance.tolist() == [0, 0]
    assert found.label.tolist() == ["scene", "scene"]


def test_plain_surfaces_are_told_apart_by_their_brightness(tmp_path: Path) -> None:
    for number, color in enumerate(["black", "white", "grey", "white"]):
        Image.new("RGB", (50, 50), color).save(tmp_path / f"{number}.png")
    assert groups(frame_of(tmp_path)) == [{"1.png", "3.png"}]


def test_pictures_whose_hashes_are_near_are_looked_at_again(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "1.png")
    scene(2).save(tmp_path / "2.png")
    frame = frame_of(tmp_path).assign(hash="0123456789abcdef")
    assert len(near_duplicates(frame)) == 0


def test_hashes_that_are_there_save_the_first_look(tmp_path: Path, monkeypatch) -> None:
    for seed in (1, 2, 3):
        scene(seed).save(tmp_path / f"{seed}.png")
    frame = image_frame(tmp_path, hashes=True, tell=lambda line: None)
    monkeypatch.setattr(duplicates, "image_hashes", lambda paths: pytest.fail("looked again"))
    assert len(near_duplicates(frame)) == 0


def test_hashes_are_sixteen_digits_and_a_reason_for_the_rest(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(b"junk")
    hashes, reasons = image_hashes([tmp_path / "1.png", tmp_path / "2.png"])
    assert len(hashes[0]) == 16
    int(hashes[0], 16)
    assert hashes[1] == ""
    assert list(reasons) == [1]


def test_a_hash_is_the_brightness_of_neighbours(tmp_path: Path) -> None:
    rising = np.tile(np.linspace(0, 255, 90).astype(np.uint8)[None, :, None], (80, 1, 3))
    Image.fromarray(rising).save(tmp_path / "rising.png")
    Image.fromarray(np.ascontiguousarray(rising[:, ::-1])).save(tmp_path / "falling.png")
    hashes, _ = image_hashes([tmp_path / "rising.png", tmp_path / "falling.png"])
    assert hashes == ["f" * 16, "0" * 16]


def test_a_frame_without_pictures_says_what_is_missing() -> None:
    assert len(near_duplicates(pd.DataFrame({"path": [], "status": []}))) == 0
    with pytest.raises(UnknownName, match="no column 'path'"):
        near_duplicates(pd.DataFrame({"text": ["a"]}))


def test_a_thousand_copies_are_one_group(tmp_path: Path) -> None:
    scene(5, (32, 24)).save(tmp_path / "0.png")
    frame = pd.DataFrame({"path": [str(tmp_path / "0.png")] * 1000})
    found = near_duplicates(frame)
    assert len(found) == 1000
    assert set(found.group) == {0}


def test_among_real_photographs_only_the_true_pair_is_found(mlnb_data: Path) -> None:
    frame = frame_of(mlnb_data / "cats_vs_dogs")
    assert groups(frame) == [{"dog.180.jpg", "dog.74.jpg"}]
