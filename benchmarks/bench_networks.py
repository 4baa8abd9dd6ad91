"""Building a network of 100 layers, and running it, against the same `nn.Sequential` by hand.

`python benchmarks/bench_networks.py`. Ratios are of process CPU time, interleaved, medians.
Building by hand makes the modules alone; ours also infers every size by a dry batch and keeps what
a mistake needs to name its line. "Lazy" is torch's own way to infer: lazy modules, then one batch.
"""

from __future__ import annotations

import statistics
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from mlnb.networks.sequential import Sequential

DEPTH = 100


def main() -> None:
    """Print a line a comparison."""
    torch.set_num_threads(1)
    print(f"building {DEPTH} layers, ms CPU")
    for name, ours, by_hand, lazy in (
        ("dense 64 + relu", dense, dense_by_hand, dense_lazy),
        ("conv2d 16 + relu on 16 x 16", conv, conv_by_hand, conv_lazy),
    ):
        a, b, c = medians([ours, by_hand, lazy], 15)
        print(f"  {name:30} ours {a:7.2f}  by hand {b:7.2f}  lazy {c:7.2f}  ours/lazy {a / c:5.2f}")
    print("forward, ratio to the same nn.Sequential")
    for name, net, x in (
        ("2 layers, 1 row", Sequential(8).dense(8, "relu"), torch.randn(1, 8)),
        ("100 layers, 1 row", dense(), torch.randn(1, 64)),
        ("100 layers, 64 rows", dense(), torch.randn(64, 64)),
        ("100 convolutions, 8 rows", conv(), torch.randn(8, 3, 16, 16)),
    ):
        forward(name, net, x)


def forward(name: str, net: Sequential, x: torch.Tensor) -> None:
    """`net(x)` and `net.module(x)` against a module that was written by hand."""
    by_hand = nn.Sequential(OrderedDict(net.module.named_children()))
    module = net.module
    calls = 2000 if len(module) < 10 else 30

    def timed(act: Callable[[Any], Any]) -> Callable[[], None]:
        def run() -> None:
            with torch.no_grad():
                for _ in range(calls):
                    act(x)

        return run

    ours, plain, inner = medians([timed(net), timed(by_hand), timed(module)], 21)
    us = 1e3 * plain / calls
    print(
        f"  {name:30} net(x) {ours / plain:5.3f}  net.module(x) {inner / plain:5.3f}  ({us:.0f} us)"
    )


def medians(acts: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Milliseconds of CPU for each, taken in turns."""
    taken: list[list[float]] = [[] for _ in acts]
    for act in acts:
        act()
    for _ in range(rounds):
        for act, times in zip(acts, taken, strict=True):
            start = time.process_time()
            act()
            times.append(1e3 * (time.process_time() - start))
    return [statistics.median(times) for times in taken]


def dense() -> Sequential:
    """50 dense layers with their activations."""
    net = Sequential(64)
    for _ in range(DEPTH // 2):
        net.dense(64, "relu")
    return net


def dense_by_hand() -> nn.Module:
    """The same, sizes written out."""
    return nn.Sequential(*[m for _ in range(DEPTH // 2) for m in (nn.Linear(64, 64), nn.ReLU())])


def dense_lazy() -> nn.Module:
    """The same, sizes inferred by torch."""
    layers = [m for _ in range(DEPTH // 2) for m in (nn.LazyLinear(64), nn.ReLU())]
    return run_once(nn.Sequential(*layers), torch.zeros(2, 64))


def conv() -> Sequential:
    """50 convolutions with their activations."""
    net = Sequential((3, 16, 16))
    for _ in range(DEPTH // 2):
        net.conv2d(16, 3, "relu", padding=1)
    return net


def conv_by_hand() -> nn.Module:
    """The same, sizes written out."""
    sizes = [3, *[16] * (DEPTH // 2)]
    pairs = pairwise(sizes)
    return nn.Sequential(*[m for a, b in pairs for m in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())])


def conv_lazy() -> nn.Module:
    """The same, sizes inferred by torch."""
    layers = [m for _ in range(DEPTH // 2) for m in (nn.LazyConv2d(16, 3, padding=1), nn.ReLU())]
    return run_once(nn.Sequential(*layers), torch.zeros(2, 3, 16, 16))


def run_once(module: nn.Module, x: torch.Tensor) -> nn.Module:
    """The module with its sizes, in training mode again."""
    with torch.no_grad():
        module.eval()(x)
    return module.train()


if __name__ == "__main__":
    main()
