"""A cut of an ONNX file: only what the outputs need, weights that are left out never read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from models_made import onnx_models
from models_made.build import BOOL, FLOAT, VALUE, model, weight
from onnx import helper

from mlnb.errors import ModelFileChanged, ModelRunError, UnknownName
from mlnb.formats import Part, open_model_file, source
from mlnb.formats.onnx.cut import OnnxCut, cut_content
from mlnb.models.loading import load_model


def cut(content: bytes | Path, *outputs: str, inputs: list[str] | None = None) -> OnnxCut:
    made = open_model_file(content).cut(inputs, list(outputs))
    assert isinstance(made, OnnxCut)
    return made


def run(content: bytes, outputs: list[str], **feeds: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(outputs, feeds)


def two_layers(elements: int = 100_000) -> bytes:
    """x → Add w0 → a → Add w1 → y, each weight 4 × `elements` bytes."""
    nodes = [
        helper.make_node("Add", ["x", "w0"], ["a"], name="first"),
        helper.make_node("Add", ["a", "w1"], ["y"], name="second"),
    ]
    ends = ([VALUE("x", FLOAT, [elements])], [VALUE("y", FLOAT, [elements])])
    weights = {name: weight(elements, seed=i) for i, name in enumerate(("w0", "w1"))}
    return model(nodes, *ends, weights)


def test_only_the_nodes_and_weights_that_are_needed_are_left() -> None:
    proto = onnx.load_from_string(cut(onnx_models.convnet(), "r").content())
    assert [node.name for node in proto.graph.node] == ["conv", "relu"]
    assert {one.name for one in proto.graph.initializer} == {"conv.weight", "conv.bias"}
    assert [one.name for one in proto.graph.output] == ["r"]
    whole = onnx.load_from_string(onnx_models.convnet())
    assert proto.opset_import == whole.opset_import
    assert proto.ir_version == whole.ir_version
    kept = {one.name: one for one in whole.graph.initializer}
    assert all(one == kept[one.name] for one in proto.graph.initializer)


def test_weights_that_are_left_out_are_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "two.onnx"
    path.write_bytes(two_layers())
    read: list[int] = []
    plainly = source._read_at
    monkeypatch.setattr(
        source,
        "_read_at",
        lambda handle, length, offset: (read.append(length), plainly(handle, length, offset))[1],
    )
    made = cut(path, "a")
    assert sum(read) < 50_000  # to look takes no weights at all
    content = made.content()
    assert 400_000 < len(content) < 402_000
    assert sum(read) < 400_000 + 50_000
    x = np.ones(100_000, np.float32)
    assert (run(content, ["a"], x=x)[0] == x + weight(100_000)).all()


def test_the_child_makes_the_same_cut_from_the_facts(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(onnx_models.convnet())
    twice = cut(path, "f").cut(None, ["p"])
    facts = twice.run_facts
    assert len(facts["cuts"]) == 2
    assert cut_content(str(path), facts["cuts"], facts["limits"]) == twice.content()
    assert cut_content(path.read_bytes(), facts["cuts"], facts["limits"]) == twice.content()


def test_an_input_of_unknown_dtype_is_refused_until_it_is_inferred() -> None:
    whole = load_model(onnx_models.mlp())
    bare = open_model_file(onnx_models.mlp())
    if bare.graph.value("h").dtype == "unknown":
        with pytest.raises(ModelRunError, match="does not say of what dtype it is"):
            bare.cut(["h"], ["scores"])
    half = whole.cut("h", outputs="scores")  # infers by itself
    assert str(half.inputs["h"]) == "float32 [N, 8]"
    x = weight(2, 4)
    h = whole.cut(outputs="h").predict(x)["h"]
    assert np.allclose(half.predict(h)["scores"], whole.predict(x)["scores"], atol=1e-6)


def test_what_else_the_outputs_need_is_fed_as_before() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Add", ["a", "z"], ["y"]),
    ]
    ends = [VALUE(name, FLOAT, [2]) for name in "xz"]
    info = [VALUE("a", FLOAT, [2])]
    graph = onnx.load_from_string(model(nodes, ends, [VALUE("y", FLOAT, [2])]))
    graph.graph.value_info.extend(info)
    made = cut(graph.SerializeToString(), "y", inputs=["a"])
    assert made.inputs.names == ["a", "z"]


def test_a_nested_graph_keeps_what_it_takes_from_around_it() -> None:
    outer = onnx.load_from_string(onnx_models.branches())
    before = helper.make_node("Relu", ["raw"], ["x"], name="before")
    after = helper.make_node("Neg", ["y"], ["z"], name="after")
    outer.graph.node.insert(0, before)
    outer.graph.node.append(after)
    del outer.graph.input[:], outer.graph.output[:]
    outer.graph.input.extend([VALUE("yes", BOOL, []), VALUE("raw", FLOAT, ["N"])])
    outer.graph.output.append(VALUE("z", FLOAT, ["N"]))
    made = cut(outer.SerializeToString(), "y")
    assert [node.name for node in made.graph.nodes] == ["before", "choose"]
    raw = np.array([-1, 2], np.float32)
    assert run(made.content(), ["y"], yes=np.array(True), raw=raw)[0].tolist() == [1, 3]


@pytest.mark.parametrize("name", ["loop", "scan"])
def test_loops_are_cut_as_one_node(name: str) -> None:
    content = getattr(onnx_models, name)()
    whole = onnx.load_from_string(content)
    made = onnx.load_from_string(cut(content, "y").content())
    assert made.graph.node == whole.graph.node


def test_functions_that_nobody_calls_any_more_are_left_out() -> None:
    whole = onnx.load_from_string(onnx_models.functions())
    other = onnx_models.function("Other", [helper.make_node("Neg", ["x"], ["y"])])
    whole.functions.append(other)
    whole.graph.node.append(helper.make_node("Other", ["y"], ["z"], domain="local"))
    del whole.graph.output[:]
    whole.graph.output.append(VALUE("z", FLOAT, ["N"]))
    made = onnx.load_from_string(cut(whole.SerializeToString(), "y").content())
    assert {one.name for one in made.functions} == {"Act", "Block"}
    x = np.array([-1, 2], np.float32)
    assert run(made.SerializeToString(), ["y"], x=x)[0].tolist() == [0, 2]


def test_weights_inside_of_nodes_are_put_back() -> None:
    content = onnx_models.constant_weights()
    whole = onnx.load_from_string(content)
    big = onnx.numpy_helper.from_array(weight(1000, seed=3))
    whole.graph.node.append(helper.make_node("Constant", [], ["big"], value=big))
    whole.graph.node.append(helper.make_node("Identity", ["big"], ["same"]))
    whole.graph.output.append(VALUE("same", FLOAT, [1000]))
    content = whole.SerializeToString()
    assert (run(cut(content, "same").content(), ["same"])[0] == weight(1000, seed=3)).all()
    assert len(cut(content, "y").content()) < 1_500


def test_weights_that_ir_3_repeats_as_inputs_stay_repeated() -> None:
    made = cut(onnx_models.weights_as_inputs(), "r")
    assert made.inputs.names == ["image"]
    proto = onnx.load_from_string(made.content())
    assert {one.name for one in proto.graph.input} == {"image", "conv.weight", "conv.bias"}
    image = weight(1, 3, 8, 8)
    assert run(made.content(), ["r"], image=image)[0].shape == (1, 16, 8, 8)


def test_a_weight_can_be_fed_and_can_come_out() -> None:
    image = weight(1, 3, 8, 8)
    content = onnx_models.weights_as_inputs()
    fed = cut(content, "r", inputs=["conv.weight"])
    kernel = np.zeros((16, 3, 3, 3), np.float32)
    whole = onnx.load_from_string(content)
    bias = next(one for one in whole.graph.initializer if one.name == "conv.bias")
    wanted = np.maximum(onnx.numpy_helper.to_array(bias), 0)
    answer = run(fed.content(), ["r"], image=image, **{"conv.weight": kernel})[0]
    assert np.allclose(answer[0, :, 0, 0], wanted)
    assert str(cut(content, "r", "conv.bias").outputs["conv.bias"]) == "float32 [16]"
    new = cut(onnx_models.convnet(), "r", inputs=["conv.weight"])  # there no input repeats it
    assert str(new.inputs["conv.weight"]) == "float32 [16, 3, 3, 3]"
    assert (run(new.content(), ["r"], image=image, **{"conv.weight": kernel})[0] == answer).all()


def test_external_data_goes_on_to_work(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    whole = onnx.load_from_string(onnx_models.external_data())
    other = onnx.load_from_string(onnx_models.external_data("missing.bin")).graph.initializer[0]
    other.name = "v"
    whole.graph.initializer.append(other)
    whole.graph.node.append(helper.make_node("Add", ["y", "v"], ["z"]))
    del whole.graph.output[:]
    whole.graph.output.append(VALUE("z", FLOAT, [1000]))
    path.write_bytes(whole.SerializeToString())
    (tmp_path / "weights.bin").write_bytes(weight(1000).tobytes())
    model = load_model(path)
    made = model.cut(outputs="y")
    assert made.parts == (Part("weights.bin", 4000, True),)
    x = np.ones(1000, np.float32)
    assert np.allclose(made.predict(x)["y"], x + weight(1000))
    with pytest.raises(ModelRunError, match=r"missing\.bin"):
        model.predict(x)


def test_feeding_one_of_two_outputs_of_a_node_that_is_still_needed_is_refused() -> None:
    nodes = [
        helper.make_node("Split", ["x"], ["a", "b"], num_outputs=2),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    content = model(nodes, [VALUE("x", FLOAT, [4])], [VALUE("y", FLOAT, [2])])
    whole = onnx.load_from_string(content)
    whole.graph.value_info.extend([VALUE("a", FLOAT, [2]), VALUE("b", FLOAT, [2])])
    content = whole.SerializeToString()
    with pytest.raises(ModelRunError, match="'a' cannot be fed: the Split that makes it"):
        cut(content, "y", inputs=["a"])
    assert cut(content, "y", inputs=["a", "b"]).inputs.names == ["a", "b"]


def test_a_cut_says_how_large_it_is_and_reads_weights_and_shapes() -> None:
    made = cut(onnx_models.convnet(), "f")
    whole = open_model_file(onnx_models.convnet())
    assert made.nbytes < whole.nbytes
    assert (made.tensor("conv.weight") == whole.tensor("conv.weight")).all()
    with pytest.raises(UnknownName):
        made.tensor("fc.weight")
    inferred = onnx.shape_inference.infer_shapes(onnx.load_from_string(made.skeleton()))
    assert made.with_shapes(inferred.SerializeToString()).value("f").shape == (1, 16)


def test_a_file_that_changed_is_noticed_when_the_weights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(two_layers())
    made = cut(path, "a")
    path.write_bytes(two_layers() + b"\x42\x02\x10\x15")
    with pytest.raises(ModelFileChanged):
        made.content()


def test_a_foreign_mark_in_the_file_reads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """A stranger's tensor that claims to lie in our own place is not looked for in the file."""
    whole = onnx.load_from_string(onnx_models.external_data("mlnb-weights", 8))
    content = whole.SerializeToString()
    assert onnx.load_from_string(cut(content, "y").content()).graph.initializer == (
        whole.graph.initializer
    )


def test_hostile_names_are_cut_by_and_shown_harmless() -> None:
    content = onnx_models.hostile_names()
    file = open_model_file(content)
    for name in list(file.graph.producers)[:20]:
        assert name in file.cut(None, [name]).outputs.names
    with pytest.raises(UnknownName) as error:
        file.cut(None, ["\u202e<b>\n"])
    assert "\n" not in str(error.value)
    assert "\u202e" not in str(error.value)


@pytest.mark.parametrize("made", ["cycle", "dangling", "duplicate_names", "out_of_order"])
def test_a_graph_with_something_wrong_is_cut_or_refused_in_time(made: str) -> None:
    file = open_model_file(getattr(onnx_models, made)())
    for name in file.graph.producers:
        assert name in file.cut(None, [name]).outputs.names


def test_functions_that_call_themselves_or_double_end() -> None:
    for content in (onnx_models.recursive_functions(), onnx_models.doubling_functions(40)):
        assert cut(content, "a").graph.nodes
