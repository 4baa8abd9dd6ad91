"""Files that come from the browser in pieces: Jupyter's socket closes at a message of 10 MiB.

A piece is asked for when the one before it has come, so that a large file never fills the socket
that the buttons use as well.
"""

from __future__ import annotations

import re
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.images import open_image, to_rgb
from mlnb.errors import DataError
from mlnb.widgets.thumbnails import PLAIN, encoded

if TYPE_CHECKING:
    from mlnb.data.images import RGBArray

PIECE = 2**20
PIECES = 256
"""Of one file: 256 MiB."""
SIDE = 1024
"""Pixels of the longer side at most that a model is shown."""
_TOGETHER = 4


class Uploads:
    """The files that are on their way.

    >>> whole = uploads.take({"request": "a-1", "index": 0, "pieces": 1, "buffers": [data]})
    """

    def __init__(self) -> None:
        self._parts: OrderedDict[str, list[bytes]] = OrderedDict()

    def take(self, message: Mapping[str, Any]) -> bytes | None:
        """Add a piece; the whole file after the last one, else `None`.

        Raises:
            DataError: a piece that is too large, or out of turn, as after a cancel.
        """
        request, index, pieces = message["request"], message["index"], message["pieces"]
        piece = bytes(message["buffers"][0])
        if index == 0:
            self._parts[request] = []
            while len(self._parts) > _TOGETHER:  # of pages that were closed on the way
                self._parts.popitem(last=False)
        parts = self._parts.get(request)
        if len(piece) > PIECE or not 0 < pieces <= PIECES:
            self.drop(request)
            raise DataError(f"a file comes in at most {PIECES} pieces of {PIECE:,} bytes")
        if parts is None or index != len(parts):
            self.drop(request)
            raise DataError("a piece of the file was lost; drop it again")
        parts.append(piece)
        if len(parts) < pieces:
            return None
        return b"".join(self._parts.pop(request))

    def drop(self, request: str) -> None:
        """Forget what has come of a file."""
        self._parts.pop(request, None)


def picture_of(data: bytes, name: str) -> RGBArray:
    """The picture in the bytes of a file, by the rules of `read_image`, at most 1024 pixels a side.

    Raises:
        ImageError: it is none, or damaged, or too large; with its name.
    """
    with tempfile.TemporaryDirectory(prefix="mlnb-") as folder:
        path = Path(folder) / _file_name(name)
        path.write_bytes(data)
        return picture_at(path)


def picture_at(path: Path) -> RGBArray:
    """The picture in a file, at most 1024 pixels a side.

    Raises:
        ImageError: it is none, or damaged, or too large.
    """
    with open_image(path) as opened:
        opened.draft(None, (2 * SIDE, 2 * SIDE))  # a large JPEG is read at a part of its size
        picture = to_rgb(opened)
        if max(picture.size) > SIDE:
            picture.thumbnail((SIDE, SIDE))
        return np.array(picture)


def small_picture(image: RGBArray, side: int, limit: int | None = None) -> bytes:
    """The picture as JPEG, or of at most 64 pixels as PNG; ever smaller until it fits `limit`."""
    from PIL import Image as pillow

    while True:
        picture = pillow.fromarray(image)
        picture.thumbnail((side, side))
        plain = max(picture.size) <= PLAIN
        data = encoded(picture, plain)
        if plain or limit is None or len(data) <= limit:
            return data
        side = side * 3 // 4


def _file_name(name: str) -> str:
    """A name for a file of ours that an error message may show in place of the user's."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return re.sub(r"[^\w .()-]", "_", last)[-40:].lstrip(". ") or "picture"
