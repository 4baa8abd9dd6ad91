"""What stands on a box of the static picture, and beside an edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlnb.formatting import display_text
from mlnb.graph.families import IO, family
from mlnb.graph.fold import op_text
from mlnb.specs import shape_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.graph.graph import Graph, Node
    from mlnb.graph.group import Group
    from mlnb.graph.layout import Box

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
    if module:
        return Caption(module, " ".join([op, detail]).strip(), color, stack=stack)
    return Caption(op, detail, color, stack=stack)


def _detail(node: Node, graph: Graph) -> str:
    """The size of a layer at one look: `3×3, stride 2 · 64`."""
    kernel, strides = node.attributes.get("kernel_shape"), node.attributes.get("strides")
    text = ""
    if isinstance(kernel, tuple):
        text = "×".join(map(str, kernel))
    if isinstance(strides, tuple) and any(s != 1 for s in strides):
        same = len(set(strides)) == 1
        stride = str(strides[0]) if same else "×".join(map(str, strides))
        text += f", stride {stride}" if text else f"stride {stride}"
    channels = _channels(node, graph)
    return " · ".join(part for part in (text, channels) if part)


def _channels(node: Node, graph: Graph) -> str:
    if len(node.inputs) < 2 or node.op not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return ""
    shape = graph.value(node.inputs[1]).shape
    if not shape or not graph.value(node.inputs[1]).initializer:
        return ""
    last = node.op == "MatMul" or (node.op == "Gemm" and not node.attributes.get("transB"))
    if node.op == "ConvTranspose" and len(shape) > 1:
        return str(shape[1])
    return str(shape[-1] if last else shape[0])


def _group_caption(group: Group, graph: Graph) -> Caption:
    label = group.label
    for long, short in _SHORT.items():
        label = label.replace(long, short)
    families = [family(graph.nodes[i].op) for i in group.nodes()]
    weighty = [f for f in families if f.name in ("conv", "dense", "attention", "recurrent")]
    other = [f for f in families if f.name not in ("constant", "shape")]
    color = (weighty or other or families)[0].color
    return Caption(group.name, label, color, f"{group.visible:,} ▸", True)
