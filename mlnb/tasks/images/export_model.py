"""`model_graph`: a loaded `Model`, cut, as a graph of ONNX that gives a row of features a picture.

A batch fixed at one is set free where that changes nothing; what a file stores as integers goes in
and comes out as the real values that they stand for.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need
from mlnb.networks.export import session
from mlnb.networks.to_onnx import OPSET
from mlnb.tasks.images.export_joints import at_opset, behind, opset_of
from mlnb.tasks.images.export_pixels import MAX_IR

if TYPE_CHECKING:
    from mlnb.specs import Quantization
    from mlnb.tasks.images.features import ModelFeatures

Array = np.ndarray[Any, np.dtype[Any]]


def model_graph(features: ModelFeatures, width: int) -> Any:
    """The cut model by ONNX's operators, its answer pooled to `[n, width]`."""
    made = _as_onnx(features)
    made = at_opset(made, max(opset_of(made), OPSET))
    del made.graph.value_info[:]
    _drop_weights_from_inputs(made)
    free = _with_free_batch(made)
    made = _of_real_values(made if free is None else free, features)
    shape = [d.dim_value for d in made.graph.output[0].type.tensor_type.shape.dim]
    layout = features.preprocessing.layout
    if len(shape) == 4 and shape[1] != shape[3] and width in (shape[1], shape[3]):
        layout = "NCHW" if shape[1] == width else "NHWC"  # a conversion may have turned it
    return behind(made, _pooling(len(shape), layout, opset_of(made)))


def _as_onnx(features: ModelFeatures) -> Any:
    """What the backbone computes up to its cut."""
    onnx = need("onnx", "train")
    model = features.model
    if model.format == "ONNX":
        return onnx.load_from_string(model._file.content())  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backbone.onnx"
        model.to_onnx(path)
        return onnx.load(str(path))


def _drop_weights_from_inputs(made: Any) -> None:
    """Old files list their weights among the inputs."""
    weights = {one.name for one in made.graph.initializer}
    fed = [one for one in made.graph.input if one.name not in weights]
    del made.graph.input[:]
    made.graph.input.extend(fed)
    made.ir_version = max(made.ir_version, MAX_IR)


def _with_free_batch(made: Any) -> Any | None:
    """The same with a batch of any size, where it computes what it did; else `None`."""
    onnx = need("onnx", "train")
    ends = [*made.graph.input, *made.graph.output]
    if made.graph.input[0].type.tensor_type.shape.dim[0].dim_value != 1:
        return made
    free = onnx.ModelProto()
    free.CopyFrom(made)
    for value in (*free.graph.input, *free.graph.output):
        value.type.tensor_type.shape.dim[0].Clear()
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    fed = _like(ends[0])
    try:
        [one] = session(made.SerializeToString()).run(None, {ends[0].name: fed})
        [two] = session(free.SerializeToString()).run(
            None, {ends[0].name: np.concatenate([fed, fed])}
        )
    except Exception:  # noqa: BLE001 - a runtime may refuse in any way; one at a time it is then
        return None
    same = two.shape == (2, *one.shape[1:]) and np.allclose(two[1], one[0], atol=1e-3, rtol=1e-3)
    return free if same else None


def _of_real_values(made: Any, features: ModelFeatures) -> Any:
    """A model that stores integers for its ends, with real values there, as `Model` has it."""
    given, gives = features.model.inputs[0].quantization, features.model.outputs[0].quantization
    if given is not None and _is_stored(made.graph.input[0]):
        made = behind(_linear("QuantizeLinear", given, made.graph.input[0]), made)
    if gives is not None and _is_stored(made.graph.output[0]):
        made = behind(made, _linear("DequantizeLinear", gives, made.graph.output[0]))
    return made


def _is_stored(value: Any) -> bool:
    types = need("onnx", "train").TensorProto
    return value.type.tensor_type.elem_type in (types.UINT8, types.INT8)


def _linear(op: str, by: Quantization, stored: Any) -> Any:
    """Real values as stored integers, or the other way round."""
    onnx = need("onnx", "train")
    helper, kind = onnx.helper, stored.type.tensor_type.elem_type
    dtype, single = helper.tensor_dtype_to_np_dtype(kind), by.axis is None
    scale, zero = np.array(by.scale, np.float32), np.array(by.zero_point, dtype)
    constants = [
        onnx.numpy_helper.from_array(values.reshape(()) if single else values, name)
        for name, values in (("scale", scale), ("zero", zero))
    ]
    axis = {} if single else {"axis": by.axis}
    node = helper.make_node(op, ["given", "scale", "zero"], [op], **axis)
    kinds = [onnx.TensorProto.FLOAT, kind]
    shape = [dim.dim_param or dim.dim_value for dim in stored.type.tensor_type.shape.dim]
    given, gives = (
        helper.make_tensor_value_info(name, one, shape)
        for name, one in zip(("given", op), kinds if op[0] == "Q" else kinds[::-1], strict=True)
    )
    graph = helper.make_graph([node], op, [given], [gives], constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=MAX_IR
    )


def _like(value: Any) -> Array:
    onnx = need("onnx", "train")
    kind = value.type.tensor_type
    shape = [dim.dim_value or 1 for dim in kind.shape.dim]
    numbers = np.random.default_rng(0).uniform(0, 1, shape)
    return numbers.astype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _pooling(rank: int, layout: str, opset: int) -> Any:
    """Maps averaged over height and width, the rest flattened, as `pooled` does it."""
    onnx = need("onnx", "train")
    helper = onnx.helper
    nodes = [helper.make_node("Cast", ["answer"], ["real"], to=onnx.TensorProto.FLOAT)]
    constants = []
    if rank == 4:
        axes = np.array([2, 3] if layout == "NCHW" else [1, 2])
        constants.append(onnx.numpy_helper.from_array(axes, "axes"))
        nodes.append(helper.make_node("ReduceMean", ["real", "axes"], ["mean"], keepdims=0))
    last = nodes[-1].output[0]
    nodes.append(helper.make_node("Flatten", [last], ["features"], axis=1))
    given = helper.make_tensor_value_info("answer", onnx.TensorProto.FLOAT, [None] * rank)
    gives = helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["batch", None])
    graph = helper.make_graph(nodes, "pooling", [given], [gives], constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=MAX_IR
    )
