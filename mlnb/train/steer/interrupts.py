"""SIGINT while training: first a graceful stop, then KeyboardInterrupt, never inside a `shield`.

A KeyboardInterrupt can land between any two bytecodes, and inside an optimizer that leaves some
moments of this step and some of the last one. So the first interrupt only asks the loop to stop;
the second one, half a second later at least, raises, and where a shield is up, when it comes down.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlnb.train.steer.control import Control

SECOND_AFTER = 0.5


@contextmanager
def ladder(control: Control | None = None) -> Iterator[Ladder]:
    """Handle SIGINT for the block, in the main thread; elsewhere there is nothing to do.

    >>> with ladder(run._control):
    ...     train(run)

    The handler before it is back afterwards. A ladder inside one that has no run yet takes over
    what came meanwhile, so that an interrupt during the preparations stops the run that they make.

    Args:
        control: of the run that stops; `None` while there is none.
    """
    global _current
    mine = Ladder(control)
    if not _installable():
        yield mine
        return
    outer, before = _current, signal.getsignal(signal.SIGINT)
    if outer is not None and outer.control is None and outer.first is not None:
        mine.came(outer.first)
        outer.first = None
    _current = mine
    signal.signal(signal.SIGINT, mine)
    try:
        yield mine
    finally:
        _current = outer
        signal.signal(signal.SIGINT, before)


class Ladder:
    """The handler: what the first interrupt and what a later one does.

    Args:
        control: of the run that stops.
    """

    def __init__(self, control: Control | None) -> None:
        self.control = control
        self.first: float | None = None

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Called by Python in the main thread, between two bytecodes."""
        now = time.monotonic()
        if self.first is None:
            if self.control is None or not self.control.stop_is_fresh():
                self.came(now)
        elif now - self.first > SECOND_AFTER:
            _SHIELD.interrupt()

    def came(self, at: float) -> None:
        """The first interrupt came then: the run, where there is one, is to stop."""
        self.first = at
        if self.control is not None:
            self.control.request("stop", "interrupted")


def shield() -> AbstractContextManager[Any]:
    """Keep KeyboardInterrupt back to the end of the block.

    >>> with shield():
    ...     os.replace(new, old)

    What it returns may be entered many times, so that a loop makes it once. It costs 0.2 us. In
    other threads than the main one, where no interrupt lands, it does nothing.
    """
    return _SHIELD if threading.current_thread() is threading.main_thread() else _NOTHING


class Shield:
    """What `shield` gives in the main thread; blocks may lie inside each other."""

    def __init__(self) -> None:
        self._depth = 0
        self._waiting = False
        self._before: Any = None

    def __enter__(self) -> None:
        self._depth += 1
        if _current is None and self._depth == 1 and _installable():  # no ladder is up
            self._before = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._keep)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if self._depth:
            return
        before, self._before = self._before, None
        if before is not None:
            signal.signal(signal.SIGINT, before)
        if self._waiting:
            self._waiting = False
            if before is None:
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt, now or when the outermost block ends."""
        if self._depth:
            self._waiting = True
        else:
            raise KeyboardInterrupt

    def _keep(self, signum: int, frame: FrameType | None) -> None:
        self._waiting = True


def _installable() -> bool:
    """Whether a handler can be set here, and the one before it put back."""
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is not None
    )


_NOTHING: AbstractContextManager[Any] = nullcontext()
_SHIELD = Shield()
_current: Ladder | None = None
