from __future__ import annotations

from graph.made_graphs import Made, export, groups, transformer

from mlnb.graph.fold import fold
from mlnb.graph.repeats import join_names


def blocks(*kinds: str, types=None):
    """A model of blocks: `conv` is Conv and Relu, `norm` Conv and BatchNormalization."""
    made = Made("x", scope_types=types or {})
    y = made.add("Gemm", "x", scope="stem")
    for at, kind in enumerate(kinds):
        y = made.add("Conv", y, scope=f"blocks/{at}/conv")
        y = made.add("Relu" if kind == "conv" else "BatchNormalization", y, scope=f"blocks/{at}/b")
    return made.graph(made.add("Softmax", y, scope="head"))


def test_alike_siblings_become_one_repeat():
    group = groups(fold(blocks(*["conv"] * 5)))["blocks/"]
    assert (group.kind, group.label, len(group.children)) == ("repeat", "5 × Conv · Relu", 5)


def test_the_class_that_the_exporter_told_names_the_repeat():
    types = {("blocks", str(i)): "my.models.Block" for i in range(12)}
    assert groups(fold(blocks(*["conv"] * 12, types=types)))["blocks/"].label == "12 × Block"


def test_a_run_among_other_siblings_gets_a_group_of_its_own():
    folded = groups(fold(blocks("norm", "conv", "conv", "conv", "norm")))
    group = folded["blocks/1-3/"]
    assert (group.name, group.label, group.kind) == ("1 – 3", "3 × Conv · Relu", "repeat")
    assert [g.id for g in folded["blocks/"].groups] == ["blocks/0/", "blocks/1-3/", "blocks/4/"]


def test_pairs_repeat_too():
    group = groups(fold(blocks(*["conv", "norm"] * 3)))["blocks/"]
    assert group.kind == "repeat"
    assert group.label == "3 × (Conv · Relu, Conv · BatchNormalization)"


def test_siblings_that_differ_are_left_alone():
    group = groups(fold(blocks("conv", "norm")))["blocks/"]
    assert (group.kind, len(group.children)) == ("scope", 2)


def test_hidden_nodes_do_not_make_a_difference():
    made = Made("x")
    y = "x"
    for block in range(4):
        y = made.add("Relu", made.add("Conv", y, scope=f"m/{block}"), scope=f"m/{block}")
        if block % 2:
            y = made.add("Reshape", y, made.constant(2, scope=f"m/{block}"), scope=f"m/{block}")
        else:
            y = made.add("Reshape", y, made.weight("shape", 2, dtype="int64"), scope=f"m/{block}")
    assert next(iter(fold(made.graph(y)).root.groups)).label == "4 × Conv · Relu · Reshape"


def test_vit_is_twelve_encoder_blocks():
    group = groups(fold(export("vit_b_16_dynamo")))["encoder/layers/"]
    assert (group.kind, group.label) == ("repeat", "12 × EncoderBlock")
    assert sum(1 for _ in group.groups) == 12


def test_swin_pairs_of_plain_and_shifted_blocks_are_one_repeat():
    for name, noun in (("swin_t_dynamo", "SwinTransformerBlock"), ("swin_t_torchscript", None)):
        group = groups(fold(export(name)))["features/5/"]
        assert (group.kind, group.label.split(" ")[:2]) == ("repeat", ["6", "×"])
        assert noun is None or group.label.endswith(noun)


def test_resnet_names_its_basic_blocks():
    found = groups(fold(export("resnet18_dynamo")))
    assert found["layer1/"].label == "2 × BasicBlock"
    assert found["layer2-layer4/"].label == "6 × BasicBlock"


def test_a_repeat_of_more_members_than_a_level_holds_is_cut():
    folded = fold(transformer(200))
    encoder = groups(folded)["encoder/"]
    assert encoder.label == "200 × BertLayer"
    assert len(encoder.children) < 150
    assert sum(1 for g in encoder.walk() if g.label == "BertLayer") == 200


def test_names_are_joined_without_saying_their_beginning_twice():
    assert join_names("layer2", "layer4") == "layer2 – layer4"
    assert join_names("part 3", "part 8") == "part 3 – 8"
    assert join_names("0", "11") == "0 – 11"
