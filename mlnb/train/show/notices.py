"""A run in a plain terminal: its notices, and one line on stderr that is written over.

A notebook shows a run in a widget; where nobody asked to be told that a run begins, this is shown.
Nothing appears in the first second but what the run has to say. A file or a pipe cannot be written
over, so it gets a line now and then instead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from mlnb.formatting import display_text
from mlnb.train.show.lines import line

if TYPE_CHECKING:
    from mlnb.train.run import Run

QUIET_SECONDS = 1.0
LOG_SECONDS = 30.0
WIDTH = 120


def terminal_line(run: Run, stream: TextIO | None = None) -> Callable[[], None]:
    """Tell of `run` on stderr until it ends; the function returned stops that.

    >>> undo = terminal_line(run)

    Args:
        run: it is listened to by `on_tick` and `on_end`.
        stream: where to write; stderr as it is then.
    """
    line = TerminalLine(stream)
    undo = [run.on_tick(line), run.on_end(line.end)]
    return lambda: [forget() for forget in undo].clear()


class TerminalLine:
    """The listener: one line for each notice, and one that is written over."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._due = time.monotonic() + QUIET_SECONDS
        self._told = 0
        self._shown = ""
        self._logged = False

    def __call__(self, run: Run) -> None:
        """Write what is new."""
        self._tell(run)
        if time.monotonic() < self._due:
            return
        if self._terminal:
            self._over(_line(run))
        else:
            self._write(f"{_line(run)}\n")
            self._logged, self._due = True, time.monotonic() + LOG_SECONDS

    def end(self, run: Run) -> None:
        """Write the last line, and go to the next one."""
        self._tell(run)
        if self._shown:
            self._over(_line(run))
            self._write("\n")
            self._shown = ""
        elif self._logged:
            self._write(f"{_line(run)}\n")

    def _tell(self, run: Run) -> None:
        notices = run.notices
        for notice in notices[self._told :]:
            if self._shown:
                self._over("")
                self._write("\r")
            self._write(f"{run.name}: {display_text(notice, 400)}\n")
            self._shown = ""
        self._told = len(notices)

    def _over(self, text: str) -> None:
        text = text[:WIDTH]
        self._write(f"\r{text.ljust(len(self._shown))}")
        self._shown = text

    @property
    def _terminal(self) -> bool:
        return (self._stream or sys.stderr).isatty()

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(text)
        stream.flush()


def _line(run: Run) -> str:
    return f"{run.name}: {line(run)}"
