"""Finding a box by what a person types, and what an id stands for."""

from __future__ import annotations

import pytest

from mlnb.errors import UnknownName
from mlnb.graph.fold import Group
from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.payload import graph_payload
from mlnb.widgets.boxes import Boxes


@pytest.fixture
def boxes(graph: Graph) -> Boxes:
    return Boxes(graph, graph_payload(graph))


@pytest.mark.parametrize(
    ("typed", "identity"),
    [
        ("layer1", "layer1/"),
        ("layer1/", "layer1/"),
        ("layer1.conv", "layer1.conv"),
        ("same", "same"),
        ("same#2", "same#2"),
        ("bad\u202ename", "bad\\u202ename"),
        ("x", "in:x"),
        ("z", "out:z"),
        ("If_0:then_branch:Add_3", "If_0:then_branch:Add_3"),
    ],
)
def test_a_box_is_found_by_what_a_person_types(boxes: Boxes, typed: str, identity: str):
    assert boxes.find(typed) == identity
    assert identity in boxes


def test_a_module_path_with_dots_finds_its_group():
    nodes = tuple(
        Node(f"n{i}", "Relu", (f"v{i}",), (f"v{i + 1}",), scope=("layer4", str(i // 2)))
        for i in range(4)
    )
    graph = Graph("g", nodes, ("v0",), ("v4",))
    assert Boxes(graph, graph_payload(graph)).find("layer4.1") == "layer4/1/"


def test_an_unknown_box_is_refused_with_the_closest(boxes: Boxes):
    with pytest.raises(UnknownName, match="did you mean 'layer1/'"):
        boxes.find("layer1x")
    assert "layer9/" not in boxes


def test_an_id_stands_for_its_node_or_its_group(boxes: Boxes, graph: Graph):
    assert boxes["same#2"] is graph.nodes[5]
    group = boxes["layer1/"]
    assert isinstance(group, Group)
    assert list(group.nodes()) == [0, 1]


def test_a_node_of_a_nested_graph_is_found_by_the_way_to_it(boxes: Boxes, graph: Graph):
    assert boxes["If_0:then_branch:Mul_4"] is graph.nodes[6].subgraphs["then_branch"].nodes[1]
    assert "If_0:else_branch:Mul_4" not in boxes
    assert "If_0:then_branch:" in boxes


@pytest.mark.parametrize("identity", ["in:x", "out:z", "in:", "If_0:then_branch:", "nothing"])
def test_what_is_no_node_and_no_group_stands_for_none(boxes: Boxes, identity: str):
    assert boxes[identity] is None


def test_a_function_that_calls_itself_is_walked_as_deep_as_the_id_goes():
    body: dict[str, Graph] = {}
    call = Node("again", "Loop", ("a",), ("b",), subgraphs=body)
    graph = body["body"] = Graph("f", (call,), ("a",), ("b",))
    outer = Graph("main", (Node("start", "f", ("x",), ("y",), subgraphs=body),), ("x",), ("y",))
    boxes = Boxes(outer, graph_payload(outer))
    deep = "start:body:" + "again:body:" * 50 + "again"
    assert deep in boxes
    assert boxes[deep] is graph.nodes[0]


def test_a_value_is_found_by_its_shown_name():
    values = {"w\u202e": Value("w\u202e", "float32", (1,), initializer=True, nbytes=4)}
    graph = Graph("g", (Node("n", "Relu", ("w\u202e",), ("y",)),), (), ("y",), values)
    boxes = Boxes(graph, graph_payload(graph))
    assert boxes.value_name(0, "w\\u202e") == "w\u202e"
    with pytest.raises(UnknownName):
        boxes.value_name(0, "v")
    for wrong in (1, -1, None, "0"):
        with pytest.raises(UnknownName):
            boxes.value_name(wrong, "w\\u202e")  # type: ignore[arg-type]
