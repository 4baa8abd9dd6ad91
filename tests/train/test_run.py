import gc
import math
import threading
import time
import weakref

import pytest
import torch
from steered import Does, Slow, fit, in_thread, net, rows, same, trainer, until

from mlnb.errors import DataError, MlnbError, RunBusy, TrainError, UnknownName
from mlnb.train import active
from mlnb.train.callbacks.early_stopping import EarlyStopping
from mlnb.train.run import Run


def marks(run: Run) -> list[tuple[int, str]]:
    return [(mark.step, mark.kind) for mark in run.history.marks]


def paused(**words: object) -> Run:
    """A run in the background that has trained some steps and holds."""
    run = fit(background=True, **{"epochs": 10_000, **words})
    until(lambda: run.step >= 5)
    run.pause()
    until(lambda: run.status == "paused")
    return run


def test_a_run_that_finished_says_so() -> None:
    run = fit(epochs=2)
    assert run.stop_reason == run.status == "finished"
    assert (run.step, run.epoch, run.epochs) == (16, 2, 2)
    assert not run.active
    assert run.seconds > 0
    assert run.steps_per_second > 0
    assert run.samples_per_second > run.steps_per_second
    assert run.eta == 0
    assert run.error is None


def test_a_stop_from_a_callback_acts_before_the_next_step() -> None:
    run = fit(trainer(callbacks=[Does(5, Run.stop)]))
    assert run.stop_reason == "stopped"
    assert run.step == 5
    assert len(run.history["loss"]) == 5
    assert marks(run) == [(5, "stop")]


def test_a_stop_from_another_thread_acts_soon() -> None:
    run = fit(trainer(callbacks=[Slow(0.001)]), epochs=10_000, background=True)
    until(lambda: run.step >= 3)
    run.stop()
    assert run.wait(timeout=10)
    assert run.stop_reason == "stopped"


def test_a_stop_asked_when_the_fit_begins_comes_before_the_first_step() -> None:
    undo = active.on_start(Run.stop)
    try:
        run = fit()
    finally:
        undo()
    assert run.stop_reason == "stopped"
    assert run.step == 0


def test_to_stop_or_pause_what_has_ended_does_nothing() -> None:
    run = fit()
    run.stop()
    run.pause()
    assert run.status == "finished"
    assert marks(run) == []


def test_a_stop_in_a_pause_ends_it() -> None:
    run = paused()
    step = run.step
    run.stop()
    assert run.wait(timeout=10)
    assert (run.stop_reason, run.step) == ("stopped", step)


def test_a_paused_run_holds_its_step_obeys_and_ticks() -> None:
    run = paused()
    step, ticks = run.step, []
    undo = run.on_tick(lambda run: ticks.append(run.status))
    run.set_lr(0.05)
    until(lambda: run.lr == 0.05)
    until(lambda: ticks)
    undo()
    assert ticks[0] == "paused"
    assert run.step == step
    run.resume()
    until(lambda: run.step > step)
    run.stop()
    assert run.wait(timeout=10)
    kinds = [kind for _, kind in marks(run)]
    assert kinds == ["pause", "set_lr", "resume", "stop"]


def test_a_pause_changes_no_number() -> None:
    run = paused(epochs=20)
    torch.rand(7)  # somebody draws meanwhile
    run.resume()
    assert run.wait(timeout=60)
    assert same(run, fit(epochs=20))


def test_a_rate_set_in_a_callback_holds_from_the_next_step_on() -> None:
    run = fit(trainer(lr=0.001, callbacks=[Does(5, lambda run: run.set_lr(0.01))]))
    rates = run.history["lr"]
    assert rates[:5].tolist() == pytest.approx([0.001] * 5)
    assert rates[5:].tolist() == pytest.approx([0.01] * 11)
    assert [(edit.step, edit.kind, edit.value) for edit in run.edits] == [(5, "set_lr", 0.01)]
    assert marks(run) == [(5, "set_lr")]


@pytest.mark.parametrize("rate", [-1, math.nan, math.inf, "fast", None, True, [1, 2], "0.1", 1j])
def test_a_rate_that_is_none_is_refused(rate: object) -> None:
    run = fit()
    before = run.lr
    with pytest.raises(DataError, match="a learning rate is a finite number from 0 up"):
        run.set_lr(rate)  # type: ignore[arg-type]
    assert run.lr == before


def test_groups_of_parameters_keep_their_ratio() -> None:
    model = net()
    optimizer = torch.optim.SGD(
        [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[4].parameters()}], lr=0.01
    )
    run = fit(trainer(model, optimizer=optimizer))
    run.set_lr(0.2)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.02])


