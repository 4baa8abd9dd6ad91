"""How a model is called: with what a batch holds (`forward`), and in which mode (`evaluating`).

Modes are kept module by module, since a user may hold single layers (a frozen batch norm) in eval
mode on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from mlnb.train.steps.precision import Precision, autocast, pictures_last
from mlnb.train.steps.step import call, widened


def forward(model: nn.Module, inputs: Any, precision: Precision, device: torch.device) -> Any:
    """The model's outputs, in float32 where it calculates in less: what a step trains on.

    >>> forward(nn.Linear(2, 3), torch.zeros(5, 2), Precision("fp32"), torch.device("cpu")).shape
    torch.Size([5, 3])
    """
    if precision.channels_last:
        inputs = pictures_last(inputs)
    with autocast(device, precision.name):
        return widened(call(model, inputs))


@contextmanager
def training(models: Iterable[nn.Module]) -> Iterator[None]:
    """Models in eval mode as a whole train, and are put back; others keep the modes they have.

    >>> with training([net]):
    ...     net(x).sum().backward()
    """
    asleep = [model for model in models if not model.training]
    with kept_modes(asleep):
        for model in asleep:
            model.train()
        yield


@contextmanager
def evaluating(models: Iterable[nn.Module]) -> Iterator[None]:
    """Every module in eval mode under `inference_mode`; afterwards each in the mode it had.

    >>> with evaluating([net]):
    ...     outputs = net(x)
    """
    models = list(models)
    with kept_modes(models), torch.inference_mode():
        for model in models:
            model.eval()
        yield


@contextmanager
def kept_modes(models: Iterable[nn.Module]) -> Iterator[None]:
    """Afterwards every module is in the mode, train or eval, that it had before."""
    modes = [(module, module.training) for model in models for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
