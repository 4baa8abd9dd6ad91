"""`Trainer` and `fit`: what a user writes, and what comes back."""

import inspect
import json
import random
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from mlnb.data.samples import load_sample
from mlnb.errors import CallbackError, DataError, RunBusy, TrainError, UnknownName
from mlnb.train.trainer import Trainer


def fit(model, data, *, trainer=None, **words):
    words = {"epochs": 2, "folder": False, **words}
    return Trainer(model, **(trainer or {})).fit(data, **words)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


@pytest.mark.parametrize("function", [Trainer.__init__, Trainer.fit, Trainer.resume])
def test_no_signature_has_more_than_fifteen_words(function):
    assert len(inspect.signature(function).parameters) <= 15 + 1


def test_a_fit_returns_its_run_with_every_step(rows, classifier):
    run = fit(classifier(), rows, epochs=3, batch_size=50)
    assert run.stop_reason == run.status == "finished"
    assert run.step == 12
    assert run.epoch == 3
    assert list(run.history["step"]) == list(range(1, 13))
    assert run.history["loss"].dtype == np.float32
    assert np.isfinite(run.history["loss"]).all()
    assert set(run.history["lr"]) == {np.float32(0.001)}
    assert [row["epoch"] for row in run.history.epochs] == [1, 2, 3]


def test_training_learns(rows, classifier):
    run = fit(classifier(), rows, epochs=30, trainer={"lr": 0.01})
    assert run.history.epochs[-1]["accuracy"] > 0.95
    assert run.history["loss"][-1] < run.history["loss"][0] / 3


def test_what_auto_came_to_is_said_in_one_line(rows, classifier):
    run = fit(classifier(), rows)
    assert run.notices[0] == (
        "loss: cross_entropy (integer targets, 2 outputs); optimizer: adamw fused, lr 0.001"
    )


def test_the_mean_loss_of_an_epoch_is_weighted_by_rows(rows, classifier):
    class Rows:
        def on_fit_begin(self, run):
            self.loss = nn.functional.cross_entropy(run.model(rows[0]), rows[1]).item()

    watch = Rows()
    run = fit(
        classifier(),
        rows,
        epochs=1,
        batch_size=64,
        trainer={"callbacks": [watch], "optimizer": "sgd", "lr": 1e-12},
    )
    assert run.history.epochs[0]["loss"] == pytest.approx(watch.loss, rel=1e-5)


def test_epochs_zero_returns_a_finished_run_with_nothing_in_it(rows, classifier):
    model = classifier()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    run = fit(model, rows, epochs=0)
    assert run.stop_reason == "finished"
    assert run.step == len(run.history) == len(run.history.epochs) == 0
    assert len(run.history["loss"]) == len(run.history["lr"]) == 0
    assert same(before, model.state_dict())


def test_the_same_seed_gives_the_same_losses_bit_for_bit(rows, classifier):
    runs = [fit(classifier(dropout=0.5), rows, trainer={"seed": 3}) for _ in range(2)]
    assert np.array_equal(runs[0].history["loss"], runs[1].history["loss"])
    assert same(runs[0].model.state_dict(), runs[1].model.state_dict())


def test_another_seed_gives_other_losses(rows, classifier):
    losses = [fit(classifier(), rows, trainer={"seed": s}).history["loss"] for s in (0, 1)]
    assert not np.array_equal(*losses)


def test_without_a_seed_the_global_generators_are_left_alone(rows, classifier):
    model = classifier()
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1]
    fit(model, rows, trainer={"seed": None})
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert np.array_equal(states[2], np.random.get_state()[1])


def test_a_second_fit_goes_on_with_the_same_optimizer_in_another_order(rows, classifier):
    trainer = Trainer(classifier())
    first = trainer.fit(rows, epochs=1, folder=False)
    optimizer = trainer.optimizers["optimizer"]
    second = trainer.fit(rows, epochs=1, folder=False)
    assert second is not first
    assert trainer.optimizers["optimizer"] is optimizer
    counts = {int(state["step"]) for state in optimizer.state.values()}
    assert counts == {first.step + second.step}
    assert len(second.history) == second.step
    assert second.history["loss"][0] < first.history["loss"][0]


