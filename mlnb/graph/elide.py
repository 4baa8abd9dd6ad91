"""Which nodes are hidden on the first picture: constants, shape arithmetic, identities.

A node is hidden when what it computes does not depend on the data that is fed, only on stored
weights and on the shapes of tensors, or when it hands its input on unchanged. Judging by what a
node reads, not by what reads it, can never hide a computation on the data itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.graph.op_names import plain_op
from mlnb.graph.order import HANDS_ON, data_flow_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.graph.graph import Graph, Node

_SHAPE_SOURCES = frozenset({"shape", "size", "shapen", "rank"})
_WORDS = (
    "abs add and broadcastto cast castlike ceil concat concatenation constantofshape div equal "
    "expand expanddims fill floor floordiv floormod gather gatherelements gathernd greater "
    "greaterorequal greaterequal identity less lessorequal lessequal max maximum min minimum mod "
    "mul neg not or pack pow prod range realdiv reducemax reducemin reduceprod reducesum reshape "
    "round scatternd shape size slice split sqrt squeeze stridedslice sub tile transpose unsqueeze "
    "where"
)
_SHAPE_ARITHMETIC = frozenset(_WORDS.split())
_MAKES_CONSTANT = frozenset(
    {"constant", "constantofshape", "eyelike", "const", "varhandleop", "variable", "variableop"}
)
_RANDOM = frozenset(
    {"randomnormal", "randomstandardnormal", "randomuniform", "truncatednormal", "bernoulli",
     "multinomial"}
)  # fmt: skip

LARGE_WEIGHT = 4096
"""Bytes: shape arithmetic reads small constants; what reads a larger one is a layer, and shown."""


def elided_nodes(graph: Graph, order: Sequence[int] | None = None) -> frozenset[int]:
    """The indices of the nodes that the first picture leaves out.

    >>> [graph.nodes[i].op for i in elided_nodes(graph)]
    ['Constant', 'Shape', 'Gather', 'Concat']

    What makes an output of the graph is always shown, and so is everything but plain Constant nodes
    where otherwise nothing would be left to see.
    """
    order = data_flow_order(graph) if order is None else order
    constants = constant_nodes(graph, order)
    derived = _derived_nodes(graph, order, constants)
    results = set(graph.outputs)
    hidden = frozenset(
        i
        for i, node in enumerate(graph.nodes)
        if (i in derived or _does_nothing(node))
        and not node.danger
        and results.isdisjoint(node.outputs)
    )
    if len(hidden) < len(graph.nodes):
        return hidden
    plain = frozenset(i for i in hidden if _makes_constant(graph.nodes[i]))
    return plain if len(plain) < len(hidden) else frozenset()


def constant_nodes(graph: Graph, order: Sequence[int] | None = None) -> frozenset[int]:
    """The nodes that compute on stored weights alone: `W = Reshape(w, [8, 8])`."""
    order = data_flow_order(graph) if order is None else order
    fed = set(graph.inputs)
    known: set[str] = {""}
    constants: set[int] = set()
    for i in order:
        node = graph.nodes[i]
        if not node.inputs and not _makes_constant(node):
            continue
        if node.subgraphs or node.danger or plain_op(node.op) in _RANDOM:
            continue
        for name in node.inputs:
            if name in known or (name not in fed and graph.value(name).initializer):
                continue
            break
        else:
            constants.add(i)
            known.update(node.outputs)
    return frozenset(constants)


def _makes_constant(node: Node) -> bool:
    """Whether a node without inputs stores its result; others draw random numbers."""
    return plain_op(node.op) in _MAKES_CONSTANT


def _does_nothing(node: Node) -> bool:
    """Whether a node hands on what it reads as it is, or stands there to be waited for only."""
    if plain_op(node.op) == "noop":
        return not node.outputs or not node.inputs
    return node.op in HANDS_ON and len(node.outputs) == 1


def _derived_nodes(graph: Graph, order: Sequence[int], constants: frozenset[int]) -> set[int]:
    """The constants, and what is computed from them and from the shapes of tensors."""
    derived = set(constants)
    for i in order:
        node = graph.nodes[i]
        if node.domain not in ("", "ai.onnx"):
            continue
        op = plain_op(node.op)
        if op in _SHAPE_SOURCES or (
            op in _SHAPE_ARITHMETIC
            and i not in derived
            and node.inputs
            and all(_is_small_and_derived(graph, name, derived) for name in node.inputs if name)
        ):
            derived.add(i)
    return derived


def _is_small_and_derived(graph: Graph, name: str, derived: set[int]) -> bool:
    i = graph.producers.get(name)
    value = graph.value(name)
    return (value.initializer if i is None else i in derived) and (
        (value.nbytes or 0) <= LARGE_WEIGHT
    )
