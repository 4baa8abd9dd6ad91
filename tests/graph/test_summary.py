from __future__ import annotations

from types import SimpleNamespace

import pytest
from graph.made_graphs import EXPORTS, Made, export, light, transformer

from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.macs import macs
from mlnb.graph.summary import summarize
from mlnb.graph.weights import Weights, elements


def value(name, *shape):
    return Value(name, "float32", shape)


def conv_net():
    made = Made("x", values=[value("x", "N", 3, 8, 8)])
    made.weight("w", 16, 3, 3, 3)
    made.weight("b", 16)
    y = made.add("Conv", "x", "w", "b", scope="stem/conv")
    made.values[y] = value(y, "N", 16, 8, 8)
    return made.graph(made.add("Relu", y, scope="stem/act"))


def test_a_small_net_adds_up():
    summary = summarize(conv_net())
    assert summary.nodes == 2
    assert summary.parameters == 16 * 27 + 16
    assert summary.bytes == 4 * summary.parameters
    assert summary.macs == 16 * 8 * 8 * 27
    assert [(row.name, row.op) for row in summary.by_layer] == [
        ("stem/conv", "Conv"),
        ("stem/act", "Relu"),
    ]


def test_a_model_is_counted_like_its_graph():
    assert summarize(SimpleNamespace(graph=conv_net())) == summarize(conv_net())


@pytest.mark.parametrize(
    "graph", [*map(export, EXPORTS), light("resnet50"), transformer(3)], ids=repr
)
def test_both_tables_add_up_to_the_same_totals(graph):
    summary = summarize(graph)
    for rows in (summary.by_op, summary.by_layer):
        assert sum(row.count for row in rows) == summary.nodes == len(graph.nodes)
        assert sum(row.parameters for row in rows) == summary.parameters
        assert sum(row.nbytes for row in rows) == summary.bytes
        assert sum(row.macs or 0 for row in rows) == (summary.macs or 0)


def test_resnet18_has_the_parameters_and_macs_of_the_paper():
    summary = summarize(export("resnet18_dynamo"))
    # 11,689,512 in torchvision, less the batch norms that the exporter folds into the convolutions.
    assert 11_670_000 < summary.parameters < 11_690_000
    assert summary.macs % 1_814_073_344 == 0
    assert "11.7 M parameters" in summary.line


def test_the_constant_expressions_of_the_onnx_wheel_count_as_weights():
    assert summarize(light("vgg19")).parameters == 143_667_240


def test_layers_stand_in_the_order_in_which_they_compute():
    made = Made("x")
    late = made.add("ConstantOfShape", made.constant(2), name="late weights", scope="last")
    y = made.add("Relu", made.add("Conv", "x", scope="first"), scope="second")
    graph = made.graph(made.add("MatMul", y, late, scope="last"))
    assert [row.name for row in summarize(graph).by_layer] == ["first", "second", "last"]
    assert summarize(light("squeezenet")).by_layer[0].name == "n0"


def test_in_a_notebook_names_stand_left_and_numbers_right():
    table = summarize(conv_net())._repr_html_()
    assert '<th style="text-align:left">layer</th><th style="text-align:right">nodes</th>' in table
    assert '<td style="text-align:left">stem/conv</td><td style="text-align:right">1</td>' in table


def test_a_tied_weight_counts_once():
    made = Made("x")
    made.weight("w", 8, 8)
    graph = made.graph(made.add("MatMul", made.add("MatMul", "x", "w"), "w"))
    assert summarize(graph).parameters == 64


def test_weights_that_nothing_uses_do_not_count():
    made = Made("x")
    made.weight("unused", 1_000)
    assert summarize(made.graph(made.add("Relu", "x"))).parameters == 0


def test_shapes_indices_masks_and_scalars_are_no_parameters():
    made = Made("x")
    names = [
        made.weight("shape", 4, dtype="int64", itemsize=8),
        made.weight("mask", 49, 49, dtype="bool", itemsize=1),
        made.weight("scale"),
        made.weight("weight", 5, dtype="int8", itemsize=1),
    ]
    summary = summarize(made.graph(made.add("Custom", "x", *names)))
    assert (summary.parameters, summary.bytes) == (5, 5)


def test_a_weight_behind_a_constant_expression_counts_where_it_is_used():
    made = Made("x")
    made.weight("w", 8, 4)
    turned = made.add("Transpose", "w")
    graph = made.graph(made.add("MatMul", "x", turned, scope="head"))
    rows = {row.name: row for row in summarize(graph).by_op}
    assert rows["MatMul"].parameters == 32
    assert rows["Transpose"].parameters == 0
    assert [row.name for row in summarize(graph).by_layer] == ["head"]


