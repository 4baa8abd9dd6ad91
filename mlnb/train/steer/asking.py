"""What is asked of a run, and answered by the thread that trains, between two of its steps.

Where nothing trains, whoever asks does it at once. A wish that fails is answered by its error: it
ends no training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlnb.errors import TrainError
from mlnb.train import active
from mlnb.train.steer import copies, deeds
from mlnb.train.steer.control import Request

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.run import Run

PAUSED_TICK = 0.25


def ask(run: Run, kind: str, value: Any = None) -> Request:
    """Hand a request to the loop, which answers it, or obey it here where none runs.

    >>> ask(run, "checkpoint", "before the lower rate")

    Args:
        run: that is asked.
        kind: one of `deeds.DEEDS`.
        value: with what.

    Raises:
        Exception: what obeying it raised, where that happened here.
    """
    request = Request(kind, value)
    if run._live:
        run._control.put(request)
        if not run._live and not request.done:  # it ended meanwhile, perhaps without looking
            answer_all(run)
        return request
    _obey(run, request)
    if request.error is not None:
        raise request.error
    return request


def between_steps(run: Run, work: Callable[[], Any], kind: str = "call") -> Any:
    """What `work` gives, done by the thread that trains between two steps.

    Args:
        run: whose steps.
        work: may read and change all of it.
        kind: "copy" for what only reads the models, which need not wait for a validation's end.
    """
    if not run._live or run._control.mine():
        return work()
    request = ask(run, kind, work)
    request.wait()
    if request.error is not None:
        raise request.error
    return request.result


def settled_models(run: Run) -> dict[str, nn.Module]:
    """A copy of the models as they are between two steps, to read only; one a step serves all.

    >>> settled_models(run)["model"]

    Of a run that has ended it is a copy too, since it may train on while somebody predicts.
    """

    def now() -> dict[str, nn.Module]:
        if not run._live:
            return copies.for_prediction(run._state.models)
        if run._copy is None or run._copy[0] != run.step:
            run._copy = run.step, copies.for_prediction(run._state.models)
        return run._copy[1]

    models: dict[str, nn.Module] = between_steps(run, now, "copy")
    return models


def settled(module: nn.Module) -> nn.Module:
    """The module as it is between two steps: itself, or a copy where a run trains it.

    >>> settled(net) is net  # nothing trains it
    True
    """
    run = active.run_of(module)
    if run is None:
        return module
    for name, model in run._state.models.items():
        for path, inner in model.named_modules():
            if inner is module:
                return settled_models(run)[name].get_submodule(path)
    return between_steps(run, lambda: copies.for_prediction({"it": module}), "copy")["it"]


def boundary(run: Run) -> bool:
    """Obey every request, and hold while the run is paused; `False` when it is to end."""
    control = run._control
    answer_all(run)
    while run._paused and not control.stopping:
        asked = control.next(PAUSED_TICK)
        if asked is not None:
            _obey(run, asked)
        else:
            run._on_tick.tell(run)
    if run._paused:
        deeds.go_on(run)
    return not control.stopping


def glance(run: Run) -> None:
    """Serve copies, which may be taken anywhere outside a step; other requests go on waiting."""
    others = []
    for request in run._control.taken():
        if request.kind == "copy":
            _obey(run, request)
        else:
            others.append(request)
    for request in others:
        run._control.put_back(request)


def answer_all(run: Run) -> None:
    """Obey every request that waits."""
    for request in run._control.taken():
        _obey(run, request)


def _obey(run: Run, request: Request) -> None:
    """Do what was asked and say so to whoever waits, also when it goes wrong."""
    try:
        request.answer(deeds.DEEDS[request.kind](run, request.value))
    except Exception as error:  # noqa: BLE001  a wish that fails must not end the training
        request.answer(error=error)
        if run._live:
            run.say(f"{request.kind} failed and changed nothing: {error}")
    finally:
        if not request.done:
            request.answer(error=TrainError(f"{request.kind} was interrupted"))
