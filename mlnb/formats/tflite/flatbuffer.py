"""The tables of a flatbuffer, read in windows, every offset held against the file: `Flatbuffer`.

A flatbuffer is a web of offsets, and a hostile one points anywhere: outside, into itself, or a
million times at the same vector. Nothing here recurses (the schema of the format decides how deep a
reader goes), a table is read only where it lies wholly inside, and all that is read together may be
no more than a few times the file, so that overlapping vectors cost no more than honest ones.

The encoding: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct, unpack
from typing import TYPE_CHECKING, Any

from mlnb.formats.wire import Broken, text
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Read

BYTE, BOOL, SHORT, INT, UINT = Struct("<b"), Struct("<?"), Struct("<h"), Struct("<i"), Struct("<I")
UBYTE, LONG, ULONG, FLOAT = Struct("<B"), Struct("<q"), Struct("<Q"), Struct("<f")

Span = tuple[int, int]
"""`(start, length)` in the file, in bytes."""

_PAGE = 16 * 1024
_PAGES_KEPT = 4096
_OVERLAP, _SMALL = 16, 64 * 1024


class Flatbuffer:
    """The flatbuffer in a file, from its first byte.

    >>> Flatbuffer(read, size).root().text(3)
    'MLIR Converted.'

    Args:
        read: from `Source.reading`.
        size: of the file, in bytes.
        limits: `structure_bytes` holds for all that is read, `values` for the elements of vectors.
        start: where the flatbuffer begins in the file; offsets in errors are the file's.
    """

    def __init__(self, read: Read, size: int, limits: Limits = LIMITS, start: int = 0) -> None:
        self.read = read
        self._limits = limits
        self.start = start
        self.size = size
        self._pages: dict[int, bytes] = {}
        self._layouts: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._texts: dict[int, str] = {}
        self._spent = 0
        self._allowed = min(_OVERLAP * size + _SMALL, limits.structure_bytes)
        self._elements = 0

    def root(self) -> Table:
        """The table that the first four bytes point to."""
        return self.table(self.pointed(self.start))

    def identifier(self) -> bytes:
        """The four bytes that name the schema, such as `b"TFL3"`."""
        return self.slice(self.start + 4, 4)

    def slice(self, start: int, length: int) -> bytes:
        """`length` bytes from `start`.

        Raises:
            Broken: they lie outside the file, or more has been read than a file without
                overlapping tables holds.
            LimitExceeded: more has been read than `limits.structure_bytes`.
        """
        if start < self.start or length < 0 or start + length > self.size:
            raise Broken(start, f"it points to {length:,} bytes that lie outside the file")
        self._spent += length
        if self._spent > self._allowed:
            self._limits.check("structure_bytes", self._spent, "the file's tables")
            raise Broken(start, "its tables overlap, so that the same bytes are read over and over")
        page, offset = divmod(start, _PAGE)
        if offset + length > _PAGE:
            return self.read(start, length)
        return (self._pages.get(page) or self._fill(page))[offset : offset + length]

    def pointed(self, position: int) -> int:
        """Where the offset at `position` points to."""
        target: int = position + UINT.unpack(self.slice(position, 4))[0]
        return target

    def table(self, position: int) -> Table:
        """The table at `position`."""
        layout = position - INT.unpack(self.slice(position, 4))[0]
        if layout not in self._layouts:
            self._layouts[layout] = self._layout(layout)
        size, offsets = self._layouts[layout]
        return Table(self, position, self.slice(position, size), offsets)

    def vector(self, position: int, width: int) -> Span:
        """The elements of the vector at `position`, each of `width` bytes; they are not read."""
        count: int = UINT.unpack(self.slice(position, 4))[0]
        if position + 4 + count * width > self.size:
            raise Broken(position, f"a vector of {count:,} elements goes on behind the file's end")
        return position + 4, count * width

    def counted(self, count: int) -> None:
        """Note that a vector of `count` elements is about to become Python's objects."""
        self._elements += count
        if self._elements > self._limits.values:
            self._limits.check("values", self._elements, "the elements of the file's vectors")

    def text(self, position: int) -> str:
        """The string at `position`, once for all that point to it."""
        found = self._texts.get(position)
        if found is None:
            start, length = self.vector(position, 1)
            self.counted(1)
            found = self._texts[position] = text(self.slice(start, length))
        return found

    def _layout(self, position: int) -> tuple[int, tuple[int, ...]]:
        """The vtable at `position`: how long its tables are, and where in them each field lies."""
        length, size = unpack("<HH", self.slice(position, 4))
        if length < 4 or length % 2 or size < 4:
            raise Broken(position, "a table has a layout that is none")
        return size, unpack(f"<{length // 2 - 2}H", self.slice(position + 4, length - 4))

    def _fill(self, page: int) -> bytes:
        if len(self._pages) >= _PAGES_KEPT:
            self._pages.clear()
        start = page * _PAGE
        data = self._pages[page] = self.read(start, min(_PAGE, self.size - start))
        return data


