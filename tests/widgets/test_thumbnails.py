"""Thumbnails of files, good and bad, and the thread that makes them for a page."""

from __future__ import annotations

import threading
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlnb.errors import ImageError
from mlnb.widgets import thumbnails
from mlnb.widgets.thumbnails import ThumbnailThread, thumbnail


def photograph(path: Path, size: tuple[int, int] = (400, 300), **save: object) -> Path:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    small.resize(size, Image.Resampling.BICUBIC).save(path, **save)
    return path


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def asked(rows: dict[int, Path | str | None], *sides: int) -> list[tuple[dict, list[bytes]]]:
    """What is sent for these rows, once all of them have come."""
    sent: list[tuple[dict, list[bytes]]] = []
    thread = ThumbnailThread(rows.__getitem__, lambda *message: sent.append(message))
    for side in sides or (128,):
        thread.ask(rows, side)
    wait_for(lambda: sum(len(c["rows"]) for c, _ in sent) == len(rows) * len(sides or (1,)))
    return sent


def wait_for(condition) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_photograph_is_a_small_jpeg(tmp_path: Path):
    data = thumbnail(photograph(tmp_path / "a.jpg"))
    assert opened(data).format == "JPEG"
    assert opened(data).size == (128, 96)
    assert len(data) < 10_000


def test_a_tiny_picture_keeps_its_pixels(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 255, (28, 28), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    data = thumbnail(tmp_path / "digit.png")
    assert opened(data).format == "PNG"
    assert (np.asarray(opened(data))[:, :, 0] == pixels).all()


def test_a_large_jpeg_is_turned_upright(tmp_path: Path):
    picture = Image.new("RGB", (2000, 1000), "red")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "camera.jpg", exif=exif)
    assert opened(thumbnail(tmp_path / "camera.jpg", 64)).size == (32, 64)


def test_the_side_has_bounds(tmp_path: Path):
    photograph(tmp_path / "a.jpg", (1200, 900))
    assert max(opened(thumbnail(tmp_path / "a.jpg", 100_000)).size) == 512
    assert max(opened(thumbnail(tmp_path / "a.jpg", -5)).size) == 16


def test_a_file_that_changed_is_read_again(tmp_path: Path):
    first = thumbnail(photograph(tmp_path / "a.jpg"))
    Image.new("RGB", (300, 300)).save(tmp_path / "a.jpg")
    assert thumbnail(tmp_path / "a.jpg") != first


@pytest.mark.parametrize("path", ["/nowhere/a.jpg", None, float("nan"), 7, "a\0b.jpg"])
def test_what_is_no_file_says_so(path: object):
    with pytest.raises(ImageError, match="no picture at"):
        thumbnail(path)


def test_what_was_made_is_kept_while_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = thumbnails._Kept(memory=10_000)
    monkeypatch.setattr(thumbnails, "_kept", kept)
    made = []
    monkeypatch.setattr(
        thumbnails, "_made", lambda file, side: made.append(file.name) or b"x" * 4000
    )
    for name in "abc":
        (tmp_path / name).write_bytes(b"1")
    for name in ("a", "b", "a", "c", "a", "b"):
        thumbnail(tmp_path / name)
    assert made == ["a", "b", "c", "b"]
    assert kept._bytes <= 10_000


def test_a_page_gets_a_buffer_or_a_reason_for_every_row(tmp_path: Path):
    (tmp_path / "bad\u202e.jpg").write_bytes(b"<script>")
    rows = {
        5: photograph(tmp_path / "a.jpg"),
        7: tmp_path / "bad\u202e.jpg",
        9: "/gone/<b>.jpg",
        2: None,
    }
    sent = asked(rows)
    told = {
        row: (reason, data[:3])
        for content, buffers in sent
        for row, reason, data in zip(content["rows"], content["reasons"], buffers, strict=True)
    }
    assert told[5] == ("", b"\xff\xd8\xff")
    assert told[7][0].startswith("bad\\u202e.jpg is no picture that mlnb reads")
    assert told[9] == ("no picture at /gone/<b>.jpg", b"")
    assert told[2] == ("no picture at None", b"")
    assert {content["kind"] for content, _ in sent} == {"thumbnails"}


def test_the_large_picture_does_not_wait_for_the_small_ones_nor_the_other_way_round(tmp_path: Path):
    rows = {row: photograph(tmp_path / f"{row}.jpg") for row in range(20)}
    sent = asked(rows, 128, 384)
    assert sorted(r for c, _ in sent if c["side"] == 384 for r in c["rows"]) == list(range(20))


def test_who_scrolls_on_does_not_wait_for_what_is_out_of_sight(tmp_path: Path):
    begun, go_on, sent = threading.Event(), threading.Event(), []

    def path_of(row: int) -> Path:
        begun.set()
        go_on.wait(10)
        return tmp_path / f"{row}.jpg"

    thread = ThumbnailThread(path_of, lambda content, buffers: sent.extend(content["rows"]))
    thread.ask(range(1000))
    begun.wait(10)
    thread.ask([5000, 5001])
    go_on.set()
    wait_for(lambda: 5001 in sent)
    assert len(sent) < 100


def test_no_thread_is_left_when_all_has_come(tmp_path: Path):
    asked({row: tmp_path / f"{row}.jpg" for row in range(30)})
    wait_for(lambda: not any(t.name == "mlnb-thumbnails" for t in threading.enumerate()))


def test_a_page_that_is_gone_does_not_stop_the_next(tmp_path: Path):
    sent = []

    def send(content: dict, buffers: list[bytes]) -> None:
        if not sent:
            sent.append(0)
            raise RuntimeError("closed")
        sent.append(content["rows"])

    thread = ThumbnailThread(lambda row: tmp_path / "none", send)
    thread.ask([1])
    wait_for(lambda: sent)
    thread.ask([2])
    wait_for(lambda: [2] in sent)
