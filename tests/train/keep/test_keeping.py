"""When a run writes and where; a disk that fills up or a place that is read-only ends nothing."""

import errno
import os
import shutil

import pytest
from train_states import advance, state_of

from mlnb.errors import RunBusy, TrainError
from mlnb.train.keep import checkpoint, checkpoint_files, keeping, runs, snapshot
from mlnb.train.keep.about import read_about
from mlnb.train.keep.keeping import Keeping
from mlnb.train.keep.run_folder import RunFolder, entries
from mlnb.train.keep.run_lock import holder
from mlnb.train.keep.runs import runs_folder
from mlnb.train.trainer import Trainer


@pytest.fixture
def said():
    return []


@pytest.fixture
def full(monkeypatch):
    """A disk that can be filled and freed."""
    state = {"full": False}
    sync = checkpoint_files.sync

    def maybe(descriptor):
        if state["full"]:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(checkpoint_files, "sync", maybe)
    return lambda on: state.update(full=on)


def test_a_named_folder_is_written_from_the_start_and_every_epoch(tmp_path):
    state = state_of()
    mine = Keeping(tmp_path / "run", name="net", describe=lambda: {"status": "training"})
    mine.begin(state)
    assert [entry.step for entry in entries(tmp_path / "run")] == [0]
    assert holder(tmp_path / "run")["pid"] == os.getpid()
    for step in (5, 10):
        advance(state, 5)
        mine.epoch_end(state)
        assert entries(tmp_path / "run")[-1].step == step
    mine.end(state)
    assert holder(tmp_path / "run") is None
    assert mine.kept.get(5).step == 5
    assert read_about(tmp_path / "run")["name"] == "net"


def test_false_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLNB_RUNS")
    state = state_of()
    mine = Keeping(False)
    mine._began -= 100
    mine.begin(state)
    mine._began -= 100
    mine.tick(state)
    advance(state, 1)
    mine.epoch_end(state)
    assert mine.request(state) is None
    mine.end(state)
    assert list(tmp_path.iterdir()) == []
    assert mine.kept.steps[-1] == 1


def test_auto_writes_after_ten_seconds_and_then_once_a_second(monkeypatch, said):
    now = [100.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])
    state = state_of()
    mine = Keeping("auto", name="net/../x", say=said.append)
    mine.begin(state)
    for _ in range(9):
        now[0] += 1
        advance(state, 1)
        mine.tick(state)
    assert mine.folder is None
    assert not runs_folder().exists()
    now[0] += 1
    mine.tick(state)
    assert mine.folder.parent == runs_folder()
    assert mine.folder.name.startswith("net-..-x-2")
    assert 0 in [entry.step for entry in entries(mine.folder)]
    advance(state, 1)
    now[0] += 2
    mine.epoch_end(state)
    count = len(entries(mine.folder))
    for _ in range(9):
        now[0] += 0.1
        advance(state, 1)
        mine.epoch_end(state)
    assert len(entries(mine.folder)) == count
    mine.end(state)
    assert entries(mine.folder)[-1].step == state.step
    assert read_about(mine.folder)["auto"] is True
    assert said == []


@pytest.mark.parametrize(("cost", "pause"), [(0.001, 1.0), (0.05, 5.0), (3.0, 10.0)])
def test_checkpoints_of_the_auto_folder_lie_as_far_apart_as_they_are_dear(monkeypatch, cost, pause):
    now = [100.0]

    def slow(state):
        now[0] += cost
        return snapshot.take(state)

    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])
    state = state_of()
    mine = Keeping("auto")
    mine.begin(state)
    now[0] += 11
    mine.tick(state)
    monkeypatch.setattr(keeping, "take", slow)
    mine.epoch_end(state)
    count = len(entries(mine.folder))
    advance(state, 1)
    now[0] += 0.99 * pause
    mine.epoch_end(state)
    assert len(entries(mine.folder)) == count
    now[0] += 0.02 * pause
    mine.epoch_end(state)
    assert len(entries(mine.folder)) == count + 1
    mine.end(state)


def test_a_named_folder_gets_every_epoch_however_dear(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        keeping, "take", lambda state: now.__setitem__(0, now[0] + 5) or snapshot.take(state)
    )
    state = state_of()
    mine = Keeping(tmp_path / "run")
    mine.begin(state)
    for step in (1, 2, 3):
        advance(state, 1)
        mine.epoch_end(state)
        assert entries(tmp_path / "run")[-1].step == step
    mine.end(state)


