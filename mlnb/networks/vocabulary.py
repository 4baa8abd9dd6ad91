"""The words that layers are written in: one word, one class, and what is inferred from the shape.

A word takes the keywords of its class with the class's defaults, `padding=0` among them, so that
torch's manual is the manual. Three things differ: the sizes of the input are inferred, sequences
are [time, features] (`batch_first=True`), and many words take an `activation` after what they need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import Parameter, Signature, signature
from typing import Any

from torch import nn

from mlnb.networks import blocks
from mlnb.networks.activations import ACTIVATIONS, ALONG_AN_AXIS

Axes = tuple[str, ...]

LINE: Axes = ("channels", "length")
IMAGE: Axes = ("channels", "height", "width")
VOLUME: Axes = ("channels", "depth", "height", "width")
SEQUENCE: Axes = ("time", "features")
BY_RANK = {1: LINE, 2: IMAGE, 3: VOLUME}

_NEVER = ("device", "dtype", "_weight", "_freeze", "inplace", "return_indices", "batch_first")


@dataclass(frozen=True)
class Word:
    """One word of the vocabulary.

    Args:
        name: as one writes it, such as `"conv2d"`.
        target: the class that does the work.
        family: what it belongs to: `"conv"`, `"pool"`, `"norm"`, `"recurrent"`, …
        takes: the axes of one sample, batch left out; `None` where any shape will do.
        sizes: the class's keywords that are inferred, with the axis each is read from.
        fixed: the class's keywords that the word decides.
        activation: whether it takes the name of an activation after what it needs.
        inputs: how many tensors it reads.
        own: keywords of the word that its class does not have, with their defaults.
        without: keywords of the class that the word works out.
        first: keywords that may be given by position, in this order, where that is not the class's.
    """

    name: str
    target: type[nn.Module]
    family: str
    takes: Axes | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    activation: bool = False
    inputs: int = 1
    own: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    @cached_property
    def signature(self) -> Signature:
        """What one writes: what is needed, the activation, then the keywords with defaults."""
        hidden = {*_NEVER, *self.sizes, *self.fixed, *self.without}
        found = [p for p in parameters_of(self.target) if p.name not in hidden]
        needed = [p for p in found if p.default is Parameter.empty]
        other = [p for p in found if p.default is not Parameter.empty]
        other.sort(key=lambda p: _place(p.name, self.first))
        other += [_keyword(name, default) for name, default in self.own.items()]
        if self.activation:
            positional = [*needed, _keyword("activation", None)]
            rest = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in other]
        else:
            positional, rest = [*needed, *other], []
        positional = [
            p if p.kind is Parameter.VAR_POSITIONAL else _positional(p) for p in positional
        ]
        return Signature([*positional, *rest])

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The keywords that have no default."""
        empty = Parameter.empty
        kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        parameters = self.signature.parameters.values()
        return tuple(p.name for p in parameters if p.default is empty and p.kind not in kinds)


def parameters_of(target: type[nn.Module]) -> list[Parameter]:
    """The parameters of a class, read where torch hides them behind `*args`."""
    if issubclass(target, nn.RNNBase):
        ours: dict[Any, dict[str, Any]] = {nn.RNN: {"nonlinearity": "tanh"}}
        own = ours.get(target, {"proj_size": 0} if target is nn.LSTM else {})
        base = [p for p in signature(nn.RNNBase).parameters.values() if p.name != "proj_size"][1:]
        return base + [_keyword(name, default) for name, default in own.items()]
    found = [
        p
        for p in signature(target).parameters.values()
        if p.kind is not Parameter.VAR_KEYWORD
        and (p.kind is not Parameter.VAR_POSITIONAL or target in (blocks.Reshape, blocks.Permute))
    ]
    if target in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer):  # it stands as function
        return [p.replace(default="relu") if p.name == "activation" else p for p in found]
    return found


def _place(name: str, first: tuple[str, ...]) -> int:
    return first.index(name) if name in first else len(first)


def _keyword(name: str, default: object) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default)


def _positional(parameter: Parameter) -> Parameter:
    return parameter.replace(kind=Parameter.POSITIONAL_OR_KEYWORD, annotation=Parameter.empty)


