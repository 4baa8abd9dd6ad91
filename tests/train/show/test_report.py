"""What a run says of itself: one line, a table, a picture; short, whole, and harmless."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from mlnb.train.history import History
from mlnb.train.show import epoch_table, lines, report
from mlnb.train.show.curve import run_curve


def made(epochs: int = 3, steps: int = 20, *, best: int | None = None) -> History:
    history = History()
    history.extend(range(1, epochs * steps + 1), loss=np.geomspace(2, 0.1, epochs * steps),
                   lr=np.full(epochs * steps, 1e-3))  # fmt: skip
    for epoch in range(1, epochs + 1):
        val = 0.001 if epoch == best else 2 / epoch
        history.add_epoch(epoch=epoch, step=epoch * steps, loss=1 / epoch, accuracy=0.9,
                          val_loss=val, val_accuracy=0.95, lr=1e-3, seconds=1.5)  # fmt: skip
    return history


def a_run(history=None, **more):
    fields = {
        "name": "lenet", "history": made() if history is None else history, "notices": [],
        "status": "training", "stop_reason": None, "error": None, "epoch": 3, "epochs": 20,
        "step": 60, "seconds": 3.21, "steps_per_second": 200.0, "samples_per_second": 12_345.0,
        "eta": 12.4, "abandoned": [],
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **more})


def test_a_run_that_trains_says_where_it_is():
    assert lines.progress_line(a_run()) == (
        "epoch 4/20 · loss 0.169 · val_loss 0.667 · val_accuracy 0.950 · 12,300 samples/s"
        " · 0:12 left"
    )


def test_beside_a_picture_of_its_values_its_line_tells_the_step():
    assert lines.line(a_run(), values=False) == (
        "epoch 4/20 · step 60 · 12,300 samples/s · 0:12 left"
    )


def test_a_paused_one_says_so():
    assert lines.line(a_run(status="paused")).startswith("paused · epoch 4/20 · loss")
    assert "left" not in lines.line(a_run(status="paused"))


def test_one_that_has_not_begun_says_little():
    run = a_run(History(), status="preparing", epoch=0, samples_per_second=0, eta=None)
    assert lines.line(run) == "epoch 1/20"


@pytest.mark.parametrize(
    ("reason", "begins"),
    [
        ("finished", "finished: 3 epochs, 60 steps in 3.2 s · loss 0.333 · val_loss 0.667"),
        ("stopped", "stopped: 3 epochs"),
        ("early", "stopped early: 3 epochs"),
        ("nan", "stopped by NaN or Inf: 3 epochs"),
        ("interrupted", "interrupted: 3 epochs"),
    ],
)
def test_one_that_ended_says_how(reason, begins):
    line = lines.line(a_run(status=reason, stop_reason=reason, epochs=3))
    assert line.startswith(begins)
    assert line.endswith("best val_loss 0.667 at epoch 3")


def test_one_that_failed_says_why_in_its_line():
    run = a_run(status="failed", stop_reason="failed", error=ValueError("too bad\nand more"))
    assert lines.line(run).endswith("· too bad")
    assert "epoch 3/20" in lines.line(run)


def test_its_repr_is_one_line():
    assert report.text(a_run()).startswith("Run('lenet': epoch 4/20 · ")
    assert "\n" not in report.text(a_run())


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (12.4, "0:12"), (3900, "1:05:00"), (float("inf"), "?")]
)
def test_time_left_is_a_clock(seconds, shown):
    assert lines.clock_text(seconds) == shown


def table(history: History) -> list[list[str]]:
    """The cells of the table of epochs, the head first; the last of each row is its mark."""
    rows = str(epoch_table.table_html(history)).split("<tr")[1:]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_short_table_has_every_epoch_and_the_best_marked():
    head, *rows = table(made(4, best=2))
    assert head[:3] == ["epoch", "loss", "accuracy"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert [row[-1] for row in rows] == ["", "best", "", ""]


@pytest.mark.parametrize("best", [1, 2, 40, 94, 100])
def test_a_long_table_is_shortened_in_the_middle_and_keeps_the_best(best):
    rows = table(made(100, 1, best=best))[1:]
    shown = [row[0] for row in rows]
    assert len(rows) <= epoch_table.ROWS + 3
    assert shown[0] == "1"
    assert shown[-1] == "100"
    assert "…" in shown
    assert [row[0] for row in rows if row[-1] == "best"] == [str(best)]


def test_no_epoch_is_no_table():
    assert epoch_table.table_html(History()) == ""


def test_its_html_has_line_curve_and_table():
    shown = report.html(a_run(notices=["loss: mse (float targets, 1 output)"]))
    assert "<b>lenet</b> epoch 4/20" in shown
    assert "loss: mse" in shown
    assert 'src="data:image/svg+xml;base64,' in shown
    assert shown.count("<tr") == 4


def test_the_curve_tells_its_last_values_and_keeps_its_colours_after_a_rewind():
    plain, rewound = (run_curve(a_run(abandoned=past)) for past in ([], [made()]))
    assert ">loss 0.333<" in plain
    assert ">val_loss 0.667<" in plain
    assert ">given up<" in rewound
    assert 'class="k1"' in plain  # the dots of validation
    assert 'class="k1"' in rewound


def test_its_html_stays_small_however_long_it_was():
    history = made(3000, 300)
    for step in range(500):
        history.mark(step * 10, "set_lr", "lr 0.001 → 0.0003 " * 5)
    run = a_run(history, notices=["n" * 1000] * 100, abandoned=[made(10, 1000)] * 9)
    assert len(report.html(run)) < 50_000
    many = SimpleNamespace(names=None)
    many = made(2, 10)
    many.extend(range(41, 61), **{f"loss_{k}": np.ones(20) for k in range(30)})
    assert len(report.html(a_run(many))) < 50_000


def test_an_empty_run_has_html():
    run = a_run(History(), status="preparing", epoch=0, eta=None)
    assert "<b>lenet</b>" in report.html(run)
    assert "<img" not in report.html(run)


def test_losses_of_a_step_of_ones_own_are_all_drawn():
    history = History()
    history.extend(range(50), generator=np.ones(50), critic=np.zeros(50), lr=np.ones(50))
    run = a_run(history)
    assert "loss" not in lines.progress_line(run)
    import base64
    import re

    svg = base64.b64decode(re.search(r"base64,([^\"]+)", report.html(run))[1]).decode()
    assert ">generator<" in svg
    assert ">critic<" in svg
    assert ">lr<" not in svg


def test_several_runs_are_overlaid():
    shown = report.overlay([a_run(), ("other", made(5)), a_run(name="third", history=History())])
    assert shown.count("<img") == 1
    assert "<b>other</b> 100 steps" in shown
    assert len(report.overlay([a_run(made(100, 1000))] * 40)) < 60_000


def test_what_strangers_wrote_is_no_markup():
    evil = "<script>alert(1)</script>\u202e"
    history = made()
    history.epochs[-1][evil] = evil
    history.mark(3, "set_lr", evil)
    run = a_run(history, name=evil, notices=[evil], error=ValueError(evil), stop_reason="failed")
    for shown in (report.html(run), report.overlay([run]), report.overlay([(evil, history)])):
        assert "<script" not in shown
        assert "\u202e" not in shown