def test_a_second_fit_begins_its_schedule_at_the_rate_that_was_given(rows, classifier):
    trainer = Trainer(classifier(), lr=0.01, schedule="cosine")
    rates = [trainer.fit(rows, epochs=1, folder=False).history["lr"] for _ in range(2)]
    assert rates[0][-1] < 0.006
    assert rates[1][0] == rates[0][0] == np.float32(0.01)


def test_a_schedule_changes_the_rate_of_every_step(rows, classifier):
    run = fit(classifier(), rows, trainer={"schedule": "cosine", "lr": 0.01})
    assert run.history["lr"][0] == np.float32(0.01)
    assert (np.diff(run.history["lr"]) < 0).all()


def test_accumulated_batches_make_the_steps_of_one_large_batch(rows, classifier):
    words = {"optimizer": "sgd", "lr": 0.1}
    few = fit(classifier(), rows, batch_size=20, epochs=1, trainer={**words, "accumulate": 5})
    large = fit(classifier(), rows, batch_size=100, epochs=1, trainer=words)
    assert few.step == large.step == len(few.history) == 2
    assert np.allclose(few.history["loss"], large.history["loss"], atol=1e-6)
    for a, b in zip(few.model.parameters(), large.model.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_what_an_epoch_leaves_over_of_an_accumulation_is_a_step(rows, classifier):
    run = fit(classifier(), rows, batch_size=50, epochs=2, trainer={"accumulate": 3})
    assert run.step == len(run.history) == 4
    assert all(parameter.grad is None for parameter in run.model.parameters())


def test_clip_norm_bounds_what_a_step_changes(rows, classifier):
    model = classifier()
    before = torch.cat([p.detach().flatten().clone() for p in model.parameters()])
    fit(
        model,
        rows,
        epochs=1,
        batch_size=200,
        trainer={"optimizer": "sgd", "lr": 1.0, "clip_norm": 0.01},
    )
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_frozen_parameters_stay_and_the_others_learn(rows, classifier):
    model = classifier()
    model[0].requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit(model, rows)
    assert torch.equal(before["0.weight"], model[0].weight)
    assert not torch.equal(before["4.weight"], model[4].weight)


def test_a_model_with_nothing_to_train_is_refused(rows, classifier):
    with pytest.raises(TrainError, match="all parameters are frozen"):
        fit(classifier().requires_grad_(False), rows)
    with pytest.raises(TrainError, match="no parameters"):
        fit(nn.Flatten(), rows)


def test_zero_rows_are_refused(classifier):
    with pytest.raises(DataError, match="no rows"):
        fit(classifier(), (torch.zeros(0, 8), torch.zeros(0).long()))


@pytest.mark.parametrize(
    "targets",
    [torch.full((200,), 7), torch.full((200,), -1), torch.rand(200, 3)],
    ids=["beyond the outputs", "negative", "another shape"],
)
def test_targets_that_do_not_fit_are_refused_before_the_first_step(targets, rows, classifier):
    model = classifier()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises((DataError, TrainError)):
        fit(model, (rows[0], targets), trainer={"loss": "cross_entropy"})
    assert same(before, model.state_dict())


def test_rows_that_do_not_fit_name_the_layer(classifier):
    with pytest.raises(TrainError, match=r"layer `0` \(Linear.*\[2, 5\]"):
        fit(classifier(), (torch.zeros(10, 5), torch.arange(10) % 2))


def test_a_last_batch_of_one_row_under_batch_norm_trains(rows, classifier):
    x, y = rows[0][:65], rows[1][:65]
    run = fit(classifier(norm=True), (x, y), batch_size=32)
    assert run.stop_reason == "finished"
    assert run.step == 4


def test_batches_of_one_row_under_batch_norm_are_refused(rows, classifier):
    with pytest.raises(TrainError, match="batch norm cannot train on batches of one row"):
        fit(classifier(norm=True), rows, batch_size=1)


def test_a_stream_with_a_batch_of_one_row_leaves_it_out_and_says_so(rows, classifier):
    x, y = rows[0][:65], rows[1][:65]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32)
    run = fit(classifier(norm=True), loader)
    assert run.step == 4
    assert sum("one row is skipped" in notice for notice in run.notices) == 1


