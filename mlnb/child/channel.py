"""One end of the line between this process and its child: whole values go in and come out.

Arrays cross in a memfd whose descriptor is handed over a socket pair: written once, mapped once,
never on a disk and never in /dev/shm, which Docker makes 64 MB and whose overflow is a SIGBUS. The
memfd is sealed before it is sent, and one without its seals is refused: a file that its writer can
still shorten would kill the process that has it mapped. For what is fed to a model the parent keeps
one, the slab, because making and mapping a new one takes longer than filling it.

What the child sends is a stranger's word: its lengths are limits on nothing until the bytes are
there.
"""

from __future__ import annotations

import array
import mmap
import os
import socket
import struct
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.child.arrays import TEXT_LIMIT, Packed, unpack
from mlnb.child.machine import free_memory

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

IN_STREAM = 64 * 1024
"""Up to so many bytes a copy through the stream is faster than a memfd."""

SLAB = 64 * 1024 * 1024
"""Up to so many bytes go through memory that is kept from call to call."""

HEADER = struct.Struct("<4sIQB")
_MAGIC = b"mlnb"
_STREAM, _MEMFD, _SLAB = range(3)

_UNASKED = 2**30
"""Up to so many bytes in the stream are read without a look at the memory that is left."""

_START = IN_STREAM + 4096
_ONE_FILE = struct.calcsize("i")


def can_pass_files() -> bool:
    """Whether this system hands open files over a socket pair."""
    return hasattr(socket, "AF_UNIX") and hasattr(socket, "send_fds")


class Channel(ABC):
    """Sends and receives values; each call blocks until the whole value is over."""

    def send(self, packed: Packed, deadline: float | None = None) -> None:
        """Send one value.

        Args:
            packed: from `mlnb.child.arrays.pack`.
            deadline: on the clock of `time.monotonic`; `None` for none.

        Raises:
            OSError: the other side is gone.
            TimeoutError: the deadline passed.
        """
        start = _start(packed, _STREAM)
        if packed.size < IN_STREAM:  # one write wakes the other side once
            self._write(b"".join((start, *_stream(packed))), deadline)
            return
        for chunk in (start, *_stream(packed)):
            self._write(chunk, deadline)

    @abstractmethod
    def receive(self, deadline: float | None = None) -> Any:
        """The next value; its arrays can be written to unless this is the child's end.

        Raises:
            EOFError: the other side is gone.
            TimeoutError: the deadline passed.
            ValueError: what came is no value.
        """

    @abstractmethod
    def close(self) -> None:
        """Hang up; the other side reads the end."""

    @abstractmethod
    def _read(self, size: int, deadline: float | None) -> memoryview: ...

    @abstractmethod
    def _write(self, data: bytes | memoryview, deadline: float | None) -> None: ...


