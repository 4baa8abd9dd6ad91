from __future__ import annotations

import pytest
from graph.made_graphs import EXPORTS, Made, export, light, transformer

from mlnb.graph.fold import fold
from mlnb.graph.graph import Graph, Node
from mlnb.graph.layout import HEADER, layout

LIGHT = ["inception_v1", "densenet121", "shufflenet", "squeezenet"]


def contains(outer, inner):
    return (
        outer.x <= inner.x
        and outer.y + HEADER <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def assert_tidy(placed):
    """Boxes overlap only with the frames they stand in, and nothing leaves the picture."""
    frames = {box.group.id: box for box in placed.boxes if box.kind == "frame"}
    for at, box in enumerate(placed.boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= placed.width + 0.01
        assert box.y + box.height <= placed.height + 0.01
        if box.around:
            assert contains(frames[box.around], box)
        for other in placed.boxes[:at]:
            if box.around == other.around:
                beside = box.x >= other.x + other.width or other.x >= box.x + box.width
                below = box.y >= other.y + other.height or other.y >= box.y + box.height
                assert beside or below, (box, other)


@pytest.mark.parametrize("boxes", [12, 40, 120])
@pytest.mark.parametrize("name", EXPORTS)
def test_real_exports_are_laid_out_without_overlaps(name, boxes):
    graph = export(name)
    assert_tidy(layout(graph, fold(graph, boxes)))


@pytest.mark.parametrize("name", LIGHT)
def test_branching_models_are_laid_out_without_overlaps(name):
    graph = light(name)
    assert_tidy(layout(graph, fold(graph, 60)))


def test_a_branching_model_without_scopes_shows_every_box_once():
    graph = light("squeezenet")
    placed = layout(graph, fold(graph, 200))
    nodes = [box.node for box in placed.boxes if box.node is not None]
    assert len(nodes) == len(set(nodes))


def test_edges_end_at_boxes():
    graph = transformer(2)
    placed = layout(graph, fold(graph, 80))
    arrows = [edge.route.points[-1] for edge in placed.edges if edge.arrow]
    tops = {(round(box.y, 3)) for box in placed.boxes}
    assert arrows
    assert {round(y, 3) for _, y in arrows} <= tops


def test_a_cycle_is_laid_out_with_one_edge_backwards():
    nodes = (
        Node("a", "Add", ("x", "v"), ("u",)),
        Node("b", "Relu", ("u",), ("v",)),
        Node("c", "Relu", ("c",), ("c",)),
    )
    graph = Graph("ring", nodes, ("x",), ("v",))
    placed = layout(graph, fold(graph))
    assert sum(edge.route.backward for edge in placed.edges) == 2, "the cycle and the self-loop"
    assert_tidy(placed)


def test_a_hundred_inputs_fit():
    made = Made(*[f"x{i}" for i in range(100)])
    graph = made.graph(made.add("Concat", *made.inputs))
    assert_tidy(layout(graph, fold(graph)))


def test_an_empty_graph_is_an_empty_layout():
    graph = Graph("empty", ())
    assert layout(graph, fold(graph)).boxes == ()