def test_a_data_set_that_raises_says_at_which_item(classifier):
    class Broken(Dataset):
        def __len__(self):
            return 100

        def __getitem__(self, item):
            if item == 37:
                raise OSError("disk on fire")
            return torch.zeros(8), item % 2

    with pytest.raises(DataError, match=r"37.*disk on fire"):
        fit(classifier(), Broken(), shuffle=False)


def test_a_callback_that_raises_is_named_and_the_step_before_is_kept(rows, classifier):
    class Fussy:
        def on_step_end(self, run):
            if run.step == 3:
                raise ZeroDivisionError("no")

    trainer = Trainer(classifier(), callbacks=[Fussy()])
    with pytest.raises(CallbackError, match=r"Fussy.*on_step_end.*ZeroDivisionError"):
        trainer.fit(rows, epochs=2, folder=False)
    counts = {int(s["step"]) for s in trainer.optimizers["optimizer"].state.values()}
    assert counts == {3}


def test_callbacks_are_called_in_their_order(rows, classifier):
    calls = []

    class Diary:
        def __getattr__(self, name):
            if name.startswith("on_"):
                return lambda run: calls.append((name, run.step, run.epoch))
            raise AttributeError(name)

    fit(classifier(), rows, epochs=1, batch_size=100, trainer={"callbacks": Diary()})
    assert calls == [
        ("on_fit_begin", 0, 0),
        ("on_epoch_begin", 0, 0),
        ("on_step_end", 1, 0),
        ("on_step_end", 2, 0),
        ("on_epoch_end", 2, 1),
        ("on_fit_end", 2, 1),
    ]


def test_several_inputs_are_passed_by_position_or_by_name():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Bilinear(3, 4, 2)

        def forward(self, left, right):
            return self.layer(left, right)

    left, right, y = torch.randn(40, 3), torch.randn(40, 4), torch.arange(40) % 2
    by_name = fit(Two(), ({"right": right, "left": left}, y), epochs=1)
    by_place = fit(Two(), ((left, right), y), epochs=1)
    assert by_name.step == by_place.step == 1


def test_a_thing_that_holds_a_module_is_taken_by_it(rows, classifier):
    class Holder:
        def __init__(self, module):
            self.module = module

    model = classifier()
    assert fit(Holder(model), rows).model is model


def test_a_double_model_trains_in_double(rows, classifier):
    run = fit(classifier().double(), rows)
    assert run.model[0].weight.dtype == torch.float64


def test_lazy_layers_get_their_shapes(rows):
    run = fit(nn.Sequential(nn.LazyLinear(4), nn.LazyLinear(2)), rows)
    assert run.model[0].weight.shape == (4, 8)


def test_a_model_that_sleeps_trains_and_sleeps_again(rows, classifier):
    seen = []

    class Modes:
        def on_step_end(self, run):
            seen.append(run.model.training)

    model = classifier().eval()
    fit(model, rows, trainer={"callbacks": [Modes()]})
    assert all(seen)
    assert not any(module.training for module in model.modules())


def test_a_layer_held_in_eval_mode_stays_so(rows, classifier):
    model = classifier(norm=True)
    model[1].eval()
    fit(model, rows, validation=0.2)
    assert int(model[1].num_batches_tracked) == 0
    assert not model[1].training
    assert model[0].training


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"accumulate": 0}, "accumulate is a whole number from 1 up"),
        ({"accumulate": 1.5}, "accumulate is a whole number"),
        ({"clip_norm": -1}, "clip_norm is a number above 0"),
        ({"seed": "x"}, "seed is a whole number"),
        ({"backend": "tpu"}, "no backend 'tpu'"),
    ],
)
def test_words_out_of_their_range_are_refused_at_once(words, message, classifier):
    with pytest.raises((TrainError, UnknownName), match=message):
        Trainer(classifier(), **words)


@pytest.mark.parametrize("words", [{"epochs": -1}, {"epochs": 1.5}, {"batch_size": 0}])
def test_numbers_of_a_fit_out_of_their_range_are_refused(words, rows, classifier):
    with pytest.raises(TrainError, match="is a whole number from"):
        fit(classifier(), rows, **words)


