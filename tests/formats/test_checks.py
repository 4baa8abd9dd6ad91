"""What is wrong in a graph is a sentence that names the place."""

from __future__ import annotations

import pytest
from models_made import onnx_models

from mlnb.formats import open_model_file
from mlnb.formats.checks import SHOWN, circle, problems
from mlnb.graph.graph import Graph, Node


def warnings(content: bytes) -> tuple[str, ...]:
    return open_model_file(content).graph.warnings


def test_a_cycle_is_named_node_by_node() -> None:
    assert warnings(onnx_models.cycle()) == ("a cycle: 'first' → 'second' → 'first'",)


def test_nodes_out_of_order_are_no_cycle() -> None:
    assert warnings(onnx_models.out_of_order()) == ()


def test_duplicate_names_are_told() -> None:
    assert warnings(onnx_models.duplicate_names()) == (
        "'y' is made 2 times",
        "2 nodes are called 'twin'",
    )


def test_an_edge_from_nowhere_is_told_with_its_reader() -> None:
    assert warnings(onnx_models.dangling()) == (
        "nothing makes 'ghost', which 'add' reads",
        "nothing makes the output 'void'",
    )


@pytest.mark.parametrize("name", ["branches", "loop", "scan", "functions", "constant_weights"])
def test_a_sound_model_has_no_warnings(name: str) -> None:
    assert warnings(getattr(onnx_models, name)()) == ()


def test_an_edge_from_nowhere_in_a_branch_names_the_branch() -> None:
    content = onnx_models.branches().replace(b"\x0a\x03one", b"\x0a\x03two", 1)
    assert warnings(content) == (
        "nothing makes 'two', which 'Add (node 1)' in 'then_branch' of 'choose' reads",
    )


def test_functions_that_call_each_other_in_a_circle_are_told() -> None:
    (warning,) = warnings(onnx_models.recursive_functions())
    assert "ping → pong → ping" in warning


def test_a_long_circle_is_found_without_recursion() -> None:
    count = 50_000
    around = circle({i: [(i + 1) % count] for i in range(count)})
    assert len(around) == count + 1
    assert circle({i: [i + 1] for i in range(count)}) == []


def test_a_long_cycle_is_shortened() -> None:
    nodes = [Node(f"n{i}", "Relu", (f"v{i}",), (f"v{(i + 1) % 50}",)) for i in range(50)]
    (warning,) = problems(Graph("main", tuple(nodes)))
    assert len(warning) < 120
    assert "44 more" in warning


def test_a_thousand_problems_are_counted_and_not_all_listed() -> None:
    nodes = tuple(Node("", "Relu", (f"ghost{i}",), (f"v{i}",)) for i in range(1000))
    found = problems(Graph("main", nodes))
    assert len(found) == SHOWN + 1
    assert found[-1] == "and 980 warnings more"
