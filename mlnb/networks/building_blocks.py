"""Blocks become modules: what is inside is grown layer by layer, as a network is.

The modules are made in the order in which `net.code()` prints them: the body, then the shortcut;
the branches one after the other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from mlnb.networks import blocks
from mlnb.networks.building import Before, Part, finished, grow_all
from mlnb.networks.calls import Call, activated, call
from mlnb.networks.dry import run_dry
from mlnb.networks.mistakes import Sizes, Spot, layer_error, shape_of
from mlnb.networks.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from mlnb.networks.layers import Layer


def block_parts(
    given: Layer, name: str, spot: Spot, dry: tuple[Any, ...]
) -> tuple[tuple[Part, ...], Any]:
    """The parts of a block, and what the dry batch becomes behind it.

    Raises:
        LayerError: a layer inside cannot stand, or the ways do not come together.
    """
    if given.word == "repeat":
        chains = [given.inner[0]] * given.options["times"]
        whole = _sequence([(str(at), chain) for at, chain in enumerate(chains)], spot, dry)
        return (Part(name, whole[0], whole[1]),), whole[2]
    made = _residual(given, name, spot, dry) if given.word == "residual" else None
    module, how = made or _branches(given, name, spot, dry)
    part = Part(name, module, how)
    rest, after = finished(
        activated(given.options.get("activation")), name, (run_dry(module, dry),)
    )
    return (part, *rest), after


def _sequence(
    chains: Sequence[tuple[str, tuple[Layer, ...]]], spot: Spot, dry: tuple[Any, ...]
) -> tuple[nn.Module, Call, Any]:
    """Chains in a row as one `nn.Sequential` of them."""
    made, flow = [], dry
    for name, layers in chains:
        module, how, after = chain(layers, flow, spot.before)
        made.append(Part(name, module, how))
        flow = (after,)
    return *sequential(made), flow[0]


def chain(
    layers: Sequence[Layer], dry: Sequence[Any], before: Before = ()
) -> tuple[nn.Module, Call, Any]:
    """The layers of a block in a row; no layer at all hands on what comes."""
    grown, after = grow_all(layers, dry, before=before)
    if not grown:
        return nn.Identity(), Call(nn.Identity), after
    return *sequential([part for built in grown for part in built.parts]), after


def sequential(parts: Sequence[Part]) -> tuple[nn.Sequential, Call]:
    """The parts as a plain `nn.Sequential` with named children, and how it is written."""
    module = nn.Sequential(OrderedDict((part.name, part.module) for part in parts))
    return module, Call(nn.Sequential, tuple(parts))


def _residual(given: Layer, name: str, spot: Spot, dry: tuple[Any, ...]) -> tuple[nn.Module, Call]:
    body, how, after = chain(given.inner[0], dry, spot.before)
    came, gave = spot.shape, tuple(after.shape[1:])
    if len(given.inner) > 1:
        short, short_how, other = chain(given.inner[1], dry, spot.before)
        if other.shape != after.shape:
            text = (
                f"`{name}` adds {shape_of(gave)} of its layers to {shape_of(other.shape[1:])} of "
                f"its shortcut, which must agree."
            )
            raise layer_error(text, name, given.place)
    else:
        fitting = _projection(came, gave)
        if fitting is None:
            text = (
                f"`{name}` adds {shape_of(gave)} to the {shape_of(came)} that came, which no "
                f'projection brings together. Keep the size inside, as with padding="same", or '
                f"give shortcut=."
            )
            raise layer_error(text, name, given.place)
        short_how, short = fitting, _made(fitting)
    return blocks.Residual(body, short), Call(blocks.Residual, (how, short_how))


def _projection(came: Sizes, gave: Sizes) -> Call | None:
    """What brings the input to the body's shape; `None` where nothing usual does."""
    if came == gave:
        return Call(nn.Identity)
    if len(came) != len(gave):
        return None
    if len(came) == 1 or (len(came) == 2 and came[0] == gave[0]):
        return Call(nn.Linear, (came[-1], gave[-1]), {"bias": False})
    strides = {-(-a // b) for a, b in zip(came[1:], gave[1:], strict=True) if b}
    fits = len(strides) == 1 and all(
        -(-a // s) == b for s in strides for a, b in zip(came[1:], gave[1:], strict=True)
    )
    if not fits:
        return None
    conv = VOCABULARY[f"conv{len(came) - 1}d"].target
    norm = VOCABULARY[f"batch_norm{len(came) - 1}d"].target
    sizes = {"in_channels": came[0], "out_channels": gave[0], "kernel_size": 1}
    (stride,) = strides
    how = call(conv, {**sizes, **({"stride": stride} if stride > 1 else {}), "bias": False})
    return Call(nn.Sequential, (how, Call(norm, (gave[0],))))


def _made(how: Call) -> nn.Module:
    module: nn.Module = how.make()
    return module


def _branches(given: Layer, name: str, spot: Spot, dry: tuple[Any, ...]) -> tuple[nn.Module, Call]:
    made = [chain(layers, dry, spot.before) for layers in given.inner]
    options = {k: v for k, v in given.options.items() if k in ("merge", "dim")}
    shapes = [tuple(after.shape[1:]) for _, _, after in made]
    _check_merge(name, given, shapes)
    module = blocks.Branches(*[module for module, _, _ in made], **options)
    return module, Call(blocks.Branches, tuple(how for _, how, _ in made), options)


def _check_merge(name: str, given: Layer, shapes: list[Sizes]) -> None:
    """Branches agree in all sizes; side by side, in all but one."""
    shown = ", ".join(map(shape_of, shapes))
    if given.options.get("merge", "concat") == "add":
        if len(set(shapes)) > 1:
            text = f"`{name}` adds branches of one shape; they give {shown}."
            raise layer_error(text, name, given.place)
        return
    dim = given.options.get("dim", 1)
    at = dim - 1 if dim > 0 else dim
    rank = len(shapes[0])
    if not -rank <= at < rank or any(len(shape) != rank for shape in shapes):
        text = f"`{name}` puts branches side by side along axis {dim}; they give {shown}."
        raise layer_error(text, name, given.place)
    rest = {tuple(s for i, s in enumerate(shape) if i != at % rank) for shape in shapes}
    if len(rest) > 1:
        text = (
            f"`{name}` puts branches side by side whose other sizes agree; they give {shown}. "
            f'Give convolutions padding="same" and pooling stride=1 with padding.'
        )
        raise layer_error(text, name, given.place)
