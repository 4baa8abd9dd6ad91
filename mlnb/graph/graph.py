"""A model as a picture sees it: nodes, values and nested graphs, of no framework.

Every format becomes this one `Graph`, so that folding, layout, summary, diff and the viewer are
written once. Nothing here holds weights: a value knows its size, and `Model.tensor` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlnb.specs import Shape


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor that flows along an edge, or a weight.

    Args:
        name: as the file has it, unique within its graph.
        dtype: as in `TensorSpec`; `"unknown"` where the file does not say.
        shape: as in `TensorSpec`; `None` where the file does not say.
        initializer: whether it is a weight stored in the file, or a constant node's tensor.
        nbytes: the size of a stored weight, in bytes; `None` for what is computed.
    """

    name: str
    dtype: str = "unknown"
    shape: Shape | None = None
    initializer: bool = False
    nbytes: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    Args:
        name: as the file has it; may be empty or not unique.
        op: the operation's type, such as `"Conv"`.
        inputs: names of values; `""` for an optional input that is left out.
        outputs: names of values; `""` for an output nobody asked for.
        domain: the operator set, `""` for the format's own.
        scope: the modules around it, outermost first, such as `("encoder", "layer.0")`.
        attributes: what the operation was given, by name: numbers, strings, tuples, or a
            `TensorAttribute`. May be parsed when first looked at.
        subgraphs: nested graphs by label, such as `{"then_branch": Graph}` of an If; the body of a
            model-local function stands under `"body"`, one object for all its calls.
        danger: what it does with the rights of the person who runs it, such as `"reads files"`; it
            is drawn in red. Empty for what only computes.
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    domain: str = ""
    scope: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=_nothing)
    subgraphs: Mapping[str, Graph] = field(default_factory=_nothing)
    danger: str = ""


@dataclass(frozen=True, slots=True)
class TensorAttribute:
    """A tensor inside an attribute, such as a Constant's `value`: what it is, not what it holds."""

    dtype: str
    shape: Shape
    nbytes: int

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


@dataclass(frozen=True)
class Graph:
    """Nodes in file order, the values between them, and what goes in and out.

    Args:
        name: the graph's own name.
        nodes: in the order of the file.
        inputs: names of the values fed from outside, weights not among them.
        outputs: names of the values handed out.
        values: every value that the file describes, by name; a value that only an edge names may be
            missing here, `value(name)` makes one up.
        scope_types: the class of a scope where the exporter told it, such as
            `{("encoder", "layer.0"): "EncoderBlock"}`.
        warnings: what is wrong in the file and can still be drawn, a sentence each: a cycle, a
            duplicate name, an edge from nowhere.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    values: Mapping[str, Value] = field(default_factory=_nothing)
    scope_types: Mapping[tuple[str, ...], str] = field(default_factory=_nothing)
    warnings: tuple[str, ...] = ()

    def value(self, name: str) -> Value:
        """The value called `name`; without dtype and shape where the file says nothing of it."""
        return self.values.get(name) or Value(name)

    @cached_property
    def producers(self) -> Mapping[str, int]:
        """The index of the node that makes each value; the last one where two claim it."""
        return {out: i for i, node in enumerate(self.nodes) for out in node.outputs if out}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[int, ...]]:
        """The indices of the nodes that read each value, in file order."""
        readers: dict[str, list[int]] = {}
        for i, node in enumerate(self.nodes):
            for name in dict.fromkeys(node.inputs):
                if name:
                    readers.setdefault(name, []).append(i)
        return {name: tuple(indices) for name, indices in readers.items()}

    @cached_property
    def subgraphs(self) -> tuple[Graph, ...]:
        """Every nested graph once, the functions' bodies included, in the order of first use."""
        seen: dict[int, Graph] = {}
        waiting: list[Graph] = [self]
        while waiting:
            for node in waiting.pop().nodes:
                for graph in node.subgraphs.values():
                    if id(graph) not in seen:
                        seen[id(graph)] = graph
                        waiting.append(graph)
        return tuple(seen.values())

    @property
    def weights(self) -> Iterator[Value]:
        """The values stored in the file."""
        return (value for value in self.values.values() if value.initializer)

    def __repr__(self) -> str:
        from mlnb.formatting import display_text, plural

        return f"Graph({display_text(self.name)!r}, {plural(len(self.nodes), 'node')})"
