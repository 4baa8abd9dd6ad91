"""A cut model is a model like any other, and the end of the features is found in every format."""

from __future__ import annotations

import numpy as np
import pytest
from models.fake_file import FakeFile
from models_made import onnx_models
from models_made.exported_program_models import good_exported_program

from mlnb.errors import ModelRunError, UnknownName
from mlnb.graph.graph import Graph, Node, Value
from mlnb.models.cut import suggest_cut
from mlnb.models.loading import load_model
from mlnb.models.model import Model

IMAGE = np.random.default_rng(0).random((1, 3, 8, 8), np.float32)


def weights_behind(model: Model) -> np.ndarray:
    """The last layer's answer, computed here from the features."""
    features = model.cut(outputs=["f"]).predict(IMAGE)["f"]
    return features @ model.tensor("fc.weight").T + model.tensor("fc.bias")


def test_a_cut_gives_what_the_whole_model_computes_on_the_way():
    model = load_model(onnx_models.convnet())
    assert np.allclose(weights_behind(model), model.predict(IMAGE)["scores"], atol=1e-5)


def test_a_cut_model_is_a_model_like_any_other():
    features = load_model(onnx_models.convnet(), name="net").cut(outputs="p")
    assert features.inputs.names == ["image"]
    assert str(features.outputs["p"]) == "float32 [1, 16, 1, 1]"
    assert [node.name for node in features.graph.nodes] == ["conv", "relu", "pool"]
    assert features.name == "net"
    assert "448 parameters" in features.facts
    assert "1 output, 3 nodes" in repr(features)
    assert features.infer_shapes() in (True, False)
    many = np.concatenate([IMAGE, IMAGE + 1, IMAGE])  # the file fixes a batch of one
    assert features.predict(many)["p"].shape == (3, 16, 1, 1)


def test_the_second_half_of_a_model_is_fed_with_what_the_first_gave():
    model = load_model(onnx_models.convnet())
    first, second = model.cut(outputs="r"), model.cut("r", outputs=["scores"])
    answer = second.predict(first.predict(IMAGE)["r"])
    assert np.allclose(answer["scores"], model.predict(IMAGE)["scores"], atol=1e-6)


def test_a_cut_can_be_cut_again():
    model = load_model(onnx_models.convnet())
    twice = model.cut(outputs="f").cut("c", outputs=["r"])
    given = np.array([-1, 2], np.float32).repeat(512).reshape(1, 16, 8, 8)
    assert (twice.predict(given)["r"] == np.maximum(given, 0)).all()


def test_an_unknown_tensor_lists_the_closest():
    with pytest.raises(UnknownName) as error:
        load_model(onnx_models.convnet()).cut(outputs=["conv.weigth"])
    assert "the closest are 'conv.weight'" in str(error.value)


def test_what_leads_nowhere_is_refused():
    model = load_model(onnx_models.convnet())
    with pytest.raises(ModelRunError, match="do not depend on 'scores'"):
        model.cut("scores", outputs="c")
    with pytest.raises(ModelRunError, match="at least one tensor"):
        model.cut(outputs=[])
    with pytest.raises(ModelRunError, match="nothing would be left"):
        model.cut(outputs="image")


def test_a_format_that_cannot_be_cut_says_so():
    with pytest.raises(ModelRunError, match="holds weights and no graph that could be cut"):
        Model(FakeFile()).cut(outputs="y")
    program = load_model(good_exported_program()[0])
    with pytest.raises(
        ModelRunError, match=r"cannot be cut as it is; its conversion can: model\.to"
    ):
        program.cut(outputs=[program.outputs[0].name])


def test_the_cut_comes_before_the_classifier():
    assert load_model(onnx_models.convnet()).suggest_cut() == "f"
    assert load_model(onnx_models.mlp()).suggest_cut() == "a"  # no pool: the last layer's input
    assert load_model(onnx_models.relu()).suggest_cut() is None


def stored(name: str, *shape: int) -> Value:
    return Value(name, "float32", shape, True, 4)


def picture_net(pool: str, layer: str, made: tuple[int, ...] | None, **attributes) -> Graph:
    """x → layer → pool → layer, as any framework may write it."""
    values = [stored("w1", 8, 3, 3, 3), stored("w2", 8, 10), Value("c", "float32", (1, 7, 7, 8))]
    values += [Value("p", "float32", made)] if made else []
    nodes = (
        Node("one", layer, ("x", "w1"), ("c",)),
        Node("pool", pool, ("c",), ("p",), attributes=attributes),
        Node("two", layer, ("p", "w2"), ("y",)),
    )
    return Graph("", nodes, ("x",), ("y",), {value.name: value for value in values})


@pytest.mark.parametrize(
    ("pool", "layer"),
    [
        ("AVERAGE_POOL_2D", "CONV_2D"),
        ("Mean", "MatMul"),
        ("AvgPool", "Conv2D"),
        ("GlobalAveragePooling2D", "Dense"),
        ("adaptive_avg_pool2d", "linear"),
        ("RESHAPE", "FULLY_CONNECTED"),
    ],
)
def test_the_end_of_the_features_has_a_name_in_every_framework(pool, layer):
    assert suggest_cut(picture_net(pool, layer, (1, 8))) == "p"


def test_a_pool_inside_of_a_picture_ends_nothing():
    assert suggest_cut(picture_net("MAX_POOL_2D", "CONV_2D", (1, 3, 3, 8))) == "p"  # the input
    graph = picture_net("AVERAGE_POOL_2D", "CONV_2D", (1, 3, 3, 8))
    more = Node("three", "CONV_2D", ("y", "w2"), ("z",))
    longer = Graph("", (*graph.nodes, more), ("x",), ("z",), graph.values)
    assert suggest_cut(longer) == "y"


def test_without_shapes_a_large_kernel_tells():
    graph = picture_net("AvgPool", "Conv2D", None, ksize=(1, 7, 7, 1))
    more = Node("three", "Conv2D", ("y", "w2"), ("z",))
    for size, wanted in ((7, "p"), (3, "y")):
        graph = picture_net("AvgPool", "Conv2D", None, ksize=(1, size, size, 1))
        longer = Graph("", (*graph.nodes, more), ("x",), ("z",), graph.values)
        assert suggest_cut(longer) == wanted


def test_a_reshaped_weight_is_no_flatten():
    values = {value.name: value for value in (stored("w", 4, 2, 2), Value("v", "float32", (4, 4)))}
    nodes = (
        Node("r", "Relu", ("x",), ("a",)),
        Node("f", "Reshape", ("w",), ("v",)),
        Node("m", "MatMul", ("a", "v"), ("y",)),
    )
    assert suggest_cut(Graph("", nodes, ("x",), ("y",), values)) == "a"


def test_a_graph_in_a_circle_ends_as_well():
    nodes = (Node("a", "Conv", ("y", "w"), ("x",)), Node("b", "Conv", ("x", "w"), ("y",)))
    graph = Graph("", nodes, (), ("y",), {"w": stored("w", 1)})
    assert suggest_cut(graph) in ("x", "y")


def test_where_the_model_cannot_be_cut_is_not_suggested():
    class CutAtPoolsOnly(FakeFile):
        def cut(self, inputs, outputs):
            if outputs == ["f"]:
                raise ModelRunError("no")
            return self

    graph = load_model(onnx_models.convnet()).graph
    assert suggest_cut(graph) == "f"
    assert suggest_cut(graph, CutAtPoolsOnly()) == "p"
