"""What a run changes while it trains: `TrainState`, of which a snapshot copies everything.

What is decided once, before the first step, stands in `mlnb.train.plan.Plan` instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from mlnb.train.feed.batches import Batches
    from mlnb.train.history import History
    from mlnb.train.words.schedule import Schedule


@dataclass
class TrainState:
    """All that changes from step to step; whoever copies it can go on from there, bit for bit.

    >>> state = TrainState({"model": net}, {"optimizer": optimizer}, batches, History())
    >>> state.step
    0

    Args:
        models: the modules that train, by name; `"model"` where there is one.
        optimizers: by name; `"optimizer"` where there is one.
        batches: the rows to train on, and how far they have come.
        history: every step's loss and learning rate, every epoch's metrics.
        schedule: what changes the learning rate.
        scaler: scales the loss where fp16 needs it.
        callbacks: the user's; those with `state_dict` and `load_state_dict` are copied too.
        sums: running sums of the unfinished epoch: "loss", "rows" and the metrics' counts.
        step: optimizer steps done in all.
        epoch: epochs finished.
        batch: batches done of the unfinished epoch.
    """

    models: dict[str, nn.Module]
    optimizers: dict[str, Optimizer]
    batches: Batches
    history: History
    schedule: Schedule | None = None
    scaler: Any = None
    callbacks: list[Any] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    epoch: int = 0
    batch: int = 0

    @property
    def lr(self) -> float:
        """The learning rate of the first optimizer's first group, as it is now."""
        for optimizer in self.optimizers.values():
            return float(optimizer.param_groups[0]["lr"])
        return float("nan")

    def parameters(self) -> Iterator[nn.Parameter]:
        """Every parameter of every model, once."""
        seen: set[int] = set()
        for model in self.models.values():
            for parameter in model.parameters():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield parameter
