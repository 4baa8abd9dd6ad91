"""The folder of one run: its lock, its checkpoints, and `run.json` which tells about it.

    mlnb_runs/digits-20260501-101500/
        lock            held while the run trains; the system frees it even on kill -9
        run.json        name, settings, how far it came, its best: for the table of runs
        checkpoints/    000004-step-1200, 000005-step-1300-asked, …: numbered as they were written

A checkpoint's number, not its step, says which is the newest: after a rewind the later one has the
smaller step. Those that somebody asked for say so, because they are the last to be thinned.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlnb.errors import CheckpointError, TrainError
from mlnb.formatting import display_text, plural
from mlnb.train.keep import checkpoint
from mlnb.train.keep.about import ABOUT, write_about
from mlnb.train.keep.run_lock import lock
from mlnb.train.steer.interrupts import shield

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json
    from mlnb.train.keep.snapshot import Snapshot

CHECKPOINTS = "checkpoints"
FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
ASKED = "asked"
_NAME = re.compile(rf"(\d{{1,12}})-step-(\d{{1,18}})(-{ASKED})?")


@dataclass(frozen=True)
class Entry:
    """One checkpoint of a folder.

    Args:
        number: counts what was written; the highest is the newest.
        step: of the run.
        path: its folder.
        nbytes: what its files take.
        asked: whether somebody asked for it.
    """

    number: int
    step: int
    path: Path
    nbytes: int
    asked: bool = False


class RunFolder:
    """A run's folder, held by this process until `close`; made by `create` or `open`.

    >>> with RunFolder.create(Path("runs/digits")) as folder:
    ...     folder.save(take(state), "epoch")

    Args:
        path: the folder.
        say: takes one-line notices.
        descriptor: of the lock; None where the file system has none.
    """

    def __init__(
        self, path: Path, say: Callable[[str], object], descriptor: int | None = None
    ) -> None:
        self.path = path
        self.say = say
        self._descriptor = descriptor
        _held.add(self)
        _sweep(path)
        self._entries = {entry.number: entry for entry in entries(path)}
        self._number = max(self._entries, default=0)

    @classmethod
    def create(cls, path: Path, say: Callable[[str], object] = lambda text: None) -> RunFolder:
        """Make the folder of a new run, and hold it.

        Raises:
            RunBusy: another run holds it; the message names its process.
            TrainError: nothing can be written there, or it is the folder of an earlier run.
        """
        path = Path(os.path.abspath(path.expanduser()))
        try:
            path.mkdir(parents=True, exist_ok=True)
            _own_folder(path / CHECKPOINTS).mkdir(exist_ok=True)
            folder = cls(path, say, lock(path, say))
        except OSError as error:
            raise TrainError(
                f"cannot write to {_shown(path)}: {error.strerror or error}; give another folder, "
                "or folder=False to write nothing"
            ) from error
        if folder.entries:
            last = folder.entries[-1].step
            folder.close()
            raise TrainError(
                f"{_shown(path)} holds a run that came to step {last:,}; give another folder, or "
                f"go on with that run: Trainer.resume({str(path)!r}, data, model=model)"
            )
        return folder

    @classmethod
    def open(cls, path: Path, say: Callable[[str], object] = lambda text: None) -> RunFolder:
        """Hold the folder of an earlier run, to go on with it.

        Raises:
            RunBusy: another run holds it; the message names its process.
            CheckpointError: it is no folder of a run.
            TrainError: nothing can be written there.
        """
        path = Path(os.path.abspath(path.expanduser()))
        if not _own_folder(path / CHECKPOINTS).is_dir():
            raise CheckpointError(
                f"{_shown(path)} is not the folder of a run: it has no '{CHECKPOINTS}' in it"
            )
        try:
            return cls(path, say, lock(path, say))
        except OSError as error:
            raise TrainError(
                f"cannot write to {_shown(path)}: {error.strerror or error}; copy the folder to a "
                "place that you may write to, and resume there"
            ) from error

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._descriptor is not None

    @property
    def entries(self) -> list[Entry]:
        """Its checkpoints as they were written, the newest last."""
        return [self._entries[number] for number in sorted(self._entries)]

    def save(self, snapshot: Snapshot, why: str, note: Mapping[str, Json] | None = None) -> Entry:
        """Write a checkpoint; it is the newest from now on.

        Args:
            snapshot: what to write.
            why: "start", "epoch", "tick", "asked", "end", …
            note: more to keep with it, as JSON: the run's settings.

        Raises:
            OSError: it cannot be written; what there was stays.
        """
        number = self._number + 1
        name = f"{number:06d}-step-{snapshot.step}" + (f"-{ASKED}" if why == ASKED else "")
        path = self.path / CHECKPOINTS / name
        nbytes = checkpoint.write(snapshot, path, {**(note or {}), "why": why})
        self._number = number
        entry = Entry(number, snapshot.step, path, nbytes, why == ASKED)
        self._entries[number] = entry
        return entry

    def newest(self) -> Snapshot:
        """The newest checkpoint that is whole; a notice where that is not the newest of all.

        Raises:
            CheckpointError: none is; the message says what was found.
        """
        damaged = []
        for entry in reversed(self.entries):
            try:
                snapshot = checkpoint.read(entry.path)
            except CheckpointError as error:
                damaged.append(f"{entry.path.name}: {reason(error, entry.path)}")
                continue
            if damaged:
                for other in self.entries:  # not a slot any more; the files stay as they are
                    if other.number > entry.number:
                        del self._entries[other.number]
                self.say(
                    f"{plural(len(damaged), 'checkpoint')} newer than step {entry.step:,} cannot "
                    f"be read ({'; '.join(damaged)}); going on from step {entry.step:,}"
                )
            return snapshot
        what = "; ".join(damaged) if damaged else "there is none"
        raise CheckpointError(f"{_shown(self.path)} has no checkpoint to go on from: {what}")

    def delete(self, entry: Entry) -> None:
        """Remove a checkpoint, so that a kill at any moment leaves no part of it under its name."""
        gone = entry.path.with_name(f".{entry.path.name}.{os.getpid()}{checkpoint.NEW}")
        self._entries.pop(entry.number, None)
        with shield(), suppress(OSError):
            entry.path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def describe(self, **status: Json) -> None:
        """Write `run.json` whole.

        Raises:
            OSError: the disk is full; the old one stays.
        """
        write_about(self.path, status)

    def close(self) -> None:
        """Let go of the folder."""
        descriptor, self._descriptor = self._descriptor, None
        _held.discard(self)
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r}, {plural(len(self._entries), 'checkpoint')})"


def entries(path: Path) -> list[Entry]:
    """The checkpoints in a run's folder, the newest last; nothing that is a link."""
    found = []
    with suppress(OSError):
        for child in _own_folder(path / CHECKPOINTS).iterdir():
            match = _NAME.fullmatch(child.name)
            if match and not child.is_symlink() and child.is_dir():
                size = checkpoint.size_of(child)
                found.append(Entry(int(match[1]), int(match[2]), child, size, bool(match[3])))
    return sorted(found, key=lambda entry: entry.number)


def reason(error: CheckpointError, path: Path) -> str:
    """What the error says of that folder, without its name."""
    return str(error).removeprefix(f"{_shown(path)}: ")


# ----------------------------------------------------------------------------------------- parts

_held: weakref.WeakSet[RunFolder] = weakref.WeakSet()


def _let_go_in_child() -> None:
    """A loader's worker, forked, would hold the lock beyond the death of its parent."""
    for folder in list(_held):
        folder.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)


def _own_folder(path: Path) -> Path:
    """That folder, if it is none that lies elsewhere."""
    if path.is_symlink():
        raise CheckpointError(f"{_shown(path)} is a link, which mlnb never makes")
    return path


def _sweep(path: Path) -> None:
    """Remove what a killed run left unfinished."""
    for place in (path, path / CHECKPOINTS):
        for child in place.glob(f"*{checkpoint.NEW}"):
            if child.is_symlink() or not child.is_dir():
                if child.name.startswith(ABOUT):
                    child.unlink(missing_ok=True)
            elif place.name == CHECKPOINTS and child.name.startswith("."):
                shutil.rmtree(child, ignore_errors=True)


def _shown(path: Path | str) -> str:
    return display_text(str(path), 200)
