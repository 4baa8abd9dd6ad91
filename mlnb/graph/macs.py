"""Multiply-accumulate operations of one node, where all shapes that matter are numbers.

A named or unknown first dimension is the batch and counts as 1: the figure is for one sample then.
Only what multiplies by weights or matrices is counted, as papers do; activations and sums are not.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node

Sizes = tuple[int, ...]


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
    shape = graph.value(name).shape
    if shape is None:
        raise _Unknown
    sizes = [1 if at == 0 and not isinstance(d, int) else d for at, d in enumerate(shape)]
    numbers = tuple(size for size in sizes if isinstance(size, int))
    if len(numbers) != len(sizes):
        raise _Unknown
    return numbers


def _conv(w: int) -> Callable[[Graph, Node], int]:
    """Each element of the output sums over the kernel and the channels of its group."""

    def rule(graph: Graph, node: Node) -> int:
        kernel = _sizes(graph, node.inputs[w])
        return prod(_sizes(graph, node.outputs[0])) * prod(kernel[1:])

    return rule


def _conv_transpose(graph: Graph, node: Node) -> int:
    """Each element of the input is spread by the kernel over the channels of its group."""
    return prod(_sizes(graph, node.inputs[0])) * prod(_sizes(graph, node.inputs[1])[1:])


def _gemm(graph: Graph, node: Node) -> int:
    a = _sizes(graph, node.inputs[0])
    inner = a[0] if node.attributes.get("transA") else a[-1]
    return prod(_sizes(graph, node.outputs[0])) * inner


def _matmul(graph: Graph, node: Node) -> int:
    return prod(_sizes(graph, node.outputs[0])) * _sizes(graph, node.inputs[0])[-1]


def _recurrent(graph: Graph, node: Node) -> int:
    """Every step multiplies by the input's and by the state's matrix, for all gates at once."""
    steps = prod(_sizes(graph, node.inputs[0])[:2])
    return steps * (prod(_sizes(graph, node.inputs[1])) + prod(_sizes(graph, node.inputs[2])))


_RULES: dict[str, Callable[[Graph, Node], int]] = {
    "Conv": _conv(1),
    "FusedConv": _conv(1),
    "ConvInteger": _conv(1),
    "QLinearConv": _conv(3),
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "Linear": _matmul,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearMatMul": _matmul,
    "FusedMatMul": _matmul,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
}
