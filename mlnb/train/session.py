"""A session of a run: from its first step to its last one, in the thread that trains; `launch`.

A run may have several, one for each `resume` after an end. What is asked of it meanwhile stands in
`steer/asking.py`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mlnb.train import active
from mlnb.train.steer import asking, background, copies
from mlnb.train.steer.interrupts import ladder

if TYPE_CHECKING:
    from mlnb.train.run import Run


def launch(run: Run, beside: bool | None = None) -> None:
    """Begin a session: what goes wrong is raised here, or kept for `run.result()`.

    >>> launch(run, beside=True)
    >>> run.wait()

    Args:
        run: that is to train, from where it stands.
        beside: whether in a thread; as before by default.

    Raises:
        RunBusy: the model trains already.
    """
    with ladder():  # an interrupt that comes before its own ladder is up stops it all the same
        active.enter(run)
        with ladder(run._control):
            if beside is not None:
                run._background = beside
            run.status, run.stop_reason, run.error, run._copy = "preparing", None, None, None
            active.announce(run)
            if not run._background:
                _train(run)
            elif background.headless():
                run.say("background=True trains in this cell, because nobody waits for it here")
                _kept(run)
            else:
                background.start(run, lambda: _kept(run))


def tick(run: Run) -> None:
    """Ten times a second, between two steps: kept steps, and whoever listens."""
    run._clock.tick(run.step)
    if run._keeping is not None:
        run._keeping.tick(run._state)
    run._on_tick.tell(run)


def epoch_end(run: Run) -> None:
    """An epoch is over and told: its checkpoint."""
    if run._keeping is not None:
        run._keeping.epoch_end(run._state)


def before_end(run: Run) -> None:
    """The last step is done, and callbacks may put the best weights in its place."""
    if run._plan.callbacks.has("on_fit_end"):
        run._last = copies.weights_of(run._state.models)
    if run._keeping is not None:
        run._keeping.before_end(run._state)


def _train(run: Run) -> None:
    """The session itself."""
    from mlnb.train import loop
    from mlnb.train.keep.random_state import set_random_state

    run._control.owner = threading.get_ident()
    reason = "failed"
    try:
        run.status = "training"
        if run._random is not None:
            set_random_state(run._random)
        _forget_best(run)
        _begin_keeping(run)
        run._clock.start(run.step)
        reason = loop.train(run)
    except KeyboardInterrupt:
        reason = "interrupted"
        raise
    except BaseException as error:
        run.error = error
        raise
    finally:
        _end(run, reason)


def _kept(run: Run) -> None:
    """A session whose error is kept for whoever asks for the result."""
    try:
        _train(run)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  raised by run.wait() and run.result()
        run.say(f"it failed: {error}; run.result() raises it")


def _end(run: Run, reason: str) -> None:
    """The loop has ended, in whatever way; nothing here may keep the run from having ended."""
    from mlnb.train.keep.random_state import random_state

    try:
        run.stop_reason = run.status = reason
        run._clock.stop(run.step)
        run._random = random_state()
        run._paused, run._copy = False, None
        if run._last is not None and not copies.weights_differ(run._state.models, run._last):
            run._last = None
        if run._keeping is not None:
            try:
                run._keeping.end(run._state)
            except Exception as error:  # noqa: BLE001  a full disk loses no run
                run.say(f"its last checkpoint was not written: {error}")
    finally:
        run._live = False
        try:
            asking.answer_all(run)
            run._on_end.tell(run)
        finally:
            run._control.owner = None
            run._ended.set()


def _forget_best(run: Run) -> None:
    """Training goes on from its last step, where a callback had put back the weights of another."""
    if run._last is not None:
        copies.put_weights(run._state.models, run._last)
        run._last = None


def _begin_keeping(run: Run) -> None:
    from mlnb.train.keep.keeping import Keeping

    asked = run._plan.asked
    if run._keeping is None:
        run._keeping = Keeping(
            folder=asked.folder,
            keep=asked.keep,
            name=run.name,
            describe=run._describe,
            note=run._begun,
            say=run.say,
            resumed=None if run._resumed is None else run._resumed.folder,
        )
    run._keeping.begin(run._state)
