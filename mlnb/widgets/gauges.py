"""What is looked at ten times a second beside the loss: `Gauges`.

Learning rate, gradient norm, speed, memory and how busy the device is. None of it is part of a
run's history: it is kept here as long as the run lives, thinned to what a strip shows, so that a
second view has it as well.
"""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from mlnb.train.run import Run
    from mlnb.widgets.curve_feed import Buffers

KEPT = 1000
NAMES = ("lr", "norm", "speed", "memory", "busy")
CHEAP_PARAMETERS = 2_000_000
"""Up to so many a CPU takes their norm in a millisecond or two."""
SLOW_SECONDS = 1.0

_kept: WeakKeyDictionary[Run, Gauges] = WeakKeyDictionary()


def gauges_of(run: Run) -> Gauges:
    """The gauges of a run: the same ones for every view of it."""
    if run not in _kept:
        _kept[run] = Gauges(run)
    return _kept[run]


class Gauges:
    """What was looked at while a run trained.

    >>> gauges_of(run).look(run)
    {'step': 120, 'lr': 0.001, 'norm': 0.41, 'speed': 41300.0, 'memory': 1.2e9, 'busy': 0.98}

    Args:
        run: its device and the size of its model decide what is cheap to look at.
    """

    def __init__(self, run: Run) -> None:
        self.device = str(getattr(getattr(run._plan, "device", None), "type", "cpu"))
        self.total = _memory_there(self.device)
        self._rows: list[list[float]] = []
        self._looked = 0.0
        self._due = 0.0
        self._busy: float | None = None
        self._memory: float | None = None
        self._clock = (time.perf_counter(), time.process_time())
        self._takes_norm = hasattr(run._step, "take_norm") and self._cheap(run)

    def look(self, run: Run) -> dict[str, float | None]:
        """Look now, in the thread that trains, and ask the next step for its gradient norm.

        Two views that look in the same tick see the same.
        """
        now = time.monotonic()
        if self._rows and now - self._looked < 0.02:
            return self._told(self._rows[-1])
        self._looked = now
        if now >= self._due:
            self._due = now + SLOW_SECONDS
            self._busy, self._memory = self._how_busy(), _memory_used(self.device)
        seen = {
            "lr": run.lr,
            "norm": self._norm(run),
            "speed": run.samples_per_second or run.steps_per_second,
            "memory": self._memory,
            "busy": self._busy,
        }
        row = [float(run.step), *(_float(seen[name]) for name in NAMES)]
        self._rows.append(row)
        if len(self._rows) > KEPT:
            del self._rows[1:-1:2]
        return self._told(row)

    def whole(self, buffers: Buffers) -> dict[str, Any]:
        """All that was seen: a buffer of steps, and one of values for each gauge."""
        rows = np.array(list(self._rows), np.float64).reshape(-1, 1 + len(NAMES))
        columns = {name: buffers.floats(rows[:, 1 + at]) for at, name in enumerate(NAMES)}
        return {"x": buffers.steps(rows[:, 0]), **columns}

    @staticmethod
    def _told(row: list[float]) -> dict[str, float | None]:
        return {
            name: value if math.isfinite(value) else None
            for name, value in zip(("step", *NAMES), row, strict=True)
        }

    def _cheap(self, run: Run) -> bool:
        parameters = sum(parameter.numel() for parameter in run._state.parameters())
        return self.device != "cpu" or parameters <= CHEAP_PARAMETERS

    def _norm(self, run: Run) -> float | None:
        """That of the step which was asked at the last tick."""
        if not self._takes_norm:
            return None
        norm = run._step.take_norm()
        return None if norm is None else float(norm)

    def _how_busy(self) -> float | None:
        """The share of the device, or of one core where it trains on the CPU, since last time."""
        if self.device == "cuda":
            return _gpu_share()
        wall, work = time.perf_counter(), time.process_time()
        before, self._clock = self._clock, (wall, work)
        seconds = wall - before[0]
        return (work - before[1]) / seconds / (os.cpu_count() or 1) if seconds > 0.05 else None


def _gpu_share() -> float | None:
    import torch

    with suppress(Exception):  # without NVIDIA's library nobody knows
        return float(torch.cuda.utilization()) / 100
    return None


def _memory_used(device: str) -> float | None:
    import torch

    if device == "cuda":
        return float(torch.cuda.memory_reserved())
    if device == "mps":
        return float(torch.mps.driver_allocated_memory())
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return None


def _memory_there(device: str) -> float | None:
    import torch

    if device == "cuda":
        return float(torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory)
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _float(value: float | None) -> float:
    return float("nan") if value is None else float(value)
