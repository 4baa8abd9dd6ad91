"""The loop: `train(run)`, which every run goes through, whatever trains in it.

Nothing in a step waits for a device. On the host a step reads one flag, one clock, and on a CPU
whether the update was withheld; all else waits for the tick, ten times a second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlnb.errors import DataError
from mlnb.train import session
from mlnb.train.calling import training
from mlnb.train.evaluate import measure
from mlnb.train.ledger import Ledger
from mlnb.train.memory import is_out_of_memory, out_of_memory
from mlnb.train.misfits import failed, withheld
from mlnb.train.steer import asking, interrupts

if TYPE_CHECKING:
    from mlnb.train.run import Run

TICK_SECONDS = 0.1
MOVED = "moved"
"""What an epoch answers when a rewind led elsewhere: its batches begin anew from there."""


def train(run: Run) -> str:
    """Train to the planned end, or to where a request, a callback or a NaN ends it.

    >>> train(run)
    'finished'

    Returns:
        the reason: "finished", "nan", or what was asked for: "stopped", "interrupted", "early".

    Raises:
        TrainError: out of memory; the model is as it was after the last step.
        CallbackError: naming the callback that raised.
    """
    ledger = Ledger(run._state, run._plan)
    callbacks = run._plan.callbacks
    try:
        with training(run._state.models.values()):
            callbacks.call("on_fit_begin", run)
            reason = _epochs(run, ledger)
        session.before_end(run)
        callbacks.call("on_fit_end", run)
        session.tick(run)
        return reason
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        failure = out_of_memory(error, run)
    finally:
        ledger.drain()
    raise failure


def _epochs(run: Run, ledger: Ledger) -> str:
    if not _goes_on(run):
        return run._control.reason
    while run._state.epoch < run.epochs:
        reason = _epoch(run, ledger)
        if reason and reason != MOVED:
            return reason
        run._moved = False
    return "finished"


def _epoch(run: Run, ledger: Ledger) -> str:
    """One epoch, or the rest of one; the reason why training ends with it, or nothing."""
    state = run._state
    ledger.begin_epoch()
    if state.batch == 0:
        state.sums.clear()
        run._plan.callbacks.call("on_epoch_begin", run)
        if not _goes_on(run, ledger):
            return run._control.reason
        if run._moved:
            return MOVED
    reason = _steps(run, ledger)
    if reason:
        return reason
    if not state.batch:
        raise DataError("the data gave no batch: there is nothing to train on")
    return _finish_epoch(run, ledger)


def _steps(run: Run, ledger: Ledger) -> str:
    """The steps of an epoch: the hot loop."""
    state, plan, step, control = run._state, run._plan, run._step, run._control
    guard, callbacks = step.guard, plan.callbacks
    shield, clock, record = interrupts.shield(), time.perf_counter, ledger.record
    late = guard if guard is not None and not guard.every_step else None
    bad = guard.bad if guard is not None and guard.every_step else None
    hooked = callbacks.has("on_step_end")
    accumulating = plan.accumulate > 1
    due = clock() + TICK_SECONDS
    for inputs, targets in state.batches.epoch(state.epoch, state.batch):
        try:
            with shield:
                loss, outputs = step(inputs, targets)
                if bad is not None and bad():
                    return withheld(run, ledger, 0)
                record(loss, outputs, targets)
                state.batch += 1
                if accumulating and not step.stepped:
                    continue
                _step_taken(run, ledger)
        except Exception as error:  # noqa: BLE001  raised again, but for a single row
            failed(run, error, inputs)
            continue
        if hooked:
            callbacks.call("on_step_end", run)
        if control.pending:
            ledger.drain()
            if not _goes_on(run, ledger):
                return control.reason
            if run._moved:
                return MOVED
        now = clock()
        if now >= due or ledger.full:
            if late is not None and late.bad():
                return withheld(run, ledger, late.lost())
            ledger.drain()
            session.tick(run)
            due = clock() + TICK_SECONDS
    left_over = False
    with shield:
        if accumulating and step.flush():
            if bad is not None and bad():
                return withheld(run, ledger, 0)
            _step_taken(run, ledger)
            left_over = True
    if left_over and hooked:
        callbacks.call("on_step_end", run)
    if late is not None and late.bad():
        return withheld(run, ledger, late.lost())
    ledger.drain()
    return ""


def _step_taken(run: Run, ledger: Ledger) -> None:
    """The optimizer has stepped: the position and the rate of what comes next."""
    state, schedule = run._state, run._state.schedule
    if run._plan.accumulate > 1:
        ledger.step_ended()
    state.step += 1
    if schedule is not None:
        ledger.rate(schedule.lr)
        if schedule.step():
            run._step.lr_changed()


def _finish_epoch(run: Run, ledger: Ledger) -> str:
    """Validation, the row in the history, callbacks, checkpoint."""
    state, plan = run._state, run._plan
    values = plan.epoch_values(state)
    if plan.validation is not None:
        measured = measure(plan, state.models, plan.validation, run=run)
        if measured is None:
            # Stopped within validation: the epoch stays open, and is finished when one goes on.
            return run._control.reason if not _goes_on(run, ledger) else MOVED
        values.update((f"val_{name}", value) for name, value in measured.items())
    values["lr"] = state.lr
    state.epoch += 1
    state.batch = 0
    state.history.add_epoch(
        epoch=state.epoch, step=state.step, **values, seconds=ledger.epoch_seconds()
    )
    if state.schedule is not None:
        state.schedule.epoch_end(values)
        run._step.lr_changed()
    session.tick(run)
    plan.callbacks.call("on_epoch_end", run)
    session.epoch_end(run)
    return "" if _goes_on(run, ledger) else run._control.reason


def _goes_on(run: Run, ledger: Ledger | None = None) -> bool:
    """Obey what was asked for, and say whether training goes on."""
    if not run._control.pending:
        return True
    began = time.perf_counter()
    answer = asking.boundary(run)
    if ledger is not None:
        ledger.rested(time.perf_counter() - began)
    return answer
