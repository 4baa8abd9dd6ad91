from __future__ import annotations

from graph.made_graphs import Made, export

from mlnb.graph.elide import elided_nodes
from mlnb.graph.order import data_flow_order
from mlnb.graph.scopes import DEPTH, adopted_scopes


def scopes_of(graph):
    return adopted_scopes(graph, data_flow_order(graph), elided_nodes(graph))


def test_a_node_without_scope_goes_to_the_common_scope_of_its_consumers():
    made = Made("x")
    y = made.add("Relu", "x")
    a = made.add("Conv", y, scope="block/a")
    b = made.add("Conv", y, scope="block/b")
    graph = made.graph(made.add("Add", a, b, scope="block"))
    assert scopes_of(graph)[0] == ("block",)


def test_a_chain_of_nodes_without_scope_goes_along():
    made = Made("x")
    y = made.add("Relu", made.add("Relu", "x"))
    for _ in range(3):
        y = made.add("Conv", y, scope="block")
    assert scopes_of(made.graph(y))[:2] == [("block",), ("block",)]


def test_a_node_that_no_one_reads_goes_to_its_producers():
    made = Made("x")
    y = made.add("Relu", made.add("Conv", "x", scope="block"), scope="block")
    made.add("Sigmoid", y)
    assert scopes_of(made.graph(y))[2] == ("block",)


def test_a_constant_that_two_modules_share_stays_outside():
    made = Made("x")
    one = made.constant(1)
    a = made.add("Add", "x", one, scope="a")
    b = made.add("Add", a, one, scope="b")
    assert scopes_of(made.graph(b))[0] == ()


def test_a_stray_scope_does_not_swallow_the_model_before_it():
    made = Made("x")
    y = "x"
    for _ in range(6):
        y = made.add("Conv", y)
    y = made.add("Gemm", made.constant(1), y, scope="head")
    scopes = scopes_of(made.graph(y))
    assert scopes[:6] == [()] * 6
    assert scopes[6] == ("head",), "a hidden constant is adopted all the same"


def test_deep_scopes_are_cut():
    made = Made("x")
    y = made.add("Conv", "x", scope="/".join(["deep"] * 5_000))
    assert len(scopes_of(made.graph(y))[0]) == DEPTH


def test_the_scopeless_nodes_of_a_torchscript_export_find_homes():
    graph = export("swin_t_torchscript")
    hidden = elided_nodes(graph)
    homeless = [i for i, node in enumerate(graph.nodes) if not node.scope]
    scopes = adopted_scopes(graph, data_flow_order(graph), hidden)
    assert len(homeless) > 20
    assert sum(1 for i in homeless if not scopes[i]) < len(homeless) / 10
