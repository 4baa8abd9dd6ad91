"""What `onnx` itself says of a model, in our terms: what the reader is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from mlnb.specs import Shape

_KINDS = {
    "sequence_type": "sequence",
    "optional_type": "optional",
    "map_type": "map",
    "sparse_tensor_type": "sparse",
}


def spec(info: onnx.ValueInfoProto) -> tuple[str, str, Shape | None, str]:
    """Name, dtype, shape and kind of an input or output."""
    return (info.name, *of_type(info.type))


def of_type(kind: onnx.TypeProto) -> tuple[str, Shape | None, str]:
    """Dtype, shape and kind of a type."""
    case = kind.WhichOneof("value")
    if case in ("tensor_type", "sparse_tensor_type"):
        tensor = getattr(kind, case)
        shape = tuple(map(dimension, tensor.shape.dim)) if tensor.HasField("shape") else None
        return dtype(tensor.elem_type), shape, _KINDS.get(case, "tensor")
    if case in _KINDS:
        held = getattr(kind, case)
        inner = of_type(held.value_type if case == "map_type" else held.elem_type)
        name = _KINDS[case] if inner[2] == "tensor" else f"{_KINDS[case]} {inner[2]}"
        return inner[0], inner[1], name
    return "unknown", None, "tensor" if case is None else "opaque"


def dimension(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    """A number, a name, or None."""
    if dim.HasField("dim_value"):
        return dim.dim_value if dim.dim_value >= 0 else None
    return dim.dim_param or None


def dtype(number: int) -> str:
    """NumPy's or ml_dtypes' name of an element type."""
    if number == 0:
        return "unknown"
    if number == onnx.TensorProto.STRING:
        return "string"
    return np.dtype(helper.tensor_dtype_to_np_dtype(number)).name


def inputs(model: onnx.ModelProto) -> list[tuple[str, str, Shape | None, str]]:
    """The inputs without the initializers among them."""
    stored = {tensor.name for tensor in model.graph.initializer}
    stored |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    return [spec(info) for info in model.graph.input if info.name not in stored]


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes that are no graphs; tensors as dtype, shape and size."""
    return {
        attribute.name: value(helper.get_attribute_value(attribute))
        for attribute in node.attribute
        if attribute.type not in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
        and not attribute.ref_attr_name
    }


def value(given: Any) -> Any:
    """The value of an attribute."""
    if isinstance(given, bytes):
        return given.decode()
    if isinstance(given, onnx.TensorProto):
        return (dtype(given.data_type), tuple(given.dims))
    if isinstance(given, onnx.SparseTensorProto):
        return (dtype(given.values.data_type), tuple(given.dims))
    if isinstance(given, onnx.TypeProto):
        return of_type(given)[0]
    if isinstance(given, int | float | str):
        return given
    return tuple(map(value, given))


def stored_arrays(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """The initializers and the tensors of Constant nodes, without nested graphs."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
    return {name: numpy_helper.to_array(tensor) for name, tensor in tensors.items()}