class Table:
    """One table; its fields are asked for by number, in the order of the schema, from 0.

    Args:
        buffer: what it lies in.
        position: where, in bytes.
        data: its own bytes.
        offsets: where in `data` each field lies; 0 for one that is left out.
    """

    __slots__ = ("_buffer", "_data", "_offsets", "position")

    def __init__(
        self, buffer: Flatbuffer, position: int, data: bytes, offsets: tuple[int, ...]
    ) -> None:
        self._buffer = buffer
        self._data = data
        self._offsets = offsets
        self.position = position

    def has(self, field: int) -> bool:
        """Whether the field is there at all."""
        return field < len(self._offsets) and self._offsets[field] != 0

    def number(self, field: int, kind: Struct = INT, default: float = 0) -> int:
        """An integer, or a bool as one; the default where the field is left out."""
        return int(self.real(field, kind, default))

    def real(self, field: int, kind: Struct = FLOAT, default: float = 0.0) -> float:
        """A number as it stands."""
        offset = self._offsets[field] if field < len(self._offsets) else 0
        if not offset:
            return default
        if offset + kind.size > len(self._data):
            raise self._outside(field)
        value: float = kind.unpack_from(self._data, offset)[0]
        return value

    def text(self, field: int) -> str:
        """A string; empty where the field is left out."""
        position = self._pointed(field)
        return self._buffer.text(position) if position else ""

    def table(self, field: int) -> Table | None:
        """A table inside this one."""
        position = self._pointed(field)
        return self._buffer.table(position) if position else None

    def tables(self, field: int) -> Iterator[Table]:
        """The tables of a vector, in order."""
        start, count = self.rows(field)
        return (self.row(start, i) for i in range(count))

    def rows(self, field: int) -> tuple[int, int]:
        """Where the offsets of a vector of tables begin, and how many there are."""
        start, length = self.span(field, 4)
        return start, length // 4

    def row(self, start: int, index: int) -> Table:
        """The table with that index in a vector of tables, from where `rows` says it begins."""
        self._buffer.counted(1)
        return self._buffer.table(self._buffer.pointed(start + 4 * index))

    def numbers(self, field: int, code: str = "i") -> Sequence[int]:
        """A vector of integers, by `struct`'s letter for one of them."""
        return self._elements(field, code)

    def reals(self, field: int, code: str = "f") -> Sequence[float]:
        """A vector of floats, by `struct`'s letter."""
        return self._elements(field, code)

    def span(self, field: int, width: int = 1) -> Span:
        """Where the elements of a vector lie; `(0, 0)` where the field is left out."""
        position = self._pointed(field)
        return self._buffer.vector(position, width) if position else (0, 0)

    def _elements(self, field: int, code: str) -> tuple[Any, ...]:
        width = Struct("<" + code).size
        start, length = self.span(field, width)
        if not length:
            return ()
        self._buffer.counted(length // width)
        return unpack(f"<{length // width}{code}", self._buffer.slice(start, length))

    def _pointed(self, field: int) -> int:
        offset = self._offsets[field] if field < len(self._offsets) else 0
        if not offset:
            return 0
        if offset + 4 > len(self._data):
            raise self._outside(field)
        target: int = self.position + offset + UINT.unpack_from(self._data, offset)[0]
        return target

    def _outside(self, field: int) -> Broken:
        return Broken(self.position, f"field {field} of a table lies outside it")
