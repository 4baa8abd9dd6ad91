"""One run as a monitor shows it: `ShownRun`, its facts in words and numbers, and its controls.

Facts stand in a dictionary that is changed in place: the monitor's trait holds the same one, so
that a new view begins with what is known, and a tick costs no message of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError
from mlnb.formatting import display_text
from mlnb.train.show import lines
from mlnb.train.words.rates import checked_rate
from mlnb.widgets.base import error_line
from mlnb.widgets.curve_feed import Buffers, CurveFeed, number
from mlnb.widgets.gauges import gauges_of

if TYPE_CHECKING:
    from mlnb.train.run import Run
    from mlnb.train.steer.control import Request

KEPT = 60
FACT_TICKS = 4
"""How many ticks lie between two looks at the facts, where nothing was asked for."""
ACTIONS = {"lr": "set_lr"} | {
    name: name for name in ("stop", "pause", "resume", "checkpoint", "rewind")
}
"""What a control is called in the front end, and what the loop is asked then."""


class ShownRun:
    """What the views of one run are told of it.

    >>> shown = ShownRun(run)
    >>> shown.facts["line"]
    'epoch 3/20 · loss 0.312 · 12,300 samples/s · 0:12 left'

    Its attributes: `run`, `facts` (title, line, progress, state, lr, note, total, kept, device,
    there) and `problem`, what the loop could not do of what was asked.

    Args:
        run: any `Run`; what its history holds so far counts as told, as a new view asks for it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.problem = ""
        self._asked: Request | None = None
        self._gauges = gauges_of(run)
        self._feed = CurveFeed(run)
        self._said: tuple[str, str] = "", ""
        self._rested = FACT_TICKS
        self.facts: dict[str, Any] = {
            "title": display_text(run.name),
            "device": self._gauges.device,
            "there": self._gauges.total,
            **self._now(),
        }

    @property
    def state(self) -> str:
        """What it does now: "preparing", "training", "paused" or "ended"."""
        return self.run.status if self.run.active else "ended"

    def look(self) -> dict[str, float | None] | None:
        """What the gauges say, looked at now; nothing of a run that has ended."""
        return self._gauges.look(self.run) if self.run.active else None

    def news(
        self, buffers: Buffers, points: int, seen: dict[str, float | None] | None, unasked: bool
    ) -> dict[str, Any]:
        """What came since the last time.

        Args:
            buffers: are added to.
            points: how many values may cross one by one.
            seen: what `look` gave, where it was looked at.
            unasked: whether to tell all of it once more, to a view that cannot ask.
        """
        changed = self._changed()
        part = self._feed.fresh(buffers, points)
        if part.get("whole"):
            part["gauges"] = self._gauges.whole(buffers)
        elif unasked:
            part["again"] = self._feed.whole(buffers, 1000)
            part["again"]["gauges"] = self._gauges.whole(buffers)
            changed = self.facts  # it may have missed any of them
        part["facts"], part["seen"] = changed, seen
        return part

    def whole(self, buffers: Buffers) -> dict[str, Any]:
        """All that was told so far, for a view that is new or has missed something."""
        gauges = self._gauges.whole(buffers)
        return self._feed.whole(buffers) | {"gauges": gauges, "facts": self.facts}

    def between(self, first: float, last: float, buffers: Buffers) -> dict[str, Any]:
        """The steps from `first` to `last`, as close as a screen shows them."""
        return self._feed.between(first, last, buffers)

    def ask(self, action: str, value: Any) -> None:
        """Ask the loop for one of `ACTIONS`; what becomes of it stands in the facts' note.

        Raises:
            MlnbError: the value is none that the loop could take.
        """
        self.problem = ""
        self._rested = FACT_TICKS  # what becomes of it is seen in the next tick
        control = self.run._control
        if action == "rewind":
            step, rate = place_of(value)
            self._asked = control.request("rewind", step)
            if rate is not None:
                control.request("set_lr", (rate, None))
            return
        if action == "lr":
            value = (checked_rate(value), None)  # of every optimizer
        if action == "checkpoint":
            value = ""  # its note
        self._asked = control.request(ACTIONS[action], value)

    def _changed(self) -> dict[str, Any]:
        """The facts that have changed; looked at now and then, as nobody reads faster."""
        self._rested += 1
        if self._rested < FACT_TICKS and self.state == self.facts["state"]:
            return {}
        self._rested = 0
        now = self._now()
        changed = {name: value for name, value in now.items() if value != self.facts[name]}
        self.facts.update(changed)
        return changed

    def _now(self) -> dict[str, Any]:
        """The facts that change."""
        run = self.run
        per_epoch = run._plan.steps_per_epoch
        return {
            "line": lines.line(run),
            "progress": self._share(),
            "state": self.state,
            "lr": number(run.lr),
            "note": self._problem() or self._note(),
            "total": per_epoch * run.epochs if per_epoch and run.epochs else None,
            "kept": run.kept[-KEPT:],
        }

    def _problem(self) -> str:
        if self._asked is not None and self._asked.error is not None:
            return error_line(self._asked.error)
        return self.problem

    def _note(self) -> str:
        """The last notice, which is made harmless once, and not at every tick."""
        notices = self.run.notices
        if notices and notices[-1] is not self._said[0]:
            self._said = notices[-1], display_text(notices[-1], 300)
        return self._said[1]

    def _share(self) -> float:
        """The share of the planned epochs that is done; -1 where nobody knows."""
        state, epochs = self.run._state, self.run.epochs
        if not epochs:
            return -1.0
        steps = state.batches.steps
        return min(1.0, (state.epoch + (state.batch / steps if steps else 0.0)) / epochs)


def place_of(value: Any) -> tuple[int, float | None]:
    """The kept step to go back to, and the learning rate from there on.

    >>> place_of({"step": 100, "lr": None})
    (100, None)

    Raises:
        MlnbError: it names no step, or no rate that could be one.
    """
    value = value if isinstance(value, dict) else {}
    step, rate = value.get("step"), value.get("lr")
    if isinstance(step, bool) or not isinstance(step, int):
        raise MlnbError("a step is a whole number; the kept ones are in run.kept")
    return step, None if rate is None else checked_rate(rate)
