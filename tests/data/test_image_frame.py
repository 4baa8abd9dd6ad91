"""Folders of pictures, tidy and untidy, and everything in them that is no picture."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlnb.data import image_frame as module
from mlnb.data.image_frame import image_frame
from mlnb.data.image_labels import name_label
from mlnb.data.images import read_image
from mlnb.errors import DataError, UnknownName

unix = pytest.mark.skipif(sys.platform == "win32", reason="a thing of Unix")

HOSTILE = [
    "new\nline.png",
    "carriage\rreturn.png",
    "tab\there.png",
    "right\u202eto left.png",
    "isolated \u2066 bidi.png",
    "zero\u200bwidth.png",
    "<script>alert(1)<\u2215script>.png",
    '"><img src=x onerror=alert(1)>.png',
    "$(touch owned) `owned` %HOME%.png",
    "-rf --help.png",
    "e\u0301\U0001f408 \u732b.png",
    "escape\x1b[2J\x07.png",
]


def picture(path: Path, size: tuple[int, int] = (12, 8), seed: int = 0, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    Image.fromarray(small).resize(size).save(path, **options)
    return path


def listed(folder: Path, **words):
    """The frame, by the pictures' names, and what was told."""
    told: list[str] = []
    frame = image_frame(folder, tell=told.append, **words)
    return frame.set_index(frame.path.map(os.path.basename), drop=False), told


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + check + b"\0\0\0\4IDATjunk"


def test_a_row_says_what_the_header_says(tmp_path: Path) -> None:
    path = picture(tmp_path / "cat" / "a.png", (30, 20))
    picture(tmp_path / "dog" / "b.jpg")
    frame = image_frame(tmp_path, tell=lambda line: None)
    columns = ["path", "label", "width", "height", "mode", "bytes", "status", "note"]
    assert list(frame.columns) == columns
    assert list(frame.index) == [0, 1]
    size = path.stat().st_size
    assert frame.iloc[0].tolist() == [str(path), "cat", 30, 20, "RGB", size, "ok", ""]


