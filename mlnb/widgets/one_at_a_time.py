"""A thread that does what a widget is asked for, one thing after the other, beside the cell.

A message's handler must return at once, or the messages behind it wait, the one that makes it
needless among them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, Thread


class OneAtATime:
    """Jobs in order; of a lane only the newest one that has not begun.

    >>> work = OneAtATime("mlnb-prediction")
    >>> work.ask(lambda: judge("The s"), lane="text")
    >>> work.ask(lambda: judge("The soup"), lane="text")  # the one before is dropped

    Args:
        name: of the thread, which lives while there is something to do.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._waiting: deque[tuple[str, Callable[[], object]]] = deque()
        self._running = False

    def ask(self, job: Callable[[], object], lane: str = "") -> None:
        """Do this next but for what waits already.

        Args:
            job: must not raise.
            lane: a newer job of the same lane takes this one's place; empty: it is always done.
        """
        with self._lock:
            if lane:
                self._waiting = deque(one for one in self._waiting if one[0] != lane)
            self._waiting.append((lane, job))
            if self._running:
                return
            self._running = True
        Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while job := self._next():
            job()

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()[1]
            self._running = False
            return None
