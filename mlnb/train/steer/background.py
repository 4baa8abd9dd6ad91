"""Training beside the cell: the thread, the word of whoever knows that there is no cell, the end.

The thread is no daemon, so that a script's run is finished before the interpreter ends; Ctrl-C
while it waits there stops the run gracefully, as it does in `run.wait()`.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlnb.train.steer.control import wait_for
from mlnb.train.steer.interrupts import ladder

if TYPE_CHECKING:
    from mlnb.train.run import Run

PAUSE_SECONDS = 0.5

Predicate = Callable[[], bool]


def _by_environment() -> bool:
    return os.environ.get("MLNB_HEADLESS", "").lower() not in ("", "0", "false", "no")


def headless() -> bool:
    """Whether nobody waits for a cell, so that `background=True` trains in the foreground.

    >>> headless()
    False

    By default that is what the environment variable `MLNB_HEADLESS` says.
    """
    return _headless()


def set_headless(predicate: Predicate | None) -> Predicate:
    """Let `predicate` say it from now on, `None` for the environment; returns the old one.

    >>> before = set_headless(lambda: True)
    >>> before = set_headless(before)
    """
    global _headless
    before, _headless = _headless, predicate or _by_environment
    return before


def start(run: Run, work: Callable[[], None]) -> None:
    """Do `work` in a thread; the interpreter does not end before it."""
    _at_exit()
    _runs.add(run)
    threading.Thread(target=work, name=f"mlnb {run.name}", daemon=False).start()


def wait(run: Run, timeout: float | None = None) -> bool:
    """Wait until `run` has ended; the first interrupt meanwhile stops it gracefully."""
    with ladder(run._control):
        return wait_for(run._ended, timeout)


def _finish() -> None:
    """Before the interpreter waits for its threads, where Ctrl-C would only kill them."""
    for run in list(_runs):
        while not wait(run, PAUSE_SECONDS):
            if run.status == "paused":
                run.stop()  # nobody is left who could let it go on


def _at_exit() -> None:
    global _registered
    if not _registered:
        _registered = True
        # Called before the interpreter joins its threads; `atexit` comes only after that.
        register = getattr(threading, "_register_atexit", None)
        if register is not None:
            register(_finish)


_headless: Predicate = _by_environment
_runs: weakref.WeakSet[Run] = weakref.WeakSet()
_registered = False
