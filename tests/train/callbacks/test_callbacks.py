"""Callbacks are called by what they have; the bundled ones stop, keep, log, and go on."""

from __future__ import annotations

import copy
import csv
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from mlnb.errors import CallbackError, TrainError, UnknownName  # noqa: E402
from mlnb.train.callbacks.callbacks import Callbacks  # noqa: E402
from mlnb.train.callbacks.csv_logger import CSVLogger  # noqa: E402
from mlnb.train.callbacks.early_stopping import EarlyStopping  # noqa: E402
from mlnb.train.callbacks.model_checkpoint import ModelCheckpoint  # noqa: E402
from mlnb.train.callbacks.tensorboard import TensorBoard  # noqa: E402
from mlnb.train.history import History  # noqa: E402
from mlnb.train.trainer import Trainer  # noqa: E402


class FakeRun(SimpleNamespace):
    """As much of a run as a callback sees."""

    def __init__(self):
        super().__init__(
            history=History(), model=nn.Linear(1, 1), epoch=0, step=0, said=[], ended=None, edits=[]
        )

    def say(self, text):
        self.said.append(text)

    def stop(self, reason):
        self.ended = reason

    def end_epoch(self, callback, weight=None, **values):
        self.epoch += 1
        if weight is not None:
            nn.init.constant_(self.model.weight, weight)
        self.history.add_epoch(epoch=self.epoch, step=self.epoch * 10, **values)
        callback.on_epoch_end(self)


def weight(run) -> float:
    return run.model.weight.item()


# The protocol


def test_only_methods_that_exist_are_called_in_order():
    seen = []
    first = SimpleNamespace(on_epoch_end=lambda run: seen.append(("first", run)))
    second = SimpleNamespace(on_epoch_end=lambda run: seen.append(("second", run)))
    callbacks = Callbacks([first, second])
    callbacks.call("on_epoch_end", 7)
    callbacks.call("on_step_end", 7)
    assert seen == [("first", 7), ("second", 7)]
    assert callbacks.has("on_epoch_end")
    assert not callbacks.has("on_step_end")


class Breaks:
    def on_epoch_end(self, run):
        raise ZeroDivisionError("by zero")


def test_one_that_raises_is_named():
    with pytest.raises(
        CallbackError, match="the callback Breaks failed in on_epoch_end: Zero"
    ) as e:
        Callbacks([Breaks()]).call("on_epoch_end", None)
    assert isinstance(e.value.__cause__, ZeroDivisionError)


def test_one_that_raises_ends_a_real_run_by_its_name(rows, classifier):
    trainer = Trainer(classifier(), callbacks=[Breaks()], device="cpu")
    with pytest.raises(CallbackError, match="Breaks"):
        trainer.fit(rows, epochs=2, folder=False)


def test_the_last_finished_step_is_saved_where_one_raises(rows, classifier, tmp_path):
    class At:
        def __init__(self, step):
            self.step = step

        def on_step_end(self, run):
            if run.step == self.step:
                raise ZeroDivisionError

    def fit(**words):
        return Trainer(classifier(dropout=0.2), device="cpu", **words)

    with pytest.raises(CallbackError, match="At failed in on_step_end"):
        fit(callbacks=[At(6)]).fit(rows, epochs=3, folder=tmp_path / "run")
    run = Trainer.resume(tmp_path / "run", rows, model=classifier(dropout=0.2), callbacks=[])
    assert any("goes on from step 6" in notice for notice in run.notices)
    whole = fit().fit(rows, epochs=3, folder=False)
    assert run.history["loss"].tobytes() == whole.history["loss"].tobytes()


def test_what_is_no_callback_is_refused():
    with pytest.raises(TrainError, match="int is no callback: it has none of on_fit_begin"):
        Callbacks([3])
    assert len(Callbacks(None)) == 0
    assert isinstance(Callbacks(EarlyStopping)[0], EarlyStopping)


# Early stopping


def test_it_stops_after_its_patience_and_brings_the_best_back():
    run, stopping = FakeRun(), EarlyStopping(patience=1)
    for epoch, loss in enumerate([3.0, 1.0, 2.0]):
        run.end_epoch(stopping, weight=epoch, val_loss=loss)
    assert run.ended is None
    run.end_epoch(stopping, weight=9, val_loss=1.5)
    assert run.ended == "early"
    assert "val_loss has not got better since epoch 2 (1)" in run.said[0]
    stopping.on_fit_end(run)
    assert weight(run) == 1
    assert "the weights are those of epoch 2, the best" in run.said[1]


