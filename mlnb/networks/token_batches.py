"""Batches of texts whose lengths are alike, so that little is computed for padding.

A batch in the order of the data is half padding: it is as long as its longest text. Prediction
takes the texts sorted by length; training takes them sorted within a random few batches, because
what is sorted altogether is no longer drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

MOST_TOKENS = 8_192
ALIKE, LEAST = 0.9, 8
BUCKET = 8
"""Batches that are drawn together and sorted within themselves."""


def sorted_batches(lengths: Sequence[int] | Array, batch_size: int = 32) -> Iterator[Array]:
    """Rows in batches for prediction, the longest texts first.

    >>> [rows.tolist() for rows in sorted_batches([3, 9, 4, 8], batch_size=2)]
    [[1, 3], [2, 0]]

    A batch ends early where texts become shorter than nine tenths of its longest: what is computed
    for padding costs more than one batch more.

    Args:
        lengths: in tokens, of all rows.
        batch_size: the most rows; long texts come fewer at once, so that they need no more memory.
    """
    ordered = np.asarray(lengths, np.int64)
    rows = np.argsort(-ordered, kind="stable")
    start = 0
    while start < len(rows):
        longest = max(1, int(ordered[rows[start]]))
        size = max(1, min(batch_size, MOST_TOKENS // longest))
        alike = int((ordered[rows[start : start + size]] >= ALIKE * longest).sum())
        end = start + min(size, max(alike, LEAST))
        yield rows[start:end]
        start = end


def bucketed_batches(
    lengths: Sequence[int] | Array, batch_size: int, rng: np.random.Generator
) -> Iterator[Array]:
    """Rows in batches for an epoch of training: drawn at random, and alike in length.

    >>> batches = list(bucketed_batches([5] * 10, 4, np.random.default_rng(0)))
    >>> sorted(len(rows) for rows in batches)
    [2, 4, 4]

    Args:
        lengths: in tokens, of all rows.
        batch_size: rows in a batch; the last one may have fewer.
        rng: draws the rows of each bucket, and the order of its batches.
    """
    ordered = np.asarray(lengths, np.int64)
    shuffled = rng.permutation(len(ordered))
    for start in range(0, len(shuffled), BUCKET * batch_size):
        bucket = shuffled[start : start + BUCKET * batch_size]
        bucket = bucket[np.argsort(ordered[bucket], kind="stable")]
        begins = range(0, len(bucket), batch_size)
        for begin in rng.permutation(np.asarray(begins)):
            yield bucket[begin : begin + batch_size]


def padded(
    ids: Sequence[Array], pad_id: int = 0, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """The ids int64 `[n, tokens]` and the mask bool `[n, tokens]`, True where there is a token.

    >>> padded([np.array([5, 6]), np.array([7])])[0]
    tensor([[5, 6],
            [7, 0]])

    Args:
        ids: of each text.
        pad_id: stands where a text has ended.
        device: where they are wanted.
    """
    lengths = np.fromiter((len(one) for one in ids), np.int64, len(ids))
    filled = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]
    table = np.full(filled.shape, pad_id, np.int64)
    if len(ids):
        table[filled] = np.concatenate([np.asarray(one, np.int64) for one in ids])
    return torch.from_numpy(table).to(device), torch.from_numpy(filled).to(device)
