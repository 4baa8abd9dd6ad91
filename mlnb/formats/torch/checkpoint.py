"""`CheckpointFile`: what `torch.save` writes, as a table of tensors; nothing in it is unpickled.

Since torch 1.6 a checkpoint is a zip: the pickle `data.pkl`, and each storage in a member of its
own, `data/<key>`. Before, it was five pickles in a row (a magic number, the protocol, the machine,
the object, the keys of the storages) and the storages behind them, each after its count.

A state dict, a checkpoint of nested dicts and a whole pickled module all give their tensors. Names
that loading would import are told, and a pickle with names that only attacks have is refused.

The format: torch/serialization.py, `_save` and `_legacy_save`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formats.archive import BEGINNING, Archive
from mlnb.formats.element_types import ITEM_BYTES
from mlnb.formats.torch.contents import collect
from mlnb.formats.torch.layouts import torchvision_name
from mlnb.formats.torch.pickle.globals import judged, names_text
from mlnb.formats.torch.pickle.reading import CutOff, Pickle, read_pickle
from mlnb.formats.torch.weights import TorchWeights
from mlnb.formats.torch.zip import TorchZip, root_of, storages_of
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Source
    from mlnb.formats.torch.tensor import Storage

MAGIC = 0x1950A86A20F9469CFC6C
"""What the first pickle of an old checkpoint says."""

_FIRST_WINDOW = 1 << 20


def looks(head: bytes, source: Source) -> bool:
    """Whether a file begins like a pickle, such as an old checkpoint."""
    if len(head) > 2 and head[0] == 0x80 and head[1] <= 5:
        return head[2:3] in _AFTER_PROTOCOL
    return re.match(_TEXT_PICKLE, head) is not None


_AFTER_PROTOCOL = {bytes([code]) for code in b"\x8a\x95}](c)\x8c\x8f\x8eKMJXN\x88\x89GCBq."}
_TEXT_PICKLE = rb"(c[\w.]+\n[\w.]+\n|\((c[\w.]+\n[\w.]+\n|[dl]p?\d*\n?)|\(i[\w.]+\n[\w.]+\n)"


def looks_inside(names: Collection[str]) -> bool:
    """Whether a zip with these members is a checkpoint."""
    return root_of(names, "data.pkl") is not None


class CheckpointFile(TorchWeights):
    """A checkpoint of PyTorch, from any version; a pickle without storages, too.

    >>> CheckpointFile(Source.of("resnet20_cifar10.th")).tensors[0]
    Value(name='state_dict.module.conv1.weight', dtype='float32', shape=(16, 3, 3, 3), …)

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is damaged, holds no tensors, or would run a program when loaded.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "PyTorch checkpoint"

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        self._zip: TorchZip | None = None
        self._keys: list[str] = []
        self._behind = source.size
        self._places: dict[str, int] = {}
        with self._told():
            if source.read(0, min(4, source.size)) == BEGINNING:
                pickle = self._in_archive(Archive(source, limits))
            else:
                pickle = self._in_row()
            self._verdict = judged(source, pickle.globals)
            self._contents = collect(pickle.value, limits)
            self._check_storages()
        if not self._contents.tensors:
            raise self._empty()
        self.advice = self._advice()

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """What is saved, names that loading would import, and plain values such as `epoch`."""
        made = self._contents.made
        facts = {"saved as": "a state dict" if made is None else f"an object of the class {made}"}
        if self._verdict.code:
            facts["code, not loaded"] = names_text(self._verdict.code)
        return {**facts, **self._contents.facts}

    @property
    def code(self) -> tuple[str, ...]:
        """Names that are no weights, which loading the whole file would import and run."""
        return tuple(map(str, self._verdict.code))

    @property
    def _warnings(self) -> tuple[str, ...]:
        if not self._verdict.code:
            return ()
        return (f"loading all of this file would run code: {names_text(self._verdict.code)}",)

    def _in_archive(self, archive: Archive) -> Pickle:
        root = root_of(archive.names, "data.pkl")
        if root is None:
            raise Broken(self.source.size, "it has no data.pkl in it")
        self._zip = TorchZip(self.source, archive, root, self.limits)
        self._swapped = self._zip.swapped
        return self._zip.pickle("data.pkl")

    def _in_row(self) -> Pickle:
        """The object among the pickles in a row, read again in more bytes while they are cut."""
        length = min(_FIRST_WINDOW, self.source.size)
        while True:
            data = self.source.read(0, length)
            try:
                return self._pickles(data)
            except CutOff:
                if length == self.source.size:
                    raise
                length = min(length * 4, self.source.size)
                self.limits.check("structure_bytes", length, "the pickle")

    def _pickles(self, data: bytes) -> Pickle:
        first = read_pickle(data, 0, self.limits)
        if first.value != MAGIC:
            return first
        names = {**dict.fromkeys(first.globals)}
        found, stop = [first], first.stop
        for _ in range(4):
            found.append(read_pickle(data, stop, self.limits))
            stop = found[-1].stop
            names.update(dict.fromkeys(found[-1].globals))
        keys = found[4].value
        if not isinstance(keys, list):
            raise Broken(stop, "it does not name its storages")
        self._keys, self._behind = [str(key) for key in keys], stop
        return Pickle(found[3].value, tuple(names), stop)

    def _check_storages(self) -> None:
        """Hold every storage against the bytes that the file has for it."""
        storages = storages_of(self._contents.tensors.values())
        if self._zip is not None:
            self._zip.check("data/", storages.values())
        elif storages:
            self._find_in_row(storages)

    def _find_in_row(self, storages: dict[str, Storage]) -> None:
        """Where each storage lies behind the pickles: its count in 8 bytes, then its elements."""
        position = self._behind
        with self.source.reading() as read:
            for key in self._keys:
                storage = storages.get(key)
                if storage is None:
                    raise Broken(position, f"nothing tells the type of storage {key[:40]!r}")
                if position + 8 > self.source.size:
                    break
                count = int.from_bytes(read(position, 8), "little")
                stop = position + 8 + count * ITEM_BYTES[storage.dtype]
                if stop > self.source.size or stop - position - 8 < storage.end:
                    raise Broken(position, f"the storage {key[:40]!r} is cut off")
                self._places[key] = position + 8
                position = stop
        for key in storages:
            if key not in self._places:
                raise Broken(position, f"the storage {key[:40]!r} is missing")

    def _stored(self, storage: Storage, start: int, stop: int) -> bytes:
        if self._zip is not None:
            return self._zip.read("data/", storage.key, start, stop)
        return self.source.read(self._places[storage.key] + start, stop - start)

    def _empty(self) -> ModelFormatError:
        name = display_text(self.source.name, 60)
        would = names_text(self._verdict.code)
        runs = f"; loading it would run {would}, so that it is not opened" if would else ""
        return ModelFormatError(f"{name} is a pickle without tensors that can be read{runs}")

    def _advice(self) -> str:
        """How the weights are used, by ways that run nothing of the file."""
        if self._verdict.code or self._verdict.numpy:
            others = names_text((*self._verdict.code, *self._verdict.numpy))
            return (
                f"it holds weights, and more that loading would import: {others}. Take the weights "
                "alone, which runs nothing of it: net.load_state_dict({t.name: "
                "torch.from_numpy(model.tensor(t.name)) for t in model.tensors})"
            )
        name = torchvision_name(self.tensors)
        if name is not None:
            return (
                "it holds weights only, those of torchvision's "
                f'{name}: mlnb.networks.backbone("{name}", weights=path)'
            )
        state = "torch.load(path, weights_only=True)"
        wrapper = next((key for key in _WRAPPERS if self._all_below(key)), None)
        inside = f'["{wrapper}"]' if wrapper else ""
        return (
            "it holds weights only; make the network in code, then "
            f"net.load_state_dict({state}{inside})"
        )

    def _all_below(self, key: str) -> bool:
        return any(name.startswith(f"{key}.") for name in self._contents.tensors)


_WRAPPERS = ("state_dict", "model_state_dict", "model")
