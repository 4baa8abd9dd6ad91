"""Which Python a fresh machine's `make` takes, and what it says where there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "with_python.sh"
SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
OLD = "#!/bin/sh\nexit 1\n"  # what `sys.exit(sys.version_info < (3, 11))` comes to


def working(name: str) -> str:
    """A Python that runs, and says its name where a script would run."""
    return f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\necho {name} "$@"\n'


def make_machine(folder: Path, pythons: dict[str, str]) -> str:
    """A PATH with nothing but a shell and the Pythons given."""
    folder.mkdir(exist_ok=True)
    for name, text in pythons.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    return str(folder)


def start(path: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), "steps.py", "test"],
        env={"PATH": path} | variables,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        (["python3", "python3.11", "python3.12", "python3.13"], "python3.13"),
        (["python3", "python3.11"], "python3.11"),
        (["python3"], "python3"),
    ],
)
def test_the_newest_is_taken(tmp_path: Path, pythons: list[str], taken: str) -> None:
    path = make_machine(tmp_path / "bin", {name: working(name) for name in pythons})
    assert start(path).stdout == f"{taken} steps.py test\n"


def test_a_shim_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    pythons = {"python3.13": SHIM, "python3.12": OLD, "python3.11": working("python3.11")}
    assert start(make_machine(tmp_path / "bin", pythons)).stdout.startswith("python3.11 ")


def test_another_one_can_be_chosen(tmp_path: Path) -> None:
    pythons = {name: working(name) for name in ("python3.13", "python3.11")}
    path = make_machine(tmp_path / "bin", pythons)
    assert start(path, PYTHON="python3.11").stdout.startswith("python3.11 ")


@pytest.mark.parametrize("pythons", [{}, {"python3": OLD}, {"python3": SHIM}])
def test_without_one_the_line_to_run_is_said(tmp_path: Path, pythons: dict[str, str]) -> None:
    result = start(make_machine(tmp_path / "bin", pythons))
    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "Run: sudo apt install python3" in result.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_make_alone_lists_every_act() -> None:
    result = subprocess.run(
        ["make", "--no-print-directory"], cwd=SCRIPT.parents[1], capture_output=True, text=True
    )
    acts = [line.split()[1] for line in result.stdout.splitlines()]
    declared = (SCRIPT.parents[1] / "Makefile").read_text().split("ACTS := ")[1].splitlines()[0]
    assert acts == declared.split()
