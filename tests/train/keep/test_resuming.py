"""A run of which only the folder is left goes on to the bit, or says what is missing."""

import os

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mlnb.errors import CheckpointError, DataError, RunBusy, TrainError, UnknownName
from mlnb.train.callbacks.early_stopping import EarlyStopping
from mlnb.train.keep.resuming import find, prepare
from mlnb.train.keep.run_folder import RunFolder
from mlnb.train.trainer import Trainer


class StopAt:
    def __init__(self, step):
        self.step = step

    def on_step_end(self, run):
        if run.step == self.step:
            run.stop()


def same(one, other):
    """Whether two runs ended alike, to the bit."""
    mine, theirs = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    for name in ("step", "loss", "lr"):
        assert one.history[name].tobytes() == other.history[name].tobytes()
    rows = [
        [
            {key: value for key, value in row.items() if key != "seconds"}
            for row in run.history.epochs
        ]
        for run in (one, other)
    ]
    assert rows[0] == rows[1]
    return True


WORDS = {
    "plain": {},
    "one cycle": {"schedule": "one_cycle", "lr": 0.01},
    "plateau": {"schedule": "plateau"},
    "sgd, clipped": {"optimizer": "sgd", "lr": 0.05, "clip_norm": 0.5},
    "accumulating": {"accumulate": 3},
    "bf16": {"precision": "bf16"},
}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("at", [1, 7, 11])
def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, rows, classifier, words, at):
    fit = {"validation": 0.2, "epochs": 4, "batch_size": 16}
    net = {"dropout": 0.3, "norm": True}
    whole = Trainer(classifier(**net), **WORDS[words]).fit(rows, folder=False, **fit)
    stopped = Trainer(classifier(**net), callbacks=[StopAt(at)], **WORDS[words]).fit(
        rows, folder=tmp_path / "run", **fit
    )
    assert (stopped.stop_reason, stopped.step) == ("stopped", at)
    torch.manual_seed(99)
    run = Trainer.resume(tmp_path / "run", rows, model=classifier(**net), callbacks=[])
    assert run.stop_reason == "finished"
    assert same(run, whole)
    assert any(f"goes on from step {at}" in notice for notice in run.notices)


def test_a_run_goes_on_twice_and_then_further(tmp_path, rows, classifier):
    def cut(step):
        return {"callbacks": [StopAt(step)]}

    def net():
        return classifier(dropout=0.2)

    whole = Trainer(net()).fit(rows, epochs=6, folder=False)
    Trainer(net(), **cut(3)).fit(rows, epochs=3, folder=tmp_path / "run")
    Trainer.resume(tmp_path / "run", rows, model=net(), **cut(5))
    run = Trainer.resume(tmp_path / "run", rows, model=net(), callbacks=())
    assert run.epoch == 3
    last = net()
    run = Trainer.resume(tmp_path / "run", rows, model=last, callbacks=(), epochs=6)
    assert run.model is last
    assert same(run, whole)
    done = Trainer.resume(tmp_path / "run", rows, model=net(), callbacks=())
    assert (done.epoch, done.step) == (6, run.step)
    assert any("epochs=12 trains on" in notice for notice in done.notices)


def test_early_stopping_goes_on_counting(tmp_path, rows, classifier):
    def early():
        return EarlyStopping(patience=2)

    words = {"lr": 0.3, "optimizer": "sgd"}
    fit = {"validation": 0.3, "epochs": 30, "batch_size": 16}
    whole = Trainer(classifier(), callbacks=[early()], **words).fit(rows, folder=False, **fit)
    Trainer(classifier(), callbacks=[early(), StopAt(30)], **words).fit(
        rows, folder=tmp_path / "run", **fit
    )
    run = Trainer.resume(tmp_path / "run", rows, model=classifier(), callbacks=[early()])
    assert run.stop_reason == whole.stop_reason
    assert same(run, whole)


