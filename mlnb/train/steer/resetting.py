"""Layers that begin anew: which modules can draw their parameters again, and that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.errors import LayerError, unknown

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.state import TrainState


def resettable(models: dict[str, nn.Module], name: str) -> list[nn.Module]:
    """The modules at and below `name` that can begin anew.

    Raises:
        UnknownName: no such layer.
        LayerError: one of its parameters cannot be drawn again.
    """
    named = {
        (path if list(models) == ["model"] else f"{model}.{path}".rstrip(".")): module
        for model, net in models.items()
        for path, module in net.named_modules()
        if path or list(models) != ["model"]
    }
    if name not in named:
        raise unknown("layer", str(name), named)
    begun = [module for module in named[name].modules() if _reset_of(module) is not None]
    redrawn = {id(p) for module in begun for p in module.parameters(recurse=True)}
    for path, parameter in named[name].named_parameters():
        if id(parameter) not in redrawn:
            raise LayerError(
                f"'{name}' cannot begin anew: nothing knows how to draw its parameter '{path}'. "
                "Give the module that holds it a method reset_parameters(self)"
            )
    return begun


def begin_anew(state: TrainState, layer: str) -> None:
    """Draw the layer anew, and forget what the optimizers know of it."""
    import torch

    with torch.no_grad():
        for module in resettable(state.models, layer):
            reset = _reset_of(module)
            assert reset is not None
            reset()
            for parameter in module.parameters():
                for optimizer in state.optimizers.values():
                    optimizer.state.pop(parameter, None)


def _reset_of(module: nn.Module) -> Any:
    return getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
