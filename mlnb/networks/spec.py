"""A network's definition as JSON has it: one can read it, diff it, store it and build from it.

    {"format": "mlnb.sequential", "version": 1, "name": "lenet", "input_shape": [1, 28, 28],
     "layers": [{"layer": "conv2d", "name": "conv2d", "out_channels": 32, "kernel_size": 3}, …]}

A definition is data: nothing in it is imported or called but the words of the vocabulary, so that
one from a stranger can do no more than a long list of layers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.errors import LayerError, MlnbError, unknown
from mlnb.formatting import display_text, first_line
from mlnb.networks.layers import Layer, layer
from mlnb.train.trees import dtype_text

if TYPE_CHECKING:
    from mlnb.networks.holder import Holder
    from mlnb.networks.network import Network
    from mlnb.networks.sequential import Sequential

SEQUENTIAL, NETWORK = "mlnb.sequential", "mlnb.network"
VERSION = 1
MOST_LAYERS = 20_000
DEEPEST = 20


def network_spec(net: Holder) -> dict[str, Any]:
    """The definition of a network.

    Raises:
        LayerError: a module or function of somebody else, which no definition can hold.
    """
    from mlnb.networks.network import Network
    from mlnb.networks.sequential import Sequential

    if isinstance(net, Network):
        return _network(net)
    assert isinstance(net, Sequential)
    if net.wraps:
        raise LayerError(
            "This network wraps a module of somebody else, which no definition can hold: "
            "keep its source, and its weights by net.state_dict()."
        )
    spec: dict[str, Any] = {"format": SEQUENTIAL, "version": VERSION, "name": net.name}
    spec["input_shape"] = None if net.input_shape is None else list(net.input_shape)
    if net._dtype is not None:
        spec["dtype"] = dtype_text(net._dtype)
    spec["layers"] = [layer_spec(given) for given in net.layers]
    return spec | _training(net)


def layer_spec(given: Layer) -> dict[str, Any]:
    """One layer's definition, its inner layers included.

    Raises:
        LayerError: a module, a function or a value that JSON does not have.
    """
    if given.word in ("module", "function"):
        shown = given.name or display_text(
            getattr(given.thing, "__name__", type(given.thing).__name__)
        )
        what = "a module" if given.word == "module" else "a function"
        raise LayerError(
            f"`{shown}` is {what} that was added as it is, which no definition can hold. "
            f"Use a word of mlnb for it, or keep its source and net.state_dict()."
        )
    spec: dict[str, Any] = {"layer": given.word}
    if given.name:
        spec["name"] = given.name
    for key, value in given.options.items():
        spec[key] = _json(value, given, key)
    if given.word == "branches":
        spec["branches"] = [[layer_spec(one) for one in way] for way in given.inner]
    elif given.inner:
        spec["layers"] = [layer_spec(one) for one in given.inner[0]]
        if len(given.inner) > 1:
            spec["shortcut"] = [layer_spec(one) for one in given.inner[1]]
    return spec


def _json(value: Any, given: Layer, key: str) -> Any:
    if isinstance(value, tuple):
        return [_json(one, given, key) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise LayerError(
        f"{key} of `{given.name or given.word}` is {type(value).__name__}, which no definition "
        f"can hold: numbers, strings and lists of them can."
    )


def _training(net: Holder) -> dict[str, Any]:
    """What was set for training, as far as it is words and numbers."""
    plain = (str, int, float, bool)
    words: dict[str, Any] = {k: v for k, v in net.settings.items() if isinstance(v, plain)}
    metrics = net.settings.get("metrics")
    if isinstance(metrics, list) and all(isinstance(one, str) for one in metrics):
        words["metrics"] = metrics
    return {"training": words} if words else {}


# --------------------------------------------------------------------------------------- reading


def from_spec(spec: Mapping[str, Any] | str, cls: type[Any]) -> Any:
    """A network from its definition.

    Args:
        spec: the definition, or its JSON text.
        cls: what it must be, `Sequential` or `Network`.

    Raises:
        LayerError: it is no such definition.
    """
    from mlnb.networks.network import Network

    data = read(spec)
    kind = data.get("format")
    expected = NETWORK if issubclass(cls, Network) else SEQUENTIAL
    if kind not in (SEQUENTIAL, NETWORK):
        raise LayerError(f'A definition has "format": "{expected}"; received {kind!r:.60}.')
    if kind != expected:
        other = "Network" if kind == NETWORK else "Sequential"
        raise LayerError(f"This is the definition of a {other}: {other}.from_spec(…) reads it.")
    if data.get("version") != VERSION:
        raise LayerError(
            f"This definition is of version {data.get('version')!r:.20}; "
            f"this mlnb reads version {VERSION}."
        )
    net = _read_network(data) if kind == NETWORK else _read_sequential(data)
    return _read_training(net, data)


def read(spec: Mapping[str, Any] | str) -> dict[str, Any]:
    """The definition as a dict.

    Raises:
        LayerError: the text is no JSON object.
    """
    if isinstance(spec, Mapping):
        return dict(spec)
    try:
        data = json.loads(spec)
    except (ValueError, TypeError, RecursionError) as error:
        raise LayerError(
            f"A definition is a dict or JSON text; {display_text(str(error))}"
        ) from None
    if not isinstance(data, dict):
        raise LayerError(f"A definition is a JSON object; received {type(data).__name__}.")
    return data


def _read_sequential(data: dict[str, Any]) -> Sequential:
    from mlnb.networks.sequential import Sequential

    _refuse_others(data, ("name", "input_shape", "dtype", "layers"))
    net = Sequential(data.get("input_shape"), _name(data), dtype=data.get("dtype"))
    return net._put_all(_layers(data.get("layers", []), [0], 0))


def _name(data: dict[str, Any]) -> str | None:
    name = data.get("name")
    if name is not None and not isinstance(name, str):
        raise LayerError(f'"name" is a string; received {type(name).__name__}.')
    return name


def _refuse_others(data: Mapping[str, Any], known: Sequence[str]) -> None:
    all_known = [*known, "format", "version", "training"]
    for key in data:
        if key not in all_known:
            raise unknown("key of a definition", str(key), all_known)


def _layers(given: Any, count: list[int], depth: int) -> tuple[Layer, ...]:
    if not isinstance(given, list) or depth > DEEPEST:
        what = "nested too deeply" if depth > DEEPEST else f"not {type(given).__name__}"
        raise LayerError(f"The layers of a definition are a list of objects, {what}.")
    return tuple(read_layer(one, count, depth) for one in given)


def read_layer(given: Any, count: list[int] | None = None, depth: int = 0) -> Layer:
    """One layer from its definition.

    Raises:
        LayerError: it is no layer's definition.
        UnknownName: a word or keyword that does not exist.
    """
    count = [0] if count is None else count
    if not isinstance(given, dict) or not isinstance(given.get("layer"), str):
        raise LayerError('A layer\'s definition is an object with "layer": a word.')
    options = {key: _tuples(value) for key, value in given.items() if key not in _STRUCTURE}
    word, name = given["layer"], given.get("name", "")
    count[0] += 1
    if word == "repeat" and isinstance(options.get("times"), int):
        count[0] += options["times"]
    if count[0] > MOST_LAYERS:
        raise LayerError(f"A definition has at most {MOST_LAYERS:,} layers.")
    if word == "branches":
        ways = given.get("branches", [])
        if not isinstance(ways, list):
            raise LayerError('"branches" is a list of lists of layers.')
        return layer(word, [_layers(way, count, depth + 1) for way in ways], name=name, **options)
    if word in ("residual", "repeat"):
        inner = _layers(given.get("layers", []), count, depth + 1)
        if word == "repeat":
            return layer(word, options.pop("times", None), inner, name=name, **options)
        if "shortcut" in given:
            options["shortcut"] = _layers(given["shortcut"], count, depth + 1)
        return layer(word, inner, name=name, **options)
    return layer(word, name=name, **options)


_STRUCTURE = ("layer", "name", "layers", "shortcut", "branches", "from")


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _read_training(net: Any, data: dict[str, Any]) -> Any:
    words = data.get("training", {})
    if not isinstance(words, dict):
        raise LayerError('"training" is an object of words.')
    for key in ("loss", "schedule"):
        if key in words:
            getattr(net, key)(words[key])
    if "optimizer" in words:
        net.optimizer(words["optimizer"], words.get("lr"))
    if "metrics" in words:
        net.metrics(*words["metrics"])
    done = ("loss", "schedule", "optimizer", "metrics") + (("lr",) if "optimizer" in words else ())
    return net.training(**{key: value for key, value in words.items() if key not in done})


# --------------------------------------------------------------------------- several inputs


def _network(net: Network) -> dict[str, Any]:
    spec: dict[str, Any] = {"format": NETWORK, "version": VERSION, "name": net.name}
    spec["inputs"] = [
        {"name": net.names[node], "shape": list(node.shape), **_given_dtype(node)}
        for node in net.inputs
    ]
    spec["layers"] = [
        layer_spec(given) | {"from": [net.names[source] for source in node.sources]}
        for node, given in zip(net.nodes, net.layers, strict=True)
    ]
    spec["outputs"] = {name: net.names[node] for name, node in net.outputs.items()}
    return spec | _training(net)


def _given_dtype(node: Any) -> dict[str, str]:
    return {} if node.dtype is None else {"dtype": dtype_text(node.dtype)}


def _read_network(data: dict[str, Any]) -> Network:
    from mlnb.networks.network import Input, Network

    _refuse_others(data, ("name", "inputs", "layers", "outputs"))
    nodes: dict[str, Any] = {}
    try:
        for one in data["inputs"]:
            nodes[one["name"]] = Input(one["shape"], one["name"], dtype=one.get("dtype"))
        count = [0]
        for one in data["layers"]:
            first, *others = [_source(nodes, name) for name in one["from"]]
            nodes[one["name"]] = first._put(read_layer(one, count), *others)
        outputs = {str(k): _source(nodes, v) for k, v in data["outputs"].items()}
        inputs = [_source(nodes, one["name"]) for one in data["inputs"]]
    except MlnbError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"missing: {error}" if isinstance(error, KeyError) else first_line(error)
        raise LayerError(f"A network's definition has inputs, layers and outputs; {said}") from None
    return Network(inputs, outputs, name=_name(data))


def _source(nodes: dict[str, Any], name: str) -> Any:
    if name not in nodes:
        raise unknown("layer or input", str(name), nodes)
    return nodes[name]
