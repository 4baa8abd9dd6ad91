"""`TorchScriptFile`: the tensors of a TorchScript program; its code is named and not read.

TorchScript is a zip with a pickle of the module (`data.pkl`), one of the constants in its code, and
the code itself, in a language like Python. It is a program: what it does is seen by running it.

The format: torch/csrc/jit/docs/serialization.md in PyTorch's sources.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mlnb.formats.archive import Archive
from mlnb.formats.torch.contents import collect
from mlnb.formats.torch.pickle.globals import judged
from mlnb.formats.torch.weights import TorchWeights
from mlnb.formats.torch.zip import TorchZip, root_of, storages_of
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text, plural
from mlnb.limits import LIMITS, Limits

if TYPE_CHECKING:
    from mlnb.formats.source import Source
    from mlnb.formats.torch.pickle.reading import Global
    from mlnb.formats.torch.tensor import Storage, TorchTensor

_CONSTANTS = "constants/"
SHOWN = 20
"""Classes that the metadata name."""


def looks_inside(names: Collection[str]) -> bool:
    """Whether a zip with these members is TorchScript: a module, its constants and its code."""
    root = root_of(names, "constants.pkl")
    return root is not None and f"{root}data.pkl" in names


class TorchScriptFile(TorchWeights):
    """The tensors and the class names of a TorchScript program.

    >>> TorchScriptFile(Source.of("scripted.pt")).metadata["class"]
    'torchvision.models.resnet.ResNet'

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is damaged, or its pickles name what TorchScript never writes.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "TorchScript"
    advice = (
        "it is a program that PyTorch compiled from Python, and its weights. Make the network in "
        "code and take the weights, which runs nothing of it: net.load_state_dict({t.name: "
        "torch.from_numpy(model.tensor(t.name)) for t in model.tensors}, strict=False). As "
        ".pt2 (torch.export) or ONNX, exported by whoever has its code, it is shown and run here"
    )

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        with self._told():
            archive = Archive(source, limits)
            root = root_of(archive.names, "constants.pkl")
            if root is None:
                raise Broken(source.size, "it has no constants.pkl in it")
            self._names = archive.names
            self._zip = TorchZip(source, archive, root, limits)
            self._swapped = self._zip.swapped
            module, constants = self._zip.pickle("data.pkl"), self._zip.pickle("constants.pkl")
            names = [*module.globals, *constants.globals]
            self._classes = [name for name in names if _is_compiled(name)]
            judged(source, (name for name in names if not _is_own(name)))
            self._contents = collect(module.value, limits)
            fixed = collect(constants.value, limits).tensors
            self._zip.check("data/", storages_of(self._contents.tensors.values()).values())
            self._zip.check(_CONSTANTS, storages_of(fixed.values()).values())
            for tensor in map(_as_constant, fixed.values()):
                self._contents.tensors.setdefault(tensor.name, tensor)

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The module's class, the classes inside it, versions, and files that were added."""
        facts = {}
        made = self._contents.made
        if made is not None:
            facts["class"] = _class_text(made)
        inside = dict.fromkeys(_class_text(name) for name in self._classes if name != made)
        if inside:
            more = f" and {len(inside) - SHOWN:,} more" if len(inside) > SHOWN else ""
            facts["classes inside"] = ", ".join(list(inside)[:SHOWN]) + more
        code = [name for name in self._names if name.endswith(".py")]
        facts["code, not read"] = plural(len(code), "file")
        for member, label in (("version", "version"), (".data/version", "version")):
            if self._zip.text(member):
                facts.setdefault(label, self._zip.text(member))
        extra = [name.partition("/extra/")[2] for name in self._names if "/extra/" in name]
        if extra:
            facts["files added"] = ", ".join(display_text(name, 60) for name in extra[:SHOWN])
        return {**facts, **self._contents.facts}

    def _stored(self, storage: Storage, start: int, stop: int) -> bytes:
        folder = "" if storage.key.startswith(_CONSTANTS) else "data/"
        return self._zip.read(folder, storage.key, start, stop)


def _is_compiled(name: Global) -> bool:
    return name.module.partition(".")[0] == "__torch__"


def _is_own(name: Global) -> bool:
    """Whether TorchScript writes this name itself: its classes, and how it tags lists."""
    return _is_compiled(name) or name.module == "torch.jit._pickle"


def _class_text(name: Global) -> str:
    """The Python class that was compiled: `__torch__.a.___torch_mangle_3.B` was `a.B`."""
    steps = str(name).split(".")
    kept = [s for s in steps if s != "__torch__" and not s.startswith("___torch_mangle_")]
    return ".".join(kept) or str(name)


def _as_constant(tensor: TorchTensor) -> TorchTensor:
    """A tensor of the code, which calls the first one `CONSTANTS.c0`."""
    name = f"CONSTANTS.c{tensor.name}" if tensor.name.isdigit() else f"CONSTANTS.{tensor.name}"
    storage = tensor.storage
    if storage is not None:
        storage = storage._replace(key=_CONSTANTS + storage.key)
    return tensor._replace(name=name, storage=storage)
