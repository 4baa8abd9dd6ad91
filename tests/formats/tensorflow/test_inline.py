"""Functions in place of their calls: a SavedModel of TensorFlow 2 can be cut inside them."""

import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import F, function_def, graph_def, node, placeholder

from mlnb.errors import LimitExceeded, UnknownName
from mlnb.formats import open_model_file
from mlnb.limits import Limits


def test_the_graph_to_cut_holds_the_layers_of_functions_of_functions() -> None:
    file = open_model_file(made.with_function())
    assert [node.op for node in file.graph.nodes] == ["StatefulPartitionedCall"]
    whole = file.cut_graph
    assert [(n.name, n.op, n.inputs) for n in whole.nodes] == [("y/call/z", "AddV2", ("x", "x"))]
    assert whole.outputs == ("y/call/z:z:0",)
    assert whole.warnings == ()


def test_calls_that_read_each_other_become_one_graph() -> None:
    whole = open_model_file(made.calls_that_read_each_other()).cut_graph
    inputs = {node.name: node.inputs for node in whole.nodes}
    assert inputs["one/half"] == ("x", "one/two:output:0")
    assert inputs["two/n"] == ("one/half:z:0",)
    assert inputs["y"] == ("one/square:y:0", "two/n:y:0")
    assert whole.nodes[0].scope == ("one",)


def test_a_graph_without_functions_is_cut_as_it_is_shown() -> None:
    file = open_model_file(made.classifier())
    assert file.cut_graph is file.graph


@pytest.mark.parametrize("name", ["one/half:z:0", "one/half", "half"])
def test_a_tensor_is_called_by_its_name_its_node_or_the_end_of_it(name: str) -> None:
    part = open_model_file(made.calls_that_read_each_other()).cut(None, [name])
    assert part.outputs.names == ["one/half:z:0"]
    assert [node.name for node in part.graph.nodes] == ["one/two", "one/half"]
    assert part.run_facts["inlined"]
    assert part.run_facts["outputs"] == {"one/half:z:0": "one/half:z:0"}


def test_a_cut_at_outer_tensors_leaves_the_calls_alone() -> None:
    part = open_model_file(made.calls_that_read_each_other()).cut(None, ["two"])
    assert [node.name for node in part.graph.nodes] == ["one", "two"]
    assert "inlined" not in part.run_facts


def test_an_end_that_several_tensors_have_is_none_of_them() -> None:
    one = function_def("f", {"a": "float32"}, {"b": "n:y:0"}, [node("n", "Neg", "a", T=F)])
    graph = [placeholder("x", "float32", (2,)), made.call("p", "f", "x"), made.call("q", "f", "p")]
    with pytest.raises(UnknownName, match="'p/n:y:0'"):
        open_model_file(graph_def(graph, [one])).cut(None, ["n"])


def test_a_signature_can_be_chosen_after_a_cut() -> None:
    ends = ({"in": ("x:0", "float32", (2,))}, {"out": ("y:0", "float32", (2,))})
    content = made.saved_model(made.calls_that_read_each_other(), {"a": ends, "b": ends})
    part = open_model_file(content).cut(None, ["half"])
    again = part.with_signature("b")
    assert [node.name for node in again.graph.nodes] == ["one", "two", "y"]
    assert part.cut(None, ["one/two"]).graph.nodes[0].op == "Const"


def test_an_inner_output_and_the_models_own_names_go_together() -> None:
    ends = ({"in": ("x:0", "float32", (2,))}, {"out": ("y:0", "float32", (2,))})
    file = open_model_file(
        made.saved_model(made.calls_that_read_each_other(), {"serving_default": ends})
    )
    part = file.cut(["one/half"], ["out"])
    assert (part.inputs.names, part.outputs.names) == (["one/half:z:0"], ["out"])


def nested(depth: int, width: int) -> bytes:
    functions = [function_def("f0", {"a": "float32"}, {"b": "n:y:0"}, [node("n", "Neg", "a", T=F)])]
    for level in range(1, depth + 1):
        calls = [
            made.call(f"c{i}", f"f{level - 1}", f"c{i - 1}:output:0" if i else "a")
            for i in range(width)
        ]
        results = {"b": f"c{width - 1}:output:0"}
        functions.append(function_def(f"f{level}", {"a": "float32"}, results, calls))
    return graph_def(
        [placeholder("x", "float32", (2,)), made.call("y", f"f{depth}", "x")], functions
    )


def test_functions_that_multiply_end_at_the_limit() -> None:
    file = open_model_file(nested(9, 10), limits=Limits(nodes=20_000))
    with pytest.raises(LimitExceeded, match=r"the graph with its functions in place: nodes is"):
        file.cut(None, ["n"])


def test_a_function_that_calls_itself_ends_at_the_limit() -> None:
    own = function_def("f", {"a": "float32"}, {"b": "c:output:0"}, [made.call("c", "f", "a")])
    content = graph_def([placeholder("x", "float32", (2,)), made.call("y", "f", "x")], [own])
    with pytest.raises(LimitExceeded, match="nodes is"):
        open_model_file(content, limits=Limits(nodes=200)).cut(None, ["n"])


@pytest.mark.parametrize(
    "results", [{"b": "gone:y:0"}, {"b": "c:output:7"}, {}, {"b": "a"}], ids=str
)
def test_results_that_are_not_there_stop_nothing(results: dict[str, str]) -> None:
    inner = function_def("g", {"a": "float32"}, {"b": "n:y:0"}, [node("n", "Neg", "a", T=F)])
    broken = function_def("f", {"a": "float32"}, results, [made.call("c", "g", "a")])
    content = graph_def(
        [placeholder("x", "float32", (2,)), made.call("y", "f", "x")], [broken, inner]
    )
    file = open_model_file(content)
    assert isinstance(file.cut_graph.outputs, tuple)
    assert file.cut(None, ["n"]).graph.nodes[-1].name == "y/c/n"


def test_arguments_that_go_round_in_circles_stop_nothing() -> None:
    own = function_def("f", {"a": "float32"}, {"b": "a"}, [])
    end = node("end", "Neg", "y", T=F)
    content = graph_def([made.call("y", "f", "z"), made.call("z", "f", "y"), end], [own])
    assert [node.name for node in open_model_file(content).cut_graph.nodes] == ["end"]
