"""What `import mlnb` costs over a bare interpreter; the promise is at most 50 ms.

Run: python benchmarks/bench_import.py
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter

ROUNDS = 11
CASES = {
    "python alone": "pass",
    "import mlnb": "import mlnb",
    "mlnb.load_model": "import mlnb; mlnb.load_model",
    "mlnb.GraphViewer": "import mlnb; mlnb.GraphViewer",
}


def seconds(code: str) -> float:
    """The wall time of one fresh interpreter."""
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - start


def main() -> None:
    """Interleave the cases, so that a busy machine is as hard on one as on the other."""
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, code in CASES.items():
            times[name].append(seconds(code))
    bare = median(times["python alone"])
    for name, taken in times.items():
        print(f"{name:20} {median(taken) * 1000:7.1f} ms   +{(median(taken) - bare) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
