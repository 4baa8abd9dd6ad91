from __future__ import annotations

from graph.made_graphs import Made, chain

from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.order import data_flow_order, reads, visible_source, visible_sources


def test_a_sorted_file_keeps_its_order():
    assert data_flow_order(chain("Conv", "Relu", "Gemm")) == [0, 1, 2]


def test_a_shuffled_file_is_put_in_order():
    nodes = (Node("b", "Relu", ("y",), ("z",)), Node("a", "Conv", ("x",), ("y",)))
    assert data_flow_order(Graph("g", nodes, ("x",), ("z",))) == [1, 0]


def test_every_node_on_a_cycle_comes_once():
    nodes = (
        Node("a", "Add", ("x", "d"), ("b",)),
        Node("b", "Relu", ("b",), ("c",)),
        Node("c", "Relu", ("c",), ("d",)),
        Node("self", "Relu", ("e",), ("e",)),
    )
    assert data_flow_order(Graph("g", nodes, ("x",))) == [0, 1, 2, 3]


def test_an_edge_goes_through_hidden_identities_and_ends_at_hidden_arithmetic():
    made = Made("x")
    y = made.add("Conv", "x")
    i = made.add("Cast", made.add("Identity", y))
    s = made.add("Shape", y)
    graph = made.graph(made.add("Reshape", i, s))
    assert visible_source(graph, i, {1, 2, 3}) == y
    assert visible_source(graph, s, {1, 2, 3}) is None
    assert visible_sources(graph, {1, 2, 3})[4] == [0]


def test_identities_that_read_each_other_end():
    nodes = (Node("a", "Identity", ("q",), ("p",)), Node("b", "Identity", ("p",), ("q",)))
    assert visible_source(Graph("g", nodes), "p", {0, 1}) is None


def test_a_node_reads_what_its_nested_graphs_take_from_around_them():
    inner = Graph(
        "then",
        (Node("", "Mul", ("outer", "w"), ("m",)), Node("", "Add", ("m", "local"), ("out",))),
        inputs=("local",),
        outputs=("out", "passed"),
        values={"w": Value("w", "float32", (1,), True, 4)},
    )
    node = Node("if", "If", ("condition",), ("y",), subgraphs={"then_branch": inner})
    assert reads(node) == ("condition", "outer", "passed")


def test_functions_that_call_each_other_end():
    body: dict[str, Graph] = {}
    call = Node("call", "F", ("x",), ("y",), subgraphs=body)
    body["body"] = Graph("F", (call,), ("x",), ("y",))
    assert reads(call) == ("x",)
