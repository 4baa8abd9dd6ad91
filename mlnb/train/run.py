"""What one holds of a training: `Run`, to watch it, to steer it, and to go on from it.

A run outlives its loop: one that has ended keeps its model, its history and the steps to go on
from, and can train on. What one asks of it stands here, what one only reads in `standing`; what it
is asked while it trains is done by the thread that trains, in `steer/asking`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlnb.errors import RunBusy, TrainError
from mlnb.formatting import display_text
from mlnb.train import active, session
from mlnb.train.standing import Standing
from mlnb.train.steer import background, branches, copies, edits
from mlnb.train.steer.asking import ask
from mlnb.train.steer.clock import Clock
from mlnb.train.steer.control import Control
from mlnb.train.steer.deeds import checked_step
from mlnb.train.steer.listeners import Listener, Listeners
from mlnb.train.words.rates import checked_rate

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.history import History
    from mlnb.train.keep.keeping import Keeping
    from mlnb.train.keep.resuming import Resumed
    from mlnb.train.plan import Plan
    from mlnb.train.state import TrainState
    from mlnb.train.steer.edits import Edit
    from mlnb.train.steps.step import Step
    from mlnb.train.trainer import Trainer


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
        resumed: Resumed | None = None,
    ) -> None:
        model = next(iter(state.models.values()))
        self.name = display_text(str(name or active.new_name(type(model).__name__.lower())))
        self.trainer = trainer
        self.parent: tuple[Run, int] | None = None
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
        self._on_tick = Listeners()
        self._on_end = Listeners()
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
            RunBusy: it trains, and `epochs` were given; or its model trains in another run.
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
        planned = branches.checked_epochs(self, epochs)
        active.refuse(self._state.models.values())
        self._plan.epochs = planned
        self.history.mark(self.step, "resume", f"to epoch {planned}")
        session.launch(self, background)
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
        ask(self, "set_lr", (value, name))

    def checkpoint(self, note: str = "") -> None:
        """Keep the next step boundary: a place to rewind to, on disk where the run has a folder.

        >>> run.checkpoint("before the lower rate")
        """
        ask(self, "checkpoint", note)

    def rewind(self, step: int) -> None:
        """Go back to a kept step, and on from there bit for bit as before.

        >>> run.kept
        [0, 100, 200]
        >>> run.rewind(100)

        What is given up stays in `run.abandoned`. A run that has ended waits there for `resume()`.

        Raises:
            UnknownName: the step was not kept; the nearest ones are listed.
        """
        checked_step(self, step)
        ask(self, "rewind", step)

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
            TrainError: the beginning was not kept, or was changed by hand since.
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
            raise TrainError(
                "run.wait() cannot wait inside the thread that trains; call it from another thread"
            )
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

    def on_tick(self, callback: Listener) -> Callable[[], None]:
        """Call `callback(run)` about ten times a second while it trains; returns what undoes it.

        In the thread that trains; one that raises is left out with a notice.
        """
        return self._on_tick.add(callback)

    def on_end(self, callback: Listener) -> Callable[[], None]:
        """Call `callback(run)` when it has ended; returns what undoes it."""
        return self._on_end.add(callback)

    def say(self, text: str) -> None:
        """Tell the user one thing, in one line; see `run.notices`."""
        self.notices.append(text)
