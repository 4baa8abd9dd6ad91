"""How far a long call has come: `progress`, and the sink that shows it.

The work below knows no notebook, so it only reports; whoever shows things sets the sink. Nothing
is shown in the first second, because most calls are over by then and a flash tells nobody anything.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Sink = Callable[[str, int, int], None]
"""Called with the label, what is done and the total; a last time when the work ends."""

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
        total: the number of steps.
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
            if sink is stderr_line:
                sys.stderr.write("\n")


def set_sink(sink: Sink | None) -> Sink:
    """Show progress through `sink` from now on, `None` for the line on stderr; returns the old one.

    >>> previous = set_sink(lambda label, done, total: print(label, done, total))
    >>> set_sink(previous)
    """
    global _sink
    previous, _sink = _sink, sink or stderr_line
    return previous


def stderr_line(label: str, done: int, total: int) -> None:
    """The sink of a plain script: one line on stderr that is written over."""
    sys.stderr.write(f"\r{label}: {done:,} of {total:,}")
    sys.stderr.flush()


_sink: Sink = stderr_line