def test_two_models_with_a_step_of_their_own(tmp_path, rows):
    def step(batch, models, optimizers):
        loss = 0
        for name, optimizer in optimizers.items():
            optimizer.zero_grad()
            loss = models[name](batch[0]).square().mean()
            loss.backward()
            optimizer.step()
        return {"loss": loss}

    def pair():
        torch.manual_seed(1)
        return {"one": nn.Linear(8, 2), "two": nn.Linear(8, 2)}

    whole = Trainer(pair(), step=step).fit(rows, epochs=3, folder=False)
    Trainer(pair(), step=step, callbacks=[StopAt(5)]).fit(rows, epochs=3, folder=tmp_path / "run")
    with pytest.raises(TrainError, match=r"callbacks \(.*StopAt\), step \(.*step\)"):
        Trainer.resume(tmp_path / "run", rows, model=pair())
    run = Trainer.resume(tmp_path / "run", rows, model=pair(), step=step, callbacks=())
    for name in ("one", "two"):
        assert torch.equal(run.model[name].weight, whole.model[name].weight)


def test_objects_must_be_given_again_and_are_named(tmp_path, rows, classifier):
    class Mine(nn.Module):
        def forward(self, outputs, targets):
            return nn.functional.cross_entropy(outputs, targets)

    Trainer(classifier(), loss=Mine()).fit(
        rows, validation=rows, epochs=1, folder=tmp_path / "run", class_weight=None
    )
    with pytest.raises(TrainError) as caught:
        Trainer.resume(tmp_path / "run", rows, model=classifier())
    assert "loss (" in str(caught.value)
    assert "Mine)" in str(caught.value)
    assert "validation (torch.Tensor, torch.Tensor)" in str(caught.value)
    run = Trainer.resume(
        tmp_path / "run", rows, model=classifier(), validation=rows, loss=Mine(), epochs=2
    )
    assert run.epoch == 2


def test_other_words_are_refused_and_the_folder_is_free_again(tmp_path, rows, classifier):
    Trainer(classifier(), lr=0.1).fit(rows, epochs=1, folder=tmp_path / "run")
    with pytest.raises(TrainError, match=r"begun with lr=0\.1"):
        Trainer.resume(tmp_path / "run", rows, model=classifier(), lr=0.2)
    with pytest.raises(UnknownName, match="did you mean 'schedule'"):
        Trainer.resume(tmp_path / "run", rows, model=classifier(), shedule="cosine")
    with pytest.raises(DataError):
        Trainer.resume(tmp_path / "run", "no data", model=classifier(), epochs=2)
    with pytest.raises(DataError, match="200"):
        Trainer.resume(tmp_path / "run", (rows[0][:50], rows[1][:50]), model=classifier(), epochs=2)
    RunFolder.open(tmp_path / "run").close()
    assert Trainer.resume(tmp_path / "run", rows, model=classifier(), lr=0.1, epochs=2).epoch == 2


def test_another_model_is_refused_with_every_difference(tmp_path, rows, classifier):
    Trainer(classifier()).fit(rows, epochs=1, folder=tmp_path / "run")
    other = classifier(norm=True, outputs=3)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        Trainer.resume(tmp_path / "run", rows, model=other)
    assert "'1.weight' is not in the checkpoint" in str(caught.value)
    assert "'4.bias' is float32 [3], in the checkpoint float32 [2]" in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())
    RunFolder.open(tmp_path / "run").close()


def test_other_data_is_said(tmp_path, rows, classifier):
    Trainer(classifier(), callbacks=[StopAt(2)]).fit(rows, epochs=2, folder=tmp_path / "run")
    other = rows[0].clone()
    other[0] += 1
    run = Trainer.resume(tmp_path / "run", (other, rows[1]), model=classifier(), callbacks=())
    assert any("other first or last rows" in notice for notice in run.notices)


