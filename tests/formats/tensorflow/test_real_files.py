"""Our readers against TensorFlow itself, which runs in a process of its own."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from models_made import tensorflow_says

from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.tensorflow.dangers import _DANGERS
from mlnb.formats.tensorflow.ops import _FIXED_BY_OP, _SINKS
from mlnb.specs import Shape, TensorSpecs

pytestmark = pytest.mark.skipif(find_spec("tensorflow") is None, reason="needs tensorflow")


TYPES = {f"DT_{name.upper()}": name for name in ("bool", "int32", "int64", "uint8", "string")}
TYPES |= {"DT_FLOAT": "float32", "DT_RESOURCE": "resource", "DT_VARIANT": "variant"}


def real_models() -> list[Path]:
    data = os.environ.get("MLNB_DATA")
    folder = Path(data or "/nowhere") / "models" / "tf"
    return [*sorted(folder.glob("frozen/*.pb")), *sorted(folder.glob("saved_model/*"))]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tensorflow")
    answer = tensorflow_says.says(folder, real_models())
    answer["folder"] = folder
    return answer


def agrees(ours: Shape | None, theirs: list[int | None] | None) -> bool:
    """Whether what we say of a shape is true; TensorFlow works out more than the file says."""
    if ours is None or theirs is None:
        return True
    return len(ours) == len(theirs) and all(
        one is None or one == other for one, other in zip(ours, theirs, strict=True)
    )


def check(specs: TensorSpecs, theirs: dict[str, list[Any]], *, exactly: bool) -> None:
    assert {spec.name: spec.dtype for spec in specs} == {
        n: dtype for n, (dtype, _) in theirs.items()
    }
    for spec in specs:
        shape = theirs[spec.name][1]
        assert agrees(spec.shape, shape), spec
        if exactly:
            assert (None if spec.shape is None else list(spec.shape)) == shape


def test_every_model_has_the_inputs_and_outputs_that_tensorflow_finds(
    told: dict[str, Any],
) -> None:
    assert len(told["models"]) >= 1
    for path, theirs in told["models"].items():
        file = open_model_file(path)
        if path.endswith(".pb"):
            check(file.inputs, theirs["inputs"], exactly=True)
            check(file.outputs, theirs["outputs"], exactly=False)
            ops = [op for op in theirs["ops"] if op != "Placeholder"]
            assert [node.op for node in file.graph.nodes] == ops
            continue
        assert sorted(file.signatures) == sorted(theirs)
        for name, ends in theirs.items():
            chosen = file.with_signature(name)
            check(chosen.inputs, ends["inputs"], exactly=False)
            check(chosen.outputs, ends["outputs"], exactly=False)
            assert not chosen.graph.warnings or name == "read"


def test_the_shapes_inside_are_those_that_tensorflow_works_out(told: dict[str, Any]) -> None:
    graphs = {path: theirs["shapes"] for path, theirs in told["models"].items() if "ops" in theirs}
    graphs[told["folder"] / "layers.pb"] = told["layers"]
    for path, theirs in graphs.items():
        values = open_model_file(path).graph.values
        for name, value in values.items():
            shape = theirs[name if ":" in name else f"{name}:0"]
            assert (None if value.shape is None else list(value.shape)) == shape or (
                name.startswith("explicit") and value.shape is None
            ), (name, value.shape, shape)
    assert len(values) > 70


def test_loops_branches_tables_and_files_are_seen(told: dict[str, Any]) -> None:
    file = open_model_file(told["folder"] / "everything")
    ops = {node.op for graph in (file.graph, *file.graph.subgraphs) for node in graph.nodes}
    assert {"StatelessWhile", "StatelessIf"} <= ops or {"While", "If"} <= ops
    assert not file.dangers
    assert not file.with_signature("words").dangers
    (danger,) = file.with_signature("read").dangers
    assert (danger.op, danger.why) == ("ReadFile", "reads files")
    loop = open_model_file(told["folder"] / "loop.pb")
    assert not loop.graph.warnings
    assert "y" in loop.outputs.names
    bare = open_model_file(told["folder"] / "without_signatures")
    assert not bare.outputs
    assert any("predict" in node.op for node in bare.graph.nodes)


def test_the_tables_of_operations_agree_with_the_registry(told: dict[str, Any]) -> None:
    registry = told["registry"]
    for op, dtype in _FIXED_BY_OP.items():
        assert TYPES[registry[op][0][0]] == dtype, op
    assert {op for op in _DANGERS if op not in registry} == set()
    assert {op for op in _SINKS if op not in registry} == set()


def test_missing_variables_are_named(mlnb_data: Path) -> None:
    folder = mlnb_data / "malformed" / "tf" / "sentiment_model_missing_variables_data"
    file = open_model_file(folder)
    assert str(file.inputs) == "TensorSpecs(Features: int32 [?, 600])"
    missing = [part.name for part in file.parts if not part.exists]
    assert missing == ["variables/variables.data-00000-of-00001"]
    assert len(file.graph.nodes) > 50


def test_a_protobuf_of_something_else_is_no_model(mlnb_data: Path) -> None:
    for path in (mlnb_data / "malformed" / "protobuf").iterdir():
        with pytest.raises(ModelFormatError, match="cannot be read as"):
            open_model_file(path)