def test_an_unknown_optimizer_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownName, match="optimizer"):
        fit().set_lr(0.1, optimizer="optimiser")


def test_going_on_after_a_stop_gives_what_would_have_come() -> None:
    run = fit(trainer(callbacks=[Does(11, Run.stop)]), epochs=3)
    assert run.step == 11
    torch.rand(3)
    assert run.resume() is run
    assert run.stop_reason == "finished"
    assert same(run, fit(epochs=3))


def test_going_on_after_the_last_epoch_gives_what_would_have_come() -> None:
    run = fit(epochs=1).resume(epochs=3)
    assert run.epoch == 3
    assert same(run, fit(epochs=3))


def test_going_on_past_a_stop_at_the_end_of_an_epoch() -> None:
    run = fit(trainer(callbacks=[Does(8, Run.stop)]), epochs=2, validation=0.2)
    run.resume()
    assert same(run, fit(epochs=2, validation=0.2))
    assert len(run.history.epochs) == 2


def test_going_on_after_the_best_weights_were_put_back_gives_what_would_have_come() -> None:
    def stopping() -> EarlyStopping:
        return EarlyStopping("val_loss", patience=100, mode="max")  # the first epoch is the best

    run = fit(trainer(callbacks=[stopping()]), epochs=3, validation=0.2)
    assert any("the best" in notice for notice in run.notices)
    run.resume(epochs=6)
    reference = fit(trainer(callbacks=[stopping()]), epochs=6, validation=0.2)
    assert run.history["loss"].tobytes() == reference.history["loss"].tobytes()


@pytest.mark.parametrize("epochs", [None, 1, 2, 2.5, True, "3"])
def test_where_nothing_is_left_to_train_going_on_is_refused(epochs: object) -> None:
    run = fit(epochs=2)
    with pytest.raises(DataError, match=r"Pass epochs=3 or more"):
        run.resume(epochs=epochs)  # type: ignore[arg-type]
    assert run.status == "finished"


def test_going_on_while_it_trains_does_nothing_but_more_epochs_are_refused() -> None:
    run = fit(trainer(callbacks=[Slow()]), epochs=10_000, background=True)
    assert run.resume() is run
    with pytest.raises(RunBusy, match=run.name):
        run.resume(epochs=5)
    run.stop()
    assert run.wait(timeout=10)


def test_a_second_fit_of_the_same_model_is_refused_with_the_name_of_the_run() -> None:
    model = net()
    mine = trainer(model, callbacks=[Slow()])
    run = fit(mine, epochs=10_000, background=True)
    try:
        for other in (mine, trainer(model), trainer(torch.nn.Sequential(model[0], model[2]))):
            with pytest.raises(RunBusy, match=run.name):
                fit(other)
    finally:
        run.stop()
        run.wait()
    assert fit(mine).stop_reason == "finished"


def test_a_model_that_shares_one_parameter_is_refused() -> None:
    model, other = net(), net()
    other[4].weight = model[4].weight
    run = fit(trainer(model, callbacks=[Slow()]), epochs=10_000, background=True)
    try:
        with pytest.raises(RunBusy):
            fit(trainer(other))
    finally:
        run.stop()
        run.wait()


def test_to_go_on_with_a_model_that_trains_elsewhere_is_refused_and_changes_nothing() -> None:
    model = net()
    first = fit(trainer(model))
    other = fit(trainer(model, callbacks=[Slow()]), epochs=10_000, background=True)
    try:
        with pytest.raises(RunBusy, match=other.name):
            first.resume(epochs=5)
        assert (first.status, first.epochs, first.active) == ("finished", 2, False)
        assert marks(first) == []
        assert first.wait(timeout=0)
    finally:
        other.stop()
        other.wait()


def test_an_ended_run_keeps_no_copy_of_what_it_was_asked() -> None:
    run = fit(trainer(callbacks=[Does(5, lambda run: run.predict(rows()[0][:4]))]))
    assert run.predict(rows()[0][:4]).shape == (4, 2)
    assert run._copy is None


def test_an_error_in_the_background_is_kept_and_raised_where_one_waits() -> None:
    def fail(run: Run) -> None:
        raise ZeroDivisionError("by hand")

    run = fit(trainer(callbacks=[Does(3, fail)]), background=True)
    for ask in (run.wait, run.result, run.wait):
        with pytest.raises(MlnbError, match="Does") as caught:
            ask()
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert run.status == "failed"
    assert run.step == 3


