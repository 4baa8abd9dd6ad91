"""How the pixels of well-known models were scaled when they were trained: `CONVENTIONS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from mlnb.tasks.pipeline.images import Order


class Convention(TypedDict):
    """What `ExtractPixels` is told: `(pixel - mean) * scale`, channels in the order of `order`."""

    order: Order
    mean: tuple[float, ...]
    scale: tuple[float, ...]


_SCALINGS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "mean/std": ((123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)),
    "-1 to 1": ((127.5,) * 3, (1 / 127.5,) * 3),
    "0 to 1": ((0.0,) * 3, (1 / 255,) * 3),
    "minus mean": ((123.0, 117.0, 104.0), (1.0,) * 3),
    "minus 117": ((117.0,) * 3, (1.0,) * 3),
    "0 to 255": ((0.0,) * 3, (1.0,) * 3),
}
"""Mean and scale for red, green and blue: torchvision's (the mean and standard deviation of
ImageNet), TensorFlow's (MobileNet, Inception), plain fractions, Caffe's (the mean of ImageNet),
the first Inception's, and none."""

_TURNS: dict[Order, int] = {"RGB": 1, "BGR": -1}

CONVENTIONS: dict[str, Convention] = {
    f"{order} {name}": Convention(order=order, mean=mean[::turn], scale=scale[::turn])
    for order, turn in _TURNS.items()
    for name, (mean, scale) in _SCALINGS.items()
}
"""By name, the usual ones first: `ExtractPixels(**CONVENTIONS["BGR minus mean"])`."""
