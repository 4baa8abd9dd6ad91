"""From a word and the shape that reaches it to calls of classes, which are run and printed alike.

`net.code()` prints the very calls that made the modules, in the order in which they were made, so
that with the same seed the printed network has the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any

from torch import nn

from mlnb.networks import blocks
from mlnb.networks.activations import ACTIVATIONS, ALONG_AN_AXIS
from mlnb.networks.vocabulary import VOCABULARY, Word, parameters_of

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """A class and what it is called with; among that may be calls again.

    Args:
        target: the class.
        args: by position.
        options: by keyword.
    """

    target: Callable[..., Any]
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> Any:
        """The object, with new weights."""
        args = [a.make() if isinstance(a, Call) else a for a in self.args]
        return self.target(*args, **self.options)


Named = list[tuple[str, Call]]
"""Calls with the endings of their names; the first has none where the layer's own name is meant."""


def calls(word: Word, options: Mapping[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    """What a layer is made of: its class, sized by what comes, and its activation.

    >>> calls(VOCABULARY["dense"], {"out_features": 10, "activation": "relu"}, ((784,),))
    [('', nn.Linear(784, 10)), ('relu', nn.ReLU())]
    """
    given = dict(options)
    activation = given.pop("activation", None) if word.activation else None
    make = _SPECIAL.get(word.name) or _SPECIAL.get(word.family) or _plain
    made = make(word, given, shapes)
    return [*made, *activated(activation)]


def activated(name: str | None) -> Named:
    """The activation behind a layer, if there is one."""
    if name is None:
        return []
    options = {"dim": -1} if name in ALONG_AN_AXIS else {}
    return [(name, Call(ACTIVATIONS[name], (), options))]


def sized(word: Word, given: Mapping[str, Any], shapes: tuple[Sizes, ...]) -> dict[str, Any]:
    """All keywords of the class: the given, the inferred and the decided ones."""
    inferred = {}
    for at, (key, axis) in enumerate(word.sizes.items()):
        inferred[key] = shapes[min(at, len(shapes) - 1)][axis]
    return {**inferred, **given, **word.fixed}


def call(target: type[nn.Module], options: Mapping[str, Any]) -> Call:
    """The call with what has no default by position, as one writes it."""
    args, rest = [], dict(options)
    for parameter in parameters_of(target):
        if parameter.kind is Parameter.VAR_POSITIONAL:
            args += list(rest.pop(parameter.name, ()))
        elif parameter.default is not Parameter.empty or parameter.name not in rest:
            break
        else:
            args.append(rest.pop(parameter.name))
    return Call(target, tuple(args), rest)


def _plain(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    return [("", call(word.target, sized(word, given, shapes)))]


def _by_rank(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    """`batch_norm` is the class for the number of axes that come."""
    dimension = max(1, len(shapes[0]) - 1)
    return _plain(VOCABULARY[f"{word.name}{dimension}d"], given, shapes)


def _depthwise(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    channels = shapes[0][0]
    outs = channels * given.pop("multiplier", 1)
    return _plain(word, {**given, "out_channels": outs, "groups": channels}, shapes)


def _separable(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    """One filter a channel, then the channels mixed (Chollet 2016, arXiv:1610.02357)."""
    channels, outs = shapes[0][0], given.pop("out_channels")
    bias = {"bias": given.pop("bias")} if "bias" in given else {}
    depth = {**given, **bias, "out_channels": channels, "groups": channels}
    point = {"in_channels": channels, "out_channels": outs, "kernel_size": 1, **bias}
    return [
        ("depthwise", call(word.target, sized(word, depth, shapes))),
        ("pointwise", call(word.target, point)),
    ]


def _global_pool(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    return [("", Call(word.target, (1,))), ("flatten", Call(nn.Flatten))]


def _recurrent(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    returns = given.pop("returns", "last")
    both = {"bidirectional": True} if given.get("bidirectional") else {}
    taken = Call(blocks.LastStep, (), both) if returns == "last" else Call(blocks.AllSteps)
    return [*_plain(word, given, shapes), (returns, taken)]


def _attention(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    seen = shapes[-1][-1]
    other = {"kdim": seen, "vdim": seen} if seen != shapes[0][-1] else {}
    return [("", Call(blocks.Attention, (_plain(word, {**given, **other}, shapes)[0][1],)))]


def _norm_of_axes(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    axes = given.pop("axes", 1)
    if axes == 1:
        return _plain(word, given, shapes)
    return _plain(word, {**given, "normalized_shape": shapes[0][-axes:]}, shapes)


def _along_last(word: Word, given: dict[str, Any], shapes: tuple[Sizes, ...]) -> Named:
    return [("", call(word.target, {"dim": -1, **given}))]


_SPECIAL: dict[str, Callable[[Word, dict[str, Any], tuple[Sizes, ...]], Named]] = {
    "batch_norm": _by_rank,
    "instance_norm": _by_rank,
    "layer_norm": _norm_of_axes,
    "rms_norm": _norm_of_axes,
    "multihead_attention": _attention,
    "recurrent": _recurrent,
    **{f"depthwise_conv{d}d": _depthwise for d in (1, 2, 3)},
    **{f"separable_conv{d}d": _separable for d in (1, 2, 3)},
    **{f"global_{kind}_pool{d}d": _global_pool for kind in ("avg", "max") for d in (1, 2, 3)},
    **dict.fromkeys(ALONG_AN_AXIS, _along_last),
}
