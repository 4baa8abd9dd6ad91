"""Whether an object is a torch module, or holds one: asked without importing torch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def live_module(model: Any) -> nn.Module | None:
    """The module that `model` is, or that it holds as its `module`, as mlnb's networks do.

    >>> live_module("resnet18.onnx") is None
    True
    """
    torch = sys.modules.get("torch")
    nn = getattr(torch, "nn", None)
    if nn is None or isinstance(model, str | bytes):
        return None
    if isinstance(model, nn.Module):
        return model
    held = getattr(model, "module", None) if hasattr(type(model), "module") else None
    return held if isinstance(held, nn.Module) else None
