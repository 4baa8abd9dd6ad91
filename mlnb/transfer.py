"""One file over http, into a part file: shown, capped, resumed after a cut, and interruptible.

A server may cut the line, ignore a range, or have another version by the time one goes on. So a
part file is added to only where the server confirms that it is still the same file (`If-Range`), or
where its sha256 is known and will tell in the end; otherwise it begins anew.
"""

from __future__ import annotations

import errno
import http.client
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mlnb._version import __version__
from mlnb.cache import sync, write_whole
from mlnb.errors import DownloadError, DownloadRefused
from mlnb.formatting import bytes_text, display_text
from mlnb.progress import progress

TIMEOUT = 30.0
"""Seconds of silence until a connection counts as cut."""
ATTEMPTS = 4
"""How often in a row it is tried without a byte of progress."""
PAUSE_SECONDS = 0.5
CHUNK = 256 * 1024
UNIT = 1000

_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_PAGE = re.compile(rb"(?i)\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype html|html|head)\b", re.S)
_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class Transfer:
    """What is to be fetched, and how.

    Args:
        url: an http or https address.
        part: the file that grows.
        limit: bytes that are taken at most.
        verified: whether a sha256 will judge the whole, so that any server's range will do.
        tell: takes the lines for people.
    """

    url: str
    part: Path
    limit: int
    verified: bool
    tell: Callable[[str], object]

    @property
    def name(self) -> str:
        """The file's name without `.part`."""
        return self.part.name.removesuffix(".part")

    @property
    def got(self) -> int:
        """Bytes that are here."""
        return self.part.stat().st_size if self.part.exists() else 0

    @property
    def note(self) -> Path:
        """What is known of the part: the server's mark for the version it belongs to."""
        return self.part.with_name(f"{self.part.name}.json")


class _Cut(Exception):
    """The line broke; another attempt may go on."""


def transfer(job: Transfer) -> None:
    """Fetch until the part file is whole.

    Raises:
        DownloadError: it cannot be reached, or broke off again and again; what came is kept.
        DownloadRefused: it is too large, or a web page stands in its place.
        KeyboardInterrupt: what came is kept.
    """
    failures, told = 0, False
    while True:
        before = job.got
        try:
            told = _attempt(job, told, first=not told)
            return
        except _Cut as cut:
            told = True
            failures = 0 if job.got > before else failures + 1
            if failures >= ATTEMPTS:
                raise DownloadError(f"{_shown(job.url)}: {cut}{_kept(job)}") from cut.__cause__
        except KeyboardInterrupt:
            job.tell(f"interrupted{_kept(job)}")
            raise
        time.sleep(PAUSE_SECONDS * 2**failures)


def _attempt(job: Transfer, told: bool, first: bool) -> bool:
    """One request, and its body into the part file."""
    mark = _mark(job)
    offset = job.got if mark or job.verified else 0
    with _open(job, offset, mark, first) as response:
        start = _start(job, response, offset)
        total = _total(response, start)
        if not told:
            size = "size unknown" if total is None else bytes_text(total)
            again = f", going on from {bytes_text(start)}" if start else ""
            job.tell(f"downloading {_shown(job.url)} ({size}{again})")
        _check_size(job, start, total)
        if start == 0:
            _begin(job, response.headers)
        _receive(job, response, start, total)
    return True


# ---------------------------------------------------------------------------------- the request


