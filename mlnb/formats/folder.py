"""Models that are folders: which file stands for one, `inside`."""

from __future__ import annotations

import os
from pathlib import Path

from mlnb.errors import ModelFormatError
from mlnb.formatting import display_text

Given = str | os.PathLike[str] | bytes | bytearray | memoryview
"""A path, or the content of a file."""

_INSIDE = (
    ("saved_model.pb", "a SavedModel"),
    ("saved_model.pbtxt", "a SavedModel"),
    ("*.safetensors.index.json", "sharded safetensors"),
)
"""The file that a folder is opened by: it says what lies in the others."""


def is_model_folder(folder: Path) -> bool:
    """Whether a model lies in the folder itself, so that it is opened by its name.

    >>> is_model_folder(Path("half_plus_two"))
    True
    """
    return bool(_found(folder))


def inside(model: Given) -> Given:
    """The file that stands for a folder; anything else as it came.

    >>> inside("half_plus_two")
    PosixPath('half_plus_two/saved_model.pb')

    Raises:
        ModelFormatError: the folder holds no such file, or several.
    """
    if isinstance(model, bytes | bytearray | memoryview):
        return model
    folder = Path(os.path.expanduser(model))
    if not _is_folder(folder):
        return model
    found = _found(folder)
    shown = display_text(str(folder), 200)
    if not found:
        wanted = " or ".join(f"{pattern} ({what})" for pattern, what in _INSIDE)
        raise ModelFormatError(f"{shown} is a folder, and no model lies in it: it has no {wanted}")
    if len(found) > 1:
        names = ", ".join(display_text(path.name, 60) for path in found[:4])
        raise ModelFormatError(f"{shown} holds several models: {names}; load one of them")
    return found[0]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # no path at all: whoever opens it says so
        return False


def _found(folder: Path) -> list[Path]:
    """The files of the first pattern that fits."""
    for pattern, _ in _INSIDE:
        found = sorted(folder.glob(pattern))
        if found:
            return found
    return []
