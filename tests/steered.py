"""A small network with dropout on data made in code, and ways to catch its run in the act."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mlnb.train.run import Run
from mlnb.train.trainer import Trainer


def rows(count: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
    return x, (x.sum(1) > 0).long()


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2)
    )


def trainer(model: nn.Module | None = None, **words: Any) -> Trainer:
    return Trainer(net() if model is None else model, **{"device": "cpu", **words})


def fit(on: Trainer | None = None, **words: Any) -> Run:
    settings = {"epochs": 2, "batch_size": 32, "folder": False, **words}
    return (trainer() if on is None else on).fit(rows(), **settings)


class Does:
    """The callback that does something once, after a given step."""

    def __init__(self, step: int, deed: Callable[[Run], object]) -> None:
        self.step, self.deed, self.done = step, deed, False

    def on_step_end(self, run: Run) -> None:
        if run.step >= self.step and not self.done:
            self.done = True
            self.deed(run)

    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("a deed is done once")


class Slow:
    """The callback that makes every step take that long."""

    def __init__(self, seconds: float = 0.002) -> None:
        self.seconds = seconds

    def on_step_end(self, run: Run) -> None:
        time.sleep(self.seconds)


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def weights(run: Run) -> list[torch.Tensor]:
    return [value.detach().clone() for value in run.model.state_dict().values()]


def same(one: Run, other: Run) -> bool:
    """Whether two runs have equal weights, moments and losses, bit for bit."""
    losses = one.history["loss"].tobytes() == other.history["loss"].tobytes()
    return losses and _equal(weights(one), weights(other)) and _equal(moments(one), moments(other))


def moments(run: Run) -> list[torch.Tensor]:
    optimizer = next(iter(run._state.optimizers.values()))
    return [
        value
        for group in optimizer.param_groups
        for parameter in group["params"]
        for _, value in sorted(optimizer.state.get(parameter, {}).items())
        if torch.is_tensor(value)
    ]


def counters(run: Run) -> set[float]:
    """How many steps the optimizer counts for each parameter."""
    optimizer = next(iter(run._state.optimizers.values()))
    return {float(state["step"]) for state in optimizer.state.values() if "step" in state}


def _equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


def in_thread(work: Callable[[], object]) -> threading.Event:
    done = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    return done
