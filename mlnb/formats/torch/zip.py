"""The zip files of PyTorch: one folder with a pickle in it, and a stored member for each storage.

The format: caffe2/serialize/inline_container.h in PyTorch's sources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from mlnb.formats.torch.pickle.reading import Pickle, read_pickle
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.archive import Archive
    from mlnb.formats.source import Source
    from mlnb.formats.torch.tensor import Storage, TorchTensor


def root_of(names: Collection[str], member: str) -> str | None:
    """The folder of the outermost member of that name, with its slash; `None` without one.

    >>> root_of(["net/version", "net/data.pkl"], "data.pkl")
    'net/'
    """
    found = [name for name in names if name == member or name.endswith(f"/{member}")]
    outermost = min(found, key=lambda name: name.count("/"), default=None)
    return None if outermost is None else outermost.removesuffix(member)


class TorchZip:
    """Pickles and storages of such a file.

    Args:
        source: the file or bytes.
        archive: its members.
        root: the folder that they lie in, as `root_of` finds it.
        limits: caps on what it may ask for.
    """

    def __init__(
        self, source: Source, archive: Archive, root: str, limits: Limits = LIMITS
    ) -> None:
        self._source = source
        self._archive = archive
        self._root = root
        self._limits = limits

    @property
    def swapped(self) -> bool:
        """Whether the machine that wrote it had the large bytes of a number first."""
        return self.text("byteorder") == "big"

    def text(self, member: str) -> str:
        """A short text in the archive; empty where there is none."""
        name = f"{self._root}{member}"
        if name not in self._archive or self._archive.size(name) > 1000:
            return ""
        return self._archive.read(name, 1000, checked=False).decode("utf-8", "replace").strip()

    def pickle(self, member: str) -> Pickle:
        """What is in a pickle, without loading it."""
        return read_pickle(
            self._archive.read(f"{self._root}{member}", checked=False), 0, self._limits
        )

    def check(self, folder: str, storages: Iterable[Storage]) -> None:
        """Hold storages against the members that they lie in.

        Raises:
            Broken: one is missing or too short.
        """
        for storage in storages:
            member = f"{self._root}{folder}{storage.key}"
            shown, size = display_text(member, 60), self._source.size
            if member not in self._archive:
                raise Broken(size, f"the storage '{shown}' is missing")
            held = self._archive.size(member)
            if held < storage.end:
                raise Broken(
                    size, f"the storage '{shown}' has {held:,} bytes of {storage.end:,} needed"
                )

    def read(self, folder: str, key: str, start: int, stop: int) -> bytes:
        """The bytes of a storage from `start` to `stop`."""
        member = f"{self._root}{folder}{key}"
        if self._archive.is_stored(member):
            return self._source.read(self._archive.offset(member) + start, stop - start)
        return self._archive.read(member, self._limits.tensor_bytes, checked=False)[start:stop]


def storages_of(tensors: Iterable[TorchTensor]) -> dict[str, Storage]:
    """Every storage once, by its key, as the tensor that reaches furthest into it has it."""
    storages: dict[str, Storage] = {}
    for tensor in tensors:
        storage = tensor.storage
        if storage is not None:
            known = storages.get(storage.key)
            if known is None or known.end < storage.end:
                storages[storage.key] = storage
    return storages
