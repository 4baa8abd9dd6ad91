"""Blocks against the same written by hand, and how many lines a known architecture takes."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from mlnb.networks import layers as L
from mlnb.networks.layers import layer
from mlnb.networks.sequential import Sequential


def resnet():
    net = Sequential(input_shape=(3, 64, 64))
    net.conv2d(64, 7, stride=2, padding=3, bias=False).batch_norm("relu")
    net.max_pool2d(3, 2, padding=1)
    for stage, channels in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            body = Sequential().conv2d(channels, 3, stride=stride, padding=1, bias=False)
            body.batch_norm("relu").conv2d(channels, 3, padding=1, bias=False).batch_norm()
            net.residual(body, "relu")
    return net.global_avg_pool2d().dense(1000)


def inception():
    return Sequential(input_shape=(192, 28, 28)).branches(
        [
            Sequential().conv2d(64, 1, "relu"),
            Sequential().conv2d(96, 1, "relu").conv2d(128, 3, "relu", padding=1),
            Sequential().conv2d(16, 1, "relu").conv2d(32, 5, "relu", padding=2),
            Sequential().max_pool2d(3, 1, padding=1).conv2d(32, 1, "relu"),
        ]
    )


def encoder():
    attention = Sequential().layer_norm().multihead_attention(4).dropout(0.1)
    feedforward = Sequential().layer_norm().dense(128, "gelu").dropout(0.1).dense(32)
    net = Sequential(input_shape=(20,)).embedding(1000, 32).positional_encoding()
    net.repeat(3, [L.residual(attention), L.residual(feedforward)])
    return net.layer_norm().permute(1, 0).global_avg_pool1d().dense(2)


@pytest.mark.parametrize("build", [resnet, inception, encoder])
def test_a_known_architecture_takes_under_25_lines(build):
    assert len(inspect.getsource(build).splitlines()) < 25


def test_the_resnet_has_the_weights_of_torchvisions_and_gives_the_same():
    torchvision = pytest.importorskip("torchvision")
    net, reference = resnet(), torchvision.models.resnet18(weights=None)
    state = net.state_dict()
    assert [t.shape for t in state.values()] == [t.shape for t in _in_our_order(reference)]
    net.load_state_dict(dict(zip(state, _in_our_order(reference), strict=True)))
    x = torch.randn(2, 3, 64, 64)
    net.module.eval()
    reference.eval()
    with torch.no_grad():
        assert torch.allclose(net(x), reference(x), atol=1e-5)


def _in_our_order(reference):
    """torchvision's weights; in a block the short way comes last there as well."""
    return list(reference.state_dict().values())


def test_the_inception_block_is_that_of_the_paper():
    net = inception()
    assert net.output_shape == (256, 28, 28)
    assert net.parameter_count == 163_696
    assert "branches" in repr(net.module)


def test_the_encoder_learns_something_of_every_part():
    net = encoder()
    net(torch.randint(0, 1000, (4, 20))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net.output_shape == (2,)


def test_residual_adds_the_input():
    torch.manual_seed(0)
    by_hand = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    torch.manual_seed(0)
    net = Sequential((8,)).residual([layer("dense", 8, "relu")], "tanh")
    x = torch.randn(3, 8)
    assert torch.equal(net(x), torch.tanh(by_hand(x) + x))


def test_residual_projects_pictures_with_the_stride_that_is_needed():
    net = Sequential((3, 9, 9)).residual(Sequential().conv2d(8, 3, stride=2, padding=1))
    short = net["residual"].shortcut
    assert repr(short[0]) == "Conv2d(3, 8, kernel_size=(1, 1), stride=(2, 2), bias=False)"
    assert isinstance(short[1], nn.BatchNorm2d)
    assert net.output_shape == (8, 5, 5)


def test_residual_projects_vectors_and_sequences_by_a_dense_layer():
    assert repr(Sequential((8,)).residual(L.dense(3))["residual"].shortcut) == (
        "Linear(in_features=8, out_features=3, bias=False)"
    )
    assert Sequential((5, 8)).residual(L.dense(3)).output_shape == (5, 3)


def test_residual_takes_a_shortcut_of_ones_own():
    net = Sequential((3, 8, 8)).residual(L.conv2d(4, 3, padding=1), shortcut=L.conv2d(4, 1))
    assert isinstance(net["residual"].shortcut, nn.Sequential)
    assert len(net["residual"].shortcut) == 1


def test_branches_stand_side_by_side_and_an_empty_one_hands_on():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 1)
    torch.manual_seed(0)
    net = Sequential((3, 5, 5)).branches([L.conv2d(4, 1), []])
    x = torch.randn(2, 3, 5, 5)
    assert torch.equal(net(x), torch.cat((conv(x), x), 1))


def test_branches_are_added():
    torch.manual_seed(0)
    first, second = nn.Linear(6, 4), nn.Linear(6, 4)
    torch.manual_seed(0)
    net = Sequential((6,)).branches(
        [
            L.dense(4),
            L.dense(4),
        ],
        merge="add",
    )
    x = torch.randn(2, 6)
    assert torch.equal(net(x), first(x) + second(x))


def test_branches_join_features_of_sequences_where_that_is_said():
    net = Sequential((5, 6)).branches([L.dense(4), L.dense(2)], dim=-1)
    assert net.output_shape == (5, 6)


def test_repeat_makes_weights_anew_each_time():
    torch.manual_seed(0)
    by_hand = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU())
    torch.manual_seed(0)
    net = Sequential((6,)).repeat(2, L.dense(6, "relu"))
    x = torch.randn(2, 6)
    assert torch.equal(net(x), by_hand(x))


def test_a_chain_is_a_recipe_each_use_of_which_has_weights_of_its_own():
    block = Sequential().dense(6, "relu")
    net = Sequential((6,)).residual(block).residual(block)
    first, second = (net[name].body[0].weight for name in ("residual", "residual_2"))
    assert not torch.equal(first, second)
    assert len(block) == 1


def test_blocks_hold_blocks():
    inner = L.branches([L.dense(3), L.residual(L.dense(3))])
    net = Sequential((4,)).repeat(2, [inner, L.dense(4)])
    assert net.output_shape == (4,)
    assert net.parameter_count == sum(p.numel() for p in net.module.parameters())


def test_positions_may_be_learned():
    net = Sequential((7, 8)).positional_encoding(16, learned=True)
    assert net.parameter_count == 16 * 8


def test_attention_reads_a_second_sequence_in_a_network():
    from mlnb.networks.network import Input, Network

    a, b = Input((5, 8), "a"), Input((7, 6), "b")
    net = Network([a, b], a.multihead_attention(b, 2))
    torch.manual_seed(0)
    x, y = torch.randn(2, 5, 8), torch.randn(2, 7, 6)
    attention = net["multihead_attention"].attention
    assert attention.kdim == 6
    assert torch.equal(net(x, y), attention(x, y, y, need_weights=False)[0])
