"""What `Trainer.fit` costs, against a plain torch loop and, on request, against its peers.

`python benchmarks/bench_train.py [mlp cnn gru gru128] [--bare] [--peers]`. One thread, process CPU
time, the sides in turns (a, b, a, b, …), completion forced at both ends. The plain loop is
what one writes by hand: rows by index, AdamW with its defaults, no `.item()`. Ours is all of
`Trainer.fit`: history, ticks, accuracy, the guard against NaN, five empty callbacks. Goals: 1.40 on
the MLP, 1.3 on the CNN (2.5 in bf16 where the CPU has AMX), 1.05 on the GRU.

`--bare` times what it is made of, one at a time. `--peers` makes an environment of its own, a few
hundred megabytes from the package index, and deletes it; `--peers lightning accelerate` takes those
alone.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROUNDS = 7
Turn = Callable[[], int]
"""Trains for a while and returns how many steps that was."""


@dataclass(frozen=True)
class Case:
    """One kind of model, its data, and what is asked of us."""

    name: str
    model: Callable[[], nn.Module]
    shape: tuple[int, ...]
    batch: int
    steps: int
    epochs: int
    goal: float

    def data(self) -> tuple[Tensor, Tensor]:
        """Rows of noise, in ten classes; the same at every call."""
        generator = torch.Generator().manual_seed(0)
        rows = self.batch * self.steps
        x = torch.randn(rows, *self.shape, generator=generator)
        return x, torch.randint(0, 10, (rows,), generator=generator)


class Recurrent(nn.Module):
    """A GRU over a sequence, and a linear layer on its last state."""

    def __init__(self, units: int = 64) -> None:
        super().__init__()
        self.gru = nn.GRU(32, units, batch_first=True)
        self.head = nn.Linear(units, 10)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.head(self.gru(x)[0][:, -1])


def mlp() -> nn.Module:
    """784-256-128-10."""
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def cnn() -> nn.Module:
    """Three convolutions with batch norm for pictures of 32 × 32."""
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


CASES = {
    case.name: case
    for case in (
        Case("mlp", mlp, (784,), 64, 150, 10, 1.40),
        Case("cnn", cnn, (3, 32, 32), 128, 8, 4, 1.30),
        Case("gru", Recurrent, (64, 32), 64, 60, 4, 1.05),
        Case("gru128", partial(Recurrent, 128), (64, 32), 64, 30, 4, 1.05),
    )
}


def main() -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="all by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--bare", action="store_true", help="what the loop is made of")
    parser.add_argument("--peers", nargs="*", help="other trainers, in an environment of their own")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.peers is not None:
        from peers import compare_with_peers

        compare_with_peers(asked.cases or list(CASES), asked.peers, asked.rounds)
        return
    for name in asked.cases or CASES:
        case = CASES[name]
        sides: dict[str, Turn] = {"plain": plain(case)}
        sides.update(bare(case) if asked.bare else ours(case))
        table(case, compare(sides, asked.rounds))


def plain(case: Case) -> Turn:
    """The loop that one writes by hand."""
    torch.manual_seed(0)
    x, y = case.data()
    model = case.model()
    optimizer = torch.optim.AdamW(model.parameters())

    def turn() -> int:
        for _ in range(case.epochs):
            order = torch.randperm(len(x))
            for i in range(0, len(x), case.batch):
                rows = order[i : i + case.batch]
                loss = F.cross_entropy(model(x[rows]), y[rows])
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
        loss.item()
        return case.steps * case.epochs

    return turn


class Idle:
    """A callback with every method, which does nothing."""

    def on_fit_begin(self, run: Any) -> None: ...  # noqa: D102
    def on_epoch_begin(self, run: Any) -> None: ...  # noqa: D102
    def on_step_end(self, run: Any) -> None: ...  # noqa: D102
    def on_epoch_end(self, run: Any) -> None: ...  # noqa: D102
    def on_fit_end(self, run: Any) -> None: ...  # noqa: D102


def ours(case: Case) -> dict[str, Turn]:
    """All of `Trainer.fit`, in fp32 and, but for a GRU, which it slows, in bf16."""
    precisions = ("fp32",) if case.name.startswith("gru") else ("fp32", "bf16")
    return {f"Trainer.fit {precision}": fit(case, precision) for precision in precisions}


def fit(case: Case, precision: str) -> Turn:
    """One call of `Trainer.fit`; a trainer that fits again goes on."""
    from mlnb.train.trainer import Trainer

    data = case.data()
    trainer = Trainer(
        case.model(), device="cpu", precision=precision, callbacks=[Idle() for _ in range(5)]
    )

    def turn() -> int:
        with redirect_stderr(io.StringIO()):  # where a terminal is told of the run
            run = trainer.fit(data, epochs=case.epochs, batch_size=case.batch, folder=False)
        assert run.status == "finished", run.status
        return case.steps * case.epochs

    return turn


def bare(case: Case) -> dict[str, Turn]:
    """The loop without a run: our step, with one thing after another left out."""
    sides: dict[str, Turn] = {}
    for name, words in (
        ("step", {}),
        ("step, no guard", {"guard": False}),
        ("step, bf16", {"precision": "bf16"}),
        ("step, clip_norm", {"clip_norm": 1.0}),
    ):
        sides[name] = our_step(case, **words)
    sides["step, as it lies"] = our_step(case, channels_last=False)
    sides["step, index a batch"] = our_step(case, gathered=False)
    sides["step, Optimizer.step"] = our_step(case, hooked=True)
    return sides


def our_step(
    case: Case,
    *,
    gathered: bool = True,
    hooked: bool = False,
    precision: str = "fp32",
    channels_last: bool | None = None,
    **words: Any,
) -> Turn:
    """`build_step` in a loop of its own."""
    from mlnb.train.steps.precision import choose
    from mlnb.train.steps.step import build_step

    torch.manual_seed(0)
    x, y = case.data()
    model = case.model()
    device = torch.device("cpu")
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    if hooked:
        optimizer.register_step_post_hook(lambda *_: None)
    chosen = choose(precision, model, device, channels_last=channels_last)
    step = build_step(model, F.cross_entropy, optimizer, device=device, precision=chosen, **words)

    def turn() -> int:
        order = torch.randperm(len(x))
        inputs, targets = (x[order], y[order]) if gathered else (x, y)
        for i in range(0, len(x), case.batch):
            if gathered:
                loss, _ = step(inputs[i : i + case.batch], targets[i : i + case.batch])
            else:
                rows = order[i : i + case.batch]
                loss, _ = step(x[rows], y[rows])
        loss.item()
        return case.steps

    return turn


def compare(sides: dict[str, Turn], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of CPU a step, in turns; the first turn of each is out."""
    for turn in sides.values():
        turn()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, turn in sides.items():
            began = time.process_time()
            steps = turn()
            times[name].append(1000 * (time.process_time() - began) / steps)
    return times


def table(case: Case, times: dict[str, list[float]]) -> None:
    """Print the ratios: the median of those within each round, and what a step takes."""
    print(f"\n{case.name}, batch {case.batch}; goal {case.goal:.2f} in fp32")
    for name, each in times.items():
        ratios = [base / own for base, own in zip(times["plain"], each, strict=True)]
        print(
            f"  {name:24s} {statistics.median(ratios):5.2f}   "
            f"{statistics.median(each):8.3f} ms a step",
            flush=True,
        )


if __name__ == "__main__":
    main()
