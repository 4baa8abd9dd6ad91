"""Batches of like lengths: every row once, little padding, and never too much at once."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mlnb.networks.token_batches import (  # noqa: E402
    MOST_TOKENS,
    bucketed_batches,
    padded,
    sorted_batches,
)

LENGTHS = np.random.default_rng(0).gamma(4, 4, 1_000).astype(int).clip(3, 128)


def processed(batches) -> float:
    """Tokens that are computed over tokens that there are."""
    return sum(len(rows) * LENGTHS[rows].max() for rows in batches) / LENGTHS.sum()


def test_sorted_batches_hold_every_row_once_and_hardly_pad() -> None:
    batches = list(sorted_batches(LENGTHS))
    assert sorted(np.concatenate(batches)) == list(range(1_000))
    assert max(map(len, batches)) == 32
    assert processed(batches) < 1.06


def test_the_longest_texts_come_first_and_equal_ones_in_their_order() -> None:
    assert [rows.tolist() for rows in sorted_batches([2, 9, 2, 9, 9], 2)] == [[1, 3], [4, 0], [2]]


def test_long_texts_come_fewer_at_once() -> None:
    batches = list(sorted_batches([512] * 64 + [MOST_TOKENS * 2], 64))
    assert [len(rows) for rows in batches] == [1, 16, 16, 16, 16]


def test_lengths_that_are_all_different_still_make_batches() -> None:
    batches = list(sorted_batches([2**k for k in range(12)], 32))
    assert [len(rows) for rows in batches] == [4, 8]  # of 2,048 tokens no more than 4 at once


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 5]])
def test_no_texts_and_empty_texts_make_batches_too(lengths: list[int]) -> None:
    found = [row for rows in sorted_batches(lengths) for row in rows]
    assert sorted(found) == list(range(len(lengths)))
    drawn = bucketed_batches(lengths, 4, np.random.default_rng(0))
    assert sorted(row for rows in drawn for row in rows) == list(range(len(lengths)))


def test_bucketed_batches_hold_every_row_once_at_random_and_pad_little() -> None:
    first, second = (
        list(bucketed_batches(LENGTHS, 16, np.random.default_rng(seed))) for seed in (0, 1)
    )
    assert sorted(np.concatenate(first)) == list(range(1_000))
    assert all(len(rows) == 16 for rows in first if len(rows) != 1_000 % 16)
    assert not np.array_equal(first[0], second[0])
    assert processed(first) < 1.25
    means = [LENGTHS[rows].mean() for rows in first]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3  # not short ones first


def test_equal_generators_draw_equal_batches() -> None:
    one, two = (
        np.concatenate(list(bucketed_batches(LENGTHS, 16, np.random.default_rng(7))))
        for _ in range(2)
    )
    assert np.array_equal(one, two)


def test_padded_fills_and_masks() -> None:
    ids, mask = padded([np.array([5, 6, 7]), np.array([8]), np.array([], int)], pad_id=9)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9], [9, 9, 9]]
    assert mask.tolist() == [[True] * 3, [True, False, False], [False] * 3]
    assert ids.dtype == torch.int64


def test_padded_of_nothing_has_a_shape() -> None:
    ids, mask = padded([])
    assert ids.shape == mask.shape == (0, 1)
