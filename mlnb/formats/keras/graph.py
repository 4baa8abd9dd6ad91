"""From a Keras config to `Graph`: one node for each call of a layer, a nested model as its body.

The tensor that a layer gives is called as the layer; what a second call gives is `name@2`, a second
output `name:1`, and what is inside a nested model stands behind its name: `backbone/conv1`. By
these names a model is cut, and Keras finds the same tensors again when it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlnb.errors import LimitExceeded, ModelFormatError
from mlnb.formats.checks import problems
from mlnb.formats.keras.config import (
    Call,
    Layer,
    Reference,
    attributes,
    input_shape,
    layer_of,
    layers_of,
)
from mlnb.formats.keras.foreign import CODE, CUSTOM, foreign_parts
from mlnb.formats.keras.shapes import Shape, output_dtype, output_shape
from mlnb.formats.keras.wiring import Wiring, wired
from mlnb.formats.model_file import Danger
from mlnb.formatting import display_text, plural
from mlnb.graph.graph import Graph, Node, Value
from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    from mlnb.formats.keras.weights import Stored, Weights
    from mlnb.limits import Limits


@dataclass(frozen=True)
class Parsed:
    """What a config comes to.

    Args:
        graph: the layers.
        inputs: what goes in.
        outputs: what comes out.
        refused: the layers that are not loaded, and why.
        stored: where each weight lies, by the name of its value.
    """

    graph: Graph
    inputs: TensorSpecs
    outputs: TensorSpecs
    refused: tuple[Danger, ...]
    stored: Mapping[str, Stored]

    @property
    def dangers(self) -> tuple[Danger, ...]:
        """Those of `refused` that bring code along, or need code that is not Keras's."""
        return tuple(one for one in self.refused if one.why in (CODE, CUSTOM))


def build(
    config: Mapping[str, object], name: str, limits: Limits, weights: Weights | None = None
) -> Parsed:
    """The graph of a model's config, with the weights that belong to its layers.

    Args:
        config: as `read_config` gives it.
        name: what errors call it.
        limits: `nodes`, `values` and `depth` are capped.
        weights: what is stored; without it the graph has none.

    Raises:
        ModelFormatError: it is no model's config.
        LimitExceeded: it asks for more than `limits` allow.
    """
    builder = _Builder(name, limits, weights)
    outer = layer_of(config, name)
    try:
        builder.note(outer, outer.name)
        body = builder.model(outer, "", "", 1)
    except RecursionError as error:
        raise LimitExceeded(
            f"{name} nests more deeply than Python can follow; no Keras wrote this"
        ) from error
    refused = builder.refused
    warnings = [f"{display_text(d.node)} ({display_text(d.op)}): {d.why}" for d in refused]
    warnings += problems(body.graph)
    left = weights.left if weights else []
    values = dict(body.graph.values)
    for one in left:
        values[one.path] = builder.weight(one.path, one)
    if left:
        warnings.append(f"{plural(len(left), 'weight')} of no layer of the config")
    graph = Graph(
        outer.name,
        body.graph.nodes,
        body.graph.inputs,
        body.graph.outputs,
        values,
        warnings=tuple(warnings),
    )
    return Parsed(
        graph,
        _specs(body.inputs, "input"),
        _specs(body.outputs, "output"),
        tuple(refused),
        builder.stored,
    )


def _specs(values: Sequence[Value], noun: str) -> TensorSpecs:
    return TensorSpecs([TensorSpec(one.name, one.dtype, one.shape) for one in values], noun)


@dataclass(frozen=True)
class _Body:
    """A model's inside."""

    graph: Graph
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


