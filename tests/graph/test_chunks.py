from __future__ import annotations

import pytest
from graph.made_graphs import Made, boxes, chain, export, groups, light, ops, residual_blocks

from mlnb.graph.chunks import CROWDED, LEVEL
from mlnb.graph.fold import Group, fold


def widest(folded):
    return max(
        sum(1 for child in group.children if child not in folded.elided)
        for group in folded.root.walk()
    )


def test_a_small_level_is_left_as_it_is():
    assert list(fold(chain(*["Conv", "Relu"] * (CROWDED // 2))).root.groups) == []


@pytest.mark.parametrize("count", [LEVEL + 1, 1_000, 20_000])
def test_no_level_of_a_long_chain_is_crowded(count):
    folded = fold(chain(*["Relu"] * count))
    assert widest(folded) <= LEVEL
    assert folded.root.visible == count


def test_no_level_of_a_wide_graph_without_narrow_places_is_crowded():
    made = Made("x")
    branches = [made.add("Conv", "x") for _ in range(400)]
    folded = fold(made.graph(made.add("Concat", *branches)))
    assert widest(folded) <= LEVEL
    assert {group.kind for group in folded.root.groups} <= {"chunk", "repeat"}
    assert folded.root.visible == 401


def test_residual_blocks_without_scopes_are_cut_at_their_seams():
    graph = residual_blocks(16)
    stem, repeat, head = fold(graph).root.groups
    assert repeat.label == "15 × Conv · BatchNormalization · Relu"
    block = ["Conv", "BatchNormalization", "Relu", "Conv", "Add", "Relu"]
    assert [ops(graph, group.nodes()) for group in repeat.groups] == [block] * 15
    assert ops(graph, stem.nodes()) == ["Conv", "Relu", *block]
    assert ops(graph, head.nodes()) == ["GlobalAveragePool", "Gemm"]


def test_stages_of_blocks_nest_as_repeats_in_a_repeat():
    folded = groups(fold(residual_blocks(16, wide_every=4)))
    stages = [g for g in folded.values() if g.kind == "repeat" and g.label.startswith("3 × ")]
    assert len(stages) == 4
    whole = next(g for g in folded.values() if g.label.startswith("16 × "))
    assert sum(1 for _ in whole.groups) == 8


def test_a_long_skip_makes_no_place_wide():
    made = Made("x")
    start = y = made.add("Conv", "x")
    for _ in range(30):
        y = made.add("Relu", made.add("BatchNormalization", made.add("Conv", y)))
    graph = made.graph(made.add("Add", y, start))
    assert len(fold(graph).root.children) < 12


def test_a_chunk_is_named_after_its_dominant_operations():
    folded = fold(chain(*["Conv", "Relu", "Reshape", "Cast", "Transpose", "Softmax"] * 20))
    assert {g.label for g in folded.root.walk() if g.kind == "chunk"} == {"Conv · Relu · Softmax"}


def test_the_resnet_of_the_onnx_wheel_reads_as_its_four_stages():
    folded = fold(light("resnet50"))
    repeats = [group.label for group in folded.root.groups if group.kind == "repeat"]
    assert [label.split(" ")[0] for label in repeats] == ["2", "3", "5", "2"]
    assert boxes(folded) <= 120


def test_the_densenet_of_the_onnx_wheel_reads_as_its_dense_blocks():
    folded = fold(light("densenet121"))
    repeats = [g for g in folded.root.groups if g.kind == "repeat"]
    assert [sum(1 for _ in repeat.groups) for repeat in repeats] == [5, 11, 23, 15]


def test_hidden_nodes_go_with_what_reads_them():
    graph = light("resnet50")
    first = next(fold(graph).root.groups)
    assert len(first.children) < 60, "not all 239 constants are in the first stretch"


@pytest.mark.parametrize("name", ["swin_t_dynamo", "swin_t_torchscript", "vit_b_16_dynamo"])
def test_no_level_of_a_real_export_is_crowded(name):
    assert widest(fold(export(name))) <= LEVEL


def test_chunks_follow_the_data_flow():
    folded = fold(chain(*["Conv", "BatchNormalization", "Relu"] * 300))
    assert list(folded.root.nodes()) == list(range(900))
    assert all(isinstance(child, Group) for child in folded.root.children)
