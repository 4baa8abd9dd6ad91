"""`FeatureCache`: what a frozen network made of pictures or texts, kept on this disk.

One sqlite file for each way of making features, and a row for each content, by its sha256, so that
a file that moves is found again and one that changes is not. What cannot be kept costs time, never
an answer: a damaged file is begun anew, and where nothing can be written memory serves.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mlnb.cache import FEATURES, cache_folder, file_sha256

Array = np.ndarray[Any, np.dtype[Any]]

WAIT_SECONDS = 30.0
_DTYPES: dict[int, np.dtype[Any]] = {2: np.dtype("<f2"), 4: np.dtype("<f4")}
_DAMAGED = ("not a database", "malformed")
_AT_ONCE = 500


class FeatureCache:
    """Rows of features by the sha256 of what they were made of.

    >>> cache = FeatureCache("mobilenet_v2, 224 crop RGB")
    >>> cache.put_many({content_key(b"a text"): np.zeros(8, np.float32)})
    >>> cache.get_many([content_key(b"a text")])[content_key(b"a text")].shape
    (8,)

    Several processes may use one file at once.

    Args:
        key: all that the features depend on beside the content: network, weights, preprocessing.
        folder: where the file is; `None` for mlnb's cache, which `clear_cache` empties.
    """

    def __init__(self, key: str, folder: str | os.PathLike[str] | None = None) -> None:
        self.key = key
        self.folder = cache_folder() / FEATURES if folder is None else Path(folder).expanduser()
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        self.path = self.folder / f"{name}.sqlite"
        self.problem: str | None = None
        self._memory: dict[str, Array] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many rows there are."""
        kept = 0
        if self.path.is_file():
            with self._disk() as disk:
                kept = int(disk.execute("SELECT count(*) FROM features").fetchone()[0])
        return kept + len(self._memory)

    def __repr__(self) -> str:
        return f"FeatureCache({self.path.name!r}, {len(self):,} rows)"

    def get_many(self, keys: Sequence[str]) -> dict[str, Array]:
        """The rows that are there, by key; the others are left out.

        Args:
            keys: sha256 in hexadecimal, from `content_key` or `file_keys`.
        """
        found = {key: self._memory[key] for key in keys if key in self._memory}
        if not self.path.is_file():
            return found
        try:
            with self._disk() as disk:
                for part in _parts(keys):
                    marks = ",".join("?" * len(part))
                    asked = f"SELECT key, bytes, size, row FROM features WHERE key IN ({marks})"
                    for key, width, size, row in disk.execute(asked, part):
                        if width in _DTYPES and len(row) == width * size:
                            found[key] = np.frombuffer(row, _DTYPES[width])
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        return found

    def put_many(self, rows: Mapping[str, Array]) -> None:
        """Keep rows; all of them or, if this is interrupted, none.

        Args:
            rows: one-dimensional arrays of float32 or float16 by key.
        """
        given = {key: np.ascontiguousarray(row, _kept_as(row)) for key, row in rows.items()}
        if self.problem is not None:
            self._memory.update(given)
            return
        stored = [(key, row.dtype.itemsize, row.size, row.tobytes()) for key, row in given.items()]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._disk() as disk:
                disk.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?)", stored)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
            self._memory.update(given)

    def clear(self) -> None:
        """Forget every row."""
        self._memory.clear()
        self.path.unlink(missing_ok=True)

    def _give_up(self, error: Exception) -> None:
        """Begin a damaged file anew the next time; where the disk refuses, keep to memory."""
        if any(words in str(error) for words in _DAMAGED):
            self.path.unlink(missing_ok=True)
            return
        self.problem = str(error)

    @contextmanager
    def _disk(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction: it outlives no call, no fork and no thread."""
        with self._lock:
            disk = sqlite3.connect(self.path, timeout=WAIT_SECONDS)
            try:
                with disk:
                    disk.execute(
                        "CREATE TABLE IF NOT EXISTS features "
                        "(key TEXT PRIMARY KEY, bytes INTEGER, size INTEGER, row BLOB)"
                    )
                    yield disk
            finally:
                disk.close()


def content_key(content: bytes) -> str:
    """The key of some bytes; of a text, those of its UTF-8.

    >>> content_key("a text".encode())[:8]
    '734194ed'
    """
    return hashlib.sha256(content).hexdigest()


def file_keys(paths: Iterable[str | os.PathLike[str]]) -> list[str | None]:
    """The key of each file's content; `None` for what is no regular file or cannot be read."""
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(_file_key, paths))


def _kept_as(row: Array) -> np.dtype[Any]:
    return _DTYPES[2 if row.dtype == np.float16 else 4]


def _file_key(path: str | os.PathLike[str]) -> str | None:
    try:
        file = Path(path)
        return file_sha256(file) if file.is_file() else None  # a named pipe would wait for ever
    except (OSError, ValueError):
        return None


def _parts(keys: Sequence[str]) -> Iterator[list[str]]:
    """So many at once as sqlite takes."""
    for start in range(0, len(keys), _AT_ONCE):
        yield list(keys[start : start + _AT_ONCE])