@pytest.mark.parametrize("folder", [True, 3.5])
def test_what_is_no_folder_is_refused(folder, rows, classifier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainError, match='folder is "auto", a path, or False'):
        Trainer(classifier()).fit(rows, folder=folder)
    assert not list(tmp_path.iterdir())


def test_what_is_no_model_is_refused():
    with pytest.raises(TrainError, match="received a list"):
        Trainer([nn.Linear(1, 1)])
    with pytest.raises(TrainError, match=r"make one first, Identity\(\.\.\.\)"):
        Trainer(nn.Identity)


def test_a_model_that_trains_is_refused_to_a_second_fit(rows, classifier):
    refusals = []

    class Again:
        def on_epoch_begin(self, run):
            try:
                Trainer(run.model).fit(rows, epochs=1, folder=False)
            except RunBusy as error:
                refusals.append(str(error))

    run = fit(classifier(), rows, epochs=1, trainer={"callbacks": [Again()]})
    assert len(refusals) == 1
    assert run.name in refusals[0]
    assert run.stop_reason == "finished"


def test_nan_stops_with_what_the_last_good_step_left(rows, classifier):
    model = classifier(norm=True)
    kept = {}

    class Poison:
        def on_step_end(self, run):
            if run.step == 2:
                kept.update({n: v.clone() for n, v in model.state_dict().items()})
                model[4].register_forward_hook(lambda *args: args[-1] * float("nan"))

    run = fit(model, rows, batch_size=50, trainer={"callbacks": [Poison()]})
    assert run.stop_reason == "nan"
    assert run.step == len(run.history) == 2
    assert run.history.marks[-1].kind == "nan"
    assert same(kept, model.state_dict())
    assert "the model is as it was after step 2" in run.notices[-1]
    optimizer = run.trainer.optimizers["optimizer"]
    assert {int(state["step"]) for state in optimizer.state.values()} == {2}


def test_settings_can_be_written_as_json(classifier):
    import json

    trainer = Trainer(classifier(), loss=nn.CrossEntropyLoss(), callbacks=[])
    assert json.loads(json.dumps(trainer.settings()))["seed"] == 0


def test_a_run_goes_on_from_its_folder_bit_for_bit(rows, classifier, tmp_path):
    class Stop:
        def on_step_end(self, run):
            if run.step == 6:
                run.stop()

    words = {"schedule": "cosine"}
    whole = fit(classifier(dropout=0.5), rows, epochs=4, batch_size=50, trainer=words)
    fit(
        classifier(dropout=0.5),
        rows,
        epochs=4,
        batch_size=50,
        folder=tmp_path / "run",
        trainer={**words, "callbacks": [Stop()]},
    )
    other = classifier(dropout=0.5)
    nn.init.zeros_(other[0].weight)
    run = Trainer.resume(tmp_path / "run", rows, model=other, callbacks=())
    assert np.array_equal(run.history["loss"], whole.history["loss"])
    assert same(run.model.state_dict(), whole.model.state_dict())


def test_a_loader_that_cannot_go_on_in_mid_epoch_begins_it_again(rows, classifier, tmp_path):
    class Stop:
        def on_step_end(self, run):
            if run.step == 6:
                run.stop()

    data = TensorDataset(*rows)
    loader = torch.utils.data.DataLoader(data, batch_size=50)
    fit(classifier(), loader, epochs=2, folder=tmp_path / "run", trainer={"callbacks": [Stop()]})
    run = Trainer.resume(tmp_path / "run", loader, model=classifier(), callbacks=())
    assert run.step == 6 + 4
    assert any("epoch 2 begins again" in notice for notice in run.notices)


