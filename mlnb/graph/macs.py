"""Multiply-accumulate operations of one node, where all shapes that matter are numbers.

A named or unknown first dimension is the batch and counts as 1: the figure is for one sample then.
Only what multiplies by weights or matrices is counted, as papers do; activations and sums are not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from mlnb.graph.order import handed_on

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node

Sizes = tuple[int, ...]
Rule = Callable[["Graph", "Node"], int]


def macs(graph: Graph, node: Node) -> int | None:
    """The multiply-accumulates of a node; 0 for what has none, `None` where shapes are unknown.

    >>> macs(graph, conv)  # [1, 64, 56, 56] from 64 channels by 3 x 3 kernels
    115605504
    """
    rule = _RULES.get(node.op)
    if rule is None:
        return 0
    try:
        return rule(graph, node)
    except (_Unknown, IndexError):
        return None


class _Unknown(Exception):
    """A shape that the file does not give in numbers."""


def _sizes(graph: Graph, name: str) -> Sizes:
    """The shape in numbers, the batch counting as 1."""
    shape = handed_on(graph, name).shape
    if shape is None:
        shape = graph.value(name).shape
    if shape is None:
        raise _Unknown
    sizes = [1 if at == 0 and not isinstance(d, int) else d for at, d in enumerate(shape)]
    numbers = tuple(size for size in sizes if isinstance(size, int))
    if len(numbers) != len(sizes):
        raise _Unknown
    return numbers


def _conv(w: int, kernel: slice) -> Rule:
    """Each element of the output sums over these sizes of the kernel at input `w`."""

    def rule(graph: Graph, node: Node) -> int:
        return prod(_sizes(graph, node.outputs[0])) * prod(_sizes(graph, node.inputs[w])[kernel])

    return rule


def _transposed(x: int, kernel: slice) -> Rule:
    """Each element of the input at `x` is spread by the kernel over the channels of its group."""

    def rule(graph: Graph, node: Node) -> int:
        return prod(_sizes(graph, node.inputs[x])) * prod(_sizes(graph, node.inputs[1])[kernel])

    return rule


def _separable(graph: Graph, node: Node) -> int:
    """A kernel for each channel, then a mix of the channels."""
    out = _sizes(graph, node.outputs[0])
    depth, point = (_sizes(graph, name) for name in node.inputs[1:3])
    return prod(out[:-1]) * (prod(depth) + prod(point))


def _gemm(graph: Graph, node: Node) -> int:
    a = _sizes(graph, node.inputs[0])
    inner = a[0] if node.attributes.get("transA") else a[-1]
    return prod(_sizes(graph, node.outputs[0])) * inner


def _matmul(a: int = 0) -> Rule:
    """Each element of the output sums over the columns of the matrix at input `a`."""

    def rule(graph: Graph, node: Node) -> int:
        sizes = _sizes(graph, node.inputs[a])
        turned = any(node.attributes.get(name) for name in ("transpose_a", "adj_x"))
        return prod(_sizes(graph, node.outputs[0])) * sizes[-2 if turned else -1]

    return rule


def _fully_connected(graph: Graph, node: Node) -> int:
    return prod(_sizes(graph, node.outputs[0])) * _sizes(graph, node.inputs[1])[-1]


def _attention(graph: Graph, node: Node) -> int:
    """Queries by keys, and what comes of it by values."""
    q, k, v = (_sizes(graph, name) for name in node.inputs[:3])
    return prod(q) * k[-2] + prod(q[:-1]) * k[-2] * v[-1]


def _recurrent(graph: Graph, node: Node) -> int:
    """Every step multiplies by the input's and by the state's matrix, for all gates at once."""
    steps = prod(_sizes(graph, node.inputs[0])[:2])
    return steps * (prod(_sizes(graph, node.inputs[1])) + prod(_sizes(graph, node.inputs[2])))


_OUT_FIRST, _OUT_LAST = slice(1, None), slice(None, -1)
_AREA, _AREA_BEHIND_ONE, _OUT_THIRD = slice(2), slice(1, 3), slice(3)

_RULES: dict[str, Rule] = {
    # ONNX
    "Conv": _conv(1, _OUT_FIRST),
    "FusedConv": _conv(1, _OUT_FIRST),
    "ConvInteger": _conv(1, _OUT_FIRST),
    "QLinearConv": _conv(3, _OUT_FIRST),
    "ConvTranspose": _transposed(0, _OUT_FIRST),
    "Gemm": _gemm,
    "Linear": _matmul(),
    "MatMul": _matmul(),
    "MatMulInteger": _matmul(),
    "QLinearMatMul": _matmul(),
    "FusedMatMul": _matmul(),
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    # TensorFlow and Keras: height, width, in, out
    "Conv1D": _conv(1, _OUT_LAST),
    "Conv2D": _conv(1, _OUT_LAST),
    "Conv3D": _conv(1, _OUT_LAST),
    "_FusedConv2D": _conv(1, _OUT_LAST),
    "DepthwiseConv2dNative": _conv(1, _AREA),
    "DepthwiseConv2D": _conv(1, _AREA),
    "SeparableConv2D": _separable,
    "Conv2DBackpropInput": _transposed(2, _OUT_THIRD),
    "Conv2DTranspose": _transposed(0, _OUT_THIRD),
    "BatchMatMul": _matmul(),
    "BatchMatMulV2": _matmul(),
    "_FusedMatMul": _matmul(),
    "Dense": _matmul(),
    # TFLite: out, height, width, in
    "CONV_2D": _conv(1, _OUT_FIRST),
    "DEPTHWISE_CONV_2D": _conv(1, _AREA_BEHIND_ONE),
    "TRANSPOSE_CONV": _transposed(2, _OUT_THIRD),
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matmul(),
    # torch: out, in, height, width
    "conv1d": _conv(1, _OUT_FIRST),
    "conv2d": _conv(1, _OUT_FIRST),
    "conv3d": _conv(1, _OUT_FIRST),
    "convolution": _conv(1, _OUT_FIRST),
    "conv_transpose2d": _transposed(0, _OUT_FIRST),
    "linear": _matmul(),
    "matmul": _matmul(),
    "mm": _matmul(),
    "bmm": _matmul(),
    "addmm": _matmul(1),
    "baddbmm": _matmul(1),
    "scaled_dot_product_attention": _attention,
}
"""By the operation as its file writes it: the same word means another layout elsewhere."""
