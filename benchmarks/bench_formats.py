"""Opening a model of every format but ONNX, against the loader of its own framework.

`python benchmarks/bench_formats.py [FORMAT ...]`, with MLNB_DATA set for real models as well. Ours
gives inputs, outputs and the graph (or the table of tensors), theirs a model that could run: the
comparison is of what one waits for before there is something to look at. Each measurement is a
process of its own, which has opened a small file of the same format before, so that no import
counts; the sides take turns. Memory is what the process has added at its peak. An .h5 file is
parsed in a child, whose memory is added to ours. The large files hold 200 MB of weights each.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROUNDS = 3
WIDTH, LAYERS = 2_670, 7
"""A square layer of this width has 28.5 MB of weights."""

MEASURED = """
import json, os, time
{before}
def memory(line, pids=()):
    found = 0
    for pid in ("self", *map(str, pids)):
        with open(f"/proc/{{pid}}/status") as status:
            found += next(int(row.split()[1]) for row in status if row.startswith(line))
    return found / 1024
def children():
    with open(f"/proc/self/task/{{os.getpid()}}/children") as file:
        return file.read().split()
for pid in ("self", *children()):
    with open(f"/proc/{{pid}}/clear_refs", "w") as file:
        file.write("5")  # forget the peak of the imports
base = memory("VmRSS", children())
start = time.perf_counter()
{act}
print("\\n" + json.dumps([time.perf_counter() - start, memory("VmHWM", children()) - base]))
"""

OURS = "model = open_model_file({0!r}); model.inputs, model.outputs, model.graph"

QUIET = "import os; os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', KERAS_BACKEND='tensorflow')\n"


class Format(NamedTuple):
    """What stands against our reader.

    Args:
        maker: which of `MAKERS` writes it.
        made: the file's name, in the folders `small` and `large`.
        imports: what comes before.
        load: opens the file `{0}`.
        real: files of MLNB_DATA, by a pattern.
    """

    maker: str
    made: str
    imports: str
    load: str
    real: tuple[str, ...] = ()


FORMATS = {
    "graphdef": Format(
        "tensorflow",
        "frozen.pb",
        "import tensorflow as tf",
        "graph = tf.compat.v1.GraphDef(); graph.ParseFromString(open({0!r}, 'rb').read())",
        ("models/tf/frozen/*.pb",),
    ),
    "saved_model": Format(
        "tensorflow",
        "saved_model",
        "import tensorflow as tf",
        "model = tf.saved_model.load({0!r})",
        ("models/tf/saved_model/*",),
    ),
    "tflite": Format(
        "tensorflow",
        "model.tflite",
        "from ai_edge_litert.interpreter import Interpreter",
        "model = Interpreter({0!r}); model.allocate_tensors()",
        ("models/tflite/*.tflite",),
    ),
    "keras": Format(
        "tensorflow",
        "model.keras",
        "import keras",
        "model = keras.saving.load_model({0!r}, compile=False)",
        ("models/keras/*.keras",),
    ),
    "h5": Format(
        "tensorflow",
        "model.h5",
        "import keras",
        "model = keras.saving.load_model({0!r}, compile=False)",
        ("models/keras/*.hdf5",),
    ),
    "pt2": Format("torch", "model.pt2", "import torch", "model = torch.export.load({0!r})"),
    "torchscript": Format("torch", "script.pt", "import torch", "model = torch.jit.load({0!r})"),
    "checkpoint": Format(
        "torch",
        "weights.pth",
        "import torch",
        "weights = torch.load({0!r}, weights_only=True, map_location='cpu')",
        ("models/torch/*.pth", "models/torch/*.th", "models/derived/*.pth"),
    ),
    "safetensors": Format(
        "torch",
        "weights.safetensors",
        "from safetensors.numpy import load_file",
        "weights = load_file({0!r})",
    ),
    "gguf": Format(
        "gguf",
        "weights.gguf",
        "from gguf import GGUFReader",
        "tensors = [tensor.data for tensor in GGUFReader({0!r}).tensors]",
    ),
}

MAKERS = {
    "torch": """
