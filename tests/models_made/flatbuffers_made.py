"""Writes flatbuffers by hand: a table is a dict of its fields by number.

Scalars are `(struct letter, value)`, tables dicts, text `str`; a list is a vector of tables, texts,
or int32, and `(struct letter, [values])` one of any other scalar. Bytes are a vector of bytes.
"""

from __future__ import annotations

import struct
from typing import Any

Fields = dict[int, Any]


def flatbuffer(root: Fields, identifier: bytes = b"") -> bytes:
    """The flatbuffer with this root table; what points stands before what it points to."""
    out = bytearray(4 + len(identifier))
    out[4:] = identifier
    waiting: list[tuple[int, Any]] = [(0, root)]
    while waiting:
        place, value = waiting.pop(0)
        position, pointers = _write(out, value)
        out[place : place + 4] = struct.pack("<I", position - place)
        waiting += pointers
    return bytes(out)


def _write(out: bytearray, value: Any) -> tuple[int, list[tuple[int, Any]]]:
    if isinstance(value, dict):
        return _table(out, value)
    if isinstance(value, str):
        raw = value.encode()
        return _vector(out, len(raw), raw + b"\0"), []
    if isinstance(value, bytes):
        return _vector(out, len(value), value), []
    if isinstance(value, tuple):
        code, numbers = value
        return _vector(out, len(numbers), struct.pack(f"<{len(numbers)}{code}", *numbers)), []
    if not value or isinstance(value[0], int):
        return _vector(out, len(value), struct.pack(f"<{len(value)}i", *value)), []
    position = _vector(out, len(value), bytes(4 * len(value)))
    return position, [(position + 4 + 4 * i, each) for i, each in enumerate(value)]


def _vector(out: bytearray, count: int, content: bytes) -> int:
    """A vector whose elements begin at a multiple of 16, as TFLite wants its buffers."""
    out += bytes(-(len(out) + 4) % 16)
    position = len(out)
    out += struct.pack("<I", count) + content
    return position


def _table(out: bytearray, fields: Fields) -> tuple[int, list[tuple[int, Any]]]:
    places: dict[int, int] = {}
    size = 4
    for field, value in sorted(fields.items(), key=lambda item: -_width(item[1])):
        size += -size % _width(value)
        places[field] = size
        size += _width(value)
    layout = [places.get(field, 0) for field in range(max(fields, default=-1) + 1)]
    out += bytes(-len(out) % 2)
    start = len(out)
    out += struct.pack(f"<{2 + len(layout)}H", 4 + 2 * len(layout), size, *layout)
    out += bytes(-len(out) % 8)
    position = len(out)
    out += bytes(size)
    struct.pack_into("<i", out, position, position - start)
    pointers = []
    for field, place in places.items():
        value = fields[field]
        if _is_scalar(value):
            struct.pack_into("<" + value[0], out, position + place, value[1])
        else:
            pointers.append((position + place, value))
    return position, pointers


def _is_scalar(value: Any) -> bool:
    return isinstance(value, tuple) and not isinstance(value[1], list | tuple)


def _width(value: Any) -> int:
    return struct.calcsize("<" + value[0]) if _is_scalar(value) else 4
