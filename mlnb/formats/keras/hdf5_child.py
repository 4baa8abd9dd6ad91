"""What h5py says of an HDF5 file; runs in the child "h5py" alone, which may die of it.

HDF5 is a file system in a file: it has links into other files, data sets that lie in other files,
and groups that hold themselves. Nothing outside the file is followed, and each group is visited
once. What comes back is plain: strings, numbers, lists.

The format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

from mlnb.child.memory import memory_cap
from mlnb.errors import LimitExceeded, ModelFormatError, need
from mlnb.formatting import display_text

_ATTRIBUTES = (
    "model_config", "keras_version", "backend", "layer_names", "weight_names", "name",
)  # fmt: skip
_DEPTH = 100


def describe(place: list[Any], *, most: int, values: int, run_bytes: int) -> dict[str, Any]:
    """The attributes that Keras writes, and every data set with its dtype and shape.

    The answer has `attributes` (of the root and of each group, by path), `tensors` as lists of
    path, dtype, shape and bytes, and `outside`: paths of what would lead into other files.

    Args:
        place: the content, or path, offset and size: where the HDF5 file lies.
        most: bytes of one attribute.
        values: data sets and groups in it.
        run_bytes: what the parser may take.

    Raises:
        ModelFormatError: h5py cannot read it.
        LimitExceeded: it has more than is allowed.
    """
    with memory_cap(run_bytes), _mortal(place):
        try:
            with _opened(place) as file:
                return _Walk(most, values).over(file)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            if isinstance(error, ModelFormatError):
                raise
            raise _unreadable(error) from error


def read(place: list[Any], path: str, *, most: int, run_bytes: int) -> Any:
    """The array of one data set.

    Raises:
        ModelFormatError: it cannot be read, or lies in another file.
        LimitExceeded: it has more than `most` bytes.
    """
    h5py = need("h5py", "tensorflow")
    with memory_cap(run_bytes), _mortal(place):
        try:
            with _opened(place) as file:
                found = file[path]
                if not isinstance(found, h5py.Dataset) or _outside(found):
                    raise ModelFormatError(f"{display_text(path)!r} is no data set of this file")
                if found.nbytes > most:
                    raise LimitExceeded(f"{display_text(path)!r} has {found.nbytes:,} bytes")
                return found[()]
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            if isinstance(error, ModelFormatError):
                raise
            raise _unreadable(error) from error


@contextmanager
def _mortal(place: list[Any]) -> Iterator[None]:
    """End this process where the parser goes round in circles, as it does on some damaged files.

    It has half a second of work, and one for each MiB; a busy machine takes nothing of that.
    """
    need("h5py", "tensorflow")
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    size = place[2] if len(place) == 3 else len(place[0])
    signal.setitimer(signal.ITIMER_PROF, 0.5 + size / 2**20)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _unreadable(error: Exception) -> ModelFormatError:
    return ModelFormatError(f"h5py cannot read it: {display_text(str(error), 200)}")


def _opened(place: list[Any]) -> Any:
    h5py = need("h5py", "tensorflow")
    if len(place) == 1:
        return h5py.File(io.BytesIO(place[0]), "r")
    path, offset, size = place
    if not offset:
        return h5py.File(path, "r", locking=False)
    return h5py.File(_Window(path, offset, size), "r")


class _Window(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, path: str, offset: int, size: int) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed with this one
        self._offset, self._size, self._at = offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = max(0, min(len(buffer), self._size - self._at))
        self._file.seek(self._offset + self._at)
        data = self._file.read(count) or b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Walk:
    """One pass over all groups."""

    def __init__(self, most: int, values: int) -> None:
        self._most = most
        self._left = values
        self._seen: set[Any] = set()
        self.attributes: dict[str, dict[str, Any]] = {}
        self.tensors: list[list[Any]] = []
        self.outside: list[str] = []

    def over(self, file: Any) -> dict[str, Any]:
        """Everything below the root."""
        self._group(file, "", 0)
        return {
            "attributes": self.attributes,
            "tensors": self.tensors,
            "outside": self.outside[:100],
        }

    def _group(self, group: Any, path: str, depth: int) -> None:
        h5py = need("h5py", "tensorflow")
        info = h5py.h5o.get_info(group.id)
        if (info.fileno, info.addr) in self._seen:
            return
        self._seen.add((info.fileno, info.addr))
        if depth > _DEPTH:
            raise LimitExceeded(f"its groups nest more than {_DEPTH} deep")
        found = {name: self._attribute(group, name) for name in _ATTRIBUTES if name in group.attrs}
        if found:
            self.attributes[path] = found
        for name in group:
            self._left -= 1
            if self._left < 0:
                raise LimitExceeded("it holds more groups and data sets than allowed")
            inner = f"{path}/{name}" if path else name
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                self.outside.append(inner)
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                self._group(item, inner, depth + 1)
            elif isinstance(item, h5py.Dataset):
                self._dataset(item, inner)

    def _dataset(self, item: Any, path: str) -> None:
        if _outside(item):
            self.outside.append(path)
            return
        kind = item.dtype
        name = kind.name if kind.kind in "biufc" else "string" if kind.kind in "OSU" else "unknown"
        size = 0 if item.shape is None else int(item.size) * kind.itemsize
        self.tensors.append([path, name, [int(n) for n in item.shape or ()], size])

    def _attribute(self, group: Any, name: str) -> Any:
        stored = group.attrs.get_id(name)
        if prod(stored.shape) * stored.dtype.itemsize > self._most:
            raise LimitExceeded(f"its attribute {name} has {stored.shape} elements")
        value = group.attrs[name]
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, list):
            return [_text(item) for item in value]
        return _text(value)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _outside(item: Any) -> bool:
    """Whether a data set's elements lie in other files."""
    return bool(item.external) or bool(item.is_virtual)
