"""What a schedule is: base times factor, and the two kinds that keep a state beyond that.

Nothing is accumulated: the factor is a pure function of the step, so that a schedule goes on
exactly from any step, its state is a few numbers, and a step costs less than two microseconds. What
the user sets by hand stays a factor on all that follows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.train.words.rates import checked_rate, rate_of, set_rate, write_rate

Factor = Callable[[int], float]


class Schedule:
    """The learning rate as base times factor: `step()` after each optimizer step.

    Args:
        name: what it is called.
        optimizer: the learning rates that its groups have (or began with) are the base.
        factor: of the number of steps done, or of epochs done.
        every: "step" or "epoch".

    Attributes:
        said: the sentence that tells what it does.
        count: optimizer steps done.
        epochs: epochs done.
    """

    def __init__(
        self, name: str, optimizer: Any, factor: Factor, *, every: str = "step", said: str = ""
    ) -> None:
        self.name, self.optimizer, self.every = name, optimizer, every
        self.said = f"schedule: {name}{f' ({said})' if said else ''}"
        self.count = self.epochs = 0
        self.scale = 1.0
        self._factor = factor
        self._held: list[float] | None = None
        self._base = [
            float(group.setdefault("initial_lr", rate_of(group))) for group in self._groups
        ]
        self._last = math.nan
        self._apply()

    def __repr__(self) -> str:
        return f"Schedule({self.name!r}, lr {self.lr:.4g} at step {self.count:,})"

    @property
    def _groups(self) -> list[dict[str, Any]]:
        """Asked anew each time: `load_state_dict` of an optimizer makes new groups."""
        groups: list[dict[str, Any]] = self.optimizer.param_groups
        return groups

    @property
    def lr(self) -> float:
        """The learning rate of the first group now."""
        return rate_of(self._groups[0])

    def step(self) -> bool:
        """Go one optimizer step on; true where the learning rate changed."""
        self.count += 1
        if self.every == "step" and self._held is None:
            factor = self._factor(self.count) * self.scale
            if factor != self._last:
                self._last = factor
                for group, base in zip(self.optimizer.param_groups, self._base, strict=True):
                    write_rate(group, base * factor)
                return True
        return False

    def epoch_end(self, metrics: Mapping[str, Any] | None = None) -> bool:
        """Go one epoch on; true where the learning rate changed.

        Args:
            metrics: the row of the epoch, which plateau looks at.
        """
        self.epochs += 1
        return self._apply() if self.every == "epoch" else False

    def set_lr(self, lr: float) -> float:
        """Make `lr` the rate from now on, and what follows as many times larger or smaller.

        Where the schedule stands at zero nothing can be scaled, and `lr` is held. Gives the rate
        that was.

        Raises:
            DataError: for what is no number from 0 up.
        """
        lr = checked_rate(lr)
        before = self.lr
        planned = self._factor(self._at) * self._base[0]
        if planned > 0:
            self._held, self.scale = None, lr / planned
        else:
            self._held = [lr] * len(self._groups)
        self._apply()
        return before

    def state_dict(self) -> dict[str, Any]:
        """A few numbers, as JSON has them."""
        return {
            "name": self.name,
            "count": self.count,
            "epochs": self.epochs,
            "scale": self.scale,
            "base": list(self._base),
            "held": self._held,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, rates of the optimizer included.

        Raises:
            TrainError: where the state is of another schedule.
        """
        if state["name"] != self.name:
            raise TrainError(
                f"the state is of the schedule {display_text(str(state['name']))}, "
                f"this one is {self.name}"
            )
        self.count, self.epochs = int(state["count"]), int(state["epochs"])
        self.scale, self._base = float(state["scale"]), [float(b) for b in state["base"]]
        self._held = state["held"]
        self._apply()

    @property
    def _at(self) -> int:
        return self.epochs if self.every == "epoch" else self.count

    def _apply(self) -> bool:
        factor = self._factor(self._at) * self.scale
        rates = [base * factor for base in self._base] if self._held is None else self._held
        changed = [rate_of(group) for group in self._groups] != rates
        self._last = factor
        for group, rate in zip(self._groups, rates, strict=True):
            write_rate(group, rate)
        return changed


