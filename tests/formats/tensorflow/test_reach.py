"""What of a TensorFlow graph runs: for which outputs, fed where, and what of it is dangerous."""

from __future__ import annotations

import numpy as np
import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import F, const, graph_def, node, placeholder

from mlnb.errors import ModelRunError, UnknownName
from mlnb.formats import open_model_file as read
from mlnb.formats.model_file import Danger
from mlnb.specs import TensorSpec


def test_a_cut_ends_at_an_inner_tensor_and_needs_only_what_leads_there() -> None:
    file = read(made.classifier())
    cut = file.cut(None, ["dense/MatMul:0"])
    assert (cut.inputs.names, cut.outputs.names) == (["input"], ["dense/MatMul"])
    assert [node.op for node in cut.graph.nodes] == ["Const", "Identity", "MatMul"]
    assert cut.run_facts["outputs"] == {"dense/MatMul": "dense/MatMul"}
    assert file.outputs.names == ["softmax2"]


def test_a_cut_can_be_fed_in_the_middle() -> None:
    cut = read(made.classifier()).cut(["dense/add"], ["softmax2"])
    assert list(cut.inputs) == [TensorSpec("dense/add", "float32", (None, 2))]
    # The control input makes the product run all the same, so that its input is wanted by it.
    assert "softmax2" in {node.name for node in cut.graph.nodes}
    assert "dense/add" not in cut.graph.producers


def test_a_cut_at_an_unknown_tensor_lists_the_closest() -> None:
    with pytest.raises(UnknownName, match="dense/MatMul"):
        read(made.classifier()).cut(None, ["dense/Matmul"])
    with pytest.raises(ModelRunError, match="do not depend"):
        read(made.classifier()).cut(["softmax2"], ["dense/add"])


def test_what_acts_with_the_users_rights_is_found_inside_functions() -> None:
    inner = made.function_def(
        "deep", {"x": "string"}, {"y": "r:contents:0"}, [node("r", "ReadFile", "x")], "string"
    )
    call = node("c", "PartitionedCall", "x", Tout=made.types("string"), f=made.function("deep"))
    outer = made.function_def("outer", {"x": "string"}, {"y": "c:output:0"}, [call], "string")
    nodes = [placeholder("x", "string", ()), node("y", "outer", "x")]
    file = read(graph_def(nodes, [inner, outer]))
    assert file.dangers == (Danger("ReadFile", "deep/r", "reads files"),)
    assert file.graph.warnings == ("'deep/r' reads files, with your rights",)
    found = [node.danger for graph in file.graph.subgraphs for node in graph.nodes]
    assert found.count("reads files") == 1


def test_what_does_not_run_for_the_outputs_is_no_danger_until_a_cut_asks_for_it() -> None:
    nodes = [
        *made.classifier_nodes(),
        const("path", np.array(b"/etc/passwd", object)),
        node("content", "ReadFile", "path"),
        node("write", "WriteFile", "path", "content"),
    ]
    file = read(graph_def(nodes))
    assert file.outputs.names == ["softmax2"]
    assert not file.dangers
    assert {node.name: node.danger for node in file.graph.nodes}["write"] == "writes files"
    assert [danger.op for danger in file.cut(None, ["content"]).dangers] == ["ReadFile"]


def test_a_control_input_that_writes_files_is_a_danger() -> None:
    path = const("path", np.array(b"out", object))
    nodes = [placeholder("x", "float32", ()), path, node("w", "WriteFile", "path", "path")]
    file = read(graph_def([*nodes, node("y", "Neg", "x", "^w", T=F)]))
    assert [danger.node for danger in file.dangers] == ["w"]
