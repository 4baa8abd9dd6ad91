"""Training on a GPU: ours, a plain torch loop, and that loop with a `.item()` a step.

`python benchmarks/bench_train_gpu.py [--device cuda] [--quick] [resnet18-32 …]`; needs no Jupyter,
torch 2.11 or newer. For each model: samples a second (wall clock, synchronised at both ends, the
sides in turns), the share of the time in which the GPU runs a kernel, and the floor: what the
counted operations and bytes would take at the speeds that this GPU reaches in a large product and
in a large copy. Every side computes in bfloat16 by autocast. Before anything is timed, steps of
ours run with `torch.cuda.set_sync_debug_mode("error")`: one wait for the GPU would raise.

`--device cpu --quick` runs all of it on a few small batches, to see that it runs.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from mlnb.device import describe_device, find_device
from mlnb.train.feed.batches import InMemory
from mlnb.train.steps.precision import choose
from mlnb.train.steps.step import build_step
from mlnb.train.trainer import Trainer

ROUNDS = 5
Turn = Callable[[], None]


@dataclass(frozen=True)
class Case:
    """A model, the shape of one sample, and how many train at once."""

    model: Callable[[], nn.Module]
    shape: tuple[int, ...]
    batch: int
    steps: int


class Block(nn.Module):
    """Two convolutions and what goes around them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(after), nn.BatchNorm2d(after)])
        self.short: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.short = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        inner = F.relu(self.norms[0](self.first(x)))
        return F.relu(self.norms[1](self.second(inner)) + self.short(x))


