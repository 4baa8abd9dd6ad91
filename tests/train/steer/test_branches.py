import time
from pathlib import Path

import numpy as np
import pytest
import torch
from steered import Does, Slow, fit, net, rows, same, trainer, until, weights
from torch import nn

from mlnb.errors import DataError, LayerError, TrainError, UnknownName
from mlnb.train.run import Run
from mlnb.train.steer.branches import line_of
from mlnb.train.steer.edits import Edit, from_json, to_json
from mlnb.train.trainer import Trainer


def keeps(step: int) -> Does:
    return Does(step, lambda run: run.checkpoint())


def steered() -> Run:
    """A run that kept step 5 and whose rate was changed at step 9."""
    return fit(trainer(callbacks=[keeps(5), Does(9, lambda run: run.set_lr(0.01))]), epochs=3)


def test_a_rewind_after_the_end_and_on_again_gives_the_same_numbers() -> None:
    run = fit(trainer(callbacks=[keeps(5)]), epochs=3)
    reference = fit(epochs=3)
    assert same(run, reference)
    run.rewind(5)
    assert (run.step, run.epoch, len(run.history["loss"])) == (5, 0, 5)
    torch.rand(9)
    run.resume()
    assert same(run, reference)
    assert len(run.abandoned) == 1
    assert len(run.abandoned[0]["loss"]) == 24


def test_a_rewind_in_the_middle_of_a_run_acts_at_the_next_step() -> None:
    def back(run: Run) -> None:
        run.rewind(5)

    run = fit(trainer(callbacks=[keeps(5), Does(13, back)]), epochs=3)
    assert run.stop_reason == "finished"
    assert same(run, fit(epochs=3))
    assert [(edit.step, edit.kind, edit.value) for edit in run.edits] == [(5, "rewind", 13)]
    assert [mark.kind for mark in run.history.marks][-1] == "rewind"


def test_a_rewind_at_the_end_of_an_epoch_begins_at_the_right_batch() -> None:
    class Back:
        done = False

        def on_epoch_end(self, run: Run) -> None:
            if run.epoch == 2 and not self.done:
                self.done = True
                run.rewind(5)

    run = fit(trainer(callbacks=[keeps(5), Back()]), epochs=3)
    assert same(run, fit(epochs=3))
    assert [row["epoch"] for row in run.history.epochs] == [1, 2, 3]


def test_a_paused_run_rewinds() -> None:
    run = fit(trainer(callbacks=[keeps(5), Slow(0.001)]), epochs=40, background=True)
    until(lambda: run.step > 12)
    run.pause()
    until(lambda: run.status == "paused")
    run.rewind(5)
    until(lambda: run.step == 5)
    run.resume()
    assert run.wait(60)
    assert same(run, fit(epochs=40))


@pytest.mark.parametrize("step", [6, -1, "five", None, 5.5, True])
def test_a_step_that_was_not_kept_is_refused_with_the_nearest(step: object) -> None:
    run = fit(trainer(callbacks=[keeps(5)]))
    for act in (run.rewind, run.fork):
        with pytest.raises(
            UnknownName, match=r"is not kept; the nearest of \d kept steps: .*5.* run\.kept"
        ):
            act(step)  # type: ignore[arg-type]
    assert run.step == 16


def test_a_fork_without_changes_goes_on_as_the_original_did() -> None:
    run = fit(trainer(callbacks=[keeps(5)]), epochs=3)
    before = weights(run)
    fork = run.fork(5)
    assert same(fork, run)
    assert fork.parent == (run, 5)
    assert fork.model is not run.model
    assert all(map(torch.equal, before, weights(run)))


def test_a_fork_leaves_the_original_able_to_go_on() -> None:
    run = fit(trainer(callbacks=[Does(11, Run.stop), keeps(5)]), epochs=3)
    fork = run.fork(5, lr=0.1, layers_reset=["4"])
    assert fork.stop_reason == "finished"
    run.resume()
    assert same(run, fit(epochs=3))
    assert not same(fork, run)


def test_a_fork_of_a_run_that_still_trains() -> None:
    run = fit(trainer(nn.Linear(8, 2), callbacks=[Slow(0.001)]), epochs=60, background=True)
    until(lambda: run.step > 5)
    fork = run.fork(0, lr=0.1, epochs=2, background=False)
    assert (fork.stop_reason, fork.step) == ("finished", 16)
    assert run.wait(60)


