"""Layers printed: as the lines that `text.py` reads, and as the Python that does the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.errors import LayerError
from mlnb.formatting import display_text
from mlnb.networks.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from mlnb.networks.layers import Layer

BARE = re.compile(r"[A-Za-z_][\w.-]*")
"""A word that needs no quotation marks."""


def layers_text(layers: Sequence[Layer], sources: Mapping[int, str] | None = None) -> str:
    """The lines that say these layers; `text.parse_layers` reads them again.

    >>> print(layers_text(net.layers))

    Args:
        layers: as `net.layers` has them.
        sources: the expressions of foreign modules and functions, as `Written.sources` has them.

    Raises:
        LayerError: a foreign module or function whose expression is not known.
    """
    return "\n".join(_text_lines(layers, sources or {}))


def _text_lines(layers: Sequence[Layer], sources: Mapping[int, str]) -> Iterator[str]:
    if not layers:
        yield "pass"
    for one in layers:
        args, options = arranged(one)
        if one.thing is not None:
            head = "{" + _source(one, sources) + "}"
        else:
            head = " ".join([one.word, *map(_text_value, args)])
        head = " ".join([head, *(f"{key}={_text_value(v)}" for key, v in options.items())])
        yield head + ":" if one.inner else head
        for at, inner in enumerate(one.inner):
            if one.word == "branches":
                yield "    branch:"
                yield from (f"        {line}" for line in _text_lines(inner, sources))
                continue
            if at:
                yield "shortcut:"
            yield from (f"    {line}" for line in _text_lines(inner, sources))


def arranged(given: Layer) -> tuple[list[Any], dict[str, Any]]:
    """What a layer was given as one writes it: what it needs and its activation by place."""
    options = dict(given.options)
    args: list[Any] = []
    several = {"reshape": "sizes", "permute": "axes"}.get(given.word)
    if several:
        args += options.pop(several, ())
    elif given.word in VOCABULARY:
        known = VOCABULARY[given.word]
        places = (*known.needed, "activation") if known.activation else known.needed
        for place in places:
            if place not in options:
                break
            args.append(options.pop(place))
    elif given.word == "repeat":
        args.append(options.pop("times"))
    elif given.word == "residual" and "activation" in options:
        args.append(options.pop("activation"))
    if given.name:
        options["name"] = given.name
    return args, options


def _source(given: Layer, sources: Mapping[int, str]) -> str:
    found = sources.get(id(given.thing))
    if found is None:
        shown = given.name or getattr(given.thing, "__name__", type(given.thing).__name__)
        raise LayerError(
            f"`{display_text(shown)}` was added as an object, of which no text is known. "
            f"Everything that is written in words can be printed."
        )
    return found


def _text_value(value: Any) -> str:
    if isinstance(value, tuple):
        if len(value) > 1 and all(type(one) is int and one >= 0 for one in value):
            return "x".join(map(str, value))
        return repr(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return f'{{float("{value}")}}'
    if isinstance(value, str) and BARE.fullmatch(value) and value not in ("True", "False", "None"):
        return value
    return repr(value)


# ---------------------------------------------------------------------------------------- as Python


def layers_python(
    layers: Sequence[Layer], variable: str, sources: Mapping[int, str] | None = None
) -> str:
    """The statements that put these layers into the network `variable`.

    >>> print(layers_python(net.layers, "net"))
    net.conv2d(32, 3, "relu")

    Args:
        layers: as `net.layers` has them.
        variable: the network's name.
        sources: the expressions of foreign modules and functions.

    Raises:
        LayerError: a foreign module or function whose expression is not known.
    """
    writer = _Python(sources or {})
    return "\n".join(writer.statement(one, variable) for one in layers)


def network_python(
    layers: Sequence[Layer],
    variable: str,
    input_shape: Sequence[int] | None = None,
    sources: Mapping[int, str] | None = None,
) -> str:
    """A whole network as the Python that builds it, imports first."""
    body = layers_python(layers, variable, sources)
    blocks = any(one.inner for one in layers)
    imports = ["from mlnb import Sequential"]
    if blocks:
        imports.append("from mlnb.networks import layers")
    given = [] if input_shape is None else [f"input_shape={tuple(input_shape)!r}"]
    given.append(f'name="{variable}"')
    head = f"{variable} = Sequential({', '.join(given)})"
    return "\n".join([*imports, "", head, *([body] if body else [])])


class _Python:
    """Prints layers as calls."""

    def __init__(self, sources: Mapping[int, str]) -> None:
        self._sources = sources

    def statement(self, given: Layer, variable: str) -> str:
        """`net.conv2d(32, 3, "relu")`."""
        if given.thing is not None:
            named = [f"name={_python_value(given.name)}"] if given.name else []
            return f"{variable}.add({', '.join([_source(given, self._sources), *named])})"
        return f"{variable}.{self._call(given, 0)}"

    def _inner(self, given: Layer, depth: int) -> str:
        """A layer inside a block: `layers.conv2d(32, 3)`."""
        if given.thing is not None:
            source = _source(given, self._sources)
            if not given.name:
                return source
            return f"layers.foreign({source}, {_python_value(given.name)})"
        return f"layers.{self._call(given, depth)}"

    def _call(self, given: Layer, depth: int) -> str:
        args, options = arranged(given)
        shown = [_python_value(one) for one in args]
        if given.word == "branches":
            inside = "    " * (depth + 1)
            ways = [f"{inside}{self._list(way, depth + 1)},\n" for way in given.inner]
            shown.insert(0, f"[\n{''.join(ways)}{'    ' * depth}]")
        elif given.inner:
            at = 1 if given.word == "repeat" else 0
            shown.insert(at, self._list(given.inner[0], depth))
        shown += [f"{key}={_python_value(value)}" for key, value in options.items()]
        if given.word == "residual" and len(given.inner) > 1:
            shown.append(f"shortcut={self._list(given.inner[1], depth)}")
        return f"{given.word}({', '.join(shown)})"

    def _list(self, given: Sequence[Layer], depth: int) -> str:
        inside = "    " * (depth + 1)
        items = [f"{inside}{self._inner(one, depth + 1)},\n" for one in given]
        return f"[\n{''.join(items)}{'    ' * depth}]" if items else "[]"


def _python_value(value: Any) -> str:
    if isinstance(value, str):
        shown = repr(value)
        return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in shown else shown
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return f'float("{value}")'
    return repr(value)
