"""Shapes that follow from attributes; that they are TensorFlow's, `test_real_files.py` asks it."""

from __future__ import annotations

from itertools import product

import numpy as np
from models_made import tensorflow_models as made

from mlnb.formats import open_model_file
from mlnb.formats.tensorflow.shapes import _RULES, with_shapes
from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.summary import summarize


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def network() -> bytes:
    """A convolution, a mean over the picture, and a layer; no node notes its shape."""
    steps = made.numbers(1, 2, 2, 1)
    return made.graph_def(
        [
            made.placeholder("x", "float32", [None, 8, 8, 3]),
            made.const("w", np.zeros((3, 3, 3, 16), np.float32)),
            made.node("conv", "Conv2D", "x", "w", strides=steps, padding=made.text(b"SAME")),
            made.const("axes", whole(1, 2)),
            made.node("pool", "Mean", "conv", "axes"),
            made.const("v", np.zeros((16, 10), np.float32)),
            made.node("scores", "MatMul", "pool", "v"),
        ]
    )


def test_multiplications_are_counted_and_the_pool_is_found_without_tensorflow() -> None:
    graph = open_model_file(network()).graph
    assert graph.value("conv").shape == (None, 4, 4, 16)
    assert graph.value("pool").shape == (None, 16)
    summary = summarize(graph)
    assert (summary.macs, summary.without_macs) == (4 * 4 * 16 * 27 + 160, 0)


def test_what_the_file_notes_itself_is_not_overruled() -> None:
    noted = made.shapes([7, 7])
    nodes = [
        made.placeholder("x", "float32", [2]),
        made.node("y", "Relu", "x", _output_shapes=noted),
    ]
    assert open_model_file(made.graph_def(nodes)).graph.value("y").shape == (7, 7)


def graph_of(*nodes: Node, **shapes: tuple[int | None, ...]) -> Graph:
    values = {name: Value(name, "float32", shape) for name, shape in shapes.items()}
    return Graph("", nodes, ("x",), (), values)


def test_what_makes_no_sense_stays_unknown() -> None:
    shapes = [(), (3,), (None, 4), (0, 0, 0, 0), (1, 2, 3, 4, 5)]
    constants = [(), (-9,), (0, 0), (5, -7, 3), (2**40, 2**62)]
    odd = {"strides": (0,) * 4, "ksize": (0,) * 4, "padding": 3, "num_split": 0}
    for given, attributes in product([(), ("x",), ("x", "x", "x"), ("", "nowhere")], [{}, odd]):
        nodes = [Node(op, op, given, (op,), attributes=attributes) for op in _RULES]
        for shape, integers in product(shapes, constants):
            graph = with_shapes(graph_of(*nodes, x=shape), lambda _, integers=integers: integers)
            for name in _RULES:
                sizes = graph.value(name).shape or ()
                assert all(size is None or size >= 0 for size in sizes)  # type: ignore[operator]


def test_ranks_that_grow_at_each_node_end() -> None:
    ends = [((f"y{i}", "axis"), (f"y{i + 1}",)) for i in range(60)]
    nodes = [Node(f"n{i}", "ExpandDims", *each) for i, each in enumerate(ends)]
    graph = with_shapes(graph_of(*nodes, y0=(2, 3)), lambda _: (0,))
    assert graph.value("y2").shape == (1, 1, 2, 3)
    assert graph.value("y60").shape is None


def test_a_constant_that_was_left_out_as_a_weight_is_no_shape() -> None:
    nodes = [
        made.placeholder("x", "float32", [4]),
        made.const("target", np.ones(500, np.int32)),
        made.node("y", "Reshape", "x", "target"),
    ]
    assert open_model_file(made.graph_def(nodes)).graph.value("y").shape is None
