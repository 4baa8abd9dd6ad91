"""The head: what is trained on the features of a backbone, `[n, features]` to `[n, classes]`."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import LayerError, unknown
from mlnb.networks.sequential import Sequential

Array = np.ndarray[Any, np.dtype[Any]]

HEADS = ("linear", "mlp")
_HIDDEN = 128


class Standardise(nn.Module):
    """Features less their mean by their standard deviation, as training had them.

    Backbones give features of any size; a head, its learning rate and its weight decay want them
    all alike.
    """

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    @classmethod
    def of(cls, features: Array) -> Standardise:
        """By the features that are trained on; what never varies is left as it is."""
        mean, spread = features.mean(0), features.std(0)
        scale = np.where(spread > 1e-6 * max(1e-12, float(spread.max())), spread, 1.0)
        return cls(torch.from_numpy(mean), torch.from_numpy((1 / scale).astype(np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return (x - self.mean) * self.scale


def make_head(given: Any, width: int, classes: int) -> Sequential:
    """A fresh head.

    >>> make_head("linear", 1280, 2)

    Args:
        given: "linear", "mlp", or a `Sequential` that ends in a number for each class, of which a
            copy is taken.
        width: how many features there are.
        classes: how many classes there are.

    Raises:
        UnknownName: another word.
        LayerError: a `Sequential` that does not fit.
    """
    if isinstance(given, Sequential):
        return _own(given, width, classes)
    if given == "linear":
        return Sequential(input_shape=(width,), name="head").dense(classes)
    if given == "mlp":
        chain = Sequential(input_shape=(width,), name="head").dense(_HIDDEN, "relu").dropout(0.3)
        return chain.dense(classes)
    raise unknown("head", str(given), [*HEADS, "a Sequential"])


def headed(standardise: Standardise, head: Sequential) -> nn.Sequential:
    """What turns features into logits: standardising, then the head."""
    return nn.Sequential(OrderedDict(standardise=standardise, head=head.module))


def _own(given: Sequential, width: int, classes: int) -> Sequential:
    head = copy.deepcopy(given)
    sample = torch.zeros(2, width)
    try:
        head.build(sample)
        with torch.no_grad():
            out = head.module.eval()(sample)
    except LayerError:
        raise
    except Exception as error:
        raise LayerError(f"The head does not take features [n, {width}]: {error}") from error
    if tuple(out.shape) != (2, classes):
        raise LayerError(
            f"The head gives {list(out.shape[1:])} for a picture; expected [{classes}], a number "
            f"for each class: end it with .dense({classes})."
        )
    return head
