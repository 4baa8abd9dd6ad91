from __future__ import annotations

import gzip
import json
from itertools import accumulate
from math import prod

import pytest
from graph.made_graphs import EXPORTS, Made, chain, export, light, transformer
from models_made import nested_models, onnx_models

from mlnb.formats import open_model_file
from mlnb.graph.graph import Graph, Node, TensorAttribute, Value
from mlnb.graph.payload import attribute_text, graph_payload, node_ids, pack
from mlnb.graph.summary import summarize


def unpack(packed: bytes) -> dict:
    """What the browser does: running sums put the indices back."""
    payload = json.loads(gzip.decompress(packed))
    for graph in payload["graphs"]:
        nodes, last = graph["nodes"], 0

        def absolute(steps):
            nonlocal last
            found = []
            for step in steps:
                last += step or 0
                found.append(-1 if step is None else last)
            return found

        for i in range(len(nodes["id"])):
            nodes["inputs"][i] = absolute(nodes["inputs"][i])
            nodes["outputs"][i] = absolute(nodes["outputs"][i])
        graph["parameters"] = list(accumulate(graph["parameters"]))
        graph["elided"] = list(accumulate(graph["elided"]))
        last = 0

        def restore(group):
            children = group["children"]
            for at, child in enumerate(children):
                if isinstance(child, dict):
                    restore(child)
                else:
                    children[at] = absolute([child])[0]

        restore(graph["tree"])
    return payload


def small() -> Graph:
    made = Made("x", values=[Value("x", "float32", ("N", 3, None))])
    made.weight("w", 8, 3, 3, 3)
    y = made.add("Conv", "x", "w", "", scope="stem/conv", kernel_shape=(3, 3), pads=(1, 1, 1, 1))
    y = made.add("Relu", y, scope="stem/act")
    y = made.add("Reshape", y, made.constant(2), scope="head")
    return made.graph(y)


def test_the_payload_of_a_small_graph():
    payload = graph_payload(small())
    graph = payload["graphs"][0]
    values, nodes = graph["values"], graph["nodes"]
    assert payload["ops"][nodes["op"][0]][0] == "Conv"
    assert payload["families"][payload["ops"][0][1]][0] == "conv"
    assert payload["attributes"][nodes["attributes"][0]] == [
        ["kernel_shape", "3 × 3"],
        ["pads", "1, 1, 1, 1"],
    ]
    assert payload["attributes"][nodes["attributes"][1]] == []
    assert payload["scopes"][nodes["scope"][0]] == "stem/conv"
    assert [values["name"][v] for v in graph["inputs"]] == ["x"]
    assert [values["name"][v] for v in graph["outputs"]] == ["Reshape_3_out"]
    x, w, left_out = nodes["inputs"][0]
    assert payload["types"][values["type"][x]] == ["float32", ["N", 3, None]]
    assert (values["bytes"][x], values["bytes"][w], left_out) == (-1, 864, -1)
    assert payload["types"][values["type"][nodes["outputs"][1][0]]] == ["unknown", None]
    assert graph["elided"] == [2]
    assert graph["tree"]["kind"] == "root"
    assert graph["tree"]["children"][0]["id"] == "stem/"
    assert graph["tree"]["children"][0]["open"] is True


@pytest.mark.parametrize("name", EXPORTS)
def test_packing_loses_nothing(name):
    payload = graph_payload(export(name))
    assert unpack(pack(payload)) == json.loads(json.dumps(payload))


@pytest.mark.parametrize(
    "graph",
    [
        *map(export, EXPORTS),
        light("vgg19"),
        light("squeezenet"),
        transformer(3),
        open_model_file(nested_models.branches()).graph,
        open_model_file(nested_models.functions()).graph,
        open_model_file(onnx_models.constant_weights()).graph,
    ],
    ids=repr,
)
def test_the_viewer_and_the_summary_agree_on_what_a_parameter_is(graph):
    payload = graph_payload(graph)
    shapes = [
        payload["types"][level["values"]["type"][value]][1]
        for level in payload["graphs"]
        for value in level["parameters"]
    ]
    assert sum(prod(shape) for shape in shapes) == summarize(graph).parameters


def test_packing_keeps_outputs_that_are_left_out():
    nodes = (Node("a", "Dropout", ("x", "", "x"), ("", "y")), Node("b", "Relu", ("y",), ("z",)))
    payload = graph_payload(Graph("g", nodes, ("x",), ("z",)))
    assert unpack(pack(payload)) == payload


