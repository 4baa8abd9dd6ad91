"""Small graphs and models for the widgets' tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from mlnb.graph.graph import Graph, Node, Value
from mlnb.models.loading import load_model
from mlnb.models.model import Model


@pytest.fixture
def graph() -> Graph:
    """Two layers in scopes, an If with a branch, a bidi character in a name, a name used twice."""
    branch = Graph(
        "then",
        (Node("Add_3", "Add", ("h", "h"), ("t",)), Node("Mul_4", "Mul", ("t", "t"), ("u",))),
        outputs=("u",),
        values={"t": Value("t", "float32", (4,))},
    )
    nodes = (
        Node("layer1.conv", "Conv", ("x", "w1"), ("a",), scope=("layer1",)),
        Node("layer1.relu", "Relu", ("a",), ("b",), scope=("layer1",)),
        Node("layer2.conv", "Conv", ("b", "w2"), ("c",), scope=("layer2", "0")),
        Node("layer2.relu", "Relu", ("c",), ("h",), scope=("layer2", "0")),
        Node("same", "Sigmoid", ("h",), ("s",)),
        Node("same", "Tanh", ("s",), ("r",)),
        Node("If_0", "If", ("r",), ("y",), subgraphs={"then_branch": branch}),
        Node("bad\u202ename", "Relu", ("y",), ("z",)),
    )
    values = {
        "x": Value("x", "float32", ("N", 3, 8, 8)),
        "w1": Value("w1", "float32", (4, 3, 3, 3), initializer=True, nbytes=432),
        "w2": Value("w2", "float32", (4, 4, 3, 3), initializer=True, nbytes=576),
        "z": Value("z", "float32", ("N", 4)),
    }
    return Graph("made", nodes, ("x",), ("z",), values)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """`net.onnx`: y = (x * x_w) + x, without a shape between the two."""
    nodes = [
        helper.make_node("Mul", ["x", "x_w"], ["x_m"], name="scale/Mul"),
        helper.make_node("Add", ["x_m", "x"], ["y"], name="scale/Add"),
    ]
    made = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor("x_w", TensorProto.FLOAT, [4], [1, 2, 3, 4])],
    )
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "net.onnx"
    path.write_bytes(proto.SerializeToString())
    return load_model(path)
