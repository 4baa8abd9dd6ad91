"""Shapes inside a graph whose file writes down those of its placeholders and constants alone.

Frozen graphs are such, and without shapes there are no multiplications to count and no pool over
the whole picture to cut at. Convolutions and pools follow the rules that Keras has for its layers.
What has no rule here stays unknown, and so does what depends on it.

The rules: the shape functions in https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/ops
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mlnb.formats.keras.shapes import Shape, output_shape
from mlnb.graph.graph import Graph, Node, Value
from mlnb.graph.order import data_flow_order

_RANK = 12
"""A made-up graph could add a dimension at each node; no real one has so many."""

Integers = Callable[[str], Sequence[int]]
"""The elements of a small constant; raises a `ValueError` for what is none."""


def with_shapes(graph: Graph, integers: Integers) -> Graph:
    """The graph with the shapes that follow from those it has.

    >>> with_shapes(graph, integers).value("conv1").shape
    (None, 113, 113, 64)
    """
    values = dict(graph.values)
    for index in data_flow_order(graph):
        node = graph.nodes[index]
        rule = _RULES.get(node.op)
        if rule is None or not node.outputs or _shape(values, node.outputs[0]) is not None:
            continue
        call = _Call(node, [_shape(values, name) for name in node.inputs], integers)
        try:
            made = rule(call)
        except (TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
            continue
        if made is None or len(made) > _RANK or any(size is not None and size < 0 for size in made):
            continue
        known = values.get(node.outputs[0]) or Value(node.outputs[0])
        values[known.name] = replace(known, shape=made)
    return replace(graph, values=values)


def _shape(values: Mapping[str, Value], name: str) -> Any:
    return values[name].shape if name in values else None


class _Call(NamedTuple):
    """A node, the shapes that it reads, and the small constants of the graph."""

    node: Node
    shapes: Sequence[Any]
    integers: Integers

    def given(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.node.attributes.get(name, default)

    def numbers(self, index: int) -> Sequence[int]:
        """The constant that stands at an input."""
        return self.integers(self.node.inputs[index])

    def keras(self, layer: str, shapes: Sequence[Any], **config: Any) -> Shape | None:
        """By the rule of one of Keras's layers, with the window's attributes in its words."""
        first = self.given("data_format", "NHWC").startswith("NC")
        spatial = slice(2, None) if first else slice(1, -1)
        for ours, theirs in _WINDOW.items():
            if isinstance(self.given(ours), tuple):
                config[theirs] = self.given(ours)[spatial]
        config["data_format"] = "channels_first" if first else "channels_last"
        config.setdefault("padding", self.given("padding", "").lower())
        return None if config["padding"] == "explicit" else output_shape(layer, config, shapes)


_WINDOW = {"strides": "strides", "ksize": "pool_size", "dilations": "dilation_rate"}


def _convolved(call: _Call) -> Shape | None:
    x, kernel = call.shapes[:2]
    if call.node.op.startswith("Depthwise"):
        layer, more = "DepthwiseConv2D", {"depth_multiplier": kernel[-1]}
    else:
        layer, more = f"Conv{len(kernel) - 2}D", {"filters": kernel[-1]}
    return call.keras(layer, [x], kernel_size=kernel[:-2], **more)


def _pooled(call: _Call) -> Shape | None:
    return call.keras(f"MaxPooling{len(call.shapes[0]) - 2}D", call.shapes[:1])


def _product(call: _Call) -> Shape | None:
    a, b = call.shapes[:2]
    rows = a[-1 if call.given("transpose_a") or call.given("adj_x") else -2]
    columns = b[-2 if call.given("transpose_b") or call.given("adj_y") else -1]
    outer = output_shape("Add", {}, [a[:-2], b[:-2]])
    return None if outer is None else (*outer, rows, columns)


def _reshaped(call: _Call) -> Shape | None:
    return output_shape("Reshape", {"newshape": call.numbers(1)}, call.shapes[:1])


def _reduced(call: _Call) -> Shape | None:
    """A mean, a sum and the like over some axes."""
    shape, axes = call.shapes[0], call.numbers(1)
    if call.given("keep_dims"):
        axes = [axis % len(shape) for axis in axes]
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return _without(shape, axes)


def _squeezed(call: _Call) -> Shape | None:
    shape, axes = call.shapes[0], call.given("squeeze_dims")
    if not axes and None in shape:
        return None
    return _without(shape, axes or [i for i, size in enumerate(shape) if size == 1])


def _without(shape: Shape, axes: Sequence[int]) -> Shape:
    left_out = [axis % len(shape) for axis in axes]
    return tuple(size for i, size in enumerate(shape) if i not in left_out)


def _expanded(call: _Call) -> Shape | None:
    shape, (axis,) = call.shapes[0], call.numbers(1)
    axis %= len(shape) + 1
    return (*shape[:axis], 1, *shape[axis:])


def _joined(call: _Call) -> Shape | None:
    first = call.node.op == "Concat"
    shapes = call.shapes[1:] if first else call.shapes[:-1]
    (axis,) = call.numbers(0 if first else -1)
    return output_shape("Concatenate", {"axis": axis}, shapes)


def _padded(call: _Call) -> Shape | None:
    borders = iter(call.numbers(1))
    pairs = zip(borders, borders, strict=True)
    both = zip(call.shapes[0], pairs, strict=True)
    return tuple(None if size is None else size + sum(pair) for size, pair in both)


def _resized(call: _Call) -> Shape | None:
    shape = call.shapes[0]
    return (shape[0], *call.numbers(1), shape[3])


_UNCHANGED = """Identity Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softmax LogSoftmax Softplus
    Softsign Erf BiasAdd FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LRN Cast Exp Log Log1p
    Sqrt Rsqrt Square Neg Abs Floor Ceil Round Sign Reciprocal Inv StopGradient CheckNumerics
    Snapshot ZerosLike OnesLike LogicalNot FakeQuantWithMinMaxVars FakeQuantWithMinMaxArgs
    PlaceholderWithDefault PreventGradient ReadVariableOp ReverseV2"""
_MERGING = """Add AddV2 AddN Sub Mul Div RealDiv FloorDiv FloorMod Maximum Minimum SquaredDifference
    Pow Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr SelectV2"""

_RULES: dict[str, Callable[[_Call], Shape | None]] = {
    **dict.fromkeys(_UNCHANGED.split(), lambda call: call.shapes[0]),
    **dict.fromkeys(_MERGING.split(), lambda call: output_shape("Add", {}, call.shapes)),
    **dict.fromkeys(("Conv2D", "Conv3D", "DepthwiseConv2dNative", "_FusedConv2D"), _convolved),
    **dict.fromkeys(("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"), _pooled),
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), _product),
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "All", "Any"), _reduced),
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _padded),
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"), _resized),
    **dict.fromkeys(("Concat", "ConcatV2"), _joined),
    "Reshape": _reshaped,
    "Squeeze": _squeezed,
    "ExpandDims": _expanded,
    "Transpose": lambda call: tuple(call.shapes[0][axis] for axis in call.numbers(1)),
}
