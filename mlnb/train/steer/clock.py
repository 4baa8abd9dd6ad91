"""How long a run has trained, pauses left out, and how fast it trains now: `Clock`."""

from __future__ import annotations

import time
from collections import deque

WINDOW_SECONDS = 3.0


class Clock:
    """Counts seconds and steps.

    >>> clock = Clock()
    >>> clock.start(step=0)
    >>> clock.tick(step=50)
    >>> clock.stop(step=100)
    >>> clock.rate > 0
    True
    """

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None
        self._ticks: deque[tuple[float, int]] = deque()
        self.rate = 0.0

    @property
    def seconds(self) -> float:
        """Seconds trained."""
        since = self._since
        return self._before + (0.0 if since is None else time.monotonic() - since)

    def start(self, step: int) -> None:
        """Training goes on at this step."""
        self._since = time.monotonic()
        self._ticks.clear()
        self._ticks.append((self._since, step))

    def tick(self, step: int) -> None:
        """It has come to this step; the rate is that of the last few seconds."""
        now = time.monotonic()
        self._ticks.append((now, step))
        while len(self._ticks) > 2 and now - self._ticks[0][0] > WINDOW_SECONDS:
            self._ticks.popleft()
        began, first = self._ticks[0]
        if now > began:
            self.rate = max(0.0, (step - first) / (now - began))

    def stop(self, step: int) -> None:
        """Training holds at this step."""
        if self._since is not None:
            self.tick(step)
            self._before, self._since = self.seconds, None
