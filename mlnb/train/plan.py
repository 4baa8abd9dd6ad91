"""What is decided before the first step, and stays as it is while a run trains: `Plan`.

What a run changes stands in `mlnb.train.state.TrainState` instead; how the plan is made, in
`mlnb.train.preparing`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.train.feed.more_data import prepare_more
from mlnb.train.health import LayerHealth, checked_every
from mlnb.train.steps.custom_step import CustomStep
from mlnb.train.steps.guard import Guard
from mlnb.train.steps.step import Step, build_step

if TYPE_CHECKING:
    import torch

    from mlnb.train.callbacks.callbacks import Callbacks
    from mlnb.train.feed.batches import Batches
    from mlnb.train.feed.data import Prepared
    from mlnb.train.state import TrainState
    from mlnb.train.steps import precision
    from mlnb.train.words.losses import Loss
    from mlnb.train.words.metrics import EpochMetrics


@dataclass(frozen=True)
class Asked:
    """What `fit` was called with; the meaning of each word stands there."""

    data: Any
    validation: Any = None
    epochs: int = 10
    batch_size: int = 64
    target: Any = None
    class_weight: Any = None
    shuffle: bool = True
    background: bool = False
    folder: Any = "auto"
    keep: str | int = "2 GB"
    name: str | None = None
    health: bool | float = False

    def __post_init__(self) -> None:
        checked_every(self.health)
        _whole("epochs", self.epochs, 0)
        _whole("batch_size", self.batch_size, 1)
        place = isinstance(self.folder, str | os.PathLike) and str(self.folder).strip()
        if not place and self.folder not in (False, None):
            raise TrainError(
                'folder is "auto", a path, or False, which writes nothing; received '
                f"{display_text(repr(self.folder))}"
            )

    def settings(self) -> dict[str, Any]:
        """Every word but the data, as JSON has it."""
        from mlnb.train.keep.begun import record

        names = [one.name for one in fields(self) if one.name != "data"]
        return {name: record(getattr(self, name)) for name in names}


@dataclass
class Plan:
    """What was decided, and stays as it is while a run trains.

    Args:
        asked: what `fit` was called with.
        epochs: how many are planned in all.
        device: where everything is.
        precision: "fp32", "bf16" or "fp16", and the memory layout.
        prepared: the data, with what is needed to read more of the same kind.
        loss: `None` where the step is the user's.
        metrics: `None` where there are none.
        seed: of the order of rows.
        callbacks: the user's.
        own_step: the user's step, if there is one.
        notes: what was resolved, a sentence each.
    """

    asked: Asked
    epochs: int
    device: torch.device
    chosen: precision.Precision
    backend: str
    prepared: Prepared
    loss: Loss | None
    metrics: EpochMetrics | None
    callbacks: Callbacks
    accumulate: int
    clip_norm: float | None
    seed: int
    own_step: Any = None
    notes: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        """Its name."""
        return self.chosen.name

    @property
    def validation(self) -> Batches | None:
        """What is measured at the end of each epoch."""
        return self.prepared.validation

    @property
    def steps_per_epoch(self) -> int | None:
        """Optimizer steps in an epoch; `None` where nobody knows."""
        batches = self.prepared.train.steps
        return None if batches is None else -(-batches // self.accumulate)

    @property
    def total_steps(self) -> int | None:
        """Optimizer steps in all that is planned; `None` where nobody knows."""
        each = self.steps_per_epoch
        return None if each is None else each * self.epochs

    def build_step(self, state: TrainState) -> Step:
        """A step over the models and optimizers of `state`, watched where that was asked for."""
        step = self._bare_step(state)
        every = checked_every(self.asked.health)
        if every < 0:
            return step
        from mlnb.train.steps.watched import WatchedStep

        return cast("Step", WatchedStep(step, state, LayerHealth(every)))

    def _bare_step(self, state: TrainState) -> Step:
        if self.own_step is not None:
            guard = Guard(state.models, state.optimizers, self.device)
            return CustomStep(self.own_step, state, guard, self)
        assert self.loss is not None
        step = build_step(
            state.models["model"],
            self.loss,
            state.optimizers["optimizer"],
            device=self.device,
            precision=self.chosen,
            backend=self.backend,
            clip_norm=self.clip_norm,
            accumulate=self.accumulate,
        )
        state.scaler = step.scaler
        return step

    def batches_for(self, data: Any) -> Batches:
        """Other rows to train on, read as the first ones were."""
        asked = self.asked
        batches, _ = prepare_more(
            data,
            self.prepared.reading,
            target=asked.target,
            batch_size=asked.batch_size,
            device=self.device,
            shuffle=asked.shuffle,
            seed=self.seed,
        )
        return batches

    def trial(self, state: TrainState, inputs: Any, targets: Any) -> None:
        """Forward and backward without an optimizer step."""
        from mlnb.train.calling import forward

        if self.own_step is not None or self.loss is None:
            raise TrainError("a step of the user's own cannot be tried")
        outputs = forward(state.models["model"], inputs, self.chosen, self.device)
        self.loss.function(outputs, targets).backward()

    def epoch_values(self, state: TrainState) -> dict[str, float]:
        """The means of the epoch's losses, and the running metrics."""
        sums = state.sums
        rows = float(sums["rows"]) if "rows" in sums else float("nan")
        losses = [name for name in state.history.names if name in sums]
        values = {name: float(sums[name]) / rows for name in losses}
        if self.metrics is not None:
            values.update(self.metrics.running_values(sums))
        return values


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise TrainError(
            f"{name} is a whole number from {least} up; received {display_text(repr(value))}"
        )
