"""The JSON in which Keras writes down a model: reading it safely, and what one layer's entry says.

Two dialects: Keras 3 names every tensor that a layer reads with its shape; Keras 2 lists names and
indices.

The format: `keras.saving.serialize_keras_object`, https://keras.io/api/models/model_saving_apis/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mlnb.errors import LimitExceeded, ModelFormatError
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.formats.keras.shapes import Shape
    from mlnb.limits import Limits

_MOST_TEXT = 64 * 2**20
"""JSON becomes ten times its size as Python's objects."""
TENSORFLOW_OPS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod")
"""What Keras 2 wrote for a call of a TensorFlow function."""
_NOISE = ("name", "trainable", "layers", "input_layers", "output_layers", "batch_shape")


class Reference(NamedTuple):
    """A tensor that a layer gives: which layer, at which of its calls, which of its outputs.

    Args:
        layer: its name.
        call: 0 for its first call; nested models count as `Call.dialect` says.
        output: 0 for its first output.
    """

    layer: str
    call: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer.

    Args:
        inputs: the tensors that it reads.
        listed: whether they stand as in Keras 2, where a nested model's first call has number 1.
        shapes: what the file says of the tensors read: shape and dtype.
    """

    inputs: tuple[Reference, ...]
    listed: bool = False
    shapes: Mapping[Reference, tuple[Shape | None, str]] | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's entry.

    Args:
        kind: the class's name.
        name: the layer's own.
        config: what it is made of.
        calls: in the order of the file; in a Sequential one.
        built: the shape that it was built for; `None` where the file does not say.
        entry: the whole entry.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    calls: tuple[Call, ...]
    built: Shape | None
    entry: Mapping[str, Any]

    @property
    def is_model(self) -> bool:
        """Whether it has layers of its own."""
        return isinstance(self.entry.get("config"), list) or isinstance(
            self.config.get("layers"), list
        )

    @property
    def op(self) -> str:
        """What it is drawn as: its class, or the TensorFlow function that it calls."""
        function = self.config.get("function") if self.kind in TENSORFLOW_OPS else None
        return function if isinstance(function, str) else self.kind

    @property
    def dtype(self) -> str:
        """What it computes in, and gives: `"float16"` under the policy `"mixed_float16"`."""
        policy = self.config.get("dtype")
        if isinstance(policy, Mapping):
            inner = policy.get("config")
            policy = inner.get("name") if isinstance(inner, Mapping) else None
        if not isinstance(policy, str):
            return "float32"
        return policy.removeprefix("mixed_")


def read_config(text: bytes | str, name: str, limits: Limits) -> Mapping[str, Any]:
    """The config as dicts and lists.

    Args:
        text: JSON.
        name: what errors call it.
        limits: `structure_bytes` caps the text, and 64 MiB do.

    Raises:
        ModelFormatError: it is no JSON object.
        LimitExceeded: it is too large, or nests too deeply.
    """
    most = min(_MOST_TEXT, limits.structure_bytes)
    if len(text) > most:
        raise LimitExceeded(f"{name} has {len(text):,} bytes of JSON; {most:,} are allowed")
    try:
        config = json.loads(text)
    except RecursionError as error:
        raise LimitExceeded(f"{name} nests too deeply to be read; no Keras wrote this") from error
    except ValueError as error:
        raise ModelFormatError(f"{name} is no JSON: {display_text(str(error), 120)}") from error
    if not isinstance(config, dict):
        raise ModelFormatError(f"{name} holds {_kind(config)}; expected an object")
    return config


def layer_of(entry: Any, where: str) -> Layer:
    """One entry of `layers`, or the outermost one.

    Raises:
        ModelFormatError: it has no class, or its parts are of other kinds than Keras writes.
    """
    if not isinstance(entry, Mapping):
        raise ModelFormatError(f"{where} is {_kind(entry)}; expected an object")
    kind = entry.get("class_name")
    if not isinstance(kind, str):
        raise ModelFormatError(f"{where} names no class")
    config = entry.get("config")
    config = config if isinstance(config, Mapping) else {}
    name = next((n for n in (entry.get("name"), config.get("name")) if isinstance(n, str)), kind)
    nodes = entry.get("inbound_nodes")
    calls = [_call(node) for node in nodes] if isinstance(nodes, list) else []
    return Layer(kind, name, config, tuple(calls), _built(entry), entry)


def layers_of(model: Layer, where: str) -> list[Layer]:
    """The layers of a model, in the order of the file."""
    found = model.entry.get("config")
    entries = found if isinstance(found, list) else model.config.get("layers")
    if not isinstance(entries, list):
        return []
    return [layer_of(entry, f"{where}, layer {i}") for i, entry in enumerate(entries)]


def ends_of(value: Any) -> Iterator[tuple[str, Reference]]:
    """The references in `input_layers` or `output_layers`, each with its key in a dict, or `""`."""
    match value:
        case [str(name), int(call), int(output)]:
            yield "", Reference(name, call, output)
        case list():
            for item in value:
                yield from ends_of(item)
        case dict():
            for key, item in value.items():
                for _, reference in ends_of(item):
                    yield str(key), reference


def shape_of(value: Any) -> Shape | None:
    """A shape as the file has it; `None` where this is none."""
    if not isinstance(value, list | tuple) or len(value) > 100:
        return None
    if all(size is None or (type(size) is int and size >= 0) for size in value):
        return tuple(value)
    return None


def input_shape(layer: Layer) -> Shape | None:
    """What an InputLayer takes, or the first layer of an old Sequential."""
    for key in ("batch_shape", "batch_input_shape"):
        if key in layer.config:
            return shape_of(layer.config[key])
    shape = shape_of(layer.config.get("input_shape"))
    return None if shape is None else (None, *shape)


def attributes(layer: Layer) -> dict[str, Any]:
    """What the layer was given, in a row: objects by their class, nothing that is not set."""
    return {
        str(key): _plain(value)
        for key, value in layer.config.items()
        if key not in _NOISE and value is not None
    }


def _call(node: Any) -> Call:
    if isinstance(node, Mapping):
        found: dict[Reference, tuple[Shape | None, str]] = {}
        inputs = list(_tensors(node.get("args"), found))
        inputs += _tensors(node.get("kwargs"), found)
        return Call(tuple(inputs), shapes=found)
    return Call(tuple(_listed(node)), listed=True)


def _tensors(value: Any, found: dict[Reference, tuple[Shape | None, str]]) -> Iterator[Reference]:
    """The tensors among a call's arguments, in their order."""
    if isinstance(value, Mapping):
        if value.get("class_name") != "__keras_tensor__":
            for inner in value.values():
                yield from _tensors(inner, found)
            return
        config = value.get("config")
        history = config.get("keras_history") if isinstance(config, Mapping) else None
        for _, reference in ends_of(history):
            assert isinstance(config, Mapping)
            found[reference] = (shape_of(config.get("shape")), str(config.get("dtype")))
            yield reference
    elif isinstance(value, list):
        for inner in value:
            yield from _tensors(inner, found)


