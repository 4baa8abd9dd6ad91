"""A network in the viewer of loaded models."""

from __future__ import annotations

import pytest
import torch
from networks.made import OURS, foreign
from torch import nn

from mlnb.graph.families import family
from mlnb.graph.fold import fold
from mlnb.graph.payload import graph_payload
from mlnb.graph.summary import summarize
from mlnb.networks import layers as L
from mlnb.networks.graph import module_graph
from mlnb.networks.network import Input, Network
from mlnb.networks.sequential import Sequential


def test_layers_are_operations_with_shapes_on_the_edges():
    graph = Sequential((1, 28, 28), "lenet").conv2d(4, 3, "relu").flatten().dense(10).graph
    assert graph.name == "lenet"
    assert [node.op for node in graph.nodes] == ["Conv", "Relu", "Flatten", "Linear"]
    assert graph.inputs == ("input",)
    assert graph.outputs == ("dense",)
    assert graph.value("input").shape == ("N", 1, 28, 28)
    assert graph.value("conv2d").shape == ("N", 4, 26, 26)
    assert graph.value("conv2d/weight").shape == (4, 1, 3, 3)
    assert graph.value("conv2d/weight").initializer
    assert graph.nodes[0].attributes["kernel_size"] == (3, 3)


def test_blocks_are_scopes_and_the_short_way_goes_around():
    body = Sequential().dense(8, "relu").dense(8)
    graph = Sequential((8,)).residual(body).residual(body).dense(2).graph
    add = [node for node in graph.nodes if node.op == "Add"]
    assert add[0].inputs == ("residual/body/dense_2", "input")
    assert add[1].inputs == ("residual_2/body/dense_2", "residual/add")
    assert graph.scope_types[("residual",)] == "Residual"
    labels = [group.label for group in fold(graph).root.groups]
    assert labels == ["2 × Residual"]


def test_branches_come_together_in_one_operation():
    graph = Sequential((3, 8, 8)).branches([L.conv2d(4, 1), []]).graph
    assert graph.nodes[-1].op == "Concat"
    assert graph.nodes[-1].inputs == ("branches/branch 1/conv2d", "input")
    assert graph.value("branches/concat").shape == ("N", 7, 8, 8)


@pytest.mark.parametrize("name", OURS)
def test_every_network_folds_and_packs_with_parameters_that_add_up(name):
    net = OURS[name]()
    graph = net.graph
    assert not graph.warnings
    assert all(graph.value(node.outputs[0]).shape is not None for node in graph.nodes)
    assert graph_payload(graph)
    stored = {v.name: v for v in graph.weights}
    assert sum(torch.Size(v.shape).numel() for v in stored.values()) == net.parameter_count


def test_the_summary_of_loaded_models_reads_it_too():
    net = Sequential((1, 28, 28)).conv2d(4, 3).flatten().dense(10)
    assert summarize(net).macs == net.summary().macs
    assert summarize(net).parameters == net.parameter_count


def test_a_network_of_several_inputs_is_wired_as_written():
    a, b = Input((8,), "a"), Input((4,), "b")
    graph = Network([a, b], {"y": a.dense(3, "relu") + b.dense(3), "z": b}).graph
    assert graph.inputs == ("a", "b")
    assert graph.outputs == ("sum", "b")
    assert graph.nodes[-1].inputs == ("dense_relu", "dense_2")


def test_a_foreign_module_is_taken_apart_by_fx():
    pytest.importorskip("torchvision")
    graph = module_graph(foreign("resnet18"), (torch.zeros(2, 3, 64, 64),))
    assert len(graph.nodes) == 69
    assert sum(node.op == "Add" for node in graph.nodes) == 8
    assert graph.scope_types[("layer1", "0")] == "BasicBlock"
    assert graph.value("fc").shape == ("N", 1000)


def test_a_module_whose_flow_depends_on_data_is_one_operation_and_says_so():
    class Choosing(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 3)

        def forward(self, x):
            return self.one(x) if x.sum() > 0 else x

    graph = Sequential((3,)).add(Choosing()).dense(2).graph
    assert [node.op for node in graph.nodes] == ["Choosing", "Linear"]
    assert "Choosing is shown as one operation" in graph.warnings[0]
    assert graph.value("choosing").shape == ("N", 3)


def test_a_weight_that_two_layers_share_is_one_value():
    net = Sequential((8,)).dense(8).dense(8)
    net.module.dense_2.weight = net.module.dense.weight
    assert net.graph.nodes[1].inputs[1] == "dense/weight"


def test_without_a_shape_the_graph_has_none():
    graph = Sequential(module=nn.Sequential(nn.Linear(3, 2), nn.ReLU())).graph
    assert [node.op for node in graph.nodes] == ["Linear", "Relu"]
    assert graph.value("0").shape is None


@pytest.mark.parametrize(
    ("word", "colour"),
    [
        ("conv", "conv"),
        ("dense", "dense"),
        ("relu", "activation"),
        ("batch_norm", "norm"),
        ("max_pool", "pool"),
        ("lstm", "recurrent"),
        ("attention", "attention"),
        ("reshape", "shape"),
    ],
)
def test_operations_have_the_colours_of_loaded_models(word, colour):
    from mlnb.networks.vocabulary import VOCABULARY

    kinds = {w for w in VOCABULARY if word in w and w not in ("separable_conv1d",)}
    from mlnb.networks.graph import op_of

    names = {op_of(VOCABULARY[w].target.__name__) for w in kinds}
    assert colour in {family(name).name for name in names}


def test_the_viewer_shows_it():
    viewer = pytest.importorskip("mlnb.widgets.graph_viewer").GraphViewer(
        Sequential((1, 8, 8)).conv2d(4, 3, "relu").graph
    )
    assert "2 nodes" in repr(viewer)
