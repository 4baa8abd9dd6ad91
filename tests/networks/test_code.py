"""The printed source, executed alone, is the same network."""

from __future__ import annotations

import ast

import pytest
import torch
from networks.made import OURS
from torch import nn

from mlnb.errors import LayerError
from mlnb.networks.network import Input, Network
from mlnb.networks.sequential import Sequential


def run(source):
    names: dict = {}
    exec(compile(source, "<code>", "exec"), names)
    return names["module"]


@pytest.mark.parametrize("name", OURS)
def test_the_source_makes_an_equal_network_with_the_same_seed(name):
    torch.manual_seed(0)
    net = OURS[name]()
    source = net.code()
    torch.manual_seed(0)
    module = run(source)
    state = module.state_dict()
    assert list(state) == list(net.state_dict())
    assert all(torch.equal(state[k], v) for k, v in net.state_dict().items())
    module.load_state_dict(net.state_dict())
    x = torch.randn(3, *net.input_shape)
    x = x.abs().long() if net.input_dtype == torch.int64 else x
    module.eval()
    net.module.eval()
    assert torch.equal(module(x), net(x))


@pytest.mark.parametrize("name", OURS)
def test_the_source_needs_torch_alone(name):
    tree = ast.parse(OURS[name]().code())
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported <= {"__future__", "collections", "collections.abc", "torch"}


def test_the_source_is_what_one_would_write():
    net = Sequential((1, 28, 28)).conv2d(32, 3, "relu", padding=1).max_pool2d(2).flatten().dense(10)
    assert net.code().partition("module = ")[2] == (
        "nn.Sequential(OrderedDict([\n"
        '    ("conv2d", nn.Conv2d(1, 32, 3, padding=1)),\n'
        '    ("conv2d_relu", nn.ReLU()),\n'
        '    ("max_pool2d", nn.MaxPool2d(2)),\n'
        '    ("flatten", nn.Flatten()),\n'
        '    ("dense", nn.Linear(6272, 10)),\n'
        "]))\n"
    )


def test_a_network_is_printed_as_a_class_whose_forward_names_every_step():
    a, b = Input((8,), "a"), Input((4,), "class")
    net = Network([a, b], {"y": a.dense(3, "relu") + b.dense(3), "z": a})
    torch.manual_seed(1)
    module = run(net.code())
    module.load_state_dict(dict(net.state_dict().items()))
    x, y = torch.randn(2, 8), torch.randn(2, 4)
    assert torch.equal(module(x, y)["y"], net(x, y)["y"])
    assert "def forward(self, a, x_class):" in net.code()


def test_a_layer_of_torch_that_was_added_prints_itself():
    net = Sequential((8,)).add(nn.Linear(8, 3, bias=False)).add(torch.tanh)
    torch.manual_seed(0)
    module = run(net.code())
    module.load_state_dict(net.state_dict())
    x = torch.randn(2, 8)
    assert torch.equal(module(x), net(x))


def test_a_module_or_function_of_ones_own_has_no_source():
    class Mine(nn.Module):
        def forward(self, x):
            return x

    with pytest.raises(LayerError, match=r"`mine` is a module of your own \(Mine\)"):
        Sequential((8,)).add(Mine()).code()
    with pytest.raises(LayerError, match="`function` is a function of your own"):
        Sequential((8,)).add(lambda x: x).code()
    assert (
        Sequential(module=nn.Linear(3, 2))
        .code()
        .endswith("module = nn.Linear(in_features=3, out_features=2, bias=True)\n")
    )
    with pytest.raises(LayerError, match="wraps a module"):
        Sequential(module=nn.Sequential(nn.ReLU())).code()
