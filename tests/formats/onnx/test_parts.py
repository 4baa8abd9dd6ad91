"""A model may name files wherever it may hold a tensor, and each of them is among its parts.

What is not among the parts is not looked at before a runtime opens it, so that one place left out
would let a stranger's model read any file.
"""

from __future__ import annotations

import onnx
import pytest
from models_made.build import FLOAT, VALUE, model, weight
from onnx import TensorProto, helper, numpy_helper

from mlnb.formats import open_model_file

HERE = "weights.bin"


def outside(*locations: str, values: int = 0) -> TensorProto:
    """A tensor that lies in another file; with `values`, also so many numbers of its own."""
    tensor = numpy_helper.from_array(weight(values), "t")
    if not values:
        tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for location in locations:
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location
    return tensor


def proto(nodes: list[onnx.NodeProto], **more: object) -> onnx.ModelProto:
    made = model(nodes, [VALUE("x", FLOAT, ["N"])], [VALUE("y", FLOAT, ["N"])], **more)
    return onnx.load_from_string(made)


def relu() -> onnx.NodeProto:
    return helper.make_node("Relu", ["x"], ["y"])


def with_attribute(**attributes: object) -> onnx.ModelProto:
    return proto([helper.make_node("Odd", ["x"], ["y"], domain="local", **attributes)])


def in_a_weight() -> onnx.ModelProto:
    made = proto([relu()])
    made.graph.initializer.append(outside(HERE))
    return made


def in_a_constant() -> onnx.ModelProto:
    return proto([helper.make_node("Constant", [], ["c"], value=outside(HERE)), relu()])


def in_a_constant_without_an_output() -> onnx.ModelProto:
    return proto([helper.make_node("Constant", [], [], value=outside(HERE)), relu()])


def in_the_second_tensor_of_an_attribute() -> onnx.ModelProto:
    return with_attribute(table=[numpy_helper.from_array(weight(2)), outside(HERE)])


def in_a_later_attribute() -> onnx.ModelProto:
    return with_attribute(a=numpy_helper.from_array(weight(2)), b=outside(HERE))


def sparse(part: str) -> onnx.SparseTensorProto:
    made = onnx.SparseTensorProto(dims=[4])
    made.values.CopyFrom(numpy_helper.from_array(weight(1), "s"))
    made.indices.CopyFrom(numpy_helper.from_array(weight(1).astype("int64")))
    getattr(made, part).CopyFrom(outside(HERE))
    return made


def in_the_values_of_a_sparse_weight() -> onnx.ModelProto:
    made = proto([relu()])
    made.graph.sparse_initializer.append(sparse("values"))
    return made


def in_the_indices_of_a_sparse_weight() -> onnx.ModelProto:
    made = proto([relu()])
    made.graph.sparse_initializer.append(sparse("indices"))
    return made


def in_the_indices_of_a_sparse_attribute() -> onnx.ModelProto:
    return with_attribute(table=sparse("indices"))


def in_a_nested_graph() -> onnx.ModelProto:
    return proto([_choose(helper.make_graph([], "then", [], [], [outside(HERE)]))])


def in_a_graph_nested_twice() -> onnx.ModelProto:
    constant = helper.make_node("Constant", [], ["c"], value=outside(HERE))
    inner = _choose(helper.make_graph([constant], "inner", [], []))
    return proto([_choose(helper.make_graph([inner], "outer", [], []))])


def _choose(branch: onnx.GraphProto) -> onnx.NodeProto:
    return helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)


def in_the_body_of_a_function() -> onnx.ModelProto:
    return _with_function([helper.make_node("Constant", [], ["y"], value=outside(HERE))])


def in_a_function_that_nobody_calls() -> onnx.ModelProto:
    made = in_the_body_of_a_function()
    made.graph.node[0].CopyFrom(relu())
    return made


def in_the_default_of_a_functions_attribute() -> onnx.ModelProto:
    made = _with_function([relu()])
    made.functions[0].attribute_proto.append(helper.make_attribute("table", outside(HERE)))
    return made


def in_a_graph_that_is_a_functions_default() -> onnx.ModelProto:
    made = _with_function([relu()])
    graph = helper.make_graph([], "default", [], [], [outside(HERE)])
    made.functions[0].attribute_proto.append(helper.make_attribute("body", graph))
    return made


def _with_function(nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    function = helper.make_function(
        "local", "F", ["x"], ["y"], nodes, [helper.make_opsetid("", 21)]
    )
    return proto([helper.make_node("F", ["x"], ["y"], domain="local")], functions=[function])


@pytest.mark.parametrize(
    "made",
    [
        in_a_weight,
        in_a_constant,
        in_a_constant_without_an_output,
        in_a_later_attribute,
        in_the_second_tensor_of_an_attribute,
        in_the_values_of_a_sparse_weight,
        in_the_indices_of_a_sparse_weight,
        in_the_indices_of_a_sparse_attribute,
        in_a_nested_graph,
        in_a_graph_nested_twice,
        in_the_body_of_a_function,
        in_a_function_that_nobody_calls,
        in_the_default_of_a_functions_attribute,
        in_a_graph_that_is_a_functions_default,
    ],
    ids=lambda made: made.__name__,
)
def test_a_file_is_found_wherever_it_is_named(made) -> None:
    file = open_model_file(made().SerializeToString())
    assert [part.name for part in file.parts] == [HERE]


@pytest.mark.parametrize("values", [0, 1000])
def test_a_tensor_with_several_locations_names_them_all(values: int) -> None:
    made = proto([relu()])
    made.graph.initializer.append(outside(HERE, "../secret", values=values))
    file = open_model_file(made.SerializeToString())
    assert [part.name for part in file.parts] == [HERE, "../secret"]


def test_a_tensor_that_also_has_values_of_its_own_still_names_its_file() -> None:
    made = proto([relu()])
    made.graph.initializer.append(outside("../secret", values=1000))
    file = open_model_file(made.SerializeToString())
    assert [part.name for part in file.parts] == ["../secret"]


def test_halves_of_a_tensor_that_protobuf_puts_together_name_their_file() -> None:
    first, second = outside(HERE), TensorProto(data_location=TensorProto.EXTERNAL)
    first.ClearField("data_location")
    halves = onnx.AttributeProto(name="value", type=onnx.AttributeProto.TENSOR, t=first)
    twice = halves.SerializeToString() + onnx.AttributeProto(t=second).SerializeToString()
    merged = onnx.AttributeProto.FromString(twice)
    assert merged.t.data_location == TensorProto.EXTERNAL  # this is what a runtime sees
    node = relu().SerializeToString() + b"\x2a" + bytes([len(twice)]) + twice
    made = proto([]).SerializeToString()
    graph = b"\x0a" + bytes([len(node)]) + node
    file = open_model_file(made + b"\x3a" + bytes([len(graph)]) + graph)
    assert [part.name for part in file.parts] == [HERE]


def test_weights_of_its_own_are_no_parts_however_many() -> None:
    made = proto([relu()], weights={f"w{i}": weight(1000) for i in range(3)})
    made.graph.node[0].attribute.append(helper.make_attribute("location", "a name, not a place"))
    assert open_model_file(made.SerializeToString()).parts == ()
