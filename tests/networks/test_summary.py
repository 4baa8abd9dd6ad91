"""The totals of twenty networks, as torchinfo 1.8 counted them once, and what a row says."""

from __future__ import annotations

import pytest
import torch
from networks.made import OURS, TORCHVISION, foreign

from mlnb.errors import InputError
from mlnb.networks import layers as L
from mlnb.networks.sequential import Sequential
from mlnb.networks.summary import summarize_module

PARAMETERS = {
    "perceptron": 101_770,
    "lenet": 51_902,
    "residuals": 7_620,
    "inception": 24_707,
    "classifier": 6_546,
    "reader": 1_785,
    "transformer": 6_947,
    "generator": 2_737,
    "discriminator": 938,
    "volume": 234,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "vgg11": 132_863_336,
    "mobilenet_v2": 3_504_872,
    "squeezenet1_1": 1_235_496,
    "shufflenet_v2_x0_5": 1_366_792,
    "efficientnet_b0": 5_288_548,
    "densenet121": 7_978_856,
    "vit_b_16": 86_567_656,
    "googlenet": 6_624_904,
}


@pytest.mark.parametrize("name", OURS)
def test_totals_agree_with_torchinfo(name):
    net = OURS[name]()
    summary = net.summary()
    assert summary.total_params == PARAMETERS[name] == net.parameter_count
    assert summary.trainable_params == PARAMETERS[name]


@pytest.mark.parametrize("name", TORCHVISION)
def test_totals_of_torchvisions_agree_with_torchinfo(name):
    pytest.importorskip("torchvision")
    with torch.device("meta"):
        module = foreign(name)
    net = Sequential(module=module)
    assert net.summary().total_params == PARAMETERS[name]
    assert net.summary().trainable_params == PARAMETERS[name]


def test_there_are_twenty_of_them():
    assert set(PARAMETERS) == {*OURS, *TORCHVISION}
    assert len(PARAMETERS) == 20


def test_macs_are_those_of_papers():
    pytest.importorskip("torchvision")
    summary = summarize_module(foreign("resnet18"), (torch.zeros(1, 3, 224, 224),))
    assert summary.macs == 1_814_073_344  # 1.8 G, He et al. 2015, table 1


def test_macs_of_layers_counted_by_hand():
    assert Sequential((784,)).dense(10).summary().macs == 7840
    assert Sequential((5, 8)).dense(10).summary().macs == 5 * 80
    assert Sequential((3, 8, 8)).conv2d(4, 3, padding=1).summary().macs == 64 * 4 * 27
    assert Sequential((3, 8, 8)).conv_transpose2d(4, 2, stride=2).summary().macs == 64 * 3 * 16
    assert Sequential((7, 6)).lstm(5).summary().macs == 7 * 20 * (6 + 5)
    assert Sequential((7, 6)).multihead_attention(2).summary().macs == 4 * 7 * 36 + 2 * 49 * 6
    assert Sequential((7, 6)).relu().summary().macs == 0


def test_a_row_for_each_module_and_rows_add_up():
    net = Sequential((1, 28, 28)).conv2d(32, 3, "relu").flatten().dense(10)
    rows = net.summary().layers
    assert [row.name for row in rows] == ["conv2d", "conv2d_relu", "flatten", "dense"]
    assert [row.output for row in rows] == [(32, 26, 26), (32, 26, 26), (21632,), (10,)]
    assert [row.params for row in rows] == [320, 0, 0, 216_330]
    assert net.summary().nbytes == 4 * (320 + 216_330)
    assert net.summary().activation_bytes == 4 * (3 * 21632 + 10)


def test_tied_weights_count_once():
    net = Sequential((8,)).dense(8).dense(8)
    net.module.dense_2.weight = net.module.dense.weight
    assert net.summary().total_params == 8 * 8 + 8 + 8
    assert [row.params for row in net.summary().layers] == [72, 8]


def test_frozen_weights_do_not_train():
    summary = Sequential((8,)).dense(4).dense(2).freeze("dense").summary()
    assert summary.trainable_params == 10
    assert "10 train" in summary.line


def test_text_html_and_table_say_the_same():
    net = Sequential((1, 8, 8), name="lenet").conv2d(4, 3, "relu").residual(L.dropout(0.1))
    summary = net.summary()
    text = repr(summary)
    assert text.splitlines()[0].split() == [
        "layer",
        "kind",
        "output",
        "shape",
        "parameters",
        "MACs",
        "memory",
    ]
    assert "conv2d       Conv2d" in text
    assert "[4, 6, 6]" in text
    assert text.splitlines()[-1].startswith("2 layers · 40 parameters · 160 B · 1,296 MACs")
    html = summary._repr_html_()
    assert html == net._repr_html_()
    assert "<td" in html
    assert "Conv2d" in html
    assert list(summary.to_frame()["params"]) == [row.params for row in summary.layers]


def test_names_in_html_are_escaped():
    net = Sequential((3,)).dense(2, name="<img src=x>")
    assert "<img" not in net.summary()._repr_html_()


def test_looking_leaves_modes_buffers_and_randomness_alone():
    net = Sequential((3, 8, 8)).conv2d(4, 3).batch_norm().dropout(0.5)
    net.module.batch_norm.eval()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = torch.get_rng_state()
    net.summary()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert [m.training for m in net.module] == [True, False, True]


def test_without_a_shape_the_weights_alone_are_counted_until_a_sample_comes():
    net = Sequential(module=torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)))
    assert net.summary().layers[0].output is None
    assert net.summary(torch.zeros(5, 3, 8, 8)).layers[0].output == (4, 6, 6)
    assert Sequential().dense(3).summary().total_params == 0
    with pytest.raises(InputError, match=r"fails on the sample: .*channels"):
        net.summary(torch.zeros(5, 2, 8, 8))
    with pytest.raises(InputError, match="Input sample expects numbers; received str"):
        net.summary("x")