class _Redirects(HTTPRedirectHandler):
    """Follows to http and https only, and never from the safe one to the other."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise DownloadRefused(
                f"{_shown(req.full_url)} sends on to {_shown(newurl)}; only http and https are "
                "followed, and never from https to http"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(job: Transfer, offset: int, mark: str, first: bool) -> Any:
    headers = {"User-Agent": f"mlnb/{__version__}", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if mark:
            headers["If-Range"] = mark
    address, host = _shown(job.url), display_text(urlsplit(job.url).netloc)
    try:
        return build_opener(_Redirects).open(Request(job.url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the part is longer than the file has become
            job.part.unlink(missing_ok=True)
            raise _Cut("the file there has changed") from error
        answer = f"{host} answers {error.code} {display_text(str(error.reason).splitlines()[0])}"
        if error.code in _TEMPORARY:
            raise _Cut(answer) from error
        if 300 <= error.code < 400:
            raise DownloadError(f"{address} sends on and on, or nowhere: {answer}") from error
        raise DownloadError(f"{answer} for {address}; check the address") from error
    except URLError as error:
        why = display_text(str(error.reason), 200)
        if not first:
            raise _Cut(f"{host} is out of reach: {why}") from error
        raise DownloadError(
            f"cannot reach {host}: {why}; is this machine online, and the address right? {address}"
        ) from error
    except (http.client.InvalidURL, ValueError) as error:
        raise DownloadError(f"{address} is no address: {display_text(str(error))}") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _Cut(f"{host} breaks off: {_why(error)}") from error


def _mark(job: Transfer) -> str:
    """What the server called the version that the part belongs to; empty where nothing is known."""
    try:
        return str(json.loads(job.note.read_text(encoding="utf-8"))["mark"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _start(job: Transfer, response: Any, offset: int) -> int:
    """Where the body begins: at `offset`, or at 0 where the server sends all of it."""
    if response.status != 206:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != offset:
        job.part.unlink(missing_ok=True)
        raise _Cut("the server sends another range than the one that was asked for")
    return offset


def _total(response: Any, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


# ------------------------------------------------------------------------------------- the body


def _check_size(job: Transfer, start: int, total: int | None) -> None:
    """Refuse what is too large before it comes, by the limit and by the disk."""
    if total is None:
        return
    if total > job.limit:
        raise _too_large(job, total, str(total))
    free = shutil.disk_usage(job.part.parent).free
    if total - start > free:
        raise DownloadError(
            f"{job.name} needs {bytes_text(total - start)}, and {job.part.parent} has only "
            f"{bytes_text(free)} left; free some, or set MLNB_CACHE to a folder on another disk"
        )


def _too_large(job: Transfer, size: int, want: str) -> DownloadRefused:
    return DownloadRefused(
        f"{job.name} has {bytes_text(size)}, the limit is {bytes_text(job.limit)}; if you want it "
        f"all the same: mlnb.download(url, limit={want})"
    )


def _begin(job: Transfer, headers: Message) -> None:
    """An empty part, and then the mark of its version: never the new mark with old bytes."""
    job.note.unlink(missing_ok=True)
    job.part.write_bytes(b"")
    mark = headers.get("ETag", "")
    if not mark.startswith('"'):  # a weak mark does not promise the same bytes
        mark = headers.get("Last-Modified", "")
    if mark:
        write_whole(job.note, json.dumps({"mark": mark}).encode())


def _receive(job: Transfer, response: Any, start: int, total: int | None) -> None:
    got = start
    with (
        _disk(job),
        job.part.open("r+b") as file,
        progress(f"{job.name} (kB)", (total or 0) // UNIT) as show,
    ):
        file.seek(start)
        file.truncate()
        while block := _block(response):
            if got == 0:
                _look_at(job, block)
            got += len(block)
            if got > job.limit:
                job.part.unlink()
                raise _too_large(job, got, "BYTES")
            file.write(block)
            show(got // UNIT)
        file.flush()
        sync(file.fileno())
    if total is not None and got < total:
        raise _Cut(f"the connection was cut after {bytes_text(got)} of {bytes_text(total)}")


def _block(response: Any) -> bytes:
    try:
        return bytes(response.read1(CHUNK))
    except (http.client.HTTPException, OSError) as error:
        raise _Cut(f"the connection was cut: {_why(error)}") from error


def _look_at(job: Transfer, block: bytes) -> None:
    """Refuse a page of words in place of the file: a login, a notice, a pointer."""
    page = _PAGE.match(block) and not job.name.lower().endswith((".html", ".htm", ".xhtml"))
    if page or block.startswith(_POINTER):
        what = "a web page" if page else "a pointer of Git LFS"
        raise DownloadRefused(
            f"{_shown(job.url)} gives {what} in place of {job.name}; open the address in a "
            "browser to see what it says, and download from the one that gives the file itself"
        )


@contextmanager
def _disk(job: Transfer) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DownloadError(
            f"the disk is full at {job.part.parent}, or a quota is reached{_kept(job)}; free some, "
            "or set MLNB_CACHE to a folder on another disk"
        ) from error


def _kept(job: Transfer) -> str:
    got = job.got
    return f"; {bytes_text(got)} are kept, and the same call goes on from there" if got else ""


def _why(error: BaseException) -> str:
    return display_text(str(error) or type(error).__name__, 200)


def _shown(url: str) -> str:
    return display_text(url, 300)
