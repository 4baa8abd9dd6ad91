"""Archives from elsewhere: `unpack`, which writes regular files into one folder and nothing else.

Every name is judged before a byte is written, and sizes are counted as they come, because an
archive's own words about them may lie. `extractall` is not used: it would follow what the archive
says about links, owners and modes.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mlnb.cache import sync
from mlnb.errors import DownloadError, DownloadRefused
from mlnb.formatting import bytes_text, display_text

CHUNK = 2**20
LARGEST_READ = 2**26

_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    gzip.BadGzipFile,
    UnicodeDecodeError,
    OverflowError,
    struct.error,
)
_CLASHES = (FileExistsError, NotADirectoryError, IsADirectoryError)


@dataclass(frozen=True)
class UnpackLimits:
    """Caps on what an archive may become.

    Args:
        files: files in it.
        nbytes: bytes of all files together.
        ratio: bytes that come out for one that goes in.
    """

    files: int = 100_000
    nbytes: int = 8 * 2**30
    ratio: int = 200


def unpack(archive: Path, folder: Path, limits: UnpackLimits | None = None) -> None:
    """Unpack a zip or tar file (plain, gzip, bzip2 or xz), told by its content, into `folder`.

    >>> unpack(Path("yelp.zip"), Path("yelp"))

    Args:
        archive: the file.
        folder: made anew; it must not exist, and is gone again where something is refused.
        limits: caps; see `UnpackLimits`.

    Raises:
        DownloadRefused: it is no archive, damaged, beyond the limits, or holds what would land
            outside the folder, a link, a device or one name twice.
        DownloadError: the disk is full.
    """
    name = display_text(archive.name)
    limits = limits or UnpackLimits()
    folder.mkdir(parents=True)
    try:
        with archive.open("rb") as raw:
            budget = _Budget(name, limits, archive.stat().st_size)
            members = _zip(raw, name) if zipfile.is_zipfile(raw) else _tar(raw, name, budget)
            for member in members:
                _write(member, folder, budget)
    except _DAMAGED as error:
        _remove(folder)
        why = display_text(str(error) or type(error).__name__)
        raise DownloadRefused(f"{name} is no archive that can be unpacked: {why}") from error
    except DownloadError:
        _remove(folder)
        raise
    except OSError as error:
        _remove(folder)
        if error.errno is None:  # bz2 has no class of its own for nonsense
            raise DownloadRefused(f"{name} is no archive that can be unpacked: {error}") from error
        raise DownloadError(
            f"{name} could not be unpacked at {folder.parent}: {error.strerror}; free some space, "
            "or set MLNB_CACHE to a folder on another disk"
        ) from error
    except BaseException:
        _remove(folder)
        raise


@dataclass(frozen=True)
class _Member:
    """One entry; `content` is `None` for a folder."""

    path: PurePosixPath
    size: int
    content: IO[bytes] | None


class _Budget:
    """What may still come out of the archive."""

    def __init__(self, name: str, limits: UnpackLimits, packed: int) -> None:
        self.name = name
        self.limits = limits
        self.most = min(limits.nbytes, max(packed, 4096) * limits.ratio)
        self.files = 0
        self.taken = 0

    def file(self, size: int) -> None:
        """One more file, which says that it has `size` bytes."""
        self.files += 1
        if self.files > self.limits.files:
            raise DownloadRefused(f"{self.name} holds more than {self.limits.files:,} files")
        self._check(self.taken + size)

    def take(self, count: int) -> None:
        """Bytes that really came."""
        self.taken += count
        self._check(self.taken)

    def _check(self, nbytes: int) -> None:
        if nbytes > self.most:
            raise DownloadRefused(
                f"{self.name} would become {bytes_text(nbytes)} or more, the limit is "
                f"{bytes_text(self.most)} ({self.limits.ratio} times its size, and at most "
                f"{bytes_text(self.limits.nbytes)}); it looks like a bomb and was not unpacked"
            )


def _write(member: _Member, folder: Path, budget: _Budget) -> None:
    target = folder.joinpath(*member.path.parts)
    budget.file(member.size)
    try:
        if member.content is None:
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.content, target.open("xb") as file:
            while block := member.content.read(CHUNK):
                budget.take(len(block))
                file.write(block)
            file.flush()
            sync(file.fileno())
    except _CLASHES:
        raise DownloadRefused(
            f"{budget.name} holds {display_text(str(member.path))} twice"
        ) from None


def _path(text: str, archive: str) -> PurePosixPath:
    """A member's name as a path below the folder.

    Raises:
        DownloadRefused: it leads elsewhere.
    """
    parts = [part for part in re.split(r"[/\\]", text) if part not in ("", ".")]
    outside = text.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", text)
    if outside or not parts or "\0" in text:
        raise DownloadRefused(
            f"{archive} holds '{display_text(text)}', which would land outside its folder; it was "
            "not unpacked"
        )
    return PurePosixPath(*parts)


def _refuse(archive: str, name: str, what: str) -> DownloadRefused:
    return DownloadRefused(f"{archive} holds '{display_text(name)}', {what}; it was not unpacked")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


# ------------------------------------------------------------------------------------------ zip


def _zip(raw: IO[bytes], archive: str) -> Iterator[_Member]:
    with zipfile.ZipFile(raw) as opened:
        entries = [(_zip_path(entry, archive), entry) for entry in opened.infolist()]
        for path, entry in entries:
            content = None if entry.is_dir() else opened.open(entry)
            yield _Member(path, entry.file_size, content)


def _zip_path(entry: zipfile.ZipInfo, archive: str) -> PurePosixPath:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refuse(archive, entry.filename, "a link or a device")
    if entry.flag_bits & 1:
        raise _refuse(archive, entry.filename, "which is encrypted")
    # zipfile cuts a name at its first NUL; the name as it stands in the file counts.
    return _path(entry.orig_filename, archive)


# ------------------------------------------------------------------------------------------ tar


def _tar(raw: IO[bytes], archive: str, budget: _Budget) -> Iterator[_Member]:
    raw.seek(0)
    start = raw.read(6)
    raw.seek(0)
    openers: list[tuple[bytes, Any]] = [
        (b"\x1f\x8b", gzip.open),
        (b"BZh", bz2.open),
        (b"\xfd7zXZ\0", lzma.open),
    ]
    unpacker = next((opener for magic, opener in openers if start.startswith(magic)), None)
    stream: Any = unpacker(raw) if unpacker else raw
    careful: Any = _Careful(stream, budget)
    with tarfile.open(fileobj=careful, mode="r:") as opened:
        for entry in opened:
            yield _tar_member(opened, entry, archive)


def _tar_member(opened: tarfile.TarFile, entry: tarfile.TarInfo, archive: str) -> _Member:
    if not (entry.isreg() or entry.isdir()):
        raise _refuse(archive, entry.name, "a link or a device")
    if entry.isdir() and entry.name.strip("./") == "" and ".." not in entry.name:
        return _Member(PurePosixPath("."), 0, None)
    path = _path(entry.name, archive)
    judge = getattr(tarfile, "data_filter", None)  # Python 3.11.4 brought it
    if judge is not None:
        judge(entry, "/nowhere")
    return _Member(path, entry.size, None if entry.isdir() else opened.extractfile(entry))


class _Careful:
    """A stream for tarfile that gives no huge pieces: a header may claim to be gigabytes long."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int) -> bytes:
        """At most `LARGEST_READ` bytes at once."""
        if size > LARGEST_READ:
            raise DownloadRefused(
                f"{self._budget.name} has a header of {bytes_text(size)}; it was not unpacked"
            )
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        """Go forward, and not beyond what may come out: skipping unpacks as reading does."""
        if position > self._budget.most + 2**20 * max(1, self._budget.files):
            self._budget.take(position - self._budget.taken)
        return self._stream.seek(position)

    def tell(self) -> int:
        """Where it stands."""
        return self._stream.tell()
