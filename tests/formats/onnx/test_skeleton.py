"""The skeleton: no weights, small constants kept, fit for shape inference, and cheap to make."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from models_made import onnx_models
from onnx import TensorProto, helper, numpy_helper

from mlnb.errors import ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.onnx.skeleton import KEPT
from mlnb.formats.wire import encode_varint

SKELETONS = Path(__file__).parents[2] / "skeletons"


def test_a_skeleton_keeps_small_tensors_and_drops_the_payload_of_large_ones() -> None:
    large, small = onnx_models.weight(KEPT // 4 + 1), onnx_models.weight(KEPT // 4)
    node = helper.make_node("Concat", ["x", "large", "small"], ["y"], axis=0)
    value = helper.make_tensor_value_info("x", onnx_models.FLOAT, [1])
    content = onnx_models.model([node], [value], [value], {"large": large, "small": small})
    skeleton = onnx.load_from_string(open_model_file(content).skeleton())
    stored = {tensor.name: tensor for tensor in skeleton.graph.initializer}
    np.testing.assert_array_equal(numpy_helper.to_array(stored["small"]), small)
    assert stored["large"].data_location == TensorProto.EXTERNAL
    assert not stored["large"].raw_data
    assert list(stored["large"].dims) == [KEPT // 4 + 1]


def test_all_but_the_payload_is_the_same() -> None:
    content = onnx_models.convnet()
    skeleton = onnx.load_from_string(open_model_file(content).skeleton())
    model = onnx.load_from_string(content)
    for tensor in (*skeleton.graph.initializer, *model.graph.initializer):
        for field in ("raw_data", "external_data", "data_location"):
            tensor.ClearField(field)
    assert skeleton == model


def test_training_graphs_are_left_out_with_their_weights() -> None:
    model = onnx.load_from_string(onnx_models.mlp())
    stored = numpy_helper.from_array(onnx_models.weight(1000), "momentum")
    model.training_info.add().initialization.initializer.append(stored)
    file = open_model_file(model.SerializeToString())
    assert not onnx.load_from_string(file.skeleton()).training_info
    assert len(file.skeleton()) < 1_000


def constant_of(array: np.ndarray) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(array))


def test_payloads_in_nested_graphs_functions_and_constants_are_dropped_and_still_read() -> None:
    big = onnx_models.weight(50, 50)
    value = helper.make_tensor_value_info("c", onnx_models.FLOAT, [50, 50])
    branch = helper.make_graph([constant_of(big)], "branch", [], [value])
    node = helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)
    yes = helper.make_tensor_value_info("yes", TensorProto.BOOL, [])
    made = onnx_models.function("Big", [constant_of(big)])
    content = onnx_models.model([node], [yes], [value], {"w": big}, functions=[made])
    file = open_model_file(content)
    assert len(content) > 40_000
    assert len(file.skeleton()) < 1_500
    np.testing.assert_array_equal(
        file.tensor("c", file.graph.nodes[0].subgraphs["else_branch"]), big
    )


def test_shape_inference_on_the_skeleton_gives_the_graph_its_shapes() -> None:
    file = open_model_file(onnx_models.convnet())
    assert file.graph.value("p").shape is None
    inferred = onnx.shape_inference.infer_shapes(onnx.load_from_string(file.skeleton()))
    graph = file.with_shapes(inferred.SerializeToString())
    assert graph.value("p").shape == (1, 16, 1, 1)
    assert graph.value("p").dtype == "float32"
    assert graph.value("conv.weight").nbytes == 1728
    assert file.graph.value("p").shape is None
    np.testing.assert_array_equal(
        file.tensor("conv.weight", graph), onnx_models.weight(16, 3, 3, 3, seed=1)
    )


def test_nested_graphs_get_their_shapes_too() -> None:
    file = open_model_file(onnx_models.loop())
    inferred = onnx.load_from_string(file.skeleton())
    body = inferred.graph.node[0].attribute[0].g
    body.value_info.append(helper.make_tensor_value_info("next", onnx_models.FLOAT, [7]))
    body.ClearField("output")
    graph = file.with_shapes(inferred.SerializeToString())
    assert graph.nodes[0].subgraphs["body"].value("next").shape == (7,)


@pytest.mark.parametrize("inferred", [onnx_models.relu(), b"\x3a\xff", b""])
def test_what_comes_back_as_another_model_is_refused(inferred: bytes) -> None:
    with pytest.raises(ModelFormatError, match="shape inference gave"):
        open_model_file(onnx_models.convnet()).with_shapes(inferred)


EXPORTED = sorted(SKELETONS.glob("*.onnx.gz"))


@pytest.mark.parametrize("path", EXPORTED, ids=lambda path: path.name.split(".")[0])
def test_a_network_that_torch_exported_is_read_with_its_modules(path: Path) -> None:
    file = open_model_file(gzip.decompress(path.read_bytes()))
    assert repr(file.inputs) == "TensorSpecs(image: float32 [batch, 3, 224, 224])"
    assert repr(file.outputs) == "TensorSpecs(scores: float32 [batch, 1000])"
    assert not file.graph.warnings
    scoped = [node for node in file.graph.nodes if node.scope]
    assert len(scoped) > 0.7 * len(file.graph.nodes)
    if "dynamo" in path.name:
        assert file.graph.scope_types[()] in ("ResNet", "VisionTransformer", "SwinTransformer")
        assert sum(file.graph.value(n.outputs[0]).shape is not None for n in scoped) > 40
    weights = sum(weight.nbytes or 0 for weight in file.graph.weights)
    assert weights > 40_000_000


def test_the_exported_networks_are_all_there_and_small() -> None:
    assert len(EXPORTED) == 5
    assert sum(path.stat().st_size for path in EXPORTED) < 400_000
    modules = {
        path.name.split(".")[0]: open_model_file(gzip.decompress(path.read_bytes())).graph
        for path in EXPORTED
        if "resnet18" in path.name
    }
    scopes = [{node.scope for node in graph.nodes} for graph in modules.values()]
    assert ("layer1", "0", "conv1") in scopes[1]
    assert all(any(scope[:2] == ("layer4", "1") for scope in each) for each in scopes)


def sparse_file(path: Path, weights: int, size: int) -> int:
    """An ONNX file of `weights` MatMuls whose weights of `size` bytes are holes on the disk."""
    nodes = [
        helper.make_node("MatMul", [f"v{i}", f"w{i}"], [f"v{i + 1}"], name=f"/block{i}/MatMul")
        for i in range(weights)
    ]
    ends = [
        helper.make_tensor_value_info(name, onnx_models.FLOAT, ["N", 4096])
        for name in ("v0", f"v{weights}")
    ]
    structure = helper.make_graph(nodes, "main", ends[:1], ends[1:]).SerializeToString()
    dims = [size // 4 // 4000, 4000]
    heads = [
        TensorProto(dims=dims, data_type=TensorProto.FLOAT, name=f"w{i}").SerializeToString()
        + b"\x4a"
        + encode_varint(size)
        for i in range(weights)
    ]
    fields = [b"\x2a" + encode_varint(len(head) + size) + head for head in heads]
    total = len(structure) + sum(len(field) + size for field in fields)
    with path.open("wb") as file:
        file.write(b"\x08\x0a\x3a" + encode_varint(total) + structure)
        for field in fields:
            file.write(field)
            file.seek(size, 1)
        file.write(b"\x42\x02\x10\x15")
    return len(nodes)


def test_a_file_over_2_gb_is_read_in_milliseconds_and_a_few_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    count = sparse_file(path, weights=64, size=40_000_000)
    assert path.stat().st_size > 2_500_000_000
    open_model_file(onnx_models.relu()).graph  # noqa: B018  (the first call imports)
    started = time.perf_counter()
    file = open_model_file(path)
    assert file.inputs.names == ["v0"]
    assert time.perf_counter() - started < 4 * 0.050
    started = time.perf_counter()
    assert len(file.graph.nodes) == count
    assert time.perf_counter() - started < 4 * (0.050 + 20e-6 * count)
    assert len(file.skeleton()) < 50_000
    assert file.graph.value("w63").nbytes == 40_000_000
    tracemalloc.start()
    try:
        again = open_model_file(path)
        again.graph  # noqa: B018
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert file.tensor("w63").shape == (2500, 4000)


def test_twenty_thousand_nodes_keep_to_the_time_per_node() -> None:
    content = onnx_models.chain(20_000)
    started = time.perf_counter()
    assert len(open_model_file(content).graph.nodes) == 20_000
    assert time.perf_counter() - started < 4 * (0.050 + 20e-6 * 20_000)
