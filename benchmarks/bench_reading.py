"""Opening an ONNX file, against `onnx.load`: seconds, and memory that it adds.

`python benchmarks/bench_reading.py`, with MLNB_DATA set for real models as well. Each measurement
is a process of its own with the imports done before; the sides take turns. The large file has holes
for weights, so that it takes no disk; `onnx.load` still reads them all. Goals, on a warm page
cache: inputs and outputs of a 2 GB file 50 ms, its graph 50 ms + 20 us a node, 150 MiB added.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from mlnb.formats.wire import encode_varint

SKELETONS = Path(__file__).parents[1] / "tests" / "skeletons"
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

MEASURED = """
import json, time
{before}
def memory(line):
    with open("/proc/self/status") as status:
        return next(int(row.split()[1]) for row in status if row.startswith(line)) / 1024
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # forget the peak of the imports
base = memory("VmRSS")
start = time.perf_counter()
{act}
print(json.dumps([time.perf_counter() - start, memory("VmHWM") - base, count]))
"""
OURS = "from mlnb.formats import open_model_file; open_model_file({tiny!r}).graph"
SIDES = {
    "onnx.load": (
        "import onnx",
        "count = len(onnx.load({file!r}, load_external_data=False).graph.node)",
    ),
    "inputs and outputs": (OURS, "count = len(open_model_file({file!r}).inputs)"),
    "graph": (OURS, "count = len(open_model_file({file!r}).graph.nodes)"),
}


def main() -> None:
    """Print a table, one line a file."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder) / "tiny.onnx"
        large_model(tiny, 1, 400)
        files = [Path(folder) / "large.onnx"]
        large_model(files[0], 50, 39_000_000)
        for path in sorted(SKELETONS.glob("*.gz")):
            files.append(Path(folder) / path.stem)
            files[-1].write_bytes(gzip.decompress(path.read_bytes()))
        files += sorted(LIGHT.glob("*.onnx"))
        if "MLNB_DATA" in os.environ:
            files += sorted((Path(os.environ["MLNB_DATA"]) / "models" / "onnx").glob("*.onnx"))
        print(
            f"{'file':30}{'MB':>7}{'nodes':>7}   onnx.load             inputs, outputs       graph",
            end="",
        )
        print("             us/node  faster     memory")
        for file in files:
            compare(file, tiny)


def compare(file: Path, tiny: Path) -> None:
    """Measure the sides in turns, and print their medians and the ratios of those."""
    rounds = 3 if file.stat().st_size > 1e9 else 5
    found: dict[str, list[list[float]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            found[side].append(measure(side, file, tiny))
    seconds = {side: statistics.median(run[0] for run in runs) for side, runs in found.items()}
    added = {side: statistics.median(run[1] for run in runs) for side, runs in found.items()}
    nodes = int(found["graph"][0][2])
    print(f"{file.name:30}{file.stat().st_size / 1e6:7.1f}{nodes:7,}", end="")
    for side in SIDES:
        print(f"{seconds[side] * 1e3:9.1f} ms{added[side]:7.1f} M", end="")
    print(f"{seconds['graph'] / nodes * 1e6:8.1f}", end="")
    print(f"{seconds['onnx.load'] / seconds['graph']:7.1f}x", end="")
    print(f"{max(added['onnx.load'], 0.1) / max(added['graph'], 0.1):10.1f}x")


def measure(side: str, file: Path, tiny: Path) -> list[float]:
    """Seconds, MiB added at the peak, and what was counted, in a process of its own."""
    before, act = (line.format(file=str(file), tiny=str(tiny)) for line in SIDES[side])
    script = MEASURED.format(before=before, act=act)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return [float(value) for value in json.loads(done.stdout)]


def large_model(path: Path, weights: int, size: int) -> None:
    """Write a row of MatMuls with weights of `size` bytes each, all zeros, as holes in the file."""
    nodes = [helper.make_node("MatMul", [f"v{i}", f"w{i}"], [f"v{i + 1}"]) for i in range(weights)]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 100])
        for name in ("v0", f"v{weights}")
    ]
    structure = helper.make_graph(nodes, "main", ends[:1], ends[1:]).SerializeToString()
    heads = []
    for i in range(weights):
        head = TensorProto(dims=[size // 4], data_type=TensorProto.FLOAT, name=f"w{i}")
        content = head.SerializeToString() + b"\x4a" + encode_varint(size)
        heads.append(b"\x2a" + encode_varint(len(content) + size) + content)
    total = len(structure) + sum(len(head) + size for head in heads)
    with path.open("wb") as file:
        file.write(b"\x08\x0a\x3a" + encode_varint(total) + structure)
        for head in heads:
            file.write(head)
            file.seek(size, 1)
        file.write(b"\x42\x02\x10\x15")


if __name__ == "__main__":
    main()
