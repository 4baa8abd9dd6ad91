"""What is asked of a running loop: `Control`, a queue that it looks at between two steps.

Requests come from other threads, from callbacks and from signal handlers. A handler may run while
its own thread holds any lock, so nothing here takes one: a `SimpleQueue` may be filled from inside
itself, and `pending` is a plain attribute, which is all that the loop reads a step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Any

WAIT_SECONDS = 0.1
COMM_SECONDS = 3.0


class Request:
    """One thing that was asked; whoever asked may wait until the loop has done it.

    >>> request = control.request("copy")
    >>> request.wait(timeout=5)
    True

    Args:
        kind: what is asked, "stop", "pause", "resume", "set_lr", "checkpoint", "rewind" or "call".
        value: with what.
    """

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind = kind
        self.value = value
        self.result: Any = None
        self.error: BaseException | None = None
        self._done = threading.Event()

    @property
    def done(self) -> bool:
        """Whether the loop has answered."""
        return self._done.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the loop has answered; `False` when that took longer.

        Args:
            timeout: seconds; `None` waits as long as it takes.
        """
        return wait_for(self._done, timeout)

    def answer(self, result: Any = None, error: BaseException | None = None) -> None:
        """Called by the loop when it is done."""
        self.result, self.error = result, error
        self._done.set()

    def __repr__(self) -> str:
        return f"Request({self.kind!r}, {'done' if self.done else 'waiting'})"


class Control:
    """What is asked of one run.

    >>> control = Control()
    >>> control.request("stop")
    Request('stop', waiting)
    >>> control.pending, control.stopping
    (True, True)
    """

    def __init__(self) -> None:
        self.pending = False
        self.stopping = False
        self.reason = "stopped"
        self.owner: int | None = None
        self._asked: SimpleQueue[Request] = SimpleQueue()
        self._stop_asked = -COMM_SECONDS

    def request(self, kind: str, value: Any = None) -> Request:
        """Ask; from any thread, from a callback, from a signal handler. Returns at once.

        Args:
            kind: see `Request`.
            value: with what; for "stop" the reason, "stopped" by default.
        """
        return self.put(Request(kind, value))

    def put(self, request: Request) -> Request:
        """Ask with a request made before."""
        if request.kind == "stop":
            if not self.stopping:
                self.reason = request.value or "stopped"
            self._stop_asked = time.monotonic()
            self.stopping = True
        self.put_back(request)
        return request

    def put_back(self, request: Request) -> None:
        """Leave a request that was taken for the next look."""
        self._asked.put(request)
        self.pending = True

    def stop_is_fresh(self) -> bool:
        """Whether a stop was asked so lately that an interrupt can only mean the same."""
        return self.stopping and time.monotonic() - self._stop_asked < COMM_SECONDS

    def taken(self) -> Iterator[Request]:
        """Every request so far, each once; `pending` is false before the first one."""
        self.pending = False
        while (request := self._next(0.0)) is not None:
            yield request

    def next(self, timeout: float) -> Request | None:
        """Wait for a request, `None` when none comes within `timeout` seconds."""
        self.pending = False
        return self._next(timeout)

    def mine(self) -> bool:
        """Whether this is the thread that trains."""
        return self.owner == threading.get_ident()

    def _next(self, timeout: float) -> Request | None:
        try:
            return self._asked.get(timeout=timeout) if timeout else self._asked.get_nowait()
        except Empty:
            return None


def wait_for(event: threading.Event, timeout: float | None = None) -> bool:
    """Wait on an event in slices, so that signals are handled on every system meanwhile."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = WAIT_SECONDS if deadline is None else min(WAIT_SECONDS, deadline - time.monotonic())
        if event.wait(max(0.0, left)):
            return True
        if deadline is not None and time.monotonic() >= deadline:
            return False