@dataclass
class _Found:
    """What one model holds, while it is collected."""

    prefix: str
    wiring: Wiring = field(default_factory=Wiring)
    bodies: dict[str, _Body] = field(default_factory=dict)
    weights: dict[str, list[str]] = field(default_factory=dict)
    renamed: dict[Reference, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    def name(self, tensor: Reference) -> str:
        """The name of the value that a tensor is."""
        if tensor in self.renamed:
            return self.renamed[tensor]
        call = f"@{tensor.call + 1}" if tensor.call else ""
        output = f":{tensor.output}" if tensor.output else ""
        return f"{self.prefix}{tensor.layer}{call}{output}"


class _Builder:
    def __init__(self, name: str, limits: Limits, weights: Weights | None) -> None:
        self.name = name
        self.limits = limits
        self.weights = weights
        self.refused: list[Danger] = []
        self.whys: dict[str, str] = {}
        self.stored: dict[str, Stored] = {}
        self.nodes = self.values = 0

    def model(self, model: Layer, prefix: str, route: str, depth: int) -> _Body:
        """The inside of a model; one that is a class of its own has none and is one node."""
        self.limits.check("depth", depth, f"{self.name}: nested models")
        layers = layers_of(model, self.name)
        if not layers:
            return self._opaque(model, prefix)
        wiring = wired(model, layers, self.name)
        found = _Found(prefix, wiring)
        routes = self.weights.inside(layers, route) if self.weights else [""] * len(layers)
        for layer, inner in zip(layers, routes, strict=True):
            self._layer(layer, found, inner, depth)
        for key, tensor in wiring.outputs:
            if key:
                found.renamed[tensor] = prefix + key
        for tensor in wiring.inputs:
            self._value(found, tensor, *self._fed(found, tensor, model))
        for layer, number, call in wiring.in_order():
            self._call(layer, number, call, found)
        taken = tuple(self._known(found, tensor) for tensor in wiring.inputs)
        given = tuple(self._known(found, tensor) for _, tensor in wiring.outputs)
        graph = Graph(
            model.name,
            tuple(found.nodes),
            tuple(value.name for value in taken),
            tuple(value.name for value in given),
            found.values,
        )
        return _Body(graph, taken, given)

    def note(self, layer: Layer, full: str) -> None:
        """Note the first thing in a layer that is not loaded."""
        for kind, why in foreign_parts(layer):
            self.refused.append(Danger(kind, full, why))
            self.whys[full] = why
            return

    def _opaque(self, model: Layer, prefix: str) -> _Body:
        """A model whose layers its class makes: what goes in and out is not in the file."""
        found = _Found(prefix)
        node = self._node(model, 0, (), (), found)
        return _Body(Graph(model.name, (node,), values=found.values), (), ())

    def _layer(self, layer: Layer, found: _Found, route: str, depth: int) -> None:
        """Note a layer's weights and what in it is not loaded, once for all its calls."""
        full = f"{found.prefix}{layer.name}"
        self.note(layer, full)
        names = []
        for short, one in self.weights.of(layer, route) if self.weights else ():
            name = f"{full}/{short}"
            found.values[name] = self.weight(name, one)
            names.append(name)
        found.weights[layer.name] = names
        if layer.is_model:
            found.bodies[layer.name] = self.model(layer, f"{full}/", route, depth + 1)

    def weight(self, name: str, one: Stored) -> Value:
        """The value of a stored weight."""
        self._count_value()
        self.stored[name] = one
        return Value(name, one.dtype, one.shape, True, one.nbytes)

    def _fed(self, found: _Found, tensor: Reference, model: Layer) -> tuple[Shape | None, str]:
        """Shape and dtype of what goes in."""
        layer = found.wiring.layers.get(tensor.layer)
        if layer is None:
            raise ModelFormatError(
                f"{self.name} has no layer {display_text(tensor.layer)!r}, which is to be an input"
            )
        shape = input_shape(layer)
        first = next(iter(found.bodies.values()), None)
        if shape is None and model.kind == "Sequential" and first and first.inputs:
            return _numbers(first.inputs[0].shape), first.inputs[0].dtype
        return shape, layer.dtype

    def _call(self, layer: Layer, number: int, call: Call, found: _Found) -> None:
        """One node, and the values that it makes."""
        seen = [self._known(found, tensor) for tensor in found.wiring.read(call)]
        body = found.bodies.get(layer.name)
        base = Reference(layer.name, number)
        count = max(found.wiring.widths[base] + 1, len(body.outputs) if body else 1)
        names = []
        for i in range(count):
            tensor = base._replace(output=i)
            told = found.wiring.told.get(tensor)
            self._value(found, tensor, *self._made(layer, i, seen, body, told))
            names.append(found.name(tensor))
        self._node(layer, number, [value.name for value in seen], names, found)

    def _made(
        self,
        layer: Layer,
        output: int,
        seen: Sequence[Value],
        body: _Body | None,
        told: tuple[Shape | None, str] | None,
    ) -> tuple[Shape | None, str]:
        """Shape and dtype of what a call gives: as the file has it, else by the layer's rule."""
        shape, dtype = told or (None, "")
        if body is not None and output < len(body.outputs):
            inner = body.outputs[output]
            return shape or _numbers(inner.shape), dtype or inner.dtype
        if shape is None and output == 0:
            shape = output_shape(layer.kind, layer.config, [_numbers(v.shape) for v in seen])
        return shape, dtype or output_dtype(layer, seen[0].dtype if seen else "unknown")

    def _node(
        self,
        layer: Layer,
        number: int,
        inputs: Iterable[str],
        outputs: Iterable[str],
        found: _Found,
    ) -> Node:
        self.nodes += 1
        self.limits.check("nodes", self.nodes, self.name)
        body = found.bodies.get(layer.name)
        full = f"{found.prefix}{layer.name}"
        node = Node(
            f"{full}@{number + 1}" if number else full,
            layer.op,
            (*inputs, *found.weights.get(layer.name, ())),
            tuple(outputs),
            scope=tuple(layer.name.split("/")[:-1]),
            attributes=attributes(layer),
            subgraphs={"body": body.graph} if body else {},
            danger=self.whys.get(full, ""),
        )
        found.nodes.append(node)
        return node

    def _value(self, found: _Found, tensor: Reference, shape: Shape | None, dtype: str) -> None:
        self._count_value()
        name = found.name(tensor)
        if shape is not None:
            self.limits.check("rank", len(shape), f"the shape of {display_text(name)!r}")
        found.values[name] = Value(name, dtype or "float32", shape)

    def _known(self, found: _Found, tensor: Reference) -> Value:
        name = found.name(tensor)
        return found.values.get(name) or Value(name)

    def _count_value(self) -> None:
        self.values += 1
        self.limits.check("values", self.values, self.name)


def _numbers(shape: object) -> Shape | None:
    """A value's shape, which of a Keras model has numbers and `None` only."""
    return shape  # type: ignore[return-value]
