"""A run of its own from a kept step on: `fork` with changes, `replay` of all that was done.

A branch puts a snapshot back into a copy of the run's state, over the same data. Its first change
is made with the random state of that step, so that a replay draws the same numbers.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import CheckpointError, DataError, TrainError, UnknownName
from mlnb.formatting import display_text, plural
from mlnb.train import active, session
from mlnb.train.show import notices
from mlnb.train.steer import copies, edits
from mlnb.train.steer.asking import between_steps
from mlnb.train.steer.control import Request
from mlnb.train.steer.deeds import kept_step, record
from mlnb.train.steer.resetting import begin_anew, resettable
from mlnb.train.words.rates import checked_rate

if TYPE_CHECKING:
    from mlnb.train.feed.batches import Batches
    from mlnb.train.keep.snapshot import Snapshot
    from mlnb.train.run import Run
    from mlnb.train.steer.edits import Edit


def fork(
    run: Run,
    step: int,
    *,
    lr: float | None,
    layers_reset: Iterable[str],
    data: Any,
    epochs: int | None,
    background: bool | None,
    name: str | None,
) -> Run:
    """See `Run.fork`."""
    snapshot = kept_step(run, step)
    rate = None if lr is None else checked_rate(lr)
    layers = [layers_reset] if isinstance(layers_reset, str) else list(layers_reset)
    for layer in layers:
        resettable(run._state.models, layer)
    batches = None if data is None else run._plan.batches_for(data)
    planned = checked_epochs(run, epochs, done=snapshot.epoch)
    branch = _branch(run, snapshot, name=name, epochs=planned)
    branch.parent = (run, step)
    changes = {"lr": rate, "layers_reset": layers, "data": data is not None}
    between_steps(run, lambda: _change(branch, changes, batches))
    return _launched(branch, run, run._background if background is None else background)


def replay(run: Run, *, background: bool, name: str | None) -> Run:
    """See `Run.replay`."""
    root = run
    while root.parent is not None:
        root = root.parent[0]
    try:
        snapshot = kept_step(root, 0)
    except (UnknownName, CheckpointError) as error:
        raise TrainError(
            f"'{root.name}' cannot be replayed, because its step 0 was not kept. "
            "A run with a folder of its own, folder=…, keeps it"
        ) from error
    again = _branch(root, snapshot, name=name, epochs=run.epochs, only_stateful=True)
    line, begun = line_of(run), again._inherited
    if line[: len(begun)] != begun:
        raise TrainError(
            f"'{run.name}' cannot be replayed, because step 0 of '{root.name}' was changed since: "
            f"{edits.text_of(begun[-1].kind, begun[-1].value)}"
        )
    state = run._state
    end = None if run.stop_reason == "finished" else (state.step, state.epoch, state.batch)
    again._state.callbacks.append(Script(line[len(begun) :], end, run.stop_reason))
    again._plan.callbacks = type(run._plan.callbacks)(again._state.callbacks)
    return _launched(again, run, background)


class Script:
    """The callback that repeats the edits of a run at their steps, and ends where it ended.

    Args:
        line: what to do, in order.
        end: step, epoch and batch to stop at; `None` to go to the end of the last epoch.
        reason: what the stop is called.
    """

    def __init__(
        self, line: list[Edit], end: tuple[int, int, int] | None, reason: str | None
    ) -> None:
        self._line = line
        self._end = end
        self._reason = reason

    def on_fit_begin(self, run: Run) -> None:
        """Edits before the first step."""
        self.on_step_end(run)

    def on_epoch_end(self, run: Run) -> None:
        """Edits between two epochs."""
        self.on_step_end(run)

    def on_step_end(self, run: Run) -> None:
        """Ask for all that was done at this place."""
        state = run._state
        here = (state.step, state.epoch, state.batch)
        while self._line and self._line[0].position <= here:
            one = self._line.pop(0)
            run._control.put(Request("call", lambda one=one: _again(run, one)))
        if self._end is not None and self._end <= here:
            run.stop(self._reason or "stopped")


def line_of(run: Run) -> list[Edit]:
    """The edits that led to where it is now, from the first run of its family on."""
    return edits.line(run.history.marks, [*run._inherited, *run.edits])


def checked_epochs(run: Run, epochs: int | None, done: int | None = None) -> int:
    """How many epochs there are to be in all, when that leaves something to train."""
    done = run.epoch if done is None else done
    planned = run.epochs if epochs is None else epochs
    if isinstance(planned, bool) or not isinstance(planned, int | np.integer) or planned <= done:
        raise DataError(
            f"'{run.name}' has {plural(done, 'epoch')} behind it there, and epochs= is how many "
            f"there are to be in all; received {display_text(repr(planned), 40)}. Pass "
            f"epochs={done + 1} or more"
        )
    return int(planned)


def _branch(
    run: Run,
    snapshot: Snapshot,
    *,
    name: str | None,
    epochs: int,
    only_stateful: bool = False,
) -> Run:
    """A run of its own that stands at the snapshot, over the same data."""
    from mlnb.train.keep.random_state import random_state, set_random_state
    from mlnb.train.keep.snapshot import put_back
    from mlnb.train.run import Run

    state, left = between_steps(
        run, lambda: copies.branched(run._state, only_stateful=only_stateful)
    )
    folder = "auto" if run._plan.asked.folder else False  # of its own, where its run has one
    plan = dataclasses.replace(
        run._plan,
        asked=dataclasses.replace(run._plan.asked, folder=folder),
        epochs=epochs,
        callbacks=type(run._plan.callbacks)(state.callbacks),
        metrics=copies.copied(run._plan.metrics),
        notes=[],
    )
    trainer = run.trainer._clone(state.models, state.optimizers)
    trainer.last_plan = plan
    branch = Run(trainer, plan, state, plan.build_step(state), name=name)

    def stand() -> None:
        before = random_state()
        try:
            put_back(state, snapshot)
            branch._step.lr_changed()
            branch._random = random_state()
        finally:
            set_random_state(before)

    between_steps(run, stand)  # so that the run draws on as if there were no branch
    branch._inherited = edits.line(branch.history.marks, [*run._inherited, *run.edits])
    if left and not only_stateful:
        branch.say(f"without {', '.join(left)}, which cannot be copied")
    if not active.has_listeners():
        notices.terminal_line(branch)
    return branch


def _launched(branch: Run, run: Run, background: bool) -> Run:
    """The branch, begun; a run that branches in its own callback draws on as if it had not."""
    from mlnb.train.keep.random_state import random_state, set_random_state

    before = random_state() if run._control.mine() else None
    try:
        session.launch(branch, background)
    finally:
        if before is not None:
            set_random_state(before)
    return branch


def _again(run: Run, one: Edit) -> None:
    """Do an edit once more."""
    if one.kind == "fork":
        _change(run, one.value, one.batches)
        return
    for name, rate in (one.value if isinstance(one.value, dict) else {None: one.value}).items():
        edits.set_rate(run._state, run._step, rate, name)
    record(run, one.kind, one.value)


def _change(run: Run, changes: dict[str, Any], batches: Batches | None) -> None:
    """What a fork changes, with the random state that the run has there."""
    from mlnb.train.keep.random_state import random_state, set_random_state

    state, before = run._state, random_state()
    if not run._live:
        set_random_state(run._random)
    record(run, "fork", changes, batches)
    for layer in changes["layers_reset"]:
        begin_anew(state, layer)
    if changes["lr"] is not None:
        edits.set_rate(state, run._step, changes["lr"])
    if batches is not None:
        state.batches, state.batch, state.sums = copy.copy(batches), 0, {}
        run._plan.prepared = dataclasses.replace(run._plan.prepared, train=batches)
        run._moved = True
    if not run._live:
        run._random = random_state()
        set_random_state(before)
