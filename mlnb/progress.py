"""How far a long call has come: `progress`, and the sink that shows it.

The work below knows no notebook, so it only reports; whoever shows things sets the sink. Nothing
is shown in the first second, because most calls are over by then and a flash tells nobody anything.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlnb.formatting import display_text

Sink = Callable[[str, int, int], None]
"""Called with the label, what is done and the total; a last time when the work ends.

Where it has a method `end`, that is called after the last time, with the label.
"""

QUIET_SECONDS = 1.0
TICK_SECONDS = 0.1


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Report on work of `total` steps; the block gets a function that says how many are done.

    >>> with progress("squeezenet", total=3) as done:
    ...     for step in range(3):
    ...         done(step + 1)

    Args:
        label: what is going on, in a word or two.
        total: the number of steps; 0 where nobody knows.
    """
    sink = _sink
    shown = False
    latest = 0
    due = time.monotonic() + QUIET_SECONDS

    def done(count: int) -> None:
        nonlocal shown, latest, due
        latest = count
        if time.monotonic() >= due:
            sink(label, count, total)
            shown, due = True, time.monotonic() + TICK_SECONDS

    try:
        yield done
    finally:
        if shown:
            sink(label, latest, total)
            getattr(sink, "end", _nothing)(label)


def set_sink(sink: Sink | None) -> Sink:
    """Show progress through `sink` from now on, `None` for the line on stderr; returns the old one.

    >>> previous = set_sink(lambda label, done, total: print(label, done, total))
    >>> set_sink(previous)
    """
    global _sink
    previous, _sink = _sink, sink or _stderr_line
    return previous


def progress_text(label: str, done: int, total: int) -> str:
    """What a sink shows.

    >>> progress_text("net", 1000, 2000)
    'net: 1,000 of 2,000'
    """
    return f"{display_text(label)}: {done:,} of {total:,}"


class StderrLine:
    """The sink of a plain script: one line on stderr that is written over."""

    def __call__(self, label: str, done: int, total: int) -> None:
        """Write the line anew."""
        sys.stderr.write(f"\r{progress_text(label, done, total)}")
        sys.stderr.flush()

    def end(self, label: str) -> None:
        """Go to the next line."""
        sys.stderr.write("\n")


def _nothing(_: str) -> None:
    return


_stderr_line = StderrLine()
_sink: Sink = _stderr_line
