"""Sizes and dtypes as people write them, brought to one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from mlnb.errors import LayerError
from mlnb.networks.mistakes import misspelt
from mlnb.networks.places import caller

if TYPE_CHECKING:
    from mlnb.networks.layers import Layer

DTYPES = {
    "float32": torch.float32,
    "float64": torch.float64,
    "int64": torch.int64,
    "int32": torch.int32,
}


def sample_shape(given: int | Sequence[int]) -> tuple[int, ...]:
    """The shape of one sample.

    >>> sample_shape(784)
    (784,)

    Raises:
        LayerError: a size that is no positive whole number.
    """
    sizes = (given,) if isinstance(given, int) else tuple(given)
    if any(size is None for size in sizes):
        raise LayerError(
            f"{caller()}: input_shape is of numbers; received {sizes}. Where a length may vary, "
            f"write a usual one: layers that do not depend on it take others as well."
        )
    try:
        whole = tuple(int(size) for size in sizes)
    except (TypeError, ValueError):
        whole = ()
    if isinstance(given, str) or whole != tuple(sizes) or any(size < 1 for size in whole):
        raise LayerError(
            f"{caller()}: input_shape is the shape of one sample, such as (1, 28, 28); "
            f"received {given!r}."
        )
    return whole


def named_dtype(given: str | torch.dtype) -> torch.dtype:
    """A dtype by its name or as torch's own.

    Raises:
        UnknownName: it is none of those that a network is fed.
    """
    name = str(given).removeprefix("torch.")
    if name not in DTYPES:
        raise misspelt("dtype", name, DTYPES, caller())
    return DTYPES[name]


def first_dtype(given: Layer) -> torch.dtype:
    """What a first layer is fed: whole numbers where it is an embedding, or a block with one."""
    if given.word in ("embedding", "embedding_bag"):
        return torch.int64
    first = next((chain[0] for chain in given.inner if chain), None)
    return torch.float32 if first is None else first_dtype(first)
