"""The ring of steps to go back to: spaced by age, under its budget, two slots at least."""

import shutil
import threading
from itertools import pairwise

import pytest
from train_states import advance, state_of

from mlnb.errors import CheckpointError, TrainError
from mlnb.train.keep import kept as kept_module
from mlnb.train.keep.kept import Kept, bytes_of
from mlnb.train.keep.run_folder import ASKED, RunFolder
from mlnb.train.keep.snapshot import take


def fill(kept, steps, state=None):
    state = state or state_of()
    for step in steps:
        state.step = step
        kept.keep(take(state), "tick")


@pytest.mark.parametrize(
    ("text", "size"),
    [("2 GB", 2 * 10**9), ("500MB", 5 * 10**8), ("1.5 kb", 1500), (7, 7), (7.5, 7), ("9", 9)],
)
def test_a_budget_is_a_size(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["much", "-1 GB", -1, True, None, "2 XB", float("inf"), "9" * 400])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(TrainError, match="keep= takes a size"):
        bytes_of(text)


def test_old_steps_are_thinned_by_their_age_and_first_and_newest_stay():
    kept = Kept()
    fill(kept, range(0, 4000, 10))
    steps = kept.steps
    assert len(steps) == kept_module.MOST
    assert (steps[0], steps[-2], steps[-1]) == (0, 3980, 3990)
    recent = [step for step in steps if step > 3000]
    old = [step for step in steps if step <= 3000]
    assert len(recent) > len(old) > 3
    gaps = [b - a for a, b in pairwise(steps)]
    assert gaps[0] > gaps[-1]


def test_the_budget_holds_but_for_the_first_and_the_two_newest():
    state = state_of()
    size = take(state).nbytes
    kept = Kept(5 * size + 100)
    fill(kept, range(20), state)
    assert len(kept.steps) == 5
    assert kept.nbytes <= 5 * size + 100
    kept = Kept(1)
    fill(kept, range(20), state)
    assert kept.steps == [0, 18, 19]


def test_a_step_that_was_asked_for_goes_last():
    kept = Kept()
    state = state_of()
    state.step = 7
    kept.keep(take(state), ASKED)
    fill(kept, range(10, 2000))
    assert 7 in kept.steps
    state.step = 3
    kept.keep(take(state), "tick")
    assert kept.steps[-1] == 1999


def test_a_step_that_was_asked_for_goes_last_after_a_restart_too(tmp_path):
    kept, state = Kept(), state_of()
    with RunFolder.create(tmp_path / "run") as folder:
        kept.attach(folder)
        fill(kept, [0, 1, 2], state)
        state.step = 3
        kept.keep(take(state), ASKED)
    with RunFolder.open(tmp_path / "run") as folder:
        again = Kept(5 * folder.entries[0].nbytes)
        again.attach(folder)
        fill(again, range(4, 12), state)
    assert 3 in again.steps
    assert 2 not in again.steps


def test_the_same_step_again_takes_the_place_of_the_first():
    kept = Kept()
    state = state_of(steps=2)
    kept.keep(take(state), "tick")
    state.epoch = 5
    kept.keep(take(state), "epoch")
    assert kept.steps == [2]
    assert kept.get(2).epoch == 5


def test_a_step_that_is_not_there_names_the_nearest():
    kept = Kept()
    with pytest.raises(CheckpointError, match="no step is"):
        kept.get(5)
    fill(kept, [0, 10, 20])
    with pytest.raises(CheckpointError, match="nearest of 3 kept steps: 0, 10, 20"):
        kept.get(12)


def test_a_step_whose_files_are_gone_is_not_kept_any_more(tmp_path):
    kept = Kept()
    with RunFolder.create(tmp_path / "run") as folder:
        kept.attach(folder)
        fill(kept, [0, 10, 20])
        shutil.rmtree(folder.entries[1].path)
        with pytest.raises(CheckpointError, match="nearest of 2 kept steps: 0, 20"):
            kept.get(10)
    assert kept.steps == [0, 20]


def test_offers_take_a_hundredth_of_the_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(kept_module.time, "monotonic", lambda: now[0])

    def slow_take(state):
        now[0] += 0.02
        return take(state)

    monkeypatch.setattr(kept_module, "take", slow_take)
    kept = Kept()
    state = state_of()
    taken = 0
    while now[0] < 100:
        state.step += 1
        taken += kept.offer(state)
        now[0] += 0.1
    assert 10 < taken <= 100 * 0.01 / 0.02 + 1


def test_a_snapshot_too_large_for_memory_waits_for_the_folder(tmp_path):
    state = state_of()
    kept = Kept(take(state).nbytes)
    assert not kept.offer(state)
    with RunFolder.create(tmp_path / "run") as folder:
        kept.attach(folder)
        kept._due = 0
        assert kept.offer(state)
        assert [entry.step for entry in folder.entries] == [0]


def test_what_is_in_memory_moves_to_the_folder_and_is_thinned_there_too(tmp_path):
    kept = Kept()
    state = state_of()
    fill(kept, [0, 1], state)
    with RunFolder.create(tmp_path / "run") as folder:
        kept.attach(folder)
        assert [entry.step for entry in folder.entries] == [0, 1]
        assert all(held.snapshot is None for held in kept._held)
        fill(kept, range(2, 70), state)
        assert kept.steps == [entry.step for entry in folder.entries]
        assert len([entry.step for entry in folder.entries]) == kept_module.MOST
        assert kept.get(69).step == 69
    with RunFolder.open(tmp_path / "run") as folder:
        again = Kept()
        again.attach(folder)
        assert again.steps == kept.steps


def test_other_threads_may_ask_while_steps_come_and_go(tmp_path):
    kept = Kept()
    errors = []
    done = threading.Event()

    def ask():
        while not done.is_set():
            try:
                for step in kept.steps:
                    try:
                        assert kept.get(step).step == step
                    except CheckpointError as error:
                        assert "not kept" in str(error)  # noqa: PT017  thinned since
            except Exception as error:
                errors.append(error)
                return

    thread = threading.Thread(target=ask)
    with RunFolder.create(tmp_path / "run") as folder:
        kept.attach(folder)
        thread.start()
        state = state_of()
        for _ in range(80):
            advance(state, 1)
            kept.keep(take(state), "tick")
        done.set()
        thread.join()
    assert errors == []
