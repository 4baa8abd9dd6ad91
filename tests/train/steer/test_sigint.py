import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from steered import Does, counters, fit, net, rows, same, trainer, until
from torch import nn
from torch.utils.data import Dataset

from mlnb.train import active
from mlnb.train.run import Run
from mlnb.train.steer import interrupts

TESTS = Path(__file__).parents[2]


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second interrupt may come at once."""
    monkeypatch.setattr(interrupts, "SECOND_AFTER", -1.0)


@pytest.fixture
def begun() -> Iterator[list[Run]]:
    """Every run that begins: what fit would have returned."""
    runs: list[Run] = []
    undo = active.on_start(runs.append)
    yield runs
    undo()


@pytest.mark.parametrize(
    "count",
    [
        20,
        pytest.param(60, marks=pytest.mark.slow),
        pytest.param(1000, marks=pytest.mark.soak),
    ],
)
def test_interrupts_at_random_moments_tear_nothing(count: int) -> None:
    done = subprocess.run(
        [sys.executable, str(TESTS / "interrupted.py"), str(count), str(os.getpid())],
        capture_output=True,
        text=True,
        timeout=60 + 10 * count,
        check=False,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == count, done.stderr
    for child in told:
        assert "problem" not in child, child["problem"]
        assert child["equal"], child
    told = [child for child in told if "before" not in child]
    assert len(told) > 0.9 * count
    for child in told:
        assert child["stop_reason"] == "interrupted", child
        assert child["status"] == 0, child
        assert child["counters"] in ([], [child["step"]]), child
        assert child["losses"] == child["step"], child
        assert child["finite"], child
        assert child["goes on"] == "finished", child
    seconds = sorted(child["seconds"] for child in told)
    p95 = seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))]
    steps = [child["step"] for child in told]
    print(
        f"{count} interrupts after {min(steps)} to {max(steps)} steps: fit returned after "
        f"{1000 * seconds[len(seconds) // 2]:.0f} ms (median), {1000 * p95:.0f} ms (p95)"
    )
    assert seconds[len(seconds) // 2] < 0.05
    assert p95 < 0.5  # 0.05 on a machine that does nothing else


def test_in_a_callback() -> None:
    run = fit(trainer(callbacks=[Does(5, lambda run: interrupt())]))
    assert (run.stop_reason, run.step) == ("interrupted", 5)
    assert same(run.resume(), fit())


def test_in_validation() -> None:
    class Asks(nn.Module):
        """Is interrupted in its second epoch's validation."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = net()
            self.validations = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not self.training and len(x) > 2:  # no dry batch
                self.validations += 1
                if self.validations == 2:
                    interrupt()
            out: torch.Tensor = self.inner(x)
            return out

    words: dict[str, Any] = {"epochs": 3, "validation": 0.25}
    run = fit(trainer(Asks()), **words)
    assert (run.stop_reason, run.step, run.epoch) == ("interrupted", 12, 1)
    run.resume()
    assert run.epoch == 3
    reference = fit(**words)
    assert run.history["loss"].tobytes() == reference.history["loss"].tobytes()
    assert [r["val_loss"] for r in run.history.epochs] == [
        r["val_loss"] for r in reference.history.epochs
    ]


def test_in_the_loading_of_data() -> None:
    class Loads(Dataset[tuple[torch.Tensor, torch.Tensor]]):
        reads = 0

        def __len__(self) -> int:
            return 128

        def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
            self.reads += 1
            if self.reads == 300:
                interrupt()
            x, y = rows(128)
            return x[index], y[index]

    run = trainer().fit(Loads(), epochs=10, batch_size=32, folder=False)
    assert run.stop_reason == "interrupted"
    assert counters(run) == {run.step}
    assert run.resume().stop_reason == "finished"


