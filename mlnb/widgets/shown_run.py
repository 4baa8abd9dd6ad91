"""A run as a monitor shows it: `ShownRun`, its facts in words and numbers, and its controls.

Facts stand in a dictionary that is changed in place: the monitor's trait holds the same one, so
that a new view begins with what is known, and a tick costs no message of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError
from mlnb.formatting import display_text
from mlnb.train.run import Run
from mlnb.train.show import lines
from mlnb.train.words.rates import checked_rate
from mlnb.widgets.base import error_line
from mlnb.widgets.curve_feed import Buffers, CurveFeed, number
from mlnb.widgets.gauges import gauges_of

if TYPE_CHECKING:
    from mlnb.train.steer.control import Request

KEPT = 60
FACT_TICKS = 4
"""How many ticks lie between two looks at the facts, where nothing was asked for."""
ACTIONS = {"lr": "set_lr"} | {
    name: name for name in ("stop", "pause", "resume", "checkpoint", "rewind")
}
"""What a control is called in the front end, and what the loop is asked then."""
RUNS = 8
"""How many one monitor shows."""


class ShownRun:
    """What the views of one run are told of it.

    >>> shown = ShownRun(run)
    >>> shown.facts["line"]
    'epoch 3/20 · step 1,412 · 12,300 samples/s · 0:12 left'

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
        self._stood: tuple[str, int] = "", 0
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
        stands = self.state, self.run.epoch
        if self._rested < FACT_TICKS and stands == self._stood:
            return {}
        self._rested, self._stood = 0, stands
        now = self._now()
        changed = {name: value for name, value in now.items() if value != self.facts[name]}
        self.facts.update(changed)
        return changed

    def _now(self) -> dict[str, Any]:
        """The facts that change."""
        run = self.run
        per_epoch = run._plan.steps_per_epoch
        return {
            "line": lines.line(run, values=False),
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


def given_runs(runs: Any) -> list[Run]:
    """The runs that a monitor is asked to show.

    Raises:
        TypeError: it is neither a `Run` nor several, or they are too many.
    """
    given = [runs] if isinstance(runs, Run) else runs
    if not isinstance(given, list | tuple) or not given:
        received = type(runs).__name__
        raise TypeError(f"TrainingMonitor expects a Run, or several; received {received}")
    for one in given:
        if not isinstance(one, Run):
            raise TypeError(f"TrainingMonitor expects a Run; received {type(one).__name__}")
    if len(given) > RUNS:
        raise TypeError(f"TrainingMonitor shows at most {RUNS} runs; received {len(given)}")
    return list(dict.fromkeys(given))


def with_parents(runs: list[Run]) -> list[ShownRun]:
    """The runs, and behind them those that they branched off."""
    shown = list(runs)
    for run in runs:
        parent = run.parent[0] if run.parent is not None else None
        if parent is not None and parent not in shown and len(shown) < RUNS:
            shown.append(parent)
    return [ShownRun(run) for run in shown]


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
