from __future__ import annotations

from graph.made_graphs import Made, export, groups

from mlnb.graph.fold import fold


def test_a_module_called_twice_is_no_group_that_feeds_itself():
    made = Made("x")
    y = made.add("Relu", made.add("Conv", "x", scope="b/conv1"), scope="b/relu")
    graph = made.graph(made.add("Relu", made.add("Conv", y, scope="b/conv2"), scope="b/relu"))
    assert list(groups(fold(graph))["b/"].children) == [0, 1, 2, 3]


def test_each_call_of_a_shared_module_is_a_group_of_its_own():
    made = Made("x")
    y = "x"
    for call in range(3):
        y = made.add("Mul", made.add("Erf", y, scope="m/gelu"), scope="m/gelu")
        y = made.add("Conv", y, scope=f"m/conv{call}")
    found = groups(fold(made.graph(y)))
    assert {"m/gelu/", "m/gelu#2/", "m/gelu#3/"} <= found.keys()
    assert found["m/gelu#2/"].children == (3, 4)


def test_branches_beside_each_other_stay_one_module():
    made = Made("x", "mask")
    q = made.add("MatMul", "x", scope="attention")
    mask = made.add("Where", "mask", scope="other")
    k = made.add("MatMul", "x", scope="attention")
    y = made.add("Add", made.add("MatMul", q, k, scope="attention"), mask, scope="attention")
    found = groups(fold(made.graph(made.add("Relu", y, scope="other2"))))
    assert found["attention/"].visible == 4


def test_real_exports_have_no_relu_group_that_feeds_itself():
    for name in ("resnet18_dynamo", "resnet18_torchscript"):
        assert not [i for i in groups(fold(export(name))) if i.rstrip("/").endswith("relu")]
