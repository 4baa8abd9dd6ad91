"""Frozen TensorFlow graphs, as their bytes have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import F, const, dtype, graph_def, node, placeholder

from mlnb.errors import ModelFormatError, UnknownName
from mlnb.formats import open_model_file
from mlnb.formats.source import Source
from mlnb.formats.tensorflow.graphdef import GraphDefFile, looks
from mlnb.graph.graph import TensorAttribute
from mlnb.specs import TensorSpec


def read(content: bytes) -> GraphDefFile:
    file = open_model_file(content)
    assert type(file) is GraphDefFile
    return file


def test_placeholders_go_in_and_what_nobody_reads_comes_out() -> None:
    file = read(made.classifier())
    assert list(file.inputs) == [TensorSpec("input", "float32", (None, 3))]
    assert list(file.outputs) == [TensorSpec("softmax2", "float32", None)]
    assert file.metadata == {"producer": "TensorFlow", "graph version": "1395"}


def test_names_are_understood_with_and_without_the_number_of_the_output() -> None:
    file = read(made.classifier())
    assert file.inputs["input:0"] is file.inputs["input"]
    (add,) = (node for node in file.graph.nodes if node.name == "dense/add")
    assert add.inputs == ("dense/MatMul", "dense/bias")
    assert file.tensor("dense/bias:0").tolist() == [0.5, -0.5]


def test_placeholders_are_inputs_and_no_nodes_and_constants_are_weights() -> None:
    graph = read(made.classifier()).graph
    assert graph.inputs == ("input",)
    assert "input" not in graph.producers
    assert [node.op for node in graph.nodes][:2] == ["Const", "Identity"]
    kernel = graph.value("dense/kernel")
    assert (kernel.initializer, kernel.shape, kernel.nbytes) == (True, (3, 2), 24)
    assert not graph.warnings


def test_slashes_in_names_are_scopes() -> None:
    scopes = {node.name: node.scope for node in read(made.classifier()).graph.nodes}
    assert scopes["dense/MatMul"] == ("dense",)
    assert scopes["softmax2"] == ()


def test_a_control_input_is_an_attribute_and_no_edge() -> None:
    softmax = read(made.classifier()).graph.nodes[-1]
    assert softmax.inputs == ("dense/add",)
    assert softmax.attributes["control_inputs"] == ("dense/MatMul",)
    assert set(softmax.attributes) == {"T", "control_inputs"}


def test_attributes_read_as_python_has_them() -> None:
    content = graph_def(
        [
            placeholder("x", "float32", (2,)),
            node(
                "y",
                "Foo",
                "x",
                s=made.text(b"SAME\xff"),
                i=made.number(3, -5),
                f=made.real(0.5),
                b=made.number(5, 1),
                kind=dtype("bfloat16"),
                size=made.shape((None, 3)),
                kinds=made.types("int32", "string"),
                value=made.tensor(np.zeros((2, 2), np.int64)),
            ),
        ]
    )
    (foo,) = read(content).graph.nodes
    assert dict(foo.attributes) == {
        "s": r"SAME\xff",
        "i": -5,
        "f": 0.5,
        "b": True,
        "kind": "bfloat16",
        "size": (None, 3),
        "kinds": ("int32", "string"),
        "value": TensorAttribute("int64", (2, 2), 32),
    }


def test_functions_are_nested_graphs_and_one_object_for_all_their_calls() -> None:
    twice = node("z", "PartitionedCall", "y", Tout=made.types("float32"), f=made.function("double"))
    graph = read(made.with_function() + made.encode(1, twice)).graph
    outer, again = graph.nodes
    body = outer.subgraphs["body"]
    assert body is again.subgraphs["body"]
    assert (body.inputs, body.outputs) == (("x",), ("call:output:0",))
    (call,) = body.nodes
    inner = call.subgraphs["body"]
    assert [node.op for node in inner.nodes] == ["AddV2"]
    assert inner.value("a").dtype == "float32"
    assert len(graph.subgraphs) == 2
    assert not graph.warnings


def test_branches_and_loops_are_nested_under_the_names_of_their_attributes() -> None:
    body = made.function_def("go", {"x": "float32"}, {"y": "x"}, [])
    loop = node(
        "y",
        "While",
        "x",
        T=made.types("float32"),
        cond=made.function("go"),
        body=made.function("go"),
    )
    graph = read(graph_def([placeholder("x", "float32", ()), loop], [body])).graph
    assert set(graph.nodes[0].subgraphs) == {"cond", "body"}


def test_a_function_that_calls_itself_is_told_and_does_not_unfold() -> None:
    call = node("again", "PartitionedCall", "x", Tout=made.types("float32"), f=made.function("me"))
    me = made.function_def("me", {"x": "float32"}, {"y": "again:output:0"}, [call])
    outer = node("y", "me", "x")
    graph = read(graph_def([placeholder("x", "float32", ()), outer], [me])).graph
    assert graph.warnings == ("a function calls itself: me → me",)
    assert len(graph.subgraphs) == 1


def test_the_loops_of_tensorflow_1_are_no_warning() -> None:
    nodes = [
        placeholder("x", "float32", ()),
        node("enter", "Enter", "x", T=F),
        node("merge", "Merge", "enter", "next", T=F),
        node("next", "NextIteration", "merge", T=F),
        node("exit", "Exit", "merge", T=F),
    ]
    file = read(graph_def(nodes))
    assert not file.graph.warnings
    assert file.outputs.names == ["exit"]
    nodes[3] = node("next", "Identity", "merge", T=F)
    assert "a cycle" in read(graph_def(nodes)).graph.warnings[0]


def test_an_edge_from_nowhere_and_two_nodes_of_one_name_are_warnings() -> None:
    nodes = [node("y", "Relu", "nothing", T=F), node("y", "Relu", "y", T=F)]
    warnings = " ".join(read(graph_def([placeholder("x", "float32", ()), *nodes])).graph.warnings)
    assert "nothing makes 'nothing'" in warnings
    assert "2 nodes are called 'y'" in warnings


def test_what_saves_assigns_and_starts_is_no_output() -> None:
    nodes = [
        *made.classifier_nodes(),
        node("w", "VariableV2", dtype=F, shape=made.shape((3, 2))),
        node("w/Assign", "Assign", "w", "dense/kernel", T=F),
        node("save", "SaveV2", "input"),
        node("init", "NoOp", "^w/Assign"),
        const("alone", np.zeros(3, np.float32)),
        node("table", "HashTableV2"),
    ]
    file = read(graph_def(nodes))
    assert file.outputs.names == ["softmax2"]
    variable = file.graph.value("w")
    assert (variable.initializer, variable.shape, variable.nbytes) == (True, (3, 2), 24)
    with pytest.raises(ModelFormatError, match="'w' is a variable"):
        file.tensor("w")


def test_constants_come_out_where_there_is_nothing_else() -> None:
    assert read(graph_def([const("c", np.zeros(3, np.int32))])).outputs.names == ["c"]


def test_a_placeholder_with_a_default_is_an_optional_input() -> None:
    nodes = [
        const("keep", np.float32(1)),
        node("prob", "PlaceholderWithDefault", "keep", dtype=F, shape=made.shape(())),
        node("y", "Neg", "prob", T=F),
    ]
    file = read(graph_def(nodes))
    assert list(file.inputs) == [TensorSpec("prob", "float32", (), "optional")]
    assert file.graph.inputs == ("prob",)


def test_what_an_iterator_gives_goes_in() -> None:
    nodes = [
        node("it", "IteratorV2"),
        node(
            "next",
            "IteratorGetNext",
            "it",
            output_types=made.types("float32", "int64"),
            output_shapes=made.shapes((None, 3), (None,)),
        ),
        node("y", "Neg", "next", T=F),
        node("label", "Identity", "next:1", T=dtype("int64")),
    ]
    file = read(graph_def(nodes))
    assert [str(spec) for spec in file.inputs] == ["float32 [?, 3]", "int64 [?]"]
    assert file.inputs.names == ["next", "next:1"]
    assert file.outputs.names == ["y", "label"]
    assert "next" not in {node.name for node in file.graph.nodes}


def test_shapes_come_from_what_tensorflow_noted() -> None:
    shapes = made.shapes((2, None), None)
    nodes = [placeholder("x", "float32", (2,)), node("y", "Foo", "x", T=F, _output_shapes=shapes)]
    file = read(graph_def(nodes))
    assert file.outputs[0].shape == (2, None)
    assert list(file.graph.nodes[0].attributes) == ["T"]


def test_several_outputs_of_a_node_are_several_values() -> None:
    nodes = [
        placeholder("x", "float32", (4,)),
        const("axis", np.int32(0)),
        node("split", "Split", "axis", "x", T=F, num_split=made.number(3, 2)),
        node("y", "Neg", "split:1", T=F),
    ]
    graph = read(graph_def(nodes)).graph
    assert graph.nodes[1].outputs == ("split", "split:1")
    assert graph.value("split:1").dtype == "float32"


def test_large_weights_are_skipped_and_read_when_asked_for() -> None:
    weight = np.random.default_rng(0).standard_normal((300, 200)).astype(np.float32)
    content = graph_def([const("w", weight), *made.classifier_nodes()])
    file = read(content)
    assert file.graph.value("w").nbytes == weight.nbytes
    assert sum(len(node.attributes._data) for node in file._raw.nodes) < 3_000
    np.testing.assert_array_equal(file.tensor("w"), weight)


def test_the_weights_of_a_vocabulary_know_their_size() -> None:
    words = np.array([b"word%d" % i for i in range(1000)], object)
    file = read(graph_def([const("words", words), *made.classifier_nodes()]))
    assert file.graph.value("words").nbytes == sum(map(len, words))
    assert file.tensor("words").tolist() == [word.decode() for word in words]


def test_an_unknown_constant_lists_the_closest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'dense/kernel'"):
        read(made.classifier()).tensor("dense/kernal")


def test_it_is_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(made.classifier())
    assert open_model_file(path).format == "TensorFlow GraphDef"
    for other in (
        b"",
        b"\n",
        b"\n\x05abcde",
        b"\n\x04\n\x02ab",
        b"PK\x03\x04",
        b"\x08\x01\x12\x00",
    ):
        assert not looks(other, Source.of(other))
