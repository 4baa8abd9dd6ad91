"""What the steps since the last tick said: losses, learning rates, counts; `Ledger`.

A step only appends. On a GPU the losses stay tensors until the tick, so that no step waits for the
device; on a CPU reading a number costs less than keeping a tensor. The counts of the running
metrics are taken over many batches at once, because a count of 64 batches costs what one does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from mlnb.train.plan import Plan
    from mlnb.train.state import TrainState

RING = 4096
GROUP = 64
GROUP_BYTES = 4_000_000

Losses = Any
"""One 0-d tensor, or a mapping of names to them where the step is the user's."""

Series = dict[str, npt.NDArray[np.float64]]


class Ledger:
    """Collects what each batch says, and puts it into the history and the epoch's sums.

    >>> ledger = Ledger(state, plan)
    >>> ledger.record(loss, outputs, targets)
    >>> ledger.drain()

    Args:
        state: its history and sums are written to.
        plan: which metrics run along, and how many batches make a step.
    """

    def __init__(self, state: TrainState, plan: Plan) -> None:
        self._state = state
        self._metrics = plan.metrics
        self._on_host = plan.device.type == "cpu"
        self._accumulating = plan.accumulate > 1
        self._losses: list[Any] = []
        self._rows: list[int] = []
        self._rates: list[float] = []
        self._ends: list[int] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._group = 0
        self._schedule = state.schedule.state_dict() if state.schedule is not None else None
        self._began = time.perf_counter()

    def begin_epoch(self) -> None:
        """Start the epoch's clock."""
        self._began = time.perf_counter()

    def rested(self, seconds: float) -> None:
        """Leave out of the epoch's time what a pause took."""
        self._began += seconds

    def epoch_seconds(self) -> float:
        """How long the epoch has trained."""
        return time.perf_counter() - self._began

    @property
    def full(self) -> bool:
        """Whether the ring is full, so that it has to be drained before the next tick."""
        return len(self._losses) >= RING

    def record(self, loss: Losses, outputs: Any, targets: Any) -> None:
        """Keep a batch's loss, and what its counts need."""
        if self._group:
            self._losses.append(loss.item() if self._on_host else loss)
            self._rows.append(len(outputs))
            self._outputs.append(outputs)
            self._targets.append(targets)
            if len(self._outputs) >= self._group:
                self._count()
        else:
            self._record_slowly(loss, outputs, targets)

    def step_ended(self) -> None:
        """Every batch so far belongs to a finished step; only where several batches make one."""
        self._ends.append(len(self._losses))

    def rate(self, value: float) -> None:
        """Keep the learning rate of a step, where it changes from step to step."""
        self._rates.append(value)

    def forget(self, steps: int) -> int:
        """Drop the unfinished step and the last finished ones; how many batches that were."""
        ends = self._ends if self._accumulating else range(1, len(self._losses) + 1)
        kept = len(ends) - min(steps, len(ends))
        batches = ends[kept - 1] if kept else 0
        dropped = len(self._losses) - batches
        for column in (self._losses, self._rows):
            del column[batches:]
        for column in (self._outputs, self._targets):
            # Those counted already stay counted: a group is at most a tick old.
            del column[max(0, len(column) - dropped) :]
        del self._ends[kept:], self._rates[kept:]
        return dropped

    def drain(self) -> None:
        """Put everything into the history and the sums."""
        self._count()
        ends = np.asarray(self._ends) if self._accumulating else None
        count = len(self._losses) if ends is None else int(ends[-1]) if len(ends) else 0
        if not count:
            return
        batches = self._series(count)
        rows = np.asarray(self._rows[:count], np.float64)
        self._add_to_sums(batches, rows)
        steps = batches if ends is None else _by_step(batches, rows, ends)
        self._extend(steps)
        for column in (self._losses, self._rows):
            del column[:count]
        self._ends.clear()
        self._rates.clear()
        if self._state.schedule is not None:
            self._schedule = self._state.schedule.state_dict()

    def put_back_schedule(self) -> None:
        """The schedule as it was after the last step that is still kept here."""
        schedule = self._state.schedule
        if schedule is not None and self._schedule is not None:
            schedule.load_state_dict(self._schedule)
            for _ in self._rates:
                schedule.step()

    def _record_slowly(self, loss: Losses, outputs: Any, targets: Any) -> None:
        """The first batch, and every one of a step whose outputs cannot be counted."""
        if isinstance(loss, Mapping):
            self._losses.append(
                {name: value.item() if self._on_host else value for name, value in loss.items()}
            )
        else:
            self._losses.append(loss.item() if self._on_host else loss)
        self._rows.append(rows_of(outputs if outputs is not None else targets))
        if self._metrics is not None and torch.is_tensor(outputs) and torch.is_tensor(targets):
            nbytes = outputs.numel() * outputs.element_size()
            self._group = max(1, min(GROUP, GROUP_BYTES // max(1, nbytes)))
            self._outputs.append(outputs)
            self._targets.append(targets)

    def _count(self) -> None:
        """Take the counts of the batches that were kept for it."""
        if self._outputs and self._metrics is not None:
            alone = len(self._outputs) == 1
            outputs = self._outputs[0] if alone else torch.cat(self._outputs)
            targets = self._targets[0] if alone else torch.cat(self._targets)
            self._outputs.clear()
            self._targets.clear()
            self._metrics.running(outputs, targets, self._state.sums)

    def _series(self, count: int) -> Series:
        losses = self._losses[:count]
        if isinstance(losses[0], dict):
            names = list(dict.fromkeys(name for step in losses for name in step))
            nothing = float("nan") if self._on_host else torch.tensor(float("nan"))
            return {name: _numbers([step.get(name, nothing) for step in losses]) for name in names}
        return {"loss": _numbers(losses)}

    def _add_to_sums(self, batches: Series, rows: npt.NDArray[np.float64]) -> None:
        totals = {name: float(np.dot(values, rows)) for name, values in batches.items()}
        for name, total in {**totals, "rows": float(rows.sum())}.items():
            before = self._state.sums.get(name)
            added = torch.tensor(total, dtype=torch.float64)
            self._state.sums[name] = added if before is None else before + added

    def _extend(self, steps: Series) -> None:
        count = len(next(iter(steps.values())))
        last = self._state.step
        rates = np.asarray(self._rates, np.float64)
        if len(rates) != count:
            rates = np.full(count, self._state.lr)
        self._state.history.extend(range(last - count + 1, last + 1), **steps, lr=rates)


def rows_of(values: Any) -> int:
    """How many rows a batch has, whatever it is made of; 1 where nobody knows."""
    while isinstance(values, Mapping | list | tuple):
        values = next(iter(values.values() if isinstance(values, Mapping) else values), None)
    return int(values.shape[0]) if torch.is_tensor(values) and values.ndim else 1


def _numbers(values: list[Any]) -> npt.NDArray[np.float64]:
    if values and torch.is_tensor(values[0]):
        stacked = torch.stack([value.float() for value in values])
        return np.asarray(stacked.cpu().numpy(), np.float64)
    return np.asarray(values, np.float64)


def _by_step(batches: Series, rows: npt.NDArray[np.float64], ends: npt.NDArray[Any]) -> Series:
    """The mean loss of each step's batches, weighted by their rows."""
    starts = np.concatenate(([0], ends[:-1]))
    weights = np.add.reduceat(rows, starts)
    return {
        name: np.add.reduceat(values * rows, starts) / weights for name, values in batches.items()
    }
