"""Shapes and dtypes that Keras layers give, for where the file does not write them down.

A Keras 3 file tells the shape of every tensor that a layer reads, so that only the model's outputs
are open; a Keras 2 file tells none but the inputs. What is not in the table here stays unknown.

The rules: each layer's `compute_output_shape`, https://keras.io/api/layers/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlnb.formats.keras.config import Layer

Shape = tuple[int | None, ...]
Config = Mapping[str, Any]
Rule = Callable[[Config, Shape], Shape | None]


def output_shape(layer: str, config: Config, inputs: Sequence[Shape | None]) -> Shape | None:
    """The shape that a layer gives; `None` where there is no rule, or the config fits none.

    >>> output_shape("Dense", {"units": 10}, [(None, 784)])
    (None, 10)

    Args:
        layer: the class's name.
        config: as the file has it.
        inputs: the shapes that it reads, in order, with `None` for unknown ones.
    """
    if not inputs or inputs[0] is None:
        return None
    try:
        if layer in _MERGING:
            return _merged(inputs)
        if layer in ("Concatenate", "Concat"):
            return _concatenated(config, inputs)
        rule = _RULES.get(layer)
        return inputs[0] if layer in _UNCHANGED else rule(config, inputs[0]) if rule else None
    except (TypeError, ValueError, KeyError, IndexError, ZeroDivisionError, AttributeError):
        return None


def output_dtype(layer: Layer, read: str) -> str:
    """The dtype that a layer gives: its own, or that of what it reads, where it computes nothing.

    Args:
        layer: its entry.
        read: the dtype of its first input, or `"unknown"`.
    """
    operation = str(layer.entry.get("module")).startswith("keras.src.ops")
    if read != "unknown" and (operation or (layer.kind in _KEEPING and "float" not in read)):
        return read
    return layer.dtype


_KEEPING_TEXT = (
    "Flatten Reshape Permute RepeatVector Identity Concatenate ZeroPadding1D ZeroPadding2D "
    "Cropping1D Cropping2D UpSampling2D Add Subtract Multiply Maximum Minimum"
)
_KEEPING = frozenset(_KEEPING_TEXT.split())
"""Layers that leave integers what they are."""

_UNCHANGED_TEXT = (
    "Activation ReLU LeakyReLU PReLU ELU Softmax ThresholdedReLU Relu Relu6 Sigmoid Tanh Gelu "
    "Silu Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise "
    "GaussianDropout AlphaDropout BatchNormalization SyncBatchNormalization LayerNormalization "
    "GroupNormalization UnitNormalization RMSNormalization SpectralNormalization Normalization "
    "Rescaling Masking ActivityRegularization Identity RandomFlip RandomRotation RandomZoom "
    "RandomContrast RandomBrightness RandomTranslation MultiHeadAttention "
    "MultiHeadSelfAttention Cast Exp Log Negative Absolute Sqrt Square"
)
_UNCHANGED = frozenset(_UNCHANGED_TEXT.split())
_MERGING_TEXT = "Add Subtract Multiply Average Maximum Minimum Divide TrueDivide Power"
_MERGING = frozenset(_MERGING_TEXT.split())


def _merged(inputs: Sequence[Shape | None]) -> Shape | None:
    """Broadcast, as NumPy does it."""
    known = [shape for shape in inputs if shape is not None]
    if len(known) < len(inputs):
        return None
    rank = max(len(shape) for shape in known)
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    return tuple(_broadcast(column) for column in zip(*padded, strict=True))


def _broadcast(column: Sequence[int | None]) -> int | None:
    larger = [size for size in column if size != 1]
    return 1 if not larger else next((size for size in larger if size is not None), None)


def _concatenated(config: Config, inputs: Sequence[Shape | None]) -> Shape | None:
    first, axis = inputs[0], config.get("axis", -1)
    if first is None or any(shape is None or len(shape) != len(first) for shape in inputs):
        return None
    sizes = [shape[axis] for shape in inputs if shape is not None]
    joined = None if None in sizes else sum(size or 0 for size in sizes)
    return _with(first, axis, joined)


def _with(shape: Shape, axis: int, size: int | None) -> Shape:
    axis %= len(shape)
    return (*shape[:axis], size, *shape[axis + 1 :])


def _dense(config: Config, shape: Shape) -> Shape:
    return (*shape[:-1], config["units"])


def _flatten(config: Config, shape: Shape) -> Shape:
    return (shape[0], _product(shape[1:]))


def _product(sizes: Sequence[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == len(sizes) else None


def _reshape(config: Config, shape: Shape) -> Shape:
    if "newshape" in config:  # the function of keras.ops, whose target has the batch in it
        return _filled(config["newshape"], _product(shape))
    return (shape[0], *_filled(config["target_shape"], _product(shape[1:])))


def _filled(sizes: Sequence[int], total: int | None) -> Shape:
    """A target shape with its -1 worked out, where the total is known."""
    rest = prod(size for size in sizes if size != -1)
    return tuple((total // rest if total else None) if size == -1 else size for size in sizes)


def _permuted(config: Config, shape: Shape) -> Shape:
    return (shape[0], *(shape[axis] for axis in config["dims"]))


def _embedded(config: Config, shape: Shape) -> Shape:
    return (*shape, config["output_dim"])


def _repeated(config: Config, shape: Shape) -> Shape:
    return (shape[0], config["n"], *shape[1:])


def _spatial(
    config: Config, shape: Shape, change: Callable[[int, int], int], channels: int | None = None
) -> Shape:
    """Each spatial dimension by `change(size, which)`, and other channels where there are any."""
    first = 2 if config.get("data_format") == "channels_first" else 1
    spatial = shape[first : first + len(shape) - 2]
    sizes = tuple(None if size is None else change(size, i) for i, size in enumerate(spatial))
    if first == 2:
        return (shape[0], channels or shape[1], *sizes)
    return (shape[0], *sizes, channels or shape[-1])


def _numbers(value: Any, count: int) -> list[int]:
    return list(value) if isinstance(value, list | tuple) else [value] * count


def _window(config: Config, shape: Shape, kernel: str, channels: int | None) -> Shape:
    """A convolution or a pooling: a window that moves by strides."""
    rank = len(shape) - 2
    sizes = _numbers(config.get(kernel, config.get("pool_length")), rank)
    strides = config.get("strides") or (sizes if "pool" in kernel else 1)
    steps, dilation = _numbers(strides, rank), _numbers(config.get("dilation_rate", 1), rank)

    def moved(size: int, i: int) -> int:
        covered = (
            1 if config.get("padding") in ("same", "causal") else ((sizes[i] - 1) * dilation[i] + 1)
        )
        return (size - covered) // steps[i] + 1

    return _spatial(config, shape, moved, channels)


def _convolved(config: Config, shape: Shape) -> Shape:
    return _window(config, shape, "kernel_size", config["filters"])


def _depthwise(config: Config, shape: Shape) -> Shape:
    channels = shape[1 if config.get("data_format") == "channels_first" else -1]
    more = None if channels is None else channels * config.get("depth_multiplier", 1)
    return _window(config, shape, "kernel_size", more)


def _pooled(config: Config, shape: Shape) -> Shape:
    return _window(config, shape, "pool_size", None)


def _transposed(config: Config, shape: Shape) -> Shape:
    rank = len(shape) - 2
    kernel, strides = _numbers(config["kernel_size"], rank), _numbers(config["strides"], rank)
    extra = config.get("output_padding")
    same = config.get("padding") == "same"
    if extra is not None:
        return _spatial(config, shape, _no_rule, config["filters"])

    def grown(size: int, i: int) -> int:
        return size * strides[i] + (0 if same else max(kernel[i] - strides[i], 0))

    return _spatial(config, shape, grown, config["filters"])


def _no_rule(size: int, which: int) -> int:
    raise ValueError("output_padding")


def _global(config: Config, shape: Shape) -> Shape:
    first = config.get("data_format") == "channels_first"
    channels = shape[1] if first else shape[-1]
    if not config.get("keepdims"):
        return (shape[0], channels)
    ones = (1,) * (len(shape) - 2)
    return (shape[0], channels, *ones) if first else (shape[0], *ones, channels)


def _bordered(config: Config, shape: Shape) -> Shape:
    """Zero padding adds to both ends of each spatial dimension, cropping takes away."""
    sign, border = (1, config["padding"]) if "padding" in config else (-1, config["cropping"])
    pairs = [_numbers(pair, 2) for pair in _numbers(border, len(shape) - 2)]
    if len(shape) == 3 and isinstance(border, list) and len(border) == 2:
        pairs = [list(border)]
    return _spatial(config, shape, lambda size, i: size + sign * sum(pairs[i]))


def _upsampled(config: Config, shape: Shape) -> Shape:
    factors = _numbers(config["size"], len(shape) - 2)
    return _spatial(config, shape, lambda size, i: size * factors[i])


def _recurrent(config: Config, shape: Shape) -> Shape | None:
    if config.get("return_state"):
        return None
    units = config["units"]
    return (*shape[:2], units) if config.get("return_sequences") else (shape[0], units)


def _both_ways(config: Config, shape: Shape) -> Shape | None:
    inner = output_shape(config["layer"]["class_name"], config["layer"]["config"], [shape])
    if inner is None or config.get("merge_mode", "concat") is None:
        return None
    last = inner[-1]
    double = config.get("merge_mode", "concat") == "concat"
    return (*inner[:-1], last * 2) if double and last is not None else inner


def _distributed(config: Config, shape: Shape) -> Shape | None:
    inside = (shape[0], *shape[2:])
    inner = output_shape(config["layer"]["class_name"], config["layer"]["config"], [inside])
    return None if inner is None else (inner[0], shape[1], *inner[1:])


_RULES: Mapping[str, Rule] = {
    "Dense": _dense,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permuted,
    "Embedding": _embedded,
    "RepeatVector": _repeated,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "SimpleRNN": _recurrent,
    "Bidirectional": _both_ways,
    "TimeDistributed": _distributed,
    **{f"Conv{n}D": _convolved for n in (1, 2, 3)},
    **{f"Convolution{n}D": _convolved for n in (1, 2, 3)},
    **{f"SeparableConv{n}D": _convolved for n in (1, 2)},
    **{f"Conv{n}DTranspose": _transposed for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": _depthwise for n in (1, 2)},
    **{f"{kind}Pooling{n}D": _pooled for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"Global{kind}Pooling{n}D": _global for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"{kind}{n}D": _bordered for kind in ("ZeroPadding", "Cropping") for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _upsampled for n in (1, 2, 3)},
}
