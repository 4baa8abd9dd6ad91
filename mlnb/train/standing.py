"""Where a run stands: what one reads of it, from any thread, while it trains and afterwards.

Nothing is kept here. Every value is read where it is changed: the state, the plan, the clock, the
keeping; `Run` adds to it what one asks of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.train.steer import edits

if TYPE_CHECKING:
    from pathlib import Path

    from mlnb.train.health import LayerHealth
    from mlnb.train.history import History
    from mlnb.train.keep.keeping import Keeping
    from mlnb.train.plan import Plan
    from mlnb.train.run import Run
    from mlnb.train.state import TrainState
    from mlnb.train.steer.clock import Clock
    from mlnb.train.steer.edits import Edit
    from mlnb.train.steps.step import Step


class Standing:
    """What one reads of a run; `Run` is the one that there is."""

    name: str
    status: str
    started: float
    error: BaseException | None
    parent: tuple[Run, int] | None
    edits: list[Edit]
    _plan: Plan
    _step: Step
    _state: TrainState
    _clock: Clock
    _keeping: Keeping | None
    _inherited: list[Edit]
    _live: bool

    @property
    def model(self) -> Any:
        """The module that trains, or a dict of them where there are several."""
        models = self._state.models
        return models["model"] if list(models) == ["model"] else models

    @property
    def health(self) -> LayerHealth | None:
        """How each layer learns, where `fit` was called with `health=True`."""
        found: LayerHealth | None = getattr(self._step, "health", None)
        return found

    @property
    def history(self) -> History:
        """Every step's loss and learning rate, every epoch's metrics, every mark."""
        return self._state.history

    @property
    def active(self) -> bool:
        """Whether it trains or is paused."""
        return self._live

    @property
    def step(self) -> int:
        """Optimizer steps done."""
        return self._state.step

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return self._state.epoch

    @property
    def epochs(self) -> int:
        """Epochs planned, in all."""
        return self._plan.epochs

    @property
    def lr(self) -> float:
        """The learning rate now."""
        return edits.rate_of(self._state)

    @property
    def best(self) -> Any:
        """The best epoch so far, as the history tells it."""
        return self.history.best()

    @property
    def kept(self) -> list[int]:
        """The steps that `rewind` and `fork` can go to."""
        return [] if self._keeping is None else list(self._keeping.kept.steps)

    @property
    def folder(self) -> Path | None:
        """Where its checkpoints are, `None` while it has none."""
        return None if self._keeping is None else self._keeping.folder

    @property
    def seconds(self) -> float:
        """Seconds trained, without pauses."""
        return self._clock.seconds

    @property
    def steps_per_second(self) -> float:
        """Optimizer steps a second, over the last few seconds; 0 where it did not begin."""
        return self._clock.rate

    @property
    def samples_per_second(self) -> float:
        """Rows a second."""
        batches = self._state.batches
        if not batches.samples or not batches.steps:
            return 0.0
        accumulate = getattr(self._plan, "accumulate", 1) or 1
        return self.steps_per_second * accumulate * batches.samples / batches.steps

    @property
    def eta(self) -> float | None:
        """Seconds to the end of the planned epochs; `None` where nobody knows."""
        per_epoch, rate = self._plan.steps_per_epoch, self.steps_per_second
        if not per_epoch or not rate:
            return None
        return max(0, per_epoch * self.epochs - self.step) / rate

    def _begun(self) -> dict[str, Any]:
        """With what it was begun and what was done to it: all that a checkpoint is resumed with."""
        from mlnb.train.keep.resuming import fingerprint

        return {
            "name": self.name,
            "settings": self._plan.settings,
            "data": fingerprint(self._plan.prepared),
            "edits": edits.to_json([*self._inherited, *self.edits]),
        }

    def _describe(self) -> dict[str, Any]:
        """The run as run.json tells it."""
        return self._begun() | {
            "status": self.status,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "step": self.step,
            "best": self.best,
            "parent": None if self.parent is None else [self.parent[0].name, self.parent[1]],
            "started": self.started,
            "error": None if self.error is None else str(self.error),
        }
