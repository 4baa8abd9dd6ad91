"""Folding, packing and the static picture of models of 1,000, 10,000 and 50,000 nodes.

`python benchmarks/bench_graph.py`. Milliseconds, median of 3: `fold` makes the tree of groups,
`payload` folds again and writes what the viewer gets, `pack` makes bytes of it, `picture` folds to
40 boxes, lays them out and draws the static SVG. Two kinds of model: a transformer as exporters
write it, modules and shape arithmetic included, and a branching chain that names no module. The
first picture in the browser is measured by `tests/browser/test_size.py`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from graph.made_graphs import export
from models_made.large_graphs import branching_chain, deep_transformer, wide_fan

from mlnb.graph.fold import fold
from mlnb.graph.payload import graph_payload, pack
from mlnb.graph.svg import picture

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph

ROUNDS = 3


def main() -> None:
    """Print a table, one line a model."""
    print(f"{'model':26}{'nodes':>7}{'fold':>9}{'payload':>9}{'pack':>7}{'picture':>9}{'kB':>7}")
    for name in ("vit_b_16_dynamo", "swin_t_torchscript"):
        measure(name, export(name))
    for nodes in (1_000, 10_000, 50_000):
        measure("transformer", deep_transformer(nodes))
        measure("branching chain", branching_chain(nodes))
    measure("20,000 beside each other", wide_fan(20_000))


def measure(name: str, graph: Graph) -> None:
    """Time the four steps of one graph."""
    payload = graph_payload(graph)  # warms what the graph looks up once
    steps: list[Callable[[], Any]] = [
        lambda: fold(graph),
        lambda: graph_payload(graph),
        lambda: pack(payload),
        lambda: picture(graph),
    ]
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(ROUNDS):
        for step, taken in zip(steps, times, strict=True):
            start = time.perf_counter()
            step()
            taken.append(1e3 * (time.perf_counter() - start))
    medians = [statistics.median(taken) for taken in times]
    size = len(pack(payload)) / 1e3
    print(f"{name:26}{len(graph.nodes):7,}", end="")
    print("{:9.0f}{:9.0f}{:7.0f}{:9.0f}".format(*medians), end="")
    print(f"{size:7.0f}", flush=True)


if __name__ == "__main__":
    main()