class SocketChannel(Channel):
    """The line over one socket of a pair, which hands over memory.

    Args:
        line: the socket.
        parent: whether this is the parent's end. Its values may live in the slab, since it sends
            the next one only after an answer; what it receives is its own and can be written to.
            The child's arrays cannot: mapping them then costs no memory of its own.
    """

    def __init__(self, line: socket.socket, *, parent: bool) -> None:
        self._line = line
        self._parent = parent
        self._slab: mmap.mmap | None = None
        self._start = memoryview(bytearray(_START))
        self._came = self._start[:0]

    def send(self, packed: Packed, deadline: float | None = None) -> None:
        """As `Channel.send`; what is large goes as memory."""
        if packed.size < IN_STREAM or not _can_seal():
            super().send(packed, deadline)
        elif self._parent and packed.size <= SLAB and self._slab is not None:
            _fill(self._slab, packed)
            self._write(_start(packed, _SLAB), deadline)
        else:
            self._send_memory(packed, deadline)

    def receive(self, deadline: float | None = None) -> Any:
        """As `Channel.receive`."""
        files = self._receive_start(deadline)
        try:
            text_size, size, way = parsed(self._read(HEADER.size, deadline))
            text = bytes(self._read(text_size, deadline))
            if way == _STREAM:
                return unpack(text, self._read(size, deadline))
            return unpack(text, self._memory(way, size, files))
        finally:
            for file in files:
                os.close(file)

    def _receive_start(self, deadline: float | None) -> Sequence[int]:
        """Wait for a message; most come whole in the one read that also brings their files."""
        if self._came:
            return ()
        self._limit(deadline)
        space = socket.CMSG_SPACE(_ONE_FILE)
        count, extras, _, _ = self._line.recvmsg_into([self._start], space, _CLOEXEC)
        if not count:
            raise EOFError("the other side hung up")
        self._came = self._start[:count]
        return _files(extras) if extras else ()

    def _send_memory(self, packed: Packed, deadline: float | None) -> None:
        """Hand over a memfd: the slab, the first time that it is needed, or one for this value."""
        way = _SLAB if self._parent and packed.size <= SLAB else _MEMFD
        try:
            file = os.memfd_create("mlnb", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except OSError:  # some sandboxes forbid it
            super().send(packed, deadline)
            return
        try:
            if way == _SLAB:
                os.ftruncate(file, SLAB)
                self._slab = mmap.mmap(file, SLAB)
                _fill(self._slab, packed)
                fcntl.fcntl(file, fcntl.F_ADD_SEALS, _LENGTH_SEALS)
            else:
                for offset, part in packed.parts:
                    _write_at(file, part, offset)
                fcntl.fcntl(file, fcntl.F_ADD_SEALS, _ALL_SEALS)
            self._limit(deadline)
            start = _start(packed, way)
            rest = memoryview(start)[socket.send_fds(self._line, [start], [file]) :]
        finally:
            os.close(file)
        self._write(rest, deadline)

    def _memory(self, way: int, size: int, files: Sequence[int]) -> memoryview:
        """The bytes that a message's text points into."""
        if way == _MEMFD and files:
            return memoryview(self._mapped(files[0], size, _ALL_SEALS, mmap.MAP_PRIVATE))
        if way == _SLAB and not self._parent:
            if files:
                self._slab = self._mapped(files[0], SLAB, _LENGTH_SEALS, mmap.MAP_SHARED)
            if self._slab is not None:
                return memoryview(self._slab)[:size]
        raise ValueError("this is no message")

    def _mapped(self, file: int, size: int, seals: int, flags: int) -> mmap.mmap:
        found = os.fstat(file)
        # Holes would take memory when they are looked at, and it would be this process's.
        held = found.st_size if flags == mmap.MAP_SHARED else found.st_blocks * 512
        if not 0 < size <= min(held, found.st_size):
            raise ValueError("the shared memory is shorter than announced")
        if fcntl.fcntl(file, fcntl.F_GET_SEALS) & seals != seals:
            raise ValueError("the shared memory is not sealed")
        access = mmap.PROT_READ | (mmap.PROT_WRITE if self._parent else 0)
        if not self._parent and flags == mmap.MAP_PRIVATE:
            flags |= getattr(mmap, "MAP_POPULATE", 0)
        return mmap.mmap(file, size, flags=flags, prot=access)

    def close(self) -> None:
        """As `Channel.close`."""
        self._line.close()

    def _limit(self, deadline: float | None) -> None:
        # A timeout of 0 would mean not to wait at all, which is another error.
        left = None if deadline is None else max(1e-6, deadline - time.monotonic())
        self._line.settimeout(left)

    def _read(self, size: int, deadline: float | None) -> memoryview:
        came, self._came = self._came[:size], self._came[size:]
        if len(came) == size:
            return memoryview(bytearray(came))
        data = room_for(size)
        position = len(came)
        data[:position] = came
        while position < size:
            self._limit(deadline)
            count = self._line.recv_into(data[position:])
            if not count:
                raise EOFError("the other side hung up")
            position += count
        return data

    def _write(self, data: bytes | memoryview, deadline: float | None) -> None:
        self._limit(deadline)
        self._line.sendall(data)


def _start(packed: Packed, way: int) -> bytes:
    return HEADER.pack(_MAGIC, len(packed.text), packed.size, way) + packed.text


def parsed(header: bytes | memoryview) -> tuple[int, int, int]:
    """What a header says: the lengths of text and bytes, and the way on which the bytes come."""
    magic, text_size, size, way = HEADER.unpack(header)
    if magic != _MAGIC or text_size > TEXT_LIMIT:
        raise ValueError("this is no message")
    return text_size, size, way


def room_for(size: int) -> memoryview:
    """So many bytes to read into; they take memory only as they are filled.

    Raises:
        ValueError: this machine does not have them.
    """
    if size > _UNASKED:
        free = free_memory()
        if free is not None and size > free:
            raise ValueError(f"{size:,} bytes are announced and there is room for {free:,}")
    return np.empty(size, np.uint8).data


def _stream(packed: Packed) -> Iterator[bytes | memoryview]:
    """The parts and the gaps between them."""
    position = 0
    for offset, part in packed.parts:
        if offset > position:
            yield bytes(offset - position)
        yield part
        position = offset + part.nbytes


def _files(extras: Iterable[tuple[int, int, bytes]]) -> Sequence[int]:
    files = array.array("i")
    for level, kind, data in extras:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(data[: len(data) - len(data) % files.itemsize])
    return files


_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


def _fill(slab: mmap.mmap, packed: Packed) -> None:
    view = memoryview(slab)
    for offset, part in packed.parts:
        view[offset : offset + part.nbytes] = part


def _write_at(file: int, data: memoryview, offset: int) -> None:
    while data.nbytes:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written


def _seals(*names: str) -> int:
    """These seals together; 0 where the system lacks one."""
    values = [getattr(fcntl, f"F_SEAL_{name}", 0) for name in names]
    return sum(values) if all(values) else 0


_LENGTH_SEALS = _seals("SEAL", "SHRINK", "GROW")
_ALL_SEALS = _seals("SEAL", "SHRINK", "GROW", "WRITE")


def _can_seal() -> bool:
    return hasattr(os, "memfd_create") and bool(_ALL_SEALS)
