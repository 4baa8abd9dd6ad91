"""Every act of `make`, in one table at the end: what it does, its commands, when it cannot run.

Standard library only: the machine's Python reads this before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import environment

ROOT = environment.ROOT
FIRST = "notebooks/01_look_into_a_model.ipynb"
NODE = 20
NBVAL = ("--nbval-lax", "--nbval-current-env")
QUICK = "not slow and not soak and not compile and not environments"
Commands = Iterable[list[str]]


@dataclass(frozen=True)
class Act:
    """One line of the table.

    Args:
        does: what it does, in a few words.
        commands: run in order in the repository's root, each asked for when the one before went
            well; the first word is found in `.venv/bin` before the machine's own.
        skip: says why this machine cannot run it, or nothing.
        before: acts that come first.
    """

    does: str
    commands: Callable[[], Commands] = list
    skip: Callable[[], str] = str
    before: tuple[str, ...] = ()


def lint() -> Commands:
    """Format first: most of what the linter would say goes away with it."""
    return [["ruff", "format", "--check"], ["ruff", "check"]]


def tour() -> Commands:
    """Every tutorial, with a table at the end."""
    return [["python", "tools/execute_notebooks.py"]]


def pytest(*options: str) -> Callable[[], Commands]:
    """pytest in one call, with its ten slowest tests."""
    return lambda: [["python", "-m", "pytest", "--durations=10", *options]]


def front_end() -> Commands:
    """npm's packages where the lock file is new; then the bundles' freshness, types and tests."""
    stamp = ROOT / "js" / "node_modules" / ".mlnb-ready"
    digest = hashlib.sha256((ROOT / "js" / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        yield ["npm", "--prefix", "js", "ci", "--no-audit", "--no-fund"]
        stamp.write_text(digest)  # reached only when the command went well
    for script in ("check", "test"):
        yield ["npm", "--prefix", "js", "run", "--silent", script]


def no_node() -> str:
    """Why the front end's checks cannot run; only those who change the front end need node."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return "no node and npm on this machine; only changes in js/ need them"
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < NODE:
        return f"node {version} is older than {NODE}; only changes in js/ need it"
    return ""


def lab() -> Commands:
    """JupyterLab on the first tutorial; its log prints the address with the token."""
    command = ["python", "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    if os.environ.get("PORT"):
        command += [f"--port={os.environ['PORT']}", "--ServerApp.port_retries=0"]
    if sys.platform != "darwin" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        command += ["--no-browser"]  # a text browser would take the terminal over
    if os.geteuid() == 0:
        command += ["--allow-root"]
    return [command]


def wheel() -> Commands:
    """The source archive into dist/, and the wheel from it, as PyPI's readers would make it."""
    return [["python", "-m", "build", "--no-isolation", "--outdir", "dist"]]


def benchmarks() -> Commands:
    """Every script of benchmarks/, in alphabetical order."""
    return [["python", str(file)] for file in sorted((ROOT / "benchmarks").glob("*.py"))]


ACTS = {
    "help": Act("this list"),
    "lab": Act("JupyterLab on the first tutorial (PORT=9000 for another port)", lab),
    "test": Act(
        "everything that CI checks",
        pytest(*NBVAL, "-m", QUICK, "tests", "notebooks"),
        before=("lint", "floors", "types", "js"),
    ),
    "tour": Act("every tutorial, headless: name, seconds, result", tour),
    "lint": Act("ruff: format and lint", lint),
    "floors": Act("import-linter: which room may import which", lambda: [["lint-imports"]]),
    "types": Act("mypy, strict on floors 1 to 5", lambda: [["mypy"]]),
    "js": Act("the bundles' freshness, tsc and vitest", front_end, skip=no_node),
    "unit": Act("pytest without the browser", pytest("-m", f"not browser and {QUICK}")),
    "notebooks": Act("the tutorials under nbval", pytest(*NBVAL, "notebooks")),
    "browser": Act("JupyterLab in Chromium", pytest("-m", f"browser and {QUICK}")),
    "soak": Act("the tests that take minutes to hours", pytest("-m", "slow or soak")),
    "compile": Act("the tests that compile networks", pytest("-m", "compile")),
    "environments": Act(
        "the tests that make environments of their own", pytest("-m", "environments")
    ),
    "wheel": Act("the wheel and the source archive, into dist/", wheel),
    "bench": Act("every script of benchmarks/", benchmarks),
    "clean": Act("delete caches, builds and screenshots"),
    "distclean": Act("delete .venv and js/node_modules as well"),
}
