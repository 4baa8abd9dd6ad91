"""What running a model in a child costs, against onnxruntime in this process.

`python benchmarks/bench_predict.py`, with MLNB_DATA set. The two sides take turns of several calls,
so that a busy machine slows both; the ratio is that of their medians. Before each turn there is a
pause: onnxruntime's threads spin for a while after a run and would take the cores from the other
side. Goals: one picture 1.10, a batch of 64 1.05, the first call at most 1 s more.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from mlnb.models.loading import load_model

DATA = Path(os.environ["MLNB_DATA"]) / "models"


def main() -> None:
    """Print one line a goal."""
    squeezenet = DATA / "onnx/squeezenet1.1_fp16.onnx"
    compare(
        "one picture, squeezenet1.1_fp16", squeezenet, (1, 3, 224, 224), np.float16, 20, 10, 1.10
    )
    chairs = DATA / "derived/chairs_from_frozen_pb.onnx"
    compare("64 pictures, chairs_from_frozen_pb", chairs, (64, 227, 227, 3), np.float32, 6, 2, 1.05)
    compare_first_call(squeezenet)


def compare(
    label: str,
    file: Path,
    shape: tuple[int, ...],
    dtype: type,
    rounds: int,
    calls: int,
    goal: float,
) -> None:
    """Time both sides in turns."""
    feed = np.random.default_rng(0).random(shape, np.float32).astype(dtype)
    model = load_model(file)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = model.inputs[0].name
    key = model.outputs[0].name
    here: list[float] = []
    there: list[float] = []
    for _ in range(rounds):
        expected = turn(here, lambda: session.run(None, {name: feed})[0], calls)
        answer = turn(there, lambda: model.predict(feed)[key], calls)
        assert np.array_equal(answer, expected)
    own, child = statistics.median(here), statistics.median(there)
    print(
        f"{label}: in process {own * 1e3:.2f} ms, in the child {child * 1e3:.2f} ms, "
        f"ratio {child / own:.3f} (goal {goal:.2f}), added {(child - own) * 1e3:.2f} ms"
    )


def turn(times: list[float], call: Callable[[], np.ndarray], calls: int) -> np.ndarray:
    """The call's result; the seconds of all calls but the first are appended to `times`."""
    time.sleep(0.05)
    result = call()
    for _ in range(calls):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return result


FIRST = {
    "in process": "import onnxruntime; s = onnxruntime.InferenceSession({file!r});"
    " s.run(None, {{'data_0': x}})",
    "in the child": "from mlnb.models.loading import load_model; load_model({file!r}).predict(x)",
}


def compare_first_call(file: Path, rounds: int = 5) -> None:
    """Time a fresh process's first prediction, imports of the runtime included, NumPy's not."""
    times: dict[str, list[float]] = {side: [] for side in FIRST}
    for _ in range(rounds):
        for side, code in FIRST.items():
            script = (
                "import time, numpy as np; x = np.zeros((1, 3, 224, 224), np.float16);"
                f" t = time.perf_counter(); {code.format(file=str(file))};"
                " print(time.perf_counter() - t)"
            )
            done = subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=True
            )
            times[side].append(float(done.stdout))
    own, child = (statistics.median(times[side]) for side in FIRST)
    print(
        f"first call: in process {own:.2f} s, in the child {child:.2f} s, "
        f"added {child - own:.2f} s (goal 1.00)"
    )


if __name__ == "__main__":
    main()
