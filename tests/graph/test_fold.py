from __future__ import annotations

import time

import pytest
from graph.made_graphs import (
    EXPORTS,
    Made,
    boxes,
    chain,
    export,
    groups,
    light,
    residual_blocks,
    transformer,
)

from mlnb.graph.fold import SMALL, Group, fold
from mlnb.graph.graph import Graph, Node

LIGHT = ["densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet"]


def test_groups_follow_the_scopes_of_the_file():
    made = Made("x")
    y = made.add("Conv", "x", scope="stem")
    y = made.add("Relu", y, scope="stem")
    y = made.add("Relu", made.add("Gemm", y, scope="head/fc"), scope="head/act")
    folded = fold(made.graph(y))
    assert [(g.id, g.name, g.label, g.kind) for g in folded.root.groups] == [
        ("stem/", "stem", "Conv · Relu", "scope"),
        ("head/", "head", "Gemm · Relu", "scope"),
    ]


def test_a_module_of_one_operation_is_that_operation():
    made = Made("x")
    y = made.add("Relu", made.add("Conv", "x", scope="block/conv"), scope="block/act")
    assert groups(fold(made.graph(y)))["block/"].children == (0, 1)


def test_groups_around_a_single_group_are_merged():
    made = Made("x")
    y = made.add("Conv", "x", scope="features/0/body")
    y = made.add("Relu", y, scope="features/0/body")
    folded = fold(made.graph(made.add("Gemm", y)))
    group = next(folded.root.groups)
    assert (group.id, group.name) == ("features/0/body/", "features/0/body")


def test_siblings_come_in_data_flow_order_not_in_that_of_their_names():
    made = Made("x")
    y = "x"
    for name in ("10", "9", "b", "a"):
        y = made.add("Relu", made.add("Conv", y, scope=name), scope=name)
    y = made.add("Softmax", y)
    folded = fold(made.graph(y), level=60)
    order = list(folded.root.nodes())
    assert order == sorted(order)


def test_every_node_is_in_the_tree_exactly_once():
    for graph in (transformer(5), residual_blocks(40), chain(*["Relu"] * 999)):
        assert sorted(fold(graph).root.nodes()) == list(range(len(graph.nodes)))


@pytest.mark.parametrize("name", EXPORTS)
def test_every_node_of_a_real_export_is_in_the_tree_exactly_once(name):
    graph = export(name)
    assert sorted(fold(graph).root.nodes()) == list(range(len(graph.nodes)))


@pytest.mark.parametrize("name", EXPORTS)
def test_the_first_picture_of_a_real_export_has_at_most_120_boxes(name):
    assert 30 <= boxes(fold(export(name))) <= 120


@pytest.mark.parametrize("name", LIGHT)
def test_the_first_picture_of_a_wheel_architecture_has_at_most_120_boxes(name):
    assert 30 <= boxes(fold(light(name))) <= 120


def test_a_small_model_is_wholly_open():
    graph = export("resnet18_dynamo")
    folded = fold(graph)
    assert folded.root.visible <= SMALL
    assert folded.open == {group.id for group in folded.root.walk() if group is not folded.root}
    assert boxes(folded) == folded.root.visible


def test_of_a_repeat_the_first_member_opens():
    folded = fold(export("vit_b_16_dynamo"))
    layers = [g.id for g in groups(folded)["encoder/layers/"].groups]
    assert "encoder/layers/" in folded.open
    assert [i for i in layers if i in folded.open] == ["encoder/layers/encoder_layer_0/"]


@pytest.mark.parametrize("budget", [12, 40, 120, 400])
def test_the_budget_is_kept(budget):
    assert boxes(fold(export("swin_t_dynamo"), budget=budget)) <= budget


def test_the_tree_does_not_depend_on_the_budget():
    graph = export("swin_t_dynamo")
    assert fold(graph, budget=12).root == fold(graph, budget=400).root


def test_what_is_open_can_be_seen():
    folded = fold(export("swin_t_torchscript"))
    found = groups(folded)
    for group in found.values():
        for child in group.groups:
            if child.id in folded.open:
                assert group.id in folded.open or group is folded.root


