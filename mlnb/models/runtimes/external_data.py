"""Weights that lie in files beside the model: only what really lies beside it may be opened.

A model names these files itself, so that a stranger's model could name `../../.ssh/id_rsa` and hand
out its bytes as an output. onnxruntime follows hard links; we refuse every link before it looks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from mlnb.errors import ModelRunError
from mlnb.formatting import display_text


def require_contained(model: Path, parts: Iterable[str]) -> None:
    """Refuse a model whose external data is anything but plain files inside its own folder.

    >>> require_contained(Path("model.onnx"), ["weights.bin"])

    Args:
        model: the model's file.
        parts: the locations that the model names.

    Raises:
        ModelRunError: one is empty, absolute, climbs out, is or passes a link, is no regular file
            or is missing.
    """
    for part in parts:
        fault = _fault(model.parent, part)
        if fault:
            raise ModelRunError(
                f"{display_text(model.name)} keeps weights in {display_text(part, 200)!r}, which "
                f"{fault}; external data must be plain files in the model's own folder"
            )


def _fault(folder: Path, part: str) -> str:
    """What is wrong with a location; empty where it may be opened."""
    if not part or "\0" in part:
        return "is no file name"
    if PurePosixPath(part).is_absolute() or PureWindowsPath(part).anchor:
        return "is an absolute path"
    steps = [step for step in part.replace("\\", "/").split("/") if step not in ("", ".")]
    if ".." in steps:
        return "climbs out of the folder"
    place = folder
    for step in steps:
        place = place / step
        try:
            found = os.lstat(place)
        except (OSError, ValueError):
            return "is missing"
        if stat.S_ISLNK(found.st_mode):
            return "is reached by a symbolic link"
    if place == folder or not stat.S_ISREG(found.st_mode):
        return "is no regular file"
    if found.st_nlink > 1:
        return "is a hard link to a file that may lie elsewhere"
    return ""
