from __future__ import annotations

from dataclasses import replace

from graph.made_graphs import Made

from mlnb.graph.fold import fold
from mlnb.graph.graph import Graph, Node
from mlnb.graph.scene import MANY, Ends, Port, port_name, scene


def two_modules():
    made = Made("x")
    y = made.add("Relu", made.add("Conv", "x", scope="a"), scope="a")
    return made.graph(made.add("Softmax", made.add("Gemm", y, scope="b"), scope="b"))


def test_an_edge_between_open_groups_is_cut_at_their_borders():
    shown = scene(two_modules(), fold(two_modules()))
    y, port = "Relu_1_out", port_name(1)
    assert list(shown.levels[()].edges[Ends("a/", port, "b/", port)]) == [y]
    assert list(shown.levels[("a/",)].edges[Ends(1, None, Port("exit", port), None)]) == [y]
    assert list(shown.levels[("b/",)].edges[Ends(Port("entry", port), None, 2, None)]) == [y]


def test_what_one_box_hands_into_a_frame_is_one_line_however_many_tensors_it_is():
    made = Made("x")
    outs = [made.add("Conv", "x", scope="wide") for _ in range(300)]
    graph = made.graph(made.add("Relu", made.add("Sum", *outs, scope="b"), scope="b"))
    shown = scene(graph, replace(fold(graph), open=frozenset({"b/"})))
    lines = {e.target: names for e, names in shown.levels[()].edges.items() if e.source == "wide/"}
    assert list(lines) == ["b/"]
    assert len(lines["b/"]) == 300
    assert sum(isinstance(e.source, Port) for e in shown.levels[("b/",)].edges) == 1


def test_closed_groups_are_joined_by_one_edge_and_hide_what_is_inside():
    folded = fold(two_modules(), budget=2)
    shown = scene(two_modules(), folded)
    assert folded.open == frozenset()
    assert list(shown.levels) == [()]
    assert shown.levels[()].keys == [Port("in", "x"), "a/", "b/", Port("out", "Softmax_3_out")]
    assert [(e.source, e.target) for e in shown.levels[()].edges] == [
        (Port("in", "x"), "a/"),
        ("a/", "b/"),
        ("b/", Port("out", "Softmax_3_out")),
    ]


def test_weights_and_hidden_arithmetic_draw_no_edges():
    made = Made("x")
    made.weight("w", 8, 8)
    y = made.add("MatMul", "x", "w")
    graph = made.graph(made.add("Reshape", y, made.constant(2)))
    shown = scene(graph, fold(graph))
    assert len(shown.levels[()].edges) == 3


def test_many_inputs_share_one_box():
    names = [f"x{i}" for i in range(300)]
    made = Made(*names)
    graph = made.graph(made.add("Concat", *names))
    shown = scene(graph, fold(graph))
    inputs = [key for key in shown.levels[()].keys if isinstance(key, Port) and key.kind != "out"]
    assert len(inputs) == MANY
    assert sum(len(shown.bundles[key]) for key in inputs) == 300
    assert len(shown.levels[()].edges) == MANY + 1


def test_a_branch_reads_what_its_nested_graph_takes_from_outside():
    inner = Graph("then", (Node("", "Relu", ("x",), ("r",)),), (), ("r",))
    node = Node("if", "If", ("c",), ("y",), subgraphs={"then_branch": inner})
    graph = Graph("g", (node,), ("c", "x"), ("y",))
    edges = scene(graph, fold(graph)).levels[()].edges
    assert {e.source for e in edges} == {Port("in", "c"), Port("in", "x"), 0}


def test_a_node_that_reads_itself_has_an_edge_to_itself():
    graph = Graph("g", (Node("a", "Add", ("x", "y"), ("y",)),), ("x",), ("y",))
    assert Ends(0, None, 0, None) in scene(graph, fold(graph)).levels[()].edges


def test_an_input_handed_out_as_it_is_is_an_edge():
    graph = Graph("g", (), ("x",), ("x",))
    edges = scene(graph, fold(graph)).levels[()].edges
    assert list(edges) == [Ends(Port("in", "x"), None, Port("out", "x"), None)]


def test_edges_from_nowhere_are_left_out():
    graph = Graph("g", (Node("a", "Relu", ("missing",), ("y",)),), (), ("y", "absent"))
    assert len(scene(graph, fold(graph)).levels[()].edges) == 1
