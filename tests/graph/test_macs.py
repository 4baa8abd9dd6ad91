"""Multiply-accumulates of a node."""

from __future__ import annotations

import pytest

from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.macs import macs


def linear(given: tuple, out: tuple) -> tuple[Graph, Node]:
    """A `Linear` as networks have it: the weight is [outputs, inputs]."""
    node = Node("fc", "Linear", ("x", "fc/weight", "fc/bias"), ("y",))
    values = {
        "x": Value("x", "float32", given),
        "fc/weight": Value("fc/weight", "float32", (10, 64), initializer=True),
        "fc/bias": Value("fc/bias", "float32", (10,), initializer=True),
        "y": Value("y", "float32", out),
    }
    return Graph("g", (node,), ("x",), ("y",), values), node


@pytest.mark.parametrize(
    ("given", "out", "count"),
    [
        (("N", 64), ("N", 10), 640),
        ((4, 64), (4, 10), 2560),
        (("N", 7, 64), ("N", 7, 10), 4480),
        ((64,), (10,), 640),
    ],
)
def test_a_linear_layer_multiplies_every_input_by_every_output(given, out, count):
    assert macs(*linear(given, out)) == count


def test_a_linear_layer_of_unknown_shape_has_no_count():
    graph, node = linear(("N", 64), ("N", 10))
    values = {**graph.values, "x": Value("x")}
    assert macs(Graph("g", (node,), ("x",), ("y",), values), node) is None


def test_what_multiplies_nothing_counts_nothing():
    graph, _ = linear(("N", 64), ("N", 10))
    assert macs(graph, Node("r", "Relu", ("x",), ("y",))) == 0


OTHERS = {
    "tensorflow": ("Conv2D", {"x": (1, 8, 8, 3), "w": (3, 3, 3, 16), "y": (1, 8, 8, 16)}, 27_648),
    "depthwise": (
        "DepthwiseConv2dNative",
        {"x": (1, 8, 8, 4), "w": (3, 3, 4, 2), "y": (1, 8, 8, 8)},
        4_608,
    ),
    "tflite": ("CONV_2D", {"x": (1, 8, 8, 3), "w": (16, 3, 3, 3), "y": (1, 8, 8, 16)}, 27_648),
    "tflite depthwise": (
        "DEPTHWISE_CONV_2D",
        {"x": (1, 8, 8, 4), "w": (1, 3, 3, 8), "y": (1, 8, 8, 8)},
        4_608,
    ),
    "fully connected": ("FULLY_CONNECTED", {"x": (2, 64), "w": (10, 64), "y": (2, 10)}, 1_280),
    "torch": ("conv2d", {"x": (1, 3, 8, 8), "w": (16, 3, 3, 3), "y": (1, 16, 8, 8)}, 27_648),
    "torch transposed": (
        "conv_transpose2d",
        {"x": (1, 3, 8, 8), "w": (3, 16, 2, 2), "y": (1, 16, 16, 16)},
        12_288,
    ),
    "keras": ("Dense", {"x": (None, 64), "w": (64, 10), "y": (None, 10)}, 640),
    "keras transposed": (
        "Conv2DTranspose",
        {"x": (None, 8, 8, 3), "w": (2, 2, 16, 3), "y": (None, 16, 16, 16)},
        12_288,
    ),
}


def graph_of(op: str, shapes: dict, order: tuple[str, ...] = ("x", "w"), **attributes):
    node = Node(op, op, order, ("y",), attributes=attributes)
    values = {name: Value(name, "float32", shape) for name, shape in shapes.items()}
    return Graph("g", (node,), ("x",), ("y",), values), node


@pytest.mark.parametrize("name", OTHERS)
def test_every_framework_stores_its_kernels_its_own_way(name: str):
    op, shapes, count = OTHERS[name]
    assert macs(*graph_of(op, shapes)) == count


def test_operations_with_the_weight_elsewhere():
    sizes = {"x": (1, 8, 8, 3), "w": (2, 2, 16, 3), "y": (1, 16, 16, 16), "s": (4,)}
    assert macs(*graph_of("Conv2DBackpropInput", sizes, ("s", "w", "x"))) == 12_288
    turned = {"x": (64, 2), "w": (64, 10), "y": (2, 10)}
    assert macs(*graph_of("MatMul", turned, transpose_a=True)) == 1_280
    biased = {"b": (10,), "x": (2, 64), "w": (64, 10), "y": (2, 10)}
    assert macs(*graph_of("addmm", biased, ("b", "x", "w"))) == 1_280
    heads = {"q": (1, 2, 5, 8), "k": (1, 2, 7, 8), "v": (1, 2, 7, 8), "y": (1, 2, 5, 8)}
    assert macs(*graph_of("scaled_dot_product_attention", heads, ("q", "k", "v"))) == 1_120


def test_a_kernel_is_found_behind_the_read_of_a_variable():
    node = Node("c", "Conv2D", ("x", "w/read"), ("y",))
    read = Node("w/read", "Identity", ("w",), ("w/read",))
    values = {
        "x": Value("x", "float32", (1, 8, 8, 3)),
        "w": Value("w", "float32", (3, 3, 3, 16), True, 1728),
        "y": Value("y", "float32", (1, 8, 8, 16)),
    }
    assert macs(Graph("g", (read, node), ("x",), ("y",), values), node) == 27_648
