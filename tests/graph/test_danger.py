"""What acts with the rights of the user is red on every picture, however it is folded."""

from __future__ import annotations

import pytest

from mlnb.graph.card import card
from mlnb.graph.danger import NOTE, danger_line, dangers
from mlnb.graph.elide import constant_nodes, elided_nodes
from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.payload import graph_payload
from mlnb.graph.svg import picture

WHY = "reads files"


def reader(scope: tuple[str, ...] = ()) -> Graph:
    """A file's name in a constant, the file, and what is made of it."""
    return Graph(
        "reads",
        (
            Node("name", "Const", (), ("name",), scope=scope),
            Node("read", "ReadFile", ("name",), ("bytes",), scope=scope, danger=WHY),
            Node("decode", "DecodeJpeg", ("bytes",), ("picture",), scope=scope),
            Node("mean", "Mean", ("picture", "x"), ("y",)),
        ),
        ("x",),
        ("y",),
        {"name": Value("name", "string", (), True, 8)},
    )


def calling(inner: Graph, name: str = "call") -> Graph:
    node = Node(name, "PartitionedCall", ("x",), ("y",), subgraphs={"body": inner})
    return Graph(f"{name}s", (node,), ("x",), ("y",))


def test_it_is_never_hidden_nor_is_what_it_made_taken_for_a_constant():
    graph = reader()
    assert constant_nodes(graph) == {0}
    assert elided_nodes(graph) == {0}
    assert elided_nodes(Graph("i", (Node("i", "Identity", ("x",), ("y",), danger=WHY),))) == set()


def test_the_box_is_red_and_says_why():
    svg = picture(reader())
    assert svg.count('class="d"') == 1
    assert svg.count(f'class="s w">{WHY}<') == 1
    assert svg.count(".d{fill:") == 2, "light and dark"


def test_a_closed_group_says_what_is_inside_it():
    blocks = [
        Node(f"{i}/{part}", "Relu", (f"v{i}" if part == "a" else f"{i}a",), (out,), scope=(str(i),))
        for i in range(30)
        for part, out in (("a", f"{i}a"), ("b", f"v{i + 1}"))
    ]
    blocks[51] = Node("25/b", "Relu", ("25a",), ("v26",), scope=("25",), danger=WHY)
    graph = Graph("deep", tuple(blocks), ("v0",), ("v30",))
    svg = picture(graph, boxes=12)
    assert f">inside: {WHY}<" in svg
    assert svg.count('class="d"') == 1


def test_a_call_is_marked_for_what_the_functions_do_that_it_calls():
    assert dangers(calling(calling(reader(), "inner"))) == {0: f"inside: {WHY}"}
    assert f">inside: {WHY}<" in picture(calling(reader()))
    assert dangers(calling(calling(Graph("quiet", ()), "inner"))) == {}


@pytest.mark.parametrize("danger", ["", WHY])
def test_functions_that_call_each_other_come_to_an_end(danger: str):
    subgraphs: dict[str, Graph] = {}
    again = Node("again", "PartitionedCall", ("x",), ("y",), subgraphs=subgraphs)
    first = Graph("first", (again,), ("x",), ("y",))
    back = calling(first).nodes[0]
    subgraphs["body"] = Graph("second", (back, Node("read", "ReadFile", danger=danger)))
    assert dangers(first) == ({0: f"inside: {WHY}"} if danger else {})


def test_a_line_says_it_of_the_whole_model_and_how_it_is_allowed():
    assert danger_line(calling(reader())) == f"{WHY} · {NOTE}"
    assert danger_line(Graph("quiet", (Node("a", "Relu", ("x",), ("y",)),))) == ""
    code = Node("l", "Lambda", ("x",), ("y",), danger="contains code, not loaded")
    assert danger_line(Graph("code", (code,))) == "contains code, not loaded"


def test_many_kinds_are_not_all_named():
    nodes = tuple(Node(str(i), "Op", danger=f"does {i}") for i in range(5))
    assert danger_line(Graph("many", nodes)) == f"does 0, does 1, does 2, … · {NOTE}"


def test_the_saved_card_has_the_line_above_its_table():
    shown = card("net.pb", "", (), (), reader())
    assert shown.index(f"{WHY} · {NOTE}") < shown.index("<img")
    assert NOTE not in card("net.pb", "", (), (), calling(Graph("quiet", ())))


def test_what_a_file_writes_there_is_no_markup():
    node = Node("a", "Op", danger="<script>alert(1)</script>\u202e")
    graph = Graph("g", (node,))
    for shown in (picture(graph), card("t", "", (), (), graph)):
        assert "<script" not in shown
        assert "\u202e" not in shown


def test_the_viewer_is_told_which_nodes_and_the_line():
    sent = graph_payload(calling(reader()))
    assert [graph["dangers"] for graph in sent["graphs"]] == [{}, {"1": WHY}]
    assert sent["danger"] == f"{WHY} · {NOTE}"
