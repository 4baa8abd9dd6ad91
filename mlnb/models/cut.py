"""Where a classifier begins: `suggest_cut`, the tensor that makes a model a feature extractor.

The last layer with weights is taken for the classifier. What comes before it ends, in nearly every
architecture for pictures, in a pool over the whole picture or in flattening, whatever a framework
calls those.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlnb.errors import ModelRunError
from mlnb.formats.cutting import kept
from mlnb.graph.elide import constant_nodes
from mlnb.graph.op_names import plain_op
from mlnb.graph.weights import Weights

if TYPE_CHECKING:
    from mlnb.formats.model_file import ModelFile
    from mlnb.graph.graph import Graph, Node
    from mlnb.specs import Shape

_LAYERS = ("conv", "dense", "linear", "gemm", "fullyconnected", "matmul", "addmm", "innerproduct")
_POOLS = ("averagepool", "avgpool", "maxpool", "mean", "reducemean", "reducemax", "adaptiveavgpool")
_RESHAPES = ("reshape", "view", "squeeze")
_KERNELS = ("kernel_shape", "ksize", "kernel_size", "pool_size", "filter_height")
_WHOLE_PICTURE = 5
"""A pool with a larger kernel than this shrinks no layer, it ends them; for want of a shape."""


def suggest_cut(graph: Graph, file: ModelFile | None = None) -> str | None:
    """The last tensor before the classifier: its last global pool or flatten.

    >>> suggest_cut(load_model("resnet50.onnx").graph)
    'flatten_473'

    Args:
        graph: of any format; shapes help.
        file: what is to be cut; a live module can be only between its submodules.

    Returns:
        The tensor's name; the input of the last layer where there is neither pool nor flatten;
        `None` where there is no layer with weights.
    """
    constants = constant_nodes(graph)
    classifier = _classifier(graph, constants)
    if classifier is None:
        return None
    before = [name for name in classifier.inputs if name and not _is_stored(graph, name, constants)]
    if not before:
        return None
    for index in reversed(kept(graph, None, before[:1]).nodes):
        node = graph.nodes[index]
        if index in constants or not node.outputs or not _ends_the_features(graph, node):
            continue
        if file is None or _can_be_cut(file, node.outputs[0]):
            return node.outputs[0]
    return before[0]


def _can_be_cut(file: ModelFile, name: str) -> bool:
    try:
        file.cut(None, [name])
    except ModelRunError:
        return False
    return True


def _classifier(graph: Graph, constants: frozenset[int]) -> Node | None:
    """The last node with weights on the way to the outputs."""
    if not graph.outputs:
        return None
    weights = Weights(graph)
    for index in reversed(kept(graph, None, graph.outputs).nodes):
        node = graph.nodes[index]
        is_layer = any(name in plain_op(node.op) for name in _LAYERS)
        if is_layer and index not in constants and next(weights.of(index), None) is not None:
            return node
    return None


def _is_stored(graph: Graph, name: str, constants: frozenset[int]) -> bool:
    return graph.value(name).initializer or graph.producers.get(name) in constants


def _ends_the_features(graph: Graph, node: Node) -> bool:
    op = plain_op(node.op)
    if op == "flatten" or (op.startswith("global") and "pool" in op):
        return True
    given = graph.value(next(iter(filter(None, node.inputs)), "")).shape
    made = graph.value(node.outputs[0]).shape
    if op in _RESHAPES:
        return given is not None and made is not None and len(given) > 2 == len(made)
    if op not in _POOLS:
        return False
    if given is not None and made is not None:
        return len(given) >= 4 and _sides(given) > _sides(made) == 0
    return "mean" not in op and "max" not in op and min(_kernel(node), default=0) > _WHOLE_PICTURE


def _sides(shape: Shape) -> int:
    """How many dimensions but the batch and the largest, the channels, are longer than one."""
    longer = [size for size in shape[1:] if size != 1]
    return max(0, len(longer) - 1)


def _kernel(node: Node) -> Iterator[int]:
    for name in _KERNELS:
        given: Any = node.attributes.get(name)
        sizes = given if isinstance(given, tuple | list) else (given,)
        yield from (size for size in sizes if isinstance(size, int) and size != 1)
