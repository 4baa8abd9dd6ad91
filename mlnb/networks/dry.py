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


def dry_batch(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Two zeros of a shape."""
    return torch.zeros((2, *shape), dtype=dtype)


def run_dry(module: nn.Module, dry: Sequence[Any]) -> Any:
    """What a module makes of the dry batch; it is left as it was, and so is randomness."""
    place = device_of(module)
    with running_dry(module):
        if place.type == "cpu":
            return module(*dry)
        return _moved(module(*_moved(tuple(dry), place)), torch.device("cpu"))


def device_of(module: nn.Module) -> torch.device:
    """Where a module's weights are."""
    first = next(module.parameters(), next(module.buffers(), None))
    return torch.device("cpu") if first is None else first.device


def _moved(given: Any, place: torch.device) -> Any:
    """Tensors on another device, in tuples and dicts as well."""
    if isinstance(given, tuple):
        return tuple(_moved(one, place) for one in given)
    if isinstance(given, dict):
        return {name: _moved(one, place) for name, one in given.items()}
    return given.to(place) if isinstance(given, Tensor) else given


@contextmanager
def running_dry(module: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients in the body; modes and torch's random state as before after it."""
    modes = {m: m.training for m in module.modules()}
    state = torch.get_rng_state()
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_rng_state(state)
        for m, mode in modes.items():
            m.training = mode


@contextmanager
def undrawn_on_error() -> Iterator[None]:
    """Puts torch's random state back where the body fails."""
    state = torch.get_rng_state()
    try:
        yield
    except BaseException:
        torch.set_rng_state(state)
        raise
