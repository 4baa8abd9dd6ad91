"""`Inlined`: a graph with the bodies of its functions in place of the calls, all the way down.

A SavedModel of TensorFlow 2 is one call: its layers lie in functions that functions call. Shown
nested it can be read; to be cut between layers it has to be one graph. A node `dense` of a function
that the node `call` calls is named `call/dense`, and its tensors as functions name them:
`call/dense:output:0`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from mlnb.formats.tensorflow.nodes import RawFunction, RawGraph, RawNode
from mlnb.formats.tensorflow.reach import node_of, output_of, plain

if TYPE_CHECKING:
    from mlnb.limits import Limits

CALLS = ("PartitionedCall", "StatefulPartitionedCall")
"""Operations that are nothing but the function in their attribute `f`."""


class Inlined:
    """The graph without calls, and what its tensors are called now.

    >>> Inlined(raw, ["StatefulPartitionedCall"], LIMITS).tensor("StatefulPartitionedCall")
    'StatefulPartitionedCall/dense/BiasAdd:output:0'

    Args:
        raw: the graph with its functions; it stays as it is.
        running: the outer nodes whose calls are replaced.
        limits: cap the nodes: functions that call each other ten times a level grow without end.

    Raises:
        LimitExceeded: there are too many nodes.
    """

    def __init__(self, raw: RawGraph, running: Iterable[str], limits: Limits) -> None:
        self._functions = raw.functions
        self._limits = limits
        self._nodes: list[RawNode] = []
        self._meant: dict[str, list[str]] = {}
        called = frozenset(running)
        self._waiting = [("", node) for node in reversed(raw.nodes)]
        while self._waiting:
            prefix, node = self._waiting.pop()
            function = self._called(node) if prefix or node.name in called else None
            if function is None:
                self._keep(prefix, node)
            else:
                self._open(prefix, node, function)
        nodes = [self._rewired(node) for node in self._nodes]
        self.graph = replace(raw, nodes=nodes)

    def tensor(self, name: str) -> str:
        """The tensor that one of the graph with calls is: a call's result is made in the body."""
        seen = set()
        while node_of(name) in self._meant and name not in seen:
            seen.add(name)
            meant = self._meant[node_of(name)]
            index = output_of(name)
            if index >= len(meant):
                break
            name = meant[index]
        return plain(name) if name.count(":") == 1 else name

    def _called(self, node: RawNode) -> RawFunction | None:
        if node.op not in CALLS:
            return None
        return self._functions.get(str(node.attributes.get("f", "")))

    def _keep(self, prefix: str, node: RawNode) -> None:
        self._nodes.append(
            RawNode(
                prefix + node.name,
                node.op,
                tuple(prefix + given for given in node.inputs),
                tuple(prefix + before for before in node.controls),
                node.attributes,
                node.span,
            )
        )
        self._limits.check("nodes", len(self._nodes), "the graph with its functions in place")

    def _open(self, prefix: str, node: RawNode, function: RawFunction) -> None:
        call = prefix + node.name
        inside = f"{call}/"
        self._limits.check("nodes", len(self._meant), "the graph with its functions in place")
        self._meant[call] = [inside + result for result in function.outputs]
        for (argument, _), given in zip(function.inputs, node.inputs, strict=False):
            self._meant[inside + argument] = [prefix + given]
        self._waiting += [(inside, body) for body in reversed(function.nodes)]

    def _rewired(self, node: RawNode) -> RawNode:
        controls = tuple(name for name in node.controls if name not in self._meant)
        return replace(node, inputs=tuple(map(self.tensor, node.inputs)), controls=controls)