import torch, sys
from safetensors.torch import save_file
folder, width, layers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
net = torch.nn.Sequential(*(torch.nn.Linear(width, width) for _ in range(layers))).eval()
weights = net.state_dict()
torch.save(weights, folder + "/weights.pth")
save_file(weights, folder + "/weights.safetensors")
torch.jit.script(net).save(folder + "/script.pt")
x = torch.zeros(2, width)
torch.export.save(torch.export.export(net, (x,)), folder + "/model.pt2")
""",
    "tensorflow": QUIET
    + """
import keras, sys, tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
folder, width, layers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ends = [keras.Input((width,)), *(keras.layers.Dense(width) for _ in range(layers))]
net = keras.Sequential(ends)
net.save(folder + "/model.keras")
net.save(folder + "/model.h5")
net.export(folder + "/saved_model")
call = tf.function(lambda x: net(x), input_signature=[tf.TensorSpec((None, width))])
frozen = convert_variables_to_constants_v2(call.get_concrete_function())
tf.io.write_graph(frozen.graph, folder, "frozen.pb", as_text=False)
tflite = tf.lite.TFLiteConverter.from_saved_model(folder + "/saved_model").convert()
open(folder + "/model.tflite", "wb").write(tflite)
""",
    "gguf": """
import sys
import numpy as np
from gguf import GGUFWriter
folder, width, layers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
writer = GGUFWriter(folder + "/weights.gguf", "llama")
for i in range(layers):
    writer.add_tensor(f"blk.{i}.weight", np.zeros((width, width), np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
""",
}


def main() -> None:
    """Print a table, one line a file; formats whose framework is missing are named below it."""
    wanted = sys.argv[1:] or list(FORMATS)
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        makers = {FORMATS[name].maker for name in wanted}
        missing = make(makers, small, 4, 1) | make(makers, large, WIDTH, LAYERS)
        print(
            f"{'format':12}{'file':38}{'MB':>7}{'ours':>10}{'':>9}{'theirs':>11}{'':>9}"
            f"{'faster':>10}{'memory':>10}"
        )
        for name in wanted:
            one = FORMATS[name]
            if (large / one.made).exists():
                for file in [large / one.made, *real(one)]:
                    compare(name, file, small / one.made)
    for reason in sorted(missing):
        print(f"not measured: {reason}")


def make(makers: set[str], folder: Path, width: int, layers: int) -> set[str]:
    """Let frameworks write their files; which of them could not, and why."""
    folder.mkdir()
    missing: set[str] = set()
    for maker in sorted(makers):
        command = [sys.executable, "-c", MAKERS[maker], str(folder), str(width), str(layers)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            missing.add(f"{maker}: {done.stderr.strip().splitlines()[-1]}")
    return missing


def real(one: Format) -> list[Path]:
    """The files at hand."""
    if "MLNB_DATA" not in os.environ:
        return []
    folder = Path(os.environ["MLNB_DATA"])
    return [path for pattern in one.real for path in sorted(folder.glob(pattern))]


def compare(name: str, file: Path, small: Path) -> None:
    """Measure the sides in turns, and print their medians and the ratios of those."""
    one = FORMATS[name]
    sides = {
        "ours": ("from mlnb.formats import open_model_file", OURS),
        "theirs": (QUIET + one.imports, one.load),
    }
    found: dict[str, list[list[float]]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, (imports, act) in sides.items():
            found[side].append(measure(imports, act, file, small))
    seconds, added = ({side: _median(runs, i) for side, runs in found.items()} for i in (0, 1))
    print(f"{name:12}{file.name[:36]:38}{_megabytes(file):7.1f}", end="")
    for side in sides:
        shown = f"{seconds[side] * 1e3:.1f} ms"
        print(f"{shown:>11}{added[side]:7.1f} M", end="")
    print(f"{seconds['theirs'] / seconds['ours']:9.1f}x", end="")
    print(f"{max(added['theirs'], 0.1) / max(added['ours'], 0.1):9.1f}x", flush=True)


def measure(imports: str, act: str, file: Path, small: Path) -> list[float]:
    """Seconds, and MiB added at the peak, in a process of its own; NaN where it failed."""
    before = f"{imports}\n{act.format(str(small))}"
    script = MEASURED.format(before=before, act=act.format(str(file)))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if done.returncode:
        return [float("nan")] * 2
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


def _median(runs: list[list[float]], column: int) -> float:
    return statistics.median(run[column] for run in runs)


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files) / 1e6


if __name__ == "__main__":
    main()