def test_a_run_is_described_once_for_a_checkpoint(tmp_path):
    told = []
    state = state_of()
    mine = Keeping(
        tmp_path / "run",
        describe=lambda: told.append("describe") or {"status": "training"},
        note=lambda: told.append("note") or {"settings": {"lr": 0.1}},
    )
    mine.begin(state)
    advance(state, 1)
    told.clear()
    mine.epoch_end(state)
    assert sorted(told) == ["describe", "note"]
    assert checkpoint.read(entries(tmp_path / "run")[-1].path).note["settings"] == {"lr": 0.1}
    mine.end(state)


def test_an_auto_place_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, said):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("MLNB_RUNS", str(tmp_path / "file" / "below"))
    monkeypatch.setattr(keeping, "AUTO_SECONDS", 0)
    state = state_of()
    mine = Keeping("auto", say=said.append)
    mine.begin(state)
    for _ in range(3):
        advance(state, 1)
        mine.tick(state)
        mine.epoch_end(state)
    mine.end(state)
    assert len(said) == 1
    assert said[0].startswith("this run is kept in memory only: cannot write to")
    assert 3 in mine.kept.steps


def test_a_named_place_that_cannot_be_written_is_an_error_before_the_first_step(
    tmp_path, rows, classifier
):
    (tmp_path / "file").write_text("x")
    net = classifier()
    before = net[0].weight.detach().clone()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(TrainError, match="cannot write to"):
            Trainer(net).fit(rows, epochs=1, folder=path)
    assert (net[0].weight == before).all()


@pytest.mark.parametrize("folder", [True, "", " "])
def test_what_names_no_place_is_refused(folder, rows, classifier):
    with pytest.raises(TrainError, match='folder is "auto", a path, or False'):
        Trainer(classifier()).fit(rows, epochs=1, folder=folder)


def test_a_disk_that_is_full_from_the_start_is_an_error_too(tmp_path, full):
    full(True)
    with pytest.raises(TrainError, match="the disk is full; free some room"):
        Keeping(tmp_path / "run").begin(state_of())
    assert holder(tmp_path / "run") is None


def test_what_cannot_be_kept_ends_no_run(tmp_path, said):
    class Odd:
        def state_dict(self):
            return {"file": object()}

        def load_state_dict(self, state):
            raise AssertionError

    state = state_of()
    mine = Keeping(tmp_path / "run", say=said.append)
    mine.begin(state)
    state.callbacks.append(Odd())
    advance(state, 1)
    mine.epoch_end(state)
    assert len(said) == 1
    assert "training goes on" in said[0]
    assert "object" in said[0]


def test_a_disk_that_fills_up_is_said_once_and_tried_again(tmp_path, full, said):
    state = state_of()
    mine = Keeping(tmp_path / "run", say=said.append)
    mine.begin(state)
    full(True)
    for _ in range(3):
        advance(state, 1)
        mine.epoch_end(state)
        mine.tick(state)
    assert len(said) == 1
    assert "the disk is full; the one before stays, training goes on" in said[0]
    assert [entry.step for entry in entries(tmp_path / "run")] == [0]
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 1
    with pytest.raises(TrainError, match="the disk is full"):
        mine.request(state)
    full(False)
    advance(state, 1)
    mine.epoch_end(state)
    assert entries(tmp_path / "run")[-1].step == 4
    full(True)
    mine.epoch_end(state)
    assert len(said) == 2
    mine.end(state)
    with RunFolder.open(tmp_path / "run") as folder:
        assert folder.newest().step == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_whole_run_whose_files_may_not_grow_ends_well(tmp_path, rows, classifier):
    import resource

    Trainer(classifier()).fit(rows, epochs=1, folder=tmp_path / "warm")

    class Shrink:
        def on_epoch_end(self, run):
            limit = 500 if run.epoch in (2, 3) else resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    child = os.fork()
    if child == 0:
        code = 1
        try:
            run = Trainer(classifier(), callbacks=[Shrink()]).fit(
                rows, epochs=5, folder=tmp_path / "run"
            )
            told = [notice for notice in run.notices if "the disk is full" in notice]
            code = 0 if run.stop_reason == "finished" and len(told) == 1 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with RunFolder.open(tmp_path / "run") as folder:
        assert folder.newest().epoch == 5
        assert 8 not in [entry.step for entry in folder.entries]