def test_a_damaged_newest_is_said_and_no_epoch_but_the_last_is_done_again(
    tmp_path, rows, classifier
):
    whole = Trainer(classifier(dropout=0.4)).fit(rows, epochs=4, folder=False)
    Trainer(classifier(dropout=0.4)).fit(rows, epochs=3, folder=tmp_path / "run")
    with RunFolder.open(tmp_path / "run") as folder:
        newest = folder.entries[-1].path / "training.safetensors"
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(content)
    (tmp_path / "run" / "run.json").write_text("{}")
    run = Trainer.resume(tmp_path / "run", rows, model=classifier(dropout=0.4), epochs=4)
    assert any("training.safetensors is damaged" in notice for notice in run.notices)
    assert any("goes on from step 8" in notice for notice in run.notices)
    assert same(run, whole)


def test_a_plain_loader_begins_its_epoch_again_and_says_so(tmp_path, rows, classifier):
    def loader():
        return DataLoader(TensorDataset(*rows), batch_size=20)

    Trainer(classifier(), callbacks=[StopAt(14)]).fit(loader(), epochs=3, folder=tmp_path / "run")
    run = Trainer.resume(tmp_path / "run", loader(), model=classifier(), callbacks=())
    assert any("epoch 2 begins again" in notice for notice in run.notices)
    assert (run.epoch, run.step) == (3, 34)


class Stateful:
    """What torchdata's StatefulDataLoader is to a run: it says where it stands, and goes on."""

    def __init__(self, rows, size=20):
        self.rows, self.size, self.epoch, self.position = rows, size, 0, 0

    def __len__(self):
        return len(self.rows[0]) // self.size

    def __iter__(self):
        order = torch.randperm(
            len(self.rows[0]), generator=torch.Generator().manual_seed(self.epoch)
        )
        for number in range(self.position, len(self)):
            self.position = number + 1
            some = order[number * self.size : (number + 1) * self.size]
            yield self.rows[0][some], self.rows[1][some]
        self.epoch, self.position = self.epoch + 1, 0

    def state_dict(self):
        return {"epoch": self.epoch, "position": self.position, "tuple": (1, None)}

    def load_state_dict(self, state):
        assert state["tuple"] == (1, None)
        self.epoch, self.position = state["epoch"], state["position"]


@pytest.mark.parametrize("kind", ["ours", "torchdata"])
@pytest.mark.parametrize("at", [14, 20])
def test_a_stateful_loader_goes_on_in_the_middle_of_its_epoch(tmp_path, rows, classifier, kind, at):
    def loader():
        if kind == "ours":
            return Stateful(rows)
        stateful = pytest.importorskip("torchdata.stateful_dataloader")
        return stateful.StatefulDataLoader(TensorDataset(*rows), batch_size=20, shuffle=True)

    whole = Trainer(classifier()).fit(loader(), epochs=3, folder=False)
    Trainer(classifier(), callbacks=[StopAt(at)]).fit(loader(), epochs=3, folder=tmp_path / "run")
    run = Trainer.resume(tmp_path / "run", loader(), model=classifier(), callbacks=())
    assert same(run, whole)


def test_a_run_is_found_by_its_name(tmp_path, rows, classifier, monkeypatch):
    root = tmp_path / "mlnb_runs"
    Trainer(classifier()).fit(rows, epochs=1, folder=root / "digits-1", name="digits")
    assert find("digits-1") == root / "digits-1"
    assert find("digits") == root / "digits-1"
    with pytest.raises(UnknownName, match="did you mean 'digits-1'"):
        find("digit-1")
    with pytest.raises(CheckpointError, match="no folder"):
        find(tmp_path / "nowhere" / "at all")


def test_a_run_that_still_trains_cannot_be_resumed(tmp_path, rows, classifier):
    seen = []

    class Try:
        def on_epoch_end(self, run):
            try:
                prepare(tmp_path / "run", model=classifier())
            except RunBusy as error:
                seen.append(str(error))

    Trainer(classifier(), callbacks=[Try()]).fit(rows, epochs=1, folder=tmp_path / "run")
    assert f"process {os.getpid()}" in seen[0]
