"""TFLite models made by hand: what goes in and out, the graph, metadata, signatures, cuts."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import numpy as np
import pytest
from models_made import tflite_models as made

from mlnb.errors import ModelFormatError, ModelRunError, UnknownName
from mlnb.formats import open_model_file
from mlnb.formats.source import Source
from mlnb.formats.tflite.file import TfliteFile
from mlnb.formats.tflite.ops import OPERATORS
from mlnb.formats.tflite.tensors import dtype_name
from mlnb.limits import Limits
from mlnb.specs import Quantization


def opened(content: bytes, **how: object) -> TfliteFile:
    return TfliteFile(Source.of(content), **how)  # type: ignore[arg-type]


def test_a_tflite_file_is_told_by_its_content() -> None:
    file = open_model_file(made.add())
    assert isinstance(file, TfliteFile)
    assert file.format == "TFLite"
    assert file.runtime == "litert"


def test_looking_imports_neither_litert_nor_tensorflow(tmp_path: Path) -> None:
    path = tmp_path / "add.tflite"
    path.write_bytes(made.add())
    code = (
        "import sys; from mlnb.formats import open_model_file; file = open_model_file(sys.argv[1]);"
        "file.graph, file.metadata, file.labels;"
        "print({name.partition('.')[0] for name in sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    imported = set(literal_eval(told.stdout))
    assert not imported & {"tensorflow", "ai_edge_litert", "flatbuffers", "torch", "onnx"}


def test_inputs_and_outputs_with_what_varies() -> None:
    file = opened(made.add())
    assert [(s.name, s.dtype, s.shape) for s in file.inputs] == [("x", "float32", (None, 3))]
    assert [(s.name, s.shape) for s in file.outputs] == [("block/add/y;block/bias", (None, 3))]


def test_the_graph_has_operators_with_scopes_options_and_weights() -> None:
    graph = opened(made.add()).graph
    (node,) = graph.nodes
    assert node.op == "ADD"
    assert node.inputs == ("x", "weight")
    assert node.scope == ("block", "add")
    assert node.attributes["fused_activation_function"] == "RELU"
    weight = graph.value("weight")
    assert weight.initializer
    assert (weight.dtype, weight.shape, weight.nbytes) == ("float32", (3,), 12)
    assert not graph.value("x").initializer
    assert graph.warnings == ()


def test_a_weight_is_read_when_it_is_asked_for() -> None:
    file = opened(made.add())
    np.testing.assert_array_equal(file.tensor("weight"), np.float32([1, 2, 3]))
    with pytest.raises(UnknownName, match="did you mean 'weight'"):
        file.tensor("weigth")
    with pytest.raises(UnknownName):
        file.tensor("x")


def test_a_weight_over_the_limit_is_not_read() -> None:
    with pytest.raises(ModelFormatError, match="tensor_bytes"):
        opened(made.add(), limits=Limits(tensor_bytes=8)).tensor("weight")


def test_quantisation_stands_in_the_specs() -> None:
    file = opened(made.quantised())
    assert file.inputs[0].dtype == "uint8"
    assert file.inputs[0].quantization == Quantization((0.5,), (128,))
    assert file.outputs[0].quantization == Quantization((1 / 256,), (0,))
    assert opened(made.add()).inputs[0].quantization is None


def test_a_weight_with_a_scale_for_each_row_can_be_made_real() -> None:
    file = opened(made.per_axis())
    scale = file.quantization("weight")
    assert scale == Quantization((0.5, 0.25), (0, 0), 0)
    real = scale.real(file.tensor("weight"))
    np.testing.assert_array_equal(real, [[0.5, -1, 1.5], [1, 1.25, -1.5]])


@pytest.mark.parametrize(
    ("scale", "zero_point", "axis"),
    [
        ([0.0], [0], 0),
        ([float("nan")], [0], 0),
        ([float("inf")], [0], 0),
        ([-1.0], [0], 0),
        ([0.5, 0.5, 0.5], [0, 0, 0], 0),
        ([0.5, 0.5], [0, 0], 7),
        ([0.5, 0.5], [0, 0], -1),
        ([0.5], [0, 0], 0),
    ],
)
def test_a_quantisation_that_makes_no_sense_is_none(
    scale: list[float], zero_point: list[int], axis: int
) -> None:
    spoiled = made.tensor("x", (2, 3), made.INT8, scale=scale, zero_point=zero_point, axis=axis)
    node = made.node(0, [0], [1])
    content = made.model(
        [made.RELU], [made.graph([spoiled, made.tensor("y")], [0], [1], [node], "")]
    )
    assert opened(content).inputs[0].quantization is None


def test_text_goes_in_and_lies_in_constants() -> None:
    assert opened(made.strings()).inputs[0].dtype == "string"
    vocabulary = opened(made.text_constant()).tensor("vocabulary")
    assert vocabulary.tolist() == ["cat", "", "Köln"]


def test_loops_and_branches_hold_the_subgraphs_that_they_run() -> None:
    file = opened(made.loop())
    loop, branch = file.graph.nodes
    assert loop.op == "WHILE"
    assert [node.op for node in loop.subgraphs["cond"].nodes] == ["LESS"]
    assert loop.subgraphs["body"].name == "double"
    assert [node.op for node in branch.subgraphs["then"].nodes] == ["ADD"]
    assert branch.subgraphs["else"].nodes == ()
    assert len(file.graph.subgraphs) == 4
    assert file.graph.warnings == ()
    body = loop.subgraphs["body"]
    np.testing.assert_array_equal(file.tensor("two", body), np.float32([2]))
    np.testing.assert_array_equal(file.tensor("two"), np.float32([2]))


def test_what_initialises_and_what_is_kept_is_no_fault() -> None:
    graph = opened(made.initialised()).graph
    assert list(graph.nodes[0].subgraphs) == ["init"]
    assert graph.warnings == ()


def test_signatures_are_named_and_chosen() -> None:
    file = opened(made.signatures())
    assert file.signatures == ("double", "triple")
    assert file.signature is None
    assert file.inputs.names == ["double_x:0"]
    triple = file.with_signature("triple")
    assert triple.signature == "triple"
    assert triple.inputs.names == ["x"]
    assert triple.outputs.names == ["y"]
    assert triple.graph.name == "triple"
    assert triple.graph.inputs == ("x",)
    np.testing.assert_array_equal(triple.tensor("factor"), np.float32([3]))
    assert triple.run_facts["signature"] == "triple"
    assert triple.metadata["signatures"] == "double, triple"
    with pytest.raises(UnknownName, match="did you mean 'triple'"):
        file.with_signature("tripel")
    with pytest.raises(ModelFormatError, match="no signatures"):
        opened(made.add()).with_signature("x")


def test_a_custom_operator_is_called_by_its_name() -> None:
    (node,) = opened(made.custom()).graph.nodes
    assert (node.op, node.domain) == ("Sharpen", "custom")
    assert node.attributes["custom_options"] == "3 bytes"


def test_tensors_without_names_or_with_one_name_get_numbers() -> None:
    file = opened(made.alike())
    assert file.inputs.names == ["tensor_0", "tensor_1"]
    assert file.outputs.names == ["y", "y#3"]
    assert [node.inputs for node in file.graph.nodes] == [("tensor_0", "tensor_1"), ("y",)]


def test_an_input_that_is_left_out_is_empty() -> None:
    (node,) = opened(made.left_out()).graph.nodes
    assert node.inputs == ("x", "weight", "")
    assert node.attributes["fused_activation_function"] == "RELU6"


def test_a_weight_behind_the_flatbuffer_is_found_by_its_offset() -> None:
    file = opened(made.outside())
    assert file.graph.value("weight").nbytes == 12
    np.testing.assert_array_equal(file.tensor("weight"), np.float32([1, 2, 3]))
    with pytest.raises(ModelFormatError, match="lies outside the file"):
        opened(made.outside(offset_past_end=True)).graph  # noqa: B018


def test_a_sparse_weight_says_so() -> None:
    with pytest.raises(ModelFormatError, match="sparse"):
        opened(made.sparse()).tensor("weight")


def test_the_authors_metadata_and_labels_are_read() -> None:
    file = opened(made.described())
    about = file.metadata
    assert about["producer"] == "made in code"
    assert about["name"] == "Pets"
    assert about["author"] == "A. Nonymous"
    assert about["input image"] == "A picture.; normalized: mean 127.5, std 128"
    assert about["min_runtime_version"] == "1.5.0"
    assert about["tensorflow"] == "2.19.0"
    assert file.labels == ("cat", "dog")


def test_labels_that_nobody_promised_are_found_by_the_files_name() -> None:
    content = made.add() + made.described()[len(made.described(None)) :]
    assert opened(content).labels == ("cat", "dog")
    assert opened(made.add()).labels == ()


def test_promised_labels_without_their_zip_are_an_error_and_the_model_is_not() -> None:
    file = opened(made.described(labels=None))
    with pytest.raises(ModelFormatError, match="zip"):
        file.labels  # noqa: B018
    assert file.graph.nodes


def test_damaged_metadata_is_told_and_does_not_hide_the_model() -> None:
    file = opened(made.described(damaged=True))
    assert "cannot be read" in file.metadata["TFLITE_METADATA"]
    assert file.metadata["tensorflow"] == "2.19.0"
    assert file.graph.nodes


def test_a_cut_gives_the_part_that_leads_to_a_tensor() -> None:
    cut = opened(made.chain()).cut(None, ["block/relu_0"])
    assert [node.name for node in cut.graph.nodes] == ["block/relu_0"]
    assert cut.outputs.names == ["block/relu_0"]
    assert cut.inputs.names == ["x"]
    assert cut.run_facts["inner"] == {"block/relu_0": 1}
    assert cut.graph.outputs == ("block/relu_0",)


def test_a_cut_drops_the_inputs_that_its_outputs_do_not_need() -> None:
    cut = opened(made.two_inputs()).cut(None, ["more"])
    assert cut.inputs.names == ["a"]
    assert opened(made.two_inputs()).cut(["a"], ["more"]).inputs.names == ["a"]
    np.testing.assert_array_equal(cut.tensor("one"), np.float32([1]))


def test_a_cut_at_an_inner_input_is_refused_with_the_remedy() -> None:
    with pytest.raises(ModelRunError, match=r"starts at its own inputs.*: x\. .*to_onnx"):
        opened(made.chain()).cut(["block/relu_0"], ["block/relu_2"])


def test_a_cut_at_an_unknown_tensor_names_the_closest_one() -> None:
    with pytest.raises(UnknownName, match=r"the closest are .*'block/relu_1'"):
        opened(made.chain()).cut(None, ["block/relu1"])
    with pytest.raises(ModelRunError, match="stored weight"):
        opened(made.add()).cut(None, ["weight"])


def test_numbers_and_names_are_those_of_the_schema() -> None:
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    theirs = {
        number: name for name, number in vars(schema.BuiltinOperator).items() if name.isupper()
    }
    assert tuple([theirs[number] for number in range(len(OPERATORS))]) == OPERATORS
    ours = {name: number for number in range(23) for name in [dtype_name(number)]}
    for name, number in vars(schema.TensorType).items():
        if name.isupper() and number < 23:
            assert ours[name.lower()] == number


def test_newer_operators_and_dtypes_are_named_by_number() -> None:
    tensors = [made.tensor("x", dtype=100), made.tensor("y")]
    content = made.model([60_000], [made.graph(tensors, [0], [1], [made.node(0, [0], [1])], "")])
    file = opened(content)
    assert file.graph.nodes[0].op == "BUILTIN_60000"
    assert file.inputs[0].dtype == "unknown"
