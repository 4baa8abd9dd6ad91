"""`StandIn`: the monitor for a page that was reloaded and has lost the one it had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.widgets.training_monitor import TrainingMonitor

if TYPE_CHECKING:
    from mlnb.widgets.shown_run import ShownRun

STAND_IN_SECONDS = 0.5


class StandIn(TrainingMonitor):
    """The monitor for a page that was reloaded.

    Such a page does not know yet that the kernel has subshells, so that it cannot ask: it is told
    twice a second without, and of the controls only Stop gets through, by an interrupt. When the
    runs have ended it goes on showing their curves, because the page does not hear of the picture
    that took the place of the first monitor's line.
    """

    def __init__(self, first: TrainingMonitor) -> None:
        self._first = first
        self._next = 0.0
        super().__init__(first._own)
        self.update(stands_in=self.model_id or "")

    def _first_traits(self) -> dict[str, Any]:
        return super()._first_traits() | {"static_id": self._first.static_id, "stands_in": "new"}

    def _new_page(self) -> None:
        """The first monitor looks after new pages."""

    def _tell(self, now: float, ticked: ShownRun | None = None) -> None:
        if self._heard or now >= self._next or not any(run.active for run in self._own):
            self._next = now + STAND_IN_SECONDS
            super()._tell(now, ticked)

    def _close(self) -> None:
        """It goes on showing the curves."""

    def leave(self) -> None:
        """Its page is gone."""
        for forget in self._forget:
            forget()
        self._forget.clear()
        self.close()
