"""Picture files as batches of pixels of one size, as fast as the cores allow.

Threads, not processes: Pillow lets go of the interpreter while it decodes and resizes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mlnb.child.machine import cores
from mlnb.data.images import PIXELS, RGBArray, open_image, orientation, to_rgb
from mlnb.errors import DataError, ImageError, unknown

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

Mode = Literal["crop", "pad", "stretch"]
Interpolation = Literal["bilinear", "bicubic"]
Box = tuple[float, float, float, float]
Batch = tuple[slice, RGBArray, dict[int, str]]

_AHEAD = 1
"""Batches that are decoded while the caller is busy with one."""
_LONG = 16
"""Times what is kept: a strip of 10 × 5,000,000 pixels loses its ends before it is scaled."""


def decode(
    paths: Sequence[str | os.PathLike[str]],
    size: tuple[int, int] = (224, 224),
    mode: Mode = "crop",
    *,
    resize: int | None = None,
    workers: int | Literal["auto"] = "auto",
    antialias: bool = True,
    interpolation: Interpolation = "bilinear",
    batch: int = 32,
    pixels: int = PIXELS,
) -> Iterator[Batch]:
    """The pictures in files, in order, a batch at a time, as `uint8 [n, height, width, 3]`.

    A file that cannot be read stops nothing: its row is black, and its reason is told.

    >>> for rows, images, reasons in decode(frame.path, (224, 224), resize=256):
    ...     features[rows] = network(images)

    Args:
        paths: files, by the rules of `read_image`.
        size: height and width of the result.
        mode: `"crop"` scales the shorter side and takes the middle, `"pad"` scales the longer side
            and adds black, `"stretch"` scales each side by itself.
        resize: for `"crop"`, to how many pixels the shorter side is scaled before the middle is
            taken, torchvision's `Resize(256)` before `CenterCrop(224)`; as far as `size` needs.
        workers: threads; one a core by default.
        antialias: whether what gets smaller is averaged, as Pillow and torchvision do; without,
            two neighbours are mixed and the rest is passed over, as TensorFlow does.
        interpolation: `"bilinear"`, or `"bicubic"` as for the weights of EfficientNet and Swin.
        batch: pictures in a batch; the last may have fewer.
        pixels: the most pixels (width × height) that are decoded in a file.

    Yields:
        Which of `paths` these are, their pixels, and the reasons of the bad ones by their index
        in `paths`.

    Raises:
        DataError: sizes that do not fit each other.
        UnknownName: a `mode` or `interpolation` that there is none of.
    """
    fit = Fit(size, mode, resize, antialias, interpolation)
    threads = cores() if workers == "auto" else max(1, workers)
    files = [os.fspath(path) for path in paths]
    return _decode(files, fit, threads, batch, pixels)


@dataclass(frozen=True)
class Fit:
    """How a picture of any size becomes one of `size`; the words are those of `decode`.

    >>> Fit((224, 224), "pad")(read_image(load_sample("china"))).shape
    (224, 224, 3)
    """

    size: tuple[int, int]
    mode: Mode = "crop"
    resize: int | None = None
    antialias: bool = True
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        modes = ("crop", "pad", "stretch")
        if self.mode not in modes:
            raise unknown("mode", self.mode, modes)
        ways = ("bilinear", "bicubic")
        if self.interpolation not in ways:
            raise unknown("interpolation", self.interpolation, ways)
        if min(self.size) < 1:
            raise DataError(f"size is {self.size}; expected a height and a width of at least 1")
        if self.resize is not None and self.resize < max(self.size):
            raise DataError(
                f"resize={self.resize} leaves less than size={self.size} needs; "
                f"it must be at least {max(self.size)}"
            )

    def __call__(self, image: RGBArray) -> RGBArray:
        """The array `uint8 [height, width, 3]`, fitted."""
        from PIL import Image as pillow

        return np.array(self.apply(pillow.fromarray(image)))

    def apply(self, picture: Image, whole: tuple[int, int] | None = None, by: int = 1) -> Image:
        """The same with Pillow's pictures.

        A crop of a picture that was decoded whole is torchvision's to the last bit. Of a large or
        very long one only what is kept is scaled, which rounds some of the pixels otherwise.

        Args:
            picture: in RGB, upright.
            whole: its width and height before it was decoded at 1/`by` of them; its own.
            by: 1, 2, 4 or 8. An odd side is rounded up there, so that `whole` is more exact.
        """
        from PIL import Image as pillow

        if by == 1 and self._is_like_torchvision(*picture.size):
            return self._middle(picture)
        size, box = self.place(*(whole or picture.size))
        left, top, right, bottom = (edge / by for edge in box)
        if self.antialias:
            fitted = picture.resize(size, self._way, box=(left, top, right, bottom))
        else:
            extent = pillow.Transform.EXTENT
            fitted = picture.transform(size, extent, (left, top, right, bottom), self._way)
        height, width = self.size
        if size == (width, height):
            return fitted
        padded = pillow.new("RGB", (width, height))
        padded.paste(fitted, ((width - size[0]) // 2, (height - size[1]) // 2))
        return padded

    def shrinks(self, width: int, height: int) -> float:
        """How many pixels of a picture of this size become one, along the side with fewer."""
        size, (left, top, right, bottom) = self.place(width, height)
        return min((right - left) / size[0], (bottom - top) / size[1])

    def place(self, width: int, height: int) -> tuple[tuple[int, int], Box]:
        """To which width and height a picture is scaled, and which box of it."""
        out_height, out_width = self.size
        if self.mode == "stretch":
            return (out_width, out_height), (0, 0, width, height)
        if self.mode == "pad":
            scale = min(out_width / width, out_height / height)
            fitted = (max(1, round(width * scale)), max(1, round(height * scale)))
            return fitted, (0, 0, width, height)
        whole_width, whole_height = self._whole(width, height)
        left, top = self._corner(whole_width, whole_height)
        x, y = width / whole_width, height / whole_height
        return (out_width, out_height), (
            left * x,
            top * y,
            min(width, (left + out_width) * x),
            min(height, (top + out_height) * y),
        )

    def _is_like_torchvision(self, width: int, height: int) -> bool:
        if self.mode != "crop" or not self.antialias:
            return False
        whole_width, whole_height = self._whole(width, height)
        return whole_width * whole_height <= _LONG * self.size[0] * self.size[1]

    def _middle(self, picture: Image) -> Image:
        """The whole picture scaled, and its middle."""
        whole = self._whole(*picture.size)
        left, top = self._corner(*whole)
        height, width = self.size
        scaled = picture.resize(whole, self._way)
        return scaled.crop((left, top, left + width, top + height))

    @property
    def _way(self) -> Resampling:
        from PIL import Image as pillow

        return pillow.Resampling[self.interpolation.upper()]

    def _corner(self, width: int, height: int) -> tuple[int, int]:
        """Where the middle begins, rounded as torchvision does."""
        return round((width - self.size[1]) / 2), round((height - self.size[0]) / 2)

    def _whole(self, width: int, height: int) -> tuple[int, int]:
        """The size of the whole picture before the middle is taken, rounded as torchvision does."""
        out_height, out_width = self.size
        if self.resize is None and out_height != out_width:
            scale = max(out_width / width, out_height / height)
            return max(out_width, int(width * scale)), max(out_height, int(height * scale))
        side = self.resize or out_height
        if width <= height:
            return side, int(side * height / width)
        return int(side * width / height), side


def _decode(files: list[str], fit: Fit, threads: int, batch: int, pixels: int) -> Iterator[Batch]:
    waiting: deque[_Pending] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="mlnb-decode")
    try:
        for start in range(0, len(files), batch):
            rows = slice(start, min(start + batch, len(files)))
            images = np.zeros((rows.stop - start, *fit.size, 3), np.uint8)
            jobs = [
                pool.submit(_read_into, image, path, fit, pixels)
                for path, image in zip(files[rows], images, strict=True)
            ]
            waiting.append(_Pending(rows, images, jobs))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Pending(NamedTuple):
    """A batch that threads are filling in."""

    rows: slice
    images: RGBArray
    jobs: list[Future[str]]

    def result(self) -> Batch:
        """The batch, once all of it is there."""
        told = enumerate((job.result() for job in self.jobs), self.rows.start)
        return self.rows, self.images, {index: reason for index, reason in told if reason}


def _read_into(image: RGBArray, path: str, fit: Fit, pixels: int) -> str:
    """Fill in one picture; returns the reason where there is none."""
    try:
        with open_image(path, pixels=pixels) as picture:
            whole, by = _draft(picture, fit)
            image[:] = np.asarray(fit.apply(to_rgb(picture), whole, by))
    except ImageError as error:
        return str(error)
    return ""


def _draft(picture: Image, fit: Fit) -> tuple[tuple[int, int] | None, int]:
    """Have a large JPEG decoded at 1/2, 1/4 or 1/8; returns its upright size, and that divisor.

    Twice the pixels that are needed are left at least: then the result is 0.5 grey levels from
    that of a full decode on average, with 1.25 times as many it would be 1.
    """
    width, height = picture.size
    if picture.format not in ("JPEG", "MPO") or not fit.antialias:
        return None, 1
    turned = orientation(picture)
    whole = (height, width) if turned >= 5 else (width, height)
    for by in (8, 4, 2):
        # An odd side is rounded up at the right and below, which on a turned picture is elsewhere.
        exact = turned == 1 or width % by == height % by == 0
        if exact and fit.shrinks(*whole) >= 2 * by:
            picture.draft(None, (width // by, height // by))
            return whole, by
    return None, 1
