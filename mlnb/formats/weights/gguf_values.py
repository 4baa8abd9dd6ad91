"""Numbers, strings and typed values of GGUF, read through a buffer, and the values as short text.

An array is walked to its end, since nothing tells its length in bytes, and shown by its first
elements. Arrays may nest; their nesting is capped.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

from mlnb.errors import LimitExceeded
from mlnb.formats.wire import Broken
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Read

SHOWN = 8
"""Elements of an array that are shown."""
LONGEST = 1_000
"""Characters of a string that are shown."""
VERSIONS = (2, 3)

_STEP = 1 << 18
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?"}
_NUMBERS |= {10: "Q", 11: "q", 12: "d"}


class Values:
    """A walk through the front part of a GGUF file.

    Args:
        read: from `Source.reading`.
        size: of the file, in bytes.
        limits: `structure_bytes` caps the walk, `depth` the nesting of arrays.
    """

    def __init__(self, read: Read, size: int, limits: Limits = LIMITS) -> None:
        self.position = 0
        self.order: Literal["little", "big"] = "little"
        self._read = read
        self._size = size
        self._limits = limits
        self._base = 0
        self._buffer = b""

    def version(self) -> int:
        """The version, which also tells the order of the bytes.

        Raises:
            Broken: it is none that is read.
        """
        raw = self.take(4)
        orders: tuple[Literal["little", "big"], ...] = ("little", "big")
        for order in orders:
            version = int.from_bytes(raw, order)
            if version in VERSIONS:
                self.order = order
                return version
        version = int.from_bytes(raw, "little")
        raise Broken(4, f"it is of version {version:,}; versions 2 and 3 are read")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        start = self.position - self._base
        if start + count > len(self._buffer):
            if self.position + count > self._size:
                raise Broken(self.position, "it is cut off")
            self._limits.check(
                "structure_bytes", self.position + count, "what precedes the tensors"
            )
            self._base, start = self.position, 0
            length = min(max(count, _STEP), self._size - self.position)
            self._buffer = self._read(self.position, length)
        self.position += count
        return self._buffer[start : start + count]

    def skip(self, count: int) -> None:
        """Go on behind bytes that nobody wants to see."""
        if self.position + count > self._size:
            raise Broken(self.position, "it is cut off")
        self.position += count
        if self.position > self._base + len(self._buffer):
            self._base, self._buffer = self.position, b""

    def number(self, size: int) -> int:
        """A number without a sign."""
        return int.from_bytes(self.take(size), self.order)

    def text(self) -> str:
        """A string; one longer than `limits.name_length` is an error."""
        length = self.number(8)
        self._limits.check("name_length", length, "a name in the file")
        return self.take(length).decode("utf-8", "backslashreplace")

    def value(self) -> str:
        """A typed value, as text."""
        return self._value(self.number(4), 0)

    def _value(self, kind: int, depth: int) -> str:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array(depth + 1)
        letter = _NUMBERS.get(kind)
        if letter is None:
            raise Broken(self.position, f"a value has the type {kind}, which is unknown")
        code = ("<" if self.order == "little" else ">") + letter
        found = struct.unpack(code, self.take(struct.calcsize(code)))[0]
        return f"{found:.7g}" if isinstance(found, float) else str(found)

    def _string(self) -> str:
        """A string, of which only the beginning is kept."""
        length = self.number(8)
        if length > self._size - self.position:
            raise Broken(self.position, "it is cut off")
        kept = self.take(min(length, 4 * LONGEST))
        self.skip(length - len(kept))
        text = kept.decode("utf-8", "replace")
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"

    def _array(self, depth: int) -> str:
        if depth > min(self._limits.depth, 100):
            raise LimitExceeded(f"arrays nest more than {depth - 1} deep in its metadata")
        kind, count = self.number(4), self.number(8)
        size = struct.calcsize("<" + _NUMBERS[kind]) if kind in _NUMBERS else 0
        # An element takes a byte at least, a string or an array more: no count is believed beyond.
        if count * (size or 8) > self._size - self.position:
            raise Broken(self.position, f"an array of {count:,} elements is cut off")
        shown = [self._value(kind, depth) for _ in range(min(count, SHOWN))]
        rest = count - len(shown)
        if size:
            self.skip(rest * size)
        else:
            self._limits.check("values", rest, "the elements of an array")
            for _ in range(rest):
                self._pass(kind, depth)
        more = f", … ({count:,} values)" if rest else ""
        return f"[{', '.join(shown)}{more}]"

    def _pass(self, kind: int, depth: int) -> None:
        """Go on behind a string or an array."""
        if kind == _STRING:
            self.skip(self.number(8))
        else:
            self._value(kind, depth)
