"""Layers become modules, one at a time, each run once on a batch of two zeros.

The dry batch goes through the new layer only, in eval mode and without gradients, so that a mistake
shows at the layer that makes it and a network of n layers costs n layers. Random numbers are drawn
for the new weights alone, exactly as torch draws them; after a mistake none are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from mlnb.errors import LayerError
from mlnb.networks import blocks
from mlnb.networks.calls import Call, Named, calls
from mlnb.networks.dry import run_dry, undrawn_on_error
from mlnb.networks.mistakes import Sizes, Spot, check_axes, explained, layer_error
from mlnb.networks.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from mlnb.networks.layers import Layer


@dataclass(frozen=True)
class Part:
    """One child of the module.

    Args:
        name: among its siblings.
        module: with its weights.
        call: what made it; `None` for a module or function of somebody else.
    """

    name: str
    module: nn.Module
    call: Call | None


@dataclass(frozen=True)
class Built:
    """A layer that stands.

    Args:
        layer: as it was written, with its name.
        written: as it was written; without a name where the network chose it.
        parts: its modules in order: the class's own, then perhaps its activation.
        came: the shape of one sample of each input.
        gives: the shape of one sample that leaves it; `None` where it is no single tensor.
    """

    layer: Layer
    written: Layer
    parts: tuple[Part, ...]
    came: tuple[Sizes, ...]
    gives: Sizes | None

    @cached_property
    def names(self) -> frozenset[str]:
        """Its own name and those of its parts, which no other layer can have."""
        return frozenset((self.layer.name, *(part.name for part in self.parts)))

    def called(self, name: str) -> Built:
        """The same layer under another name, and its parts with it."""
        cut = len(self.layer.name)
        parts = tuple(replace(part, name=name + part.name[cut:]) for part in self.parts)
        return replace(self, layer=replace(self.layer, name=name), parts=parts)


Before = tuple[tuple[str, str], ...]


def grow_all(
    layers: Sequence[Layer],
    dry: Sequence[Any],
    names: Collection[str] = (),
    before: Before = (),
) -> tuple[list[Built], Any]:
    """Several layers in a row, and what the dry batch becomes behind them; as for `grow`."""
    flow, taken = tuple(dry), set(names)
    grown: list[Built] = []
    with undrawn_on_error():
        for given in layers:
            built, after = grow(given, flow, taken, before)
            grown.append(built)
            taken |= built.names
            before = (*before, (built.layer.name, built.layer.word))
            flow = (after,)
    return grown, flow[0]


def grow(
    given: Layer, dry: Sequence[Any], names: Set[str], before: Before = ()
) -> tuple[Built, Any]:
    """The layer with its weights, and what the dry batch becomes behind it.

    Args:
        given: the layer.
        dry: what the layers before it give, two samples.
        names: of the layers and parts that stand already.
        before: the layers before it, by name and word, the nearest last.

    Raises:
        LayerError: it cannot stand there; no random number was drawn.
    """
    name = given.name or free_name(given, names)
    with undrawn_on_error():
        spot = Spot(name, tuple(_shape(d, name, given, before) for d in dry), before, given.place)
        if given.name in names:
            text = f"There is a layer `{name}` already. Give this one another name."
            raise layer_error(text, name, given.place)
        try:
            parts, after = _parts(given, name, spot, tuple(dry))
        except LayerError:
            raise
        except Exception as error:
            raise explained(given.word, given.options, spot, error) from error
        taken = names & {part.name for part in parts}
        if taken:
            text = f"There is a layer `{min(taken)}` already. Give this one another name."
            raise layer_error(text, name, given.place)
    gives = tuple(after.shape[1:]) if isinstance(after, Tensor) else None
    return Built(replace(given, name=name), given, parts, spot.came, gives), after


def free_name(given: Layer, names: Set[str]) -> str:
    """`conv2d`, then `conv2d_2`, …; a module has its class's name, a function its own."""
    stem = given.word
    if given.word == "module":
        kind = type(given.thing)
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__)
        stem = (spaced if kind.__module__.startswith("torch.nn.") else kind.__name__).lower()
    elif given.word == "function":
        stem = getattr(given.thing, "__name__", "function")
        stem = stem if stem.isidentifier() else "function"
    number, name = 1, stem
    while name in names:
        number += 1
        name = f"{stem}_{number}"
    return name


