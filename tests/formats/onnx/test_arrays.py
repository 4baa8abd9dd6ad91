"""Weights read from the file: every element type, from `raw_data` and from the typed fields."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import pytest
from models_made import onnx_models
from onnx import TensorProto, helper, numpy_helper

from mlnb.errors import LimitExceeded, ModelFormatError
from mlnb.formats import open_model_file
from mlnb.formats.onnx.arrays import decode_varints
from mlnb.formats.wire import encode_varint
from mlnb.limits import Limits

NUMBERS = {
    name: n for name, n in TensorProto.DataType.items() if name not in ("UNDEFINED", "STRING")
}


def holding(*tensors: onnx.TensorProto) -> bytes:
    model = onnx.load_from_string(onnx_models.relu())
    model.graph.initializer.extend(tensors)
    return model.SerializeToString()


def tensor_of(number: int, count: int, raw: bool) -> onnx.TensorProto:
    dtype = helper.tensor_dtype_to_np_dtype(number)
    array = np.random.default_rng(number).integers(-2, 2, (count, 3)).astype(np.float32)
    if helper.tensor_dtype_to_string(number).split(".")[-1].startswith(("UINT", "BOOL")):
        array = abs(array)
    if raw:
        return numpy_helper.from_array(array.astype(dtype), "w")
    return helper.make_tensor("w", number, array.shape, array.astype(dtype).ravel())


@pytest.mark.parametrize("count", [3, 500], ids=["kept in the skeleton", "read from the file"])
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "typed"])
@pytest.mark.parametrize("name", NUMBERS)
def test_every_element_type_is_read_as_onnx_reads_it(name: str, raw: bool, count: int) -> None:
    tensor = tensor_of(NUMBERS[name], count, raw)
    assert tensor.HasField("raw_data") == raw
    file = open_model_file(holding(tensor))
    ours, expected = file.tensor("w"), numpy_helper.to_array(tensor)
    assert (ours.dtype, ours.shape) == (expected.dtype, expected.shape)
    assert ours.tobytes() == expected.tobytes()
    assert file.graph.value("w").dtype == expected.dtype.name


def test_bfloat16_comes_as_ml_dtypes_bfloat16() -> None:
    assert open_model_file(holding(tensor_of(TensorProto.BFLOAT16, 3, True))).tensor(
        "w"
    ).dtype == np.dtype(ml_dtypes.bfloat16)


def test_strings_are_text() -> None:
    array = open_model_file(onnx_models.text_lengths()).tensor("known")
    assert array.tolist() == ["cat", "çâ"]
    long = helper.make_tensor("w", TensorProto.STRING, [100], [f"word {i}" for i in range(100)])
    assert open_model_file(holding(long)).tensor("w")[99] == "word 99"


def test_elements_that_stand_singly_are_read_too() -> None:
    packed = helper.make_tensor("w", TensorProto.INT64, [3], [1, 300, -1]).SerializeToString()
    body = packed.replace(b"\x3a\x0d", b"")
    single = b"\x38\x01\x38\xac\x02\x38" + b"\xff" * 9 + b"\x01"
    head, name = b"\x08\x03\x10\x07", b"\x42\x01w"
    assert len(body) < len(packed)
    graph = onnx.load_from_string(onnx_models.relu()).graph.SerializeToString()
    tensor = head + single + name
    graph += b"\x2a" + encode_varint(len(tensor)) + tensor
    content = b"\x08\x0a\x3a" + encode_varint(len(graph)) + graph + b"\x42\x02\x10\x15"
    assert open_model_file(content).tensor("w").tolist() == [1, 300, -1]


def test_a_weight_is_read_alone_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.convnet())
    array = open_model_file(tmp_path / "model.onnx").tensor("conv.weight")
    np.testing.assert_array_equal(array, onnx_models.weight(16, 3, 3, 3, seed=1))


def test_a_constant_and_a_filled_tensor_are_read_like_weights() -> None:
    file = open_model_file(onnx_models.constant_weights())
    np.testing.assert_array_equal(file.tensor("b"), onnx_models.weight(5))
    np.testing.assert_array_equal(file.tensor("w"), np.full((5, 16), 0.02, np.float32))


def test_a_fill_of_a_terabyte_costs_nothing_and_is_refused() -> None:
    model = onnx.load_from_string(onnx_models.constant_weights())
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.array([10**6, 10**6]), "w_shape")
    )
    file = open_model_file(model.SerializeToString())
    assert file.graph.value("w").nbytes == 4 * 10**12
    with pytest.raises(LimitExceeded, match="tensor_bytes"):
        file.tensor("w")


def test_weights_of_one_name_in_two_branches_are_told_apart() -> None:
    def branch(value: float) -> onnx.GraphProto:
        stored = numpy_helper.from_array(np.float32(value), "k")
        node = helper.make_node("Mul", ["x", "k"], ["r"])
        out = helper.make_tensor_value_info("r", TensorProto.FLOAT, None)
        return helper.make_graph([node], "branch", [], [out], [stored])

    node = helper.make_node("If", ["c"], ["y"], then_branch=branch(1), else_branch=branch(2))
    ends = [("c", TensorProto.BOOL), ("x", TensorProto.FLOAT), ("y", TensorProto.FLOAT)]
    c, x, y = (helper.make_tensor_value_info(name, kind, []) for name, kind in ends)
    file = open_model_file(onnx_models.model([node], [c, x], [y]))
    branches = file.graph.nodes[0].subgraphs
    assert file.tensor("k", branches["then_branch"]) == 1
    assert file.tensor("k", branches["else_branch"]) == 2
    assert file.tensor("k") in (1, 2)


def test_a_sparse_weight_is_shown_and_says_why_it_is_not_read() -> None:
    values = helper.make_tensor("s", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [2], [3, 99])
    model = onnx.load_from_string(onnx_models.relu())
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [10, 10]))
    file = open_model_file(model.SerializeToString())
    assert file.graph.value("s").shape == (10, 10)
    assert file.graph.value("s").nbytes == 8 + 16
    with pytest.raises(ModelFormatError, match="'s' cannot be read: it is sparse"):
        file.tensor("s")


@pytest.mark.parametrize("dims", [[2], [4], [2**40, 2**40], [-3], [0]])
def test_a_shape_that_lies_about_its_elements_is_an_error(dims: list[int]) -> None:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "w")
    del tensor.dims[:]
    tensor.dims.extend(dims)
    file = open_model_file(holding(tensor))
    assert file.graph.value("w").shape == tuple(dims)
    with pytest.raises(ModelFormatError, match="'w'"):
        file.tensor("w")


def test_a_weight_over_the_limit_is_not_read() -> None:
    with pytest.raises(LimitExceeded, match=r"tensor_bytes is 1,728, the limit is 1,000"):
        open_model_file(onnx_models.convnet(), Limits(tensor_bytes=1000)).tensor("conv.weight")


@pytest.mark.parametrize("data", [b"\x80", b"\x01\xff", b"\xff" * 11 + b"\x01"])
def test_numbers_that_are_cut_off_or_endless_are_errors(data: bytes) -> None:
    with pytest.raises(ModelFormatError):
        decode_varints(data)


def test_numbers_of_all_lengths_are_decoded_at_once() -> None:
    values = [0, 1, 127, 128, 2**14, 2**35, 2**63, 2**64 - 1]
    packed = b"".join(map(encode_varint, values))
    assert decode_varints(packed).tolist() == values
    assert decode_varints(b"").tolist() == []
