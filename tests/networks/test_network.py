"""The functional style: several inputs and outputs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mlnb.errors import LayerError
from mlnb.networks import layers as L
from mlnb.networks.network import Input, Network, concat
from mlnb.networks.sequential import Sequential


def two():
    a, b = Input((8,), name="a"), Input((4,), name="b")
    h = a.dense(16, "relu").concat(b.dense(16, "relu"))
    return Network(inputs=[a, b], outputs={"y": h.dense(3), "h": h})


class ByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.y = nn.Linear(8, 16), nn.Linear(4, 16), nn.Linear(32, 3)

    def forward(self, a, b):
        h = torch.cat((self.a(a).relu(), self.b(b).relu()), 1)
        return {"y": self.y(h), "h": h}


def test_it_gives_what_the_same_by_hand_gives():
    torch.manual_seed(0)
    reference = ByHand()
    torch.manual_seed(0)
    net = two()
    a, b = torch.randn(5, 8), torch.randn(5, 4)
    for given in (net(a, b), net({"a": a, "b": b}), net(b=b, a=a)):
        assert list(given) == ["y", "h"]
        assert torch.equal(given["y"], reference(a, b)["y"])
        assert torch.equal(given["h"], reference(a, b)["h"])


def test_a_line_says_what_it_is():
    assert repr(two()) == (
        "Network('network', a [8], b [4] -> y [3], h [32], 4 layers, 323 parameters)"
    )


def test_one_output_is_a_tensor():
    a = Input((8,))
    net = Network(a, a.dense(3).softmax())
    assert net(torch.zeros(2, 8)).shape == (2, 3)
    assert list(net.input_shapes) == ["input"]
    assert list(net.outputs) == ["output"]


def test_names_are_those_of_a_chain():
    net = two()
    names = ["dense", "dense_relu", "dense_2", "dense_2_relu", "concat", "dense_3"]
    assert list(net.module.layers) == names
    assert isinstance(net["dense_2"], nn.Linear)
    assert "dense_3" in net


def test_flows_are_added_multiplied_and_joined():
    torch.manual_seed(0)
    a, b = Input((4,), "a"), Input((4,), "b")
    net = Network([a, b], {"sum": a + b, "product": a * b, "both": concat([a, b, a])})
    x, y = torch.randn(2, 4), torch.randn(2, 4)
    out = net(x, y)
    assert torch.equal(out["sum"], x + y)
    assert torch.equal(out["product"], x * y)
    assert torch.equal(out["both"], torch.cat((x, y, x), 1))


def test_bilinear_and_decoder_read_two_flows():
    torch.manual_seed(0)
    bilinear = nn.Bilinear(4, 5, 3)
    torch.manual_seed(0)
    a, b = Input((4,), "a"), Input((5,), "b")
    net = Network([a, b], a.bilinear(b, 3))
    x, y = torch.randn(2, 4), torch.randn(2, 5)
    assert torch.equal(net(x, y), bilinear(x, y))
    torch.manual_seed(0)
    decoder = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True).eval()
    torch.manual_seed(0)
    a, b = Input((6, 8), "a"), Input((9, 8), "b")
    net = Network([a, b], a.transformer_decoder_layer(b, 2, 16))
    net.module.eval()
    x, y = torch.randn(2, 6, 8), torch.randn(2, 9, 8)
    assert torch.equal(net(x, y), decoder(x, y))


def test_one_module_at_two_places_shares_its_weights():
    a, b = Input((4,), "a"), Input((4,), "b")
    shared = nn.Linear(4, 3)
    net = Network([a, b], a.add(shared) + b.add(shared))
    assert net.parameter_count == net.summary().total_params == 15
    x, y = torch.randn(2, 4), torch.randn(2, 4)
    assert torch.equal(net(x, y), shared(x) + shared(y))


def test_blocks_and_chains_and_functions_stand_in_a_network_too():
    a = Input((3, 8, 8), "image")
    h = a.residual(L.conv2d(3, 3, padding=1), "relu").add(Sequential().flatten().dense(4, "tanh"))
    net = Network(a, h.add(torch.mul, h, name="squared"))
    x = torch.randn(2, 3, 8, 8)
    assert net(x).shape == (2, 4)
    assert (net(x) >= 0).all()
    assert "squared" in net


def test_a_given_name_goes_before_one_that_is_chosen():
    a = Input((4,), "dense")
    net = Network(a, a.dense(3).dense(3, name="dense_2").dense(3))
    assert [given.name for given in net.layers] == ["dense_3", "dense_2", "dense_4"]
    with pytest.raises(LayerError, match="Two layers are called `fc`"):
        Network(a, a.dense(3, name="fc").dense(3, name="fc"))
    with pytest.raises(LayerError, match="Two layers are called `dense_2_relu`"):
        Network(a, a.dense(3, "relu").dense(3, name="dense_2_relu"))


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda a: Network(3, a), "of Inputs and what flows from them; received int"),
        (lambda a: Network(a, []), "hands out something; received no outputs"),
        (lambda a: concat([]), "side by side, or more; received none"),
    ],
)
def test_what_is_no_network_is_refused_in_one_sentence(mistake, said):
    with pytest.raises(LayerError, match=said):
        mistake(Input((4,)))
    with pytest.raises(TypeError, match="unsupported operand"):
        Input((4,)) + 3


def test_two_networks_of_the_same_layers_call_them_each_its_own_way():
    a, b = Input((4,)), Input((4,))
    outer, inner = a.dense(3), b.dense(3)
    both = Network([a, b], outer + inner)
    before = both.spec()
    alone = Network(b, inner)
    assert [given.name for given in alone.layers] == ["dense"]
    assert both["dense_2"] is alone["dense"] is next(iter(alone))
    assert both.spec() == before
    assert list(both.input_shapes) == ["input_1", "input_2"]


def test_weights_that_no_output_needs_are_no_part_of_it():
    a = Input((4,), "a")
    a.dense(100)
    assert Network(a, a.dense(2)).parameter_count == 10


def test_an_input_is_read_as_numbers_where_an_embedding_reads_it():
    words = Input((5,), "words")
    net = Network(words, words.embedding(9, 4).lstm(3))
    assert net(torch.zeros(2, 5, dtype=torch.int64)).shape == (2, 3)
    assert net.dry_inputs()[0].dtype == torch.int64


def test_an_output_that_is_no_node_is_refused():
    with pytest.raises(LayerError, match="received Linear"):
        Network(Input((3,)), nn.Linear(3, 2))