def test_in_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, calls = os.fsync, []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) in (3, 9, 15):
            interrupt()
        usual(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    run = fit(epochs=100, folder=tmp_path / "run")
    assert calls
    assert run.stop_reason == "interrupted"
    before = run.step
    run.rewind(before)
    assert run.step == before


def test_in_the_middle_of_a_step_of_the_users_own() -> None:
    seen = []

    def step(batch: Any, models: Any, optimizers: Any) -> torch.Tensor:
        x, _ = batch
        loss = models["a"](x).pow(2).mean() + models["b"](x).pow(2).mean()
        loss.backward()
        for number, name in enumerate(optimizers):
            optimizers[name].step()
            optimizers[name].zero_grad()
            if number == 0 and len(seen) == 4:
                interrupt()
        seen.append(1)
        return loss

    models = {"a": nn.Linear(8, 2), "b": nn.Linear(8, 2)}
    run = fit(trainer(models, step=step, optimizer={"a": "adam", "b": "adam"}))
    assert (run.stop_reason, run.step) == ("interrupted", 5)
    ages = {
        float(state["step"])
        for optimizer in run._state.optimizers.values()
        for state in optimizer.state.values()
    }
    assert ages == {5.0}


@pytest.mark.usefixtures("impatient")
def test_a_second_one_inside_a_step_is_raised_after_it(begun: list[Run]) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net()
            self.calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += self.training
            if self.training and self.calls == 6:
                interrupt()
                interrupt()
            out: torch.Tensor = self.inner(x)
            return out

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(trainer(Twice()))
    (run,) = begun
    assert signal.getsignal(signal.SIGINT) is before
    assert run.status == run.stop_reason == "interrupted"
    assert not run.active
    assert counters(run) == {run.step} == {6}
    assert len(run.history["loss"]) == 6
    run.resume()
    assert run.history["loss"].tobytes() == fit().history["loss"].tobytes()


@pytest.mark.usefixtures("impatient")
def test_a_second_one_in_a_callback_leaves_fit_at_once(begun: list[Run]) -> None:
    def twice(run: Run) -> None:
        interrupt()
        interrupt()
        raise AssertionError("it was to be interrupted")

    with pytest.raises(KeyboardInterrupt):
        fit(trainer(callbacks=[Does(5, twice)]))
    (run,) = begun
    assert (run.status, run.step) == ("interrupted", 5)
    assert same(run.resume(), fit())


def test_in_a_pause(begun: list[Run]) -> None:
    def when_paused() -> None:
        until(lambda: begun and begun[0].status == "paused")
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Thread(target=when_paused)
    timer.start()
    run = fit(trainer(callbacks=[Does(5, Run.pause)]))
    timer.join()
    assert (run.stop_reason, run.step) == ("interrupted", 5)
    assert same(run.resume(), fit())


def test_just_after_a_stop_it_is_the_same_wish() -> None:
    def both(run: Run) -> None:
        run.stop()
        interrupt()

    assert fit(trainer(callbacks=[Does(5, both)])).stop_reason == "stopped"


def test_while_fit_still_prepares_the_run_stops_before_its_first_step() -> None:
    class Interrupts(Dataset[Any]):
        def __len__(self) -> int:
            interrupt()
            return 64

        def __getitem__(self, index: int) -> Any:
            x, y = rows(64)
            return x[index], y[index]

    run = trainer().fit(Interrupts(), epochs=2, folder=False)
    assert (run.stop_reason, run.step) == ("interrupted", 0)


def test_while_the_view_of_a_run_opens_that_goes_on() -> None:
    run = fit(trainer(callbacks=[Does(5, Run.stop)]))
    undo = active.on_start(lambda run: interrupt())
    try:
        run.resume()
    finally:
        undo()
    assert (run.stop_reason, run.step, run.active) == ("interrupted", 5, False)
    assert same(run.resume(), fit())


def test_afterwards_an_interrupt_is_a_keyboard_interrupt_again() -> None:
    fit(trainer(callbacks=[Does(5, lambda run: interrupt())]))
    with pytest.raises(KeyboardInterrupt):
        interrupt()