def _by_dimension(dimension: int) -> list[Word]:
    """The words that come in one, two and three dimensions."""
    axes, d = BY_RANK[dimension], f"{dimension}d"

    def of(name: str) -> type[nn.Module]:
        found: type[nn.Module] = getattr(nn, f"{name}{d}")
        return found

    channels = {"in_channels": 0}
    features = {"num_features": 0}
    return [
        Word(f"conv{d}", of("Conv"), "conv", axes, channels, activation=True),
        Word(f"conv_transpose{d}", of("ConvTranspose"), "conv", axes, channels, activation=True),
        Word(
            f"depthwise_conv{d}",
            of("Conv"),
            "conv",
            axes,
            channels,
            activation=True,
            own={"multiplier": 1},
            without=("out_channels", "groups"),
        ),
        Word(
            f"separable_conv{d}",
            of("Conv"),
            "conv",
            axes,
            channels,
            activation=True,
            without=("groups",),
        ),
        Word(f"max_pool{d}", of("MaxPool"), "pool", axes),
        Word(f"avg_pool{d}", of("AvgPool"), "pool", axes),
        Word(f"adaptive_max_pool{d}", of("AdaptiveMaxPool"), "pool", axes),
        Word(f"adaptive_avg_pool{d}", of("AdaptiveAvgPool"), "pool", axes),
        Word(f"global_max_pool{d}", of("AdaptiveMaxPool"), "pool", axes, without=("output_size",)),
        Word(f"global_avg_pool{d}", of("AdaptiveAvgPool"), "pool", axes, without=("output_size",)),
        Word(f"batch_norm{d}", of("BatchNorm"), "norm", axes, features, activation=True),
        Word(f"instance_norm{d}", of("InstanceNorm"), "norm", axes, features, activation=True),
        Word(f"dropout{d}", of("Dropout"), "dropout", axes),
        Word(f"zero_pad{d}", of("ZeroPad"), "shape", axes),
        Word(f"reflection_pad{d}", of("ReflectionPad"), "shape", axes),
        Word(f"replication_pad{d}", of("ReplicationPad"), "shape", axes),
    ]


def _recurrent(name: str, target: type[nn.Module]) -> Word:
    sizes, own = {"input_size": -1}, {"returns": "last"}
    fixed = {"batch_first": True}
    return Word(name, target, "recurrent", SEQUENCE, sizes, fixed, own=own)


_FIRST = {"batch_first": True}
_MODEL = {"d_model": -1}
_SHAPE = {"normalized_shape": -1}

_WORDS = [
    Word("dense", nn.Linear, "dense", None, {"in_features": -1}, activation=True),
    Word(
        "bilinear",
        nn.Bilinear,
        "dense",
        None,
        {"in1_features": -1, "in2_features": -1},
        activation=True,
        inputs=2,
    ),
    *(word for dimension in (1, 2, 3) for word in _by_dimension(dimension)),
    Word("batch_norm", nn.BatchNorm2d, "norm", None, {"num_features": 0}, activation=True),
    Word("instance_norm", nn.InstanceNorm2d, "norm", None, {"num_features": 0}, activation=True),
    Word("layer_norm", nn.LayerNorm, "norm", None, _SHAPE, activation=True, own={"axes": 1}),
    Word("rms_norm", nn.RMSNorm, "norm", None, _SHAPE, activation=True, own={"axes": 1}),
    Word("group_norm", nn.GroupNorm, "norm", None, {"num_channels": 0}, activation=True),
    Word("local_response_norm", nn.LocalResponseNorm, "norm"),
    Word("dropout", nn.Dropout, "dropout"),
    Word("alpha_dropout", nn.AlphaDropout, "dropout"),
    Word("feature_alpha_dropout", nn.FeatureAlphaDropout, "dropout"),
    Word("flatten", nn.Flatten, "shape"),
    Word("reshape", blocks.Reshape, "shape"),
    Word("permute", blocks.Permute, "shape"),
    Word("upsample", nn.Upsample, "shape", first=("scale_factor", "size")),
    Word("pixel_shuffle", nn.PixelShuffle, "shape", IMAGE),
    Word("pixel_unshuffle", nn.PixelUnshuffle, "shape", IMAGE),
    Word("channel_shuffle", nn.ChannelShuffle, "shape"),
    Word("identity", nn.Identity, "shape"),
    Word("embedding", nn.Embedding, "embedding"),
    Word("embedding_bag", nn.EmbeddingBag, "embedding", ("tokens",)),
    Word("positional_encoding", blocks.PositionalEncoding, "embedding", SEQUENCE, {"features": -1}),
    _recurrent("rnn", nn.RNN),
    _recurrent("lstm", nn.LSTM),
    _recurrent("gru", nn.GRU),
    Word(
        "multihead_attention",
        nn.MultiheadAttention,
        "attention",
        SEQUENCE,
        {"embed_dim": -1},
        _FIRST,
        without=("kdim", "vdim"),
    ),
    Word(
        "transformer_encoder_layer",
        nn.TransformerEncoderLayer,
        "attention",
        SEQUENCE,
        _MODEL,
        _FIRST,
    ),
    Word(
        "transformer_decoder_layer",
        nn.TransformerDecoderLayer,
        "attention",
        SEQUENCE,
        _MODEL,
        _FIRST,
        inputs=2,
    ),
    Word("concat", blocks.Concat, "merge", inputs=2),
    Word("sum", blocks.Sum, "merge", inputs=2),
    Word("product", blocks.Product, "merge", inputs=2),
    *(
        Word(name, target, "activation", own={"dim": -1}, without=("dim",))
        if name in ALONG_AN_AXIS
        else Word(name, target, "activation")
        for name, target in ACTIVATIONS.items()
    ),
]

VOCABULARY: dict[str, Word] = {word.name: word for word in _WORDS}
"""Every word for a single layer."""

BLOCKS = ("residual", "branches", "repeat")
"""The words for what holds layers."""
