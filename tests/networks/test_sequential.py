"""Building, changing and holding a chain."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import LayerError, UnknownName
from mlnb.networks import layers as L
from mlnb.networks.growing import Change
from mlnb.networks.sequential import Sequential


def lenet():
    net = Sequential(input_shape=(1, 28, 28), name="lenet").conv2d(6, 5, "relu").max_pool2d(2)
    return net.flatten().dense(10)


def test_it_holds_an_ordinary_sequential_and_is_none():
    net = lenet()
    assert type(net.module) is nn.Sequential
    assert not isinstance(net, nn.Module)
    assert [type(m).__name__ for m in net.module] == [
        "Conv2d",
        "ReLU",
        "MaxPool2d",
        "Flatten",
        "Linear",
    ]


def test_the_same_seed_gives_the_weights_of_torch():
    torch.manual_seed(3)
    by_hand = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(864, 10)
    )
    torch.manual_seed(3)
    net = lenet()
    x = torch.randn(2, 1, 28, 28)
    assert torch.equal(net(x), by_hand(x))
    assert torch.equal(net.module(x), by_hand(x))


def test_the_dry_batch_draws_nothing():
    class Noisy(nn.Module):
        def forward(self, x):
            return x + torch.rand(1)

    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    Sequential((4,)).add(Noisy()).dropout(0.5).add(lambda x: x * torch.rand(1))
    assert torch.equal(torch.rand(3), expected)


def test_a_line_says_what_it_is():
    assert repr(lenet()) == "Sequential('lenet', [1, 28, 28] -> [10], 4 layers, 8,806 parameters)"
    assert repr(Sequential()) == "Sequential('network', 0 layers, input shape not known yet)"
    assert repr(Sequential(module=nn.Linear(2, 3))) == (
        "Sequential('network', 1 layer, 9 parameters)"
    )


def test_layers_are_found_by_name_and_place():
    net = lenet()
    assert len(net) == 4
    assert isinstance(net["conv2d"], nn.Conv2d)
    assert isinstance(net["conv2d_relu"], nn.ReLU)
    assert net[3] is net["dense"] is list(net)[-1] is net[-1]
    assert "flatten" in net
    assert "relu" not in net


def test_add_takes_words_modules_functions_layers_chains_and_lists():
    block = Sequential().dense(4).relu()
    net = Sequential((4,)).add("dense", 4, "relu").add(nn.Hardtanh()).add(torch.square)
    net.add(L.dense(4)).add(block).add([L.dense(2), "tanh"])
    assert [layer.name for layer in net.layers] == [
        "dense", "hardtanh", "square", "dense_2", "dense_3", "relu", "dense_4", "tanh",
    ]  # fmt: skip
    x = torch.randn(3, 4)
    assert torch.equal(net.module[:4](x), nn.Hardtanh()(net[0](x).relu()).square())


def test_a_name_is_taken_as_it_is_and_counts_skip_it():
    net = Sequential((4,)).dense(3, name="dense_2").dense(3).dense(3)
    assert [layer.name for layer in net.layers] == ["dense_2", "dense", "dense_3"]


def test_names_of_activations_do_not_collide():
    net = Sequential((4,)).dense(3, "relu").dense(3, name="relu").dense(3, "relu")
    names = [name for name, _ in net.module.named_children()]
    assert len(set(names)) == len(names) == 5


def test_of_several_layers_that_are_added_at_once_none_stays_where_one_fails():
    net = Sequential((4,)).dense(4)
    with pytest.raises(LayerError):
        net.add([L.dense(3), L.conv2d(3, 3)])
    assert len(net) == len(net.module) == 1
    net.dense(2)
    assert net.output_shape == (2,)


def test_an_embedding_is_fed_whole_numbers():
    assert Sequential((5,)).embedding(9, 3).input_dtype == torch.int64
    assert Sequential((5,)).repeat(1, L.embedding(9, 3)).input_dtype == torch.int64
    assert Sequential((5,), dtype="int64").flatten().embedding(9, 3).output_shape == (5, 3)
    assert Sequential(5).dense(1).input_dtype == torch.float32
    with pytest.raises(UnknownName, match="no dtype 'int46'"):
        Sequential((5,), dtype="int46")


def test_without_a_shape_layers_wait_for_the_first_data():
    net = Sequential().dense(20, "sigmoid").dense(10)
    with pytest.raises(LayerError, match="not known yet"):
        net.module  # noqa: B018
    torch.manual_seed(0)
    net.build(np.zeros((7, 5)))
    torch.manual_seed(0)
    assert torch.equal(net["dense"].weight, nn.Linear(5, 20).weight)
    assert (net.input_shape, net.output_shape) == ((5,), (10,))


def test_removing_keeps_weights_where_what_comes_stays_the_same():
    net = Sequential((8,)).dense(6, "relu").dropout(0.5).dense(6).dense(3)
    weights = {name: net[name].weight for name in ("dense", "dense_2", "dense_3")}
    module = net.module
    net.remove("dropout")
    assert net.module is module
    assert [name for name, _ in module.named_children()] == [
        "dense",
        "dense_relu",
        "dense_2",
        "dense_3",
    ]
    assert all(net[name].weight is weight for name, weight in weights.items())


def test_a_layer_that_is_fed_otherwise_gets_new_weights_and_is_named():
    net = Sequential((8,)).dense(6).dense(5).dense(3)
    kept, layers = net["dense_3"].weight, list(net.layers)
    assert net.rewrite([layers[1], layers[2]]).reset == ("dense_2",)
    assert net["dense_2"].in_features == 8
    assert net["dense_3"].weight is kept


def test_a_change_that_cannot_be_changes_nothing():
    net = Sequential((1, 8, 8)).flatten().dense(4)
    before = list(net.module.children())
    with pytest.raises(LayerError):
        net.rewrite([*net.layers, L.conv2d(3, 3)])
    assert list(net.module.children()) == before
    with pytest.raises(LayerError):
        Sequential((2, 8)).flatten().add(lambda x: x.reshape(2, 16)).remove("flatten").dense(
            3
        ).conv1d(3, 3)


def test_a_layer_is_taken_out_by_the_name_that_it_will_have():
    net = Sequential().dense(6).dropout(0.5).dense(3)
    assert "dense_2" in net
    with pytest.raises(UnknownName, match="no layer 'dens'; did you mean 'dense'"):
        net.remove("dens")
    assert [given.name for given in net.remove("dense").layers] == ["dropout", "dense_2"]
    assert net.build(torch.zeros(2, 4))["dense_2"].in_features == 4


def test_a_module_that_exists_is_wrapped_as_it_is():
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    net = Sequential(input_shape=(3,), module=module)
    assert net.module is module
    assert len(net) == 2
    assert net[0] is module[0]
    with pytest.raises(LayerError, match="wraps a module"):
        net.dense(3)
    with pytest.raises(LayerError, match=r"expects a torch.nn.Module; received type"):
        Sequential(module=nn.Linear)


def test_freezing_goes_by_layers_and_weights():
    net = Sequential((1, 8, 8)).conv2d(3, 3).conv2d(3, 3).flatten().dense(2)
    net.freeze("conv*")
    trains = {name: p.requires_grad for name, p in net.module.named_parameters()}
    assert [name for name, one in trains.items() if one] == ["dense.weight", "dense.bias"]
    net.unfreeze("conv2d_2", "*.bias")
    assert net.module.conv2d_2.weight.requires_grad
    assert net.module.conv2d.bias.requires_grad
    assert not net.module.conv2d.weight.requires_grad
    assert not any(p.requires_grad for p in net.freeze().parameters())


def test_a_lazy_module_of_torch_gets_its_sizes():
    net = Sequential((8,)).add(nn.LazyLinear(3)).dense(2)
    assert net["dense"].in_features == 3


def test_weights_go_over_from_a_module_built_alike():
    a, b = lenet(), lenet()
    b.load_state_dict(a.state_dict())
    x = torch.randn(1, 1, 28, 28)
    assert torch.equal(a(x), b(x))


def test_a_chain_can_be_copied():
    import copy

    net = lenet()
    twin = copy.deepcopy(net)
    assert torch.equal(twin["dense"].weight, net["dense"].weight)
    assert twin["dense"].weight is not net["dense"].weight


@pytest.mark.slow
def test_building_brings_neither_the_notebook_nor_the_heavy_parts_of_torch():
    code = (
        "import sys\n"
        "from mlnb import Sequential\n"
        "net = Sequential((1, 8, 8)).conv2d(4, 3, 'relu').flatten().dense(2).loss('mse')\n"
        "net.summary(), net.spec(), net.code()\n"
        "heavy = ['torch._dynamo', 'torchvision', 'sklearn', 'plotly', 'IPython', 'ipywidgets']\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert found.stdout.strip() == "[]"


def test_a_network_that_stands_is_a_recipe_for_another_one():
    block = Sequential((4,)).dense(4, "relu")
    net = Sequential((4,)).add(block).add(block)
    assert [layer.name for layer in net.layers] == ["dense", "dense_2"]
    assert not torch.equal(net["dense"].weight, block["dense"].weight)


def test_a_network_of_several_inputs_or_a_wrapped_one_goes_in_with_its_weights():
    from mlnb.networks.network import Input, Network

    a = Input((4,))
    inner = Network(a, a.dense(3))
    wrapped = Sequential(module=nn.Linear(3, 2))
    net = Sequential((4,)).add(inner).add(wrapped)
    assert net[1] is wrapped.module
    assert net.parameter_count == inner.parameter_count + wrapped.parameter_count


def test_writing_the_same_layers_again_keeps_all_weights():
    net = Sequential((4,)).dense(4, "relu").residual(L.dense(4)).dense(2)
    before = [id(p) for p in net.parameters()]
    assert net.rewrite([L.dense(4, "relu"), L.residual(L.dense(4)), L.dense(2)]) == Change()
    assert [id(p) for p in net.parameters()] == before
    assert net.rewrite([L.dense(4, "relu"), L.residual(L.dense(4)), L.dense(3)]).reset == (
        "dense_2",
    )
    assert net.output_shape == (3,)
