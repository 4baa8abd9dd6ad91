from __future__ import annotations

import pytest
from graph.made_graphs import EXPORTS, Made, export, light, ops

from mlnb.graph.elide import LARGE_WEIGHT, constant_nodes, elided_nodes
from mlnb.graph.graph import Graph, Node


def test_shape_arithmetic_and_its_constants_are_hidden():
    made = Made("x")
    shape = made.add("Shape", made.add("Relu", "x"))
    batch = made.add("Gather", shape, made.constant())
    cast = made.add("Cast", batch)
    target = made.add("Concat", made.add("Unsqueeze", cast, made.constant(1)), made.constant(1))
    graph = made.graph(made.add("Reshape", "Relu_0_out", target))
    shown = [i for i in range(len(graph.nodes)) if i not in elided_nodes(graph)]
    assert ops(graph, shown) == ["Relu", "Reshape"]


def test_identities_are_hidden_and_casts_of_data_are_not():
    made = Made("x")
    y = made.add("Cast", made.add("Identity", "x"))
    graph = made.graph(made.add("Relu", y))
    assert ops(graph, elided_nodes(graph)) == ["Identity"]


def test_what_depends_on_the_data_is_never_hidden_even_where_it_makes_a_shape():
    made = Made("x")
    count = made.add("Squeeze", made.add("ReduceSum", made.add("Cast", "x")))
    graph = made.graph(made.add("Expand", "x", count))
    assert elided_nodes(graph) == frozenset()


def test_a_constant_expression_on_weights_is_hidden():
    made = Made("x")
    weight = made.add("Reshape", made.weight("w", 64), made.constant(2))
    graph = made.graph(made.add("MatMul", "x", made.add("Transpose", weight)))
    assert ops(graph, elided_nodes(graph)) == ["Constant", "Reshape", "Transpose"]
    assert ops(graph, constant_nodes(graph)) == ["Constant", "Reshape", "Transpose"]


def test_a_large_weight_looked_up_by_shapes_is_shown():
    made = Made("x")
    made.weight("positions", 512, LARGE_WEIGHT)
    size = made.add("Shape", "x")
    lookup = made.add("Gather", "positions", made.add("Gather", size, made.constant()))
    graph = made.graph(made.add("Add", "x", lookup))
    shown = [i for i in range(len(graph.nodes)) if i not in elided_nodes(graph)]
    assert ops(graph, shown) == ["Gather", "Add"]


def test_random_numbers_are_no_constants():
    made = Made("x")
    graph = made.graph(made.add("Add", "x", made.add("RandomNormal")))
    assert elided_nodes(graph) == frozenset()


def test_what_makes_an_output_is_shown():
    made = Made("x")
    graph = made.graph(made.add("Shape", "x"))
    assert elided_nodes(graph) == frozenset()


def test_a_graph_of_nothing_but_constants_still_shows_something():
    made = Made()
    made.add("Reshape", made.constant(4), made.constant(1))
    assert ops(made.graph(), elided_nodes(made.graph())) == ["Constant", "Constant"]
    only = Made()
    only.constant(1)
    assert elided_nodes(only.graph()) == frozenset()


def test_a_cycle_is_shown():
    nodes = (
        Node("a", "Add", ("x", "c"), ("b",)),
        Node("b", "Relu", ("b",), ("c",)),
        Node("s", "Shape", ("s",), ("s",)),
    )
    assert not elided_nodes(Graph("g", nodes, ("x",), ("b",))) & {0, 1}


@pytest.mark.parametrize("name", EXPORTS)
def test_no_layer_of_a_real_export_is_hidden(name):
    graph = export(name)
    hidden = set(ops(graph, elided_nodes(graph)))
    assert not hidden & {"Conv", "Gemm", "Softmax", "LayerNormalization", "Relu", "MaxPool"}


def test_a_torchscript_export_is_mostly_shape_arithmetic():
    graph = export("swin_t_torchscript")
    shown = len(graph.nodes) - len(elided_nodes(graph))
    assert len(graph.nodes) > 6_000
    assert 400 < shown < 700


def test_the_weights_of_the_onnx_wheel_are_constant_expressions():
    graph = light("resnet50")
    shown = [i for i in range(len(graph.nodes)) if i not in elided_nodes(graph)]
    assert set(ops(graph, elided_nodes(graph))) <= {"Constant", "ConstantOfShape"}
    assert ops(graph, shown).count("Conv") == 53


def test_constants_variables_and_their_reads_of_tensorflow_are_hidden():
    graph = Graph(
        "tf",
        (
            Node("w", "Const", (), ("w",)),
            Node("w/read", "Identity", ("w",), ("w/read",)),
            Node("v", "VarHandleOp", (), ("v",)),
            Node("v/read", "ReadVariableOp", ("v",), ("v/read",)),
            Node("conv", "Conv2D", ("x", "w/read"), ("c",)),
            Node("add", "BiasAdd", ("c", "v/read"), ("a",)),
            Node("shape", "Shape", ("a",), ("s",)),
            Node("one", "Const", (), ("one",)),
            Node("part", "StridedSlice", ("s", "one"), ("p",)),
            Node("pack", "Pack", ("p", "one"), ("sizes",)),
            Node("reshape", "Reshape", ("a", "sizes"), ("y",)),
            Node("init", "NoOp"),
        ),
        ("x",),
        ("y",),
    )
    hidden = elided_nodes(graph)
    assert [n.name for i, n in enumerate(graph.nodes) if i not in hidden] == [
        "conv",
        "add",
        "reshape",
    ]


def test_the_read_of_a_variable_inside_a_function_hands_its_input_on():
    nodes = (
        Node("read", "ReadVariableOp", ("w",), ("value",)),
        Node("mul", "MatMul", ("x", "value"), ("y",)),
    )
    assert elided_nodes(Graph("body", nodes, ("x", "w"), ("y",))) == {0}


def test_random_numbers_of_tensorflow_are_no_constants():
    nodes = (
        Node("sizes", "Const", (), ("sizes",)),
        Node("noise", "RandomStandardNormal", ("sizes",), ("noise",)),
        Node("layer", "Relu", ("noise",), ("y",)),
    )
    assert elided_nodes(Graph("generator", nodes, (), ("y",))) == {0}