class Seeded:
    """A loader with a state that draws its seed from torch's generator, as torchdata's does."""

    def __init__(self, rows):
        self.rows, self.seed, self.at = rows, None, 0

    def __len__(self):
        return 10

    def __iter__(self):
        torch.rand(())  # a seed for workers, whoever begins or goes on
        if self.seed is None:
            self.seed, self.at = int(torch.randint(1000, ())), 0
        return self._batches()

    def _batches(self):
        order = torch.randperm(200, generator=torch.Generator().manual_seed(self.seed))
        while self.at < 10:
            picked = order[20 * self.at : 20 * self.at + 20]
            self.at += 1
            yield self.rows[0][picked], self.rows[1][picked]
        self.seed = None

    def state_dict(self):
        torch.rand(())  # asked before the first epoch, torchdata's begins one
        return {"seed": self.seed, "at": self.at}

    def load_state_dict(self, state):
        self.seed, self.at = state["seed"], state["at"]


def torchdatas(rows):
    module = pytest.importorskip("torchdata.stateful_dataloader")
    return module.StatefulDataLoader(TensorDataset(*rows), batch_size=20, shuffle=True)


@pytest.mark.parametrize("loader", [Seeded, torchdatas])
@pytest.mark.parametrize("at", [3, 10, 14])
def test_a_loader_with_a_state_goes_on_bit_for_bit(loader, at, rows, classifier, tmp_path):
    class Stop:
        def on_step_end(self, run):
            if run.step == at:
                run.stop()

    whole = fit(classifier(dropout=0.5), loader(rows), epochs=2)
    trainer = Trainer(classifier(dropout=0.5), callbacks=[Stop()])
    trainer.fit(loader(rows), epochs=2, folder=tmp_path / "run")
    torch.rand(7)
    on = Trainer.resume(tmp_path / "run", loader(rows), model=classifier(dropout=0.5), callbacks=[])
    assert np.array_equal(on.history["loss"], whole.history["loss"])


def test_a_folder_is_free_again_where_the_data_of_a_resume_is_wrong(rows, classifier, tmp_path):
    fit(classifier(), rows, epochs=1, folder=tmp_path / "run")
    with pytest.raises((DataError, TrainError)):
        Trainer.resume(tmp_path / "run", torch.zeros(0, 8), model=classifier(), epochs=2)
    run = Trainer.resume(tmp_path / "run", rows, model=classifier(), epochs=2)
    assert run.epoch == 2


def test_what_was_tuned_holds_for_the_next_fit(rows, classifier, monkeypatch):
    from mlnb.train.steps import tune as tuning
    from mlnb.train.steps.precision import Precision

    monkeypatch.setattr(
        tuning, "tune", lambda *_: tuning.Tuned(Precision("bf16", said="precision: bf16"), {})
    )
    trainer = Trainer(classifier())
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    assert trainer.tune((rows[0][:32], rows[1][:32])).precision.name == "bf16"
    assert same(before, trainer.model.state_dict())
    run = trainer.fit(rows, epochs=1, folder=False)
    assert run._plan.precision == "bf16"
    assert "precision: bf16" in run.notices[0]


def test_bfloat16_outputs_come_back_as_floats(rows, classifier):
    trainer = Trainer(classifier(), precision="bf16")
    trainer.fit(rows, epochs=1, folder=False)
    assert trainer.predict(rows[0]).dtype == torch.float32
    assert np.isfinite(trainer.evaluate(rows)["loss"])


def test_convolutions_train_channels_last():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 2),
    )
    data = torch.randn(64, 3, 8, 8), torch.arange(64) % 2
    run = fit(model, data, validation=0.25, epochs=1, trainer={"precision": "fp32"})
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert "channels last" in run.notices[0]
    assert run.trainer.predict(data[0]).shape == (64, 2)


@pytest.mark.slow
def test_the_network_of_the_tutorial_reads_the_digits_in_half_a_minute():
    cells = json.loads(
        (Path(__file__).parents[2] / "notebooks/05_train_and_steer.ipynb").read_text()
    )
    (source,) = [
        "".join(c["source"]) for c in cells["cells"] if "class Digits" in "".join(c["source"])
    ]
    words = {"nn": nn}
    exec(source[source.index("class Digits") :], words)
    torch.manual_seed(0)
    began = time.process_time()
    trainer = Trainer(words["Digits"](), lr=0.01, schedule="one_cycle", device="cpu")
    run = trainer.fit(load_sample("digits"), validation=0.2, epochs=15, folder=False)
    assert time.process_time() - began < 30
    assert run.best["val_accuracy"] >= 0.98
