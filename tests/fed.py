"""What tests of data share: a model that gives what it should, and what is said to a refusal."""

import pytest
import torch

from mlnb.errors import DataError
from mlnb.train.feed.data import prepare


def gives(*shape):
    """A model that gives this for a row."""

    def probe(inputs):
        leaf = inputs
        while not isinstance(leaf, torch.Tensor):
            leaf = next(iter(leaf.values())) if isinstance(leaf, dict) else leaf[0]
        return torch.zeros(len(leaf), *shape)

    return probe


def refused(data, **options) -> str:
    """What is said when `prepare` refuses the data: one line."""
    with pytest.raises(DataError) as caught:
        prepare(data, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
