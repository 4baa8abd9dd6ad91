"""A network written in sections: what one that is written again replaces, keeps and resets."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from mlnb.errors import LayerError
from mlnb.networks import layers as L
from mlnb.networks.growing import Change
from mlnb.networks.layers import Layer
from mlnb.networks.sections import Section, Sections, matched
from mlnb.networks.sequential import Sequential


def put(net: Sequential, key: str, *layers: Layer) -> Change:
    return Sections.of(net).put(Section(key, "", layers))


def names(net: Sequential) -> list[str]:
    return [layer.name for layer in net.layers]


def test_sections_stand_in_the_order_in_which_they_came():
    net = Sequential((4,))
    put(net, "a", L.dense(3), L.relu())
    assert put(net, "b", L.dense(2)).new == ("dense_2",)
    assert names(net) == ["dense", "relu", "dense_2"]


def test_a_section_that_is_written_again_changes_nothing():
    net = Sequential((4,))
    put(net, "a", L.dense(3), L.relu())
    put(net, "b", L.dense(2))
    module, weights = net.module, [id(p) for p in net.parameters()]
    state = torch.get_rng_state()
    assert put(net, "a", L.dense(3), L.relu()) == Change()
    assert (net.module is module, [id(p) for p in net.parameters()]) == (True, weights)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_stands_behind_a_changed_section_stands_behind_it_anew():
    net = Sequential((4,))
    put(net, "a", L.dense(3))
    put(net, "b", L.relu(), L.dense(2))
    change = put(net, "a", L.dense(5))
    assert change == Change(changed=("relu",), reset=("dense", "dense_2"))
    assert net["dense_2"].in_features == 5


def test_weights_whose_shapes_do_not_change_are_kept():
    net = Sequential((1, 8, 8))
    put(net, "a", L.conv2d(4, 3, padding=1), L.prelu())
    put(net, "b", L.conv2d(2, 3))
    before = [p.clone() for p in net.parameters()]
    change = put(net, "a", L.conv2d(4, 3, stride=2), L.prelu())
    assert (change.reset, change.changed) == ((), ("conv2d", "prelu", "conv2d_2"))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), before, strict=True))
    assert net.output_shape == (2, 1, 1)


def test_a_frozen_layer_stays_frozen_where_it_keeps_its_weights():
    net = Sequential((1, 8, 8))
    put(net, "a", L.conv2d(4, 3))
    net.freeze("conv2d")
    put(net, "a", L.conv2d(4, 3, padding=1))
    assert not any(p.requires_grad for p in net.parameters())


def test_a_layer_put_before_others_does_not_take_their_weights():
    net = Sequential((6,))
    put(net, "a", L.dense(6), L.relu(), L.dense(6))
    first, last = net["dense"].weight, net["dense_2"].weight
    change = put(net, "a", L.tanh(), L.dense(6, "relu"), L.dense(6), L.relu(), L.dense(6))
    assert net["dense_2"].weight is first
    assert net["dense_3"].weight is last
    assert change.new == ("tanh", "dense")
    assert change.reset == ()


def test_names_are_those_of_a_network_that_is_written_at_once():
    net = Sequential((6,))
    put(net, "a", L.dense(6))
    put(net, "b", L.dense(5), L.dense(4))
    put(net, "a", L.relu(), L.dense(6), L.dense(6))
    once = Sequential((6,)).relu().dense(6).dense(6).dense(5).dense(4)
    assert names(net) == names(once)
    assert list(net.state_dict()) == list(once.state_dict())


def test_layers_added_in_python_stay_where_they_are():
    net = Sequential((4,)).dense(4, name="mine")
    put(net, "a", L.relu())
    net.tanh()
    put(net, "b", L.dense(2))
    put(net, "a", L.sigmoid(), L.relu())
    assert names(net) == ["mine", "sigmoid", "relu", "tanh", "dense"]


def test_a_removed_layer_comes_back_when_its_section_is_written_again():
    net = Sequential((4,))
    put(net, "a", L.relu(), L.dropout(0.5))
    put(net, "b", L.dense(2))
    net.remove("dropout")
    assert names(net) == ["relu", "dense"]
    put(net, "a", L.relu(), L.dropout(0.5))
    assert names(net) == ["relu", "dropout", "dense"]


def test_an_emptied_section_keeps_its_place():
    net = Sequential((4,))
    for key, layer in (("a", L.relu()), ("b", L.tanh()), ("c", L.sigmoid())):
        put(net, key, layer)
    put(net, "b")
    assert names(net) == ["relu", "sigmoid"]
    put(net, "b", L.tanh())
    assert names(net) == ["relu", "tanh", "sigmoid"]


def test_one_section_may_stand_for_another():
    net = Sequential((4,))
    put(net, "a", L.relu())
    put(net, "b", L.tanh())
    Sections.of(net).put(Section("new", "", (L.sigmoid(),)), instead_of=("a",))
    assert names(net) == ["sigmoid", "tanh"]
    assert [section.key for section in Sections.of(net)] == ["new", "b"]


def test_a_mistake_changes_nothing_not_even_what_a_section_says():
    net = Sequential((1, 8, 8))
    put(net, "a", L.conv2d(2, 3))
    put(net, "b", L.conv2d(2, 3))
    before, state = list(net.module.children()), torch.get_rng_state()
    with pytest.raises(LayerError, match="conv2d"):
        put(net, "a", L.flatten())
    assert list(net.module.children()) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert put(net, "a", L.conv2d(2, 3)) == Change()


def test_sections_of_a_network_without_a_shape_wait_for_it():
    net = Sequential()
    put(net, "a", L.dense(3))
    put(net, "b", L.dense(2))
    put(net, "a", L.dense(5), L.relu())
    assert [layer.word for layer in net.layers] == ["dense", "relu", "dense"]
    change = Sections.of(net).put(Section("a", "", (L.dense(5),), input_shape=(4,)))
    assert (net.output_shape, names(net)) == ((2,), ["dense", "dense_2"])
    assert change.new == ("dense", "dense_2")


def test_another_input_shape_keeps_what_it_can():
    net = Sequential((1, 8, 8))
    put(net, "a", L.conv2d(4, 3), L.flatten(), L.dense(2))
    weight = net["conv2d"].weight.clone()
    layers = (L.conv2d(4, 3), L.flatten(), L.dense(2))
    change = Sections.of(net).put(Section("a", "", layers, input_shape=(1, 6, 6)))
    assert (net.input_shape, change.reset) == ((1, 6, 6), ("dense",))
    assert torch.equal(net["conv2d"].weight, weight)


def test_somebody_elses_module_never_gets_other_weights():
    net, mine = Sequential((4,)), nn.Linear(4, 4)
    put(net, "a", L.foreign(nn.Linear(4, 4)))
    weight = mine.weight.clone()
    change = put(net, "a", L.foreign(mine))
    assert change.reset == ("linear",)
    assert torch.equal(net["linear"].weight, weight)
    assert net["linear"] is mine


def test_one_recipe_may_stand_in_two_sections():
    net, block = Sequential((4,)), L.dense(4)
    put(net, "a", block, block)
    put(net, "b", block)
    put(net, "a", block)
    assert names(net) == ["dense", "dense_2"]


def test_sections_do_not_keep_a_network_alive():
    net = Sequential((4,))
    put(net, "a", L.relu())
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([L.relu(), L.tanh()], [L.relu(), L.tanh()], [0, 1]),
        ([L.dense(2)], [L.dense(2), L.dense(2)], [0, None]),
        ([L.relu(), L.tanh()], [L.tanh(), L.relu()], [1, 0]),
        ([L.dense(2, name="x"), L.relu()], [L.relu(), L.dense(3, name="x")], [1, 0]),
        ([L.dense(2), L.relu()], [L.dense(3), L.relu()], [0, 1]),
        ([L.dense(2)], [L.conv2d(2, 3)], [None]),
        ([], [L.relu()], [None]),
    ],
)
def test_layers_are_known_again_as_lines_of_a_text_are(old, new, found):
    assert matched(old, new) == found
