"""Runs what `make` asks for: each step is told, timed, and skipped with its reason.

The machine's Python runs this, the steps run in `.venv`. A run stops at its first failed step; the
quick ones come first and pytest last, so that its closing line ends the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import environment
from acts import ACTS

ROOT = environment.ROOT
PYTEST_LAST = ("test", "unit", "notebooks", "browser", "soak")
MADE = (
    ".coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist "
)
MADE += "tests/screenshots "
DOWNLOADED = ".venv js/node_modules"


def main(arguments: list[str]) -> int:
    """Run the act of that name; 0 where every step went well."""
    name = arguments[0] if arguments else "help"
    if name not in ACTS:
        raise SystemExit(f"no act {name!r}; there are: {', '.join(ACTS)}")
    if name == "help":
        print("\n".join(f"make {name:<10} {act.does}" for name, act in ACTS.items()))
        return 0
    if name in ("clean", "distclean"):
        return clean(everything=name == "distclean")
    print(f"make {name}: {ACTS[name].does}", flush=True)
    surroundings = prepare(environment.ready())
    times: list[tuple[float, str]] = []
    for step in (*ACTS[name].before, name):
        if step == name and times:
            print("\n".join(["", "steps so far:", *(f"{s:7.1f} s  {n}" for s, n in times)]))
        started = time.monotonic()
        code = run(step, surroundings)
        times.append((time.monotonic() - started, step))
        if code:
            return code
    if name not in PYTEST_LAST:
        print(f"make {name}: {sum(seconds for seconds, _ in times):.1f} s", flush=True)
    return 0


def run(name: str, surroundings: dict[str, str]) -> int:
    """One step with its headline; what cannot run is a failure in CI and a reason elsewhere."""
    act = ACTS[name]
    reason = act.skip()
    if reason:
        print(f"\n── {name}: skipped: {reason}", flush=True)
        return 1 if os.environ.get("CI") else 0
    for command in act.commands():
        print(f"\n── {name}: {' '.join(command)}", flush=True)
        code = call(command, surroundings)
        if code:
            if (
                name not in PYTEST_LAST
            ):  # nothing follows pytest's closing line, not on a failure either
                print(f"── {name}: failed", flush=True)
            return code
    return 0


def call(command: list[str], surroundings: dict[str, str]) -> int:
    """Run one command; Ctrl-C reaches it from the terminal, and it says itself when it is done."""
    program = shutil.which(command[0], path=surroundings["PATH"]) or command[0]
    process = subprocess.Popen([program, *command[1:]], cwd=ROOT, env=surroundings)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def prepare(python: Path) -> dict[str, str]:
    """The variables the steps see: `.venv` first, and `MLNB_DATA` true from every folder."""
    surroundings = os.environ | {
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "VIRTUAL_ENV": str(python.parents[1]),
    }
    data = os.environ.get("MLNB_DATA")
    if data:
        surroundings["MLNB_DATA"] = str(Path(data).expanduser().resolve())
        if not Path(surroundings["MLNB_DATA"]).is_dir():
            raise SystemExit(f"MLNB_DATA is {data!r}, which is no folder; set it right or unset it")
    return surroundings


def clean(everything: bool) -> int:
    """Delete what the tools made; with `everything` what takes a download to make again, too."""
    names = MADE + DOWNLOADED if everything else MADE
    for path in [ROOT / name for name in names.split()]:
        if path.exists():
            print(f"deleting {path.relative_to(ROOT)}", flush=True)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
