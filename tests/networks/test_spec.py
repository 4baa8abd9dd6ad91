"""The way from Python to a definition and back, and what no definition can hold."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks.made import OURS
from torch import nn

from mlnb.errors import LayerError, MlnbError, UnknownName
from mlnb.networks import layers as L
from mlnb.networks.network import Input, Network
from mlnb.networks.sequential import Sequential


@pytest.mark.parametrize("name", OURS)
def test_a_definition_comes_back_equal_and_builds_the_same(name):
    torch.manual_seed(0)
    net = OURS[name]()
    text = json.dumps(net.spec())
    torch.manual_seed(0)
    again = Sequential.from_spec(text)
    assert again.spec() == net.spec()
    assert again.layers == net.layers
    assert all(torch.equal(again.state_dict()[k], v) for k, v in net.state_dict().items())


def test_a_definition_is_what_one_reads():
    net = Sequential((1, 8, 8), "lenet").conv2d(4, (3, 3), "relu").residual(L.dropout(0.1), "relu")
    net.loss("cross_entropy").optimizer("sgd", lr=0.1, momentum=0.9).metrics("accuracy")
    assert net.spec() == {
        "format": "mlnb.sequential",
        "version": 1,
        "name": "lenet",
        "input_shape": [1, 8, 8],
        "layers": [
            {
                "layer": "conv2d",
                "name": "conv2d",
                "out_channels": 4,
                "kernel_size": [3, 3],
                "activation": "relu",
            },
            {
                "layer": "residual",
                "name": "residual",
                "activation": "relu",
                "layers": [{"layer": "dropout", "p": 0.1}],
            },
        ],
        "training": {
            "loss": "cross_entropy",
            "optimizer": "sgd(momentum=0.9)",
            "lr": 0.1,
            "metrics": ["accuracy"],
        },
    }
    again = Sequential.from_spec(net.spec())
    assert again.settings == net.settings


def test_what_equals_a_default_is_left_out():
    assert L.layer("conv2d", 4, 3, stride=1) == L.layer("conv2d", 4, 3)
    assert L.layer("dense", 4, bias=True).options == {"out_features": 4}


def test_a_network_of_several_inputs_comes_back():
    a, b = Input((6,), "a"), Input((5,), "b", dtype="int64")
    h = a.dense(8, "relu").concat(b.embedding(9, 2).flatten())
    net = Network([a, b], {"y": h.dense(3), "h": h}, name="two")
    torch.manual_seed(0)
    again = Network.from_spec(json.dumps(net.spec()))
    assert again.spec() == net.spec()
    assert again.load_state_dict(net.state_dict())
    x, y = torch.randn(2, 6), torch.randint(0, 9, (2, 5))
    assert torch.equal(again(x, y)["y"], net(x, y)["y"])


def test_a_chain_without_a_shape_comes_back():
    net = Sequential().dense(20, "sigmoid").dense(10)
    again = Sequential.from_spec(net.spec())
    assert again.spec() == net.spec()
    assert again.input_shape is None


activations = st.sampled_from([None, "relu", "gelu", "tanh", "leaky_relu", "prelu"])
sizes = st.integers(1, 6)
simple = st.one_of(
    st.builds(lambda n, a: L.dense(n, a), sizes, activations),
    st.builds(lambda p: L.dropout(p), st.sampled_from([0.0, 0.1, 0.5])),
    st.builds(lambda a: L.batch_norm(a), activations),
    st.builds(lambda a, e: L.layer_norm(a, eps=e), activations, st.sampled_from([1e-5, 1e-3])),
    st.builds(lambda n: L.layer(n), st.sampled_from(["relu", "softmax", "flatten", "identity"])),
    st.builds(lambda n: L.reshape(-1) if n else L.permute(0), st.booleans()),
)
nested = st.recursive(
    st.lists(simple, min_size=1, max_size=3),
    lambda inner: st.lists(
        st.one_of(
            simple,
            st.builds(lambda c, a: L.residual(c, a), inner, activations),
            st.builds(lambda c: L.residual(c, shortcut=c), inner),
            st.builds(lambda cs: L.branches(cs), st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda n, c: L.repeat(n, c), st.integers(1, 3), inner),
        ),
        min_size=1,
        max_size=3,
    ),
    max_leaves=6,
)


@given(nested, st.integers(1, 8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_built_comes_back_from_its_definition_and_its_source(chain, features):
    torch.manual_seed(0)
    net = Sequential(features).add(chain)
    text = json.dumps(net.spec())
    torch.manual_seed(0)
    again = Sequential.from_spec(text)
    assert json.dumps(again.spec()) == text
    assert again.layers == net.layers
    x = torch.randn(2, features)
    net.module.eval()
    again.module.eval()
    assert torch.equal(again(x), net(x))
    names: dict = {}
    torch.manual_seed(0)
    exec(net.code(), names)
    names["module"].eval()
    assert torch.equal(names["module"](x), net(x))


@pytest.mark.parametrize("name", OURS)
def test_the_method_and_the_function_of_a_word_write_the_same(name):
    net = OURS[name]()
    again = Sequential(net.input_shape).add(list(net.layers))
    assert again.layers == net.layers


def test_what_no_definition_can_hold_is_refused_by_name():
    with pytest.raises(LayerError, match="`relu` is a function that was added as it is"):
        Sequential((3,)).add(torch.relu).spec()
    with pytest.raises(LayerError, match="`linear` is a module that was added as it is"):
        Sequential((3,)).add(nn.Linear(3, 3)).spec()
    with pytest.raises(LayerError, match="`mine` is a module"):
        Sequential((3,)).residual(Sequential().add(nn.ReLU(), name="mine")).spec()
    with pytest.raises(LayerError, match="wraps a module"):
        Sequential(module=nn.ReLU()).spec()


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "[]",
        "[" * 100_000,
        "null",
        "{}",
        '{"format": "mlnb.sequential", "version": 99}',
        '{"format": "mlnb.network", "version": 1}',
        {"format": "mlnb.sequential", "version": 1, "layers": {}},
        {"format": "mlnb.sequential", "version": 1, "layers": [{"layer": "__import__"}]},
        {"format": "mlnb.sequential", "version": 1, "layers": [{"layer": 3}]},
        {"format": "mlnb.sequential", "version": 1, "layers": [{"layer": "module"}]},
        {"format": "mlnb.sequential", "version": 1, "layers": [{"layer": "dense", "units": 3}]},
        {"format": "mlnb.sequential", "version": 1, "layers": [], "training": {"step": "x"}},
        {"format": "mlnb.sequential", "version": 1, "layers": [], "input_shape": "ab"},
        {"format": "mlnb.sequential", "version": 1, "layers": [], "extra": 1},
        {
            "format": "mlnb.sequential",
            "version": 1,
            "layers": [{"layer": "repeat", "times": 10**9, "layers": [{"layer": "relu"}]}],
        },
    ],
    ids=range(16),
)
def test_what_is_no_definition_is_refused(spec):
    with pytest.raises(MlnbError) as caught:
        Sequential.from_spec(spec)
    assert "\n" not in str(caught.value)


def test_a_definition_nested_without_end_is_refused():
    layer: dict = {"layer": "relu"}
    for _ in range(500):
        layer = {"layer": "repeat", "times": 1, "layers": [layer]}
    with pytest.raises(LayerError, match="nested too deeply"):
        Sequential.from_spec({"format": "mlnb.sequential", "version": 1, "layers": [layer]})


def test_a_network_with_a_wire_from_nowhere_is_refused():
    spec = Network(a := Input((3,), "a"), a.dense(2)).spec()
    spec["layers"][0]["from"] = ["b"]
    with pytest.raises(UnknownName, match="no layer or input 'b'"):
        Network.from_spec(spec)
