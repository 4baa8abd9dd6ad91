from __future__ import annotations

from graph.made_graphs import Made, chain

from mlnb.graph.families import FAMILIES, family
from mlnb.graph.graph import Graph, Node, TensorAttribute, Value


def test_edges_are_found_from_both_ends():
    made = Made("x")
    y = made.add("Conv", "x")
    graph = made.graph(made.add("Add", y, y))
    assert graph.producers == {y: 0, "Add_1_out": 1}
    assert graph.consumers == {"x": (0,), y: (1,)}


def test_values_that_the_file_does_not_describe_are_made_up():
    assert chain("Relu").value("x") == Value("x")
    assert chain("Relu").value("x").shape is None


def test_nested_graphs_are_found_once_each():
    inner = chain("Relu")
    middle = Graph("m", (Node("", "If", subgraphs={"then_branch": inner}),))
    graph = Graph("g", (Node("", "F", subgraphs={"body": middle, "other": inner}),) * 2)
    assert set(map(id, graph.subgraphs)) == {id(middle), id(inner)}


def test_two_graphs_do_not_share_their_empty_mappings():
    assert Node("a", "A").attributes == {}
    assert Graph("g", ()).values == {}


def test_texts():
    assert repr(chain("Conv", "Relu")) == "Graph('made', 2 nodes)"
    assert repr(Graph("\u202e", ())) == "Graph('\\\\u202e', 0 nodes)"
    assert str(TensorAttribute("float32", (64, 3), 768)) == "float32 [64, 3]"


def test_weights_are_the_stored_values():
    made = Made("x")
    made.weight("w", 3)
    assert [value.name for value in made.graph().weights] == ["w"]


def test_every_operation_has_a_family_and_every_family_a_colour():
    assert family("Conv").name == "conv"
    assert family("Gemm").name == "dense"
    assert family("<nobody knows>").name == "other"
    colors = [f.color for f in FAMILIES]
    assert len(set(colors)) == len(colors)
    assert all(len(color) == 7 and color.startswith("#") for color in colors)
