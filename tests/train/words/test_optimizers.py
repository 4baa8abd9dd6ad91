"""Optimizers by word, class, partial, factory and instance; fused where torch can."""

from __future__ import annotations

from functools import partial

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.errors import TrainError, UnknownName  # noqa: E402
from mlnb.train.words.optimizers import RATES, describe_optimizer, resolve_optimizer  # noqa: E402


@pytest.fixture
def net():
    return nn.Linear(3, 2)


def trained(net, optimizer) -> bool:
    """Whether a step changes the weights."""
    before = net.weight.detach().clone()
    net(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    return not torch.equal(before, net.weight)


@pytest.mark.parametrize("word", ["auto", "adam", "adamw", "sgd", "adagrad"])
def test_words_are_fused_where_torch_can(word, net):
    optimizer = resolve_optimizer(word, net.parameters())
    assert all(group["fused"] for group in optimizer.param_groups)
    assert trained(net, optimizer)


@pytest.mark.parametrize("word", sorted(set(RATES) - {"muon", "sparseadam"}))
def test_every_word_has_a_rate_and_trains(word, net):
    optimizer = resolve_optimizer(word, net.parameters())
    assert optimizer.param_groups[0]["lr"] == RATES[word]
    assert trained(net, optimizer)


def test_what_was_chosen_is_said(net):
    assert describe_optimizer(resolve_optimizer("auto", net.parameters())) == (
        "optimizer: adamw fused, lr 0.001"
    )
    assert describe_optimizer(resolve_optimizer("rmsprop", net.parameters(), 0.5)) == (
        "optimizer: rmsprop, lr 0.5"
    )


def test_options_and_rate_are_taken(net):
    optimizer = resolve_optimizer("SGD(momentum=0.9, nesterov=True)", net.parameters(), 0.2)
    group = optimizer.param_groups[0]
    assert (group["momentum"], group["nesterov"], group["lr"]) == (0.9, True, 0.2)
    assert resolve_optimizer("sgd(lr=0.3)", net.parameters()).param_groups[0]["lr"] == 0.3


def test_classes_partials_and_factories_are_taken(net):
    cases = [
        torch.optim.Adam,
        partial(torch.optim.Adam, betas=(0.8, 0.99)),
        lambda params, **options: torch.optim.Adam(params, **options),
    ]
    made = [resolve_optimizer(case, net.parameters(), 0.01) for case in cases]
    assert [type(one) for one in made] == [torch.optim.Adam] * 3
    assert {one.param_groups[0]["lr"] for one in made} == {0.01}
    assert made[1].param_groups[0]["betas"] == (0.8, 0.99)
    assert [bool(one.param_groups[0]["fused"]) for one in made] == [True, True, False]


def test_a_user_who_says_foreach_or_fused_is_obeyed(net):
    for options in ({"foreach": True}, {"fused": False}):
        made = resolve_optimizer(partial(torch.optim.AdamW, **options), net.parameters())
        assert not made.param_groups[0]["fused"]


def test_an_instance_stays_the_one_it_is(net):
    mine = torch.optim.SGD(net.parameters(), lr=0.1)
    assert resolve_optimizer(mine, net.parameters()) is mine
    assert resolve_optimizer(mine, net.parameters(), 0.7).param_groups[0]["lr"] == 0.7
    with pytest.raises(TrainError, match="holds parameters of another model"):
        resolve_optimizer(mine, nn.Linear(3, 2).parameters())


class Theirs:
    """An optimizer of somebody who does not know torch.optim.Optimizer."""

    def __init__(self, params, lr=0.1):
        self.param_groups = [{"params": list(params), "lr": lr}]

    def step(self):
        for parameter in self.param_groups[0]["params"]:
            parameter.data -= self.param_groups[0]["lr"] * parameter.grad

    def zero_grad(self, set_to_none=True):
        return


def test_optimizers_of_others_are_taken(net):
    optimizer = resolve_optimizer(Theirs, net.parameters(), 0.5)
    assert isinstance(optimizer, Theirs)
    assert trained(net, optimizer)
    assert describe_optimizer(optimizer) == "optimizer: theirs, lr 0.5"


def test_groups_keep_their_rates(net):
    groups = [{"params": [net.weight], "lr": 0.5}, {"params": [net.bias]}]
    optimizer = resolve_optimizer("adamw", groups, 0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    assert describe_optimizer(optimizer) == "optimizer: adamw fused, lr 0.1 to 0.5"


def test_nothing_to_train_is_an_error(net):
    net.requires_grad_(False)
    with pytest.raises(TrainError, match="all parameters are frozen, so there is nothing to train"):
        resolve_optimizer("auto", net.parameters())
    with pytest.raises(TrainError, match="the model has no parameters"):
        resolve_optimizer("auto", nn.ReLU().parameters())


def test_frozen_layers_beside_others_stay_as_they_are(net):
    net.bias.requires_grad_(False)
    before = net.bias.clone()
    assert trained(net, resolve_optimizer("auto", net.parameters()))
    assert torch.equal(before, net.bias)


def test_complex_and_half_parameters_are_served(net):
    whole = nn.Parameter(torch.ones(3, dtype=torch.complex64))
    assert not resolve_optimizer("adam", [whole]).param_groups[0]["fused"]
    half = net.to(torch.bfloat16)
    assert resolve_optimizer("adam", half.parameters()).param_groups[0]["fused"]


def test_what_cannot_be_made_is_told(net):
    with pytest.raises(UnknownName, match="did you mean 'adamw'"):
        resolve_optimizer("adamww", net.parameters())
    with pytest.raises(TrainError, match="lbfgs evaluates the loss many times"):
        resolve_optimizer("lbfgs", net.parameters())
    with pytest.raises(TrainError, match=r"SGD cannot be made: .*momentums"):
        resolve_optimizer("sgd(momentums=1)", net.parameters())
    with pytest.raises(TrainError, match="received int"):
        resolve_optimizer(3, net.parameters())
    with pytest.raises(TrainError, match="gave a list, expected an optimizer"):
        resolve_optimizer(lambda params: list(params), net.parameters())


@pytest.mark.parametrize("lr", [0, -1, float("nan"), float("inf"), "0.1", True])
def test_a_rate_that_is_none_is_refused(lr, net):
    with pytest.raises(TrainError, match="lr is a number above 0"):
        resolve_optimizer("adam", net.parameters(), lr)
