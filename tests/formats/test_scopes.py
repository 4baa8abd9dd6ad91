"""Scopes: both of torch's exporters give the same, and nothing in a file is evaluated."""

from __future__ import annotations

import pytest
from models_made import onnx_models

from mlnb.formats import open_model_file
from mlnb.formats.scopes import DEPTH, Scopes


def test_the_dynamo_exporter_tells_modules_and_their_classes() -> None:
    graph = open_model_file(onnx_models.scoped()).graph
    assert graph.nodes[0].scope == ("layer1", "0", "conv")
    assert graph.scope_types[()] == "Net"
    assert graph.scope_types[("layer1", "1")] == "Block"


def test_torchscript_leaves_the_same_modules_in_names() -> None:
    dynamo, script = (open_model_file(onnx_models.scoped(dynamo=d)).graph for d in (True, False))
    assert [node.scope for node in dynamo.nodes] == [node.scope for node in script.nodes]


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("/encoder/layer.0/Conv", ("encoder", "layer.0")),
        ("/layer1/layer1.0/conv1/Conv", ("layer1", "0", "conv1")),
        ("model/conv2d/Conv2D", ("model", "conv2d")),
        ("/Flatten", ()),
        ("//a//Add", ("a",)),
        ("/", ()),
    ],
)
def test_a_name_that_is_a_path_gives_the_scope(name: str, scope: tuple[str, ...]) -> None:
    assert Scopes().named(name) == scope


def test_a_list_in_a_module_keeps_its_dot() -> None:
    told = Scopes().told("['', 'bert', 'bert.layer.0', 'bert.layer.0.fc', 'linear']", "")
    assert told == ("bert", "layer.0", "fc")


def test_quotes_and_backslashes_in_names_are_read_as_python_writes_them() -> None:
    names = ["", "it's", 'a"b', "back\\slash, 'x'", "op"]
    assert Scopes().told(repr(names), "") == tuple(names[1:-1])


@pytest.mark.parametrize(
    "written",
    ["", "[", "[]", "__import__('os').system('x')", "[" * 50_000, "['a'", "{'a': 1}", "[-" * 9_000],
)
def test_what_is_no_list_of_strings_gives_no_scope_and_runs_nothing(written: str) -> None:
    assert Scopes().told(written, written) == ()


def test_a_name_of_a_million_slashes_stays_shallow() -> None:
    assert len(Scopes().named("a/" * 1_000_000)) <= DEPTH


def test_classes_that_do_not_match_the_scopes_are_left_out() -> None:
    scopes = Scopes()
    scopes.told("['', 'a', 'op']", "['net.Net', 'op']")
    assert scopes.types == {}