def test_a_fork_in_a_callback_changes_nothing_in_its_run() -> None:
    forks: list[Run] = []

    def branch(run: Run) -> None:
        forks.append(run.fork(0, background=False))
        forks.append(run.replay())

    run = fit(trainer(callbacks=[Does(5, branch)]))
    assert [(fork.stop_reason, fork.step) for fork in forks] == [("finished", 16), ("stopped", 5)]
    assert same(run, fit())
    assert same(forks[0], run)


def test_the_changes_of_a_fork_are_made_and_told() -> None:
    run = fit(trainer(lr=0.001, callbacks=[keeps(5)]), epochs=2)
    x, y = rows(64)
    fork = run.fork(5, lr=0.02, layers_reset=["4"], data=(x, y), epochs=4, name="other")
    assert fork.name == "other"
    assert fork.history["lr"][5:] == pytest.approx(0.02)
    assert fork.history["lr"][:5] == pytest.approx(0.001)
    assert fork.step == 5 + 4 * 2  # 64 rows are two batches
    assert [(edit.step, edit.kind) for edit in fork.edits] == [(5, "fork")]
    mark = fork.history.marks[-1]
    assert (mark.step, mark.kind) == (5, "fork")
    for word in ("0.02", "4", "data"):
        assert word in mark.text


def test_a_layer_begins_anew_with_all_below_it_and_without_its_moments() -> None:
    inner = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    model = nn.Sequential(inner, nn.Linear(8, 2))
    run = fit(trainer(model), epochs=2)
    fork = run.fork(run.step, layers_reset=["0"], epochs=3)
    optimizer = fork._state.optimizers["optimizer"]
    ages = [float(optimizer.state[p]["step"]) for p in fork.model.parameters()]
    assert ages == [8, 8, 8, 8, 24, 24]
    assert int(fork.model[0][1].num_batches_tracked) == 8


def test_an_unknown_layer_is_told_with_the_closest() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, 2)
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(x) * self.scale

    run = fit(trainer(Named()))
    with pytest.raises(UnknownName, match="did you mean 'head'"):
        run.fork(0, layers_reset=["heads"])
    assert run.fork(0, layers_reset="head").stop_reason == "finished"


def test_a_layer_that_nobody_knows_how_to_draw_is_refused() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(8))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.weight

    run = fit(trainer(nn.Sequential(Own(), nn.Linear(8, 2))))
    with pytest.raises(LayerError, match="reset_parameters"):
        run.fork(0, layers_reset=["0"])


def test_a_fork_with_nothing_left_to_train_is_refused() -> None:
    run = fit(epochs=2)
    with pytest.raises(DataError, match="epochs=3"):
        run.fork(run.step)
    assert run.fork(run.step, epochs=np.int64(3)).epoch == 3  # type: ignore[arg-type]
    assert run.fork(run.step, epochs=3).step == 24


def test_a_fork_with_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match="learning rate"):
        fit().fork(0, lr=-1)


def test_a_callback_that_cannot_be_copied_stays_with_the_original_and_that_is_said() -> None:
    run = fit(trainer(callbacks=[keeps(5)]))
    fork = run.fork(5)
    assert any("Does" in notice for notice in fork.notices)


def test_a_fork_shares_the_data() -> None:
    run = fit()
    fork = run.fork(0)
    assert fork._state.batches is not run._state.batches
    assert fork._state.batches.inputs is run._state.batches.inputs


def test_the_first_step_of_a_fork_comes_within_two_seconds() -> None:
    run = fit()
    began, first = time.perf_counter(), []
    from mlnb.train import active

    undo = active.on_start(
        lambda run: run.on_tick(lambda run: first.append(time.perf_counter() - began))
    )
    try:
        run.fork(0)
    finally:
        undo()
    assert first[0] < 2


def test_a_replay_repeats_the_changes_at_their_steps() -> None:
    run = steered()
    again = run.replay()
    assert same(again, run)
    assert [(e.step, e.value) for e in again.edits] == [(9, 0.01)]
    assert not same(run, fit(epochs=3))


def test_a_replay_leaves_out_what_a_rewind_gave_up() -> None:
    def changed(run: Run) -> None:
        run.set_lr(0.5)
        run.rewind(5)

    run = fit(
        trainer(callbacks=[keeps(5), Does(9, changed), Does(12, lambda run: run.set_lr(0.01))]),
        epochs=3,
    )
    assert [edit.kind for edit in run.edits] == ["set_lr", "rewind", "set_lr"]
    assert [(edit.step, edit.kind) for edit in line_of(run)] == [(12, "set_lr")]
    assert same(run.replay(), run)


