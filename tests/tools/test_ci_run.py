"""`.ci/run` on a machine made of stubs: what it sets, what it installs, how it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[2] / ".ci" / "run"
pytestmark = pytest.mark.skipif(
    shutil.which("make") is None or shutil.which("bash") is None, reason="no make or no bash"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose `make test` makes a .venv, says what it sees, and ends as pytest does."""
    clone = tmp_path / "clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(RUN, clone / ".ci" / "run")
    (clone / "Makefile").write_text(
        "test:\n\t@mkdir -p .venv; echo CI=$$CI data=$$MLNB_DATA; cat; "
        "echo '== 3 passed in 0.1s =='; exit $${CODE:-0}\n"
    )
    stub(tmp_path / "bin", "chromium", "exit 0")
    return clone


def stub(folder: Path, name: str, line: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{line}\n")
    (folder / name).chmod(0o755)


def run(clone: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    # Not the outer run's word: what it is told, and that this `make` is one inside another.
    outer = {"CI", "MLNB_DATA", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    surroundings = {name: value for name, value in os.environ.items() if name not in outer}
    surroundings["PATH"] = f"{clone.parent / 'bin'}{os.pathsep}{surroundings['PATH']}"
    return subprocess.run(
        ["bash", str(clone / ".ci" / "run")],
        env=surroundings | variables,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_it_ends_with_the_closing_line_and_leaves_no_environment(clone: Path) -> None:
    result = run(clone)
    assert result.returncode == 0
    assert result.stdout == "CI=true data=\n== 3 passed in 0.1s ==\n"
    assert not (clone / ".venv").exists()


def test_a_failure_keeps_its_code_and_the_closing_line_last(clone: Path) -> None:
    result = run(clone, CODE="1")
    assert result.returncode != 0
    assert result.stdout.splitlines()[-1] == "== 3 passed in 0.1s =="
    assert not (clone / ".venv").exists()


def test_an_environment_that_stood_before_stays(clone: Path) -> None:
    (clone / ".venv").mkdir()
    run(clone)
    assert (clone / ".venv").exists()


def test_the_folder_of_models_beside_the_clone_is_used(clone: Path) -> None:
    data = clone.parent / "shared" / "data"
    data.mkdir(parents=True)
    assert f"data={data}\n" in run(clone).stdout
    assert "data=/elsewhere\n" in run(clone, MLNB_DATA="/elsewhere").stdout


@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_installs_a_missing_chromium(clone: Path, user: int) -> None:
    folder = clone.parent / "bin"
    (folder / "chromium").unlink()
    for name in ("sh", "bash", "make", "sed", "rm", "mkdir", "cat", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    stub(folder, "id", f"echo {user}")
    stub(folder, "apt-get", 'echo apt-get "$@"')
    out = run(clone, PATH=str(folder)).stdout
    installs = "install -y -qq --no-install-recommends chromium fonts-dejavu-core" in out
    assert installs == (user == 0)
    assert out.splitlines()[-1] == "== 3 passed in 0.1s =="
