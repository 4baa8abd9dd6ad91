"""From the first step of a run to its last one: what stands around the loop and between its steps.

All of it happens in the thread that trains. A run may have several sessions, one for each
`resume` after an end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlnb.errors import TrainError
from mlnb.train import active
from mlnb.train.steer import background, branches, copies, edits
from mlnb.train.steer.control import Control, Request
from mlnb.train.steer.interrupts import ladder

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.run import Run

PAUSED_TICK = 0.25


def launch(run: Run, beside: bool) -> None:
    """Begin a session, in this thread or beside it.

    Raises:
        RunBusy: the model trains already.
    """
    run._parts = frozenset(
        id(part)
        for model in run._state.models.values()
        for part in (*model.modules(), *model.parameters())
    )
    run._control = Control()
    run._background, run._live = beside, True
    try:
        active.enter(run)
    except BaseException:
        run._live = False
        raise
    run.status, run.stop_reason, run.error = "preparing", None, None
    run._ended.clear()
    active.announce(run)
    if not beside:
        _train(run)
    elif background.headless():
        run.say("background=True trains in this cell, because nobody waits for it here")
        _kept(run)
    else:
        background.start(run, lambda: _kept(run))


def boundary(run: Run) -> bool:
    """Obey every request, and hold while the run is paused; `False` when it is to end."""
    control = run._control
    for request in control.taken():
        _obey(run, request)
    while run._paused and not control.stopping:
        asked = control.next(PAUSED_TICK)
        if asked is not None:
            _obey(run, asked)
        else:
            _listen(run, run._on_tick)
    if run._paused:
        _go_on(run)
    return not control.stopping


def glance(run: Run) -> None:
    """Serve the requests that may be served outside a step anywhere; the others go on waiting."""
    others = []
    for request in run._control.taken():
        if request.kind == "copy":
            _obey(run, request)
        else:
            others.append(request)
    for request in others:
        run._control.put_back(request)


def tick(run: Run) -> None:
    """Between two steps, ten times a second."""
    run._clock.tick(run.step)
    if run._keeping is not None:
        run._keeping.tick(run._state)
    _listen(run, run._on_tick)


def ask(run: Run, request: Request) -> Request:
    """Hand a request to the loop, which answers it, or obey it here where none runs."""
    if run._live:
        run._control.put(request)
        if not run._live and not request.done:  # it ended meanwhile, perhaps without looking
            _answer_all(run)
    else:
        _obey(run, request)
        if request.error is not None:
            raise request.error
    return request


def between_steps(run: Run, work: Callable[[], Any], kind: str = "call") -> Any:
    """What `work` gives, done by the thread that trains between two steps."""
    if not run._live or run._control.mine():
        return work()
    request = ask(run, Request(kind, work))
    request.wait()
    if request.error is not None:
        raise request.error
    return request.result


def copied(run: Run) -> dict[str, nn.Module]:
    """The models as they are between two steps; one copy a step serves whoever asks."""

    def now() -> dict[str, nn.Module]:
        if run._copy is None or run._copy[0] != run.step or not run._live:
            run._copy = run.step, copies.for_prediction(run._state.models)
        return run._copy[1]

    models: dict[str, nn.Module] = between_steps(run, now, "copy")
    return models


def settled(module: nn.Module) -> nn.Module:
    """The module as it is between two steps: itself, or a copy where a run trains it."""
    run = active.run_of(module)
    if run is None:
        return module
    for name, model in run._state.models.items():
        for path, inner in model.named_modules():
            if inner is module:
                return copied(run)[name].get_submodule(path)
    return between_steps(run, lambda: copies.for_prediction({"it": module}), "copy")["it"]


def _train(run: Run) -> None:
    """The session itself."""
    from mlnb.train import loop
    from mlnb.train.keep.random_state import set_random_state

    control = run._control
    control.owner = threading.get_ident()
    reason = "failed"
    with ladder(control):
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
        run.error = error
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
                run._keeping.end(run._state, reason)
            except Exception as error:  # noqa: BLE001  a full disk loses no run
                run.say(f"its last checkpoint was not written: {error}")
    finally:
        active.leave(run)
        run._live = False
        try:
            _answer_all(run)
            _listen(run, run._on_end)
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


def _answer_all(run: Run) -> None:
    for request in run._control.taken():
        _obey(run, request)


def _obey(run: Run, request: Request) -> None:
    """Do what was asked and say so to whoever waits, also when it goes wrong."""
    try:
        request.answer(_DEEDS[request.kind](run, request.value))
    except Exception as error:  # noqa: BLE001  a wish that fails must not end the training
        request.answer(error=error)
        if run._live:
            run.say(f"{request.kind} failed and changed nothing: {error}")
    finally:
        if not request.done:
            request.answer(error=TrainError(f"{request.kind} was interrupted"))


def _stop(run: Run, reason: str | None) -> None:
    if run._live:
        run.history.mark(run.step, "stop", reason or "stopped")


def _pause(run: Run, _: None) -> None:
    from mlnb.train.keep.random_state import random_state

    if run._live and not run._paused:
        run._random = random_state()  # before anyone can see that it holds, and draw
        run._clock.stop(run.step)
        run.history.mark(run.step, "pause")
        run._paused, run.status = True, "paused"
        _listen(run, run._on_tick)


def _go_on(run: Run, _: None = None) -> None:
    from mlnb.train.keep.random_state import set_random_state

    if run._paused:
        set_random_state(run._random)
        run._paused, run.status = False, "training"
        run._clock.start(run.step)
        run.history.mark(run.step, "resume")
        _listen(run, run._on_tick)


def _set_lr(run: Run, value: tuple[float, str | None]) -> None:
    rate, optimizer = value
    edits.set_rate(run._state, run._step, rate, optimizer)
    branches.record(run, "set_lr", rate if optimizer is None else {optimizer: rate})


def _checkpoint(run: Run, note: str) -> Any:
    if run._keeping is None:
        return None
    kept = run._keeping.request(run._state, note)
    run.history.mark(run.step, "checkpoint", note)
    return kept


def _call(run: Run, work: Callable[[], Any]) -> Any:
    return work()


def _listen(run: Run, listeners: list[Callable[[Run], object]]) -> None:
    for callback in list(listeners):
        try:
            callback(run)
        except Exception as error:  # noqa: BLE001  a view must not end the training
            if callback in listeners:
                listeners.remove(callback)
            run.say(f"a listener failed and is left out: {error!r}")


_DEEDS: dict[str, Callable[[Run, Any], Any]] = {
    "stop": _stop,
    "pause": _pause,
    "resume": _go_on,
    "set_lr": _set_lr,
    "checkpoint": _checkpoint,
    "rewind": branches.go_back,
    "call": _call,
    "copy": _call,
}
