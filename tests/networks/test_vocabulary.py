"""Every word against the class of torch that it stands for: same seed, equal outputs."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from mlnb.networks.activations import ACTIVATIONS
from mlnb.networks.sequential import Sequential
from mlnb.networks.vocabulary import VOCABULARY

LINE, IMAGE, VOLUME = (6, 10), (6, 8, 8), (6, 5, 6, 6)
SHAPES = {1: LINE, 2: IMAGE, 3: VOLUME}
SEQUENCE, VECTOR, TOKENS = (7, 8), (12,), (9,)


def by_dimension(d):
    """The words that come in three dimensions, each with how it is written in torch."""
    shape, nd = SHAPES[d], f"{d}d"
    of = lambda name: getattr(nn, name + nd)  # noqa: E731
    return [
        (f"conv{nd}", (4, 3), {}, shape, lambda: of("Conv")(6, 4, 3)),
        (
            f"conv{nd}",
            (4, 3),
            {"stride": 2, "padding": 1, "groups": 2, "bias": False},
            shape,
            lambda: of("Conv")(6, 4, 3, stride=2, padding=1, groups=2, bias=False),
        ),
        (
            f"conv{nd}",
            (4, 3, "relu"),
            {"padding": "same", "padding_mode": "circular"},
            shape,
            lambda: nn.Sequential(
                of("Conv")(6, 4, 3, padding="same", padding_mode="circular"), nn.ReLU()
            ),
        ),
        (f"conv{nd}", (4, [3] * d), {}, shape, lambda: of("Conv")(6, 4, (3,) * d)),
        (
            f"conv_transpose{nd}",
            (4, 3),
            {"stride": 2, "output_padding": 1},
            shape,
            lambda: of("ConvTranspose")(6, 4, 3, stride=2, output_padding=1),
        ),
        (f"depthwise_conv{nd}", (3,), {}, shape, lambda: of("Conv")(6, 6, 3, groups=6)),
        (
            f"depthwise_conv{nd}",
            (3, "relu"),
            {"multiplier": 2, "padding": 1},
            shape,
            lambda: nn.Sequential(of("Conv")(6, 12, 3, padding=1, groups=6), nn.ReLU()),
        ),
        (
            f"separable_conv{nd}",
            (9, 3, "gelu"),
            {"padding": 1, "bias": False},
            shape,
            lambda: nn.Sequential(
                of("Conv")(6, 6, 3, padding=1, groups=6, bias=False),
                of("Conv")(6, 9, 1, bias=False),
                nn.GELU(),
            ),
        ),
        (f"max_pool{nd}", (3, 2), {"padding": 1}, shape, lambda: of("MaxPool")(3, 2, padding=1)),
        (
            f"avg_pool{nd}",
            (2,),
            {"ceil_mode": True},
            shape,
            lambda: of("AvgPool")(2, ceil_mode=True),
        ),
        (f"adaptive_max_pool{nd}", (2,), {}, shape, lambda: of("AdaptiveMaxPool")(2)),
        (f"adaptive_avg_pool{nd}", (2,), {}, shape, lambda: of("AdaptiveAvgPool")(2)),
        (
            f"global_max_pool{nd}",
            (),
            {},
            shape,
            lambda: nn.Sequential(of("AdaptiveMaxPool")(1), nn.Flatten()),
        ),
        (
            f"global_avg_pool{nd}",
            (),
            {},
            shape,
            lambda: nn.Sequential(of("AdaptiveAvgPool")(1), nn.Flatten()),
        ),
        (
            f"batch_norm{nd}",
            ("relu",),
            {"momentum": 0.2},
            shape,
            lambda: nn.Sequential(of("BatchNorm")(6, momentum=0.2), nn.ReLU()),
        ),
        (
            f"instance_norm{nd}",
            (),
            {"affine": True},
            shape,
            lambda: of("InstanceNorm")(6, affine=True),
        ),
        ("batch_norm", (), {}, shape, lambda: of("BatchNorm")(6)),
        ("instance_norm", (), {}, shape, lambda: of("InstanceNorm")(6)),
        (f"dropout{nd}", (0.3,), {}, shape, lambda: of("Dropout")(0.3)),
        (f"zero_pad{nd}", (1,), {}, shape, lambda: of("ZeroPad")(1)),
        (f"reflection_pad{nd}", (1,), {}, shape, lambda: of("ReflectionPad")(1)),
        (f"replication_pad{nd}", (1,), {}, shape, lambda: of("ReplicationPad")(1)),
    ]


class Last(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        _, state = self.layer(x)
        state = state[0] if isinstance(state, tuple) else state
        if self.layer.bidirectional:
            return torch.cat((state[-2], state[-1]), 1)
        return state[-1]


class All(Last):
    def forward(self, x):
        return self.layer(x)[0]


class Itself(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x, x, x, need_weights=False)[0]


RECURRENT = [
    (
        "rnn",
        (5,),
        {"nonlinearity": "relu"},
        SEQUENCE,
        lambda: Last(nn.RNN(8, 5, nonlinearity="relu", batch_first=True)),
    ),
    ("rnn", (5,), {"returns": "all"}, SEQUENCE, lambda: All(nn.RNN(8, 5, batch_first=True))),
    ("lstm", (5,), {}, SEQUENCE, lambda: Last(nn.LSTM(8, 5, batch_first=True))),
    (
        "lstm",
        (5, 2),
        {"bidirectional": True, "proj_size": 3},
        SEQUENCE,
        lambda: Last(nn.LSTM(8, 5, 2, bidirectional=True, proj_size=3, batch_first=True)),
    ),
    ("gru", (5,), {"num_layers": 2}, SEQUENCE, lambda: Last(nn.GRU(8, 5, 2, batch_first=True))),
    (
        "gru",
        (5,),
        {"bidirectional": True, "returns": "all"},
        SEQUENCE,
        lambda: All(nn.GRU(8, 5, bidirectional=True, batch_first=True)),
    ),
]

OTHERS = [
    ("dense", (5,), {}, VECTOR, lambda: nn.Linear(12, 5)),
    (
        "dense",
        (5, "tanh"),
        {"bias": False},
        SEQUENCE,
        lambda: nn.Sequential(nn.Linear(8, 5, bias=False), nn.Tanh()),
    ),
    ("dense", (5, "softmax"), {}, VECTOR, lambda: nn.Sequential(nn.Linear(12, 5), nn.Softmax(-1))),
    ("batch_norm", (), {}, VECTOR, lambda: nn.BatchNorm1d(12)),
    (
        "layer_norm",
        ("gelu",),
        {"eps": 1e-3},
        SEQUENCE,
        lambda: nn.Sequential(nn.LayerNorm(8, eps=1e-3), nn.GELU()),
    ),
    ("layer_norm", (), {"axes": 3}, IMAGE, lambda: nn.LayerNorm((6, 8, 8))),
    ("rms_norm", (), {}, SEQUENCE, lambda: nn.RMSNorm(8)),
    ("group_norm", (3, "relu"), {}, IMAGE, lambda: nn.Sequential(nn.GroupNorm(3, 6), nn.ReLU())),
    ("local_response_norm", (3,), {}, IMAGE, lambda: nn.LocalResponseNorm(3)),
    ("dropout", (0.2,), {}, VECTOR, lambda: nn.Dropout(0.2)),
    ("alpha_dropout", (), {"p": 0.2}, VECTOR, lambda: nn.AlphaDropout(0.2)),
    ("feature_alpha_dropout", (0.2,), {}, IMAGE, lambda: nn.FeatureAlphaDropout(0.2)),
    ("flatten", (), {}, IMAGE, lambda: nn.Flatten()),
    ("flatten", (2,), {}, IMAGE, lambda: nn.Flatten(2)),
    ("reshape", (8, 8, -1), {}, IMAGE, lambda: Reshaped(8, 8, -1)),
    ("permute", (2, 0, 1), {}, IMAGE, lambda: Permuted(0, 3, 1, 2)),
    ("upsample", (2,), {}, IMAGE, lambda: nn.Upsample(scale_factor=2)),
    (
        "upsample",
        (),
        {"size": [5, 5], "mode": "bilinear"},
        IMAGE,
        lambda: nn.Upsample((5, 5), mode="bilinear"),
    ),
    ("pixel_shuffle", (2,), {}, (8, 4, 4), lambda: nn.PixelShuffle(2)),
    ("pixel_unshuffle", (2,), {}, IMAGE, lambda: nn.PixelUnshuffle(2)),
    ("channel_shuffle", (3,), {}, IMAGE, lambda: nn.ChannelShuffle(3)),
    ("identity", (), {}, VECTOR, lambda: nn.Identity()),
    ("embedding", (20, 4), {"padding_idx": 0}, TOKENS, lambda: nn.Embedding(20, 4, padding_idx=0)),
    ("embedding_bag", (20, 4), {"mode": "sum"}, TOKENS, lambda: nn.EmbeddingBag(20, 4, mode="sum")),
    (
        "multihead_attention",
        (2,),
        {},
        SEQUENCE,
        lambda: Itself(nn.MultiheadAttention(8, 2, batch_first=True)),
    ),
    (
        "transformer_encoder_layer",
        (2,),
        {"dim_feedforward": 16, "activation": "gelu", "norm_first": True},
        SEQUENCE,
        lambda: nn.TransformerEncoderLayer(
            8, 2, 16, activation="gelu", norm_first=True, batch_first=True
        ),
    ),
    ("positional_encoding", (), {}, SEQUENCE, lambda: Sines()),
]

PARAMETERS = {"threshold": (0.1, 20.0)}
ALONG = {"softmax": (-1,), "log_softmax": (-1,), "softmin": (-1,)}
ACTIVE = [
    (
        name,
        PARAMETERS.get(name, ()),
        {},
        IMAGE,
        lambda name=name, cls=cls: cls(*PARAMETERS.get(name, ALONG.get(name, ()))),
    )
    for name, cls in ACTIVATIONS.items()
]


class Reshaped(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.sizes = sizes

    def forward(self, x):
        return x.reshape(len(x), *self.sizes)


class Permuted(Reshaped):
    def forward(self, x):
        return x.permute(*self.sizes)


class Sines(nn.Module):
    def forward(self, x):
        """The formula of the paper, number by number."""
        out = x.clone()
        for position in range(x.shape[1]):
            for i in range(0, x.shape[2], 2):
                angle = torch.tensor(position / 10000 ** (i / x.shape[2]))
                out[:, position, i] += torch.sin(angle)
                out[:, position, i + 1] += torch.cos(angle)
        return out


CASES = [*by_dimension(1), *by_dimension(2), *by_dimension(3), *RECURRENT, *OTHERS, *ACTIVE]
SEVERAL = {"bilinear", "transformer_decoder_layer", "concat", "sum", "product"}


def fed(word, shape):
    torch.manual_seed(1)
    if word.startswith("embedding"):
        return torch.randint(0, 20, (3, *shape))
    return torch.randn(3, *shape)


@pytest.mark.parametrize(
    ("word", "args", "options", "shape", "written"),
    CASES,
    ids=[f"{case[0]}-{at}" for at, case in enumerate(CASES)],
)
def test_a_word_gives_what_its_class_gives(word, args, options, shape, written):
    torch.manual_seed(0)
    reference = written()
    torch.manual_seed(0)
    net = Sequential(input_shape=shape)
    getattr(net, word)(*args, **options)
    x = fed(word, shape)
    for mode in (True, False):
        reference.train(mode)
        net.module.train(mode)
        torch.manual_seed(2)
        expected = reference(x)
        torch.manual_seed(2)
        assert torch.equal(net.module(x), expected)
    assert net.output_shape == tuple(expected.shape[1:])


def test_every_word_stands_in_the_table_or_has_several_inputs():
    assert {case[0] for case in CASES} | SEVERAL == set(VOCABULARY)


def test_every_activation_of_torch_is_a_word():
    found = set(ACTIVATIONS.values())
    named = nn.modules.activation.__all__
    assert {getattr(nn, name) for name in named} - found == {nn.MultiheadAttention}


@pytest.mark.parametrize("word", VOCABULARY)
def test_a_word_takes_every_keyword_of_its_class_that_is_not_inferred(word):
    known = VOCABULARY[word]
    taken = set(known.signature.parameters)
    hidden = {
        *known.sizes,
        *known.fixed,
        *known.without,
        "device",
        "dtype",
        "inplace",
        "return_indices",
        "_weight",
        "_freeze",
        "args",
        "kwargs",
    }
    if not issubclass(known.target, nn.RNNBase):
        assert set(inspect.signature(known.target).parameters) - hidden <= taken


@pytest.mark.parametrize("word", VOCABULARY)
def test_every_word_is_a_method_with_help(word):
    method = getattr(Sequential, word)
    assert VOCABULARY[word].target.__name__ in method.__doc__
    assert inspect.signature(method).parameters


def test_the_signature_shows_what_one_writes():
    shown = str(inspect.signature(Sequential((1, 8, 8)).conv2d).replace(return_annotation="x"))
    assert shown.startswith("(out_channels, kernel_size, activation=None, *, stride")


def test_the_activation_stands_behind_the_layer_under_its_name():
    net = Sequential(input_shape=(1, 8, 8)).conv2d(4, 3, "leaky_relu")
    assert list(dict(net.module.named_children())) == ["conv2d", "conv2d_leaky_relu"]


def test_names_of_activations_are_taken_in_any_case_and_none_is_none():
    assert isinstance(Sequential((4,)).dense(2, "ReLU")["dense_relu"], nn.ReLU)
    assert len(Sequential((4,)).dense(2, "linear").module) == 1
