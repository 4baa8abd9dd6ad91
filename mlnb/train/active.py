"""Which run trains which module, and who wants to know that a run begins.

The registries hold runs weakly: one that has ended lives as long as its user holds it. Two runs
that trained one module would tear it, so the second one is refused, also where the two modules
only share a parameter.
"""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mlnb.errors import RunBusy

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.run import Run

Listener = Callable[["Run"], object]


def on_start(callback: Listener) -> Callable[[], None]:
    """Call `callback` with every run that begins, before its first step; returns what undoes it.

    >>> undo = on_start(lambda run: print(run.name))
    >>> undo()
    """
    entry = (callback,)
    _listeners.append(entry)
    return lambda: _listeners.remove(entry) if entry in _listeners else None


def has_listeners() -> bool:
    """Whether anybody wants to know that runs begin; otherwise a script gets a line of text."""
    return bool(_listeners)


def live_runs() -> list[Run]:
    """The runs that train or are paused, oldest first.

    >>> live_runs()
    []
    """
    return sorted((run for run in list(_runs) if run.active), key=lambda run: run.started)


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
    """A run begins: it is registered, or refused where its modules train already."""
    with _lock:
        refuse(run._state.models.values())
        _runs.add(run)


def leave(run: Run) -> None:
    """A run has ended."""
    _runs.discard(run)


def announce(run: Run) -> None:
    """Tell every listener that `run` begins; one that raises is left out with a notice."""
    for entry in list(_listeners):
        try:
            entry[0](run)
        except Exception as error:  # noqa: BLE001  a view must not end the training
            run.say(f"a listener for new runs failed and is left out: {error!r}")
            if entry in _listeners:
                _listeners.remove(entry)


def new_name(base: str) -> str:
    """A name that no run of this session has: `net-1`, `net-2`.

    >>> new_name("net")
    'net-1'
    """
    return f"{base}-{next(_numbers.setdefault(base, itertools.count(1)))}"


def _forget_runs() -> None:
    """A forked process has none of its parent's training threads."""
    global _lock
    _lock = threading.Lock()
    _runs.clear()


_listeners: list[tuple[Listener]] = []
_runs: weakref.WeakSet[Run] = weakref.WeakSet()
_numbers: dict[str, itertools.count[int]] = {}
_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_runs)
