"""What a word on a magic's line stands for, where it means data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.data.samples import list_samples, load_sample
from mlnb.errors import unknown
from mlnb.magics.shell import user_names

if TYPE_CHECKING:
    from mlnb.magics.shell import Call


def data_of(call: Call, word: str, *, folder: bool = False) -> Any:
    """A variable's value, or a sample; or the path of what is there, where that is wanted.

    Args:
        call: of the magic.
        word: as it stands on the line.
        folder: whether it may name a file or a folder.

    Raises:
        UnknownName: nothing of that name, with the closest.
    """
    if word in call.local or word in call.shell.user_ns:
        return call.variable(word)
    samples = [sample.name for sample in list_samples()]
    if word in samples:
        return load_sample(word)
    path = Path(word).expanduser()
    if folder and path.exists():
        return path
    kinds = "variable, sample or folder" if folder else "variable or sample"
    raise unknown(kinds, word, [*user_names(call.shell, call.local), *samples])
