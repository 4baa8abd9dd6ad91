"""`run.figure()`: everything that is known of a run, and several runs in one figure."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("plotly")
torch = pytest.importorskip("torch")

from mlnb.errors import MissingExtra  # noqa: E402
from mlnb.figures import interactive  # noqa: E402
from mlnb.train.history import History  # noqa: E402
from mlnb.train.lr_finder import LRFinder  # noqa: E402
from mlnb.train.show.figure import run_figure  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402


def history(steps: int = 200, epochs: int = 4, **series) -> History:
    made = History()
    loss = np.geomspace(2, 0.5, steps)
    made.extend(range(1, steps + 1), loss=loss, lr=np.full(steps, 1e-3), **series)
    for epoch in range(1, epochs + 1):
        val_loss = abs(epoch - 2) + 0.5
        made.add_epoch(epoch=epoch, step=epoch * steps // epochs, loss=1.0, val_loss=val_loss,
                       accuracy=0.9, val_accuracy=0.8, seconds=1.0)  # fmt: skip
    return made


def of(**attributes):
    return SimpleNamespace(**{"name": "net", "history": history()} | attributes)


def named(figure, name: str):
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def test_it_shows_loss_validation_metrics_rate_best_and_what_was_done():
    run = of()
    run.history.mark(30, "set_lr", "lr 0.1")
    run.history.mark(40, "pause")
    figure = run_figure([run])
    assert figure.layout.title.text == "net"
    labels = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert labels == ["loss", "accuracy", "learning rate"]
    raw = named(figure, "loss raw")
    assert np.array_equal(raw.y, run.history["loss"])
    assert np.array_equal(raw.x, run.history["step"])
    assert len(named(figure, "loss").y) == 200
    assert list(named(figure, "val_loss").x) == [50, 100, 150, 200]
    assert list(named(figure, "val_accuracy").y) == pytest.approx([0.8] * 4)
    assert set(named(figure, "lr 0.00100").y) == {np.float32(1e-3)}
    best = named(figure, "best: epoch 2")
    assert (best.x[0], best.y[0], best.yaxis) == (100, 0.5, "y")
    assert [note.text for note in figure.layout.annotations] == ["lr 0.1", "pause"]


def test_a_million_steps_are_a_small_figure_that_is_quickly_made():
    run = of(history=history(1_000_000, 100, generator=np.random.default_rng(0).random(1_000_000)))
    began = time.process_time()
    figure = run_figure([run])
    assert len(figure.to_json()) < 500_000
    assert time.process_time() - began < 10
    assert all(len(trace.x) <= 2000 for trace in figure.data)


def test_several_runs_have_a_colour_each():
    others = [of(name="b", history=history), of(name="<c>")]  # a row of a table reads its history
    figure = run_figure([of(name="a"), *others])
    colors = {name: named_colors(figure, name) for name in ("a", "b", "&lt;c&gt;")}
    assert all(len(found) == 1 for found in colors.values())
    assert len(set.union(*colors.values())) == 3
    assert sum(bool(trace.showlegend) for trace in figure.data) == 6  # each run, each validation
    assert len(figure.to_json()) < 500_000


def named_colors(figure, name: str) -> set[str]:
    lines = [t for t in figure.data if t.name.startswith(name) and t.mode != "markers"]
    return {trace.line.color for trace in lines}


def test_the_losses_of_a_step_of_ones_own_are_all_shown():
    made = history(generator=np.ones(200), discriminator=np.zeros(200))
    made.epochs[-1] |= {"generator": 1.0}  # which an epoch sums up
    names = [trace.name for trace in run_figure([of(history=made)]).data]
    assert {"loss", "generator", "discriminator"} <= set(names)
    assert names.count("generator") == 1


def test_what_was_given_up_by_a_rewind_is_behind():
    figure = run_figure([of(abandoned=[history(150)])])
    assert named(figure, "given up").line.dash == "dash"
    plain = run_figure([of()])
    for name in ("loss", "val_loss"):  # and takes nobody's colour
        assert named(figure, name).line.color == named(plain, name).line.color


@pytest.mark.parametrize("steps", [0, 1])
def test_a_run_that_has_hardly_begun_has_a_figure(steps):
    figure = run_figure([of(history=history(steps, 0))])
    assert len(figure.data) == 1 + steps
    assert figure.to_json()


def test_a_metric_of_text_or_none_is_left_out():
    made = history()
    made.epochs[0] |= {"note": "fine", "f1": None}
    made.epochs[1] |= {"f1": float("nan")}
    figure = run_figure([of(history=made)])
    assert "note" not in [trace.name for trace in figure.data]
    assert np.isnan(named(figure, "f1").y).all()


def test_a_run_draws_itself_and_others(rows, classifier):
    run = Trainer(classifier(), device="cpu").fit(rows, validation=0.2, epochs=2, folder=False)
    figure = run.figure()
    assert np.array_equal(named(figure, "loss").x, run.history["step"])
    assert figure.layout.yaxis2.title.text == "accuracy"
    assert len(run.figure(run).data) > len(figure.data)


def test_the_learning_rate_finder_draws_itself():
    rates = np.geomspace(1e-6, 1, 50)
    losses = np.linspace(2, 1, 50)
    losses[-1] = 100.0
    figure = LRFinder(rates, losses, losses + 0.1, 1e-2, "exploded").figure()
    raw, mean = figure.data
    assert np.isnan(mean.y[-1])  # the explosion would press the rest against the bottom
    assert raw.opacity < mean.opacity
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.annotations[0].text == "0.01"


def test_plotly_is_asked_for_only_when_a_figure_is(monkeypatch):
    def missing(module: str, extra: str):
        raise MissingExtra(module, extra)

    monkeypatch.setattr(interactive, "need", missing)
    with pytest.raises(MissingExtra):
        run_figure([of()])
