"""How the layers of a Keras model are wired: `wired`, which call reads which tensors.

The two dialects count differently, a Sequential writes down no wires at all, and nested models
count their calls from 1 in places; what leaves this file counts from 0 throughout.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlnb.errors import ModelFormatError
from mlnb.formats.keras.config import (
    Call,
    Layer,
    Reference,
    ends_of,
    input_shape,
    layer_of,
    shape_of,
)
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.formats.keras.shapes import Shape

_MOST_OUTPUTS = 1000
"""Of one layer; a file that names output 10⁹ means nothing good."""


def wired(model: Layer, layers: Sequence[Layer], where: str) -> Wiring:
    """The wires between the layers of a model.

    Args:
        model: its entry.
        layers: those in it, at least one.
        where: what errors call the file.

    Raises:
        ModelFormatError: two layers have one name, or a tensor is no layer's.
    """
    if model.kind == "Sequential" or "input_layers" not in model.config:
        wiring = _in_a_row(model, layers, where)
    else:
        wiring = _as_written(model, layers, where)
    wiring.learn()
    return wiring


@dataclass
class Wiring:
    """Layers, and the tensors between them.

    Args:
        layers: by name; of a Sequential with its input, which the file may leave out.
        inputs: the tensors that go in.
        outputs: those that come out, each with its key in a dict, or `""`.
        widths: the largest output that is asked for, by `Reference(layer, call)`.
        told: shape and dtype, where the file has them.
    """

    layers: dict[str, Layer] = field(default_factory=dict)
    inputs: list[Reference] = field(default_factory=list)
    outputs: list[tuple[str, Reference]] = field(default_factory=list)
    widths: defaultdict[Reference, int] = field(default_factory=lambda: defaultdict(int))
    told: dict[Reference, tuple[Shape | None, str]] = field(default_factory=dict)

    def read(self, call: Call) -> list[Reference]:
        """The tensors that a call reads, their calls counted from 0."""
        return [self.resolved(tensor, from_one=call.listed) for tensor in call.inputs]

    def resolved(self, tensor: Reference, *, from_one: bool) -> Reference:
        """The tensor with its call counted from 0 among those that the file lists."""
        layer = self.layers.get(tensor.layer)
        if not 0 <= tensor.output < _MOST_OUTPUTS:
            raise ModelFormatError(
                f"a tensor is called output {tensor.output:,} of "
                f"{display_text(tensor.layer)!r}; no layer has so many"
            )
        if layer is None:
            return tensor
        call = tensor.call - 1 if layer.is_model and from_one else tensor.call
        return tensor._replace(call=min(max(call, 0), max(len(layer.calls) - 1, 0)))

    def learn(self) -> None:
        """Collect what the calls tell of the tensors that they read."""
        for layer in self.layers.values():
            for call in layer.calls:
                for tensor, said in (call.shapes or {}).items():
                    self.told[self.resolved(tensor, from_one=False)] = said
                for tensor in self.read(call):
                    key = tensor._replace(output=0)
                    self.widths[key] = max(self.widths[key], tensor.output)

    def in_order(self) -> list[tuple[Layer, int, Call]]:
        """Every call, behind those whose tensors it reads; those in a cycle at the end."""
        calls = [
            (layer, number, call)
            for layer in self.layers.values()
            for number, call in enumerate(layer.calls)
        ]
        made = {(layer.name, number) for layer, number, _ in calls}
        readers: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        waiting = []
        for i, (_, _, call) in enumerate(calls):
            read = {(tensor.layer, tensor.call) for tensor in self.read(call)} & made
            waiting.append(len(read))
            for key in read:
                readers[key].append(i)
        ready = deque(i for i, count in enumerate(waiting) if not count)
        order = []
        while ready:
            order.append(ready.popleft())
            layer, number, _ = calls[order[-1]]
            for i in readers[layer.name, number]:
                waiting[i] -= 1
                if not waiting[i]:
                    ready.append(i)
        done = set(order)
        return [calls[i] for i in order] + [c for i, c in enumerate(calls) if i not in done]


def _as_written(model: Layer, layers: Sequence[Layer], where: str) -> Wiring:
    """The wires of a functional model, which names them."""
    wiring = Wiring()
    for layer in layers:
        if layer.name in wiring.layers:
            raise ModelFormatError(f"{where} has two layers called {display_text(layer.name)!r}")
        wiring.layers[layer.name] = layer
    taken, given = (
        [
            (key, wiring.resolved(tensor, from_one=_counts_from_one(wiring, tensor)))
            for key, tensor in ends_of(model.config.get(which))
        ]
        for which in ("input_layers", "output_layers")
    )
    wiring.inputs = [tensor for _, tensor in taken]
    wiring.outputs = given
    return wiring


def _counts_from_one(wiring: Wiring, tensor: Reference) -> bool:
    """Whether the calls of a nested model are counted from 1 where inputs and outputs stand."""
    layer = wiring.layers.get(tensor.layer)
    if layer is None or layer.kind != "Sequential":
        return True
    return any(call.listed for call in layer.calls)


def _in_a_row(model: Layer, layers: Sequence[Layer], where: str) -> Wiring:
    """The layers of a Sequential, each reading what the one before gives."""
    wiring = Wiring()
    first = layers[0]
    if first.kind == "InputLayer":
        previous = Reference(first.name)
    else:
        previous = Reference(f"{first.name}_input")
        entry = {"class_name": "InputLayer", "config": {"batch_shape": _row_shape(model, first)}}
        wiring.layers[previous.layer] = layer_of(entry, where)
    wiring.inputs = [previous]
    for layer in layers:
        name = layer.name
        while name in wiring.layers:
            name += "_"
        calls = () if layer.kind == "InputLayer" else (Call((previous,)),)
        wiring.layers[name] = Layer(layer.kind, name, layer.config, calls, layer.built, layer.entry)
        if calls:
            if layer.built is not None:
                wiring.told.setdefault(previous, (layer.built, ""))
            previous = Reference(name)
    wiring.outputs = [("", previous)]
    return wiring


def _row_shape(model: Layer, first: Layer) -> list[int | None] | None:
    """What a Sequential without an InputLayer takes, where it says so in any of three ways."""
    shape = (
        input_shape(first)
        or shape_of(model.config.get("build_input_shape"))
        or model.built
        or first.built
    )
    return None if shape is None else list(shape)
