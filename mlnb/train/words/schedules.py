"""Schedules of the learning rate by name, by class of torch's, and from factories.

A named one is a closed form of the step, written below; a schedule itself is in `schedule`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from mlnb.errors import TrainError
from mlnb.formatting import display_text, first_line
from mlnb.train.words.parsing import look_up, parse_word, refuse_options
from mlnb.train.words.schedule import Foreign, Plateau, Schedule


def resolve_schedule(
    schedule: object,
    optimizer: Any,
    *,
    total_steps: int | None,
    steps_per_epoch: int | None,
) -> Schedule | None:
    """The schedule that a word, a class or a factory of torch's means for this optimizer.

    >>> schedule = resolve_schedule("one_cycle", optimizer, total_steps=1000, steps_per_epoch=100)
    >>> schedule.step(); schedule.lr

    Args:
        schedule: None, a name such as "cosine", "one_cycle", "step(every=10)", "plateau" or
            "warmup_cosine(share=0.1)", a torch scheduler or a factory of one (called with the
            optimizer), or a pair of one and "step" or "epoch", which is how often it steps.
        optimizer: its learning rates are what the schedule multiplies.
        total_steps: optimizer steps planned; None where nobody knows.
        steps_per_epoch: optimizer steps an epoch; None where nobody knows.

    Raises:
        UnknownName: for a name or an option that does not exist, with the closest.
        TrainError: where the schedule has to know a length that nobody knows.
    """
    if schedule is None or isinstance(schedule, Schedule):
        return schedule
    if isinstance(schedule, str):
        name, options = parse_word(schedule)
        make, taken = look_up("schedule", name, WORDS, ALIASES)
        name = ALIASES.get(name, name)
        refuse_options("schedule", name, options, taken)
        length = _Length(name, total_steps, steps_per_epoch)
        try:
            return make(name, optimizer, length, **options)
        except (TypeError, ValueError) as error:
            raise TrainError(
                f"the schedule {display_text(schedule)} cannot be made: {first_line(error, 200)}"
            ) from error
    every = None
    if isinstance(schedule, tuple) and len(schedule) == 2 and schedule[1] in ("step", "epoch"):
        schedule, every = schedule
    if isinstance(schedule, type) or (callable(schedule) and not hasattr(schedule, "step")):
        schedule = schedule(optimizer)
    if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
        return Plateau("plateau", optimizer, scheduler=schedule)
    if not hasattr(schedule, "step") or not hasattr(schedule, "state_dict"):
        raise TrainError(
            "schedule is a name, a scheduler of torch, or a function that makes one of the "
            f"optimizer; received {type(schedule).__name__}"
        )
    if getattr(schedule, "optimizer", optimizer) is not optimizer:
        raise TrainError(
            "this scheduler belongs to another optimizer; give a function that makes it: "
            "schedule=lambda optimizer: …"
        )
    epochs = total_steps / steps_per_epoch if total_steps and steps_per_epoch else None
    return Foreign(schedule, optimizer, every or _pace(schedule, epochs))


# Words


class _Length:
    """How long it goes on, and an error where a schedule must know and nobody does."""

    def __init__(self, name: str, total: int | None, epoch: int | None) -> None:
        self.name, self._total, self._epoch = name, total, epoch

    @property
    def total(self) -> int:
        if self._total is None:
            raise TrainError(
                f"the schedule {self.name} must know how many steps there will be, and this data "
                "has no length; use constant, step or plateau"
            )
        return max(self._total, 1)

    @property
    def epochs(self) -> int | None:
        return round(self._total / self._epoch) if self._total and self._epoch else None


def _one_cycle(
    name: str,
    optimizer: Any,
    length: _Length,
    *,
    share: float = 0.3,
    start: float = 0.04,
    end: float = 4e-6,
) -> Schedule:
    """Up to lr and down again by half cosines, as in Smith, Super-Convergence (1708.07120)."""
    total = length.total
    _share(name, share)
    top = share * total - 1
    last = max(total - 1, 1)

    def factor(step: int) -> float:
        step = min(step, last)
        if step <= top and top > 0:
            return _between(start, 1.0, step / top)
        return _between(1.0, end, (step - max(top, 0)) / max(last - max(top, 0), 1e-9))

    said = f"up to the given lr in {share:.0%} of {total:,} steps, then down"
    return Schedule(name, optimizer, factor, said=said)


def _cosine(name: str, optimizer: Any, length: _Length, *, end: float = 0.0) -> Schedule:
    total = length.total

    def factor(step: int) -> float:
        return _between(1.0, end, min(step / total, 1.0))

    return Schedule(name, optimizer, factor, said=f"over {total:,} steps")


def _linear(name: str, optimizer: Any, length: _Length, *, end: float = 0.0) -> Schedule:
    total = length.total
    return Schedule(
        name, optimizer, lambda step: 1 + (end - 1) * min(step / total, 1.0),
        said=f"over {total:,} steps",
    )  # fmt: skip


def _warmup(
    name: str,
    optimizer: Any,
    length: _Length,
    *,
    share: float = 0.05,
    steps: int | None = None,
    end: float = 0.0,
) -> Schedule:
    after = name.removeprefix("warmup").lstrip("_")
    if steps is None:
        _share(name, share)
        steps = max(round(share * length.total), 1)
    up = max(int(steps), 1)
    rest = max(length.total - up, 1) if after else 1

    def factor(step: int) -> float:
        if step < up:
            return (step + 1) / (up + 1)
        done = min((step - up) / rest, 1.0)
        if after == "cosine":
            return _between(1.0, end, done)
        return 1 + (end - 1) * done if after == "linear" else 1.0

    then = f", then {after}" if after else ""
    return Schedule(name, optimizer, factor, said=f"{up:,} steps up{then}")


def _step(
    name: str,
    optimizer: Any,
    length: _Length,
    *,
    every: int | None = None,
    at: int | tuple[int, ...] | None = None,
    gamma: float = 0.1,
) -> Schedule:
    if at is not None:
        at = (at,) if isinstance(at, int) else tuple(at)
        said = f"times {gamma:g} at epoch {', '.join(str(epoch) for epoch in at)}"
        return Schedule(
            name, optimizer, lambda epoch: gamma ** sum(epoch >= one for one in at),
            every="epoch", said=said,
        )  # fmt: skip
    third = max((length.epochs or 30) // 3, 1)
    epochs = int(every) if every is not None else third
    if epochs < 1:
        raise TrainError(f"the schedule step needs every= of at least 1 epoch; received {every!r}")
    return Schedule(
        name, optimizer, lambda epoch: gamma ** (epoch // epochs),
        every="epoch", said=f"times {gamma:g} every {epochs} epochs",
    )  # fmt: skip


def _exponential(name: str, optimizer: Any, length: _Length, *, gamma: float = 0.95) -> Schedule:
    said = f"times {gamma:g} an epoch"
    return Schedule(name, optimizer, lambda epoch: gamma**epoch, every="epoch", said=said)


def _plateau(name: str, optimizer: Any, length: _Length, **options: Any) -> Schedule:
    return Plateau(name, optimizer, **options)


def _constant(name: str, optimizer: Any, length: _Length) -> Schedule:
    return Schedule(name, optimizer, lambda step: 1.0)


_WARMUP = (_warmup, ("share", "steps", "end"))
WORDS: dict[str, tuple[Callable[..., Schedule], tuple[str, ...]]] = {
    "constant": (_constant, ()),
    "one_cycle": (_one_cycle, ("share", "start", "end")),
    "cosine": (_cosine, ("end",)),
    "linear": (_linear, ("end",)),
    "step": (_step, ("every", "at", "gamma")),
    "exponential": (_exponential, ("gamma",)),
    "plateau": (_plateau, ("monitor", "factor", "patience", "min_lr")),
    "warmup": (_warmup, ("share", "steps")),
    "warmup_cosine": _WARMUP,
    "warmup_linear": _WARMUP,
}
ALIASES = {
    "onecycle": "one_cycle", "one_cycle_lr": "one_cycle", "cosine_annealing": "cosine",
    "step_lr": "step", "multistep": "step", "reduce_on_plateau": "plateau", "warm_up": "warmup",
    "reduce_lr_on_plateau": "plateau", "cosine_warmup": "warmup_cosine",
    "linear_warmup": "warmup_linear", "none": "constant",
}  # fmt: skip


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def _share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise TrainError(f"the schedule {name} takes a share from 0 to 1; received {share!r}")


def _pace(scheduler: Any, epochs: float | None) -> str:
    """A scheduler of torch's counts epochs, but for those made for steps and the very long."""
    if type(scheduler).__name__ in ("OneCycleLR", "CyclicLR"):
        return "step"
    lengths = [getattr(scheduler, name, 0) for name in ("T_max", "total_iters", "step_size")]
    longest = max((n for n in lengths if isinstance(n, int | float)), default=0)
    return "step" if epochs is not None and longest > epochs else "epoch"
