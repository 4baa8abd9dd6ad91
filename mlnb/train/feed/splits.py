"""Rows for training and rows to judge by: `split`, the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mlnb.errors import DataError
from mlnb.formatting import plural

Rows = npt.NDArray[np.int64]


def split(
    samples: int, share: float, seed: int, classes: npt.NDArray[Any] | None = None
) -> tuple[Rows, Rows]:
    """The rows to train on and those to judge by, each in ascending order.

    >>> train, validation = split(10, 0.2, seed=0)
    >>> len(train), len(validation)
    (8, 2)

    Args:
        samples: how many rows there are.
        share: of them to judge by, above 0 and below 1.
        seed: of a generator of its own.
        classes: each row's class; every class is then split alike, as far as each has two rows.

    Raises:
        DataError: no share, or one that leaves no row on either side.
    """
    if isinstance(share, bool) or not 0 < share < 1:
        raise DataError(
            f"validation={share!r} is no share between 0 and 1, such as 0.2; "
            "or pass data of its own: validation=(x, y)"
        )
    wanted = round(share * samples)
    if wanted < 1 or wanted >= samples:
        raise DataError(
            f"validation={share} of {plural(samples, 'row')} leaves no row "
            f"{'to judge by' if wanted < 1 else 'to train on'}; pass another share, or data of its "
            "own: validation=(x, y)"
        )
    order = np.random.Generator(np.random.PCG64([seed % 2**63, 0x5317])).permutation(samples)
    chosen = order[:wanted] if classes is None else _alike(order, classes, wanted)
    held = np.zeros(samples, bool)
    held[chosen] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _alike(order: Rows, classes: npt.NDArray[Any], wanted: int) -> Rows:
    """`wanted` rows, each class by its share of all; plainly drawn where a class has one row."""
    _, place, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        return order[:wanted]
    exact = counts * (wanted / len(order))
    quota = np.minimum(np.floor(exact).astype(np.int64), counts - 1)
    # What the floors left over goes to those that were rounded down most, as far as they have rows.
    for best in np.argsort(quota - exact, kind="stable"):
        if quota.sum() >= wanted:
            break
        quota[best] += quota[best] < counts[best] - 1
    by_class = order[np.argsort(place[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    rows = [by_class[begin : begin + take] for begin, take in zip(starts, quota, strict=True)]
    return np.concatenate(rows)
