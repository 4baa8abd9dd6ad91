"""The magics: thin shims that parse a line, find the names, call the library, return the object.

What a magic does can be done in plain Python with the same words, and its help prints that call.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from mlnb.magics import cells, completion, display
from mlnb.magics._table import MAGICS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register the magics, their completion and the live views; again is as good as once."""
    unload(shell)
    for path in MAGICS:
        module, _, name = path.rpartition(".")
        shell.register_magics(getattr(import_module(module), name))
    cells.install(shell)
    completion.install(shell)
    display.install(shell)
    _switch_on_colab_widgets()


def unload(shell: InteractiveShell) -> None:
    """Take back what `load` did; what it did not do is left alone."""
    manager = shell.magics_manager
    for path, names in MAGICS.items():
        manager.registry.pop(path.rpartition(".")[2], None)
        for name in names:
            manager.magics["line"].pop(name, None)
            manager.magics["cell"].pop(name, None)
    cells.remove(shell)
    completion.remove(shell)
    display.remove(shell)


def _switch_on_colab_widgets() -> None:
    """Colab draws widgets that are not its own only when told to."""
    if "google.colab" in sys.modules:
        output = getattr(sys.modules["google.colab"], "output", None)
        switch = getattr(output, "enable_custom_widget_manager", None)
        if switch is not None:
            switch()
