"""Names in a file, and the modules around a node: written by torch's exporters, or told by slashes.

The dynamo exporter writes two Python lists as text into each node's `metadata_props`: the paths of
the modules around it (`['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']`, the last is the
operation) and their classes. They are cut at their quotes, never evaluated. TorchScript and
TensorFlow leave paths in names: `/layer1/layer1.0/conv1/Conv`. Each path loses what its parent's
already says, so that both exporters give `("layer1", "0", "conv1")`.
"""

from __future__ import annotations

import re
from ast import literal_eval
from typing import TYPE_CHECKING

from mlnb.formats.wire import text

if TYPE_CHECKING:
    from mlnb.limits import Limits

Scope = tuple[str, ...]

NAME_SCOPES, CLASSES = b"\n\x1apkg.torch.onnx.name_scopes", b"\n\x1epkg.torch.onnx.class_hierarchy"
"""The keys as they stand in the file, behind the tag and length of a string."""

DEPTH = 64
"""Modules around one node; no exporter comes near, and a hostile name does not pass it."""

_QUOTED = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")


class Names(dict[bytes, str]):
    """Each name of the file once, as text, clipped where it is too long."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self.clipped = 0

    def __missing__(self, raw: bytes) -> str:
        name = text(raw)
        if len(name) > self.limits.name_length:
            name = name[: self.limits.name_length]
            self.clipped += 1
        self[raw] = name
        if len(self) > self.limits.values:
            self.limits.check("values", len(self), "the graph")
        return name


class Scopes:
    """The scopes of one file's nodes, each worked out once, and the classes of the modules."""

    def __init__(self) -> None:
        self.types: dict[Scope, str] = {}
        self._by_text: dict[str, Scope] = {}
        self._by_path: dict[str, Scope] = {}
        self._typed: set[tuple[Scope, str]] = set()

    def told(self, scopes: str, classes: str) -> Scope:
        """The scope in what the dynamo exporter wrote; the classes go into `types`."""
        around = scopes.rpartition(", ")[0]
        scope = self._by_text.get(around)
        if scope is None:
            scope = self._by_text[around] = relative(_strings(scopes)[:-1])
        types = classes.rpartition(", ")[0]
        if types and (scope, types) not in self._typed:
            self._typed.add((scope, types))
            self._note(scope, _strings(classes)[:-1])
        return scope

    def named(self, name: str) -> Scope:
        """The scope in a name that is a path: `/encoder/layer.0/Conv`."""
        path = name.rpartition("/")[0]
        scope = self._by_path.get(path)
        if scope is None:
            scope = self._by_path[path] = relative(path.split("/", DEPTH + 1)[: DEPTH + 1])
        return scope

    def _note(self, scope: Scope, classes: list[str]) -> None:
        """The classes stand for the model itself and then for each module of the scope."""
        if len(classes) != len(scope) + 1:
            return
        for depth, name in enumerate(classes):
            self.types.setdefault(scope[:depth], name.rpartition(".")[2])


def _strings(written: str) -> list[str]:
    """The strings of a Python list as `repr` writes it; none where it is something else."""
    if not (written.startswith("[") and written.endswith("]")):
        return []
    if '"' not in written and "\\" not in written:
        return written[2:-2].split("', '") if len(written) > 4 else []
    try:
        return [str(literal_eval(found)) for found in _QUOTED.findall(written)]
    except (SyntaxError, ValueError):
        return []


def relative(paths: list[str]) -> Scope:
    """Each path without what its parent's says: `layer1`, `layer1.0` are `layer1`, `0`."""
    scope: list[str] = []
    parent = ""
    for path in paths:
        if path:
            begins = parent and path.startswith(parent + ".")
            scope.append(path[len(parent) + 1 :] if begins else path)
            parent = path
    return tuple(scope[:DEPTH])
