"""What a picture classifier is given, brought to one form: `Pictures`.

A frame of `image_frame`, a folder, files, or pixels; with or without labels. What cannot be used is
left out of learning with a reason, and keeps its row in a prediction.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.decoding import Batch, Fit, decode
from mlnb.data.features import file_keys
from mlnb.data.image_frame import image_frame
from mlnb.data.images import read_image, rgb_pixels
from mlnb.data.rows import columns_text, is_left_out, kind_text
from mlnb.errors import DataError, ImageError
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame, Index

Array = np.ndarray[Any, np.dtype[Any]]

PATH, LABEL, STATUS, SPLIT = "path", "label", "status", "split"


@dataclass(frozen=True)
class Pictures:
    """Pictures in files or in memory, with labels where there are some.

    Args:
        content: paths, or arrays `uint8 [height, width, 3]`.
        ids: of the rows.
        labels: one each, `None` where it is missing; or no labels at all.
        frame: the rows of the frame that they came from.
        bad: why a row cannot be used, by its number.
        splits: "train", "validation" or "test" for each, where the frame says so.
    """

    content: tuple[Any, ...]
    ids: Index
    labels: tuple[Any, ...] | None = None
    frame: DataFrame | None = None
    bad: dict[int, str] = field(default_factory=dict)
    splits: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.content)

    @property
    def in_files(self) -> bool:
        """Whether they are files, whose features are worth keeping."""
        return all(isinstance(one, str) for one in self.content)

    def rows(self, numbers: Sequence[int] | Array) -> Pictures:
        """Some of them, in this order."""
        chosen = [int(number) for number in numbers]
        return replace(
            self,
            content=tuple(self.content[i] for i in chosen),
            ids=self.ids[chosen],
            labels=None if self.labels is None else tuple(self.labels[i] for i in chosen),
            frame=None if self.frame is None else self.frame.iloc[chosen],
            bad={new: self.bad[old] for new, old in enumerate(chosen) if old in self.bad},
            splits=None if self.splits is None else tuple(self.splits[i] for i in chosen),
        )

    def of_split(self, *names: str) -> Pictures:
        """Those of a split."""
        return self.rows([i for i, name in enumerate(self.splits or ()) if name in names])

    def joined(self, other: Pictures) -> Pictures:
        """These, then the others; frames are left behind."""
        if not other:
            return self
        shift = len(self)
        return Pictures(
            (*self.content, *other.content),
            self.ids.append(other.ids),
            None if self.labels is None else (*self.labels, *(other.labels or ())),
            bad=self.bad | {shift + i: why for i, why in other.bad.items()},
        )

    def shown(self) -> DataFrame:
        """Their frame, or one that is made of what is known."""
        import pandas as pd

        if self.frame is not None:
            return self.frame
        columns: dict[str, Any] = {PATH: list(self.content)} if self.in_files else {}
        if self.labels is not None:
            columns[LABEL] = list(self.labels)
        return pd.DataFrame(columns, index=self.ids)

    def keys(self) -> list[str | None]:
        """The sha256 of each file."""
        return file_keys(self.content)

    def pixels(self, fit: Fit, batch: int) -> Iterator[Batch]:
        """All of them at one size, a batch at a time, as `decode` gives them."""
        if self.in_files:
            yield from decode(
                self.content,
                fit.size,
                fit.mode,
                resize=fit.resize,
                antialias=fit.antialias,
                interpolation=fit.interpolation,
                batch=batch,
            )
            return
        for start in range(0, len(self), batch):
            part = [
                read_image(one) if isinstance(one, str) else one
                for one in self.content[start : start + batch]
            ]
            yield slice(start, start + len(part)), np.stack([fit(one) for one in part]), {}


def take_pictures(
    given: Any,
    y: Any = None,
    *,
    target: str | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Pictures:
    """`Pictures` of whatever a classifier is given.

    >>> len(take_pictures("cats_vs_dogs"))
    1000

    Args:
        given: a frame with a column "path", a folder, a file, a list of files, an array
            `uint8 [n, height, width, 3]` or `[height, width, 3]`, or a list of arrays or of
            Pillow's pictures.
        y: a label for each; by default the frame's or the folder's.
        target: the column of labels; "label" by default.
        tell: takes what a folder is worth a line.

    Raises:
        DataError: something else, or labels that do not go with it.
        ImageError: there is no such folder or file.
    """
    import pandas as pd

    if isinstance(given, str | os.PathLike):
        path = os.fspath(given)
        if not os.path.lexists(path):
            raise ImageError(f"There is no folder and no picture at {display_text(path, 200)}")
        given = image_frame(path, tell=tell) if os.path.isdir(path) else [path]
    if isinstance(given, pd.DataFrame):
        pictures = _of_frame(given, target)
    else:
        content = tuple(_one(number, one) for number, one in enumerate(_several(given)))
        ids = given.index if isinstance(given, pd.Series) else pd.RangeIndex(len(content))
        pictures = Pictures(content, ids)
    if y is not None:
        labels = tuple(None if pd.isna(label) else label for label in y)
        if len(labels) != len(pictures):
            raise DataError(
                f"There are {plural(len(pictures), 'picture')} and {plural(len(labels), 'label')}."
            )
        return replace(pictures, labels=labels, splits=None)
    return pictures


def usable(pictures: Pictures) -> tuple[Pictures, dict[Any, str]]:
    """Those with a label and without a fault, and why the others are left out, by their ids.

    What somebody left out by hand, as in `ImageGrid`, is not learnt from either.
    """
    why = dict(pictures.bad)
    if pictures.frame is not None:
        by_hand = np.flatnonzero(is_left_out(pictures.frame))
        why |= {int(number): "it was left out by hand" for number in by_hand}
    for number, label in enumerate(pictures.labels or ()):
        if label is None and number not in why:
            why[number] = "it has no label"
    kept = [i for i in range(len(pictures)) if i not in why]
    return pictures.rows(kept), {pictures.ids[i]: why[i] for i in sorted(why)}


def _of_frame(frame: DataFrame, target: str | None) -> Pictures:
    if PATH not in frame.columns:
        raise DataError(f"The frame has no column 'path'; it has {columns_text(frame)}.")
    if target is not None and target not in frame.columns:
        raise DataError(
            f"The frame has no column {target!r} of labels; it has {columns_text(frame)}."
        )
    column = target or LABEL
    labels = None
    if column in frame.columns:
        missing = frame[column].isna()
        labels = tuple(
            None if gone else label for label, gone in zip(frame[column], missing, strict=True)
        )
    bad = {}
    if STATUS in frame.columns:
        bad = {i: str(why) for i, why in enumerate(frame[STATUS]) if why != "ok"}
    splits = tuple(map(str, frame[SPLIT])) if SPLIT in frame.columns else None
    content = tuple(os.fspath(path) for path in frame[PATH])
    return Pictures(content, frame.index, labels, frame, bad, splits)


def _several(given: Any) -> Any:
    if isinstance(given, np.ndarray) and given.ndim == 3:
        return given[None]
    if hasattr(given, "getexif"):  # one of Pillow's
        return [given]
    try:
        return list(given)
    except TypeError as error:
        raise DataError(
            "Pictures are a frame, a folder, files, or pixels as uint8 [n, height, width, 3]; "
            f"received {kind_text(given)}."
        ) from error


def _one(number: int, picture: Any) -> Any:
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    return rgb_pixels(picture, f"picture {number}")