def test_the_same_graph_gives_the_same_bytes():
    assert pack(graph_payload(transformer(3))) == pack(graph_payload(transformer(3)))


def test_a_model_of_5000_nodes_takes_at_most_75_kilobytes():
    graph = transformer(114)
    assert len(graph.nodes) >= 5_003
    assert len(pack(graph_payload(graph))) <= 75_000


def test_a_real_export_of_6000_nodes_takes_at_most_75_kilobytes():
    assert len(pack(graph_payload(export("swin_t_torchscript")))) <= 75_000


def test_ids_are_the_names_made_unique_among_nodes_groups_and_ports():
    names = ["Conv_1", "Conv_1", "", "m/", "in:x", "Conv_1#2"]
    nodes = tuple(
        Node(name, "Conv", (f"v{i - 1}" if i else "x",), (f"v{i}",), scope=("m",) if i < 2 else ())
        for i, name in enumerate(names)
    )
    graph = Graph("g", nodes, ("x",), ("v5",))
    assert node_ids(graph) == ["Conv_1", "Conv_1#2", "Conv", "m/#2", "in:x#2", "Conv_1#2#2"]


def test_ids_of_ten_thousand_namesakes_are_made_fast_and_unique():
    nodes = tuple(Node("same", "Relu", (f"v{i}",), (f"v{i + 1}",)) for i in range(10_000))
    ids = node_ids(Graph("g", nodes, ("v0",), ("v10000",)))
    assert len(set(ids)) == 10_000


def test_nested_graphs_stand_in_the_payload_once_each():
    body = chain("Relu", "Relu")
    call = {"body": body}
    nodes = (
        Node("f1", "Block", ("x",), ("y",), domain="local", subgraphs=call),
        Node("f2", "Block", ("y",), ("z",), domain="local", subgraphs=call),
        Node("if", "If", ("z",), ("u",), subgraphs={"then_branch": body, "else_branch": body}),
    )
    payload = graph_payload(Graph("main", nodes, ("x",), ("u",)))
    assert len(payload["graphs"]) == 2
    assert payload["graphs"][0]["subgraphs"] == {
        "0": [["body", 1]],
        "1": [["body", 1]],
        "2": [["then_branch", 1], ["else_branch", 1]],
    }
    assert payload["ops"][0][0] == "local::Block"


def test_a_function_that_calls_itself_ends():
    body: dict[str, Graph] = {}
    call = Node("again", "F", ("x",), ("y",), subgraphs=body)
    body["body"] = Graph("F", (call,), ("x",), ("y",))
    payload = graph_payload(Graph("main", (call,), ("x",), ("y",)))
    assert [graph["subgraphs"] for graph in payload["graphs"]] == [{"0": [["body", 1]]}] * 2


def test_strings_of_strangers_are_made_visible_and_clipped():
    evil = "</script>\u202e\x00" + "x" * 10_000
    nodes = (Node(evil, evil, (evil,), ("y",), evil, (evil,), {evil: evil}),)
    value = Value(evil, evil, (evil,))
    graph = Graph(evil, nodes, (evil,), ("y",), {evil: value}, warnings=(evil,) * 99)
    payload = graph_payload(graph)
    text = json.dumps(payload, ensure_ascii=False)
    assert "\u202e" not in text
    assert "\x00" not in text
    assert max(len(part) for part in text.split('"')) < 900
    assert len(payload["warnings"]) == 50


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("kernel_shape", (3, 3), "3 × 3"),
        ("pads", (1, 1), "1, 1"),
        ("epsilon", 1e-5, "1e-05"),
        ("alpha", 0.1, "0.1"),
        ("alpha", float("nan"), "nan"),
        ("axis", -1, "-1"),
        ("mode", "linear", "linear"),
        ("value", TensorAttribute("int64", (2,), 16), "int64 [2]"),
        ("names", ("a", "b\n"), "a, b\\n"),
        ("empty", (), ""),
    ],
)
def test_attributes_read_as_text(name, value, text):
    assert attribute_text(name, value) == text


def test_a_long_attribute_is_clipped_and_says_how_long_it_is():
    text = attribute_text("values", tuple(range(100_000)))
    assert text.endswith("(100,000 in all)")
    assert len(text) <= 400
