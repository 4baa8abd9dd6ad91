"""A picture on its way through a pipeline: where it lies and what shall be done to it, no pixels.

A cell of a frame holds a `Picture` of some hundred bytes. `batches` turns rows of them into arrays,
a batch at a time, so that 25,000 photographs never lie in memory at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.decoding import Fit, decode
from mlnb.data.image_frame import image_frame
from mlnb.data.images import RGBArray, read_image, rgb_pixels
from mlnb.data.rows import columns_text, is_good
from mlnb.errors import DataError, ImageError
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, np.dtype[Any]]
Change = Callable[[Array], Array]
"""What is done to one picture; anything but a `Fit` takes a batch of them as well."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture that is decoded when somebody asks.

    >>> frame = make_pipeline(LoadImages(), ResizeImages(224)).transform("photographs")
    >>> frame.image[0].to_numpy().shape
    (224, 224, 3)

    Args:
        source: a path, or `uint8 [height, width, 3]`.
        changes: what is done to the pixels, in this order.
    """

    source: str | RGBArray
    changes: tuple[Change, ...] = ()

    def to_numpy(self) -> Array:
        """Its pixels now.

        Raises:
            ImageError: the file is none, damaged, or too large.
        """
        pixels: Array = read_image(self.source) if isinstance(self.source, str) else self.source
        for change in self.changes:
            pixels = change(pixels)
        return pixels

    @property
    def is_file(self) -> bool:
        """Whether it lies in a file, and not in memory."""
        return isinstance(self.source, str)

    def __repr__(self) -> str:
        if isinstance(self.source, str):
            name = display_text(Path(self.source).name, 40)
        else:
            name = "array {} × {}".format(*self.source.shape[:2])
        return " > ".join([name, *map(_told, self.changes)])


def _told(change: Change) -> str:
    return (
        f"{change.size[0]} × {change.size[1]} {change.mode}"
        if isinstance(change, Fit)
        else str(change)
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures of one shape.

    Args:
        rows: which they are, by position.
        values: an array for each of them, `[n, …]`.
        reasons: why others have none, by position.
    """

    rows: list[int]
    values: Array
    reasons: dict[int, str]


def batches(pictures: Sequence[Picture | None], size: int) -> Iterator[Batch]:
    """The pictures as arrays in order, at most `size` at a time; `None` is passed over.

    Args:
        pictures: what is to be decoded.
        size: how many at most lie in a batch.
    """
    there = [(row, picture) for row, picture in enumerate(pictures) if picture is not None]
    for changes, group in groupby(there, key=_in_one_go):
        rows, alike = zip(*group, strict=True)
        if changes is None:
            yield from _one_by_one(rows, alike, size)
        else:
            yield from _from_files(rows, alike, changes, size)


def picture_frame(X: Any) -> DataFrame:
    """What a pipeline is given as a frame with a column `image`: pictures, `None` for bad ones.

    Args:
        X: a frame with a column `path`, a folder, a file, a list of paths or of pictures
            (`uint8 [height, width, 3]` or Pillow's), or one array of them.

    Raises:
        DataError: it is nothing of these; the first one that does not fit is named.
    """
    import pandas as pd

    if isinstance(X, pd.DataFrame):
        return _with_pictures(X) if "image" in X else _with_images(X)
    if isinstance(X, str | os.PathLike):
        path = Path(X)
        return _with_images(image_frame(path, tell=_silent) if path.is_dir() else _paths([path]))
    if isinstance(X, pd.Series):
        X = X.tolist()
    if getattr(X, "ndim", 0) == 3 or hasattr(X, "getexif"):  # one array, or one of Pillow's
        X = [X]
    try:
        items = list(X)
    except TypeError:
        raise DataError(f"{_WANTED}; received {type(X).__name__}") from None
    if all(isinstance(item, str | os.PathLike) for item in items):
        return _with_images(_paths(items))
    arrays = [rgb_pixels(item, f"picture {index}") for index, item in enumerate(items)]
    sizes = {
        "width": [array.shape[1] for array in arrays],
        "height": [array.shape[0] for array in arrays],
    }
    images = pd.Series([Picture(array) for array in arrays], dtype=object)
    return pd.DataFrame({**sizes, "status": "ok", "image": images})


