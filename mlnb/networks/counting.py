"""Multiply-accumulates of a module of torch.nn, for one sample.

As in papers and in the summary of loaded models, only what multiplies by weights or matrices
counts: biases, norms and activations do not. torchinfo counts biases, and a dense layer over a
sequence once; its figures differ for that reason.
"""

from __future__ import annotations

from math import prod
from typing import Any

from torch import Tensor, nn

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def module_macs(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> int:
    """The multiply-accumulates of one call, for one sample of the batch.

    >>> module_macs(nn.Linear(784, 10), (torch.zeros(2, 784),), torch.zeros(2, 10))
    7840
    """
    out = output[0] if isinstance(output, tuple) else output
    if not isinstance(out, Tensor) or not inputs or not isinstance(inputs[0], Tensor):
        return 0
    came: list[int] = list(inputs[0].shape[1:])
    gives: list[int] = list(out.shape[1:])
    if isinstance(module, _CONVS):
        return int(prod((*gives, *module.weight.shape[1:])))
    if isinstance(module, _TRANSPOSED):
        return int(prod((*came, *module.weight.shape[1:])))
    if isinstance(module, nn.Linear):
        return int(prod(gives) * module.in_features)
    if isinstance(module, nn.Bilinear):
        return int(prod(gives[:-1]) * module.weight.numel())
    if isinstance(module, nn.RNNBase):
        steps = came[0] if module.batch_first else inputs[0].shape[0]
        return int(steps * sum(w.numel() for n, w in module.named_parameters() if "weight" in n))
    if isinstance(module, nn.MultiheadAttention):
        return _attention(module, inputs)
    return 0


def _attention(module: nn.MultiheadAttention, inputs: tuple[Any, ...]) -> int:
    """Three projections in, the scores, their sum of values, and one projection out."""
    along = 1 if module.batch_first else 0
    asked = inputs[0].shape[along]
    seen = inputs[1].shape[along] if len(inputs) > 1 else asked
    size = module.embed_dim
    into = asked * size * size + seen * size * (module.kdim + module.vdim)
    return int(into + 2 * asked * seen * size + asked * size * size)
