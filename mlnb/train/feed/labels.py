"""Labels as the user has them, and the numbers 0, 1, 2, … that a loss takes: `Labels`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlnb.errors import DataError
from mlnb.formatting import display_text

MOST_TOLD = 5


@dataclass(frozen=True)
class Labels:
    """The classes in order; a class's place is what the model learns to give.

    >>> labels = Labels(("cat", "dog"))
    >>> labels.encode(["dog", "cat", "dog"])
    array([1, 0, 1])
    >>> labels.decode([0, 1])
    array(['cat', 'dog'], dtype=object)

    Args:
        classes: strings, numbers or bools, each once.
    """

    classes: tuple[Any, ...]

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> Labels:
        """The classes that occur, sorted."""
        return cls(tuple(sorted(np.unique(values.reshape(-1)).tolist())))

    def encode(self, values: Any, *, name: str = "targets") -> npt.NDArray[np.int64]:
        """The place of each label, in the shape of `values`.

        Raises:
            DataError: a label that is no class; it names the labels and their first rows.
        """
        array = np.asarray(values)
        found, where = np.unique(array.reshape(-1), return_inverse=True)
        known = {label: place for place, label in enumerate(self.classes)}
        places = np.array([known.get(label, -1) for label in found.tolist()], np.int64)
        result = places[where].reshape(array.shape) if len(places) else where.reshape(array.shape)
        if (places < 0).any():
            unseen = found[places < 0].tolist()
            rows = np.argwhere(result < 0)[:, 0] if result.ndim else np.zeros(1, int)
            raise DataError(
                f"{name} hold {told(unseen)}, which training did not; it knows {told(self.classes)}"
                f" ({row_text(rows)})"
            )
        return result.astype(np.int64, copy=False)

    def decode(self, places: Any) -> npt.NDArray[Any]:
        """The labels at these places, such as the largest output of each row."""
        if hasattr(places, "detach"):
            places = places.detach().cpu().numpy()
        table = np.array(self.classes, object if isinstance(self.classes[0], str) else None)
        decoded: npt.NDArray[Any] = table[np.asarray(places, np.int64)]
        return decoded

    @property
    def plain(self) -> bool:
        """Whether the labels are 0, 1, 2, … already."""
        numbers = all(type(label) is int for label in self.classes)
        return numbers and self.classes == tuple(range(len(self.classes)))

    @property
    def said(self) -> str:
        """One sentence on what became what."""
        if len(self) <= MOST_TOLD:
            pairs = ", ".join(f"{shown(c)} is {place}" for place, c in enumerate(self.classes))
            return f"labels: {pairs}"
        return f"labels: {told(self.classes)} became 0 to {len(self) - 1}, in this order"

    def __len__(self) -> int:
        return len(self.classes)


def told(labels: Iterable[Any]) -> str:
    """A few labels as one reads them: `'cat', 'dog' and 8 more`."""
    listed = list(labels)
    text = ", ".join(shown(label) for label in listed[:MOST_TOLD])
    return text + (f" and {len(listed) - MOST_TOLD} more" if len(listed) > MOST_TOLD else "")


def shown(label: Any) -> str:
    """One label; text in quotes, made harmless."""
    if isinstance(label, str):
        return f"'{display_text(label, 40)}'"
    return display_text(str(label), 40)


def row_text(rows: Sequence[int] | npt.NDArray[Any]) -> str:
    """`row 7`, `rows 1, 2, 3`, `rows 1, 2, 3, 4, 5 and 95 more`."""
    distinct = list(dict.fromkeys(int(row) for row in rows))
    first = ", ".join(f"{row:,}" for row in distinct[:MOST_TOLD])
    if len(distinct) == 1:
        return f"row {first}"
    more = len(distinct) - MOST_TOLD
    return f"rows {first}" + (f" and {more:,} more" if more > 0 else "")
