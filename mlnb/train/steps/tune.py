"""`tune(...)`: which precision and memory layout is fastest for this model, on this machine.

Rules of thumb fail: the same choice that makes one net 2.75 times as fast slows another. So each is
timed on the user's own batch, in turns, on a copy of the model; weights and random state stay.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mlnb.formatting import display_text
from mlnb.train.steps.precision import Precision, is_convolutional
from mlnb.train.steps.step import Step, build_step

GAIN = 1.05


@dataclass(frozen=True)
class Tuned:
    """What `tune` found.

    Args:
        precision: the fastest; fp32 unless another one gains at least 5%.
        milliseconds: a step's time by the name of the choice.
        failed: why a choice does not work here, by its name.
    """

    precision: Precision
    milliseconds: dict[str, float]
    failed: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.said

    @property
    def said(self) -> str:
        """One line: what was picked, and what each choice takes."""
        times = ", ".join(f"{name} {value:.3g} ms" for name, value in self.milliseconds.items())
        failed = "".join(f"; {name} does not work here" for name in self.failed)
        return f"tune: {_name(self.precision)} ({times} a step{failed})"


def tune(
    model: nn.Module,
    loss: Callable[[Any, Any], Tensor] | Any,
    sample: tuple[Any, Any],
    device: torch.device,
    *,
    seconds: float = 2.0,
) -> Tuned:
    """Time fp32 and bf16, and channels last where there are convolutions.

    >>> tune(net, nn.functional.cross_entropy, (x, y), torch.device("cpu")).precision.name
    'fp32'

    Args:
        model: on the device; a copy of it is trained.
        loss: `function(outputs, targets)`, or a `Loss`.
        sample: inputs and targets, one batch of the size that is to be trained with.
        device: where it trains.
        seconds: for all of it.

    Raises:
        Exception: whatever the model raises in fp32 with its weights as they are.
    """
    layouts = (False, True) if is_convolutional(model) else (False,)
    choices = [Precision(name, layout) for name in ("fp32", "bf16") for layout in layouts]
    devices = [device] if device.type == "cuda" else []
    failed: dict[str, str] = {}
    steps: dict[str, tuple[Precision, Step]] = {}
    with torch.random.fork_rng(devices=devices):
        for choice in choices:
            step = _step(model, loss, device, choice)
            try:
                _timed(step, sample, device)
            except Exception as error:
                if choice == choices[0]:
                    raise
                failed[_name(choice)] = display_text(str(error), 200)
                continue
            steps[_name(choice)] = (choice, step)
        times = _measure({name: step for name, (_, step) in steps.items()}, sample, device, seconds)
    best = _best(times, {name: choice for name, (choice, _) in steps.items()})
    said = f"precision: {_name(best)} (as tuned)"
    return Tuned(Precision(best.name, best.channels_last, said), times, failed)


def _step(model: nn.Module, loss: Any, device: torch.device, choice: Precision) -> Step:
    twin = copy.deepcopy(model).train()
    parameters = [parameter for parameter in twin.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, fused=device.type != "mps" or None)
    return build_step(twin, loss, optimizer, device=device, precision=choice, guard=False)


def _measure(
    steps: dict[str, Step], sample: tuple[Any, Any], device: torch.device, seconds: float
) -> dict[str, float]:
    """Milliseconds a step, in turns; the first of each, which builds what is used later, is out."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    ends = time.perf_counter() + seconds
    while True:
        for name, step in steps.items():
            times[name].append(_timed(step, sample, device))
        if time.perf_counter() >= ends or len(times[name]) >= 200:
            return {name: 1000 * statistics.median(each) for name, each in times.items()}


def _timed(step: Step, sample: tuple[Any, Any], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter()
    step(*sample)
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _best(times: dict[str, float], choices: dict[str, Precision]) -> Precision:
    def cost(name: str) -> float:
        return times[name] * (1.0 if choices[name].name == "fp32" else GAIN)

    return choices[min(times, key=cost)]


def _name(choice: Precision) -> str:
    return choice.name + (", channels last" if choice.channels_last else "")