_WANTED = "expected a frame with a column path, a folder, paths, or pictures as uint8 arrays"


def _paths(paths: Sequence[str | os.PathLike[str]]) -> DataFrame:
    import pandas as pd

    return pd.DataFrame({"path": [os.fspath(path) for path in paths], "status": "ok"})


def _with_images(frame: DataFrame) -> DataFrame:
    import pandas as pd

    if "path" not in frame:
        raise DataError(f"{_WANTED}; received a frame of {columns_text(frame)}")
    good = is_good(frame) if "status" in frame else frame["path"].notna()
    images = [
        Picture(os.fspath(path)) if ok else None
        for path, ok in zip(frame["path"], good, strict=True)
    ]
    with_images = frame.assign(image=pd.Series(images, index=frame.index, dtype=object))
    return with_images if "status" in frame else with_images.assign(status="ok")


def _with_pictures(frame: DataFrame) -> DataFrame:
    """A frame that has the column already; arrays and paths in it become pictures."""
    import pandas as pd

    if "status" not in frame:
        frame = frame.assign(status="ok")
    cells = frame["image"].tolist()
    if all(cell is None or isinstance(cell, Picture) for cell in cells):
        return frame
    pictures = [_as_picture(cell, index) for index, cell in enumerate(cells)]
    return frame.assign(image=pd.Series(pictures, index=frame.index, dtype=object))


def _as_picture(cell: Any, index: int) -> Picture | None:
    if isinstance(cell, Picture):
        return cell
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return None
    if isinstance(cell, str | os.PathLike):
        return Picture(os.fspath(cell))
    return Picture(rgb_pixels(cell, f"picture {index}"))


def _silent(_: str) -> None:
    """What `image_frame` tells is meant for those who train; here a bad row tells its reason."""


# ------------------------------------------------------------------------------------------ reading


def _in_one_go(row: tuple[int, Picture]) -> tuple[Change, ...] | None:
    """The changes of a file that is made to fit while it is decoded; `None` for all others."""
    _, picture = row
    fits = picture.is_file and picture.changes and isinstance(picture.changes[0], Fit)
    return picture.changes if fits else None


def _from_files(
    rows: Sequence[int], pictures: Sequence[Picture], changes: tuple[Change, ...], size: int
) -> Iterator[Batch]:
    fit, *later = changes
    assert isinstance(fit, Fit)
    paths = [str(picture.source) for picture in pictures]
    decoded = decode(
        paths,
        fit.size,
        fit.mode,
        resize=fit.resize,
        antialias=fit.antialias,
        interpolation=fit.interpolation,
        batch=size,
    )
    with closing(decoded):  # type: ignore[type-var]
        for which, values, reasons in decoded:
            good = [at for at in range(which.start, which.stop) if at not in reasons]
            kept: Array = values if not reasons else values[[at - which.start for at in good]]
            for change in later:
                kept = _each(change, kept)
            told = {rows[at]: reason for at, reason in reasons.items()}
            yield Batch([rows[at] for at in good], kept, told)


def _each(change: Change, values: Array) -> Array:
    if isinstance(change, Fit):
        return np.stack([change(value) for value in values]) if len(values) else values
    return change(values)


def _one_by_one(rows: Sequence[int], pictures: Sequence[Picture], size: int) -> Iterator[Batch]:
    """Pictures of any size: those that follow each other and have one shape are one batch."""
    reasons: dict[int, str] = {}

    def read() -> Iterator[tuple[int, Array]]:
        for row, picture in zip(rows, pictures, strict=True):
            try:
                yield row, picture.to_numpy()
            except ImageError as error:
                reasons[row] = str(error)

    for _, alike in groupby(read(), key=lambda found: found[1].shape):
        while part := list(islice(alike, size)):
            told, reasons = reasons, {}
            yield Batch([row for row, _ in part], np.stack([value for _, value in part]), told)
    if reasons:
        yield Batch([], np.zeros((0,)), reasons)
