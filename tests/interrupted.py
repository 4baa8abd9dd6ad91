"""Forks children that train, interrupts each at a random moment, and prints what became of them.

    python tests/interrupted.py 20 1

The parent is warm and has one thread, so that a child is a copy that can begin at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from typing import Any, NoReturn

import torch
from steered import counters, fit, rows, same, trainer
from torch import nn

from mlnb.train import active

LATEST = 0.25
EPOCHS = 100_000


def main(count: int, seed: int) -> None:
    torch.set_num_threads(1)
    fit(validation=0.2)
    assert threading.active_count() == 1
    moments = random.Random(seed)
    for number in range(count):
        print(json.dumps(interrupted(number, moments.uniform(0, LATEST))), flush=True)


def interrupted(number: int, moment: float) -> dict[str, Any]:
    """What one child tells after an interrupt `moment` seconds into its fit."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(number, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.readline() == b"fits\n"
        time.sleep(moment)
        sent = time.monotonic()
        os.kill(child, signal.SIGINT)
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if not told:
        return {"problem": f"it ended with status {status} and told nothing", "moment": moment}
    found: dict[str, Any] = json.loads(told)
    return {**found, "seconds": found.get("ended", sent) - sent, "status": status, "moment": moment}


def _child(number: int, writer: int) -> None:
    try:
        words: dict[str, Any] = {"validation": 0.2 if number % 2 else None}
        mine = trainer(_Slower() if number % 3 == 0 else None)
        begun: list[Any] = []
        active.on_start(begun.append)
        os.write(writer, b"fits\n")
        try:
            run = fit(mine, epochs=EPOCHS, **words)
        except KeyboardInterrupt:
            if begun:
                raise
            _tell_of_nothing_begun(number, mine, writer)
        ended = time.monotonic()
        told = {
            "ended": ended,
            "stop_reason": run.stop_reason,
            "step": run.step,
            "counters": sorted(counters(run)),
            "losses": len(run.history),
            "finite": bool(torch.isfinite(mine.predict(rows()[0])).all()),
        }
        run.resume(epochs=run.epoch + 1)
        told["goes on"] = run.stop_reason
        again = trainer(_Slower() if number % 3 == 0 else None)
        told["equal"] = same(run, fit(again, epochs=run.epoch, **words))
        os.write(writer, json.dumps(told).encode())
        os._exit(0)
    except BaseException:
        os.write(writer, json.dumps({"problem": traceback.format_exc()}).encode())
        os._exit(1)


def _tell_of_nothing_begun(number: int, mine: Any, writer: int) -> NoReturn:
    """The interrupt came before fit could take it: the trainer is as good as new."""
    again = trainer(_Slower() if number % 3 == 0 else None)
    equal = same(fit(mine, epochs=2), fit(again, epochs=2))
    os.write(writer, json.dumps({"before": True, "equal": equal}).encode())
    os._exit(0)


class _Slower(nn.Module):
    """A step of some milliseconds, so that moments lie inside of one."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.net = nn.Sequential(
            nn.Linear(8, 800), nn.ReLU(), nn.Linear(800, 800), nn.ReLU(), nn.Linear(800, 2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.net(x)
        return out


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