def resnet18(small: bool) -> nn.Module:
    """ResNet-18; for pictures of 32 × 32 without the stem that quarters them."""
    stem: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False)]
    if not small:
        stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False)]
    stem += [nn.BatchNorm2d(64), nn.ReLU()]
    if not small:
        stem.append(nn.MaxPool2d(3, 2, 1))
    blocks: list[nn.Module] = []
    for before, after, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
        blocks += [Block(before, after, stride), Block(after, after, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def mlp() -> nn.Module:
    """784-256-128-10."""
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


class Mean(nn.Module):
    """The mean of a sequence."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return x.mean(1)


def transformer() -> nn.Module:
    """Six encoder layers of width 512, then a linear layer on their mean."""
    layer = nn.TransformerEncoderLayer(512, 8, 2048, dropout=0.1, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    return nn.Sequential(encoder, Mean(), nn.Linear(512, 10))


CASES = {
    "mlp": Case(mlp, (784,), 64, 2000),
    "resnet18-32": Case(lambda: resnet18(True), (3, 32, 32), 256, 60),
    "resnet18-224": Case(lambda: resnet18(False), (3, 224, 224), 128, 40),
    "transformer": Case(transformer, (128, 512), 64, 60),
}


QUICK = {
    "mlp": (784,),
    "resnet18-32": (3, 8, 8),
    "resnet18-224": (3, 32, 32),
    "transformer": (4, 512),
}


def main(words: list[str] | None = None) -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="a few steps of small batches")
    parser.add_argument("--backend", default="eager", choices=["eager", "compile"])
    asked = parser.parse_args(words)
    device = find_device(asked.device)
    print(f"{describe_device(device)}, torch {torch.__version__}, bf16")
    products, copies = speeds(device, quick=asked.quick)
    print(f"reached here: {products / 1e12:.4g} TFLOP/s in bf16, {copies / 1e9:.4g} GB/s copied")
    for name in asked.cases or CASES:
        case = CASES[name]
        if asked.quick:
            case = Case(case.model, QUICK[name], 2, 1)
        rounds = 1 if asked.quick else ROUNDS
        measure(name, case, device, asked.backend, rounds, products, copies)


def measure(
    name: str,
    case: Case,
    device: torch.device,
    backend: str,
    rounds: int,
    products: float,
    copies: float,
) -> None:
    """One case: the proof that nothing waits, the turns, the floor."""
    assert_no_wait(case, device, backend)
    sides = {
        "plain": plain(case, device, item=False),
        "plain with .item()": plain(case, device, item=True),
        "our step": our_step(case, device, backend),
        "Trainer.fit": fit(case, device, backend),
    }
    for turn in sides.values() if rounds > 1 else ():
        timed(turn, device)
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, turn in sides.items():
            times[side].append(timed(turn, device))
    flops, moved = counted(case, device)
    floor = max(flops / products, moved / copies)
    print(f"\n{name}, batch {case.batch}: {flops / 1e9:.4g} GFLOP and {moved / 1e6:.4g} MB a step")
    print(f"  {'floor':20s} {case.batch / floor:12,.0f} samples/s   {1000 * floor:8.3f} ms a step")
    for side, turn in sides.items():
        seconds = statistics.median(times[side]) / case.steps
        ratio = statistics.median(
            base / own for base, own in zip(times["plain"], times[side], strict=True)
        )
        print(
            f"  {side:20s} {case.batch / seconds:12,.0f} samples/s   {1000 * seconds:8.3f} ms a "
            f"step   {ratio:5.2f} of plain   {busy(turn, device)}   floor {floor / seconds:4.0%}",
            flush=True,
        )


def data(case: Case, device: torch.device) -> tuple[Tensor, Tensor]:
    """At most a gigabyte of noise on the device, in ten classes."""
    row = 4 * torch.Size(case.shape).numel()
    rows = min(case.batch * case.steps, max(case.batch, 2**30 // row // case.batch * case.batch))
    torch.manual_seed(0)
    return torch.randn(rows, *case.shape, device=device), torch.randint(0, 10, (rows,)).to(device)


def plain(case: Case, device: torch.device, *, item: bool) -> Turn:
    """The loop that one writes by hand, with its loss read at every step or not at all."""
    x, y = data(case, device)
    model = case.model().to(device)
    optimizer = torch.optim.AdamW(model.parameters())

    def turn() -> None:
        done = 0
        while done < case.steps:
            order = torch.randperm(len(x), device=device)
            for i in range(0, len(x), case.batch):
                rows = order[i : i + case.batch]
                with torch.autocast(device.type, torch.bfloat16):
                    loss = F.cross_entropy(model(x[rows]), y[rows])
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                if item:
                    loss.item()
                done += 1
                if done == case.steps:
                    return

    return turn


def our_step(case: Case, device: torch.device, backend: str) -> Turn:
    """Our batches and our step, without a run around them."""
    x, y = data(case, device)
    model = case.model().to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    precision = choose("bf16", model, device)
    step = build_step(
        model, F.cross_entropy, optimizer, device=device, precision=precision, backend=backend
    )
    batches = InMemory(x, y, case.batch, device=device)
    epoch = 0

    def turn() -> None:
        nonlocal epoch
        done = 0
        while done < case.steps:
            epoch += 1
            for inputs, targets in batches.epoch(epoch):
                step(inputs, targets)
                done += 1
                if done == case.steps:
                    return

    return turn


def fit(case: Case, device: torch.device, backend: str) -> Turn:
    """All of `Trainer.fit`."""
    x, y = data(case, device)
    trainer = Trainer(case.model(), device=str(device), precision="bf16", backend=backend)
    epochs = max(1, case.steps * case.batch // len(x))

    def turn() -> None:
        with redirect_stderr(io.StringIO()):
            run = trainer.fit((x, y), epochs=epochs, batch_size=case.batch, folder=False)
        assert run.status == "finished", run.status

    return turn


def assert_no_wait(case: Case, device: torch.device, backend: str) -> None:
    """Raise where one of our steps makes the host wait for the GPU."""
    few = Case(case.model, case.shape, case.batch, min(4, case.steps))
    turn = our_step(few, device, backend)
    turn()  # the first step makes the moments, and looks at the guard on the host
    if device.type != "cuda":
        return
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        turn()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def timed(turn: Turn, device: torch.device) -> float:
    """Seconds of a turn, with the device idle at both ends."""
    wait(device)
    began = time.perf_counter()
    turn()
    wait(device)
    return time.perf_counter() - began


def busy(turn: Turn, device: torch.device) -> str:
    """The share of a turn in which the GPU runs a kernel; the profiler slows the host a little."""
    if device.type != "cuda":
        return "busy    –"
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        seconds = timed(turn, device)
    kernels = sum(event.self_device_time_total for event in profiler.key_averages())
    return f"busy {kernels / 1e6 / seconds:4.0%}"


def counted(case: Case, device: torch.device) -> tuple[float, float]:
    """Operations and bytes of a step.

    Bytes are those of the optimizer (gradient, weight and two moments read, three written, the
    gradient written once) and of what layers hand on in bfloat16: written, read forward, read and
    written backward.
    """
    model = case.model().to(device)
    x = torch.randn(case.batch, *case.shape, device=device)
    handed = 0

    def count(_: nn.Module, inputs: object, output: object) -> None:
        nonlocal handed
        if isinstance(output, Tensor):
            handed += output.numel()

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(count) for module in leaves]
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(
            model(x), torch.zeros(case.batch, dtype=torch.int64, device=device)
        ).backward()
    for hook in hooks:
        hook.remove()
    weights = sum(parameter.numel() for parameter in model.parameters())
    return float(counter.get_total_flops()), float(weights * 4 * 8 + handed * 2 * 4)


def speeds(device: torch.device, *, quick: bool) -> tuple[float, float]:
    """Operations a second of a large bf16 product, and bytes a second of a large copy."""
    side, size = (256, 2**20) if quick else (8192, 2**28)
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    b = torch.empty(size, device=device)
    repeats = 2 if quick else 20

    def products() -> None:
        for _ in range(repeats):
            a @ a

    def copies() -> None:
        for _ in range(repeats):
            b.clone()

    for turn in (products, copies):
        timed(turn, device)
    product = min(timed(products, device) for _ in range(3)) / repeats
    copy = min(timed(copies, device) for _ in range(3)) / repeats
    return 2 * side**3 / product, 2 * b.nbytes / copy


def wait(device: torch.device) -> None:
    """Until the device has nothing left to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


if __name__ == "__main__":
    main()
