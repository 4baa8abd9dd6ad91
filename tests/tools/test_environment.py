"""The environment is made once, told before it is made, and made anew when it no longer fits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import environment
import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose `mlnb[all]` is nothing: set-up takes a second and no network."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'nothing'\n")
    (root / "constraints.txt").write_text("numpy==2.4.6\n")
    return root


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The installs that were asked for; pip itself is left out."""
    asked: list[Path] = []
    monkeypatch.setattr(environment, "_install", lambda root, python: asked.append(python))
    monkeypatch.setattr(environment, "_runs", lambda root: (root / ".venv/bin/python").exists())
    run = subprocess.run
    without_pip = lambda command, **options: run([*command, "--without-pip"], **options)  # noqa: E731
    monkeypatch.setattr(environment.subprocess, "run", without_pip)
    return asked


def test_a_second_call_does_no_set_up_again(root, installs, capsys) -> None:
    python = environment.ready(root)
    assert python == root / ".venv" / "bin" / "python"
    first = capsys.readouterr().out
    assert f"{environment.DOWNLOAD_GB:.1f} GB to download" in first
    assert "on disk" in first
    assert "set-up: done in" in first
    environment.ready(root)
    assert capsys.readouterr().out == "set-up: nothing to do\n"
    assert installs == [python]


def test_a_change_of_either_file_installs_again_without_making_anew(root, installs, capsys) -> None:
    environment.ready(root)
    keep = root / ".venv" / "keep"
    keep.touch()
    (root / "constraints.txt").write_text("numpy==2.4.7\n")
    environment.ready(root)
    (root / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    environment.ready(root)
    assert len(installs) == 3
    assert keep.exists()


def test_a_new_time_on_the_same_content_installs_nothing(root, installs) -> None:
    environment.ready(root)
    (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text())
    environment.ready(root)
    assert len(installs) == 1


def test_a_moved_environment_is_made_anew(root, installs, capsys) -> None:
    environment.ready(root)
    (root / ".venv" / "old").touch()
    moved = root.rename(root.parent / "moved")
    environment.ready(moved)
    assert "made in another folder; making it anew" in capsys.readouterr().out
    assert not (moved / ".venv" / "old").exists()
    assert len(installs) == 2


def test_a_broken_python_is_made_anew(root, installs, capsys) -> None:
    python = environment.ready(root)
    python.unlink()
    python.symlink_to("/nowhere/python3")
    environment.ready(root)
    assert "does not run; making it anew" in capsys.readouterr().out
    assert python.exists()


def test_an_environment_made_by_hand_is_gone_on_with(root, installs) -> None:
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    keep = root / ".venv" / "keep"
    keep.touch()
    environment.ready(root)
    assert keep.exists()
    assert installs == [python]


def test_a_failed_install_leaves_no_stamp_and_says_so(root, monkeypatch) -> None:
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\n[ "$1" = -c ]\n')
    python.chmod(0o755)
    with pytest.raises(SystemExit, match="pip did not finish"):
        environment.ready(root)
    assert not environment.fits(root)


def test_without_ensurepip_the_one_line_to_run_is_said(root, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(SystemExit, match=f"sudo apt install python{version}-venv"):
        environment.ready(root)
    assert not (root / ".venv").exists()


def test_too_little_disk_is_said_before_the_download(root, installs, monkeypatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(environment, "DISK_GB", 1e9)
    with pytest.raises(SystemExit, match="GB free are not enough"):
        environment.ready(root)
    assert installs == []
