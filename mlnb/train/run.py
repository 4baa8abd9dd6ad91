"""What one holds of a training: `Run`, to watch it, to steer it, and to go on from it.

A run outlives its loop: one that has ended keeps its model, its history and the steps to go on
from, and can train on. Everything it is asked while it trains happens in the thread that trains,
between two steps; everything else it does itself. What one only reads of it is in `standing`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlnb.errors import RunBusy
from mlnb.formatting import display_text
from mlnb.train import active, session
from mlnb.train.standing import Standing
from mlnb.train.steer import background, branches, copies, edits
from mlnb.train.steer.clock import Clock
from mlnb.train.steer.control import Control, Request, refuse_waiting
from mlnb.train.words.rates import checked_rate

if TYPE_CHECKING:
    from plotly.graph_objects import Figure
    from torch import Tensor, nn

    from mlnb.train.history import History
    from mlnb.train.keep.keeping import Keeping
    from mlnb.train.keep.resuming import Resumed
    from mlnb.train.plan import Plan
    from mlnb.train.state import TrainState
    from mlnb.train.steer.edits import Edit
    from mlnb.train.steps.step import Step
    from mlnb.train.trainer import Trainer

Callback = Callable[["Run"], object]


class Run(Standing):
    """One training, made by `Trainer.fit`.

    >>> run = trainer.fit((x, y), epochs=10, background=True)
    >>> run.set_lr(1e-4)
    >>> run.stop()
    >>> run.wait()
    True

    Its attributes: `name`, `trainer`, `model`, `history`, `status` ("preparing", "training",
    "paused", then why it ended), `stop_reason` ("finished", "stopped", "interrupted", "early",
    "nan", "failed", `None` before), `error`, `step`, `epoch`, `epochs`, `best`, `lr`, `folder`,
    `kept`, `edits`, `abandoned`, `parent` (the run and the step it branched off), `started`,
    `seconds`, `steps_per_second`, `samples_per_second`, `eta`, `notices`.
    """

    def __init__(
        self,
        trainer: Trainer,
        plan: Plan,
        state: TrainState,
        step: Step,
        *,
        name: str | None = None,
        parent: tuple[Run, int] | None = None,
        resumed: Resumed | None = None,
    ) -> None:
        model = next(iter(state.models.values()))
        self.name = display_text(name or active.new_name(type(model).__name__.lower()))
        self.trainer = trainer
        self.parent = parent
        self.status = "preparing"
        self.stop_reason: str | None = None
        self.error: BaseException | None = None
        self.edits: list[Edit] = []
        self.abandoned: list[History] = []
        self.notices: list[str] = []
        self.started = time.time()
        self._plan = plan
        self._state = state
        self._step = step
        self._control = Control()
        self._keeping: Keeping | None = None
        self._resumed = resumed
        self._inherited: list[Edit] = []
        if resumed is not None:
            self._inherited = edits.from_json(resumed.snapshot.note.get("edits", []))
        self._random: Any = None
        self._background = False
        self._paused = False
        self._moved = False
        self._live = False
        self._ended = threading.Event()
        self._ended.set()
        self._clock = Clock()
        self._on_tick: list[Callback] = []
        self._on_end: list[Callback] = []
        if self.health is not None:
            self.health.say = self.say
        self._last: copies.Weights | None = None
        self._copy: tuple[int, dict[str, nn.Module]] | None = None
        self._parts: frozenset[int] = frozenset()

    def stop(self, reason: str = "stopped") -> None:
        """Stop before the next step; model, history and optimizer stay, `resume()` goes on.

        >>> run.stop()

        Args:
            reason: what `stop_reason` says then.
        """
        if self._live:
            self._control.request("stop", reason)

    def pause(self) -> None:
        """Hold before the next step, until `resume()` or `stop()`."""
        if self._live:
            self._control.request("pause")

    def resume(self, epochs: int | None = None, background: bool | None = None) -> Run:
        """Go on: at once after a pause; after the end from where it stopped.

        >>> run.resume(epochs=20)

        Args:
            epochs: how many there are to be in all; as planned by default.
            background: as in `fit`; as before by default. Means nothing after a pause.

        Raises:
            RunBusy: it trains, and `epochs` were given.
            DataError: all its epochs are done.
        """
        if self._live:
            if epochs is not None:
                raise RunBusy(
                    f"'{self.name}' still trains ({self.status}, epoch {self.epoch} of "
                    f"{self.epochs}); stop it first: run.stop(); run.wait()"
                )
            self._control.request("resume")
            return self
        self._plan.epochs = branches.checked_epochs(self, epochs)
        self.history.mark(self.step, "resume", f"to epoch {self.epochs}")
        self._launch(background)
        return self

    def set_lr(self, rate: float, *, optimizer: str | None = None) -> None:
        """Train with another learning rate from the next step on.

        >>> run.set_lr(1e-4)

        Where groups of parameters have rates of their own, the ratios stay. A schedule goes on
        from there.

        Args:
            rate: of the first group.
            optimizer: whose, where there are several; all of them by default.

        Raises:
            DataError: the rate is no number from 0 up.
        """
        value = checked_rate(rate)
        name = edits.checked_optimizer(self._state, optimizer)
        self._ask(Request("set_lr", (value, name)))

    def checkpoint(self, note: str = "") -> None:
        """Keep the next step boundary: a place to rewind to, on disk where the run has a folder.

        >>> run.checkpoint("before the lower rate")
        """
        self._ask(Request("checkpoint", note))

    def rewind(self, step: int) -> None:
        """Go back to a kept step, and on from there bit for bit as before.

        >>> run.kept
        [0, 100, 200]
        >>> run.rewind(100)

        What is given up stays in `run.abandoned`.

        Raises:
            UnknownName: the step was not kept; the nearest ones are listed.
        """
        branches.checked_step(self, step)
        self._ask(Request("rewind", step))

    def fork(
        self,
        step: int,
        *,
        lr: float | None = None,
        layers_reset: tuple[str, ...] | list[str] = (),
        data: Any = None,
        epochs: int | None = None,
        background: bool | None = None,
        name: str | None = None,
    ) -> Run:
        """Train a copy from a kept step on, with changes; this run and its model stay as they are.

        >>> other = run.fork(100, lr=1e-4, layers_reset=["head"])
        >>> other.parent
        (Run('net-1', …), 100)

        Args:
            step: one of `run.kept`.
            lr: another learning rate.
            layers_reset: names of submodules that begin anew, with all below them.
            data: other data, of the same kind; from the beginning of the epoch.
            epochs: how many there are to be in all; as planned by default.
            background: as in `fit`; as this run by default.
            name: of the new run.

        Raises:
            UnknownName: no such kept step, or no such layer; the closest are listed.
            DataError: the rate is no number, or no epoch is left to train.
        """
        return branches.fork(
            self,
            step,
            lr=lr,
            layers_reset=layers_reset,
            data=data,
            epochs=epochs,
            background=background,
            name=name,
        )

    def replay(self, *, background: bool = False, name: str | None = None) -> Run:
        """Train a copy from the first step to where this run is, hand-made changes included.

        >>> run.replay().history["loss"][-1] == run.history["loss"][-1]
        True

        Through all forks up to the run that they began with; on a CPU equal bit for bit.

        Raises:
            TrainError: the beginning was not kept.
        """
        return branches.replay(self, background=background, name=name)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; an interrupt meanwhile stops it gracefully.

        >>> run.wait(timeout=60)
        True

        Args:
            timeout: seconds; `False` is returned when they are over.

        Raises:
            BaseException: what ended the training, as it was raised there.
        """
        if self._control.mine():
            raise refuse_waiting("run.wait()")
        if not background.wait(self, timeout):
            return False
        if self.error is not None:
            raise self.error
        return True

    def result(self, timeout: float | None = None) -> Run:
        """The run itself once it has ended, as a blocking `fit` would have returned it.

        Raises:
            TimeoutError: it still trains after `timeout` seconds.
            BaseException: what ended the training.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"'{self.name}' still trains after {timeout:g} s: {self!r}")
        return self

    def copy(self) -> Any:
        """A copy of the model in eval mode, taken between two steps.

        >>> run.copy()(x)

        It may be used from any thread while the run goes on, and changes nothing in it.
        """
        models = session.between_steps(
            self, lambda: copies.for_prediction(self._state.models), "copy"
        )
        return models["model"] if list(models) == ["model"] else models

    def predict(self, x: Any, *, batch_size: int = 256) -> Tensor:
        """What the model gives for `x` as it is now, while it trains too; as `Trainer.predict`."""
        return self.trainer._predict(self._copied(), x, batch_size=batch_size)

    def evaluate(self, data: Any, *, target: Any = None, batch_size: int = 256) -> dict[str, float]:
        """Loss and metrics on `data` as it is now, while it trains too; as `Trainer.evaluate`."""
        return self.trainer._evaluate(self._copied(), data, target=target, batch_size=batch_size)

    def figure(self, *others: Any) -> Figure:
        """The curves as a plotly figure, to hover over and to zoom into; other runs laid over them.

        >>> run.figure()
        >>> run.figure(fork).write_html("curves.html")

        Loss of every step and its running mean, validation, metrics, learning rate, the best epoch
        and what was done meanwhile; at most 2,000 points a curve.

        Args:
            others: runs, or rows of `list_runs()`.

        Raises:
            MissingExtra: plotly is not installed.
        """
        from mlnb.train.show.figure import run_figure

        return run_figure([self, *others])

    def on_tick(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(run)` about ten times a second while it trains; returns what undoes it.

        In the thread that trains; one that raises is left out with a notice.
        """
        return _added(self._on_tick, callback)

    def on_end(self, callback: Callback) -> Callable[[], None]:
        """Call `callback(run)` when it has ended; returns what undoes it."""
        return _added(self._on_end, callback)

    def say(self, text: str) -> None:
        """Tell the user one thing, in one line; see `run.notices`."""
        self.notices.append(text)

    def __repr__(self) -> str:
        from mlnb.train.show import report

        return report.text(self)

    def _repr_html_(self) -> str:
        from mlnb.train.show import report

        return report.html(self)

    # What the loop calls, and what holds it: mlnb/train/session.py.

    def _launch(self, background: bool | None = None) -> None:
        """Train, here or in a thread; what goes wrong is raised here, or kept for `result`."""
        session.launch(self, self._background if background is None else background)

    def _boundary(self) -> bool:
        """Do all that was asked, between two steps; `False` when the training is to end."""
        return session.boundary(self)

    def _glance(self) -> None:
        """Serve what may be served anywhere outside a step: copies for predictions."""
        session.glance(self)

    def _tick(self) -> None:
        """Ten times a second, between two steps: kept steps, and whoever listens."""
        session.tick(self)

    def _epoch_end(self) -> None:
        """An epoch is over and told: its checkpoint."""
        if self._keeping is not None:
            self._keeping.epoch_end(self._state)

    def _before_end(self) -> None:
        """The last step is done, and callbacks may put the best weights in its place."""
        if self._plan.callbacks.has("on_fit_end"):
            self._last = copies.weights_of(self._state.models)
        if self._keeping is not None:
            self._keeping.before_end(self._state)

    def _stop(self, reason: str) -> None:
        """As `stop`, by a callback that has a reason of its own."""
        self.stop(reason)

    def _ask(self, request: Request) -> None:
        """Hand the request to the loop, or obey it here where none runs."""
        session.ask(self, request)

    def _copied(self) -> Any:
        """The model as it is between two steps, to read only; one copy a step serves all."""
        models = session.copied(self)
        return models["model"] if list(models) == ["model"] else models


def _added(listeners: list[Callback], callback: Callback) -> Callable[[], None]:
    listeners.append(callback)
    return lambda: listeners.remove(callback) if callback in listeners else None
