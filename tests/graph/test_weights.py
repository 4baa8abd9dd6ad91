"""Which stored tensors are parameters, and of which node, however a framework stores them."""

from __future__ import annotations

from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.summary import summarize
from mlnb.graph.weights import weight_uses


def stored(name: str, *shape: int, dtype: str = "float32") -> Value:
    return Value(name, dtype, shape, True, 4)


def graph_of(*nodes: Node, values: tuple[Value, ...], inputs: tuple[str, ...] = ("x",)) -> Graph:
    return Graph("g", nodes, inputs, ("y",), {value.name: value for value in values})


def used(graph: Graph) -> list[tuple[str, str]]:
    return [(use.graph.nodes[use.node].name, use.weight.name) for use in weight_uses(graph)]


def test_a_constant_and_a_variable_count_where_they_are_read():
    graph = graph_of(
        Node("w", "Const", (), ("w",)),
        Node("w/read", "Identity", ("w",), ("w/read",)),
        Node("b", "VarHandleOp", (), ("b",)),
        Node("b/read", "ReadVariableOp", ("b",), ("b/read",)),
        Node("conv", "Conv2D", ("x", "w/read"), ("c",)),
        Node("add", "BiasAdd", ("c", "b/read"), ("y",)),
        values=(stored("w", 3, 3, 3, 8), stored("b", 8)),
    )
    assert used(graph) == [("conv", "w"), ("add", "b")]
    assert summarize(graph).parameters == 224
    assert [row.name for row in summarize(graph).by_op[:2]] == ["Conv2D", "BiasAdd"]


def test_a_weight_that_is_handed_to_a_function_counts_where_it_is_used():
    body = Graph(
        "body",
        (
            Node("read", "ReadVariableOp", ("w_arg",), ("w",)),
            Node("conv", "Conv2D", ("x_arg", "w"), ("out",)),
        ),
        ("x_arg", "w_arg"),
        ("out",),
    )
    middle = Graph(
        "middle",
        (Node("inner", "PartitionedCall", ("a", "b"), ("c",), subgraphs={"body": body}),),
        ("a", "b"),
        ("c",),
    )
    graph = graph_of(
        Node("w", "VarHandleOp", (), ("w",)),
        Node("outer", "StatefulPartitionedCall", ("x", "w"), ("y",), subgraphs={"body": middle}),
        values=(stored("w", 3, 3, 1, 2),),
    )
    assert used(graph) == [("conv", "w")]
    assert {row.name: row.parameters for row in summarize(graph).by_op}["Conv2D"] == 18


def test_two_calls_with_weights_of_their_own_lose_none():
    body = Graph("body", (Node("mul", "Mul", ("a", "w"), ("b",)),), ("a", "w"), ("b",))
    first = Node("one", "PartitionedCall", ("x", "w1"), ("m",), subgraphs={"body": body})
    second = Node("two", "PartitionedCall", ("m", "w2"), ("y",), subgraphs={"body": body})
    graph = graph_of(first, second, values=(stored("w1", 4), stored("w2", 5)))
    assert sorted(weight for _, weight in used(graph)) == ["w1", "w2"]
    assert summarize(graph).parameters == 9


def test_a_weight_that_no_one_inside_uses_counts_at_the_call():
    body = Graph("body", (Node("r", "Relu", ("a",), ("b",)),), ("a", "w"), ("b",))
    call = Node("call", "PartitionedCall", ("x", "w"), ("y",), subgraphs={"body": body})
    assert used(graph_of(call, values=(stored("w", 4),))) == [("call", "w")]


def test_shapes_in_int32_are_no_parameters_and_the_bias_of_a_quantised_layer_is():
    graph = graph_of(
        Node("conv", "CONV_2D", ("x", "w", "b"), ("c",)),
        Node("shape", "RESHAPE", ("c", "sizes"), ("y",)),
        values=(
            stored("w", 8, 3, 3, 3, dtype="uint8"),
            stored("b", 8, dtype="int32"),
            stored("sizes", 2, dtype="int32"),
        ),
    )
    assert used(graph) == [("conv", "w"), ("conv", "b")]


def test_int32_beside_a_float_weight_is_no_parameter():
    graph = graph_of(
        Node("up", "TRANSPOSE_CONV", ("sizes", "w", "x"), ("y",)),
        values=(stored("w", 8, 3, 3, 3), stored("sizes", 4, dtype="int32")),
    )
    assert used(graph) == [("up", "w")]
