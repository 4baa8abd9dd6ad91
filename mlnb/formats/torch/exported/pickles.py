"""What a `.pt2` has torch unpickle, read as data: `refuse_foreign` names what it would import.

Sample inputs, sparse and quantised weights, and in files of torch 2.5 to 2.7 all weights are
pickles in files of `torch.save`, each a zip inside the zip; custom objects are bare ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlnb.errors import MlnbError, ModelRunError
from mlnb.formats.archive import BEGINNING, Archive
from mlnb.formats.source import Source
from mlnb.formats.torch.pickle.globals import judge, names_text
from mlnb.formats.torch.pickle.reading import read_pickle
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.formats.torch.exported.file import ExportedProgramFile
    from mlnb.formats.torch.pickle.records import Global

_OBJECTS = ("custom_obj_", "opaque_obj_")
_PICKLES = (".pt", ".pth", ".pkl", ".pickle")


def refuse_foreign(file: ExportedProgramFile) -> None:
    """Let a file pass whose pickles hold tensors and nothing else.

    Raises:
        ModelRunError: naming what loading would import, or the part that cannot be checked.
    """
    pickled = {member for _, (inside, member, _) in file.payloads.items() if inside}
    for name in file.archive.names:
        if name.rpartition("/")[2].startswith(_OBJECTS):
            raise _refusal(file, f"{display_text(name)} is a pickled object of some class")
        if name in pickled or name.endswith(_PICKLES):
            _refuse_part(file, name)


def _refuse_part(file: ExportedProgramFile, name: str) -> None:
    data = file.archive.read(name, file.source.size * 4, checked=False)
    try:
        verdict = judge(found for part in _pickles(data) for found in part)
    except (MlnbError, Broken) as error:
        why = display_text(str(error), 160)
        raise _refusal(file, f"{display_text(name)} cannot be checked ({why})") from error
    foreign = (*verdict.programs, *verdict.code)
    if foreign:
        raise _refusal(file, f"loading {display_text(name)} would import {names_text(foreign)}")


def _pickles(data: bytes) -> Iterator[tuple[Global, ...]]:
    """The names in each pickle of what `torch.save` wrote; an empty part holds none."""
    if not data:
        return
    if not data.startswith(BEGINNING):
        yield read_pickle(data).globals
        return
    inner = Archive(Source.of(data))
    for name in inner.names:
        if name.endswith(".pkl"):
            yield read_pickle(inner.read(name, len(data) * 4, checked=False)).globals


def _refusal(file: ExportedProgramFile, why: str) -> ModelRunError:
    return ModelRunError(
        f"{display_text(file.source.name)} is not run: {why}. It can be looked at; export it again "
        f"with tensors as inputs alone, where you have its module"
    )
