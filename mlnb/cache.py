"""The cache folder of mlnb: where it is, and how a file comes into it whole.

Two notebooks may want the same file at once, so whoever writes holds a lock. It is the system's,
which ends with its holder even on kill -9; where there is none (Windows), a file that its holder
keeps touching stands in, and is taken over when nobody has touched it for a minute.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlnb.errors import DownloadError, MlnbError
from mlnb.formatting import display_text

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

DOWNLOADS, SAMPLES, STAND_INS, FEATURES = ROOMS = (
    "mlnb-downloads",
    "mlnb-samples",
    "mlnb-stand-ins",
    "mlnb-features",
)
POLL_SECONDS = 0.1
STALE_SECONDS = 60.0


def cache_folder() -> Path:
    """Where downloads are kept: `MLNB_CACHE`, else the folder that the platform has for caches.

    >>> cache_folder().name
    'mlnb'
    """
    named = os.environ.get("MLNB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mlnb"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "mlnb" / "Cache"
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache") / "mlnb"


@contextmanager
def locked(path: Path, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock of that name; the block gets a function to call now and then while it works.

    >>> with locked(cache_folder() / "downloads" / "lock") as alive:
    ...     alive()

    Args:
        path: the file that is the lock; its folder is made.
        waiting: called once where somebody else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _system_lock(path, waiting) if fcntl else _touched_lock(path, waiting):
        yield


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say what to do where the file system refuses to write to a folder of the cache.

    Raises:
        DownloadError: with the reason, and `MLNB_CACHE` as the remedy.
    """
    try:
        yield
    except MlnbError:
        raise
    except OSError as error:
        raise DownloadError(
            f"cannot write to {display_text(str(folder), 200)}: {error.strerror or error}; set "
            "MLNB_CACHE to a folder that you may write to, with enough room"
        ) from error


def clear_cache() -> int:
    """Delete everything that mlnb keeps in its cache; the bytes that were freed.

    What else lies in the folder is left alone: `MLNB_CACHE` may name one that holds other things.
    """
    freed = 0
    for room in ROOMS:
        folder = cache_folder() / room
        freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that others see the old one or all of the new one."""
    part = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with part.open("wb") as file:
            file.write(content)
            sync(file.fileno())
        put(part, path)
    finally:
        part.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """The sha256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put(part: Path, path: Path) -> None:
    """Give a finished file or folder its name, and the name to the disk."""
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that a rename in the folder outlives a loss of power."""
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync(descriptor: int) -> None:
    """Bring a file's content to the disk, where the file system knows how."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextmanager
def _system_lock(path: Path, waiting: Callable[[], object]) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        told = False
        while not _taken(descriptor):
            if not told:
                waiting()
            told = True
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network file system without locks: better unlocked than not at all
        return True
    return True


@contextmanager
def _touched_lock(path: Path, waiting: Callable[[], object]) -> Iterator[None]:
    mine = path.with_name(f"{path.name}.held")
    told = False
    while True:
        try:
            os.close(os.open(mine, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except (FileExistsError, PermissionError) as error:
            # Windows says "permission" while the file is being deleted.
            if isinstance(error, PermissionError) and not mine.exists():
                raise
            if not told:
                waiting()
            told = True
        with suppress(OSError):
            if time.time() - mine.stat().st_mtime > STALE_SECONDS:
                mine.unlink()
                continue
        time.sleep(POLL_SECONDS)
    done = threading.Event()
    threading.Thread(target=_keep_touching, args=(mine, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()
        mine.unlink(missing_ok=True)


def _keep_touching(path: Path, done: threading.Event) -> None:
    while not done.wait(STALE_SECONDS / 10):
        with suppress(OSError):
            os.utime(path)
