"""From files to numbers: `LoadImages`, `ResizeImages`, `ExtractPixels`.

They only note what shall be done; nothing is decoded before somebody asks for the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlnb.data.decoding import Fit, Interpolation, Mode
from mlnb.errors import DataError, unknown
from mlnb.tasks.pipeline.pictures import Array, Picture, picture_frame
from mlnb.tasks.pipeline.step import Step

if TYPE_CHECKING:
    from pandas import DataFrame

Order = Literal["RGB", "BGR"]
Layout = Literal["NCHW", "NHWC"]
PerChannel = float | Sequence[float]


class LoadImages(Step):
    """Pictures as a frame with a column `image`; a bad one is a row with its reason in `status`.

    >>> frame = LoadImages().transform("photographs")
    >>> frame.image[0].to_numpy().shape
    (427, 640, 3)
    """

    def transform(self, X: Any) -> DataFrame:
        """The frame, one row a picture; nothing is decoded yet.

        Args:
            X: a frame with a column `path` (of `image_frame`), a folder, a list of paths, or
                pictures as `uint8 [height, width, 3]`.

        Raises:
            DataError: it is nothing of these.
        """
        return picture_frame(X).copy(deep=False)


class ResizeImages(Step):
    """Brings pictures to one size.

    >>> make_pipeline(LoadImages(), ResizeImages(224, 224), ExtractPixels(), Score(model))

    Args:
        height: of the result in pixels.
        width: the same as the height by default.
        mode: `"crop"` takes the middle, `"pad"` adds black, `"stretch"` scales each side by itself.
        resize: for `"crop"`, the shorter side's pixels before the middle is taken: torchvision's
            `Resize(256)` before `CenterCrop(224)` is `ResizeImages(224, resize=256)`.
        antialias: as Pillow and torchvision do; `False` is TensorFlow's way.
        interpolation: `"bilinear"` or `"bicubic"`, as the model was trained with.

    Raises:
        DataError: sizes that do not fit each other, or pixels that are numbers already.
        UnknownName: a mode or interpolation that there is none of.
    """

    def __init__(
        self,
        height: int = 224,
        width: int | None = None,
        mode: Mode = "crop",
        resize: int | None = None,
        antialias: bool = True,
        interpolation: Interpolation = "bilinear",
    ) -> None:
        self.height = height
        self.width = width
        self.mode = mode
        self.resize = resize
        self.antialias = antialias
        self.interpolation = interpolation

    def transform(self, X: Any) -> DataFrame:
        """The frame with pictures of this size."""
        return with_change(X, self.fit_to_size(), "ResizeImages")

    def fit_to_size(self) -> Fit:
        """What is done to one picture, `uint8 [height, width, 3]`."""
        size = (self.height, self.width or self.height)
        return Fit(size, self.mode, self.resize, self.antialias, self.interpolation)


class ExtractPixels(Step):
    """Turns pictures into the numbers that a model was trained on: `(pixel - mean) * scale`.

    >>> ExtractPixels(mean=127.5, scale=1 / 127.5, layout="NHWC")  # -1 to 1, TensorFlow's way
    >>> ExtractPixels(mean=(104, 117, 123), order="BGR")  # Caffe's

    Args:
        mean: what is taken from a pixel of 0 to 255; one number, or three in the order of `order`.
        scale: what the difference is multiplied by; one number, or three likewise.
        order: of the channels.
        layout: `"NCHW"` gives `[3, height, width]` a picture, `"NHWC"` `[height, width, 3]`.
        dtype: NumPy's name; integers are rounded, and clipped to what they can hold.

    Raises:
        UnknownName: an order or layout that there is none of.
        DataError: neither one number nor three.
    """

    def __init__(
        self,
        mean: PerChannel = 0.0,
        scale: PerChannel = 1.0,
        order: Order = "RGB",
        layout: Layout = "NCHW",
        dtype: str = "float32",
    ) -> None:
        self.mean = mean
        self.scale = scale
        self.order = order
        self.layout = layout
        self.dtype = dtype

    def transform(self, X: Any) -> DataFrame:
        """The frame with the numbers in place of the pictures."""
        return with_change(X, self.change(), "ExtractPixels")

    def pixels(self, images: Array) -> Array:
        """The numbers of pictures at hand.

        >>> ExtractPixels().pixels(np.zeros((8, 224, 224, 3), np.uint8)).shape
        (8, 3, 224, 224)

        Args:
            images: `uint8 [n, height, width, 3]`, or one without `n`.
        """
        return self.change()(images)

    def change(self) -> Extract:
        """What is done to pictures."""
        orders, layouts = ("RGB", "BGR"), ("NCHW", "NHWC")
        if self.order not in orders:
            raise unknown("order", str(self.order), orders)
        if self.layout not in layouts:
            raise unknown("layout", str(self.layout), layouts)
        mean, scale = _channels("mean", self.mean), _channels("scale", self.scale)
        return Extract(mean, scale, self.order, self.layout, self.dtype)


@dataclass(frozen=True)
class Extract:
    """How pixels become numbers; the words are those of `ExtractPixels`."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    order: Order
    layout: Layout
    dtype: str

    def __call__(self, images: Array) -> Array:
        """`[…, height, width, 3]` of bytes as numbers."""
        if images.dtype != np.uint8 or images.shape[-1] != 3:
            raise DataError(
                f"ExtractPixels expects pictures, uint8 [n, height, width, 3]; "
                f"received {images.dtype} {list(images.shape)}"
            )
        table = self._table()
        planes = images[..., ::-1] if self.order == "BGR" else images
        if self.layout == "NHWC":
            found = np.empty(images.shape, table.dtype)
            for channel in range(3):
                found[..., channel] = table[channel][planes[..., channel]]
            return found
        *batch, height, width, _ = images.shape
        found = np.empty((*batch, 3, height, width), table.dtype)
        for channel in range(3):
            np.take(table[channel], planes[..., channel], out=found[..., channel, :, :])
        return found

    def _table(self) -> Array:
        """What each of the 256 values of a pixel becomes, by channel: nothing faster is known."""
        values = np.arange(256.0) - np.array(self.mean)[:, None]
        values = values * np.array(self.scale)[:, None]
        dtype = np.dtype(self.dtype)
        if dtype.kind in "iu":
            ends = np.iinfo(dtype)
            values = np.clip(np.rint(values), ends.min, ends.max)
        table: Array = values.astype(dtype)
        return table

    def __str__(self) -> str:
        return f"{self.order} {self.layout} {self.dtype}"


def with_change(X: Any, change: Callable[[Array], Array], step: str) -> DataFrame:
    """A frame whose pictures have one more thing done to them."""
    import pandas as pd

    frame = picture_frame(X)
    seen: dict[Any, tuple[Any, ...]] = {}
    images: list[Picture | None] = []
    for picture in frame["image"]:
        if picture is None:
            images.append(None)
            continue
        if any(isinstance(done, Extract) for done in picture.changes):
            raise DataError(f"{step} expects pictures, and ExtractPixels made numbers of them")
        # One tuple for all rows keeps a frame small, and tells at once who is alike.
        changes = seen.setdefault(picture.changes, (*picture.changes, change))
        images.append(Picture(picture.source, changes))
    return frame.assign(image=pd.Series(images, index=frame.index, dtype=object))


def _channels(name: str, given: PerChannel) -> tuple[float, ...]:
    numbers = np.atleast_1d(np.asarray(given, np.float64))
    if numbers.shape == (1,):
        numbers = np.repeat(numbers, 3)
    if numbers.shape != (3,):
        raise DataError(f"{name} is {given!r}; expected one number, or three, one a channel")
    return tuple(numbers.tolist())
