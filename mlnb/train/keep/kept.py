"""The steps of a run that one can go back to: a ring under a budget, `Kept`.

A kept step is a snapshot in memory until the run has a folder, and a checkpoint in it from then on.
They are spaced by their age: many of the last minute, few of the first hour.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlnb.errors import CheckpointError, TrainError
from mlnb.formatting import display_text, plural
from mlnb.train.keep import checkpoint
from mlnb.train.keep.run_folder import ASKED
from mlnb.train.keep.snapshot import Snapshot, take

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json
    from mlnb.train.keep.run_folder import Entry, RunFolder
    from mlnb.train.state import TrainState

MOST = 64
"""Steps that are kept at most, however small they are."""
MEMORY_BYTES = 512 * 10**6
SHARE = 0.01
"""Of the time, that taking snapshots between epochs may cost."""
SPACING = 0.02
"""Of the run's age, that at least lies between two of them."""
SHORTEST = 0.05
NEAREST = 6

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass
class _Held:
    number: int
    step: int
    nbytes: int
    why: str
    snapshot: Snapshot | None = None
    entry: Entry | None = None


class Kept:
    """The kept steps of one run; any thread may ask, the one that trains adds.

    >>> kept = Kept("2 GB")
    >>> kept.offer(state)
    True
    >>> kept.steps
    [0]

    Args:
        budget: bytes of all together, or as text ("500 MB"); in memory at most 512 MB. The newest
            two and the first stay whatever they take.
    """

    def __init__(self, budget: int | str = "2 GB") -> None:
        self.budget = bytes_of(budget)
        self.folder: RunFolder | None = None
        self.note: Callable[[], dict[str, Json]] = dict
        self._held: list[_Held] = []
        self._number = 0
        self._began = time.monotonic()
        self._due = 0.0
        self._lock = threading.RLock()

    @property
    def steps(self) -> list[int]:
        """The steps that one can go back to."""
        with self._lock:
            return sorted({held.step for held in self._held})

    @property
    def nbytes(self) -> int:
        """What they take together."""
        with self._lock:
            return sum(held.nbytes for held in self._held)

    def get(self, step: int) -> Snapshot:
        """What was kept of that step.

        Raises:
            CheckpointError: nothing was; the message names the nearest steps. Or it was damaged
                since.
        """
        with self._lock:
            found = [held for held in self._held if held.step == step]
            if not found:
                raise CheckpointError(no_such_step(step, self.steps))
            held = found[-1]
            if held.snapshot is not None:
                return held.snapshot
            assert held.entry is not None
            if not held.entry.path.exists():  # deleted by hand, or by a run that went on with it
                self._held.remove(held)
                raise CheckpointError(no_such_step(step, self.steps))
            return checkpoint.read(held.entry.path)

    def offer(self, state: TrainState, why: str = "tick") -> bool:
        """Take a snapshot if one is due; whether one was taken.

        Raises:
            OSError: it could not be written; it is tried again when the next one is due.
        """
        began = time.monotonic()
        if began < self._due:
            return False
        try:
            snapshot = take(state)
            if self.folder is None and snapshot.nbytes * 3 > self._allowed:
                return False
            self.keep(snapshot, why)
        finally:
            now = time.monotonic()
            age = (now - self._began) * SPACING
            self._due = now + max(SHORTEST, (now - began) / SHARE, age)
        return True

    def keep(self, snapshot: Snapshot, why: str, text: str = "") -> Entry | None:
        """Keep that one, due or not; where it lies, when it lies in a folder.

        Raises:
            OSError: it could not be written; what there was stays.
        """
        entry = None
        if self.folder is not None:
            entry = self.folder.save(snapshot, why, self.note() | ({"text": text} if text else {}))
        with self._lock:
            self._number += 1
            nbytes = entry.nbytes if entry else snapshot.nbytes
            held = _Held(self._number, snapshot.step, nbytes, why, None, entry)
            if entry is None:
                held.snapshot = snapshot
            self._held.append(held)
            self._thin()
        return entry

    def attach(self, folder: RunFolder) -> None:
        """Move to a folder: what is in memory is written there, what is there is known.

        Raises:
            OSError: the disk is full; what was not written stays in memory.
        """
        with self._lock:
            mine = self._held
            self.folder = folder
            self._held = []
            for entry in folder.entries:
                self._number += 1
                why = ASKED if entry.asked else "epoch"
                self._held.append(_Held(self._number, entry.step, entry.nbytes, why, None, entry))
            self._held += mine
            for held in mine:
                assert held.snapshot is not None
                note = self.note()
                held.entry = folder.save(held.snapshot, held.why, note)
                held.snapshot, held.nbytes = None, held.entry.nbytes
            self._thin()

    def detach(self) -> None:
        """Forget the folder, which is gone, and the steps that were kept in it."""
        with self._lock:
            self.folder = None
            self._held = [held for held in self._held if held.entry is None]

    @property
    def _allowed(self) -> int:
        return min(self.budget, MEMORY_BYTES) if self.folder is None else self.budget

    def _thin(self) -> None:
        if not self._held:
            return
        newest = self._held[-1]
        for held in [held for held in self._held[:-1] if held.step == newest.step]:
            self._drop(held)
        while len(self._held) > MOST or self.nbytes > self._allowed:
            victim = self._least()
            if victim is None:
                return
            self._drop(victim)

    def _least(self) -> _Held | None:
        """The one whose loss leaves the smallest gap, on a scale of the logarithm of the age."""
        newest = self._held[-1]
        ordered = sorted(self._held, key=lambda held: (held.step, held.number))
        ages = [abs(newest.step - held.step) + 1 for held in ordered]
        safe = {held.number for held in self._held[-2:]} | {ordered[0].number}
        best: tuple[bool, float] | None = None
        victim = None
        for i in range(1, len(ordered) - 1):
            if ordered[i].number in safe:
                continue
            gap = abs(math.log(ages[i - 1] / ages[i + 1]))
            cost = (ordered[i].why == ASKED, gap)
            if best is None or cost < best:
                best, victim = cost, ordered[i]
        return victim

    def _drop(self, held: _Held) -> None:
        self._held.remove(held)
        if held.entry is not None and self.folder is not None:
            self.folder.delete(held.entry)

    def __repr__(self) -> str:
        return f"Kept(steps {', '.join(f'{step:,}' for step in self.steps) or 'none'})"


def bytes_of(budget: int | str) -> int:
    """`"2 GB"` as a number of bytes.

    Raises:
        TrainError: it is neither a number nor a size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(budget))
    if match and match[2].upper() in _UNITS:
        size = float(match[1]) * _UNITS[match[2].upper()]
        if math.isfinite(size):
            return int(size)
    raise TrainError(
        f"keep= takes a size such as '2 GB' or a number of bytes; received "
        f"{display_text(repr(budget))}"
    )


def no_such_step(step: Any, steps: list[int]) -> str:
    """The message for what is no kept step, with the nearest ones.

    >>> no_such_step(12, [0, 10, 20])
    'step 12 is not kept; the nearest of 3 kept steps: 0, 10, 20'
    """
    called = f"step {step:,}" if type(step) is int else f"step {display_text(repr(step), 40)}"
    if not steps:
        return f"{called} is not kept; no step is"
    place = step if isinstance(step, int | float) and math.isfinite(step) else 0
    nearest = sorted(sorted(steps, key=lambda other: abs(other - place))[:NEAREST])
    shown = ", ".join(f"{other:,}" for other in nearest)
    return f"{called} is not kept; the nearest of {plural(len(steps), 'kept step')}: {shown}"
