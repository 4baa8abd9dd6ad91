"""The lock of a run's folder: one run at a time, and who it is; `lock`, `holder`.

The lock is the system's (flock), which ends with its holder even on kill -9. What stands in the
file is for people: the process, and since when.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mlnb.errors import CheckpointError, RunBusy
from mlnb.formatting import display_text
from mlnb.train.keep.checkpoint_files import read_bytes

if TYPE_CHECKING:
    from mlnb.train.keep.packing import Json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
LOCK_BYTES = 4096
LOCK_TRIES = 4


def lock(path: Path, say: Callable[[str], object]) -> int:
    """Hold the folder at `path`; the descriptor that is to be closed in the end.

    Raises:
        RunBusy: another run holds it; the message names its process.
        OSError: nothing can be written there.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path / LOCK, flags, 0o600)
    try:
        if not _flocked(descriptor):
            say(
                f"{_shown(path)} is on a file system without locks: take care that no second run "
                "writes there"
            )
        about = {"pid": os.getpid(), "started": time.time(), "host": socket.gethostname()}
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(about).encode())
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunBusy(_busy(path)) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def holder(path: Path) -> dict[str, Json] | None:
    """Who trains in this folder now: pid, started, host; None where nobody does."""
    about = _lock_text(path)
    if fcntl is None:
        return about if _alive(about) else None
    try:
        descriptor = os.open(path / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return about or {"pid": None}
    except OSError:  # no locks on this file system
        return about if _alive(about) else None
    finally:
        os.close(descriptor)
    return None


def _flocked(descriptor: int) -> bool:
    if fcntl is None:
        return False
    for left in reversed(range(LOCK_TRIES)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:  # perhaps only a table of runs that looks whether it is held
            if not left:
                raise
            time.sleep(0.01)
        except OSError as error:
            if error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
                return False
            raise
    return False


def _busy(path: Path) -> str:
    about = _lock_text(path)
    if about is None:
        return f"{_shown(path)} belongs to a run that still trains; give another folder"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(about["started"])))
    host = "" if about["host"] == socket.gethostname() else f" on {_shown(about['host'])}"
    return (
        f"{_shown(path)} belongs to a run that still trains: process {about['pid']}{host}, since "
        f"{since}; stop that one, or give another folder"
    )


def _lock_text(path: Path) -> dict[str, Json] | None:
    try:
        about = json.loads(read_bytes(path, LOCK, LOCK_BYTES))
        time.localtime(float(about["started"]))
        return {"pid": int(about["pid"]), "started": about["started"], "host": str(about["host"])}
    except (CheckpointError, ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _alive(about: dict[str, Json] | None) -> bool:
    if about is None or about["host"] != socket.gethostname():
        return False
    if os.name == "nt":  # os.kill would end it
        return False
    try:
        os.kill(about["pid"], 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _shown(path: Path | str) -> str:
    return display_text(str(path), 200)