def test_nested_graphs_see_the_weights_around_them_and_count_once():
    body = Graph("body", (Node("", "MatMul", ("x", "w"), ("y",)),), ("x",), ("y",))
    calls = tuple(
        Node(f"f{i}", "Block", (f"v{i}",), (f"v{i + 1}",), subgraphs={"body": body})
        for i in range(3)
    )
    weight = Value("w", "float32", (8, 8), True, 256)
    summary = summarize(Graph("main", calls, ("v0",), ("v3",), {"w": weight}))
    assert (summary.nodes, summary.parameters) == (4, 64)
    assert [row.name for row in summary.by_layer] == ["f0", "f1", "f2"]


def test_a_function_that_calls_itself_is_counted_once():
    body: dict[str, Graph] = {}
    call = Node("f", "F", ("x",), ("y",), subgraphs=body)
    body["body"] = Graph("F", (call,), ("x",), ("y",))
    assert summarize(Graph("main", (call,), ("x",), ("y",))).nodes == 2


def test_unknown_macs_are_said_and_not_guessed():
    made = Made("x")
    made.weight("w", 8, 8)
    summary = summarize(made.graph(made.add("MatMul", "x", "w")))
    assert summary.macs is None
    assert "MACs of 1 node unknown" in summary.line
    assert "?" in repr(summary)


def test_the_text_is_a_table_with_aligned_numbers():
    text = repr(summarize(export("resnet18_dynamo")))
    table = text.splitlines()[2:9]
    assert table[0].startswith("Conv ")
    ends = {line.index(" 20 ") for line in table if " 20 " in line}
    assert len(ends) == 1
    assert "512,000" in text
    assert "more" in text, "forty rows are shown"
    assert text.splitlines()[-1].startswith("49 nodes · 11.7 M parameters · 46.7 MB")


def test_html_and_frame():
    made = Made("x")
    summary = summarize(made.graph(made.add("<b>", "x", name="<i>")))
    assert "<b>" not in summary._repr_html_()
    assert "&lt;i&gt;" in summary._repr_html_()
    frame = summarize(conv_net()).to_frame()
    assert list(frame.columns) == ["name", "op", "count", "parameters", "bytes", "macs"]
    assert frame["parameters"].sum() == 448
    assert list(summarize(conv_net()).to_frame("op")["name"]) == ["Conv", "Relu"]
    assert len(summarize(Graph("empty", ())).to_frame()) == 0
    with pytest.raises(ValueError, match="'layer' or 'op', not 'node'"):
        summary.to_frame("node")


@pytest.mark.parametrize(
    ("op", "shapes", "out", "attributes", "expected"),
    [
        ("Conv", [(1, 64, 56, 56), (64, 64, 3, 3)], (1, 64, 56, 56), {}, 115_605_504),
        ("Conv", [(1, 32, 8, 8), (32, 1, 3, 3)], (1, 32, 8, 8), {"group": 32}, 18_432),
        ("Conv", [("N", 3, 8, 8), (4, 3, 1, 1)], ("N", 4, 8, 8), {}, 768),
        ("Conv", [("N", 3, "h", "w"), (4, 3, 1, 1)], ("N", 4, "h", "w"), {}, None),
        ("ConvTranspose", [(1, 8, 4, 4), (8, 2, 2, 2)], (1, 2, 8, 8), {}, 1_024),
        ("Gemm", [("N", 512), (1000, 512)], ("N", 1000), {"transB": 1}, 512_000),
        ("Gemm", [(512, 2), (512, 10)], (2, 10), {"transA": 1}, 10_240),
        (
            "MatMul",
            [(None, 12, 197, 64), (None, 12, 64, 197)],
            (None, 12, 197, 197),
            {},
            29_805_312,
        ),
        ("MatMul", [None, (4, 4)], None, {}, None),
        ("LSTM", [(5, 1, 10), (1, 80, 10), (1, 80, 20)], (5, 1, 1, 20), {}, 12_000),
        ("Relu", [(1, 8)], (1, 8), {}, 0),
        ("Conv", [], (1,), {}, None),
    ],
)
def test_macs(op, shapes, out, attributes, expected):
    names = tuple(f"i{i}" for i in range(len(shapes)))
    values = {n: Value(n, "float32", s) for n, s in zip(names, shapes, strict=True)}
    values["y"] = Value("y", "float32", out)
    node = Node("", op, names, ("y",), attributes=attributes)
    assert macs(Graph("g", (node,), names, ("y",), values), node) == expected


def test_the_weights_of_a_node():
    graph = conv_net()
    assert [v.name for _, v in Weights(graph).of(0)] == ["w", "b"]
    assert elements(graph.value("w")) == 432
    assert elements(Value("n", "float32", ("N", 3), True)) == 0
