"""Twenty networks, each made by a function: those of ours, and torchvision's without weights."""

from __future__ import annotations

from functools import partial

from torch import nn

from mlnb.networks import layers as L
from mlnb.networks.sequential import Sequential


def perceptron():
    return Sequential((784,)).dense(128, "relu").dropout(0.2).dense(10)


def lenet():
    net = Sequential((1, 28, 28)).conv2d(6, 5, "tanh", padding=2).avg_pool2d(2)
    return net.conv2d(16, 5, "tanh").avg_pool2d(2).flatten().dense(120, "tanh").dense(10)


def residuals():
    body = Sequential().conv2d(16, 3, padding=1).batch_norm("relu").conv2d(16, 3, padding=1)
    return (
        Sequential((3, 16, 16)).residual(body, "relu").residual(body).global_avg_pool2d().dense(4)
    )


def inception():
    ways = [L.conv2d(8, 1, "relu"), Sequential().conv2d(4, 1).conv2d(8, 3, padding=1), []]
    return Sequential((3, 16, 16)).branches(ways).group_norm(1).flatten().dense(5)


def classifier():
    return Sequential((20,)).embedding(100, 16).gru(12, 2, bidirectional=True).dense(2)


def reader():
    return Sequential((20, 6)).lstm(16, returns="all").layer_norm().rnn(8).dense(1, "sigmoid")


def transformer():
    net = Sequential((12,)).embedding(50, 16).positional_encoding()
    net.repeat(2, L.transformer_encoder_layer(4, 32))
    return net.residual([L.layer_norm(), L.multihead_attention(2)]).flatten().dense(3)


def generator():
    net = (
        Sequential((16,))
        .dense(128, "relu")
        .reshape(8, 4, 4)
        .conv_transpose2d(4, 4, stride=2, padding=1)
    )
    return net.batch_norm("relu").upsample(2).conv2d(1, 3, "tanh", padding=1)


def discriminator():
    net = Sequential((1, 16, 16)).conv2d(8, 4, "leaky_relu", stride=2, padding=1)
    return net.separable_conv2d(16, 3, "prelu").flatten().dropout(0.3).dense(1)


def volume():
    return Sequential((1, 8, 8, 8)).conv3d(4, 3).depthwise_conv3d(3).global_max_pool3d().dense(2)


OURS = {
    make.__name__: make
    for make in (
        perceptron, lenet, residuals, inception, classifier, reader, transformer, generator,
        discriminator, volume,
    )
}  # fmt: skip

PICTURE, SMALL = (3, 224, 224), (3, 64, 64)
TORCHVISION = {
    "resnet18": SMALL,
    "resnet50": SMALL,
    "vgg11": PICTURE,
    "mobilenet_v2": SMALL,
    "squeezenet1_1": SMALL,
    "shufflenet_v2_x0_5": SMALL,
    "efficientnet_b0": SMALL,
    "densenet121": SMALL,
    "vit_b_16": PICTURE,
    "googlenet": SMALL,
}


def foreign(name) -> nn.Module:
    import torchvision

    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return getattr(torchvision.models, name)(weights=None, **options)


MAKERS = {**OURS, **{name: partial(foreign, name) for name in TORCHVISION}}