def test_a_checkpoint_on_request_makes_the_auto_folder_and_keeps_the_note(said):
    state = state_of(steps=1)
    mine = Keeping("auto", name="net", say=said.append)
    mine.begin(state)
    place = mine.request(state, "good one")
    assert checkpoint.read(place).note["text"] == "good one"
    assert read_about(mine.folder)["note"] == "good one"
    mine.end(state)


def test_a_run_that_ended_holds_its_folder_again_for_as_long_as_it_writes(tmp_path):
    state = state_of()
    mine = Keeping(tmp_path / "run")
    mine.begin(state)
    mine.end(state)
    advance(state, 1)
    assert mine.request(state).name.endswith("step-1-asked")
    assert holder(tmp_path / "run") is None
    mine.begin(state)
    assert holder(tmp_path / "run") is not None
    advance(state, 1)
    mine.epoch_end(state)
    mine.end(state)
    assert mine.kept.steps == [0, 1, 2]
    with RunFolder.open(tmp_path / "run"), pytest.raises(RunBusy):
        mine.request(state)


def test_a_run_whose_folder_is_gone_goes_on_from_memory(tmp_path, rows, classifier):
    trainer = Trainer(classifier())
    run = trainer.fit(rows, epochs=1, folder=tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    run.checkpoint()  # of memory, which is not gone
    assert run.kept == [run.step]
    assert "run is gone, and with it the steps that were kept there" in run.notices[-1]
    run.resume(epochs=2)
    assert (run.stop_reason, run.epoch) == ("finished", 2)
    assert RunFolder.open(tmp_path / "run").newest().epoch == 2


def test_what_is_deleted_to_make_room_is_said(monkeypatch, said):
    monkeypatch.setattr(keeping, "AUTO_SECONDS", 0)
    monkeypatch.setattr(runs.make_room, "__defaults__", (1, 10**9))
    for name in ("first", "second"):
        state = state_of()
        mine = Keeping("auto", name=name, say=said.append, describe=finished)
        mine.begin(state)
        mine.tick(state)
        mine.end(state)
    assert len(said) == 1
    assert said[0].startswith("to make room, 1 old run in mlnb_runs deleted: first-2")


def finished():
    return {"status": "finished", "epoch": 1, "epochs": 1, "step": 1}


def test_a_resumed_automatic_run_stays_one(monkeypatch, rows, classifier):
    monkeypatch.setattr(keeping, "AUTO_SECONDS", 0)
    first = Trainer(classifier()).fit(rows, epochs=1)
    run = Trainer.resume(first.folder, rows, model=classifier(), epochs=2)
    assert run.folder == first.folder
    assert read_about(run.folder)["auto"] is True
    again = Trainer.resume(first.folder, rows, model=classifier(), epochs=3)
    assert (again.epoch, again.folder) == (3, first.folder)


def test_the_folder_of_a_checkpoint_after_the_end_is_let_go(rows, classifier):
    run = Trainer(classifier()).fit(rows, epochs=1)
    assert run.folder is None
    run.checkpoint("to keep")
    assert holder(run.folder) is None
    assert Trainer.resume(run.folder, rows, model=classifier(), epochs=2).epoch == 2


def test_the_state_after_a_rewind_is_the_newest(tmp_path):
    state = state_of(steps=3)
    mine = Keeping(tmp_path / "run")
    mine.begin(state)
    advance(state, 3)
    mine.epoch_end(state)
    mine.mark(state_of(steps=1), "rewind")
    mine.end(state_of(steps=1))
    with RunFolder.open(tmp_path / "run") as folder:
        assert folder.newest().step == 1


def test_a_fork_has_a_folder_of_its_own(tmp_path, monkeypatch, rows, classifier):
    monkeypatch.setattr(keeping, "AUTO_SECONDS", 0)
    run = Trainer(classifier()).fit(rows, epochs=1, folder=tmp_path / "run", keep="1 MB")
    fork = run.fork(0)
    assert fork.folder.parent == runs_folder()
    assert read_about(fork.folder)["auto"] is True
    assert fork._keeping.kept.budget == 10**6
    bare = Trainer(classifier()).fit(rows, epochs=1, folder=False)
    assert bare.fork(0).folder is None
