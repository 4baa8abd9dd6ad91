"""What goes into a TensorFlow graph and what comes out: `End`, `Ends`, and how they are found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlnb.formats.tensorflow.ops import (
    CONSTANTS,
    FED,
    VARIABLES,
    is_sink,
    output_dtype,
    output_shape,
    outputs_of,
)
from mlnb.formats.tensorflow.reach import node_of
from mlnb.formats.tensorflow.types import HANDLES
from mlnb.specs import TensorSpec

if TYPE_CHECKING:
    from mlnb.formats.tensorflow.nodes import RawNode


@dataclass(frozen=True, slots=True)
class End:
    """An input or output, and the tensor that it is.

    Args:
        spec: as the user sees it.
        tensor: its name in the graph, without `:0`.
    """

    spec: TensorSpec
    tensor: str


@dataclass(frozen=True, slots=True)
class Ends:
    """What is fed and what comes out, in order."""

    inputs: tuple[End, ...] = ()
    outputs: tuple[End, ...] = ()


def found_ends(nodes: list[RawNode]) -> Ends:
    """The placeholders, and what nobody reads, of a graph that does not say what its ends are.

    A constant or a placeholder that nobody reads comes out only where nothing else does.
    """
    read = Counter(node_of(given) for node in nodes for given in node.inputs)
    inputs = [end for node in nodes if node.op in FED for end in _ends_of(node)]
    unread = [node for node in nodes if not read[node.name] and not is_sink(node.op)]
    stored = CONSTANTS | VARIABLES | FED
    outputs = [end for node in unread if node.op not in stored for end in _ends_of(node)]
    if not outputs:
        outputs = [end for node in unread if node.op in stored for end in _ends_of(node)]
    return Ends(tuple(inputs), tuple(outputs))


def _ends_of(node: RawNode) -> list[End]:
    """The outputs of a node that hold data; a handle of a table or a data set is none."""
    count = min(outputs_of(node.op, node.attributes), 10_000)
    names = [f"{node.name}:{i}" if i else node.name for i in range(count)]
    ends = [end_of(node, name) for name in names]
    return [end for end in ends if end is not None and end.spec.dtype not in HANDLES]


def end_of(node: RawNode, tensor: str) -> End | None:
    """The end that a tensor of a node makes; `None` where the node has no such tensor."""
    number = tensor.rpartition(":")[2] if ":" in tensor else "0"
    if not (number.isdecimal() and len(number) < 6) or is_sink(node.op):
        return None
    index = int(number)
    attributes = node.attributes
    dtype = output_dtype(node.op, attributes, index)
    if node.op in CONSTANTS | VARIABLES | FED and "dtype" in attributes:
        dtype = str(attributes["dtype"])
    kind = "optional" if node.op == "PlaceholderWithDefault" else "tensor"
    return End(TensorSpec(tensor, dtype, output_shape(attributes, index), kind), tensor)
