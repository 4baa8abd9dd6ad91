"""Where a run stands: what one reads of it, from any thread, while it trains and afterwards.

Nothing is kept here, and nothing changed. Every value is read where it is changed: the state, the
plan, the clock, the keeping; `Run` adds to it what one asks of a run.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from mlnb.train.steer import copies, edits
from mlnb.train.steer.asking import between_steps, settled_models

if TYPE_CHECKING:
    from pathlib import Path

    from plotly.graph_objects import Figure
    from torch import Tensor, nn

    from mlnb.train.health import LayerHealth
    from mlnb.train.history import History
    from mlnb.train.keep.keeping import Keeping
    from mlnb.train.plan import Plan
    from mlnb.train.run import Run
    from mlnb.train.state import TrainState
    from mlnb.train.steer.clock import Clock
    from mlnb.train.steer.edits import Edit
    from mlnb.train.steps.step import Step
    from mlnb.train.trainer import Trainer


class Standing:
    """What one reads of a run; `Run` is the one that there is."""

    name: str
    trainer: Trainer
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
        return _alone(self._state.models)

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
        return self._state.lr

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

    def copy(self) -> Any:
        """A copy of the model in eval mode, taken between two steps.

        >>> run.copy()(x)

        It may be used from any thread while the run goes on, and changes nothing in it.
        """
        take = partial(copies.for_prediction, self._state.models)
        return _alone(between_steps(cast("Run", self), take, "copy"))

    def predict(self, x: Any, *, batch_size: int = 256) -> Tensor:
        """What the model gives for `x` as it is now, while it trains too; as `Trainer.predict`."""
        return self.trainer._predict(self._settled(), x, batch_size=batch_size)

    def evaluate(self, data: Any, *, target: Any = None, batch_size: int = 256) -> dict[str, float]:
        """Loss and metrics on `data` as it is now, while it trains too; as `Trainer.evaluate`."""
        return self.trainer._evaluate(self._settled(), data, target=target, batch_size=batch_size)

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

    def __repr__(self) -> str:
        from mlnb.train.show import report

        return report.text(self)

    def _repr_html_(self) -> str:
        from mlnb.train.show import report

        return report.html(self)

    def _settled(self) -> Any:
        """The model as it is between two steps, to read only."""
        return _alone(settled_models(cast("Run", self)))

    def _begun(self) -> dict[str, Any]:
        """With what it was begun and what was done to it: all that a checkpoint is resumed with."""
        from mlnb.train.keep.begun import fingerprint

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


def _alone(models: dict[str, nn.Module]) -> Any:
    """The module where there is one, else all of them by name."""
    return models["model"] if list(models) == ["model"] else models
