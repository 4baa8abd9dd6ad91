"""Which runs there are in this session, which of them trains which module, and who wants to know.

Runs are held weakly: one that has ended lives as long as its user holds it. Two runs that trained
one module would tear it, so the second one is refused, also where the two modules only share a
parameter.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mlnb.errors import RunBusy
from mlnb.train.steer.control import Control
from mlnb.train.steer.listeners import Listener, Listeners

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.run import Run


def on_start(callback: Listener) -> Callable[[], None]:
    """Call `callback` with every run that begins, before its first step; returns what undoes it.

    >>> undo = on_start(lambda run: print(run.name))
    >>> undo()
    """
    return _listeners.add(callback)


def has_listeners() -> bool:
    """Whether anybody wants to know that runs begin; otherwise a script gets a line of text."""
    return bool(_listeners)


def announce(run: Run) -> None:
    """Tell every listener that `run` begins."""
    _listeners.tell(run)


def known_runs() -> list[Run]:
    """The runs of this session that somebody still holds, oldest first.

    >>> known_runs()
    []
    """
    with _lock:
        return sorted(_runs, key=lambda run: run.started)


def live_runs() -> list[Run]:
    """Those of them that train or are paused.

    >>> live_runs()
    []
    """
    return [run for run in known_runs() if run.active]


def run_of(module: nn.Module) -> Run | None:
    """The run that trains this module, one that holds it, or one that shares a parameter with it.

    >>> run_of(net) is None
    True
    """
    mine = {id(module)} | {id(parameter) for parameter in module.parameters()}
    return next((run for run in live_runs() if not mine.isdisjoint(run._parts)), None)


def refuse(modules: Iterable[nn.Module]) -> None:
    """Raise where one of the modules trains already.

    Raises:
        RunBusy: with the name of the run, and what to do.
    """
    for module in modules:
        run = run_of(module)
        if run is not None:
            raise RunBusy(
                f"this model trains in the run '{run.name}', which is {run.status} at step "
                f"{run.step:,}. Stop it with run.stop(), wait for it with run.wait(), or train a "
                "copy: run.copy()"
            )


def enter(run: Run) -> None:
    """A run begins, or is refused where its modules train already: nothing has changed then.

    Raises:
        RunBusy: as `refuse`.
    """
    models = run._state.models.values()
    with _lock:
        refuse(models)
        parts = (part for model in models for part in (*model.modules(), *model.parameters()))
        run._parts = frozenset(map(id, parts))
        run._control = Control()
        run._ended.clear()
        run._live = True
        _runs.add(run)


def new_name(base: str) -> str:
    """A name that no run of this session has: `net-1`, `net-2`.

    >>> new_name("net")
    'net-1'
    """
    return f"{base}-{next(_numbers.setdefault(base, itertools.count(1)))}"


def _forget_runs() -> None:
    """A forked process has none of its parent's training threads."""
    global _lock
    _lock = threading.RLock()
    _runs.clear()


_listeners = Listeners()
_runs: weakref.WeakSet[Run] = weakref.WeakSet()
_numbers: dict[str, itertools.count[int]] = {}
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_runs)
