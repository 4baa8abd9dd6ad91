"""Pictures of every mode, turned, damaged, huge and hostile."""

from __future__ import annotations

import os
import struct
import sys
import threading
import warnings
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlnb.data.images import open_image, read_image, resize, to_rgb
from mlnb.errors import ImageError, MissingExtra

RED, WHITE = (200, 30, 40), (255, 255, 255)


def save(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and breaks off where its pixels would begin."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + check + b"\0\0\0\4IDATjunk"


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "RGBA", "YCbCr"])
def test_every_mode_gives_the_same_red(tmp_path: Path, mode: str) -> None:
    suffix = {"CMYK": "tiff", "YCbCr": "tiff"}.get(mode, "png")
    picture = Image.new("RGB", (6, 4), RED).convert(mode, palette=Image.Palette.ADAPTIVE)
    array = read_image(save(tmp_path / f"red.{suffix}", picture))
    assert array.shape == (4, 6, 3)
    assert array.dtype == np.uint8
    assert np.abs(array.astype(int) - RED).max() <= 2


@pytest.mark.parametrize(("mode", "value"), [("L", 90), ("1", 1)])
def test_grey_and_black_and_white_become_three_equal_channels(tmp_path, mode, value) -> None:
    array = read_image(save(tmp_path / "grey.png", Image.new(mode, (3, 3), value)))
    assert (array == (90 if mode == "L" else 255)).all()


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    array = read_image(save(tmp_path / "deep.png", Image.fromarray(values)))
    assert array[0, :, 0].tolist() == [0, 1, 128, 255]


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (2, 1), (*RED, 0))
    picture.putpixel((1, 0), (*RED, 255))
    array = read_image(save(tmp_path / "glass.png", picture))
    assert tuple(array[0, 0]) == WHITE
    assert tuple(array[0, 1]) == RED


def test_a_picture_taken_sideways_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    path = save(tmp_path / "turned.jpg", Image.new("RGB", (64, 32), RED), exif=exif)
    assert read_image(path).shape == (64, 32, 3)


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 5), color) for color in (RED, WHITE)]
    path = save(tmp_path / "moving.gif", frames[0], save_all=True, append_images=frames[1:])
    assert np.abs(read_image(path)[0, 0].astype(int) - RED).max() <= 2


def test_a_bomb_is_refused_from_its_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(50_000, 50_000))
    with pytest.raises(ImageError, match=r"bomb\.png has .*pixels"):
        read_image(path)


def test_the_limit_is_named_and_can_be_moved(tmp_path: Path) -> None:
    path = save(tmp_path / "wide.png", Image.new("RGB", (100, 20)))
    with pytest.raises(ImageError, match=r"100 × 20 pixels, the limit is 1,000; .*pixels=2000"):
        read_image(path, pixels=1000)
    assert read_image(path, pixels=2000).shape == (20, 100, 3)


def test_nine_thousand_by_ten_thousand_is_over_our_limit_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_header(9_000, 10_000))
    with pytest.raises(ImageError, match="limit is 50,000,000"):
        read_image(path)


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are of Unix")
def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match=r"pipe\.png is no regular file"):
        read_image(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html>not found</html>", "no picture that mlnb reads .* starts with '<html>not fo'"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture that mlnb reads"),
        (png_header(4, 4), "damaged"),
    ],
)
def test_what_is_no_picture_says_so_in_one_line(tmp_path, content, words) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=words) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"is a folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match=r"no picture at .*nowhere"):
        read_image(tmp_path / "nowhere.png")


def test_five_hundred_damaged_files_end_in_an_array_or_an_image_error(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = Image.fromarray(random.integers(0, 256, (24, 24, 3), np.uint8))
    for suffix in ("png", "jpg", "gif", "webp", "tiff"):
        good = save(tmp_path / f"good.{suffix}", noise).read_bytes()
        for _ in range(100):
            bad = bytearray(good)
            bad[random.integers(len(bad))] ^= 1 << random.integers(8)
            path = tmp_path / "bad"
            path.write_bytes(bad[: random.integers(1, 2 * len(bad))])
            with suppress(ImageError):
                assert read_image(path).shape[2] == 3


def test_resize_takes_the_middle_square() -> None:
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = RED
    square = resize(image, 8)
    assert square.shape == (8, 8, 3)
    assert (square == RED).all()


def test_without_pillow_the_message_is_the_line_to_run(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mlnb\[train\]'"):
        read_image(tmp_path / "any.png")


def test_a_link_to_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match=r"dangling\.png is a link that leads to no file"):
        read_image(tmp_path / "dangling.png")


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch) -> None:
    path = save(tmp_path / "secret.png", Image.new("RGB", (3, 3)))

    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(ImageError, match=r"secret\.png may not be read: permission denied"):
        read_image(path)


def test_an_open_picture_has_a_size_and_no_pixels_yet(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(png_header(40, 30))
    with open_image(path) as picture:
        assert picture.size == (40, 30)
    with pytest.raises(ImageError, match="damaged"), open_image(path) as picture:
        to_rgb(picture)


def test_what_is_half_transparent_is_mixed_with_white(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (16, 16, 4)).astype(np.uint8)
    array = read_image(save(tmp_path / "glass.png", Image.fromarray(values)))
    alpha = values[:, :, 3:] / 255
    assert np.abs(array - (values[:, :, :3] * alpha + 255 * (1 - alpha))).max() <= 0.51


def test_a_grey_mean_of_sixteen_bits_is_kept_within_one(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (64, 64)).astype(np.uint16)
    array = read_image(save(tmp_path / "deep.png", Image.fromarray(deep)))
    assert abs(array.mean() - deep.mean() / 257) < 1


def test_threads_that_read_leave_the_warnings_of_others_alone(tmp_path: Path) -> None:
    path = save(tmp_path / "wide.png", Image.new("1", (9_500, 9_500)))  # Pillow warns of its size

    def read() -> None:
        with suppress(ImageError):
            read_image(path)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        warnings.warn("mine", UserWarning, stacklevel=1)
        for thread in threads:
            thread.join()
        warnings.warn("mine too", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["mine", "mine too"]