def test_the_best_comes_back_however_it_ended():
    run, stopping = FakeRun(), EarlyStopping(patience=99)
    for epoch, loss in enumerate([1.0, 2.0]):
        run.end_epoch(stopping, weight=epoch, loss=loss)
    stopping.on_fit_end(run)
    assert weight(run) == 0


def test_it_can_leave_the_weights_alone():
    run, stopping = FakeRun(), EarlyStopping(patience=99, restore_best=False)
    for epoch, loss in enumerate([1.0, 2.0]):
        run.end_epoch(stopping, weight=epoch, loss=loss)
    stopping.on_fit_end(run)
    assert weight(run) == 1


def test_high_is_best_for_accuracy_and_low_for_a_loss():
    run, stopping = FakeRun(), EarlyStopping("val_accuracy", patience=0)
    run.end_epoch(stopping, val_accuracy=0.5)
    run.end_epoch(stopping, val_accuracy=0.6)
    assert run.ended is None
    run.end_epoch(stopping, val_accuracy=0.6)
    assert run.ended == "early"


def test_little_is_not_better_than_nothing():
    run, stopping = FakeRun(), EarlyStopping(min_delta=0.1, patience=0)
    run.end_epoch(stopping, loss=1.0)
    run.end_epoch(stopping, loss=0.95)
    assert run.ended == "early"


def test_nan_is_never_the_best():
    run, stopping = FakeRun(), EarlyStopping(patience=1)
    run.end_epoch(stopping, weight=0, loss=float("nan"))
    run.end_epoch(stopping, weight=1, loss=2.0)
    assert (stopping.best, stopping.best_epoch) == (2.0, 2)


def test_it_goes_on_where_its_state_was_taken():
    run, first = FakeRun(), EarlyStopping(patience=1)
    for epoch, loss in enumerate([1.0, 2.0]):
        run.end_epoch(first, weight=epoch, loss=loss)
    second = EarlyStopping(patience=1)
    second.load_state_dict(first.state_dict())
    run.end_epoch(second, weight=9, loss=3.0)
    assert run.ended == "early"
    second.on_fit_end(run)
    assert weight(run) == 0


def test_it_says_what_it_cannot_watch():
    run = FakeRun()
    with pytest.raises(UnknownName, match="did you mean 'val_loss'"):
        run.end_epoch(EarlyStopping("val_los"), loss=1.0, val_loss=1.0)
    with pytest.raises(TrainError, match=r'best high or low is not known; .* mode="min"'):
        run.end_epoch(EarlyStopping("fid"), fid=1.0)
    run.end_epoch(EarlyStopping("fid", mode="min"), fid=1.0)
    with pytest.raises(UnknownName, match="auto, min, max"):
        EarlyStopping(mode="least")
    with pytest.raises(TrainError, match="patience"):
        EarlyStopping(patience=-1)


def test_a_real_run_ends_early_with_its_best_weights(rows, classifier):
    x, y = rows
    net = classifier()
    trainer = Trainer(net, lr=0.3, callbacks=[EarlyStopping(patience=2)], device="cpu")
    run = trainer.fit((x[:40], y[:40]), validation=(x[40:], y[40:]), epochs=200, folder=False)
    assert run.stop_reason == "early"
    found = trainer.evaluate((x[40:], y[40:]))["loss"]
    assert found == pytest.approx(run.history.best()["val_loss"], rel=1e-5)


def test_in_another_run_it_begins_anew(rows):
    stopping = EarlyStopping(patience=3)
    for width in (8, 16):  # the weights of the first would not even fit the second
        net = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 2))
        run = Trainer(net, lr=0.1, callbacks=[stopping], device="cpu").fit(
            rows, validation=0.3, epochs=8, folder=False
        )
        assert stopping.best == pytest.approx(run.best["val_loss"])
        assert stopping.best_epoch == run.best["epoch"]
    best = stopping.best
    run.resume(epochs=run.epochs + 1)  # goes on, and remembers
    assert stopping.best <= best


# Files


