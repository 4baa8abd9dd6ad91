"""The learning rate finder suggests a usable rate, and leaves everything as it was."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.errors import TrainError  # noqa: E402
from mlnb.train.lr_finder import LRFinder, lr_finder  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402


def everything(trainer) -> list:
    """All that a trial could change, as plain values."""
    found = [value.clone() for value in trainer.model.state_dict().values()]
    found += [p.grad for p in trainer.model.parameters()]
    found.append(torch.get_rng_state())
    found.append(torch.tensor(np.random.get_state()[1].astype(np.int64)))
    for optimizer in trainer.optimizers.values():
        state = optimizer.state_dict()
        found += [v.clone() for entry in state["state"].values() for v in entry.values()]
        found.append([{k: v for k, v in g.items() if k != "params"} for g in state["param_groups"]])
    found.append([module.training for module in trainer.model.modules()])
    return found


def same(a: list, b: list) -> bool:
    return len(a) == len(b) and all(
        torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y
        for x, y in zip(a, b, strict=True)
    )


def test_it_suggests_a_rate_that_trains(rows, classifier):
    trainer = Trainer(classifier(), device="cpu")
    found = lr_finder(trainer, rows, batch_size=32)
    assert 1e-4 < found.suggestion < 1
    assert len(found.lrs) == len(found.losses) == len(found.raw) <= 100
    assert found.lrs[0] == pytest.approx(1e-7)
    assert "where the loss fell most steeply before its lowest point" in found.said
    run = Trainer(classifier(), lr=found.suggestion, device="cpu").fit(rows, epochs=5, folder=False)
    assert run.history.epochs[-1]["accuracy"] > 0.9


def test_everything_is_as_it_was(rows, classifier):
    trainer = Trainer(classifier(dropout=0.3, norm=True), device="cpu")
    trainer.model[0].weight.requires_grad_(False)
    trainer.model.eval()
    before = everything(trainer)
    lr_finder(trainer, rows)
    assert same(before, everything(trainer))
    assert trainer.optimizers == {}


@pytest.mark.parametrize("schedule", [None, "cosine"])
def test_a_trainer_that_has_trained_keeps_its_moments(rows, classifier, schedule):
    trainer = Trainer(classifier(), device="cpu", schedule=schedule)
    trainer.fit(rows, epochs=1, folder=False)
    before = everything(trainer)
    lr_finder(trainer, rows, steps=20)
    assert same(before, everything(trainer))


def test_a_run_after_it_is_the_run_without_it(rows, classifier):
    losses = []
    for look in (False, True):
        trainer = Trainer(classifier(dropout=0.2), device="cpu")
        if look:
            lr_finder(trainer, rows, steps=30)
        losses.append(trainer.fit(rows, epochs=2, folder=False).history["loss"])
    assert np.array_equal(*losses)


class Interrupts(nn.Module):
    """Sends SIGINT to itself on its n-th call."""

    def __init__(self, inner, at):
        super().__init__()
        self.inner, self.at, self.calls = inner, at, 0

    def forward(self, x):
        self.calls += self.training
        if self.training and self.calls == self.at:
            os.kill(os.getpid(), signal.SIGINT)
        return self.inner(x)


def test_an_interrupt_ends_it_with_what_there_is(rows, classifier):
    trainer = Trainer(Interrupts(classifier(), at=40), device="cpu")
    before = everything(trainer)
    handler = signal.getsignal(signal.SIGINT)
    found = lr_finder(trainer, rows)
    assert found.stopped == "interrupted"
    assert len(found.lrs) == 40
    assert same(before, everything(trainer))
    assert signal.getsignal(signal.SIGINT) is handler


class Breaks(nn.Module):
    """Raises on its n-th training call."""

    def __init__(self, inner, at):
        super().__init__()
        self.inner, self.at, self.calls = inner, at, 0

    def forward(self, x):
        self.calls += self.training
        if self.calls == self.at:
            raise RuntimeError("broken here")
        return self.inner(x)


def test_an_error_leaves_everything_as_it_was(rows, classifier):
    trainer = Trainer(Breaks(classifier(), at=15), device="cpu")
    before = everything(trainer)
    with pytest.raises(RuntimeError, match="broken here"):
        lr_finder(trainer, rows)
    assert same(before, everything(trainer))


def test_it_stops_where_the_loss_explodes(numbers):
    net = nn.Linear(8, 1)
    found = lr_finder(Trainer(net, optimizer="sgd", device="cpu"), numbers, end=1e6)
    assert found.stopped == "exploded"
    assert len(found.lrs) < 100
    assert np.isfinite(found.losses).all()
    assert found.suggestion < 1


def test_where_nothing_falls_there_is_no_suggestion():
    x, y = torch.zeros(64, 4), torch.arange(64) % 2
    trainer = Trainer(nn.Linear(4, 2, bias=False), device="cpu")
    found = lr_finder(trainer, (x + torch.arange(4), y.flip(0)), steps=30, end=1e-6)
    assert found.suggestion is None
    assert "the loss never fell" in found.said


def test_a_step_of_ones_own_is_tried_too(rows):
    net = nn.Linear(8, 2)

    def step(batch, models, optimizers):
        x, y = batch
        loss = nn.functional.cross_entropy(models["model"](x), y)
        optimizers["optimizer"].zero_grad()
        loss.backward()
        optimizers["optimizer"].step()
        first.setdefault("loss", loss.item())
        return {"half": loss / 2, "rest": loss / 2}

    first = {}
    trainer = Trainer({"model": net}, step=step, device="cpu", optimizer="adamw")
    before = net.weight.clone()
    found = lr_finder(trainer, rows, steps=30)
    assert torch.equal(before, net.weight)
    assert len(found.lrs) == 30
    assert found.raw[0] == pytest.approx(first["loss"])


def test_bounds_that_are_none_are_refused(rows, classifier):
    trainer = Trainer(classifier(), device="cpu")
    for bounds in ({"start": 0}, {"start": 1, "end": 0.1}, {"end": float("inf")}, {"start": "a"}):
        with pytest.raises(TrainError, match="goes from start to a larger end"):
            lr_finder(trainer, rows, **bounds)
    with pytest.raises(TrainError, match="at least 10 steps"):
        lr_finder(trainer, rows, steps=3)
    with pytest.raises(TrainError, match=r"exploded after .* steps?, too few to tell"):
        lr_finder(Trainer(classifier(), optimizer="sgd", device="cpu"), rows, start=1e9, end=1e30)


def test_it_shows_itself_in_a_line_and_a_picture():
    lrs = np.geomspace(1e-5, 1, 20)
    losses = np.linspace(2, 1, 20)
    found = LRFinder(lrs, losses, losses, 0.01, "end")
    assert repr(found) == "LRFinder(suggestion 0.01, 20 steps from 1e-05 to 1, end)"
    shown = found._repr_html_()
    assert "data:image/svg+xml;base64," in shown
    assert "<script" not in shown
    assert len(shown) < 20_000
    assert list(found.to_frame().columns) == ["lr", "loss", "raw"]