def named_all(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Layers that wait for a size, with the names that they will have."""
    names: set[str] = set()
    found = []
    for given in layers:
        name = given.name or free_name(given, names)
        names.add(name)
        found.append(replace(given, name=name))
    return tuple(found)


def _parts(
    given: Layer, name: str, spot: Spot, dry: tuple[Any, ...]
) -> tuple[tuple[Part, ...], Any]:
    if given.word == "module":
        part = Part(name, given.thing, None)
        return (part,), run_dry(part.module, dry)
    if given.word == "function":
        part = Part(name, blocks.Function(given.thing), None)
        after = run_dry(part.module, dry)
        if not isinstance(after, Tensor):
            text = f"The function `{name}` must give a tensor; it gave {type(after).__name__}."
            raise layer_error(text, name, given.place)
        return (part,), after
    if given.word in VOCABULARY:
        return _word_parts(given, name, spot, dry)
    from mlnb.networks.building_blocks import block_parts

    return block_parts(given, name, spot, dry)


def _word_parts(
    given: Layer, name: str, spot: Spot, dry: tuple[Any, ...]
) -> tuple[tuple[Part, ...], Any]:
    word = VOCABULARY[given.word]
    _check_inputs(given, name, spot, dry)
    check_axes(word, spot)
    return finished(calls(word, given.options, spot.came), name, dry)


def finished(named: Named, name: str, dry: tuple[Any, ...]) -> tuple[tuple[Part, ...], Any]:
    """The modules of a layer made and run, one behind the other."""
    parts, flow = [], dry
    for ending, made in named:
        part = Part(f"{name}_{ending}" if ending else name, made.make(), made)
        flow = (run_dry(part.module, flow),)
        parts.append(part)
    return tuple(parts), flow[0]


def _check_inputs(given: Layer, name: str, spot: Spot, dry: tuple[Any, ...]) -> None:
    """How many tensors come, and whether they hold numbers that the layer can read."""
    word = VOCABULARY[given.word]
    several = word.inputs > 1 or (given.word == "multihead_attention" and len(dry) == 2)
    if (len(dry) > 1) != several or (word.family != "merge" and len(dry) > 2):
        needs = "several inputs" if word.inputs > 1 else "one input"
        text = (
            f"`{name}` reads {needs}; it has {len(dry)} here. A layer of a `Network` has several."
        )
        raise layer_error(text, name, given.place)
    floats = dry[0].is_floating_point()
    if word.family == "embedding" and word.sizes == {} and floats:
        remedy = "Put it first." if spot.before else 'Write Sequential(…, dtype="int64").'
        text = (
            f"`{name}` expects whole numbers, one for each token; {spot.source} as floats. {remedy}"
        )
        raise layer_error(text, name, given.place)
    if word.family in ("dense", "conv", "recurrent", "attention", "norm") and not floats:
        text = (
            f"`{name}` expects floats; {spot.source} as whole numbers. "
            f"Put `embedding` before it, or leave dtype out."
        )
        raise layer_error(text, name, given.place)


def _shape(dry: Any, name: str, given: Layer, before: Before) -> Sizes:
    """One sample of what comes; a foreign module may have given something else than a tensor."""
    if isinstance(dry, Tensor):
        return tuple(dry.shape[1:])
    if given.word in ("module", "function"):
        return ()
    source = before[-1][0] if before else "the input"
    text = (
        f"`{name}` expects a tensor; `{source}` before it gave {type(dry).__name__}. "
        f"Pick what is meant: add(lambda out: out[0])."
    )
    raise layer_error(text, name, given.place)
