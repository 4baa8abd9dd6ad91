"""The wire format of protobuf, walked without a schema: tags, lengths, and where each field lies.

Two walkers with one yield: `fields` over bytes in memory and `Window.fields` over a file. A length
is believed only after it has been compared with what is left.

The encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Read

Field = tuple[int, int, int]
"""`(tag, start, stop)`: the tag holds number and wire type; the content is `data[start:stop]`."""

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5

_HEADER = 20
"""The longest tag and length, in bytes; a window that holds fewer is filled anew."""


class Broken(Exception):
    """The bytes stop making sense: where, and why. The format's reader makes an error of it."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(position, reason)
        self.position = position
        self.reason = reason


def key(number: int, wire_type: int = LEN) -> int:
    """The tag of a field: `key(7)` for a message or a string in field 7."""
    return number << 3 | wire_type


def varint(data: bytes, position: int, stop: int) -> tuple[int, int]:
    """The unsigned number at `position`, and where it ends."""
    value = shift = 0
    start = position
    while position < stop:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
        if shift > 63:
            raise Broken(start, "a number has more than ten bytes")
    raise Broken(start, "a number is cut off")


def integer(data: bytes, start: int, stop: int) -> int:
    """The content of a field as a signed number of 64 bits; 0 where it is none."""
    if start == stop:
        return 0
    value = varint(data, start, stop)[0]
    return value - (1 << 64) if value >> 63 else value


def text(data: bytes) -> str:
    r"""`data` as text; bytes that are no UTF-8 become `\xff`, so that any writer can take it."""
    return data.decode("utf-8", "backslashreplace")


def encode_varint(value: int) -> bytes:
    """`value`, which is not negative, as a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(number: int, content: bytes) -> bytes:
    """A message, string or bytes field."""
    return encode_varint(key(number)) + encode_varint(len(content)) + content


def fields(data: bytes, position: int, stop: int) -> Iterator[Field]:
    """The fields of the message in `data[position:stop]`."""
    while position < stop:
        tag, start, end = field_at(data, position, stop)
        if end > stop or tag < 8:
            raise Broken(position, _overrun(tag, end - stop))
        yield tag, start, end
        position = end


def field_at(data: bytes, position: int, stop: int) -> Field:
    """The field that begins at `position`; its end is not compared with `stop` yet.

    Nearly every field has a tag of one byte and a length of one or two: these are read straight.
    """
    tag = data[position]
    if position + 2 < stop:
        low, high = data[position + 1], data[position + 2]
        if tag & 0x87 == LEN:
            if low < 0x80:
                return tag, position + 2, position + 2 + low
            if high < 0x80:
                start = position + 3
                return tag, start, start + (low & 0x7F | high << 7)
        elif tag & 0x87 == VARINT and low < 0x80:
            return tag, position + 1, position + 2
    tag, start = varint(data, position, stop)
    wire_type = tag & 7
    if wire_type == LEN:
        length, start = varint(data, start, stop)
        return tag, start, start + length
    if wire_type == VARINT:
        return tag, start, varint(data, start, stop)[1]
    if wire_type == FIXED32:
        return tag, start, start + 4
    if wire_type == FIXED64:
        return tag, start, start + 8
    raise Broken(position, f"no protobuf field begins with {tag:#x}")


class Window:
    """A walk over a file through a buffer, which grows on a steady walk and jumps over weights.

    Args:
        read: from `Source.reading`.
        size: of the file, in bytes.
        limits: `structure_bytes` holds for one slice.
    """

    SMALL, LARGE = 4 * 1024, 1024 * 1024

    def __init__(self, read: Read, size: int, limits: Limits = LIMITS) -> None:
        self._read = read
        self._size = size
        self._limits = limits
        self._base = 0
        self._buffer = b""
        self._step = self.SMALL

    def slice(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop` of the file."""
        first = start - self._base
        if first >= 0 and stop - self._base <= len(self._buffer):
            return self._buffer[first : stop - self._base]
        self._limits.check("structure_bytes", stop - start, "one field")
        return self._read(start, stop - start)

    def fields(self, position: int, stop: int) -> Iterator[Field]:
        """The fields of the message between two offsets; the offsets it yields are the file's."""
        while position < stop:
            offset = position - self._base
            if offset < 0 or offset + _HEADER > len(self._buffer):
                offset = self._fill(position)
            data, base = self._buffer, self._base
            try:
                tag, start, end = field_at(data, offset, min(stop - base, len(data)))
            except Broken as broken:
                raise Broken(base + broken.position, broken.reason) from None
            end += base
            if end > stop or tag < 8:
                raise Broken(position, _overrun(tag, end - stop))
            yield tag, base + start, end
            position = end

    def _fill(self, position: int) -> int:
        """Bring `position` into the buffer, more of it on a steady walk, and say where in it."""
        end = self._base + len(self._buffer)
        if end < self._size or position < self._base:
            near = self._base <= position <= end
            self._step = min(2 * self._step, self.LARGE) if near else self.SMALL
            self._buffer = self._read(position, min(self._step, self._size - position))
            self._base = position
        return position - self._base


def _overrun(tag: int, excess: int) -> str:
    if tag < 8:
        return "a field has the number 0"
    return f"field {tag >> 3} goes on for {excess:,} bytes more than there are"
