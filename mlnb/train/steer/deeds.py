"""What can be done to a run between two of its steps, by the word it is asked with: `DEEDS`.

What changes the numbers that come is recorded as an `Edit`, so that a replay can repeat it; all of
it is marked in the history.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.errors import UnknownName
from mlnb.train.steer import edits
from mlnb.train.steer.edits import Edit
from mlnb.train.steer.interrupts import shield

if TYPE_CHECKING:
    from mlnb.train.feed.batches import Batches
    from mlnb.train.keep.snapshot import Snapshot
    from mlnb.train.run import Run


def stop(run: Run, reason: str | None) -> None:
    """Mark it; that the loop ends, its `Control` knows already."""
    if run._live:
        run.history.mark(run.step, "stop", reason or "stopped")


def pause(run: Run, _: None = None) -> None:
    """Hold, and remember where the random generators stand."""
    from mlnb.train.keep.random_state import random_state

    if run._live and not run._paused:
        run._random = random_state()  # before anyone can see that it holds, and draw
        run._clock.stop(run.step)
        run.history.mark(run.step, "pause")
        run._paused, run.status = True, "paused"
        run._on_tick.tell(run)


def go_on(run: Run, _: None = None) -> None:
    """Go on after a pause."""
    from mlnb.train.keep.random_state import set_random_state

    if run._paused:
        set_random_state(run._random)
        run._paused, run.status = False, "training"
        run._clock.start(run.step)
        if not run._control.stopping:  # a stop ends a pause, too
            run.history.mark(run.step, "resume")
        run._on_tick.tell(run)


def set_lr(run: Run, value: tuple[float, str | None]) -> None:
    """Train with another rate, of one optimizer or of all of them."""
    rate, optimizer = value
    edits.set_rate(run._state, run._step, rate, optimizer)
    record(run, "set_lr", rate if optimizer is None else {optimizer: rate})


def checkpoint(run: Run, note: str) -> Path | None:
    """Keep the state as it is now; where it lies, if the run has a folder."""
    if run._keeping is None:
        return None
    kept = run._keeping.request(run._state, note)
    run.history.mark(run.step, "checkpoint", note)
    return kept


def rewind(run: Run, step: int) -> None:
    """Put a kept step back into the run, which then trains on from there."""
    from mlnb.train.keep.random_state import random_state
    from mlnb.train.keep.snapshot import put_back

    snapshot, left = kept_step(run, step), run.step
    given_up = type(run.history)()
    given_up.load_state_dict(run.history.state_dict())
    with shield():
        put_back(run._state, snapshot)
        run._step.lr_changed()
        run._random, run._moved = random_state(), True
        run._copy = run._last = None
    if run.stop_reason == "finished":
        run.status = run.stop_reason = "stopped"  # it has steps to go again
    run.abandoned.append(given_up)
    record(run, "rewind", left)
    if run._keeping is not None:
        run._keeping.mark(run._state, "rewind")


def record(run: Run, kind: str, value: Any, batches: Batches | None = None) -> None:
    """Write down a change that was made just now, and mark it in the history."""
    state = run._state
    run.edits.append(Edit(state.step, kind, value, state.epoch, state.batch, batches))
    number = value["lr"] if kind == "fork" else value
    run.history.mark(
        run.step,
        kind,
        edits.text_of(kind, value),
        float(number) if isinstance(number, int | float) else None,
    )


def kept_step(run: Run, step: int) -> Snapshot:
    """The snapshot of a kept step.

    Raises:
        UnknownName: it was not kept.
    """
    checked_step(run, step)
    assert run._keeping is not None
    snapshot: Snapshot = run._keeping.kept.get(step)
    return snapshot


def checked_step(run: Run, step: int) -> None:
    """Refuse a step that was not kept, with the nearest ones that were."""
    if isinstance(step, bool) or step not in run.kept:
        from mlnb.train.keep.kept import no_such_step

        raise UnknownName(
            f"'{run.name}': {no_such_step(step, run.kept)}. All of them are in run.kept; "
            "run.checkpoint() keeps one more"
        )


def _call(run: Run, work: Callable[[], Any]) -> Any:
    return work()


DEEDS: dict[str, Callable[[Run, Any], Any]] = {
    "stop": stop,
    "pause": pause,
    "resume": go_on,
    "set_lr": set_lr,
    "checkpoint": checkpoint,
    "rewind": rewind,
    "call": _call,
    "copy": _call,
}
