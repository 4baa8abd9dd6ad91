"""Thumbnails: a picture file as a few kilobytes, and a thread that makes those a page asks for.

What was made is kept for all widgets together, while it fits into 64 MiB. A page that scrolls on
asks anew; what it asked for before and nobody began is forgotten, so that the pictures in sight
come first.
"""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from mlnb.data.images import open_image, to_rgb
from mlnb.errors import ImageError, need
from mlnb.formatting import display_text
from mlnb.widgets.base import error_line

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 128
PLAIN = 64
"""Pixels; what is not larger is sent as it is, without JPEG's traces."""
MEMORY = 64 * 2**20
_SIDES = (16, 512)
_THREADS = max(1, min(4, os.cpu_count() or 1))
_TOGETHER = 6


def thumbnail(path: str | os.PathLike[str], side: int = SIDE) -> bytes:
    """A picture, whole, as JPEG or (of at most 64 pixels) PNG.

    >>> thumbnail(load_sample("china"))[:3]
    b'\\xff\\xd8\\xff'

    Args:
        path: a file that `read_image` reads.
        side: pixels of the longer side at most, 16 to 512; smaller pictures keep their size.

    Raises:
        ImageError: what `read_image` refuses, with the reason.
    """
    side = min(max(int(side), _SIDES[0]), _SIDES[1])
    try:
        file = Path(path)
        state = file.stat()
    except (OSError, TypeError, ValueError) as error:
        raise ImageError(f"no picture at {display_text(str(path), 200)}") from error
    key = (str(file), side, state.st_mtime_ns, state.st_size)
    made = _kept.get(key)
    if made is None:
        made = _made(file, side)
        _kept.put(key, made)
    return made


def encoded(picture: Image, plain: bool) -> bytes:
    """A picture of Pillow's as it goes to the browser, PNG where it is plain, else JPEG."""
    buffer = BytesIO()
    picture.save(buffer, "PNG") if plain else picture.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


class ThumbnailThread:
    """Makes the thumbnails that one page asks for, beside whatever the kernel does.

    >>> self._thumbnails = ThumbnailThread(lambda row: frame["path"].iloc[row], self.send)
    >>> self._thumbnails.ask(content["rows"], content["side"])  # in `_receive_thumbnails`

    Each message `{"kind": "thumbnails", "side", "rows", "reasons"}` bears one buffer a row; where
    there is no picture the buffer is empty and the reason says why. js/src/thumbnails.ts is its
    other end.

    Args:
        path_of: the file of a row.
        send: takes a message and its buffers, in whatever thread.
    """

    def __init__(
        self, path_of: Callable[[int], Any], send: Callable[[dict[str, Any], list[bytes]], object]
    ) -> None:
        self._path_of, self._send = path_of, send
        self._lock = Lock()
        self._wanted: dict[int, deque[int]] = {}  # the side asked for last comes first
        self._running = 0

    def ask(self, rows: Iterable[int], side: int = SIDE) -> None:
        """Make these next, in this order; of this side forget what was asked for before."""
        with self._lock:
            others = {s: rows for s, rows in self._wanted.items() if s != side}
            self._wanted = {int(side): deque(map(int, rows))} | others
            waiting = sum(map(len, self._wanted.values()))
            start = max(0, min(_THREADS, -(-waiting // _TOGETHER)) - self._running)
            self._running += start
        for _ in range(start):
            Thread(target=self._work, name="mlnb-thumbnails", daemon=True).start()

    def _work(self) -> None:
        while batch := self._next():
            side, rows = batch
            made = [self._one(row, side) for row in rows]
            content = {"kind": "thumbnails", "side": side, "rows": rows}
            content["reasons"] = [reason for _, reason in made]
            with suppress(Exception):  # a page that is gone hears nothing, the next one will
                self._send(content, [picture for picture, _ in made])

    def _next(self) -> tuple[int, list[int]] | None:
        """A side and some rows; the thread that gets none ends."""
        with self._lock:
            for side, rows in self._wanted.items():
                if rows:
                    return side, [rows.popleft() for _ in range(min(_TOGETHER, len(rows)))]
            self._running -= 1
            return None

    def _one(self, row: int, side: int) -> tuple[bytes, str]:
        try:
            return thumbnail(self._path_of(row), side), ""
        except Exception as error:  # noqa: BLE001 - one file's trouble is said in its place
            return b"", error_line(error)


class _Kept:
    """The last thumbnails made, of all widgets."""

    def __init__(self, memory: int) -> None:
        self._memory, self._bytes = memory, 0
        self._made: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
            return self._made.get(key)

    def put(self, key: tuple[Any, ...], made: bytes) -> None:
        with self._lock:
            self._bytes += len(made) - len(self._made.pop(key, b""))
            self._made[key] = made
            while self._bytes > self._memory:
                self._bytes -= len(self._made.popitem(last=False)[1])


_kept = _Kept(MEMORY)


def _made(file: Path, side: int) -> bytes:
    pillow = need("PIL.Image", "train")
    with open_image(file) as opened:
        opened.draft(None, (2 * side, 2 * side))  # a large JPEG is read at a part of its size
        picture = to_rgb(opened)
        plain = max(picture.size) <= PLAIN
        picture.thumbnail((side, side), pillow.Resampling.BICUBIC)
    return encoded(picture, plain)
