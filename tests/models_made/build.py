"""What all made models are built with: one place sets IR and opset, to what onnxruntime reads.

`onnx` alone writes newer ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR, OPSET = 10, 21
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL

VALUE = helper.make_tensor_value_info


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    weights: dict[str, np.ndarray] | None = None,
    *,
    ir: int = IR,
    opset: int = OPSET,
    **more: object,
) -> bytes:
    """A model of these nodes; `weights` become its initializers, `more` goes to the ModelProto."""
    stored = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, "main", inputs, outputs, stored)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    made = helper.make_model(graph, ir_version=ir, opset_imports=opsets, **more)
    return made.SerializeToString()


def weight(*shape: int, seed: int = 0) -> np.ndarray:
    """Random float32 weights."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