def test_ids_are_unique_and_the_same_again():
    for graph in (export("swin_t_torchscript"), residual_blocks(300), light("densenet121")):
        ids = [group.id for group in fold(graph).root.walk()]
        again = Graph(graph.name, graph.nodes, graph.inputs, graph.outputs, graph.values)
        assert len(set(ids)) == len(ids)
        if not graph.scope_types:
            assert ids == [group.id for group in fold(again).root.walk()]


def test_scopes_that_read_the_same_get_different_ids():
    made = Made("x")
    y = "x"
    for scope in ("a\u202eb", "a\\u202eb"):
        y = made.add("Relu", made.add("Conv", y, scope=scope), scope=scope)
    folded = fold(made.graph(made.add("Gemm", y)))
    ids = [group.id for group in folded.root.walk()]
    assert "a\\u202eb/" in ids
    assert "a\\u202eb#2/" in ids


def test_names_of_strangers_are_made_visible_and_clipped():
    made = Made("x")
    scope = "<script>\n" + "x" * 5_000
    y = made.add("Relu", made.add("Conv", "x", scope=scope), scope=scope)
    group = next(fold(made.graph(made.add("Gemm", y))).root.groups)
    assert "\n" not in group.name
    assert len(group.name) < 100
    assert len(group.id) < 500


def test_a_cycle_in_the_file_is_folded_like_anything_else():
    nodes = tuple(
        Node(f"n{i}", "Relu", (f"v{(i - 1) % 200}",), (f"v{i}",), scope=(f"m{i // 50}",))
        for i in range(200)
    )
    folded = fold(Graph("ring", nodes, (), ("v0",)))
    assert sorted(folded.root.nodes()) == list(range(200))
    assert boxes(folded) <= 120


def test_a_cycle_that_only_folding_would_make_is_avoided_by_cutting_the_scope():
    made = Made("x")
    a = made.add("Relu", made.add("Conv", "x", scope="a"), scope="a")
    b = made.add("Softmax", made.add("Gemm", a, scope="b"), scope="b")
    y = made.add("Relu", made.add("Conv", b, scope="a"), scope="a")
    ids = [group.id for group in fold(made.graph(y)).root.groups]
    assert ids == ["a/", "b/", "a#2/"]


def test_an_empty_graph_folds():
    folded = fold(Graph("empty", ()))
    assert folded.root.children == ()
    assert folded.open == frozenset()


def test_scopes_of_any_depth_fold_without_recursion_errors():
    made = Made("x")
    y = "x"
    for depth in range(1, 3_000, 30):
        scope = "/".join(f"s{i}" for i in range(depth))
        y = made.add("Relu", made.add("Conv", y, scope=scope), scope=scope)
    graph = made.graph(y)
    assert sorted(fold(graph).root.nodes()) == list(range(200))


def test_names_that_contain_slashes_do_not_break_the_tree():
    nodes = (
        Node("a", "Conv", ("x",), ("y",), scope=("a/b",)),
        Node("b", "Relu", ("y",), ("z",), scope=("a/b",)),
        Node("c", "Conv", ("z",), ("u",), scope=("a", "b")),
        Node("d", "Relu", ("u",), ("v",), scope=("a", "b")),
        Node("e", "Relu", ("v",), ("w",), scope=("a",)),
    )
    ids = [group.id for group in fold(Graph("g", nodes, ("x",), ("w",))).root.walk()]
    assert len(set(ids)) == len(ids) == 4


@pytest.mark.parametrize(("blocks", "seconds"), [(110, 0.15), (1_100, 1.5)])
def test_folding_takes_time_in_proportion_to_the_nodes(blocks, seconds):
    graph = transformer(blocks)
    times = []
    for _ in range(2):
        fresh = Graph("g", graph.nodes, graph.inputs, graph.outputs, graph.values)
        start = time.process_time()
        fold(fresh)
        times.append(time.process_time() - start)
    assert len(graph.nodes) > 45 * blocks
    assert min(times) < seconds * 2, "twice the promise, since the machine is shared"


def test_a_group_walks_its_groups_outer_ones_first():
    inner = Group("a/b/", "b", "", "scope", (1, 2))
    outer = Group("a/", "a", "", "scope", (0, inner, 3))
    assert [group.id for group in outer.walk()] == ["a/", "a/b/"]
    assert list(outer.nodes()) == [0, 1, 2, 3]
