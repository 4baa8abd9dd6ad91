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
