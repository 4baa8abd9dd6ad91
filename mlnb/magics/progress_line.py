"""How far a long call has come, as one line below its cell: `install`, `remove`.

The line is a display that is written over and at the end emptied. A line on stderr would be kept by
whoever saves the notebook, every state of it, because only some front ends understand a carriage
return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from IPython.display import DisplayHandle, display

from mlnb.progress import RATE, Sink, progress_text, set_sink

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class CellLine:
    """The sink of a notebook; several calls at once have a line each."""

    def __init__(self) -> None:
        self._lines: dict[str, DisplayHandle] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        """Show the line, or write it anew."""
        shown = {"text/plain": progress_text(label, done, total)}
        name = label.partition(RATE)[0]
        if name in self._lines:
            self._lines[name].update(shown, raw=True)
            return
        self._lines[name] = DisplayHandle(uuid4().hex)
        display(shown, raw=True, display_id=self._lines[name].display_id)

    def end(self, label: str) -> None:
        """Empty the line: what is saved with the notebook shows nothing."""
        line = self._lines.pop(label, None)
        if line is not None:
            line.update({}, raw=True)


_replaced: list[Sink] = []


def install(shell: InteractiveShell) -> None:
    """Show progress below the cell from now on; a terminal keeps its line on stderr."""
    if getattr(shell, "kernel", None) is not None and not _replaced:
        _replaced.append(set_sink(CellLine()))


def remove(_: Any = None) -> None:
    """Show it as before `install`."""
    if _replaced:
        set_sink(_replaced.pop())