class Plateau(Schedule):
    """torch's ReduceLROnPlateau on the loss of validation, or of training where there is none."""

    def __init__(
        self,
        name: str,
        optimizer: Any,
        *,
        scheduler: Any = None,
        monitor: str = "auto",
        factor: float = 0.1,
        patience: int = 3,
        min_lr: float = 0.0,
    ) -> None:
        from mlnb.train.words.metrics import direction

        mode = direction(monitor) if monitor != "auto" else "min"
        if mode is None:
            raise TrainError(f"nobody knows whether {display_text(monitor)} is best high or low")
        self._monitor = monitor
        self._scheduler = scheduler or torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode, factor=factor, patience=patience, min_lr=min_lr
        )
        said = f"times {self._scheduler.factor:g} after {self._scheduler.patience} epochs"
        said += f" without a better {monitor}"
        super().__init__(name, optimizer, lambda _: 1.0, every="epoch", said=said)

    def epoch_end(self, metrics: Mapping[str, Any] | None = None) -> bool:
        """Look at the epoch; lower the rate where nothing got better for long."""
        self.epochs += 1
        row = metrics or {}
        name = self._monitor
        if name == "auto":
            name = "val_loss" if row.get("val_loss") is not None else "loss"
        value = row.get(name)
        if value is None:
            if row and self._monitor != "auto":
                from mlnb.errors import unknown

                raise unknown("metric for the schedule plateau", name, row)
            return False
        before = [rate_of(group) for group in self._groups]
        self._scheduler.step(float(value))
        return before != [rate_of(group) for group in self._groups]

    def set_lr(self, lr: float) -> float:
        """Make `lr` the rate from now on, until the next plateau."""
        return set_rate(self.optimizer, lr)

    def state_dict(self) -> dict[str, Any]:
        """The numbers of torch's scheduler and the rates."""
        return {
            **super().state_dict(),
            "rates": [rate_of(group) for group in self._groups],
            "scheduler": _plain(self._scheduler.state_dict()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        super().load_state_dict(state)
        self._scheduler.load_state_dict(dict(state["scheduler"]))
        for group, rate in zip(self._groups, state["rates"], strict=True):
            write_rate(group, rate)

    def _apply(self) -> bool:
        return False


class Foreign(Schedule):
    """A scheduler of torch's or of anybody's, which keeps a state of its own."""

    def __init__(self, scheduler: Any, optimizer: Any, every: str) -> None:
        self._scheduler = scheduler
        self._raw = [rate_of(group) for group in optimizer.param_groups]
        name = display_text(type(scheduler).__name__)
        said = f"once {'an' if every == 'epoch' else 'a'} {every}"
        super().__init__(name, optimizer, lambda _: 1.0, every=every, said=said)

    def step(self) -> bool:
        """Go one optimizer step on; true where the learning rate changed."""
        self.count += 1
        return self._advance() if self.every == "step" else False

    def epoch_end(self, metrics: Mapping[str, Any] | None = None) -> bool:
        """Go one epoch on; true where the learning rate changed."""
        self.epochs += 1
        return self._advance() if self.every == "epoch" else False

    def set_lr(self, lr: float) -> float:
        """Make `lr` the rate from now on, and what follows as many times larger or smaller."""
        lr = checked_rate(lr)
        before = self.lr
        if self._raw[0] > 0:
            self._held, self.scale = None, lr / self._raw[0]
        else:
            self._held = [lr] * len(self._groups)
        self._apply()
        return before

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's own state beside ours."""
        own = _plain(self._scheduler.state_dict())
        return {**super().state_dict(), "raw": list(self._raw), "scheduler": own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken."""
        self._raw = [float(rate) for rate in state["raw"]]
        super().load_state_dict(state)
        self._scheduler.load_state_dict(dict(state["scheduler"]))

    def _advance(self) -> bool:
        """Step it on the rates it knows, then scale: half of torch's schedulers multiply."""
        for group, raw in zip(self._groups, self._raw, strict=True):
            write_rate(group, raw)
        before = self._raw
        with _unasked() if getattr(self._scheduler, "_step_count", 1) == 1 else nullcontext():
            self._scheduler.step()
        self._raw = [rate_of(group) for group in self._groups]
        self._apply()
        return before != self._raw

    def _apply(self) -> bool:
        rates = [raw * self.scale for raw in self._raw] if self._held is None else self._held
        changed = [rate_of(group) for group in self._groups] != rates
        for group, rate in zip(self._groups, rates, strict=True):
            write_rate(group, rate)
        return changed


@contextmanager
def _unasked() -> Iterator[None]:
    """torch warns once where it did not see a step: a compiled or withheld one is no mistake."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*optimizer.step.*")
        yield


def _plain(state: Any) -> Any:
    """A scheduler's state as JSON has it: numbers, texts, lists and dicts; functions stay out."""
    if isinstance(state, dict):
        return {k: _plain(v) for k, v in state.items() if not callable(v)}
    if isinstance(state, list | tuple):
        return [_plain(value) for value in state]
    if isinstance(state, torch.Tensor):
        return state.tolist()
    return state
