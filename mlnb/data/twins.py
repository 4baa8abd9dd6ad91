"""Rows that are as good as the same, whatever they are of: pictures by look, others by features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, np.dtype[Any]]

ALIKE = 0.999
"""The cosine from which on features are those of the same thing; two shots of one cat have 0.95."""

_BITS = 64
_BLOCK = 1024


@dataclass(frozen=True)
class Twin:
    """A row that is there already.

    Args:
        row: its number.
        of: the number of the first row like it.
        likeness: 1 where they are the same.
    """

    row: int
    of: int
    likeness: float


def twins(frame: DataFrame, features: Array) -> list[Twin]:
    """Rows that look like an earlier one.

    Args:
        frame: pictures are compared by their looks, where it has a column `path`.
        features: otherwise by the angle between these, `[rows, width]`.
    """
    return list(_by_look(frame) if "path" in frame else _by_angle(features))


def _by_look(frame: DataFrame) -> Iterator[Twin]:
    from mlnb.data.duplicates import near_duplicates

    place = {one: number for number, one in enumerate(frame.index)}
    found = near_duplicates(frame)
    for _, group in found.groupby("group", sort=False):
        first, *others = sorted(
            (place[one], distance)
            for one, distance in zip(group["id"], group["distance"], strict=True)
        )
        for row, distance in others:
            yield Twin(row, first[0], 1 - max(distance, first[1]) / _BITS)


def _by_angle(features: Array) -> Iterator[Twin]:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(length, np.finfo(np.float32).tiny)
    for start in range(0, len(unit), _BLOCK):
        block = unit[start : start + _BLOCK]
        alike = block @ unit[: start + len(block)].T
        alike[
            np.triu_indices(len(block), start, alike.shape[1])
        ] = -1  # itself and what comes after
        for number in np.flatnonzero(alike.max(axis=1) >= ALIKE):
            first = int((alike[number] >= ALIKE).argmax())
            cosine = float(alike[number, first])
            yield Twin(start + int(number), first, min(1.0, round(cosine, 5)))
