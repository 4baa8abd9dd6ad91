"""What tests of live torch modules feed, and what the modules give by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")


def picture(*shape: int) -> Any:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def agrees(module: Any, *given: Any, **named: Any) -> list[np.ndarray]:
    """What the module gives by itself in eval mode, flat."""
    modes = [m.training for m in module.modules()]
    module.eval()
    with torch.no_grad():
        result = module(*given, **named)
    for one, mode in zip(module.modules(), modes, strict=True):
        one.training = mode
    flat = torch.utils._pytree.tree_leaves(result)
    return [one.numpy() for one in flat if isinstance(one, torch.Tensor)]
