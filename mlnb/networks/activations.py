"""The activations by their usual names: each is a class of `torch.nn`.

`swish` and `linear` are there because people write them; everything else is torch's own name.
"""

from __future__ import annotations

from torch import nn

from mlnb.errors import unknown

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "celu": nn.CELU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "glu": nn.GLU,
    "hardshrink": nn.Hardshrink,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "hardtanh": nn.Hardtanh,
    "leaky_relu": nn.LeakyReLU,
    "log_sigmoid": nn.LogSigmoid,
    "log_softmax": nn.LogSoftmax,
    "mish": nn.Mish,
    "prelu": nn.PReLU,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "rrelu": nn.RReLU,
    "selu": nn.SELU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softmax": nn.Softmax,
    "softmax2d": nn.Softmax2d,
    "softmin": nn.Softmin,
    "softplus": nn.Softplus,
    "softshrink": nn.Softshrink,
    "softsign": nn.Softsign,
    "swish": nn.SiLU,
    "tanh": nn.Tanh,
    "tanhshrink": nn.Tanhshrink,
    "threshold": nn.Threshold,
}
"""Every activation, each also a layer's word of its own: `net.relu()`."""

ALONG_AN_AXIS = frozenset({"softmax", "softmin", "log_softmax"})
"""Those that torch wants an axis for; ours is the last one where nobody says."""

NEEDS_NUMBERS = frozenset({"threshold"})
"""Those that cannot be had by their name alone."""


def activation_name(value: object) -> str | None:
    """The name of an activation as it is kept; `None` for none (also written `"linear"`).

    >>> activation_name("ReLU")
    'relu'

    Raises:
        UnknownName: with the closest one.
        TypeError: it is no name.
    """
    if value is None or value == "linear":
        return None
    if not isinstance(value, str):
        raise TypeError(f"an activation is a name such as 'relu', not {value!r}")
    name = value if value in ACTIVATIONS else value.lower()
    if name not in ACTIVATIONS or name in NEEDS_NUMBERS:
        raise unknown("activation", value, sorted(set(ACTIVATIONS) - NEEDS_NUMBERS))
    return name