def test_the_best_weights_are_written_as_safetensors(tmp_path):
    from safetensors.torch import load_file

    run, checkpoint = FakeRun(), ModelCheckpoint(tmp_path / "new" / "best.safetensors")
    checkpoint.on_fit_begin(run)
    for epoch, loss in enumerate([2.0, 1.0, 3.0]):
        run.end_epoch(checkpoint, weight=epoch, loss=loss)
    assert load_file(tmp_path / "new" / "best.safetensors")["weight"].item() == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["best.safetensors"]


def test_the_best_of_another_run_is_none(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "best.safetensors")
    for loss in (1.0, 2.0):
        run = FakeRun()
        checkpoint.on_fit_begin(run)
        run.end_epoch(checkpoint, weight=loss, loss=loss)
    assert checkpoint.best == 2.0


def test_every_epoch_can_have_its_file(tmp_path):
    run = FakeRun()
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}.safetensors", best_only=False)
    for loss in [2.0, 3.0]:
        run.end_epoch(checkpoint, loss=loss)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.safetensors", "2.safetensors"]


def test_tied_weights_are_written(tmp_path):
    run = FakeRun()
    run.model = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
    run.model["b"].weight = run.model["a"].weight
    run.end_epoch(ModelCheckpoint(tmp_path / "tied.safetensors"), loss=1.0)
    assert (tmp_path / "tied.safetensors").exists()


def lines(path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_an_epoch_is_written(tmp_path):
    run, log = FakeRun(), CSVLogger(tmp_path / "log.csv")
    log.on_fit_begin(run)
    run.end_epoch(log, loss=1.0)
    assert lines(tmp_path / "log.csv") == [{"epoch": "1", "step": "10", "loss": "1.0"}]
    run.end_epoch(log, loss=0.5, val_loss=0.7)
    assert [row["val_loss"] for row in lines(tmp_path / "log.csv")] == ["", "0.7"]


def test_a_run_that_goes_on_cuts_what_it_had_not_kept(tmp_path):
    run, log = FakeRun(), CSVLogger(tmp_path / "log.csv")
    log.on_fit_begin(run)
    for loss in (3.0, 2.0, 1.0):
        run.end_epoch(log, loss=loss)
    with (tmp_path / "log.csv").open("a") as file:
        file.write("4,4")
    again = CSVLogger(tmp_path / "log.csv")
    run.epoch = 2
    again.on_fit_begin(run)
    run.end_epoch(again, loss=9.0)
    assert [row["loss"] for row in lines(tmp_path / "log.csv")] == ["3.0", "2.0", "9.0"]


def test_an_epoch_that_comes_again_takes_the_place_of_the_first(tmp_path):
    run, log = FakeRun(), CSVLogger(tmp_path / "log.csv")
    log.on_fit_begin(run)
    for loss in (3.0, 2.0, 1.0):
        run.end_epoch(log, loss=loss)
    run.epoch = 1  # a rewind
    for loss in (8.0, 7.0):
        run.end_epoch(log, loss=loss)
    found = [(row["epoch"], row["loss"]) for row in lines(tmp_path / "log.csv")]
    assert found == [("1", "3.0"), ("2", "8.0"), ("3", "7.0")]


def test_a_new_run_begins_a_new_log(tmp_path):
    (tmp_path / "log.csv").write_text("not,a\nlog\n")
    run, log = FakeRun(), CSVLogger(tmp_path / "log.csv")
    log.on_fit_begin(run)
    run.end_epoch(log, loss=1.0)
    assert len(lines(tmp_path / "log.csv")) == 1


def test_what_writes_to_one_place_is_not_copied(tmp_path):
    for callback in (CSVLogger(tmp_path / "log.csv"), TensorBoard(tmp_path)):
        with pytest.raises(TypeError, match="a fork does without it"):
            copy.deepcopy(callback)
    assert copy.deepcopy(EarlyStopping(patience=3)).patience == 3


def test_a_real_run_feeds_all_of_them(rows, classifier, tmp_path):
    callbacks = [
        ModelCheckpoint(tmp_path / "best.safetensors"),
        CSVLogger(tmp_path / "log.csv"),
        TensorBoard(tmp_path / "board"),
    ]
    Trainer(classifier(), callbacks=callbacks, device="cpu").fit(rows, epochs=3, folder=False)
    assert len(lines(tmp_path / "log.csv")) == 3
    assert (tmp_path / "best.safetensors").stat().st_size > 0
    assert next((tmp_path / "board").iterdir()).stat().st_size > 100
