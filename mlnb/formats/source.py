"""Where a model's bytes come from: a file that is read in windows, or bytes in memory.

No live map of a file is held: one that is exported again over an open model would kill a process
that has it mapped (SIGBUS). Every read compares the file with what was seen at first, so that a
rewritten one is a `ModelFileChanged` and not a mixture of two models.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mlnb.errors import ModelFileChanged, ModelFormatError
from mlnb.formatting import display_text

Read = Callable[[int, int], bytes]
"""`read(offset, length)`: that many bytes from there, never fewer."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was when it was first seen, or bytes.

    >>> Source.of(b"abc").read(1, 2)
    b'bc'

    Args:
        name: the file's name without its folder, or `"bytes"`.
        size: in bytes.
        path: where the file lies; `None` for bytes.
        identity: what tells that the file is still the same; `None` for bytes.
        content: the bytes; `None` for a file.
    """

    name: str
    size: int
    path: Path | None = None
    identity: tuple[int, ...] | None = None
    content: bytes | None = None

    @classmethod
    def of(cls, model: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Source:
        """The source for a path or for bytes.

        Raises:
            ModelFormatError: there is no such file, or it is a folder, a pipe, or not readable.
        """
        if isinstance(model, bytes | bytearray | memoryview):
            content = bytes(model)
            return cls("bytes", len(content), content=content)
        path = Path(os.path.expanduser(model))
        try:
            seen = os.stat(path)
            if stat.S_ISREG(seen.st_mode):
                os.close(os.open(path, _FLAGS))
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        if not stat.S_ISREG(seen.st_mode):
            raise ModelFormatError(f"{_shown(path)} is {_kind(seen.st_mode)}, not a model file")
        return cls(path.name, seen.st_size, path, _identity(seen))

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`.

        Raises:
            ModelFileChanged: the file is no longer the one that was loaded.
        """
        with self.reading() as read:
            return read(offset, length)

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """A `read` for many windows of the same walk: one open file, checked before each window."""
        if self.content is not None:
            yield self._slice
            return
        assert self.path is not None
        try:
            handle = os.open(self.path, _FLAGS)
        except OSError as error:
            raise self._changed("is no longer there") from error
        try:
            yield lambda offset, length: self._pread(handle, offset, length)
        finally:
            os.close(handle)

    def _slice(self, offset: int, length: int) -> bytes:
        assert self.content is not None
        return self.content[offset : offset + length]

    def _pread(self, handle: int, offset: int, length: int) -> bytes:
        if _identity(os.fstat(handle)) != self.identity:
            raise self._changed("has changed")
        data = _read_at(handle, length, offset)
        while len(data) < length:  # one read ends at 2 GiB, and at the end of a file cut meanwhile
            more = _read_at(handle, length - len(data), offset + len(data))
            if not more:
                raise self._changed("has become shorter")
            data += more
        return data

    def _changed(self, what: str) -> ModelFileChanged:
        return ModelFileChanged(
            f"{display_text(self.name)} {what} since it was loaded; run %mlload again"
        )


def _read_at(handle: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(handle, length, offset)
    os.lseek(handle, offset, os.SEEK_SET)  # Windows; the handle belongs to one walk alone
    return os.read(handle, length)


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    return (seen.st_size, seen.st_mtime_ns, seen.st_ino, seen.st_dev)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _unreadable(path: Path, error: OSError | ValueError) -> ModelFormatError:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        reason = error.strerror if isinstance(error, OSError) else error
        return ModelFormatError(f"{_shown(path)} cannot be opened: {reason}")
    folder = path.parent
    if not folder.is_dir():
        return ModelFormatError(f"no file {_shown(path)}: there is no folder {_shown(folder)}")
    close = get_close_matches(path.name, os.listdir(folder), n=1, cutoff=0.6)
    hint = f"; did you mean {display_text(close[0])!r}?" if close else ""
    return ModelFormatError(f"no file {_shown(path)}{hint}")


def _shown(path: Path) -> str:
    return display_text(str(path), 200)
