"""The loop: every step recorded, ticks, boundaries, and epochs gone on with from their middle."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import DataError
from mlnb.train import ledger as ledgers
from mlnb.train import loop
from mlnb.train.trainer import Trainer


class At:
    """Does something after a step."""

    def __init__(self, step, deed):
        self.step, self.deed = step, deed

    def on_step_end(self, run):
        if run.step == self.step:
            self.deed(run)


def fit(model, data, *callbacks, trainer=None, **words):
    words = {"epochs": 3, "batch_size": 20, "folder": False, **words}
    return Trainer(model, callbacks=callbacks, **(trainer or {})).fit(data, **words)


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.model.parameters()])


def same_run(one, other):
    assert np.array_equal(one.history["step"], other.history["step"])
    assert np.array_equal(one.history["loss"], other.history["loss"])
    assert np.array_equal(one.history["lr"], other.history["lr"])
    keys = [key for key in one.history.epochs[0] if key != "seconds"]
    for mine, theirs in zip(one.history.epochs, other.history.epochs, strict=True):
        assert [mine[key] for key in keys] == pytest.approx(
            [theirs[key] for key in keys], rel=1e-12
        )
    assert torch.equal(weights(one), weights(other))


@pytest.mark.parametrize("step", [1, 7, 10, 13, 29])
@pytest.mark.parametrize("schedule", [None, "one_cycle"])
def test_a_run_stopped_anywhere_goes_on_bit_for_bit(step, schedule, rows, classifier):
    words = {"validation": 0.1, "epochs": 3, "batch_size": 18, "trainer": {"schedule": schedule}}
    whole = fit(classifier(dropout=0.5, norm=True), rows, **words)
    parted = fit(
        classifier(dropout=0.5, norm=True), rows, At(step, lambda run: run.stop()), **words
    )
    assert (parted.stop_reason, parted.step) == ("stopped", step)
    assert len(parted.history) == step
    torch.rand(3)
    parted.resume()
    assert parted.stop_reason == "finished"
    same_run(whole, parted)


def test_a_run_stopped_within_an_accumulation_goes_on_bit_for_bit(rows, classifier):
    words = {"trainer": {"accumulate": 3}}
    whole = fit(classifier(dropout=0.5), rows, **words)
    parted = fit(classifier(dropout=0.5), rows, At(2, lambda run: run.stop()), **words)
    assert parted.step == 2
    assert parted._state.batch == 6
    parted.resume()
    same_run(whole, parted)


def test_the_step_that_an_epochs_end_leaves_over_is_told_like_every_other(rows, classifier):
    told = []

    class Watch:
        def on_step_end(self, run):
            told.append(run.step)

    run = fit(classifier(), rows, Watch(), trainer={"accumulate": 3})
    assert told == list(range(1, run.step + 1)) == list(range(1, 13))


def test_more_epochs_are_gone_on_with(rows, classifier):
    run = fit(classifier(), rows, epochs=1)
    run.resume(epochs=3)
    same_run(fit(classifier(), rows, epochs=3), run)


def test_a_full_ring_is_drained_before_the_tick(rows, classifier, monkeypatch):
    monkeypatch.setattr(ledgers, "RING", 4)
    monkeypatch.setattr(loop, "TICK_SECONDS", 1e9)
    ticks = []

    class Watch:
        def on_fit_begin(self, run):
            run.on_tick(lambda run: ticks.append(len(run.history)))

    run = fit(classifier(), rows, Watch(), epochs=1)
    assert len(run.history) == 10
    assert ticks[:2] == [4, 8]


def test_at_a_tick_the_history_is_complete(rows, classifier, monkeypatch):
    monkeypatch.setattr(loop, "TICK_SECONDS", 0.0)
    seen = []

    class Watch:
        def on_fit_begin(self, run):
            run.on_tick(lambda run: seen.append((run.step, len(run.history))))

    fit(classifier(), rows, Watch())
    assert len(seen) >= 30
    assert all(steps == length for steps, length in seen)


def test_running_metrics_are_those_of_every_batch(rows, classifier, monkeypatch):
    values = []
    for group in (1, 3, 64):
        monkeypatch.setattr(ledgers, "GROUP", group)
        run = fit(classifier(dropout=0.2), rows)
        values.append([row["accuracy"] for row in run.history.epochs])
    assert values[0] == values[1] == values[2]


def test_the_running_accuracy_is_right(rows, classifier):
    right = []
    model = classifier()
    model.register_forward_hook(
        lambda module, inputs, outputs: (
            right.append((inputs[0], outputs.argmax(1))) if module.training else None
        )
    )
    run = fit(model, rows, epochs=1, shuffle=False)
    found = torch.cat([guess for _, guess in right]) == rows[1]
    assert run.history.epochs[0]["accuracy"] == pytest.approx(found.float().mean().item())


def test_large_outputs_are_not_kept_for_long(monkeypatch, rows, classifier):
    monkeypatch.setattr(ledgers, "GROUP_BYTES", 100)
    run = fit(classifier(), rows)
    assert "accuracy" in run.history.epochs[0]


def test_what_a_rewind_left_is_trained_again_the_same(rows, classifier):
    def keep(run):
        run.checkpoint("here")

    def back(run):
        if not run.abandoned:
            run.rewind(7)

    whole = fit(classifier(dropout=0.3), rows)
    run = fit(classifier(dropout=0.3), rows, At(7, keep), At(16, back))
    assert run.stop_reason == "finished"
    assert len(run.abandoned) == 1
    same_run(whole, run)


def test_an_interrupt_within_validation_leaves_the_epoch_open(rows, classifier):
    model, whole = classifier(), fit(classifier(), rows, validation=0.2)
    asked = []
    current = []

    class Watch:
        def on_fit_begin(self, run):
            current.append(run)

    def hook(module, *_):
        if not module.training and current and current[0].step == 16 and not asked:
            asked.append(current[0].stop())

    model.register_forward_hook(hook)
    run = fit(model, rows, Watch(), validation=0.2)
    assert run.stop_reason == "stopped"
    assert (run.epoch, run.step, len(run.history.epochs)) == (1, 16, 1)
    run.resume()
    same_run(whole, run)


def test_a_loader_without_batches_is_an_error(classifier):
    class Nothing(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(())

    with pytest.raises(DataError):
        fit(classifier(), torch.utils.data.DataLoader(Nothing()))


def test_a_run_stopped_in_its_first_callback_has_trained_nothing(rows, classifier):
    class Stop:
        def on_fit_begin(self, run):
            run.stop()

    run = fit(classifier(), rows, Stop())
    assert (run.stop_reason, run.step) == ("stopped", 0)


def test_losses_are_kept_where_a_model_breaks_down(rows, classifier):
    def break_down(run):
        run.model[4].weight.data = torch.zeros(3, 3)

    runs = []

    class Watch:
        def on_fit_begin(self, run):
            runs.append(run)

    with pytest.raises(RuntimeError):
        fit(classifier(), rows, Watch(), At(4, break_down))
    assert runs[0].status == "failed"
    assert len(runs[0].history) == 4


def test_the_loop_adds_little_to_a_step(rows, classifier):
    """Calls of Python functions in a step, which is what a small step pays for."""
    calls = 0

    def profile(frame, event, arg):
        nonlocal calls
        calls += event == "call"

    many = torch.zeros(64_000, 8), torch.arange(64_000) % 2
    run = Trainer(classifier()).fit(many, epochs=0, folder=False)
    run._step = _Free(run._step)
    sys.setprofile(profile)
    try:
        run.resume(epochs=1)
    finally:
        sys.setprofile(None)
    assert calls / run.step < 12


class _Free:
    """A step that costs nothing, so that only the loop is counted."""

    def __init__(self, step):
        self.guard, self.stepped, self.scaler = step.guard, True, None
        self.precision, self.notes = step.precision, []
        self.answer = torch.tensor(1.0), torch.zeros(64, 2)

    def __call__(self, inputs, targets):
        return self.answer[0], self.answer[1][: len(targets)]

    def flush(self):
        return False

    def lr_changed(self):
        return None

    def close(self):
        return None


def test_modules_that_share_parameters_train(rows):
    shared = nn.Linear(8, 8)
    run = fit(nn.Sequential(shared, nn.ReLU(), shared, nn.Linear(8, 2)), rows)
    assert run.stop_reason == "finished"


class AsOnGpu:
    """Lets the guard answer at ticks only, as it does on a GPU, and a NaN come at a step."""

    def __init__(self, bad_step):
        self.bad_step, self.kept = bad_step, {}

    def on_fit_begin(self, run):
        guard = run._step.guard
        guard.decide(True)
        guard.device = torch.device("cuda")
        if self.bad_step == 1:
            self.poison(run)

    def on_step_end(self, run):
        if run.step == self.bad_step - 1:
            self.kept = {name: value.clone() for name, value in run.model.state_dict().items()}
            self.poison(run)

    def poison(self, run):
        run.model[4].register_forward_hook(lambda *args: args[-1] * float("nan"))


@pytest.mark.parametrize("bad_step", [1, 2, 6, 10, 15])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_nan_seen_only_at_a_tick_ends_at_the_last_good_step(
    bad_step, accumulate, rows, classifier
):
    model = classifier(norm=True)
    watch = AsOnGpu(bad_step)
    watch.kept = {name: value.clone() for name, value in model.state_dict().items()}
    words = {"accumulate": accumulate, "schedule": "cosine", "lr": 0.01}
    run = fit(model, rows, watch, trainer=words, batch_size=20 // accumulate)
    good = bad_step - 1
    assert run.stop_reason == "nan"
    assert (run.step, len(run.history)) == (good, good)
    assert run._state.batch == good % 10 * accumulate
    assert np.isfinite(run.history["loss"]).all()
    for name, value in model.state_dict().items():
        assert torch.equal(value, watch.kept[name]), name
    plain = fit(classifier(norm=True), rows, trainer=words, batch_size=20 // accumulate)
    assert run._state.schedule.lr == pytest.approx(
        plain.history["lr"][good] if good < 30 else 0.0, rel=1e-6
    )
    assert np.array_equal(run.history["loss"], plain.history["loss"][:good])


def test_on_a_device_losses_are_read_at_ticks_only(rows, classifier):
    from types import SimpleNamespace

    from mlnb.train.history import History
    from mlnb.train.state import TrainState

    read = []

    class Loss:
        """Stands for a loss on a GPU, which must not be read in a step."""

        def __init__(self, value):
            self.value = value

        def item(self):
            read.append(self.value)
            return self.value

    state = TrainState({}, {}, None, History())
    plan = SimpleNamespace(metrics=None, device=torch.device("cuda"), accumulate=1)
    ledger = ledgers.Ledger(state, plan)
    for value in range(3):
        ledger.record(Loss(value), torch.zeros(4, 2), torch.zeros(4))
    assert read == []
    assert not ledger.full
