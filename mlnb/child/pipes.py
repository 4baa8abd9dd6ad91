"""The line where no socket pair hands over files: two pipes, arrays in the stream.

A blocked read of a pipe knows no deadline, and on Windows no interrupt either. So a thread reads,
and whoever waits for a value waits for the thread, in short turns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import IO, Any

from mlnb.child.arrays import unpack
from mlnb.child.channel import HEADER, Channel, parsed, room_for

_TURN = 0.2


class PipeChannel(Channel):
    """The line over a file to read from and a file to write to, both unbuffered.

    Args:
        reader: closed by this object when its end is read.
        writer: closed by `close`.
        on_end: called by the reading thread when the other side is gone.
    """

    def __init__(
        self, reader: IO[bytes], writer: IO[bytes], on_end: Callable[[], object] | None = None
    ) -> None:
        self._reader, self._writer = reader, writer
        self._on_end = on_end
        self._received: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        threading.Thread(target=self._read_all, daemon=True).start()

    def receive(self, deadline: float | None = None) -> Any:
        """As `Channel.receive`."""
        while True:
            left = _TURN if deadline is None else deadline - time.monotonic()
            try:
                value, error = self._received.get(timeout=max(0.0, min(_TURN, left)))
            except Empty:
                if left <= 0:
                    raise TimeoutError("the deadline passed") from None
                continue
            if error is not None:
                raise error
            return value

    def close(self) -> None:
        """As `Channel.close`."""
        try:
            self._writer.close()
        except OSError:  # the other side is gone already
            return

    def _read_all(self) -> None:
        with self._reader:
            try:
                while True:
                    text_size, size, _ = parsed(self._read(HEADER.size, None))
                    text = bytes(self._read(text_size, None))
                    self._received.put((unpack(text, self._read(size, None)), None))
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                self._received.put((None, error))
                if self._on_end is not None:
                    self._on_end()

    def _read(self, size: int, deadline: float | None) -> memoryview:
        data = room_for(size)
        position = 0
        while position < size:
            count = self._reader.readinto(data[position:])  # type: ignore[attr-defined]
            if not count:
                raise EOFError("the other side hung up")
            position += count
        return data

    def _write(self, data: bytes | memoryview, deadline: float | None) -> None:
        rest = memoryview(data)
        while rest.nbytes:
            rest = rest[self._writer.write(rest) :]
