"""The bytes of a table's file, and its text: what may be opened, and which encoding it has.

A text is decoded strictly. A letter that is guessed wrong is found by nobody among thousands of
sentences, an error with its line is mended in a minute.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import zlib
from pathlib import Path

from mlnb.errors import DataError
from mlnb.formatting import bytes_text, display_text, first_line

NEWLINE = re.compile(r"\r\n|\r|\n")
"""What ends a line; `str.splitlines` knows more, among them letters that stand in sentences."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a zip file, as Excel's are; save the sheet as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an Excel file; save the sheet as CSV"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\0", "a database; use pandas.read_sql"),
)
_ANOTHER = (
    "if the file is from Windows or from Western Europe, say encoding='cp1252' or "
    "encoding='latin-1'"
)


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """What is in the file; of a gzipped one, what is in it unpacked.

    Raises:
        DataError: no such file, a folder, no regular file, one that is empty, too large or cut off.
    """
    name = display_text(str(path), 200)
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise DataError(f"{name} is a folder; read_table reads one file{_files(path)}")
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{name} is no regular file, and reading it might never end")
        _check_size(name, status.st_size, most_bytes)
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"no file at {name}") from error
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read: {first_line(error)}") from error
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content, name, most_bytes)
    if not content:
        raise DataError(f"{name} is empty")
    return content


def _files(folder: Path) -> str:
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    shown = ", ".join(display_text(name, 40) for name in names[:6])
    return f"; in it: {shown}" if shown else ""


def _check_size(name: str, nbytes: int, most_bytes: int) -> None:
    if nbytes > most_bytes:
        raise DataError(
            f"{name} has {bytes_text(nbytes)}, the limit is {bytes_text(most_bytes)}; if there is "
            f"memory for it, raise it: read_table(path, most_bytes={nbytes})"
        )


def _unpacked(content: bytes, name: str, most_bytes: int) -> bytes:
    """All members of a gzip file, and never more than the limit."""
    whole = bytearray()
    try:
        while content:
            member = zlib.decompressobj(wbits=31)
            whole += member.decompress(content, most_bytes + 1 - len(whole))
            _check_size(f"{name}, unpacked,", len(whole), most_bytes)
            if not member.eof:
                raise DataError(f"{name} is cut off: the gzip file has no end")
            content = member.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise DataError(f"{name} is no sound gzip file: {first_line(error)}") from error
    return bytes(whole)


def decode(content: bytes, encoding: str, name: str) -> tuple[str, str]:
    """The text without its byte order mark, and the encoding.

    Args:
        content: of the file.
        encoding: `"auto"`, by the mark and else UTF-8, or what Python calls it.
        name: of the file, for messages.

    Raises:
        DataError: bytes that the encoding has not, or NULs, with line and column.
    """
    for head, what in _NO_TEXT:
        if content.startswith(head):
            raise DataError(f"{name} is {what}")
    if encoding == "auto":
        encoding = next((of for mark, of in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        byte, remedy = content[error.start], _wide(content) or _ANOTHER
        raise DataError(
            f"{name}, {place(before, len(before))}: the byte 0x{byte:02X} is no "
            f"{encoding.upper()}; {remedy}"
        ) from error
    except (LookupError, UnicodeError, ValueError) as error:
        raise DataError(f"{name} cannot be decoded: {first_line(error)}") from error
    text = text.removeprefix("\ufeff")
    nul = text.find("\0")
    if nul >= 0:
        remedy = _wide(content) or "is it a table?"
        raise DataError(f"{name}, {place(text, nul)}: a NUL, which no text has; {remedy}")
    if not text.strip():
        raise DataError(f"{name} has nothing but white space")
    return text, encoding.removesuffix("-sig").upper()


def _wide(content: bytes) -> str:
    """A remedy, where every other byte is NUL."""
    head = content[:2000]
    for order, start in (("le", 1), ("be", 0)):
        if head[start::2].count(0) > 0.8 * len(head[start::2]):
            return f"it looks like encoding='utf-16-{order}'"
    return ""


def place(text: str, offset: int) -> str:
    """Where that is, both counted from 1: `line 3, column 7`."""
    last, line = 0, 1
    for newline in NEWLINE.finditer(text, 0, offset):
        last, line = newline.end(), line + 1
    return f"line {line:,}, column {offset - last + 1:,}"
