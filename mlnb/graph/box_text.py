"""What stands on a box of the static picture, and beside an edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlnb.formatting import display_text
from mlnb.graph.families import IO, family
from mlnb.graph.fold import op_text
from mlnb.graph.order import handed_on
from mlnb.specs import shape_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.graph.graph import Graph, Node
    from mlnb.graph.group import Group
    from mlnb.graph.layout import Box
    from mlnb.specs import Shape

LONGEST = 26
"""Characters of a shape beside an edge; a longer one is left out."""

_SHORT = {"BatchNormalization": "BatchNorm", "LayerNormalization": "LayerNorm",
          "InstanceNormalization": "InstanceNorm", "GroupNormalization": "GroupNorm"}  # fmt: skip


class Caption(NamedTuple):
    """The two lines on a box, its colour, the count of nodes inside, and whether it is a stack."""

    title: str
    second: str
    color: str
    inside: str = ""
    stack: bool = False


def caption(box: Box, graph: Graph) -> Caption:
    """The text of a box that is no frame."""
    if box.node is not None:
        return _node_caption(graph.nodes[box.node], box.around, graph)
    if box.group is not None:
        return _group_caption(box.group, graph)
    if len(box.names) > 1:
        noun = "inputs" if box.kind == "in" else "outputs"
        return Caption(f"{len(box.names)} more {noun}", "", IO.color, stack=True)
    value = graph.value(box.names[0])
    known = value.dtype != "unknown"
    second = f"{value.dtype} {shape_text(value.shape)}" if known else box.kind + "put"
    return Caption(value.name, second, IO.color)


def edge_text(graph: Graph, names: Sequence[str]) -> str:
    """The shape that flows along an edge, `1×64×56×56`; "" where it is unknown or too long."""
    texts = {_shape(graph, name) for name in names}
    text = texts.pop() if len(texts) == 1 else ""
    return text if len(text) <= LONGEST else ""


def _shape(graph: Graph, name: str) -> str:
    shape = graph.value(name).shape
    return "" if shape is None else "×".join("?" if d is None else str(d) for d in shape)


def _node_caption(node: Node, around: str, graph: Graph) -> Caption:
    """The module's name first where the node stands for one; else the operation."""
    op = _SHORT.get(node.op, op_text(node))
    detail = _detail(node, graph)
    color = family(node.op).color
    path = display_text("/".join(node.scope), 400)
    module = path.removeprefix(around.rstrip("/")).lstrip("/") if path.startswith(around) else ""
    stack = bool(node.subgraphs)
    if module.replace("/", "").isdigit():  # a place in a list says nothing
        detail = " · ".join(part for part in (module, detail) if part)
        return Caption(op, detail, color, stack=stack)
    if module:
        return Caption(module, " ".join([op, detail]).strip(), color, stack=stack)
    return Caption(op, detail, color, stack=stack)


def _detail(node: Node, graph: Graph) -> str:
    """The size of a layer at one look: `3×3, stride 2 · 64`."""
    kernel = _first(node, "kernel_shape", "kernel_size", "pool_size") or _area(node, graph)
    text = "×".join(map(str, kernel))
    strides = _first(node, "strides", "stride", "stride_h")
    if len(strides) == 4:  # TensorFlow has one for the batch and one for the channels, too
        strides = strides[2:] if strides[1] == 1 and strides[3] != 1 else strides[1:3]
    if any(s != 1 for s in strides):
        same = len(set(strides)) == 1
        stride = str(strides[0]) if same else "×".join(map(str, strides))
        text += f", stride {stride}" if text else f"stride {stride}"
    channels = _channels(node, graph)
    return " · ".join(part for part in (text, channels) if part)


def _first(node: Node, *names: str) -> tuple[int, ...]:
    """The first of these attributes that is there, as sizes."""
    for name in names:
        given = node.attributes.get(name)
        sizes = tuple(given) if isinstance(given, tuple | list) else (given,)
        if sizes and all(isinstance(size, int) for size in sizes):
            return sizes
    return ()


class _Kernel(NamedTuple):
    """Where a weight's shape says how many channels come out, and where it says the area."""

    channels: int
    area: slice = slice(0)
    at: int = 1


_LAST, _BEHIND_ONE = slice(-4, -2), slice(1, 3)
_KERNELS = {
    "Conv": _Kernel(0), "ConvTranspose": _Kernel(1), "Gemm": _Kernel(0), "MatMul": _Kernel(-1),
    "Conv2D": _Kernel(-1, _LAST), "DepthwiseConv2dNative": _Kernel(-2, _LAST),
    "Conv2DBackpropInput": _Kernel(-2, _LAST), "CONV_2D": _Kernel(0, _BEHIND_ONE),
    "DEPTHWISE_CONV_2D": _Kernel(-1, _BEHIND_ONE), "TRANSPOSE_CONV": _Kernel(0, _BEHIND_ONE),
    "FULLY_CONNECTED": _Kernel(0), "conv2d": _Kernel(0, slice(2, 4)), "linear": _Kernel(0),
    "convolution": _Kernel(0, slice(2, 4)), "addmm": _Kernel(-1, at=2),
}  # fmt: skip


def _area(node: Node, graph: Graph) -> tuple[int, ...]:
    shape, kernel = _kernel(node, graph)
    sizes = tuple(size for size in shape[kernel.area] if isinstance(size, int))
    return sizes if len(sizes) == 2 else ()


def _channels(node: Node, graph: Graph) -> str:
    shape, kernel = _kernel(node, graph)
    at = -1 if node.op == "Gemm" and not node.attributes.get("transB") else kernel.channels
    return str(shape[at]) if -len(shape) <= at < len(shape) else ""


def _kernel(node: Node, graph: Graph) -> tuple[Shape, _Kernel]:
    """The shape of the weight of a layer, `()` where there is none, and how it is read."""
    kernel = _KERNELS.get(node.op, _Kernel(0))
    if node.op not in _KERNELS or len(node.inputs) <= kernel.at:
        return (), kernel
    weight = handed_on(graph, node.inputs[kernel.at])
    return (weight.shape or ()) if weight.initializer else (), kernel


def _group_caption(group: Group, graph: Graph) -> Caption:
    label = group.label
    for long, short in _SHORT.items():
        label = label.replace(long, short)
    families = [family(graph.nodes[i].op) for i in group.nodes()]
    weighty = [f for f in families if f.name in ("conv", "dense", "attention", "recurrent")]
    other = [f for f in families if f.name not in ("constant", "shape")]
    color = (weighty or other or families)[0].color
    return Caption(group.name, label, color, f"{group.visible:,} ▸", True)
