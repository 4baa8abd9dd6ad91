"""Training that is killed at any moment: no reported epoch is lost, and it goes on bit for bit.

The child is forked from this warm process, which computes in one thread: OpenMP's would be missing
in the child, which would wait for them. A fresh process would need seconds to its first step.
"""

import hashlib
import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from mlnb.errors import CheckpointError
from mlnb.train.keep.keeping import Keeping
from mlnb.train.keep.run_folder import RunFolder
from mlnb.train.trainer import Trainer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
EPOCHS = 6


def test_ten_kills_lose_no_epoch_and_change_no_bit(tmp_path, kills):
    kills(tmp_path, 10, seed=1)


@pytest.mark.slow
def test_sixty_kills_lose_no_epoch_and_change_no_bit(tmp_path, kills):
    kills(tmp_path, 60, seed=2)


@pytest.mark.soak
def test_a_thousand_kills_lose_no_epoch_and_change_no_bit(tmp_path, kills):
    kills(tmp_path, 1000, seed=3)


@pytest.fixture
def kills():
    """Runs a number of trials against the run that nobody kills."""

    def run(folder: Path, number: int, seed: int) -> None:
        draw = random.Random(seed)
        train(folder / "warm")
        began = time.monotonic()
        whole = ended(train(folder / "whole"))
        lasting = time.monotonic() - began
        lost, unloadable, different, went_on = [], [], [], 0
        for trial in range(number):
            place = folder / f"run-{trial}"
            reported = killed(place, draw.uniform(0.0, 1.1 * lasting))
            try:
                with RunFolder.open(place) as held:
                    found = held.newest()
            except CheckpointError as error:
                if reported:
                    unloadable.append((trial, reported, str(error)))
                continue  # it was killed before its first checkpoint: there is nothing to lose
            if found.epoch < reported:
                lost.append((trial, reported, found.epoch))
            went_on += 1
            run = Trainer.resume(place, data(), model=net())
            now = ended(run)
            if now != whole:
                parts = [name for name in whole if now[name] != whole[name]]
                different.append((trial, found, found.note["why"], parts))
        assert (lost, unloadable, different) == ([], [], [])
        assert went_on > number // 4, "nearly all were killed before their first checkpoint"

    return run


def killed(folder: Path, after: float) -> int:
    """Train in a child, kill it; the epochs that it had reported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            report_epochs(writing)
            train(folder)
        finally:
            os._exit(0)
    os.close(writing)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    reported = b""
    while block := os.read(reading, 4096):
        reported += block
    os.close(reading)
    return len(reported)


def report_epochs(pipe: int) -> None:
    """One byte for each epoch, once it is on the disk."""
    original = Keeping.epoch_end

    def reporting(self: Keeping, state: object) -> None:
        original(self, state)
        os.write(pipe, b".")

    Keeping.epoch_end = reporting


def train(folder: Path):
    return Trainer(net(), schedule="cosine", accumulate=2).fit(
        data(), validation=0.2, epochs=EPOCHS, batch_size=16, folder=folder, keep="1 MB"
    )


def net() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.25), nn.Linear(32, 3)
    )


def data():
    generator = torch.Generator().manual_seed(9)
    return (
        torch.randn(300, 12, generator=generator),
        torch.randint(0, 3, (300,), generator=generator),
    )


def ended(run) -> dict[str, str]:
    """Weights, moments, every loss and every epoch, to the bit."""
    parts = {
        f"weights {name}": tensor.numpy().tobytes()
        for name, tensor in run.model.state_dict().items()
    }
    for index, moments in run._state.optimizers["optimizer"].state_dict()["state"].items():
        for name, tensor in moments.items():
            parts[f"moments {index} {name}"] = tensor.numpy().tobytes()
    for name in ("step", "loss", "lr"):
        parts[f"history {name}"] = run.history[name].tobytes()
    for epoch in run.history.epochs:
        row = {name: value for name, value in epoch.items() if name != "seconds"}
        parts[f"epoch {epoch['epoch']}"] = repr(row).encode()
    return {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
