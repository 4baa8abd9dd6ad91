"""Where in a picture a model saw its answer: `grad_cam`, `occlusion`, and `overlay` to show it.

Maps are arrays from 0 to 1 over the picture. What words of a text say is in `word_shares.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.images import rgb_pixels
from mlnb.errors import DataError
from mlnb.progress import progress
from mlnb.tasks.answers import Predict, answers, checked_target

if TYPE_CHECKING:
    from torch import nn

Array = np.ndarray[Any, np.dtype[Any]]

_BATCH = 32
_COLORS = np.array(
    [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], np.float64
)
"""The plasma colours of matplotlib at 0, ¼, ½, ¾ and 1: their brightness grows with the value."""


def grad_cam(
    model: Any, image: Any, target: int | None = None, layer: str | nn.Module | None = None
) -> Array:
    """Where in a picture a torch network sees a class: float32 `[height, width]`, 0 to 1.

    >>> seen = grad_cam(network, body.preprocess(picture))
    >>> overlay(picture, seen)

    The maps of the last convolution, each weighted by the mean gradient of the class's score, and
    what speaks for the class of their sum. Grad-CAM: Selvaraju et al., "Grad-CAM: Visual
    Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.

    Args:
        model: a torch module, or what holds one as its `module`; it stays as it is.
        image: one picture as the module takes it, `[3, height, width]` or `[1, 3, height, width]`.
        target: which output; the largest by default.
        layer: whose maps are taken, a name of `named_modules` or the module; by default what
            follows the last convolution at its size, its batch norm and activation.

    Raises:
        DataError: no torch module, no maps in it, or no such output.
        UnknownName: no layer of that name.
    """
    from mlnb.tasks.gradients import class_maps

    maps, gradients, size = class_maps(model, image, target, layer)
    weights = gradients.mean(axis=(1, 2))
    seen = np.maximum(np.tensordot(weights, maps, axes=1), 0)
    return _scaled(_resized(seen, size))


def occlusion(
    predict: Predict,
    image: Array,
    size: int | None = None,
    stride: int | None = None,
    target: int | None = None,
) -> Array:
    """Where a picture must not be covered: float32 `[height, width]`, 0 to 1, for any model.

    >>> seen = occlusion(classifier.predict_proba, picture)

    A grey square is laid over one place after another; how much the probability of the class falls
    is how much that place speaks for it. Zeiler and Fergus, "Visualizing and Understanding
    Convolutional Networks", ECCV 2014.

    Args:
        predict: from pictures, `uint8 [n, height, width, 3]`, to probabilities, `[n, classes]`.
        image: `uint8 [height, width, 3]`.
        size: the side of the square in pixels; a fifth of the shorter side by default.
        stride: how far it is moved; half its side by default. What it passes over stays 0.
        target: which class; the likeliest by default.

    Raises:
        DataError: no such picture or class, or `predict` answers something else.
    """
    picture = rgb_pixels(image)
    height, width = picture.shape[:2]
    side = size or max(1, min(height, width) // 5)
    step = stride or max(1, side // 2)
    if side < 1 or step < 1:
        raise DataError(f"size is {size} and stride {stride}; expected pixels, 1 or more")
    whole = answers(predict, picture[None])[0]
    column = checked_target(target, whole)
    grey = picture.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    boxes = [(y, x) for y in _starts(height, side, step) for x in _starts(width, side, step)]
    falls = np.zeros((height, width))
    covers = np.zeros((height, width))
    with progress("covering the picture", len(boxes)) as done:
        for start in range(0, len(boxes), _BATCH):
            part = boxes[start : start + _BATCH]
            covered = np.repeat(picture[None], len(part), axis=0)
            for one, (y, x) in zip(covered, part, strict=True):
                one[y : y + side, x : x + side] = grey
            given = answers(predict, covered)[:, column]
            for (y, x), probability in zip(part, given, strict=True):
                falls[y : y + side, x : x + side] += whole[column] - probability
                covers[y : y + side, x : x + side] += 1
            done(start + len(part))
    return _scaled(np.maximum(falls / np.maximum(covers, 1), 0))


def overlay(image: Array, seen: Array, strength: float = 0.6) -> Array:
    """A picture with a map over it, `uint8 [height, width, 3]`: the warmer, the more.

    >>> PIL.Image.fromarray(overlay(picture, grad_cam(network, pixels)))

    Args:
        image: `uint8 [height, width, 3]`.
        seen: 0 to 1, `[height, width]`; of another size, it is stretched over the picture.
        strength: how much of the picture the map hides where it is 1.
    """
    picture = np.asarray(image)
    weights = np.clip(_resized(np.asarray(seen, np.float64), picture.shape[:2]), 0, 1)
    places = np.linspace(0, 1, len(_COLORS))
    colors = np.stack([np.interp(weights, places, channel) for channel in _COLORS.T], axis=-1)
    share = strength * weights[:, :, None]
    mixed = picture * (1 - share) + colors * share
    return np.asarray(mixed.round().clip(0, 255), np.uint8)


# -------------------------------------------------------------------------------------------- parts


def _starts(length: int, side: int, step: int) -> Iterator[int]:
    """Where squares begin so that they cover all of a length, the last one at its end."""
    last = max(0, length - side)
    yield from range(0, last, step)
    yield last


def _resized(values: Array, size: tuple[int, ...]) -> Array:
    """A map, bilinear, at another size."""
    from PIL import Image

    height, width = size
    if values.shape == (height, width):
        return values
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float64)


def _scaled(values: Array) -> Array:
    """From 0 to 1; nothing anywhere stays nothing."""
    most = float(values.max(initial=0.0))
    return np.asarray(values / most if most > 0 else values, np.float32)