def test_whatever_is_bad_is_a_row_with_its_reason(tmp_path: Path) -> None:
    good = picture(tmp_path / "cat" / "good.jpg", (200, 100))
    whole = good.read_bytes()
    for name, content in {
        "empty.jpg": b"",
        "truncated.jpg": whole[: len(whole) // 2],
        "short.jpg": whole[:-200],
        "bomb.png": png_header(50_000, 50_000),
        "notes.txt": b"remember the milk",
        "page.jpg": b"<html>404</html>",
        ".DS_Store": b"\0",
        "broken.png": png_header(4, 4),
        "wide.png": png_header(9_000, 9_000),
    }.items():
        (tmp_path / "cat" / name).write_bytes(content)
    (tmp_path / "cat" / "folder.jpg").mkdir()
    (tmp_path / "owl").mkdir()
    frame, told = listed(tmp_path)
    reasons = {
        "empty.jpg": "empty (0 bytes)",
        "truncated.jpg": "truncated",
        "short.jpg": "truncated",
        "bomb.png": "more than 50,000,000 pixels",
        "notes.txt": "no picture that mlnb reads",
        "page.jpg": "it starts with '<html>404",
        ".DS_Store": "hidden",
        "broken.png": "damaged",
        "wide.png": "9,000 × 9,000 pixels, the limit is 50,000,000",
        "owl": "owl is an empty folder",
    }
    for name, words in reasons.items():
        assert words in frame.status[name], (name, frame.status[name])
        assert "\n" not in frame.status[name]
    assert frame.status["good.jpg"] == "ok"
    both = list(frame.status["folder.jpg"])
    assert "folder.jpg is a folder; expected a picture file" in both
    assert "folder.jpg is an empty folder; expected pictures" in both
    assert len(frame) == 13
    assert told[-1].startswith("12 rows of 13 cannot be used (frame[frame.status != 'ok']): ")


@unix
def test_pipes_and_links_are_rows_and_hold_nobody_up(tmp_path: Path) -> None:
    picture(tmp_path / "cat" / "1.png")
    picture(tmp_path / "dog" / "1.png")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    (tmp_path / "cat" / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "cat" / "itself.jpg").symlink_to(tmp_path / "cat" / "itself.jpg")
    (tmp_path / "cat" / "loop").symlink_to(tmp_path)
    (tmp_path / "cat" / "linked.png").symlink_to(tmp_path / "dog" / "1.png")
    frame, _ = listed(tmp_path)
    assert frame.status["pipe.jpg"] == "pipe.jpg is no regular file; expected a picture file"
    assert frame.status["dangling.jpg"] == "dangling.jpg is a link that leads to no file"
    assert frame.status["itself.jpg"] == "itself.jpg is a link that leads to no file"
    assert frame.status["loop"] == "loop is a link to a folder that is listed already"
    assert frame.status["linked.png"] == "ok"
    assert len(frame) == 7


@unix
def test_links_that_multiply_a_folder_are_listed_once(tmp_path: Path) -> None:
    picture(tmp_path / "0" / "cat.1.png")
    for depth in range(1, 12):  # two links at each depth: 2,048 ways to one picture
        (tmp_path / str(depth)).mkdir()
        for name in "ab":
            (tmp_path / str(depth) / name).symlink_to(tmp_path / str(depth - 1))
    frame, _ = listed(tmp_path)
    assert (frame.status == "ok").sum() == 1
    assert len(frame) < 40


@unix
def test_a_folder_that_may_not_be_read_is_a_row(tmp_path: Path, monkeypatch) -> None:
    picture(tmp_path / "cat" / "1.png")
    (tmp_path / "secret").mkdir()
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(module.os, "scandir", refuse)
    frame, _ = listed(tmp_path)
    assert frame.status["secret"] == "secret is a folder that cannot be listed: Permission denied"


@unix
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_read_and_harms_nothing(tmp_path: Path, name: str) -> None:
    path = picture(tmp_path / name.removesuffix(".png") / name, format="PNG")
    picture(tmp_path / "other" / "1.png")
    (path.parent / f"broken {name}").write_bytes(b"junk")
    frame, told = listed(tmp_path)
    assert frame.status[name] == "ok"
    assert read_image(frame.path[name]).shape == (8, 12, 3)
    assert frame.label[name] == path.parent.name
    for line in (*told, frame.status[f"broken {name}"]):
        assert line.isprintable(), line
    assert "<script" not in frame.to_html()


@unix
def test_a_name_that_is_no_utf8_is_a_row_that_jupyter_can_show(tmp_path: Path) -> None:
    picture(tmp_path / "cat.1.png")
    bad = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(bad, "wb") as file:
        file.write((tmp_path / "cat.1.png").read_bytes())
    frame, _ = listed(tmp_path)
    (row,) = frame[frame.status != "ok"].itertuples()
    assert "has a name that is no UTF-8; rename it" in row.status
    frame.to_json().encode()
    frame._repr_html_().encode()
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9")
    os.mkdir(folder)
    with pytest.raises(DataError, match="is no UTF-8; rename the folder"):
        image_frame(folder)


def test_what_is_odd_can_be_used_and_is_noted(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (16, 16)).astype(np.uint16)
    Image.fromarray(noise).save(tmp_path / "deep.png")
    base = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8))
    base.convert("CMYK").save(tmp_path / "print.jpg")
    base.convert("P").save(tmp_path / "palette.png")
    base.convert("RGBA").save(tmp_path / "glass.png")
    base.convert("L").save(tmp_path / "grey.jpg")
    base.save(tmp_path / "moving.gif", save_all=True, append_images=[base.rotate(90)])
    base.save(tmp_path / "pages.tiff", save_all=True, append_images=[base])
    exif = Image.Exif()
    exif[0x0112] = 6
    base.save(tmp_path / "turned.jpg", exif=exif)
    frame, _ = listed(tmp_path)
    assert (frame.status == "ok").all(), frame.status.tolist()
    assert frame.note.to_dict() == {
        "deep.png": "16 bits, scaled to 8",
        "glass.png": "transparent, shown on white",
        "grey.jpg": "grey",
        "moving.gif": "palette; several frames, the first counts",
        "pages.tiff": "several frames, the first counts",
        "palette.png": "palette",
        "print.jpg": "CMYK, shown as RGB",
        "turned.jpg": "turned upright",
    }
    for name in frame.index:
        height, width = read_image(frame.path[name]).shape[:2]
        assert (frame.width[name], frame.height[name]) == (width, height), name
    assert abs(read_image(frame.path["deep.png"]).mean() - noise.mean() / 257) < 1


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tiff", "bmp", "ppm"])
def test_every_cut_is_told_without_decoding_what_is_whole(
    tmp_path: Path, suffix: str, monkeypatch
) -> None:
    whole = picture(tmp_path / f"whole.{suffix}", (64, 48)).read_bytes()
    for share in (0.5, 0.9):
        (tmp_path / f"cut {share}.{suffix}").write_bytes(whole[: int(share * len(whole))])
    (tmp_path / f"padded.{suffix}").write_bytes(whole + bytes(100))
    decoded: list[str] = []
    to_rgb = module.to_rgb

    def counted(picture):
        decoded.append(picture.filename)
        return to_rgb(picture)

    monkeypatch.setattr(module, "to_rgb", counted)
    frame, _ = listed(tmp_path)
    assert frame.status[f"whole.{suffix}"] == "ok"
    assert frame.status[f"padded.{suffix}"] == "ok"
    for share in (0.5, 0.9):
        assert "damaged" in frame.status[f"cut {share}.{suffix}"]
    if suffix in ("jpg", "png", "gif", "webp"):
        assert str(tmp_path / f"whole.{suffix}") not in map(str, decoded)


