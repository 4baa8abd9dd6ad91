"""What a batch becomes in each layer: mean, spread, dead units, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import InputError, UnknownName
from mlnb.networks.activity import activity
from mlnb.networks.sequential import Sequential


def test_mean_and_spread_are_those_of_the_numbers_that_a_layer_gives():
    torch.manual_seed(0)
    net, batch = Sequential((4,)).dense(3).tanh(), torch.randn(64, 4)
    found = activity(net, batch)
    out = net.module(batch).detach()
    assert found["tanh"].mean == pytest.approx(out.mean().item())
    assert found["tanh"].spread == pytest.approx(out.var(0, unbiased=False).mean().sqrt().item())
    assert [row.name for row in found.rows] == ["dense", "tanh"]
    assert found.samples == 64


def test_units_that_never_change_are_dead():
    net = Sequential((1, 4, 4)).conv2d(3, 3, "relu").flatten().dense(2)
    with torch.no_grad():
        net["conv2d"].weight[1] = 0
        net["conv2d"].bias[1] = -1
    found = activity(net, torch.rand(8, 1, 4, 4))
    assert (found["conv2d"].dead, found["conv2d"].units) == (1, 3)
    assert found["conv2d_relu"].dead >= 1
    assert found["flatten"].units == 0


@pytest.mark.parametrize(
    ("bias", "note"), [(-100.0, "every unit is dead"), (float("nan"), "not finite"), (0.0, "")]
)
def test_what_is_wrong_is_said(bias: float, note: str):
    net = Sequential((4,)).dense(6).relu()
    with torch.no_grad():
        net["dense"].bias.fill_(bias)
        net["dense"].weight.abs_()
    found = activity(net, torch.rand(16, 4))
    assert found["relu"].note == note
    assert ([line.partition(":")[0] for line in found.notes][-1:] == ["relu"]) is bool(note)


def test_what_dies_out_and_what_grows_is_said():
    dying, growing = Sequential((8,)), Sequential((8,))
    for _ in range(6):
        dying.dense(8, "sigmoid")
        growing.dense(8, name=f"d{len(growing)}")
    with torch.no_grad():
        for weight in growing.parameters():
            weight.normal_(0, 3)
    batch = torch.randn(32, 8)
    assert activity(dying, batch).rows[-1].note == "dies out"
    assert activity(growing, batch).rows[-1].note == "grows"


def test_nothing_is_changed_by_looking():
    net = Sequential((4,)).dense(8).batch_norm("relu").dropout(0.5).dense(2)
    net.module.train()
    before = {name: value.clone() for name, value in net.module.state_dict().items()}
    modes, state = [m.training for m in net.module.modules()], torch.get_rng_state()
    first, again = (
        activity(net, torch.ones(4, 4).cumsum(0)),
        activity(net, torch.ones(4, 4).cumsum(0)),
    )
    assert first == again
    assert all(torch.equal(v, before[k]) for k, v in net.module.state_dict().items())
    assert [m.training for m in net.module.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(m._forward_hooks for m in net.module.modules())


def test_batch_norm_sees_the_batch_as_in_training():
    net = Sequential((4,)).batch_norm()
    found = activity(net, 5 + 3 * torch.randn(200, 4))
    assert found["batch_norm"].mean == pytest.approx(0, abs=1e-4)
    assert found["batch_norm"].spread == pytest.approx(1, abs=1e-2)


def test_units_of_sequences_are_features_or_channels():
    waves = torch.randn(8, 20, 3)
    found = activity(Sequential((20, 3)).dense(5, "relu"), waves)
    assert (found["dense"].units, found["dense_relu"].units) == (5, 5)
    found = activity(Sequential((3, 20)).conv1d(6, 3, "relu"), waves.permute(0, 2, 1))
    assert (found["conv1d"].units, found["conv1d_relu"].units) == (6, 6)


def test_recurrent_layers_and_blocks_have_rows():
    net = Sequential((10, 3)).gru(4, returns="all").residual(Sequential().dense(4)).gru(2)
    names = [row.name for row in activity(net, np.random.default_rng(0).random((4, 10, 3))).rows]
    assert {"gru", "gru_all", "residual", "residual.body.dense", "gru_2_last"} <= set(names)


def test_tokens_are_whole_numbers():
    net = Sequential((5,)).embedding(10, 4).flatten().dense(2)
    assert activity(net, torch.randint(0, 10, (6, 5)))["embedding"].units == 4
    with pytest.raises(InputError, match="takes whole numbers; received floats"):
        activity(net, torch.rand(6, 5))


def test_pairs_of_samples_and_targets_and_images_in_bytes_are_taken():
    net = Sequential((3,)).add(nn.Linear(3, 2))
    assert activity(net, (np.ones((4, 3)), np.zeros(4))).samples == 4
    assert activity(net, np.ones((4, 3), dtype=np.uint8))["linear"].mean == pytest.approx(
        activity(net, torch.ones(4, 3))["linear"].mean
    )


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (torch.rand(4, 5), r"The network takes \[3\] a sample; received \[5\]\."),
        (torch.rand(1, 3), "One sample says nothing"),
        (torch.rand(3), r"A batch is an array of samples; received \[3\]\."),
        ({"a": 1}, "A batch is an array of samples; received dict"),
        ("text", "A batch is an array of samples; received str"),
        (None, "A batch is an array of samples; received NoneType"),
    ],
)
def test_what_is_no_batch_is_refused(sample, said: str):
    with pytest.raises(InputError, match=said):
        activity(Sequential((3,)).dense(2), sample)


def test_only_the_first_samples_are_looked_at():
    assert activity(Sequential((3,)).relu(), torch.rand(1000, 3)).samples == 256


def test_an_unknown_layer_lists_those_that_there_are():
    with pytest.raises(UnknownName, match="did you mean 'relu'"):
        activity(Sequential((3,)).relu(), torch.rand(4, 3))["rlu"]
    assert "relu" in repr(activity(Sequential((3,)).relu(), torch.rand(4, 3)))
