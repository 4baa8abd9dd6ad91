"""The onnx wheel's 2,024 conformance cases and nine architectures, read as onnx reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from models_made import onnx_says
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests

from mlnb.formats import open_model_file
from mlnb.graph.graph import Graph, TensorAttribute

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
KINDS = {"node": 1884, "simple": 23, "pytorch-converted": 82, "pytorch-operator": 35}


def cases(kind: str) -> dict[str, bytes]:
    if kind == "node":
        return {case.name: case.model.SerializeToString() for case in collect_testcases(None)}
    tests = load_model_tests(kind=kind)
    return {test.name: (Path(test.model_dir) / "model.onnx").read_bytes() for test in tests}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # onnx computes its expectations with NaN
@pytest.mark.parametrize("kind", KINDS)
def test_every_conformance_case_is_read_as_onnx_reads_it(kind: str) -> None:
    models = cases(kind)
    assert len(models) == KINDS[kind]
    for name, content in models.items():
        same_as_onnx(name, content)


def test_the_cases_are_those_that_the_wheel_is_known_for() -> None:
    assert sum(KINDS.values()) == 2024


@pytest.mark.parametrize("file", sorted(LIGHT.glob("*.onnx")), ids=lambda file: file.stem)
def test_every_light_architecture_is_read_with_its_constants_as_weights(file: Path) -> None:
    same_as_onnx(file.stem, file.read_bytes())
    graph = open_model_file(file).graph
    made = {
        output
        for node in graph.nodes
        if not node.inputs or node.op == "ConstantOfShape"
        for output in node.outputs
    }
    assert made
    assert all(graph.value(name).initializer for name in made)
    assert sum(weight.nbytes or 0 for weight in graph.weights) > 4_000_000


def test_there_are_nine_light_architectures() -> None:
    assert len(list(LIGHT.glob("*.onnx"))) == 9


def same_as_onnx(name: str, content: bytes) -> None:
    model, file = onnx.load_from_string(content), open_model_file(content)
    assert [(s.name, s.dtype, s.shape, s.kind) for s in file.inputs] == onnx_says.inputs(model), (
        name
    )
    outputs = [onnx_says.spec(info) for info in model.graph.output]
    assert [(s.name, s.dtype, s.shape, s.kind) for s in file.outputs] == outputs, name
    same_graph(name, file.graph, model.graph)
    assert not file.graph.warnings, name
    for tensor, expected in onnx_says.stored_arrays(model.graph).items():
        ours = file.tensor(tensor)
        assert ours.dtype == expected.dtype, (name, tensor)
        np.testing.assert_array_equal(ours, expected, err_msg=f"{name} {tensor}")
        assert file.graph.value(tensor).shape == expected.shape, (name, tensor)


def same_graph(name: str, ours: Graph, theirs: onnx.GraphProto) -> None:
    assert len(ours.nodes) == len(theirs.node), name
    for a, b in zip(ours.nodes, theirs.node, strict=True):
        assert (a.name, a.op) == (b.name, b.op_type), name
        assert a.inputs == tuple(b.input), name
        assert a.outputs == tuple(b.output), name
        assert a.domain == ("" if b.domain == "ai.onnx" else b.domain), name
        given = onnx_says.attributes(b)
        assert set(a.attributes) == set(given), name
        for key, value in given.items():
            shown = a.attributes[key]
            if isinstance(shown, TensorAttribute):
                shown = (shown.dtype, shown.shape)
            if isinstance(shown, str) and isinstance(value, str):
                assert value in shown, (name, key)
            else:
                assert shown == value or shown != shown, (name, key)
        for attribute in b.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                same_graph(name, a.subgraphs[attribute.name], attribute.g)