def test_a_replay_goes_through_the_forks_to_the_first_run() -> None:
    set_rate = Does(9, lambda run: run.set_lr(0.01))
    run = fit(trainer(callbacks=[keeps(16), set_rate]), epochs=3)
    x, y = rows(96)
    fork = run.fork(16, lr=0.003, layers_reset=["4"], epochs=4)
    fork.checkpoint()
    last = fork.fork(fork.step, layers_reset=["0"], data=(x, y), epochs=6)
    assert [(e.step, e.kind) for e in line_of(last)] == [(9, "set_lr"), (16, "fork"), (32, "fork")]
    again = last.replay()
    assert again.parent is None
    assert same(again, last)


def test_a_replay_ends_where_the_run_was_stopped() -> None:
    run = fit(trainer(callbacks=[Does(11, Run.stop)]), epochs=3)
    again = run.replay()
    assert (again.step, again.stop_reason) == (11, "stopped")
    assert same(again, run)


def test_a_replay_ends_where_the_run_was_rewound_to() -> None:
    run = fit(trainer(callbacks=[keeps(5)]), epochs=3)
    run.rewind(5)
    assert (run.status, run.stop_reason) == ("stopped", "stopped")
    assert run.replay().step == 5


def test_a_replay_goes_through_a_stop_and_a_resume() -> None:
    run = fit(trainer(callbacks=[Does(11, Run.stop)]), epochs=3)
    run.set_lr(0.01)
    run.resume(epochs=4)
    assert same(run.replay(), run)


def test_a_replay_with_a_schedule_and_a_rate_by_hand() -> None:
    run = fit(
        trainer(schedule="one_cycle", callbacks=[Does(9, lambda run: run.set_lr(0.004))]), epochs=3
    )
    assert same(run.replay(), run)


def test_a_change_between_two_epochs_is_replayed_between_them() -> None:
    class Lowers:
        def on_epoch_end(self, run: Run) -> None:
            run.set_lr(run.lr / 2)

    run = fit(trainer(schedule="plateau", callbacks=[Lowers()]), epochs=4, validation=0.2)
    again = run.replay()
    assert len(again.edits) == len(run.edits) == 4
    assert same(again, run)


def test_where_the_beginning_was_not_kept_a_replay_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = fit()
    assert run._keeping is not None
    run._keeping.kept._held = run._keeping.kept._held[-1:]
    with pytest.raises(TrainError, match="step 0 was not kept"):
        run.replay()


def test_a_replay_after_a_restart_repeats_the_changes_before_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    stops = [at_nine(), Does(13, Run.stop)]
    fit(trainer(callbacks=stops), epochs=3, folder=folder)
    run = Trainer.resume(folder, rows(), model=net(5), callbacks=[])
    assert run.stop_reason == "finished"
    assert same(run, fit(trainer(callbacks=[at_nine()]), epochs=3))
    assert [(edit.step, edit.kind) for edit in line_of(run)] == [(9, "set_lr")]
    assert same(run.replay(), run)


def test_a_replay_makes_no_change_twice_that_its_beginning_has(tmp_path: Path) -> None:
    fork = fit(folder=tmp_path / "run").fork(0, layers_reset=["4"], lr=0.01)
    fork.checkpoint()  # makes a folder
    again = Trainer.resume(fork.folder, rows(), model=net(7))
    assert [(edit.step, edit.kind) for edit in line_of(again)] == [(0, "fork")]
    assert same(again.replay(), fork)


def test_a_replay_from_a_beginning_that_was_changed_since_is_refused() -> None:
    run = fit()
    fork = run.fork(0, lr=0.01)
    run.rewind(0)
    run.set_lr(0.5)
    run.checkpoint()
    with pytest.raises(TrainError, match=r"step 0 of '.*' was changed since: lr 0.5"):
        fork.replay()
    assert same(run.resume().replay(), run)


def at_nine() -> Does:
    return Does(9, lambda run: run.set_lr(0.01))


def test_edits_survive_json() -> None:
    import json

    edits = [Edit(3, "set_lr", 0.1, 1, 2), Edit(1, "rewind", 3)]
    assert from_json(json.loads(json.dumps(to_json(edits)))) == edits
