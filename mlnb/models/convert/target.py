"""Where an export is written: looked at before the work begins, and written whole at its end."""

from __future__ import annotations

import os
from pathlib import Path

from mlnb.cache import write_whole
from mlnb.errors import ExportError
from mlnb.formatting import display_text


def export_target(path: str | os.PathLike[str]) -> Path:
    """The place that a path names.

    >>> export_target("~/lenet.onnx").name
    'lenet.onnx'

    Raises:
        ExportError: it is a folder, or there is no folder that it would lie in.
    """
    target = Path(path).expanduser()
    if target.is_dir():
        raise ExportError(f"{_shown(target)} is a folder; give the name of a file in it")
    if not target.parent.is_dir():
        raise ExportError(f"there is no folder {_shown(target.parent)}")
    return target


def write_export(target: Path, content: bytes) -> None:
    """Put the whole new file there, or leave what stands there.

    Raises:
        ExportError: it cannot be written.
    """
    try:
        write_whole(target, content)
    except OSError as error:
        raise ExportError(f"cannot write {_shown(target)}: {error.strerror or error}") from error


def _shown(path: Path) -> str:
    return display_text(str(path), 200)
