"""How the user's targets become what the loss takes, for every set of rows alike: `TargetRule`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.train.feed.labels import Labels, row_text, told
from mlnb.train.feed.target_values import Array, as_tensor, check_range, refuse_gaps, target_array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class TargetRule:
    """What becomes of the targets.

    >>> TargetRule("classification", labels=Labels(("cat", "dog"))).tensor(["dog", "cat"])
    tensor([1, 0])

    Args:
        task: "classification", "binary", "multilabel", "regression" or "unknown".
        labels: the classes, where the targets are not their places already.
        places: turns one-hot rows into places.
        dtype: of the tensor.
        inner: the shape of one row; `None` where rows may differ between batches.
        classes: how many there are, where the targets are places.
    """

    task: str = "unknown"
    labels: Labels | None = None
    places: bool = False
    dtype: torch.dtype | None = None
    inner: Shape | None = None
    classes: int | None = None

    def tensor(self, values: Any, name: str = "targets") -> Tensor:
        """The targets as a tensor on the CPU.

        Args:
            values: as the user has them.
            name: what they are called in a message.

        Raises:
            DataError: a label that training did not have, a place beyond the last class, a gap.
        """
        array = target_array(values, name)
        if self.labels is not None:
            array = self.labels.encode(array, name=name)
        elif array.dtype.kind in "OUS":
            raise DataError(f"{name} are text ({told(np.unique(array))}), expected numbers")
        if array.dtype.kind == "f":
            refuse_gaps(array, name)
        if self.places and array.ndim == 2 and array.shape[1] > 1:
            array = _places(array, name)
        if self.classes is not None and self.labels is None:
            check_range(array, self.classes, name)
        if self.inner is not None:
            array = _with_inner(array, self.inner, name)
        dtype = self.dtype or (torch.float32 if array.dtype.kind == "f" else torch.int64)
        return as_tensor(array).to(dtype)

    def batch(self, values: Any, name: str) -> Tensor:
        """The targets of one batch; on a GPU they are not looked at, which would wait for it."""
        if not isinstance(values, Tensor) or values.device.type == "cpu":
            return self.tensor(values, name)
        if self.places and values.ndim == 2:
            values = values.argmax(1)
        if self.inner is not None and tuple(values.shape[1:]) != self.inner:
            values = values.reshape(len(values), *self.inner)
        return values if self.dtype is None else values.to(self.dtype)


def _places(array: Array, name: str) -> Array:
    """One-hot rows as places; rows of another kind would get one in silence."""
    bad = ~(np.isin(array, (0, 1)).all(1) & (array.sum(1) == 1))
    if bad.any():
        raise DataError(
            f"{name} are one-hot but for {row_text(np.flatnonzero(bad))}: expected a single 1 in "
            "each row, as in the rows before"
        )
    places: Array = array.argmax(1)
    return places


def _with_inner(array: Array, inner: Shape, name: str) -> Array:
    if array.shape[1:] == inner:
        return array
    if array.size != len(array) * int(np.prod(inner, dtype=np.int64)):
        raise DataError(
            f"{name} are {rows_text(array.shape[1:])}, expected {rows_text(inner)} as in training"
        )
    return array.reshape(len(array), *inner)


def rows_text(inner: Shape) -> str:
    """The shape of rows as one writes it: `[n, 3]`."""
    return f"[{', '.join(['n', *map(str, inner)])}]"