def test_an_error_in_the_foreground_is_raised_by_fit_and_the_model_is_free_again() -> None:
    def fail(run: Run) -> None:
        raise ZeroDivisionError

    mine = trainer(callbacks=[Does(3, fail)])
    with pytest.raises(MlnbError):
        fit(mine)
    assert active.run_of(mine.model) is None
    assert fit(mine).stop_reason == "finished"


def test_waiting_gives_up_in_time() -> None:
    run = paused()
    assert run.wait(timeout=0.05) is False
    with pytest.raises(TimeoutError, match=run.name):
        run.result(timeout=0.05)
    run.stop()
    assert run.result(timeout=10) is run


def test_waiting_in_the_thread_that_trains_is_refused() -> None:
    caught: list[TrainError] = []

    def wait(run: Run) -> None:
        with pytest.raises(TrainError) as refused:
            run.wait()
        caught.append(refused.value)

    fit(trainer(callbacks=[Does(2, wait)]))
    assert "cannot wait inside the thread that trains" in str(caught[0])


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_predictions_meanwhile_leave_its_losses_as_they_are(count: int) -> None:
    run = fit(trainer(callbacks=[Slow(0.001)]), epochs=10_000, background=True)
    x, _ = rows()
    for _ in range(count):
        assert run.predict(x[:8]).shape == (8, 2)
    run.stop()
    assert run.wait(timeout=60)
    assert run.step > 50
    assert same(run, fit(trainer(callbacks=[Does(run.step, Run.stop)]), epochs=10_000))


def test_a_prediction_in_a_callback_is_that_of_the_model_as_it_is_there() -> None:
    seen = {}

    def predict(run: Run) -> None:
        x = rows()[0][:8]
        copy = run.copy()
        seen["equal"] = torch.equal(copy(x), run.predict(x))
        seen["training"] = copy.training, run.model.training
        seen["weights"] = all(map(torch.equal, copy.parameters(), run.model.parameters()))

    run = fit(trainer(callbacks=[Does(5, predict)]))
    assert seen == {"equal": True, "training": (False, True), "weights": True}
    assert same(run, fit())


def test_a_copy_is_ones_own() -> None:
    run = paused()
    with torch.no_grad():
        for parameter in run.copy().parameters():
            parameter.zero_()
    assert run.predict(rows()[0][:4]).abs().sum() > 0
    run.stop()
    run.wait()


def test_a_model_that_cannot_be_copied_is_told_in_one_line() -> None:
    model = net()
    run = fit(trainer(model))
    model.lock = threading.Lock()
    with pytest.raises(TrainError, match="cannot be copied"):
        run.copy()


def test_evaluating_meanwhile_changes_nothing() -> None:
    run = paused(epochs=12)
    assert 0 < run.evaluate(rows())["loss"] < 10
    run.resume()
    assert run.wait(timeout=60)
    assert same(run, fit(epochs=12))


def test_a_listener_that_raises_is_left_out_with_a_notice() -> None:
    ended = []

    def fail(run: Run) -> None:
        raise ZeroDivisionError("in a view")

    def listen(run: Run) -> None:
        run.on_tick(fail)
        run.on_end(fail)
        run.on_end(lambda run: ended.append((run.status, run.active)))

    undo = active.on_start(listen)
    try:
        run = fit()
    finally:
        undo()
    assert run.stop_reason == "finished"
    assert ended == [("finished", False)]
    assert sum("listener" in notice for notice in run.notices) == 2


def test_a_checkpoint_on_request_is_a_step_to_go_back_to() -> None:
    run = fit(trainer(callbacks=[Does(7, lambda run: run.checkpoint("here"))]))
    assert 7 in run.kept
    assert (7, "checkpoint") in marks(run)
    assert 0 in run.kept


def test_nothing_keeps_an_ended_run_alive() -> None:
    run = fit(background=True)
    run.wait()
    name, gone = run.name, weakref.ref(run)
    del run
    until(lambda: threading.active_count() >= 1 and (gc.collect(), gone() is None)[1])
    assert name not in [other.name for other in active.live_runs()]


def test_stop_answers_within_a_fifth_of_a_second_from_another_thread() -> None:
    run = fit(trainer(callbacks=[Slow(0.001)]), epochs=10_000, background=True)
    until(lambda: run.step > 3)
    began = time.perf_counter()
    run.stop()
    run.wait()
    assert time.perf_counter() - began < 0.5


def test_an_interrupted_wait_in_a_thread_still_ends() -> None:
    run = paused()
    waited = in_thread(run.wait)
    run.stop()
    assert waited.wait(10)
