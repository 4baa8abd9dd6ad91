"""Files from elsewhere: `download`, which asks the network only because somebody asked for it.

Whoever published a file's sha256 is believed; where nobody did, the first download is pinned: its
sha256 is written beside it, and whatever comes later must be the same. That does not prove the
first one right, so it is said.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from mlnb.cache import DOWNLOADS, cache_folder, file_sha256, locked, put, write_whole, writing
from mlnb.errors import DownloadError, DownloadRefused, MlnbError
from mlnb.formatting import display_text
from mlnb.transfer import Transfer, transfer

LIMIT = 4 * 2**30
PIN = "pin.json"

_SHA256 = re.compile(r"[0-9a-f]{64}")


def download(
    url: str,
    *,
    sha256: str | None = None,
    limit: int = LIMIT,
    tell: Callable[[str], object] = print,
) -> Path:
    """Bring a file into the cache, or find it there; the path it has on this machine.

    The address and the size are printed first. An interrupt or a cut line loses nothing: the same
    call goes on where it stopped.

    >>> model = load_model(download("https://example.org/net.onnx"))

    Args:
        url: an http or https address of a file.
        sha256: what the file must have, in hexadecimal, as its publisher states it; without it
            the first download is pinned.
        limit: bytes that are taken at most; 4 GiB.
        tell: takes the lines that are otherwise printed.

    Raises:
        DownloadError: it cannot be reached, the disk is full, or `MLNB_OFFLINE=1` is set.
        DownloadRefused: it is too large, has another sha256, or is a web page.
    """
    address = _address(url)
    wanted = _checked(sha256)
    file = _place(address)
    with writing(file.parent), locked(file.parent / "lock", _waiting(file, tell)):
        expected = wanted or _pinned(file)
        if _is_here(file, expected, tell):
            return file
        if offline():
            raise DownloadError(
                f"{display_text(address, 300)} is not in the cache, and MLNB_OFFLINE is set, so "
                "nothing is asked of the network; unset it"
            )
        part = file.with_name(f"{file.name}.part")
        job = Transfer(address, part, limit, expected is not None, tell)
        begun = job.got > 0
        transfer(job)
        came = file_sha256(part)
        if begun and expected not in (None, came):  # what was left here may be what is wrong
            part.unlink()
            transfer(job)
            came = file_sha256(part)
        if expected is not None and came != expected:
            part.unlink()
            raise _another(address, file, came, expected, published=wanted is not None)
        _pin(file, address, came)
        put(part, file)
        job.note.unlink(missing_ok=True)
        if expected is None:
            tell(
                f"no published sha256 of {display_text(file.name)} is known; pinned what came "
                f"({came}): a later download that differs will be refused"
            )
    return file


def offline() -> bool:
    """Whether `MLNB_OFFLINE` is set to anything but 0: then the network is never asked."""
    return os.environ.get("MLNB_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def forget(url: str) -> None:
    """Delete a download, and keep what was pinned of it: for archives that have been unpacked."""
    _place(_address(url)).unlink(missing_ok=True)


def is_address(text: str) -> bool:
    """Whether a text means something on the network: `https://…`, but not `C:\\net.onnx`.

    >>> is_address("https://example.org/net.onnx")
    True
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


# ------------------------------------------------------------------------------------ addresses


def _address(url: str) -> str:
    """The address in plain ASCII.

    Raises:
        DownloadError: it is none, of another kind than http, or bears a password.
    """
    shown = display_text(url, 300)
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
        host = host.encode("idna").decode("ascii") if host and not host.isascii() else host
    except ValueError as error:
        raise DownloadError(f"{shown} is no address: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise DownloadError(
            f"expected an address that begins with https:// or http://; got {shown}"
        )
    if parts.username is not None:
        raise DownloadError(
            f"the address for {display_text(host)} bears a name or a password, which would be "
            "shown and kept; download it with a tool that you trust with it, and load the file"
        )
    host = f"[{host}]" if ":" in host else host
    netloc = host if port is None else f"{host}:{port}"
    path = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*[]")
    query = quote(parts.query, safe="/%:=&~+!$,;'@()*[]?")
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _place(address: str) -> Path:
    """Where a download of that address lies: a folder of its own, and in it the file's name."""
    folder = hashlib.sha256(address.encode()).hexdigest()[:16]
    last = unquote(urlsplit(address).path).replace("\\", "/").rpartition("/")[2]
    name = re.sub(r"[^\w.+()@=-]+", "_", last).strip("._")[-100:]
    return cache_folder() / DOWNLOADS / folder / (name or "download")


# --------------------------------------------------------------------------------------- hashes


def _checked(sha256: str | None) -> str | None:
    if sha256 is None or _SHA256.fullmatch(sha256.lower()):
        return sha256 and sha256.lower()
    raise MlnbError(f"a sha256 has 64 hexadecimal digits; got {display_text(sha256)!r}")


def _is_here(file: Path, expected: str | None, tell: Callable[[str], object]) -> bool:
    if not file.is_file():
        return False
    if expected is not None and file_sha256(file) == expected:
        return True
    tell(f"{display_text(file.name)} in the cache is not what it should be; it is downloaded again")
    return False


def _pinned(file: Path) -> str | None:
    try:
        pin = json.loads((file.parent / PIN).read_text(encoding="utf-8"))
        sha256 = str(pin["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sha256 if _SHA256.fullmatch(sha256) else None


def _pin(file: Path, address: str, sha256: str) -> None:
    pin = {"url": address, "sha256": sha256, "date": datetime.now(UTC).date().isoformat()}
    write_whole(file.parent / PIN, json.dumps(pin, indent=1).encode())


def _another(
    address: str, file: Path, came: str, expected: str, *, published: bool
) -> DownloadRefused:
    if published:
        remedy = "the file was damaged on its way, or replaced there: do not use it"
        which = "expected"
    else:
        remedy = (
            f"if its publisher replaced it on purpose, delete {file.parent / PIN} and try again"
        )
        which = "pinned at the first download"
    return DownloadRefused(
        f"{display_text(address, 300)} has the sha256 {came}, {which} was {expected}; {remedy}"
    )


# --------------------------------------------------------------------------------------- around


def _waiting(file: Path, tell: Callable[[str], object]) -> Callable[[], object]:
    name = display_text(file.name)
    return lambda: tell(f"another process is downloading {name}; waiting for it")