def test_labels_come_from_the_folders_and_it_says_so(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "cats" / f"cat.{number}.png")
        picture(tmp_path / "dogs" / "deep" / f"dog.{number}.png")
    frame, told = listed(tmp_path)
    assert frame.label.tolist() == ["cats"] * 3 + ["dogs"] * 3
    assert told == ["labels from the folders: cats 3, dogs 3"]


def test_labels_come_from_the_names_where_one_folder_holds_all(tmp_path: Path) -> None:
    for number in range(3):
        picture(tmp_path / "train" / f"cat.{number}.png")
        picture(tmp_path / "train" / f"dog.{number}.png")
    frame, told = listed(tmp_path)
    assert frame.label.tolist() == ["cat"] * 3 + ["dog"] * 3
    assert told == ["labels from the names: cat 3, dog 3"]
    by_folder, told = listed(tmp_path, labels="folder")
    assert by_folder.label.isna().all()
    assert told[0].startswith("no labels")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.12.jpg", "cat"),
        ("american_bulldog_7.png", "american_bulldog"),
        ("cat (3).jpg", "cat"),
        ("cat12.jpg", "cat"),
        ("cat-1-2.jpg", "cat-1"),
        ("12.jpg", None),
        ("2024-01.jpg", None),
        ("cat.jpg", None),
        ("猫.3.jpg", "猫"),
        (".7", None),
        ("", None),
    ],
)
def test_a_name_gives_what_stands_before_its_number(name: str, label: str | None) -> None:
    assert name_label(name) == label


def test_folders_called_train_and_test_are_parts_and_not_classes(tmp_path: Path) -> None:
    for part in ("train", "val", "Test"):
        for name in ("cat", "dog"):
            picture(tmp_path / part / name / "1.png")
    frame, told = listed(tmp_path)
    assert set(frame.label) == {"cat", "dog"}
    assert set(frame.split) == {"train", "validation", "test"}
    assert told == ["labels from the folders: cat 3, dog 3"]


def test_a_folder_around_all_classes_is_passed_over(tmp_path: Path) -> None:
    picture(tmp_path / "PetImages" / "Cat" / "1.png")
    picture(tmp_path / "PetImages" / "Dog" / "1.png")
    assert listed(tmp_path)[0].label.tolist() == ["Cat", "Dog"]


