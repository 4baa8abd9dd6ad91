"""Whether a table of a SavedModel is filled from the model's own folder `assets`: `Assets`.

Text models fill their vocabulary from a file, by the very operation that could read any other. It
counts as harmless only where the path can be followed back, step by step, to one that the loader
sets to a file in `assets`; TensorFlow 2 hands it on in a variable, which nobody else may touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlnb.formats.tensorflow.reach import called, node_of

if TYPE_CHECKING:
    from mlnb.formats.tensorflow.nodes import RawGraph, RawNode

_STEPS = 16
_HANDLERS = frozenset({"ReadVariableOp", "VarIsInitializedOp", "AssignVariableOp"})


class Assets:
    """The assets of one graph.

    Args:
        raw: the whole graph.
        by_name: its outer nodes.
        files: the names of files in `assets`, by the node that the loader sets to their path.
    """

    def __init__(
        self, raw: RawGraph, by_name: Mapping[str, RawNode], files: Mapping[str, str]
    ) -> None:
        self._raw = raw
        self._by_name = by_name
        self._files = files

    def fill(self, table: RawNode, function: str) -> bool:
        """Whether the path that a node fills a table from is that of an asset.

        Args:
            table: such as an InitializeTableFromTextFileV2; its second input is the path.
            function: the one it stands in, `""` for none.
        """
        path = table.inputs[1] if len(table.inputs) > 1 else ""
        return self._is_argument(function, path) if function else self._is_asset(path)

    def _is_argument(self, function: str, path: str) -> bool:
        """Whether a function is called by outer nodes only, each with an asset for the path."""
        inside = (node for each in self._raw.functions.values() for node in each.nodes)
        if any(function in called(node, self._raw.functions) for node in inside):
            return False
        arguments = [name for name, _ in self._raw.functions[function].inputs]
        if node_of(path) not in arguments:
            return False
        place = arguments.index(node_of(path))
        callers = (n for n in self._raw.nodes if function in called(n, self._raw.functions))
        return all(
            len(caller.inputs) > place and self._is_asset(caller.inputs[place])
            for caller in callers
        )

    def _is_asset(self, tensor: str) -> bool:
        for _ in range(_STEPS):
            name = node_of(tensor)
            if name in self._files:
                return _is_plain(self._files[name])
            node = self._by_name.get(name)
            if node is None or not node.inputs:
                return False
            if node.op == "ReadVariableOp":
                written = self._written(node_of(node.inputs[0]))
                plain = (_is_plain(self._files.get(node_of(one), "")) for one in written)
                return bool(written) and all(plain)
            if node.op != "Identity":
                return False
            tensor = node.inputs[0]
        return False

    def _written(self, variable: str) -> list[str]:
        """All that is ever written into a variable; nothing where that cannot be known."""
        node = self._by_name.get(variable)
        if node is None or node.op != "VarHandleOp" or self._has_twin(node):
            return []
        users = [n for n in self._raw.nodes if variable in map(node_of, n.inputs)]
        if any(user.op not in _HANDLERS for user in users):
            return []
        return [user.inputs[1] for user in users if user.op == "AssignVariableOp"]

    def _has_twin(self, variable: RawNode) -> bool:
        """Whether another handle is of the same variable: they are one by their shared name."""
        inside = (node for each in self._raw.functions.values() for node in each.nodes)
        shared = variable.attributes.get("shared_name", "")
        return any(
            node is not variable
            and node.op == "VarHandleOp"
            and node.attributes.get("shared_name", "") == shared
            for node in (*self._raw.nodes, *inside)
        )


def _is_plain(file: str) -> bool:
    """Whether a name stays in its folder."""
    return bool(file) and not file.startswith(".") and not set(file) & set("/\\:\0")
