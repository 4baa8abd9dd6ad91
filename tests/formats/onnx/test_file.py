"""What an ONNX file gives: inputs, outputs, metadata, nodes, nested graphs, parts."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
import pytest
from models_made import onnx_models, onnx_says
from onnx import helper

from mlnb.errors import ModelFileChanged, ModelFormatError, UnknownName
from mlnb.formats import Part, open_model_file
from mlnb.graph.graph import TensorAttribute
from mlnb.limits import Limits


def test_inputs_and_outputs_keep_names_dtypes_and_named_dimensions() -> None:
    file = open_model_file(onnx_models.mlp())
    assert repr(file.inputs) == "TensorSpecs(x: float32 [N, 4])"
    assert repr(file.outputs) == "TensorSpecs(scores: float32 [N, 3])"
    assert file.format == "ONNX"
    assert repr(file) == "OnnxFile('bytes', 1 input, 1 output)"


def test_a_node_has_its_op_edges_and_attributes() -> None:
    graph = open_model_file(onnx_models.convnet()).graph
    conv = graph.nodes[0]
    assert (conv.name, conv.op, conv.domain) == ("conv", "Conv", "")
    assert conv.inputs == ("image", "conv.weight", "conv.bias")
    assert dict(conv.attributes) == {"kernel_shape": (3, 3), "pads": (1, 1, 1, 1)}
    assert graph.inputs == ("image",)
    assert graph.outputs == ("scores",)


def test_a_weight_knows_its_size_and_what_is_computed_does_not() -> None:
    graph = open_model_file(onnx_models.convnet()).graph
    kernel = graph.value("conv.weight")
    assert (kernel.dtype, kernel.shape, kernel.nbytes) == ("float32", (16, 3, 3, 3), 1728)
    assert kernel.initializer
    assert not graph.value("image").initializer
    assert {value.name for value in graph.weights} == {
        "conv.weight",
        "conv.bias",
        "fc.weight",
        "fc.bias",
    }


def test_weights_that_ir_3_repeats_among_the_inputs_are_not_inputs() -> None:
    content = onnx_models.weights_as_inputs()
    assert len(onnx.load_from_string(content).graph.input) == 5
    file = open_model_file(content)
    assert file.inputs.names == ["image"]
    assert file.graph.inputs == ("image",)


def test_constant_and_filled_tensors_count_as_weights() -> None:
    graph = open_model_file(onnx_models.constant_weights()).graph
    assert {(w.name, w.shape, w.nbytes) for w in graph.weights} == {
        ("w_shape", (2,), 16),
        ("w", (5, 16), 320),
        ("b", (5,), 20),
    }


def test_odd_dimensions_are_told_apart() -> None:
    inputs = open_model_file(onnx_models.odd_shapes()).inputs
    assert {spec.name: spec.shape for spec in inputs} == {
        "named": ("batch", 3, "None"),
        "unknown": (None, 3),
        "empty_name": (None, 3),
        "negative": (None, 3),
        "zero": (0, 3),
        "scalar": (),
        "no_rank": None,
    }


def test_every_element_type_has_the_name_that_numpy_or_ml_dtypes_gives_it() -> None:
    content = onnx_models.all_dtypes()
    expected = onnx_says.inputs(onnx.load_from_string(content))
    assert len(expected) >= 23
    found = open_model_file(content).inputs
    assert [spec.dtype for spec in found] == [dtype for _, dtype, _, _ in expected]


def test_an_element_type_of_the_future_is_unknown() -> None:
    model = onnx.load_from_string(onnx_models.relu())
    content = model.SerializeToString().replace(b"\x08\x01\x12", b"\x08\x7f\x12")
    assert open_model_file(content).inputs["x"].dtype == "unknown"


def test_containers_of_tensors_are_named() -> None:
    inputs = open_model_file(onnx_models.containers()).inputs
    assert {spec.name: spec.kind.replace(" ", "_") for spec in inputs} == {
        name: name for name in inputs.names
    }
    assert str(inputs["optional_sequence"]) == "optional sequence of float32 [N, 3]"


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (onnx_models.branches(), {"then_branch", "else_branch"}),
        (onnx_models.loop(), {"body"}),
        (onnx_models.scan(), {"body"}),
    ],
    ids=["If", "Loop", "Scan"],
)
def test_subgraphs_are_nested_graphs(content: bytes, labels: set[str]) -> None:
    (node,) = open_model_file(content).graph.nodes
    assert set(node.subgraphs) == labels
    assert all(graph.nodes for graph in node.subgraphs.values())
    assert labels.isdisjoint(node.attributes)


def test_the_body_of_a_function_is_one_graph_for_all_its_calls() -> None:
    first, second = open_model_file(onnx_models.functions()).graph.nodes
    assert first.subgraphs["body"] is second.subgraphs["body"]
    act_1, act_2 = first.subgraphs["body"].nodes
    assert act_1.subgraphs["body"] is act_2.subgraphs["body"]
    assert [node.op for node in act_1.subgraphs["body"].nodes] == ["Relu"]
    with pytest.raises(KeyError):
        first.subgraphs["else_branch"]


def test_functions_that_double_forty_times_do_not_unfold() -> None:
    graph = open_model_file(onnx_models.doubling_functions(40)).graph
    assert len(graph.subgraphs) == 41


def test_functions_that_call_each_other_for_ever_are_two_graphs() -> None:
    graph = open_model_file(onnx_models.recursive_functions()).graph
    assert len(graph.subgraphs) == 2
    body = graph.nodes[0].subgraphs["body"]
    assert body.nodes[0].subgraphs["body"].nodes[0].subgraphs["body"] is body


def test_an_attribute_that_refers_to_its_functions_attribute_is_shown_as_such() -> None:
    node = helper.make_node("LeakyRelu", ["x"], ["y"])
    node.attribute.add(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    opsets = [helper.make_opsetid("", onnx_models.OPSET)]
    made = helper.make_function("local", "Leak", ["x"], ["y"], [node], opsets, ["slope"])
    content = onnx_models.called("Leak", [made])
    body = open_model_file(content).graph.nodes[0].subgraphs["body"]
    assert body.nodes[0].attributes["alpha"] == "@slope"


def test_attributes_of_every_kind_are_shown() -> None:
    given = {
        "i": -3,
        "f": 0.5,
        "s": "tanh",
        "ints": [1, -2, 2**40],
        "floats": [0.5, 0.25],
        "strings": ["a", "é"],
        "tensor": helper.make_tensor("", onnx.TensorProto.INT8, [2, 2], [1, 2, 3, 4]),
    }
    node = helper.make_node("Custom", ["x"], ["y"], domain="local", **given)
    node.attribute.append(helper.make_attribute("none", [], attr_type=onnx.AttributeProto.INTS))
    value = helper.make_tensor_value_info("x", onnx_models.FLOAT, [1])
    graph = open_model_file(onnx_models.model([node], [value], [value])).graph
    assert dict(graph.nodes[0].attributes) == {
        "i": -3,
        "f": 0.5,
        "s": "tanh",
        "ints": (1, -2, 2**40),
        "floats": (0.5, 0.25),
        "strings": ("a", "é"),
        "tensor": TensorAttribute("int8", (2, 2), 4),
        "none": (),
    }


def test_metadata_is_what_the_file_says_of_itself() -> None:
    model = onnx.load_from_string(onnx_models.mlp())
    model.doc_string, model.model_version, model.producer_version = "About it", 3, "1.2"
    helper.set_model_props(model, {"classes": "cat,dog", "ir": "mine"})
    assert open_model_file(model.SerializeToString()).metadata == {
        "producer": "models_made 1.2",
        "ir": "10",
        "opsets": "ai.onnx 21, local 1",
        "version": "3",
        "doc": "About it",
        "classes": "cat,dog",
        "metadata_props.ir": "mine",
    }


def test_parts_are_sized_on_disk_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.external_data())
    assert open_model_file(tmp_path / "model.onnx").parts == (Part("weights.bin", None, False),)
    os.mkfifo(tmp_path / "weights.bin")  # opening it would wait for ever
    assert open_model_file(tmp_path / "model.onnx").parts == (Part("weights.bin", None, False),)
    (tmp_path / "weights.bin").unlink()
    (tmp_path / "weights.bin").write_bytes(bytes(4000))
    file = open_model_file(tmp_path / "model.onnx")
    assert file.parts == (Part("weights.bin", 4000, True),)
    assert file.graph.value("w").nbytes == 4000
    with pytest.raises(ModelFormatError, match=r"'w' .*'weights\.bin', which is not opened"):
        file.tensor("w")


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../b", "..\\up", ""])
def test_a_part_outside_the_folder_is_named_and_not_looked_at(
    location: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(onnx_models.external_data(location))
    assert open_model_file(folder / "model.onnx").parts == (Part(location, None, False),)


def test_a_link_in_place_of_a_part_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.external_data())
    (tmp_path / "weights.bin").symlink_to("/etc/passwd")
    assert open_model_file(tmp_path / "model.onnx").parts == (Part("weights.bin", None, False),)


def test_a_file_that_changes_before_its_graph_is_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.mlp())
    file = open_model_file(path)
    path.write_bytes(onnx_models.convnet())
    with pytest.raises(ModelFileChanged, match="run %mlload again"):
        file.graph  # noqa: B018
    with pytest.raises(ModelFileChanged):
        file.tensor("w1")


def test_hostile_names_are_kept_as_they_are() -> None:
    graph = open_model_file(onnx_models.hostile_names()).graph
    assert tuple(node.name for node in graph.nodes[:-1]) == onnx_models.HOSTILE_NAMES
    assert graph.nodes[-1].domain == "<i>evil</i>"
    assert not graph.warnings


def test_a_name_that_is_no_text_can_be_written_anywhere() -> None:
    graph = open_model_file(onnx_models.bytes_that_are_no_utf8()).graph
    assert graph.nodes[0].name == "\\xff\\xfe\\xc3("
    graph.nodes[0].name.encode()


def test_a_name_that_is_too_long_is_clipped_with_a_warning() -> None:
    file = open_model_file(onnx_models.relu(), Limits(name_length=3))
    assert file.graph.nodes[0].name == "rel"
    assert any("over 3 characters" in warning for warning in file.graph.warnings)


def test_an_unknown_tensor_names_the_closest_one() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'conv\.weight'"):
        open_model_file(onnx_models.convnet()).tensor("conv.wieght")
