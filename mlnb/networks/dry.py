"""The dry batch: two zeros that go through a layer when it is written, and leave no trace.

It runs in eval mode and without gradients; modes, buffers and torch's random state are afterwards
as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.models.torch.state import device_of, undisturbed


def dry_batch(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Two zeros of a shape."""
    return torch.zeros((2, *shape), dtype=dtype)


def run_dry(module: nn.Module, dry: Sequence[Any]) -> Any:
    """What a module makes of the dry batch; it is left as it was, and so is randomness."""
    place = device_of(module)
    with undisturbed(module):
        if place.type == "cpu":
            return module(*dry)
        return _moved(module(*_moved(tuple(dry), place)), torch.device("cpu"))


def _moved(given: Any, place: torch.device) -> Any:
    """Tensors on another device, in tuples and dicts as well."""
    if isinstance(given, tuple):
        return tuple(_moved(one, place) for one in given)
    if isinstance(given, dict):
        return {name: _moved(one, place) for name, one in given.items()}
    return given.to(place) if isinstance(given, Tensor) else given


@contextmanager
def undrawn_on_error() -> Iterator[None]:
    """Puts torch's random state back where the body fails."""
    state = torch.get_rng_state()
    try:
        yield
    except BaseException:
        torch.set_rng_state(state)
        raise
