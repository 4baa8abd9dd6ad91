"""How far a long call has come: `progress`, and the sink that shows it.

The work below knows no notebook, so it only reports; whoever shows things sets the sink. Nothing
is shown in the first second, because most calls are over by then and a flash tells nobody anything.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mlnb.formatting import display_text

Sink = Callable[[str, int, int], None]
"""Called with the label, what is done and the total; a last time when the work ends.

Where it has a method `end`, that is called after the last time, with the label.
"""

QUIET_SECONDS = 1.0
TICK_SECONDS = 0.1
RATE = " · "
"""What divides a label from how fast it goes, which changes."""


@contextmanager
def progress(label: str, total: int, unit: str = "") -> Iterator[Callable[[int], None]]:
    """Report on work of `total` steps; the block gets a function that says how many are done.

    >>> with progress("squeezenet", total=3) as done:
    ...     for step in range(3):
    ...         done(step + 1)

    Args:
        label: what is going on, in a word or two.
        total: the number of steps; 0 where nobody knows.
        unit: what a step is, where one wants to know how many there are a second: "pictures". The
            label that is shown then ends in it, after `RATE`.
    """
    sink = _here.get() or _sink
    begun = time.monotonic()
    shown = False
    latest = 0
    due = time.monotonic() + QUIET_SECONDS

    def shown_label() -> str:
        if not unit:
            return label
        return f"{label}{RATE}{latest / max(time.monotonic() - begun, 1e-9):,.0f} {unit}/s"

    def done(count: int) -> None:
        nonlocal shown, latest, due
        latest = count
        if time.monotonic() >= due:
            sink(shown_label(), count, total)
            shown, due = True, time.monotonic() + TICK_SECONDS

    try:
        yield done
    finally:
        if shown:
            sink(shown_label(), latest, total)
            getattr(sink, "end", _nothing)(label)


def set_sink(sink: Sink | None) -> Sink:
    """Show progress through `sink` from now on, `None` for the line on stderr; returns the old one.

    >>> previous = set_sink(lambda label, done, total: print(label, done, total))
    >>> set_sink(previous)
    """
    global _sink
    previous, _sink = _sink, sink or _stderr_line
    return previous


@contextmanager
def shown_by(sink: Sink) -> Iterator[None]:
    """Show what the block does through `sink`; other threads show theirs as before.

    >>> with shown_by(lambda label, done, total: None):
    ...     classifier.predict_proba(pictures)
    """
    token = _here.set(sink)
    try:
        yield
    finally:
        _here.reset(token)


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
_here: ContextVar[Sink | None] = ContextVar("mlnb progress", default=None)