def test_a_name_that_speaks_against_its_folder_is_told(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / "cats" / f"cat.{number}.png")
        picture(tmp_path / "dogs" / f"dog.{number}.png")
    picture(tmp_path / "cats" / "dog.99.png")
    frame, told = listed(tmp_path)
    assert frame.label["dog.99.png"] == "cats"
    assert told[1] == ("folder and name disagree, and the folder counts: dog.99.png lies in cats")


def test_one_class_and_no_class_say_so(tmp_path: Path) -> None:
    picture(tmp_path / "one" / "cats" / "1.png")
    frame, told = listed(tmp_path / "one")
    assert frame.label.tolist() == ["cats"]
    assert "there is one class only; a classifier needs two" in told
    picture(tmp_path / "none" / "1.png")
    picture(tmp_path / "none" / "IMG_1.png")
    frame, told = listed(tmp_path / "none")
    assert frame.label.isna().all()
    assert told[0].startswith("no labels: 2 pictures in one folder, whose names tell no classes")


def test_an_empty_folder_and_a_missing_one_say_so(tmp_path: Path) -> None:
    frame, told = listed(tmp_path)
    assert len(frame) == 1
    assert told[0] == "no picture here can be used"
    with pytest.raises(DataError, match=r"no folder at .*nowhere"):
        image_frame(tmp_path / "nowhere")
    with pytest.raises(UnknownName, match="no way to label 'folders'; did you mean 'folder'"):
        image_frame(tmp_path, labels="folders")


def test_hashes_find_the_damage_that_the_header_hides(tmp_path: Path) -> None:
    picture(tmp_path / "good.png", (64, 64))
    broken = bytearray(picture(tmp_path / "bad.png", (64, 64), seed=1).read_bytes())
    broken[80] ^= 0xFF
    (tmp_path / "bad.png").write_bytes(broken)
    assert (listed(tmp_path)[0].status == "ok").all()
    frame, _ = listed(tmp_path, hashes=True)
    assert len(frame.hash["good.png"]) == 16
    assert frame.hash["bad.png"] == ""
    assert "bad.png is damaged" in frame.status["bad.png"]


@pytest.mark.parametrize("where", ["_read_file", "progress"])
def test_an_interrupt_ends_the_listing_and_its_threads(tmp_path, monkeypatch, where) -> None:
    for number in range(2000):
        (tmp_path / f"{number}.png").write_bytes(b"junk")
    calls = []

    def interrupted(row):
        calls.append(row)
        if where == "_read_file" and len(calls) == 100:
            raise KeyboardInterrupt
        time.sleep(0.001)

    @contextmanager
    def pressed(label, total):
        def done(count):
            raise KeyboardInterrupt

        yield done

    monkeypatch.setattr(module, "_read_file", interrupted)
    if where == "progress":
        monkeypatch.setattr(module, "progress", pressed)
    with pytest.raises(KeyboardInterrupt):
        image_frame(tmp_path)
    assert len(calls) < 1900
    assert not [t for t in threading.enumerate() if t.name.startswith("mlnb-list")]


@unix
@pytest.mark.slow
def test_twenty_five_thousand_photographs_take_30_seconds_and_300_mib(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        first = picture(tmp_path / label / "0.jpg", (96, 72))
        for number in range(1, 12_500):
            os.link(first, tmp_path / label / f"{number}.jpg")
    script = (
        "import json, sys, time\n"
        "from mlnb.data.image_frame import image_frame\n"
        "start = time.perf_counter()\n"
        "frame = image_frame(sys.argv[1])\n"
        "took = time.perf_counter() - start\n"
        "lines = open('/proc/self/status')\n"  # ru_maxrss would be that of pytest, if larger
        "peak = next(int(line.split()[1]) for line in lines if line[:5] == 'VmHWM') / 1024\n"
        "print(json.dumps([int((frame.status == 'ok').sum()), took, peak]))\n"
    )
    out = subprocess.check_output([sys.executable, "-c", script, str(tmp_path)], text=True)
    count, seconds, mebibytes = json.loads(out.splitlines()[-1])
    assert count == 25_000
    assert seconds < 30
    assert mebibytes < 300
