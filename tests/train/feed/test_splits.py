"""A share held back: a partition, the same for the same seed, every class alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnb.errors import DataError

pytest.importorskip("torch")

from mlnb.train.feed.splits import split


@given(
    samples=st.integers(2, 200),
    share=st.floats(0.01, 0.99),
    seed=st.integers(-(2**63), 2**63),
    classes=st.one_of(st.none(), st.integers(1, 12)),
)
def test_a_split_is_a_partition(samples, share, seed, classes):
    wanted = round(share * samples)
    strata = None if classes is None else np.arange(samples) % classes
    if not 0 < wanted < samples:
        with pytest.raises(DataError, match="leaves no row"):
            split(samples, share, seed, strata)
        return
    train, held = split(samples, share, seed, strata)
    assert sorted([*train, *held]) == list(range(samples))
    assert list(train) == sorted(train)
    assert list(held) == sorted(held)
    assert 1 <= len(held) <= wanted


@given(st.lists(st.integers(5, 30), min_size=1, max_size=8), st.floats(0.15, 0.6))
def test_every_class_keeps_its_share_and_a_row_to_learn_from(counts, share):
    classes = np.repeat(np.arange(len(counts)), counts)
    train, held = split(len(classes), share, 0, classes)
    for place, count in enumerate(counts):
        kept = int((classes[held] == place).sum())
        assert abs(kept - share * count) <= 2
        assert (classes[train] == place).any()


def test_a_share_is_met_exactly_where_the_classes_allow():
    _, held = split(1000, 0.2, 0, np.arange(1000) % 10)
    assert len(held) == 200
    assert np.bincount(held % 10).tolist() == [20] * 10


def test_the_same_seed_holds_back_the_same_rows():
    assert split(100, 0.2, 4)[1].tolist() == split(100, 0.2, 4)[1].tolist()
    assert split(100, 0.2, 4)[1].tolist() != split(100, 0.2, 5)[1].tolist()


def test_a_class_of_one_row_is_split_plainly():
    classes = np.array([0] * 9 + [1])
    assert len(split(10, 0.5, 0, classes)[1]) == 5


@pytest.mark.parametrize("share", [0, 1, 5, -0.1, True, float("nan")])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(DataError, match="is no share between 0 and 1"):
        split(100, share, 0)


def test_a_share_that_leaves_no_row_is_refused():
    with pytest.raises(DataError, match=r"validation=0.01 of 6 rows leaves no row to judge by"):
        split(6, 0.01, 0)
    with pytest.raises(DataError, match=r"validation=0.99 of 6 rows leaves no row to train on"):
        split(6, 0.99, 0)


def test_the_global_random_state_is_not_touched():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    split(100, 0.2, 0)
    assert (np.random.get_state()[1] == before).all()
