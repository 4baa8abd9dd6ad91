"""What `make` runs, in which order, and what it skips with which reason."""

from __future__ import annotations

import os
from pathlib import Path

import acts
import pytest
import steps


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Every command that would have run, with the environment taken for ready."""
    made: list[list[str]] = []
    monkeypatch.setattr(steps.environment, "ready", lambda: tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(steps, "call", lambda command, _: made.append(command) or 0)
    monkeypatch.delenv("CI", raising=False)
    return made


def test_test_runs_everything_and_pytest_last_in_one_call(calls, monkeypatch, capsys) -> None:
    monkeypatch.setattr(acts.shutil, "which", lambda name, path=None: None)
    assert steps.main(["test"]) == 0
    assert [command[0] for command in calls] == ["ruff", "ruff", "lint-imports", "mypy", "python"]
    last = calls[-1]
    assert last[1:3] == ["-m", "pytest"]
    assert {"--nbval-lax", "--durations=10", "tests", "notebooks"} <= set(last)
    out = capsys.readouterr().out
    assert "js: skipped: no node and npm on this machine; only changes in js/ need them" in out
    assert out.splitlines()[-1].startswith("── test: python -m pytest")


def test_in_ci_a_missing_node_is_a_failure(calls, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(acts.shutil, "which", lambda name, path=None: None)
    assert steps.main(["test"]) == 1
    assert not any("pytest" in command for command in calls)


def test_a_failed_step_ends_the_run_and_gives_its_code(calls, monkeypatch, capsys) -> None:
    monkeypatch.setattr(steps, "call", lambda command, _: 7 if command[0] == "mypy" else 0)
    assert steps.main(["test"]) == 7
    out = capsys.readouterr().out
    assert "── types: failed" in out
    assert "pytest" not in out


def test_nothing_follows_the_closing_line_of_a_pytest_that_failed(
    calls, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(steps, "call", lambda command, _: print("== 1 failed ==") or 1)
    assert steps.main(["notebooks"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "== 1 failed =="


def test_every_act_says_what_it_does_and_how_long_it_took(calls, capsys) -> None:
    assert steps.main(["lint"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "make lint: ruff: format and lint"
    assert out[-1].startswith("make lint: ")
    assert out[-1].endswith(" s")


def test_an_old_node_is_a_reason_to_skip(monkeypatch, tmp_path: Path) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v18.19.0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert "node v18.19.0 is older than 20" in acts.no_node()


def test_npm_installs_only_when_the_lock_file_is_new(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(acts, "ROOT", tmp_path)
    (tmp_path / "js" / "node_modules").mkdir(parents=True)
    (tmp_path / "js" / "package-lock.json").write_text("{}")
    assert "ci" in next(iter(acts.front_end()))  # which fails: the next one is not asked for
    assert "ci" in next(iter(acts.front_end()))
    assert [command[-1] for command in acts.front_end()][1:] == ["check", "test"]
    assert [command[-1] for command in acts.front_end()] == ["check", "test"]
    (tmp_path / "js" / "package-lock.json").write_text("{ }")
    assert "ci" in next(iter(acts.front_end()))


def test_lab_opens_the_first_tutorial_and_only_a_screen_gets_a_browser(monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(acts.sys, "platform", "linux")
    monkeypatch.setattr(acts.os, "geteuid", lambda: 0)
    (command,) = acts.lab()
    assert f"--LabApp.default_url=/lab/tree/{acts.FIRST}" in command
    assert {"--no-browser", "--allow-root"} <= set(command)
    assert (acts.ROOT / acts.FIRST).is_file()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(acts.os, "geteuid", lambda: 1000)
    (command,) = acts.lab()
    assert not {"--no-browser", "--allow-root"} & set(command)


def test_lab_takes_the_port_that_is_asked_for_and_no_other(monkeypatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    (command,) = acts.lab()
    assert {"--port=9000", "--ServerApp.port_retries=0"} <= set(command)


def test_the_folder_of_models_is_true_from_everywhere(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLNB_DATA", "models")
    surroundings = steps.prepare(tmp_path / ".venv" / "bin" / "python")
    assert surroundings["MLNB_DATA"] == str(tmp_path / "models")
    assert surroundings["PATH"].startswith(str(tmp_path / ".venv" / "bin") + os.pathsep)
    monkeypatch.setenv("MLNB_DATA", "gone")
    with pytest.raises(SystemExit, match="MLNB_DATA is 'gone', which is no folder"):
        steps.prepare(tmp_path / "python")


def test_clean_keeps_what_takes_a_download(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    for name in (".venv", ".mypy_cache", "js/node_modules", "mlnb"):
        (tmp_path / name).mkdir(parents=True)
    steps.main(["clean"])
    assert sorted(p.name for p in tmp_path.iterdir()) == [".venv", "js", "mlnb"]
    steps.main(["distclean"])
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["js", "mlnb"]


def test_an_unknown_act_lists_those_that_exist() -> None:
    with pytest.raises(SystemExit, match="no act 'tset'; there are: help, lab, test"):
        steps.main(["tset"])
