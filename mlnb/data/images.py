"""Pictures as arrays: one file to `uint8 [height, width, 3]`, the same whatever it was stored as.

Pillow decodes, never `torchvision.io`, which segfaults on one flipped byte of a PNG. The size is
judged from the header, before a pixel is decoded, and only formats that Pillow decodes by itself
are open: an EPS file would start Ghostscript.
"""

from __future__ import annotations

import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mlnb.data.rows import kind_text
from mlnb.errors import DataError, ImageError, need
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from PIL.Image import Image

PIXELS = 50_000_000
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

RGBArray = np.ndarray[Any, np.dtype[np.uint8]]


def read_image(path: str | os.PathLike[str], *, pixels: int = PIXELS) -> RGBArray:
    """The picture in a file as `uint8 [height, width, 3]`, red first, upright.

    The rotation that a camera notes is applied, 16 bits are scaled to 8 rather than clipped, what
    is transparent shows white, palettes, grey and CMYK become RGB, and of an animation the first
    frame counts.

    >>> read_image(load_sample("china")).shape
    (427, 640, 3)

    Args:
        path: a regular file; BMP, GIF, JPEG, PNG, PPM, TIFF or WebP, told by its content.
        pixels: the most pixels (width × height) that are decoded; 50 million.

    Raises:
        ImageError: no picture, a damaged one, a larger one, no regular file.
        MissingExtra: Pillow is not installed.
    """
    with open_image(path, pixels=pixels) as picture:
        return np.array(to_rgb(picture))


@contextmanager
def open_image(path: str | os.PathLike[str], *, pixels: int = PIXELS) -> Iterator[Image]:
    """A picture whose header is read and whose pixels are not, by the rules of `read_image`.

    What goes wrong in the block, as in `to_rgb`, is an `ImageError` as well.

    >>> with open_image(load_sample("china")) as picture:
    ...     picture.size
    (640, 427)

    Args:
        path: a regular file.
        pixels: the most pixels (width × height) that may be decoded.

    Raises:
        ImageError: no picture, a damaged one, a larger one, no regular file.
        MissingExtra: Pillow is not installed.
    """
    pillow = need("PIL.Image", "train")
    file = Path(path)
    name = display_text(file.name)
    _require_regular(file, name)
    # Pillow warns of what it can mend, and of sizes that the limit below refuses anyway.
    try:
        with _silent_threads.silence(), pillow.open(file, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > pixels:
                raise ImageError(
                    f"{name} has {width:,} × {height:,} pixels, the limit is {pixels:,}; "
                    f"if you trust it: read_image(path, pixels={width * height})"
                )
            yield picture
    except ImageError:
        raise
    except pillow.UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is no picture that mlnb reads ({', '.join(FORMATS)}); it "
            f"starts with {_first_bytes(file)}"
        ) from error
    except pillow.DecompressionBombError as error:
        raise ImageError(f"{name} has more than {pixels:,} pixels: {error}") from error
    except PermissionError as error:
        raise ImageError(f"{name} may not be read: permission denied") from error
    except Exception as error:  # a damaged file makes Pillow's readers raise almost anything
        raise ImageError(
            f"{name} is damaged: {type(error).__name__}: {display_text(str(error))}"
        ) from error


def to_rgb(picture: Image) -> Image:
    """Decode an open picture, turn it upright, and bring every mode to RGB.

    Raises:
        ImageError: values whose range nobody knows.
    """
    from PIL import ImageOps

    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I"):
        return _from_16_bits(picture)
    if picture.mode == "F":
        raise ImageError(
            f"{_name(picture)} holds floating-point values, whose range it does not say"
        )
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return _over_white(picture.convert("RGBA"))
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def rgb_pixels(given: Any, name: str = "the picture") -> RGBArray:
    """An array, or a picture of Pillow's, as `uint8 [height, width, 3]`.

    >>> rgb_pixels(PIL.Image.open("mine.png")).shape
    (427, 640, 3)

    Args:
        given: of three channels, if it is an array.
        name: what to call it in the message.

    Raises:
        DataError: it is something else.
    """
    array = np.asarray(to_rgb(given) if hasattr(given, "getexif") else given)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        received = kind_text(array if array.ndim else given)
        raise DataError(f"{name} is {received}; expected uint8 [height, width, 3]")
    return array


def orientation(picture: Image) -> int:
    """How the camera was held, 1 to 8, of which 5 to 8 are on its side (Exif 2.32, tag 0x0112)."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1  # Pillow would decode it all to look behind the pixels
    turned = picture.getexif().get(0x0112, 1)
    return turned if turned in range(1, 9) else 1


def resize(image: RGBArray, size: int) -> RGBArray:
    """The middle square of a picture, `uint8 [size, size, 3]`, as classifiers take it.

    >>> resize(read_image(load_sample("china")), 224).shape
    (224, 224, 3)

    Args:
        image: `uint8 [height, width, 3]`.
        size: the side of the result in pixels; the shorter side of the picture is scaled to it.
    """
    pillow = need("PIL.Image", "train")
    height, width = image.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = pillow.fromarray(image[top : top + side, left : left + side])
    return np.array(square.resize((size, size), pillow.Resampling.BILINEAR))


def _require_regular(file: Path, name: str) -> None:
    """Refuse what is no file: opening a named pipe would wait for ever."""
    try:
        there = file.stat()
    except (OSError, ValueError) as error:
        if file.is_symlink():
            raise ImageError(f"{name} is a link that leads to no file") from error
        raise ImageError(f"no picture at {display_text(str(file), 200)}") from error
    if not stat.S_ISREG(there.st_mode):
        kind = "a folder" if stat.S_ISDIR(there.st_mode) else "no regular file"
        raise ImageError(f"{name} is {kind}; expected a picture file")
    if there.st_size == 0:
        raise ImageError(f"{name} is empty (0 bytes); expected a picture file")


def _from_16_bits(picture: Image) -> Image:
    from PIL import Image as pillow

    values = np.asarray(picture)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise ImageError(f"{_name(picture)} holds values from {low} to {high}; expected 0 to 65535")
    grey = np.empty(values.shape, np.uint8)
    for row, scaled in zip(values, grey, strict=True):  # at once it would take six times the memory
        scaled[:] = (row.astype(np.uint32) + 128) // 257
    return pillow.fromarray(grey).convert("RGB")


def _name(picture: Image) -> str:
    return display_text(Path(getattr(picture, "filename", "")).name) or "the picture"


def _over_white(picture: Image) -> Image:
    from PIL import Image as pillow

    white = pillow.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _first_bytes(file: Path) -> str:
    with file.open("rb") as handle:
        return repr(handle.read(12))[1:]


class _SilentThreads:
    """A pattern among Python's warning filters that matches only where a picture is being read.

    `warnings.catch_warnings` would not do: it swaps the filters of all threads at once.
    """

    pattern = r"(?!)"
    """For scikit-learn, which hands the filters to its workers as text: one that never matches."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._lock = threading.Lock()

    def match(self, module: str) -> bool:
        return getattr(self._here, "silent", False)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """No warning leaves this block in this thread."""
        rule = ("ignore", None, Warning, self, 0)
        filters = cast("list[Any]", warnings.filters)
        with self._lock:
            if filters[:1] != [rule]:
                filters[:] = [rule, *(other for other in filters if other != rule)]
        before = getattr(self._here, "silent", False)
        self._here.silent = True
        try:
            yield
        finally:
            self._here.silent = before


_silent_threads = _SilentThreads()
