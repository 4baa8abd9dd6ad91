"""Where in the user's code a layer was written: the cell or file, and the line in it."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from mlnb.formatting import display_text

_OURS = str(Path(__file__).parents[1]) + os.sep


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's code.

    Args:
        file: as Python knows it; of a cell it is a made-up one.
        line: from 1.
        cell: the number of the notebook's cell, as in `In [3]`; `None` in a file.
    """

    file: str
    line: int
    cell: int | None = None

    @property
    def source(self) -> str:
        """The line itself, where it can still be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        if self.cell is not None:
            return f"cell {self.cell}, line {self.line}"
        return f"{display_text(Path(self.file).name)}, line {self.line}"


def caller() -> Place:
    """The line outside of this package that is running now.

    In a chain over several lines it is the line of the method's name, which Python 3.11 tells.
    """
    said = _said.get()
    if said is not None:
        return said
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    name = frame.f_code.co_filename
    inputs = frame.f_globals.get("_ih")
    is_cell = name.startswith("<ipython-input-") or "ipykernel_" in name
    cell = len(inputs) - 1 if is_cell and isinstance(inputs, list) else None
    return Place(name, frame.f_lineno, cell)


_said: ContextVar[Place | None] = ContextVar("mlnb_place", default=None)


@contextmanager
def written_at(place: Place) -> Iterator[None]:
    """Layers that are made in the body stand there: in a line that is not Python's own."""
    token = _said.set(place)
    try:
        yield
    finally:
        _said.reset(token)
