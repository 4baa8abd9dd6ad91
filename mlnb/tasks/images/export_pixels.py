"""`pixels_graph`: a `Preprocessing` as operations of ONNX, for pictures of any size.

The sizes are computed in the file as `Fit` computes them; the resizing works on whole grey levels
with antialias, as Pillow does, and differs from it at the borders of noise alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need

if TYPE_CHECKING:
    from mlnb.tasks.images.preprocessing import Preprocessing

PIXELS, PICTURE = "pixels", "picture"
MAX_IR = 10
"""What every onnxruntime of the last years takes."""


def pixels_graph(opset: int, preprocessing: Preprocessing) -> Any:
    """An ONNX model from `uint8 [batch, height, width, 3]` to what the backbone takes.

    Args:
        opset: at least 18.
        preprocessing: of the backbone.
    """
    onnx = need("onnx", "train")
    graph = _Graph(onnx)
    made = _fitted(graph, graph.node("Transpose", PIXELS, perm=[0, 3, 1, 2]), preprocessing)
    if preprocessing.order == "BGR":
        made = graph.node("Gather", made, graph.whole([2, 1, 0]), axis=1)
    made = graph.node("Cast", made, to=onnx.TensorProto.FLOAT)
    mean, scale = (
        graph.constant(np.array(values, np.float32).reshape(1, 3, 1, 1))
        for values in (preprocessing.mean, preprocessing.scale)
    )
    made = graph.node("Mul", graph.node("Sub", made, mean), scale)
    if preprocessing.layout == "NHWC":
        made = graph.node("Transpose", made, perm=[0, 2, 3, 1])
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(preprocessing.dtype))
    graph.node("Cast", made, to=kind, name=PICTURE)
    height, width = preprocessing.size
    shape = [3, height, width] if preprocessing.layout == "NCHW" else [height, width, 3]
    helper = onnx.helper
    given = helper.make_tensor_value_info(
        PIXELS, onnx.TensorProto.UINT8, ["batch", "height", "width", 3]
    )
    gives = helper.make_tensor_value_info(PICTURE, kind, ["batch", *shape])
    inner = helper.make_graph(graph.nodes, "pixels", [given], [gives], graph.constants)
    return helper.make_model(
        inner, opset_imports=[helper.make_opsetid("", opset)], ir_version=MAX_IR
    )


def _fitted(graph: _Graph, made: str, preprocessing: Preprocessing) -> str:
    """Scaled and cut, or filled up, to the size that the backbone takes."""
    height, width = preprocessing.size
    if preprocessing.mode == "stretch":
        return _resized(graph, made, graph.whole([height, width]), preprocessing)
    sides = graph.node("Shape", made, start=2, end=4)
    if preprocessing.mode == "pad":
        share = _share(graph, sides, (height, width), "ReduceMin")
        scaled = graph.node("Round", graph.node("Mul", graph.real(sides), share))
        sizes = graph.node("Max", graph.whole_of(scaled), graph.whole([1, 1]))
        inner = _resized(graph, made, sizes, preprocessing)
        two = graph.whole([2])
        free = graph.node("Sub", graph.whole([height, width]), sizes)
        before = graph.node("Div", free, two)
        none = graph.whole([0, 0])
        pads = graph.node("Concat", none, before, none, graph.node("Sub", free, before), axis=0)
        return graph.node("Pad", inner, pads)
    sizes = _whole_sizes(graph, sides, preprocessing)
    inner = _resized(graph, made, sizes, preprocessing)
    free = graph.node("Sub", sizes, graph.whole([height, width]))
    halves = graph.node("Mul", graph.real(free), graph.constant(np.array([0.5])))
    begin = graph.whole_of(graph.node("Round", halves))
    end = graph.node("Add", begin, graph.whole([height, width]))
    return graph.node("Slice", inner, begin, end, graph.whole([2, 3]))


def _whole_sizes(graph: _Graph, sides: str, preprocessing: Preprocessing) -> str:
    """The size of the picture before its middle is taken, as `Fit` has it."""
    height, width = preprocessing.size
    if preprocessing.resize is None and height != width:
        share = _share(graph, sides, (height, width), "ReduceMax")
        grown = graph.whole_of(graph.node("Floor", graph.node("Mul", graph.real(sides), share)))
        return graph.node("Max", grown, graph.whole([height, width]))
    grown = graph.node("Mul", sides, graph.whole([preprocessing.resize or height]))
    return graph.node("Div", grown, graph.node("ReduceMin", sides))


def _share(graph: _Graph, sides: str, size: tuple[int, int], choose: str) -> str:
    shares = graph.node("Div", graph.constant(np.array(size, np.float64)), graph.real(sides))
    return graph.node(choose, shares, keepdims=1)


def _resized(graph: _Graph, made: str, sizes: str, preprocessing: Preprocessing) -> str:
    first = graph.node("Shape", made, end=2)
    ways: dict[str, dict[str, Any]] = {
        "bilinear": {"mode": "linear"},
        "bicubic": {"mode": "cubic", "cubic_coeff_a": -0.5},  # Pillow's
    }
    return graph.node(
        "Resize",
        made,
        "",
        "",
        graph.node("Concat", first, sizes, axis=0),
        antialias=int(preprocessing.antialias),
        coordinate_transformation_mode="half_pixel",
        **ways[preprocessing.interpolation],
    )


class _Graph:
    """Nodes and constants as they are written."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Write an operation; the name of what it gives."""
        made = name or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(op, list(inputs), [made], **attributes))
        return made

    def constant(self, values: Any) -> str:
        """Write numbers; their name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(values, name))
        return name

    def whole(self, values: list[int]) -> str:
        """Write whole numbers; their name."""
        return self.constant(np.array(values, np.int64))

    def real(self, given: str) -> str:
        """The same as float64."""
        return self.node("Cast", given, to=self.onnx.TensorProto.DOUBLE)

    def whole_of(self, given: str) -> str:
        """The same as int64."""
        return self.node("Cast", given, to=self.onnx.TensorProto.INT64)
