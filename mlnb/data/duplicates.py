"""Pictures that are there twice, in another size, format or quality.

A difference hash (dHash, N. Krawetz 2013) finds who may be alike: 64 bits, each whether a pixel of
a 9 x 8 grey thumbnail is brighter than its left neighbour. Photographs that are only similar come
as near as 4 bits, so that whoever is near is compared once more, at 32 x 32.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.decoding import decode
from mlnb.errors import unknown
from mlnb.progress import progress

if TYPE_CHECKING:
    from pandas import DataFrame

DISTANCE = 8
_SIDE = 32
_APART = 0.05
"""Squared distance of two 32 x 32 thumbnails of length one: re-encoded ones come to 0.03 (half
size, quality 30, 15 % brighter), different photographs not below 0.3."""
_BRIGHTER = 40
"""Levels between the means, which alone tell one plain surface from another."""
_BLOCK = 256

FloatArray = np.ndarray[Any, np.dtype[np.float32]]


def near_duplicates(frame: DataFrame, distance: int = DISTANCE) -> DataFrame:
    """Pictures that show the same, in groups: one row a picture, columns group, id, path, label.

    They are found across sizes, formats and qualities; a crop, a turn or a mirrored copy is not.

    >>> near_duplicates(frame)
       group   id  distance              path label
    0      0  588         0  dogs/dog.180.jpg  dogs
    1      0  967         1   dogs/dog.74.jpg  dogs

    Args:
        frame: of `image_frame`; rows whose status is not "ok" stay out. A column `hash` is used if
            it is there, else every picture is decoded, which takes about as long as any other use.
        distance: how many of the 64 bits may differ.

    Returns:
        `group` from 0, `id` the row in `frame`, `distance` in bits from the first of the group, and
        the picture's `path` and `label`.

    Raises:
        UnknownName: the frame has no column `path`.
    """
    import pandas as pd

    if "path" not in frame:
        raise unknown("column", "path", map(str, frame.columns))
    rows = frame[frame["status"] == "ok"] if "status" in frame else frame
    if "hash" in rows:
        texts = [str(text) for text in rows["hash"]]
    else:
        texts, _ = image_hashes(list(rows["path"]))
    places = np.flatnonzero([bool(text) for text in texts])
    bits = _bits([texts[place] for place in places])
    paths = [str(rows["path"].iloc[place]) for place in places]
    found = [
        {
            "group": number,
            "id": rows.index[places[member]],
            "distance": int((bits[member] != bits[group[0]]).sum()),
            "path": paths[member],
            "label": rows["label"].iloc[places[member]] if "label" in rows else None,
        }
        for number, group in enumerate(_groups(bits, paths, distance))
        for member in group
    ]
    return pd.DataFrame(found, columns=["group", "id", "distance", "path", "label"])


def image_hashes(paths: Sequence[str | os.PathLike[str]]) -> tuple[list[str], dict[int, str]]:
    """The difference hash of each picture as 16 hexadecimal digits, "" for what cannot be read.

    >>> image_hashes([load_sample("china")])
    (['0f1f7f3f1f0e1c3c'], {})

    Args:
        paths: files, by the rules of `read_image`.

    Returns:
        The hashes, and the reasons of the bad files by their index.
    """
    hashes: list[str] = []
    reasons: dict[int, str] = {}
    for grey, rows, bad in _thumbnails(paths, 8, 9):
        brighter = np.packbits((grey[:, :, 1:] > grey[:, :, :-1]).reshape(-1, 64), axis=1)
        hashes += [
            "" if row in bad else digits.tobytes().hex()
            for row, digits in zip(range(rows.start, rows.stop), brighter, strict=True)
        ]
        reasons.update(bad)
    return hashes, reasons


def _groups(bits: FloatArray, paths: list[str], distance: int) -> list[list[int]]:
    """Which rows show the same, by their places; each group begins with its first."""
    signs = bits * 2 - 1
    agree = bits.shape[1] - 2 * distance  # what the product of two rows of signs is at least
    asked = np.flatnonzero(
        np.concatenate([[0], *((block >= agree).sum(1) for block in _products(signs))])[1:] > 1
    )
    greys = [grey for grey, _, _ in _thumbnails([paths[row] for row in asked], _SIDE, _SIDE)]
    if not greys:
        return []
    grey = np.concatenate(greys).reshape(len(asked), -1).astype(np.float32)
    mean = grey.mean(1, keepdims=True)
    # A plain surface has no pattern to compare: below 4 levels of spread its noise counts less.
    spread = np.maximum(grey.std(1, keepdims=True), 4)
    pattern = (grey - mean) / spread / _SIDE
    length = (pattern**2).sum(1)
    group = np.arange(len(asked))
    start = 0
    for same, alike in zip(_products(signs[asked]), _products(pattern), strict=True):
        rows = slice(start, start + len(same))
        near = (same >= agree) & (length[rows, None] + length - 2 * alike <= _APART)
        near &= np.abs(mean[rows] - mean.T) <= _BRIGHTER
        near[np.arange(len(same)), np.arange(rows.start, rows.stop)] = True
        for row, first in enumerate(near.argmax(1), start):
            group[row] = group[first]  # the first is no later than the row itself
        start = rows.stop
    members: dict[int, list[int]] = {}
    for row, number in enumerate(group):
        members.setdefault(int(number), []).append(int(asked[row]))
    return [rows for rows in members.values() if len(rows) > 1]


def _products(vectors: FloatArray) -> Iterator[FloatArray]:
    """The products of all vectors with each other, some rows at a time: all would be too many."""
    for start in range(0, len(vectors), _BLOCK):
        yield vectors[start : start + _BLOCK] @ vectors.T


def _bits(texts: Sequence[str]) -> FloatArray:
    digits = np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, 8)
    return np.unpackbits(digits, axis=1).astype(np.float32)


def _thumbnails(
    paths: Sequence[str | os.PathLike[str]], height: int, width: int
) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.uint8]], slice, dict[int, str]]]:
    """Grey pictures of one size, a batch at a time, with what `decode` says about them."""
    with progress("comparing pictures", len(paths)) as done:
        for rows, images, reasons in decode(paths, (height, width), "stretch", batch=64):
            grey = images @ np.array([0.299, 0.587, 0.114], np.float32)  # BT.601, as Pillow's "L"
            yield np.rint(grey).astype(np.uint8), rows, reasons
            done(rows.stop)
