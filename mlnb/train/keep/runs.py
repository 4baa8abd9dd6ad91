"""The runs that there are: `list_runs`, the table of them, and room for the next one.

A folder's word is not taken for it: a run that says it trains, and that no process holds, was cut
off. What cannot be read is a line that says why.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from mlnb.errors import CheckpointError, MlnbError
from mlnb.train import active
from mlnb.train.keep.about import read_about
from mlnb.train.keep.run_folder import RunFolder, entries, reason
from mlnb.train.keep.run_lock import holder
from mlnb.train.keep.run_table import RunRow, RunTable

if TYPE_CHECKING:
    from mlnb.train.run import Run

ROOT = "mlnb_runs"
MOST = 20
ROOM_BYTES = 2 * 10**9
CUT_OFF, UNREADABLE = "cut off", "unreadable"
_LIVE = ("preparing", "training", "paused")


def list_runs(folder: str | os.PathLike[str] | None = None) -> RunTable:
    """The runs in a folder, and those of this session, wherever they are kept.

    >>> list_runs()
    name  state     epoch     best             settings  when              note  folder
    net   finished  20 of 20  val_loss 0.0523  lr 0.001  2026-05-01 10:15        net-20260501-101500
    wide  stopped   3 of 20   val_loss 0.0911  lr 0.01   2026-05-01 10:11        in memory

    Args:
        folder: `mlnb_runs`, or what `MLNB_RUNS` names; the folder of one run is a table of one.
            Where it is given, only what lies there is listed.
    """
    root = runs_folder() if folder is None else Path(folder).expanduser().absolute()
    known = [] if folder is not None else active.known_runs()
    mine = {_key(run): run for run in known if run.active or run.step or run.folder}
    rows = []
    for path in _run_folders(root):
        run = mine.pop(str(path.absolute()), None)
        rows.append(_row(path, run if run is not None and run.active else None))
    rows += [_session_row(run) for run in mine.values()]
    return RunTable(sorted(rows, key=lambda row: -row.when), root)


def runs_folder() -> Path:
    """Where runs without a folder of their own are written: `MLNB_RUNS`, else `mlnb_runs` here."""
    return Path(os.environ.get("MLNB_RUNS") or ROOT).expanduser().absolute()


def is_run(path: Path) -> bool:
    """Whether a run was written to that folder.

    >>> is_run(Path("mlnb_runs/net-20260501-101500"))
    True
    """
    return (path / "checkpoints").is_dir() or (path / "run.json").is_file()


def is_auto(path: Path | None) -> bool:
    """Whether the folder of a run was made without being asked for; False where it does not tell.

    >>> is_auto(run.folder)
    True
    """
    try:
        return path is not None and read_about(path).get("auto") is True
    except (MlnbError, OSError):
        return False


def make_room(root: Path, most: int = MOST, nbytes: int = ROOM_BYTES) -> list[Path]:
    """Delete old runs until one more fits: those that ended first, then those cut off.

    Only what was made without being asked for is deleted, and nothing that a process holds. The
    last run stays however large it is.

    Args:
        root: the folder of runs.
        most: runs that there may be, with the one to come.
        nbytes: what those that are there may take together.
    """
    rows = [row for path in _run_folders(root) if (row := _row(path, None)).folder is not None]
    ours = [row for row in rows if row.status not in (*_LIVE, UNREADABLE) and is_auto(row.folder)]
    ours.sort(key=lambda row: (row.status == CUT_OFF, row.when))
    count, size = len(rows), sum(row.nbytes for row in rows)
    gone = []
    for row in ours:
        if count < most and (size <= nbytes or row is ours[-1]):
            break
        if row.folder is not None and _deleted(row.folder):
            gone.append(row.folder)
            count, size = count - 1, size - row.nbytes
    return gone


def _run_folders(root: Path) -> list[Path]:
    found = [root] if is_run(root) else []
    with suppress(OSError):
        children = sorted(root.iterdir())
        found += [child for child in children if not child.is_symlink() and is_run(child)]
    return found


def _row(path: Path, run: Run | None) -> RunRow:
    try:
        about = read_about(path)
    except CheckpointError as error:
        return _unreadable(path, reason(error, path))
    try:
        status = str(about["status"])
        if status in _LIVE and run is None and holder(path) is None:
            status = CUT_OFF
        best, when = about.get("best"), float(about["when"])
        time.localtime(when)  # a time that there is
        return RunRow(
            name=path.name,
            status=status,
            epoch=int(about["epoch"]),
            epochs=int(about["epochs"]),
            step=int(about["step"]),
            best=best if isinstance(best, dict) else None,
            settings=_settings(about.get("settings")),
            when=when,
            note=str(about.get("note") or ""),
            folder=path,
            title=str(about.get("name") or ""),
            held=None if run is None else ref(run),
            nbytes=sum(entry.nbytes for entry in entries(path)),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError, MlnbError) as error:
        return _unreadable(path, f"run.json lacks what it should tell ({error})")


def _unreadable(path: Path, why: str) -> RunRow:
    when = 0.0
    with suppress(OSError):
        when = path.stat().st_mtime
    return RunRow(path.name, UNREADABLE, when=when, note=why, folder=path)


def _session_row(run: Run) -> RunRow:
    return RunRow(
        name=run.folder.name if run.folder else run.name,
        status=run.status,
        epoch=run.epoch,
        epochs=run.epochs,
        step=run.step,
        best=run.best,
        settings=_settings(run._plan.settings),
        when=time.time() if run.active else run.started + run.seconds,
        folder=run.folder,
        title=run.name,
        held=ref(run),
    )


def _key(run: Run) -> str:
    return str(run.folder.absolute()) if run.folder else f"in memory: {id(run)}"


def _settings(settings: Any) -> dict[str, Any]:
    """The words of both, without those that say nothing."""
    found: dict[str, Any] = {}
    for part in ("trainer", "fit"):
        words = settings.get(part) if isinstance(settings, dict) else None
        for name, value in words.items() if isinstance(words, dict) else ():
            if value not in (None, "auto", [], False) and name not in ("folder", "name", "keep"):
                found[str(name)] = value
    return found


def _deleted(path: Path) -> bool:
    """Whether it could be deleted; held meanwhile, so that nobody resumes it."""
    try:
        with RunFolder.open(path):
            # The lock last: without it there is nothing to hold.
            shutil.rmtree(path / "checkpoints", ignore_errors=True)
            shutil.rmtree(path, ignore_errors=True)
    except (MlnbError, OSError):
        return False
    return not path.exists()
