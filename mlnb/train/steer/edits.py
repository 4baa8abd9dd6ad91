"""What a person changed by hand while a run trained, with the exact step: `Edit`.

A run holds two lists: `run.edits` tells all that happened, and its line only what led to where it
is now, without the stretches that a rewind gave up. `run.replay()` repeats the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlnb.errors import unknown
from mlnb.train.words import rates

if TYPE_CHECKING:
    from mlnb.train.feed.batches import Batches
    from mlnb.train.history import Mark
    from mlnb.train.state import TrainState
    from mlnb.train.steps.step import Step

ON_THE_LINE = ("set_lr", "fork")


@dataclass(frozen=True)
class Edit:
    """One change by hand, done before step `step + 1`.

    >>> run.edits
    [Edit(step=120, kind='set_lr', value=0.0001)]

    Args:
        step: optimizer steps done before it.
        kind: "set_lr", "rewind" or "fork".
        value: the rate; the step that was left; a dict of what the fork changed.
        epoch: epochs finished before it.
        batch: batches done of the unfinished epoch.
        batches: the data that a fork went on with, where it was given others.
    """

    step: int
    kind: str
    value: Any = None
    epoch: int = field(default=0, repr=False)
    batch: int = field(default=0, repr=False)
    batches: Batches | None = field(default=None, repr=False, compare=False)

    @property
    def told(self) -> tuple[int, str, str]:
        """What its mark in the history says: step, kind and text."""
        return self.step, self.kind, text_of(self.kind, self.value)

    @property
    def position(self) -> tuple[int, int, int]:
        """Where it was done: step, epoch, batch; grows along a line."""
        return self.step, self.epoch, self.batch


def line(marks: Iterable[Mark], known: Sequence[Edit]) -> list[Edit]:
    """The edits that led to where a history ends, which is part of every snapshot.

    Two edits that a mark cannot tell apart did the same, so that either of them will do.
    """
    found = []
    for mark in marks:
        if mark.kind in ON_THE_LINE:
            found += [one for one in known if one.told == (mark.step, mark.kind, mark.text)][:1]
    return found


def text_of(kind: str, value: Any) -> str:
    """An edit in words: `lr 0.0001, head anew`."""
    if kind == "rewind":
        return f"from step {value:,}"
    rates = value if isinstance(value, dict) else {"": value}
    if kind == "set_lr":
        return ", ".join(f"{name} lr {rate!r}".strip() for name, rate in rates.items())
    parts = [f"lr {value['lr']!r}"] if value["lr"] is not None else []
    parts += [f"{layer} anew" for layer in value["layers_reset"]]
    return ", ".join(parts + (["other data"] if value["data"] else []))


def to_json(edits: list[Edit]) -> list[dict[str, Any]]:
    """The edits as run.json holds them; the data of a fork is not part of it.

    >>> from_json(to_json(run.edits)) == run.edits
    True
    """
    names = ("step", "kind", "value", "epoch", "batch")
    return [{name: getattr(one, name) for name in names} for one in edits]


def from_json(rows: list[dict[str, Any]]) -> list[Edit]:
    """The other way round."""
    return [Edit(**row) for row in rows]


def set_rate(state: TrainState, step: Step, rate: float, optimizer: str | None = None) -> None:
    """Train with `rate` from the next step on; groups of parameters keep their ratios.

    Args:
        state: of the run.
        step: is told, because a compiled one holds the rate as a tensor.
        rate: of the first group of parameters.
        optimizer: which one, where there are several; `None` sets all of them.
    """
    if state.schedule is not None and optimizer is None:
        state.schedule.set_lr(rate)
    else:
        for name, one in state.optimizers.items():
            if optimizer in (None, name):
                rates.set_rate(one, rate)
    step.lr_changed()


def checked_optimizer(state: TrainState, name: str | None) -> str | None:
    """The name, when there is such an optimizer."""
    if name is not None and name not in state.optimizers:
        raise unknown("optimizer", name, state.optimizers)
    return name
