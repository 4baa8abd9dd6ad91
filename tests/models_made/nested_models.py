"""Made models with graphs in graphs: If, Loop, Scan, and model-local functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from models_made.build import BOOL, FLOAT, INT64, OPSET, VALUE, model
from onnx import helper, numpy_helper


def branches() -> bytes:
    """An If whose branches read a value of the graph around them: y = x + 1 or x * 2."""
    value = VALUE("r", FLOAT, None)
    one = helper.make_node("Constant", [], ["one"], value_float=1.0)
    then = helper.make_graph(
        [one, helper.make_node("Add", ["x", "one"], ["r"])], "then", [], [value]
    )
    two = numpy_helper.from_array(np.float32(2), "two")
    other = helper.make_graph(
        [helper.make_node("Mul", ["x", "two"], ["r"])], "else", [], [value], [two]
    )
    node = helper.make_node(
        "If", ["yes"], ["y"], name="choose", then_branch=then, else_branch=other
    )
    return model(
        [node], [VALUE("yes", BOOL, []), VALUE("x", FLOAT, ["N"])], [VALUE("y", FLOAT, ["N"])]
    )


def loop() -> bytes:
    """A Loop that doubles x `times` times."""
    nodes = [
        helper.make_node("Add", ["value", "value"], ["next"], name="double"),
        helper.make_node("Identity", ["on"], ["still"]),
    ]
    body = helper.make_graph(
        nodes,
        "body",
        [VALUE("i", INT64, []), VALUE("on", BOOL, []), VALUE("value", FLOAT, ["N"])],
        [VALUE("still", BOOL, []), VALUE("next", FLOAT, ["N"])],
    )
    node = helper.make_node("Loop", ["times", "", "x"], ["y"], name="repeat", body=body)
    return model(
        [node], [VALUE("times", INT64, []), VALUE("x", FLOAT, ["N"])], [VALUE("y", FLOAT, ["N"])]
    )


def scan() -> bytes:
    """A Scan that adds up the rows of x [T, 3]."""
    body = helper.make_graph(
        [
            helper.make_node("Add", ["sum", "row"], ["total"]),
            helper.make_node("Identity", ["total"], ["seen"]),
        ],
        "body",
        [VALUE("sum", FLOAT, [3]), VALUE("row", FLOAT, [3])],
        [VALUE("total", FLOAT, [3]), VALUE("seen", FLOAT, [3])],
    )
    node = helper.make_node(
        "Scan", ["zero", "x"], ["y", "sums"], name="scan", body=body, num_scan_inputs=1
    )
    return model(
        [node],
        [VALUE("x", FLOAT, ["T", 3])],
        [VALUE("y", FLOAT, [3]), VALUE("sums", FLOAT, ["T", 3])],
        {"zero": np.zeros(3, np.float32)},
    )


def nested_ifs(depth: int) -> bytes:
    """Ifs within Ifs, `depth` of them."""
    value = VALUE("r", FLOAT, None)
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["r"])], "leaf", [], [value])
    for i in range(depth):
        node = helper.make_node("If", ["yes"], ["r"], name=f"if_{i}", then_branch=graph)
        graph = helper.make_graph([node], f"level_{i}", [], [value])
    return model(list(graph.node), [VALUE("yes", BOOL, []), VALUE("x", FLOAT, ["N"])], [value])


def function(name: str, nodes: Sequence[onnx.NodeProto]) -> onnx.FunctionProto:
    """A model-local function of the domain `local` from x to y."""
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("local", 1)]
    return helper.make_function("local", name, ["x"], ["y"], nodes, opsets)


def functions() -> bytes:
    """Two calls of `Block`, whose body calls `Act` twice."""
    act = function("Act", [helper.make_node("Relu", ["x"], ["y"], name="relu")])
    block = function(
        "Block",
        [
            helper.make_node("Act", ["x"], ["a"], name="act_1", domain="local"),
            helper.make_node("Act", ["a"], ["y"], name="act_2", domain="local"),
        ],
    )
    return called("Block", [act, block])


def doubling_functions(depth: int) -> bytes:
    """Each function calls the next twice: 2 ** depth nodes where calls are written out."""
    made = [function(f"f{depth}", [helper.make_node("Relu", ["x"], ["y"])])]
    made += [
        function(
            f"f{i}",
            [
                helper.make_node(f"f{i + 1}", ["x"], ["a"], domain="local"),
                helper.make_node(f"f{i + 1}", ["a"], ["y"], domain="local"),
            ],
        )
        for i in range(depth)
    ]
    return called("f0", made)


def recursive_functions() -> bytes:
    """`ping` calls `pong`, which calls `ping`."""
    ping = function("ping", [helper.make_node("pong", ["x"], ["y"], domain="local")])
    pong = function("pong", [helper.make_node("ping", ["x"], ["y"], domain="local")])
    return called("ping", [ping, pong])


def called(name: str, made: Sequence[onnx.FunctionProto]) -> bytes:
    nodes = [
        helper.make_node(name, ["x"], ["a"], name="first", domain="local"),
        helper.make_node(name, ["a"], ["y"], name="second", domain="local"),
    ]
    return model(
        nodes, [VALUE("x", FLOAT, ["N"])], [VALUE("y", FLOAT, ["N"])], functions=list(made)
    )
