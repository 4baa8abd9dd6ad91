"""What a file looks like that is no model which this version reads: `looks_like`.

Asked only after reading has failed, since the first bytes of a model can be anything: a file whose
producer is called TFL3 begins like a TFLite model. The answers end a sentence: "it looks like …".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formats.wire import VARINT, Broken, Window, key
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.formats.source import Source

_HEAD = 4096
_CUT_OFF = "an ONNX model that is cut off"

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a Git-LFS pointer, not the file itself; run: git lfs pull"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (b"GGUF", "a GGUF model that is damaged"),
    (b"GGML", "a GGML model, the format before GGUF; convert it first"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a program or library (ELF)"),
)


def no_model(source: Source, reason: str) -> ModelFormatError:
    """The error for a file that is no model: its name, what it looks like, and what is wrong.

    >>> raise no_model(Source.of(b"<html>"), "it ends without a graph")
    ModelFormatError: bytes is no model that mlnb reads; it looks like an HTML page …
    """
    name = display_text(source.name, 60)
    looks = looks_like(source)
    if looks is None or looks == _CUT_OFF:
        also = "" if looks is None else f"; it looks like {looks}"
        return ModelFormatError(f"{name} cannot be read as ONNX{also}: {reason}")
    return ModelFormatError(
        f"{name} is no model that mlnb reads; it looks like {looks} (as ONNX: {reason})"
    )


def looks_like(source: Source) -> str | None:
    """What the first bytes say, in words; `None` where they say nothing."""
    head = source.read(0, min(_HEAD, source.size))
    if not head:
        return "an empty file"
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    guesses = (guess(head, source) for guess in _GUESSES)
    return next((what for what in guesses if what), None)


def _zeros(head: bytes, source: Source) -> str | None:
    return "zeros only, an unfinished download" if not head.strip(b"\0") else None


def _archive(head: bytes, source: Source) -> str | None:
    """A zip by the names of its first members; its directory is at its end and is not read."""
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    if not head.startswith(b"PK\x03\x04"):
        return None
    if head[30:].split(b"\0")[0][:64].count(b".npy"):
        return "NumPy arrays (.npz)"
    return "a zip archive; unpack it first"


def _flatbuffer(head: bytes, source: Source) -> str | None:
    kinds = {b"TFL3": "a TFLite model that is damaged", b"ORTM": "an ONNX Runtime model (.ort)"}
    return kinds.get(head[4:8])


def _text(head: bytes, source: Source) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:256].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "an HTML page, perhaps the error page of a download"
    if start.startswith((b"<?xml", b"<!--")) or re.match(rb"<[a-z]+[ >]", start):
        return "an XML or HTML file"
    if start.startswith((b"{", b"[")):
        return "a JSON file"
    if re.match(rb"<\s*ir_version", start):
        return "ONNX written as text; onnx.parser reads it"
    if all(byte >= 32 or byte in b"\t\n\r\f" for byte in head) and b"\0" not in head:
        return "a text file"
    return None


def _protobuf(head: bytes, source: Source) -> str | None:
    """Other protobufs by their outermost fields, and the beginning of an ONNX model."""
    contents: dict[int, bytes] = {}
    with source.reading() as read:
        window = Window(read, source.size)
        with suppress(Broken):
            for tag, start, stop in islice(window.fields(0, source.size), 64):
                contents.setdefault(tag, window.slice(start, min(stop, start + 64)))
    tags = set(contents)
    if re.match(rb"\x0a.[\w./\-]+\x12.[\w>]+", contents.get(key(1), b""), re.DOTALL):
        return "a TensorFlow graph that is damaged"
    if key(1, VARINT) not in tags:
        return None
    if contents.get(key(2), b"")[:1] in (b"\x0a", b"\x12"):
        return "a TensorFlow SavedModel that is damaged"
    if key(2, VARINT) in tags:
        return "a single tensor of ONNX, not a model"
    if tags <= _ONNX:
        return _CUT_OFF
    return None


_ONNX = {key(1, VARINT), key(5, VARINT), *map(key, (2, 3, 4, 6, 7, 8, 14, 20, 25, 26))}

_GUESSES: tuple[Callable[[bytes, Source], str | None], ...] = (
    _zeros,
    _archive,
    _flatbuffer,
    _text,
    _protobuf,
)
