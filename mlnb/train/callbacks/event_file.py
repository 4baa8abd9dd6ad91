"""TensorBoard's event files, written without its package, so that `%tensorboard` shows a run.

A file is records of an 8-byte length, its masked CRC-32C, the data and the CRC of the data; the
data is the protobuf message `Event` with `wall_time` (1), `step` (2), `file_version` (3) or
`summary` (5), which holds values (1) of a tag (1) and a `simple_value` (2). See TensorFlow's
`event.proto`, `summary.proto` and `record_writer.h`.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from pathlib import Path
from typing import BinaryIO

from mlnb.errors import TrainError
from mlnb.formats.wire import FIXED32, FIXED64, VARINT, encode, encode_varint, key


class EventWriter:
    """Appends scalars to a new event file in `folder`.

    >>> writer = EventWriter("logs/run-1")
    >>> writer.scalar("loss", 0.31, step=100)
    >>> writer.close()

    Args:
        folder: made if it is missing; TensorBoard takes its name for the run's.

    Raises:
        TrainError: where the folder cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        now = time.time()
        name = f"events.out.tfevents.{int(now):010}.{socket.gethostname()}.{os.getpid()}"
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.path = _free(path, name)
            self._file: BinaryIO = self.path.open("xb")
        except OSError as error:
            raise TrainError(f"no event file can be written to {path}: {error.strerror}") from error
        self._record(_double(1, now) + encode(3, b"brain.Event:2"))
        self.flush()

    def scalar(self, tag: str, value: float, step: int, wall_time: float | None = None) -> None:
        """Add one point of the curve `tag`."""
        point = encode(1, tag.encode("utf-8", "replace")) + _float(2, value)
        when = time.time() if wall_time is None else wall_time
        self._record(_double(1, when) + _whole(2, step) + encode(5, encode(1, point)))

    def flush(self) -> None:
        """Hand everything to the system, so that TensorBoard sees it."""
        self._file.flush()

    def close(self) -> None:
        """Write what is left."""
        self._file.close()

    def _record(self, data: bytes) -> None:
        head = struct.pack("<Q", len(data))
        self._file.write(head + _masked_crc(head) + data + _masked_crc(data))


def crc32c(data: bytes) -> int:
    """The Castagnoli CRC, as in RFC 3720; zlib's is another polynomial.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _free(folder: Path, name: str) -> Path:
    taken = 0
    while (folder / f"{name}.{taken}").exists():
        taken += 1
    return folder / f"{name}.{taken}"


def _masked_crc(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_TABLE = tuple(_table_entry(value) for value in range(256))


def _whole(field: int, value: int) -> bytes:
    return encode_varint(key(field, VARINT)) + encode_varint(value & 0xFFFFFFFFFFFFFFFF)


def _double(field: int, value: float) -> bytes:
    return encode_varint(key(field, FIXED64)) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    try:
        packed = struct.pack("<f", value)
    except OverflowError:
        packed = struct.pack("<f", float("inf") * (1 if value > 0 else -1))
    return encode_varint(key(field, FIXED32)) + packed
