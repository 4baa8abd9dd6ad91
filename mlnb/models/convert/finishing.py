"""`finished`: what an exporter made, under the source's names, and what in it is not ONNX's.

tf2onnx leaves what it cannot translate in the file and reports success: those operations are found
here, by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlnb.errors import ExportError
from mlnb.models.convert.exporter import LIMIT, MAX_IR

_OURS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")

Specs = Sequence[Sequence[Any]]
"""Name, dtype and shape of each, in order."""


def finished(proto: Any, inputs: Specs, outputs: Specs) -> dict[str, Any]:
    """What crosses back: the content with our names, and what in it is not ONNX's.

    Args:
        proto: the model as onnx has it.
        inputs: of the source, in the order of the model's.
        outputs: likewise.

    Raises:
        ExportError: it has other inputs or outputs than the source, or is over 2 GiB.
    """
    if proto.ByteSize() > LIMIT:
        raise ExportError("The model is larger than the 2 GiB that one ONNX file holds.")
    _rename(proto.graph, [one[0] for one in inputs], [one[0] for one in outputs])
    _name_sizes(proto.graph)
    proto.ir_version = min(proto.ir_version, MAX_IR)
    foreign = sorted(set(_foreign(proto, proto.graph.node)))
    return {"content": proto.SerializeToString(), "foreign": foreign}


def _rename(graph: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Call inputs and outputs as the source does."""
    stored = {one.name for one in graph.initializer}  # an input with a default is none to be fed
    fed = [one for one in graph.input if one.name not in stored]
    if len(fed) < len(graph.input):
        copies = [type(one).FromString(one.SerializeToString()) for one in fed]
        del graph.input[:]
        graph.input.extend(copies)
    if (len(graph.input), len(graph.output)) != (len(inputs), len(outputs)):
        raise ExportError(
            f"the converted model has {len(graph.input)} inputs and {len(graph.output)} outputs; "
            f"expected {len(inputs)} and {len(outputs)}"
        )
    names = dict(zip([one.name for one in graph.input], inputs, strict=True))
    given = [one.name for one in graph.output]
    if set(given) & set(names) or len(set(given)) < len(given):
        _pass_through(graph)
        given = [one.name for one in graph.output]
    names.update(zip(given, outputs, strict=True))
    taken = set(names.values()) - set(names)
    _renamed(graph, names, taken)
    for one in (*graph.input, *graph.output, *graph.value_info):
        one.name = names.get(one.name, f"{one.name}_inner" if one.name in taken else one.name)


def _pass_through(graph: Any) -> None:
    """Give an output that is an input as well, or twice an output, a value of its own."""
    for i, one in enumerate(graph.output):
        node = graph.node.add(op_type="Identity", input=[one.name], output=[f"given_{i}"])
        one.name = node.output[0]


def _renamed(graph: Any, names: Mapping[str, str], taken: set[str]) -> None:
    """Rename wherever a value is read or made, in nested graphs too."""

    def new(name: str) -> str:
        return names.get(name, f"{name}_inner" if name in taken else name)

    for one in (*graph.initializer, *graph.sparse_initializer):
        holder = one if hasattr(one, "name") else one.values
        holder.name = new(holder.name)
    for node in graph.node:
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    _renamed(inner, names, taken)
                    for one in (*inner.input, *inner.output, *inner.value_info):
                        one.name = new(one.name)


def _name_sizes(graph: Any) -> None:
    """`batch` for the first free dimension of what goes in, short names for the others."""
    names: dict[str, str] = {}
    for one in (*graph.input, *graph.output):
        for axis, size in enumerate(one.type.tensor_type.shape.dim):
            if size.dim_param.startswith("unk__"):
                fallback = "batch" if axis == 0 else f"size_{len(names)}"
                size.dim_param = names.setdefault(size.dim_param, fallback)


def _foreign(proto: Any, nodes: Any) -> Iterator[str]:
    """The operations, in nested graphs too, that neither the standard nor onnxruntime knows."""
    import onnx

    local = {(function.domain, function.name) for function in proto.functions}
    for node in nodes:
        known = node.domain in ("com.microsoft",) or onnx.defs.has(node.op_type, node.domain)
        if not known and (node.domain, node.op_type) not in local:
            shown = f"{node.domain}.{node.op_type}" if node.domain not in _OURS else node.op_type
            yield shown
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _foreign(proto, inner.node)
