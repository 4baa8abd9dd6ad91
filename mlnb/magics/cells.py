"""What a cell magic knows of its cell: which one it is, and that a comment may stand above it.

JupyterLab, Notebook 7 and VS Code give each cell an id, which ipykernel hands on to IPython; Colab,
nbclient and a terminal have none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_ABOVE = re.compile(r"\s*(#.*)?$")
_OURS = re.compile(r"%%ml\w+(\s|$)")


@dataclass(frozen=True, eq=False)
class Cell:
    """The cell that runs; each run of it is another object.

    Args:
        id: the front end's name for it; empty where it gives none.
    """

    id: str = ""


class _Watch:
    """Notes each cell as it begins."""

    def __init__(self) -> None:
        self.cell = Cell()

    def begin(self, info: Any = None) -> None:
        self.cell = Cell(getattr(info, "cell_id", None) or "")


_watches: WeakKeyDictionary[InteractiveShell, _Watch] = WeakKeyDictionary()


def install(shell: InteractiveShell) -> None:
    """Follow the cells from now on, and let comments stand above our cell magics."""
    watch = _watches[shell] = _Watch()
    shell.events.register("pre_run_cell", watch.begin)
    shell.input_transformer_manager.cleanup_transforms.insert(0, magic_first)


def remove(shell: InteractiveShell) -> None:
    """Leave the cells alone again."""
    watch = _watches.pop(shell, None)
    if watch is not None:
        shell.events.unregister("pre_run_cell", watch.begin)
        transforms = shell.input_transformer_manager.cleanup_transforms
        transforms[:] = [one for one in transforms if one is not magic_first]


def running(shell: InteractiveShell) -> Cell:
    """The cell that runs now."""
    watch = _watches.get(shell)
    return watch.cell if watch else Cell()


def number(shell: InteractiveShell) -> int:
    """That of the running cell, as in `In [3]`; `execution_count` may be a step ahead of it."""
    return len(shell.user_ns.get("_ih", ())) - 1


def magic_first(lines: list[str]) -> list[str]:
    """The lines with our cell magic above the comments that stand above it.

    IPython takes a cell for one with a magic only where that is the first line. The comments stand
    in the body then, so that every other line keeps its number.

    >>> magic_first(["# two layers\\n", "%%mlbuild net\\n", "dense 2\\n"])
    ['%%mlbuild net\\n', '# two layers\\n', 'dense 2\\n']
    """
    for at, line in enumerate(lines):
        if _OURS.match(line):
            return [line if line.endswith("\n") else line + "\n", *lines[:at], *lines[at + 1 :]]
        if not _ABOVE.match(line):
            break
    return lines
