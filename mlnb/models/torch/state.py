"""A live module is looked at and asked without a trace: its modes, its randomness, its training."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


def device_of(module: nn.Module) -> torch.device:
    """Where a module's weights are."""
    first = next(module.parameters(), next(module.buffers(), None))
    return torch.device("cpu") if first is None else first.device


@contextmanager
def undisturbed(module: nn.Module) -> Iterator[None]:
    """Eval mode and no gradients in the body; modes and random states as before after it."""
    modes = {m: m.training for m in module.modules()}
    place = device_of(module)
    state = torch.get_rng_state()
    on_device = torch.cuda.get_rng_state(place) if place.type == "cuda" else None
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_rng_state(state)
        if on_device is not None:
            torch.cuda.set_rng_state(on_device, place)
        for m, mode in modes.items():
            m.training = mode


def settled(module: nn.Module) -> nn.Module:
    """The module as it is between two steps: itself, or a copy while a run of mlnb trains it.

    One copy a step serves whoever asks.
    """
    asking: Any = sys.modules.get("mlnb.train.steer.asking")  # without it nothing trains
    found: nn.Module = module if asking is None else asking.settled(module)
    return found
