"""Pictures as arrays: one file to `uint8 [height, width, 3]`, the same whatever it was stored as.

Pillow decodes, never `torchvision.io`, which segfaults on one flipped byte of a PNG. The size is
judged from the header, before a pixel is decoded, and only formats that Pillow decodes by itself
are open: an EPS file would start Ghostscript.
"""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import ImageError, need
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
    pillow = need("PIL.Image", "train")
    file = Path(path)
    name = display_text(file.name)
    _require_regular(file, name)
    with warnings.catch_warnings():
        # Pillow warns of what it can mend, and of sizes that the limit below refuses anyway.
        warnings.simplefilter("ignore")
        try:
            with pillow.open(file, formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > pixels:
                    raise ImageError(
                        f"{name} has {width:,} × {height:,} pixels, the limit is {pixels:,}; "
                        f"if you trust it: read_image(path, pixels={width * height})"
                    )
                return _to_rgb(picture, name)
        except ImageError:
            raise
        except pillow.UnidentifiedImageError as error:
            raise ImageError(
                f"{name} is no picture that mlnb reads ({', '.join(FORMATS)}); it "
                f"starts with {_first_bytes(file)}"
            ) from error
        except pillow.DecompressionBombError as error:
            raise ImageError(f"{name} has more than {pixels:,} pixels: {error}") from error
        except Exception as error:  # a damaged file makes Pillow's readers raise almost anything
            raise ImageError(
                f"{name} is damaged: {type(error).__name__}: {display_text(str(error))}"
            ) from error


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
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:
        raise ImageError(f"no picture at {display_text(str(file), 200)}") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise ImageError(f"{name} is {kind}; expected a picture file")
    if file.stat().st_size == 0:
        raise ImageError(f"{name} is empty (0 bytes); expected a picture file")


def _to_rgb(picture: Image, name: str) -> RGBArray:
    """Decode, turn upright, and bring every mode to RGB."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        return _from_16_bits(np.asarray(upright), name)
    if upright.mode == "F":
        raise ImageError(f"{name} holds floating-point values, whose range it does not say")
    if upright.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in upright.info:
        return _over_white(np.asarray(upright.convert("RGBA")))
    return np.array(upright.convert("RGB"))


def _from_16_bits(values: np.ndarray[Any, Any], name: str) -> RGBArray:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise ImageError(f"{name} holds values from {low} to {high}; expected 0 to 65535")
    grey = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _over_white(values: RGBArray) -> RGBArray:
    color, alpha = values[:, :, :3].astype(np.uint32), values[:, :, 3:].astype(np.uint32)
    mixed: RGBArray = ((color * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return mixed


def _first_bytes(file: Path) -> str:
    with file.open("rb") as handle:
        return repr(handle.read(12))[1:]
