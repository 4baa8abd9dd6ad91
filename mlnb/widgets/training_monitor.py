"""`TrainingMonitor`: runs while they train: their curves, how far they have come, their controls.

It lives as long as its runs do: at the end it closes into its static picture, which is what a
saved notebook keeps. A control only asks: the loop obeys at its next step, and no message of the
front end ever trains, displays or waits. Ten times a second one message tells what is new; the
traits, which a new view begins with, follow without a message of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets as t
from IPython.display import display

from mlnb.errors import MlnbError, unknown
from mlnb.formatting import Markup, display_text, html, plural
from mlnb.train import active
from mlnb.train.show import report
from mlnb.train.show.lines import line
from mlnb.widgets import base
from mlnb.widgets.base import Widget, bundle, error_line, refuse_unknown
from mlnb.widgets.curve_feed import TICK_POINTS, Buffers, number
from mlnb.widgets.new_pages import on_new_page
from mlnb.widgets.quick_send import QuickSend
from mlnb.widgets.shown_run import ACTIONS, RUNS, ShownRun, given_runs, place_of, with_parents

if TYPE_CHECKING:
    from mlnb.train.run import Run
    from mlnb.widgets.stand_in import StandIn

TICK_SECONDS = 0.1
UNASKED_SECONDS = (0.25, 10.0)
"""When a view that cannot ask while the cell runs is told the whole curve: ever more rarely."""
PAGE_SECONDS = (1.5, 6.0)
"""How long after a page has connected it is sent a monitor: before that it may not listen yet."""
STAND_INS = 2
_forking = threading.local()


class TrainingMonitor(Widget):
    """Runs as they train: watch them, pause, stop, change a learning rate, write a checkpoint.

    >>> run = trainer.fit(data, background=True)
    >>> TrainingMonitor(run)
    >>> TrainingMonitor([run, run.fork(100, lr=1e-4)])

    With `%load_ext mlnb` it opens by itself whenever a run begins. A fork is drawn beside the run
    that it branched off. Of a run that has ended it shows the line, the curve and the table of
    epochs.

    On the curve: drag to zoom, double click to come back; arrow keys move the cursor, `+` and `-`
    zoom, `l` changes between a linear and a logarithmic axis, the space bar pauses, `s` twice
    stops.

    Args:
        runs: a `Run`, or several, at most eight.

    Raises:
        TypeError: for anything else, or for an argument that does not exist.
    """

    _esm = bundle("training_monitor.js")
    _css = bundle("training_monitor.css")

    runs = t.List(
        t.Dict(),
        help="For every run: title, line, progress (0 to 1, -1 where nobody knows), state "
        '("preparing", "training", "paused", "ended"), lr, note, total (steps planned), kept '
        "(steps to go back to), device, there (its memory in bytes).",
    ).tag(sync=True)
    stands_in = t.Unicode(
        help="Its own id, where it is sent to a page that has lost its monitor."
    ).tag(sync=True)

    def __init__(self, runs: Run | Iterable[Run], **unknown: Any) -> None:
        refuse_unknown("TrainingMonitor", unknown, ["runs"])
        self._own = given_runs(runs)
        self._shown = with_parents(self._own)
        self._forget: list[Callable[[], object]] = []
        self._heard = self._paged = self._stays = False
        self._due = self._unasked = 0.0
        self._patience = UNASKED_SECONDS[0]
        self._pages: list[float] = []
        self._stand_ins: list[StandIn] = []
        self._sender = QuickSend()
        super().__init__(**self._first_traits())
        for shown in self._shown:
            self._listen(shown.run)
        if not any(run.active for run in self._own):
            self._finish(self._own[0])
        else:
            self._forget.append(on_new_page(self._new_page))

    def _first_traits(self) -> dict[str, Any]:
        return {"runs": [shown.facts for shown in self._shown]}

    def _listen(self, run: Run) -> None:
        self._forget += [run.on_tick(self._follow), run.on_end(self._finish)]

    # ----------------------------------------------------------------------------- the two outputs

    def _ipython_display_(self) -> None:
        if not base.has_front_end():
            raise NotImplementedError  # a terminal prints the repr
        with self._lock:  # it may end meanwhile, and is its picture alone then
            if self.comm is None:
                display(self._static_bundle(), raw=True)
            else:
                super()._ipython_display_()

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        made = super()._repr_mimebundle_()
        if len(made) > 1:  # a reader who is not trusted with styles sees this below the curve
            made["text/plain"] = f"{self._names()}: run this cell to train and to steer it"
        return made

    def static_html(self) -> Markup:
        """What a saved notebook keeps: while it trains a line, then line, curve and epochs."""
        if any(run.active for run in self._own):
            return html(
                "<p><b>{name}</b> {line}<br>It was still training when this was saved; "
                "<code>%mlruns</code> shows how it went on.</p>",
                name=self._names(),
                line=line(self._own[0]) if len(self._own) == 1 else plural(len(self._own), "run"),
            )
        if len(self._own) == 1:
            return Markup(self._own[0]._repr_html_())
        return report.overlay(self._own)

    def static_text(self) -> str:
        """The same as plain text."""
        return "\n".join(repr(run) for run in self._own)

    def __repr__(self) -> str:
        states = ", ".join(dict.fromkeys(one["state"] for one in self.runs[: len(self._own)]))
        return f"TrainingMonitor({self._names()!r}, {states})"

    def _names(self) -> str:
        return display_text(", ".join(run.name for run in self._own), 80)

    # ---------------------------------------------------------------------------- what the run does

    def _follow(self, run: Run) -> None:
        """Called by the loop ten times a second, and when the run is paused or goes on."""
        now = time.monotonic()
        shown = next(one for one in self._shown if one.run is run)
        if now < self._due and shown.state == shown.facts["state"]:
            return
        if not self._lock.acquire(blocking=False):
            return  # somebody is being told the whole curve; the next tick tells the rest
        try:
            self._due = max(self._due + TICK_SECONDS, now + TICK_SECONDS / 2)
            self._tell(now, shown)
            self._serve_pages(now)
        finally:
            self._lock.release()

    def _tell(self, now: float, ticked: ShownRun | None = None) -> None:
        """One message with what is new of every run; the one that ticked is looked at."""
        seen = None if ticked is None else ticked.look()
        if self.comm is None:
            return
        buffers = Buffers()
        unasked = not self._heard and now >= self._unasked
        if unasked:
            self._unasked = now + self._patience
            self._patience = min(2 * self._patience, UNASKED_SECONDS[1])
        points = TICK_POINTS // len(self._shown)
        told = [
            one.news(buffers, points, seen if one is ticked else None, unasked)
            for one in self._shown
        ]
        self.send({"kind": "tick", "runs": told}, list(buffers))

    def _finish(self, run: Run) -> None:
        """Called when a run has ended; after the last the picture takes the live view's place."""
        with self._lock:
            self._tell(time.monotonic())
            if any(one.active for one in self._own):
                return
            for forget in self._forget:
                forget()
            self._forget.clear()
            self._close()

    def _close(self) -> None:
        if self.comm is None:
            return
        self._renew_static()
        if not self._stays:
            self.close()

    # ------------------------------------------------------------------- a page that was reloaded

    def _new_page(self) -> None:
        """Called when a front end connects: it may have had a view of this monitor before."""
        now = time.monotonic()
        self._pages = [now + after for after in PAGE_SECONDS]
        self._paged = True

    def _serve_pages(self, now: float) -> None:
        """Send a page that has come meanwhile a monitor; one that nobody needs is closed."""
        if self._pages and now >= self._pages[0]:
            self._pages = self._pages[1:]
            from mlnb.widgets.stand_in import StandIn

            self._stand_ins.append(StandIn(self))
        while len(self._stand_ins) > STAND_INS:
            self._stand_ins.pop(0).leave()  # of a page that is gone, or had no need of it

    # ------------------------------------------------------------------------------------- messages

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a message to the views, as any widget does, in less time."""
        if not self._sender.send(self.comm, content, buffers or ()):
            super().send(content, buffers)

    def _receive_hello(self, message: Mapping[str, Any]) -> None:
        """The front end asks whether messages get through."""
        self._heard = True
        # A page that was reloaded has lost the place of the picture, and keeps the live view.
        self._stays |= self._paged
        self.send({"kind": "done", "request": message["request"]})

    def _receive_sync(self, message: Mapping[str, Any]) -> None:
        """A view that has missed something asks for the whole curves."""
        with self._lock:
            self._heard = True
            buffers = Buffers()
            told = [shown.whole(buffers) for shown in self._shown]
            answer = {"kind": "tick", "request": message["request"], "runs": told}
            self.send(answer, list(buffers))

    def _receive_range(self, message: Mapping[str, Any]) -> None:
        """A view zooms to steps that it has only in buckets."""
        first, last = number(message.get("first")), number(message.get("last"))
        if first is None or last is None:
            raise MlnbError("a range has a first and a last step")
        with self._lock:
            buffers = Buffers()
            told = [shown.between(first, last, buffers) for shown in self._shown]
            answer = {"kind": "range", "request": message["request"], "runs": told}
            self.send(answer, list(buffers))

    def _receive_control(self, message: Mapping[str, Any]) -> None:
        """Ask the loop for something, and say that it was heard; it is done at the next step."""
        action, value, at = message["action"], message.get("value"), message.get("run", 0)
        if action not in (*ACTIONS, "fork"):
            raise unknown("control", str(action), [*ACTIONS, "fork"])
        if not isinstance(at, int) or not 0 <= at < len(self._shown):
            raise MlnbError(f"there is no run {display_text(str(at), 20)} here")
        shown = self._shown[at]
        if not shown.run.active:
            raise MlnbError(f"the run '{display_text(shown.run.name)}' has ended")
        if action == "fork":
            self._fork(shown, *place_of(value))
        else:
            shown.ask(action, value)
        self.send({"kind": "done", "request": message["request"]})

    def _fork(self, shown: ShownRun, step: int, rate: float | None) -> None:
        """Fork a run in a thread of its own, as it waits for the loop, and show it here."""
        if len(self._shown) >= RUNS:
            raise MlnbError(f"this monitor shows {RUNS} runs already; fork with run.fork({step})")
        run, shown.problem = shown.run, ""

        def fork() -> None:
            _forking.monitor = self
            try:
                name = active.new_name(run.name)
                self.adopt(run.fork(step, lr=rate, background=True, name=name))
            except Exception as error:  # noqa: BLE001 - it stands below the curve
                shown.problem = error_line(error)
            finally:
                del _forking.monitor

        threading.Thread(target=fork, name="mlnb fork", daemon=True).start()

    def adopt(self, run: Run) -> None:
        """Show one more run, such as a fork of one that is shown."""
        with self._lock:
            if self.comm is None or any(one.run is run for one in self._shown):
                return
            self._own.append(run)
            self._shown.append(ShownRun(run))
            self._listen(run)
            self.runs = [shown.facts for shown in self._shown]


def adopted(run: Run) -> bool:
    """Whether a monitor forked this run by a click, and shows it: it needs no view of its own."""
    monitor: TrainingMonitor | None = getattr(_forking, "monitor", None)
    if monitor is None or run.parent is None:
        return False
    monitor.adopt(run)
    return True