def _listed(node: Any) -> Iterator[Reference]:
    """The tensors of a Keras 2 node: `[[name, call, output, kwargs], …]`; kwargs name more."""
    match node:
        case [str(name), int(call), int(output)] if name != "_CONSTANT_VALUE":
            yield Reference(name, call, output)
        case [str(name), int(call), int(output), dict(more)]:
            if name != "_CONSTANT_VALUE":
                yield Reference(name, call, output)
            for inner in more.values():
                yield from _listed(inner)
        case list():
            for item in node:
                yield from _listed(item)


def _built(entry: Mapping[str, Any]) -> Shape | None:
    found = entry.get("build_config")
    return shape_of(found.get("input_shape")) if isinstance(found, Mapping) else None


def _plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, Mapping):
        if "class_name" in value:
            kind, inner = value["class_name"], value.get("config")
            if kind == "DTypePolicy" and isinstance(inner, Mapping):
                return str(inner.get("name"))
            return inner if isinstance(inner, str) else str(kind)
        return "{…}" if depth else {str(k): _plain(v, 1) for k, v in list(value.items())[:20]}
    if isinstance(value, list):
        return tuple(_plain(item, 1) for item in value[:1000])
    return value


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a string", type(None): "null", dict: "an object"}
    return names.get(type(value), "a number")


def named(specs: Sequence[str]) -> str:
    """Names as one reads them, the first eight."""
    shown = ", ".join(display_text(name, 60) for name in specs[:8])
    return shown + (f" and {len(specs) - 8} more" if len(specs) > 8 else "")
