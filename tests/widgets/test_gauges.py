"""What is looked at ten times a second beside the loss, and kept for a second view."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.train.run import Run  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402
from mlnb.widgets import gauges  # noqa: E402
from mlnb.widgets.gauges import gauges_of  # noqa: E402


class Looking:
    """Looks after every step, as a monitor does at a tick."""

    def __init__(self) -> None:
        self.seen: list[dict[str, float | None]] = []

    def on_step_end(self, run: Run) -> None:
        found = gauges_of(run)
        found._looked = 0.0
        self.seen.append(found.look(run))


def own_step(batch: Any, models: Any, optimizers: Any) -> Any:
    inputs, targets = batch
    loss = nn.functional.cross_entropy(models["model"](inputs), targets)
    optimizers["optimizer"].zero_grad()
    loss.backward()
    optimizers["optimizer"].step()
    return loss


def norms(health: bool = False, **words: Any) -> list[float | None]:
    """What the gauge says after each of four steps."""
    torch.manual_seed(0)
    data = torch.randn(64, 6), torch.randint(0, 2, (64,))
    looking = Looking()
    trainer = Trainer(nn.Linear(6, 2), lr=1e-3, callbacks=[looking], **words)
    trainer.fit(data, epochs=1, batch_size=16, folder=False, health=health, shuffle=False)
    return [one["norm"] for one in looking.seen]


def test_the_gradient_norm_is_told_whoever_takes_the_step():
    plain = norms()
    assert plain[0] is None  # nobody had asked before the first
    assert None not in plain[1:]
    assert norms(health=True)[1:] == pytest.approx(plain[1:])
    assert norms(step=own_step)[1:] == pytest.approx(plain[1:])


def test_two_networks_with_an_optimizer_each_have_one_norm():
    def step(batch: Any, models: Any, optimizers: Any) -> dict[str, Any]:
        losses = {}
        for name in models:
            losses[name] = models[name](batch).square().mean()
            optimizers[name].zero_grad()
            losses[name].backward()
            optimizers[name].step()
        models["a"].weight.grad = torch.full_like(models["a"].weight, 1e9)  # after its step
        return losses

    looking = Looking()
    models = {name: nn.Linear(2, 1, bias=False) for name in "ab"}
    trainer = Trainer(models, step=step, optimizer="sgd", lr=1e-9, callbacks=[looking])
    data = torch.ones(8, 2)
    expected = [2 * 2**0.5 * abs(float(one.weight.detach().sum())) for one in models.values()]
    trainer.fit(data, epochs=2, batch_size=8, folder=False)
    found = looking.seen[1]["norm"]
    assert found == pytest.approx((expected[0] ** 2 + expected[1] ** 2) ** 0.5, rel=1e-4)


def test_a_large_model_on_a_cpu_is_spared(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gauges, "CHEAP_PARAMETERS", 13)
    assert norms() == [None] * 4
