"""A GRU whose backward pass is written by hand, against torch's own."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.nn.utils.rnn import pack_padded_sequence  # noqa: E402

from mlnb.train.steps import recurrent  # noqa: E402
from mlnb.train.steps.recurrent import QuickGRU, has_gru  # noqa: E402
from mlnb.train.steps.step import build_step  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def calls(monkeypatch):
    """How often ours was called."""
    seen: list[Any] = []
    ours = recurrent.gru
    monkeypatch.setattr(recurrent, "gru", lambda *words: seen.append(words) or ours(*words))
    return seen


def both(layer: nn.GRU, x: Any, first: Any = None) -> list[list[Any]]:
    """States, last states and every gradient, by torch and by ours."""
    found = []
    for mode in (None, QuickGRU()):
        x = x.detach().requires_grad_()
        layer.zero_grad()
        torch.manual_seed(3)
        if mode is None:
            states, last = layer(x, first)
        else:
            with mode:
                states, last = layer(x, first)
        (states.square().sum() + last.sum()).backward()
        found.append([states, last, x.grad, *(p.grad.clone() for p in layer.parameters())])
    return found


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"batch_first": True},
        {"batch_first": True, "bidirectional": True, "num_layers": 2},
        {"num_layers": 3, "dropout": 0.4},
    ],
    ids=str,
)
def test_states_and_gradients_are_those_of_torch(words, calls):
    torch.manual_seed(0)
    layer = nn.GRU(5, 7, dtype=torch.float64, **words)
    theirs, ours = both(layer, torch.randn(4, 6, 5, dtype=torch.float64))
    assert len(calls) == 1
    for one, other in zip(theirs, ours, strict=True):
        assert one.stride() == other.stride()
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_first_state_gets_its_gradient(calls):
    layer = nn.GRU(2, 3, dtype=torch.float64)
    x, gradients = torch.randn(4, 2, 2, dtype=torch.float64), []
    for mode in (False, True):
        first = torch.ones(1, 2, 3, dtype=torch.float64, requires_grad=True)
        with QuickGRU() if mode else torch.enable_grad():
            layer(x, first)[1].sum().backward()
        gradients.append(first.grad)
    torch.testing.assert_close(*gradients)
    assert calls


def test_states_may_be_changed_in_place():
    layer = nn.GRU(2, 3)
    with QuickGRU():
        states, _ = layer(torch.randn(4, 2, 2))
    states.mul_(2).sum().backward()
    assert layer.weight_hh_l0.grad.abs().sum() > 0


def test_a_gradient_can_be_differentiated_again():
    layer, found = nn.GRU(2, 3, dtype=torch.float64), []
    x = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    for mode in (False, True):
        layer.zero_grad()
        with QuickGRU() if mode else torch.enable_grad():
            states, _ = layer(x)
        (slope,) = torch.autograd.grad(states.sum(), x, create_graph=True)
        slope.square().sum().backward()
        found.append(layer.weight_hh_l0.grad.clone())
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("case", ["packed", "no biases", "no gradient", "autocast", "empty"])
def test_what_it_is_not_made_for_is_left_to_torch(case, calls):
    layer = nn.GRU(2, 3, bias=case != "no biases")
    x: Any = torch.randn(4, 2, 2)[:, : 0 if case == "empty" else 2]
    if case == "packed":
        x = pack_padded_sequence(x, torch.tensor([4, 2]))
    around: Any = torch.no_grad() if case == "no gradient" else torch.enable_grad()
    with QuickGRU(), around, torch.autocast("cpu", torch.bfloat16, enabled=case == "autocast"):
        layer(x)
    assert not calls


class Reader(nn.Module):
    """Reads a sequence, and answers by its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.head = nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.head(self.gru(x)[0][:, -1])


@pytest.mark.parametrize(("precision", "taken"), [("fp32", 3), ("bf16", 0)])
def test_a_step_takes_it_and_learns_what_torch_does(precision, taken, calls):
    x, y = torch.randn(8, 5, 3), torch.arange(8) % 2
    models = []
    for quick in (True, False):
        torch.manual_seed(1)
        model = Reader()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        step = build_step(
            model, functional.cross_entropy, optimizer, device=CPU, precision=precision
        )
        if not quick:
            step.around = None
        for _ in range(3):
            step(x, y)
        models.append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]))
    assert len(calls) == taken
    torch.testing.assert_close(*models, rtol=1e-4, atol=1e-6)


def test_a_run_that_is_watched_learns_bit_for_bit_the_same(calls):
    losses = []
    for health in (False, 0.0):
        torch.manual_seed(1)
        run = Trainer(Reader(), device="cpu").fit(
            (torch.ones(8, 5, 3), torch.arange(8) % 2), epochs=3, folder=False, health=health
        )
        losses.append(run.history["loss"].tolist())
    assert losses[0] == losses[1]
    assert len(calls) == 6
    assert [layer.name for layer in run.health.layers] == ["gru", "head"]


def test_only_a_model_with_a_gru_pays_for_it():
    assert has_gru(Reader())
    optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters())
    step: Any = build_step(nn.Linear(2, 2), functional.mse_loss, optimizer, device=CPU)
    assert step.around is None
