"""Looks at mutants, infers their shapes and runs them, and counts how each of that ended.

The looking happens in the process that calls `survey`, as it does in a notebook; `python -m
hostile.survey FIRST LAST` makes that a process of its own, whose death can be counted as well.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from hostile.mutants import mutant
from hostile.watch import processor_seconds

from mlnb.child.arrays import dtype_named
from mlnb.errors import MlnbError, ModelCrashed, ModelTimeout
from mlnb.graph.payload import graph_payload, pack
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.specs import TensorSpec

DEADLINE = 1.0
SLACK = 2.0
"""What stopping a child and starting another may add to the deadline, in seconds."""
STUCK = 60.0
"""Seconds after which an act that takes no time of any processor hangs."""


@dataclass
class Survey:
    """How many acts ended how.

    Args:
        endings: acts by what they ended with: "predict: ModelRunError".
        stops: those that ended the child, by what the first line says, with the mutants' numbers.
        slowest: seconds and number of the mutant whose act took longest. What a busy machine takes
            is not counted: the shorter of the clock's time and the processors' tells.
        late: numbers of mutants with an act past the deadline.
        faults: acts that ended in an error which is none of ours; there must be none.
    """

    endings: Counter[str] = field(default_factory=Counter)
    stops: dict[str, list[int]] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    late: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, other: Survey) -> None:
        """Take in what another one counted."""
        self.endings += other.endings
        for said, numbers in other.stops.items():
            self.stops.setdefault(said, []).extend(numbers)
        self.slowest = max(self.slowest, other.slowest)
        self.late += other.late
        self.faults += other.faults

    def __str__(self) -> str:
        lines = [f"{count:>8,}  {ending}" for ending, count in sorted(self.endings.items())]
        lines += [
            f"{len(numbers):>8,}  {said}: mutants {numbers[:8]}"
            for said, numbers in sorted(self.stops.items())
        ]
        lines += self.faults[:20]
        lines.append(f"slowest act: {self.slowest[0]:.2f} s, of mutant {self.slowest[1]}")
        return "\n".join(lines)


def survey(
    numbers: Iterable[int],
    made: Callable[[int], bytes] = mutant,
    acts: Sequence[Callable[[Model], None]] | None = None,
) -> Survey:
    """Look at each of these mutants, and infer and run it.

    Args:
        numbers: of the mutants.
        made: gives a mutant by its number.
        acts: what is done after looking; `infer` and `predict` by default.
    """
    found = Survey()
    for number in numbers:
        content = made(number)
        model = _done(found, number, "view", lambda content=content: view(content))
        if model is not None:
            for act in (infer, predict) if acts is None else acts:
                _done(found, number, act.__name__, lambda model=model, act=act: act(model))
    return found


def view(content: bytes) -> Model:
    """Everything that is read and shown without running it."""
    model = load_model(content)
    pack(graph_payload(model.graph))
    texts = (repr(model), model.facts, model.feed_code, str(model.summary()), model._repr_html_())
    assert all(isinstance(text, str) for text in texts)
    for weight in model.graph.weights:
        try:
            model.tensor(weight.name)
        except MlnbError:
            continue
    return model


def infer(model: Model) -> None:
    if model.infer_shapes(timeout=DEADLINE):
        graph_payload(model.graph)
    for note in model.notes:
        if "did not answer" in note:
            raise ModelTimeout(note)
        if "your session is unharmed" in note:
            raise ModelCrashed(note)


def predict(model: Model) -> None:
    model.predict({spec.name: feed(spec) for spec in model.inputs}, timeout=DEADLINE)


def feed(spec: TensorSpec) -> Any:
    """Ones in the shape that is asked for, where that is one which this machine could hold."""
    shape = [size if isinstance(size, int) else 1 for size in spec.shape or ()]
    if len(shape) > 32 or min(shape, default=1) < 0 or prod(max(1, size) for size in shape) > 10**6:
        shape = [1] * min(len(shape), 32)
    if spec.dtype == "string":
        array = np.full(shape, "a", object)
    else:
        known = spec.dtype != "unknown" and "string" not in spec.dtype
        array = np.ones(shape, dtype_named(spec.dtype) if known else np.float32)
    return [array] if "sequence" in spec.kind else array


def _done(found: Survey, number: int, name: str, act: Callable[[], Any]) -> Any:
    begin, worked = time.monotonic(), processor_seconds()
    ending, result = "done", None
    try:
        result = act()
    except MlnbError as error:
        ending = type(error).__name__
        if isinstance(error, ModelCrashed | ModelTimeout):
            said = f"{name}: {str(error).partition(';')[0].rpartition(': ')[2]}"
            found.stops.setdefault(said, []).append(number)
    except Exception as error:
        ending = type(error).__name__
        found.faults.append(f"mutant {number}, {name}: {ending}: {error}")
    waited = time.monotonic() - begin
    took = waited if waited > STUCK else min(waited, processor_seconds() - worked)
    found.endings[f"{name}: {ending}"] += 1
    found.slowest = max(found.slowest, (took, number))
    if took > DEADLINE + SLACK:
        found.late.append(number)
    return result


def loaded(text: str) -> Survey:
    """A survey as `main` prints it."""
    plain = json.loads(text)
    plain["endings"], plain["slowest"] = Counter(plain["endings"]), tuple(plain["slowest"])
    return Survey(**plain)


if __name__ == "__main__":
    print(json.dumps(vars(survey(range(int(sys.argv[1]), int(sys.argv[2]))))))
