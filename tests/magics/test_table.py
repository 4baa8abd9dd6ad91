"""The hand-kept table of magics is right."""

from __future__ import annotations

from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from pprint import pformat

from IPython.core.magic import Magics

import mlnb.magics
from mlnb.magics._table import MAGICS


def test_the_table_lists_every_magic():
    found: dict[str, list[str]] = {}
    for file in sorted(Path(mlnb.magics.__file__).parent.glob("*.py")):
        module = import_module(f"mlnb.magics.{file.stem}")
        for name, cls in getmembers(module, isclass):
            if issubclass(cls, Magics) and cls.__module__ == module.__name__:
                names = {**cls.magics["line"], **cls.magics["cell"]}
                found[f"{cls.__module__}.{name}"] = sorted(names)
    assert found == MAGICS, f"the table should read:\nMAGICS = {pformat(found)}"
