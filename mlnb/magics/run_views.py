"""What is seen of a run: its monitor opens when it begins, wherever `fit` was called.

A notebook that is executed without a reader (nbclient, nbval) gets one display instead of a widget,
which at the end is the run's picture: nothing of what it showed in between stays in the file.
Nobody is there to wait for a thread either, so what trains in the background trains in the cell.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from IPython.display import display, update_display

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlnb.train.run import Run

LINE_SECONDS = 1.0

_undo: list[Callable[[], object]] = []
_quiet: list[bool] = []


def install(shell: InteractiveShell, shown: Callable[[object], None]) -> None:
    """Open a view of every run that begins from now on.

    Args:
        shell: the running IPython.
        shown: told of each run that has its view, so that the cell does not show it again.
    """
    from mlnb.train import active
    from mlnb.train.steer import background

    remove()

    def opened(run: Run) -> None:
        shown(run)
        if not _quiet and not _adopted(run):
            watch(run)

    before = background.set_headless(lambda: headless(shell))
    _undo.extend([active.on_start(opened), lambda: background.set_headless(before)])


def _adopted(run: Run) -> bool:
    """Whether it was forked by a click in a monitor, which shows it beside its parent."""
    monitors = sys.modules.get("mlnb.widgets.training_monitor")
    return monitors is not None and bool(monitors.adopted(run))


def remove() -> None:
    """Open none any more."""
    while _undo:
        _undo.pop()()


@contextmanager
def quiet(silent: bool = True) -> Iterator[None]:
    """Open no view of the runs that begin inside the block, where `silent`."""
    if silent:
        _quiet.append(True)
    try:
        yield
    finally:
        if silent:
            _quiet.pop()


def watch(run: Run) -> None:
    """Show a run that trains, as this front end can."""
    from mlnb.widgets.base import has_front_end

    if not has_front_end():
        from mlnb.train.show.notices import terminal_line

        terminal_line(run)
    elif _without_reader():
        RunLine(run).open()
    else:
        from mlnb.widgets.training_monitor import TrainingMonitor

        TrainingMonitor(run)._ipython_display_()
        if run.health is not None:
            from mlnb.widgets.layer_health import health_view

            health_view(run)._ipython_display_()


def show(run: Run) -> None:
    """Show a run, live while it trains."""
    if run.active:
        watch(run)
    else:
        display(_bundle(run), raw=True)


def overlay(runs: list[Any]) -> bool:
    """Open one monitor of several runs; false where none of them trains, or nobody could see it."""
    from mlnb.train.run import Run
    from mlnb.widgets.base import has_front_end

    trains = any(getattr(run, "active", False) for run in runs)
    known = all(isinstance(run, Run) for run in runs)
    if not (trains and known and has_front_end()) or _without_reader():
        return False
    from mlnb.widgets.shown_run import RUNS
    from mlnb.widgets.training_monitor import TrainingMonitor

    if len(runs) > RUNS:
        return False
    TrainingMonitor(runs)._ipython_display_()
    return True


class RunLine:
    """A run as one display: a line while it trains, then its picture."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._id = uuid4().hex
        self._due = 0.0
        self._forget: list[Callable[[], object]] = []

    def open(self) -> None:
        """Show the line and follow the run."""
        display(self._line(), raw=True, display_id=self._id)
        self._forget = [self._run.on_tick(self._follow), self._run.on_end(self._finish)]

    def _follow(self, _: Run) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + LINE_SECONDS
            update_display(self._line(), raw=True, display_id=self._id)

    def _finish(self, run: Run) -> None:
        for forget in self._forget:  # when it goes on later, that is shown where it goes on
            forget()
        update_display(_bundle(run), raw=True, display_id=self._id)

    def _line(self) -> dict[str, str]:
        return {"text/plain": repr(self._run)}


def headless(shell: InteractiveShell) -> bool:
    """Whether a notebook is executed by a program that waits for cells and for nothing else.

    JupyterLab, Notebook 7 and VS Code say which cell they execute, nbclient and nbval do not.
    `MLNB_HEADLESS=1` or `=0` says it for a front end that is taken for the wrong one.
    """
    said = os.environ.get("MLNB_HEADLESS", "").lower()
    if said:
        return said not in ("0", "false", "no")
    kernel = getattr(shell, "kernel", None)
    if kernel is None or "google.colab" in sys.modules:
        return False
    request = kernel.get_parent("shell") or {}
    return not (request.get("metadata") or {}).get("cellId")


def _without_reader() -> bool:
    from mlnb.train.steer import background

    return background.headless()


def _bundle(value: Any) -> dict[str, str]:
    return {"text/html": value._repr_html_(), "text/plain": str(value)}
