"""The global random generators of Python, NumPy and torch: where they stand, and put back there."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from mlnb.train.keep.packing import copied


def random_state() -> dict[str, Any]:
    """The global generators of Python, NumPy and torch, for `set_random_state`."""
    version, words, gauss = random.getstate()
    state: dict[str, Any] = {
        "python": (version, np.array(words, dtype=np.uint32), gauss),
        "numpy": np.random.get_state(legacy=True),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = [copied(one) for one in torch.cuda.get_rng_state_all()]
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Put the global generators where `random_state` found them."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(np.asarray(words).tolist()), gauss))
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        for device, one in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(one, device)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])
