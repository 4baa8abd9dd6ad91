"""`Archive`: a zip file that is read where it lies: its directory, and single members.

The directory is walked here and not by `zipfile`, which builds an object for every entry before it
can be asked how many there are. Nothing is ever unpacked to disk, and no declared size is believed:
a member that yields more than the caller allows is an error.

The format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.6 to 4.5.3).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, NamedTuple

from mlnb.errors import LimitExceeded, ModelFormatError, unknown
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Source

BEGINNING = b"PK\x03\x04"
"""What a zip file begins with, unless it is empty or stands behind something else."""

_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_END = Struct("<4s4H2LH")
_END64 = Struct("<4sQ2H2L4Q")
_LOCATOR = Struct("<4sLQL")
_ENTRY = Struct("<4s6H3L5H2L")
_LOCAL = Struct("<4s5H3L2H")
_FULL = 0xFFFFFFFF


class Member(NamedTuple):
    """A file inside the archive, as the directory describes it.

    Args:
        name: with forward slashes, relative.
        size: unpacked, in bytes, as declared.
        packed: as stored, in bytes.
        method: 0 stored, 8 deflated; no other is read.
        header: where its local header begins in the file.
        crc: CRC-32 of the unpacked bytes.
        encrypted: whether it takes a password.
    """

    name: str
    size: int
    packed: int
    method: int
    header: int
    crc: int
    encrypted: bool


class Archive:
    """The members of a zip file, read one at a time.

    >>> Archive(Source.of("mnist.keras")).names
    ('metadata.json', 'config.json', 'model.weights.h5')

    Names that would lead out of the archive's folder (absolute, with `..`) are left out.

    Args:
        source: the file or bytes; the zip may stand behind something else, as in TFLite.
        limits: `values` caps the count of members, `structure_bytes` the directory.

    Raises:
        ModelFormatError: it is no zip file, is cut off, or names two members alike.
        LimitExceeded: it has more members than `limits` allows.
    """

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        self._source = source
        self._limits = limits
        self._members: dict[str, Member] = {}
        try:
            for member in self._directory():
                if _escapes(member.name):
                    continue
                if member.name in self._members:
                    raise self._broken(f"two members are called {_shown(member.name)}")
                self._members[member.name] = member
        except (StructError, IndexError) as error:
            raise self._broken("its directory is cut off") from error

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members, in the order of the directory; folders are not among them."""
        return tuple(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """The unpacked size that a member declares, in bytes.

        Raises:
            UnknownName: no member is called that.
        """
        return self._member(name).size

    def is_stored(self, name: str) -> bool:
        """Whether a member lies in the file as it is, so that `offset` leads to it."""
        member = self._member(name)
        return member.method == _STORED and not member.encrypted

    def read(self, name: str, most: int | None = None, *, checked: bool = True) -> bytes:
        """The unpacked bytes of a member.

        Args:
            name: of the member.
            most: bytes it may have; `limits.structure_bytes` without.
            checked: hold its CRC against it; PyTorch may write files without.

        Raises:
            UnknownName: no member is called that.
            LimitExceeded: it has more than `most` bytes, whatever it declares.
            ModelFormatError: it is damaged, encrypted, or packed by another method than deflate.
        """
        member = self._member(name)
        most = self._limits.structure_bytes if most is None else most
        if member.size > most:
            raise self._too_large(member, most)
        start = self._start(member)
        packed = self._source.read(start, member.packed)
        data = packed if member.method == _STORED else self._inflated(member, packed, most)
        if len(data) != member.size:
            raise self._broken(
                f"{_shown(name)} has {len(data):,} bytes; its directory says {member.size:,}"
            )
        if checked and zlib.crc32(data) != member.crc:
            raise self._broken(f"{_shown(name)} is damaged: its checksum does not fit")
        return data

    def offset(self, name: str) -> int:
        """Where the bytes of a stored member begin in the file.

        Raises:
            UnknownName: no member is called that.
            ModelFormatError: it is packed, so that its bytes do not lie in the file as they are.
        """
        member = self._member(name)
        if member.method != _STORED:
            raise self._broken(f"{_shown(name)} is packed and cannot be read by pieces")
        return self._start(member)

    def _member(self, name: str) -> Member:
        if name not in self._members:
            raise unknown("member of the archive", name, self._members)
        return self._members[name]

    def _start(self, member: Member) -> int:
        """Where a member's bytes begin, once its local header has been seen to be one."""
        if member.encrypted:
            raise self._broken(f"{_shown(member.name)} is encrypted")
        if member.method not in (_STORED, _DEFLATED):
            raise self._broken(
                f"{_shown(member.name)} is packed by method {member.method}; deflate is read"
            )
        if member.method == _STORED and member.packed != member.size:
            raise self._broken(f"{_shown(member.name)} is stored, and declares two sizes")
        size = self._source.size
        if member.header + _LOCAL.size > size:
            raise self._broken(f"{_shown(member.name)} begins behind the end of the file")
        header = _LOCAL.unpack(self._source.read(member.header, _LOCAL.size))
        start: int = member.header + _LOCAL.size + header[-2] + header[-1]
        if header[0] != BEGINNING or start + member.packed > size:
            raise self._broken(
                f"{_shown(member.name)} is not where the directory says, "
                f"at byte {member.header:,} of {size:,}"
            )
        return start

    def _inflated(self, member: Member, packed: bytes, most: int) -> bytes:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = unpacker.decompress(packed, min(most, member.size) + 1)
        except zlib.error as error:
            raise self._broken(f"{_shown(member.name)} cannot be unpacked: {error}") from error
        if len(data) > member.size:
            raise self._broken(
                f"{_shown(member.name)} unpacks to more than the {member.size:,} bytes it declares"
            )
        return data

    def _directory(self) -> Iterator[Member]:
        count, size, start, shift = self._end()
        self._limits.check("values", count, f"{self._name} as a zip file: its members")
        self._limits.check("structure_bytes", size, f"the directory of {self._name}")
        data = self._source.read(start, size)
        position = seen = 0
        while position < size:
            fields = _ENTRY.unpack_from(data, position)
            if fields[0] != b"PK\x01\x02":
                raise self._broken(f"its directory breaks off at byte {start + position:,}")
            lengths = fields[10:13]
            name_end = position + _ENTRY.size + lengths[0]
            raw = data[position + _ENTRY.size : name_end]
            extra = data[name_end : name_end + lengths[1]]
            position += _ENTRY.size + sum(lengths)
            if position > size:
                raise self._broken("its directory is cut off")
            seen += 1
            if seen > count:
                break
            if not raw.endswith(b"/"):
                yield _member(raw, fields, extra, shift)
        if seen != count:
            raise self._broken(f"its directory promises {count:,} members and has {seen:,}")

    def _end(self) -> tuple[int, int, int, int]:
        """Count, size and start of the directory, and what stands before the zip, in bytes."""
        size = self._source.size
        tail_start = max(0, size - _END.size - 0xFFFF)
        tail = self._source.read(tail_start, size - tail_start)
        found = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
        if found < 0:
            raise self._broken("its directory, at the end of a zip file, is missing; is it cut off")
        _, disk, _, _, count, length, offset, _ = _END.unpack_from(tail, found)
        end = tail_start + found
        if disk not in (0, 0xFFFF):
            raise self._broken("it is one part of a zip file in several parts")
        count, length, offset, end = self._end64(end) or (count, length, offset, end)
        start = end - length
        if start < 0 or offset > start:
            raise self._broken("its directory lies outside the file")
        return count, length, start, start - offset

    def _end64(self, end: int) -> tuple[int, int, int, int] | None:
        """The same from the records of zip64, where there are any."""
        if end < _LOCATOR.size + _END64.size:
            return None
        mark, _, _, _ = _LOCATOR.unpack(self._source.read(end - _LOCATOR.size, _LOCATOR.size))
        if mark != b"PK\x06\x07":
            return None
        end -= _LOCATOR.size + _END64.size
        fields = _END64.unpack(self._source.read(end, _END64.size))
        if fields[0] != b"PK\x06\x06":
            raise self._broken("its directory of zip64 is not where it should be")
        return fields[7], fields[8], fields[9], end

    @property
    def _name(self) -> str:
        return display_text(self._source.name, 60)

    def _broken(self, reason: str) -> ModelFormatError:
        return ModelFormatError(f"{self._name} cannot be read as a zip file: {reason}")

    def _too_large(self, member: Member, most: int) -> LimitExceeded:
        return LimitExceeded(
            f"{self._name}: {_shown(member.name)} unpacks to {member.size:,} bytes; "
            f"{most:,} are allowed"
        )


def _member(raw: bytes, fields: tuple[int, ...], extra: bytes, shift: int) -> Member:
    flags, method, crc, packed, size, header = (fields[i] for i in (3, 4, 7, 8, 9, 16))
    if _FULL in (packed, size, header):
        size, packed, header = _extended(extra, size, packed, header)
    name = raw.decode("utf-8" if flags & _UTF8 else "cp437", "backslashreplace")
    return Member(name, size, packed, method, header + shift, crc, bool(flags & _ENCRYPTED))


def _extended(extra: bytes, *declared: int) -> Iterator[int]:
    """Size, packed size and offset with those of 64 bits in place of the full ones (4.5.3)."""
    wide = b""
    position = 0
    while position + 4 <= len(extra):
        kind = int.from_bytes(extra[position : position + 2], "little")
        length = int.from_bytes(extra[position + 2 : position + 4], "little")
        if kind == 1:
            wide = extra[position + 4 : position + 4 + length]
        position += 4 + length
    for number in declared:
        if number == _FULL and len(wide) >= 8:
            number, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        yield number


def _escapes(name: str) -> bool:
    steps = name.replace("\\", "/").split("/")
    return not name or steps[0] == "" or ".." in steps or ":" in steps[0] or "\0" in name


def _shown(name: str) -> str:
    return f"'{display_text(name, 60)}'"
