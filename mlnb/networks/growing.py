"""A chain grown by several layers at once, wholly or not at all; and one grown again.

When layers change, those that are the same and are fed the same keep their modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.models.torch.state import device_of
from mlnb.networks.building import Built, free_name, grow
from mlnb.networks.dry import dry_batch, run_dry, undrawn_on_error
from mlnb.networks.shapes import first_dtype

if TYPE_CHECKING:
    from mlnb.networks.layers import Layer


@dataclass(frozen=True)
class Start:
    """What a chain is fed.

    Args:
        shape: of one sample.
        dtype: as it was given; `None` lets the first layer decide.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype | None

    def dry(self, first: Layer) -> Tensor:
        """The dry batch for a first layer."""
        return dry_batch(self.shape, self.dtype or first_dtype(first))


def grow_all(
    given: Sequence[Layer],
    start: Start,
    standing: Sequence[Built] = (),
    names: frozenset[str] | set[str] = frozenset(),
    dry: Any = None,
) -> tuple[list[Built], Any]:
    """The layers as they stand behind others, and the dry batch behind them; no change yet.

    Raises:
        LayerError: one cannot stand there; no random number was drawn.
    """
    if not standing and given:
        dry = start.dry(given[0])
    taken = set(names)
    grown: list[Built] = []
    before = tuple((b.layer.name, b.layer.word) for b in standing)
    with undrawn_on_error():
        for one in given:
            built, dry = grow(one, (dry,), taken, before)
            grown.append(built)
            taken |= built.names
            before = (*before, (built.layer.name, built.layer.word))
    return grown, dry


@dataclass(frozen=True)
class Change:
    """What became of the layers of a chain that was written anew; of all others nothing did.

    Args:
        new: the names of layers that did not stand before.
        changed: of those that are others, or fed otherwise, and kept their weights or have none.
        reset: of those that stood and have new weights.
    """

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()


def regrow_all(
    layers: Sequence[Layer],
    start: Start,
    old: Sequence[Built],
    stood: Sequence[int | None] | None = None,
) -> tuple[list[Built], Any, Change]:
    """All layers of a chain anew; those that stood keep the weights whose shapes did not change.

    Args:
        layers: all of them, in order.
        start: what the chain is fed.
        old: the layers as they stand.
        stood: for each layer its place in `old`; without it layers are known by their names.

    Raises:
        LayerError: one cannot stand there; no random number was drawn.
    """
    by_name = {built.layer.name: built for built in old}
    grown: list[Built] = []
    names: set[str] = set()
    fates: dict[str, list[str]] = {"new": [], "changed": [], "reset": [], "kept": []}
    dry: Any = None
    with undrawn_on_error():
        for at, given in enumerate(layers):
            dry = dry if grown else start.dry(given)
            name = given.name or free_name(given, names)
            place = None if stood is None else stood[at]
            before = by_name.get(name) if stood is None else None if place is None else old[place]
            one, dry, fate = _regrown(given, name, before, start, (grown, names, dry))
            fates[fate].append(name)
            grown.append(one)
            names |= one.names
    return grown, dry, Change(*(tuple(fates[fate]) for fate in ("new", "changed", "reset")))


def _regrown(
    given: Layer,
    name: str,
    before: Built | None,
    start: Start,
    standing: tuple[list[Built], set[str], Any],
) -> tuple[Built, Any, str]:
    """One layer anew, the dry batch behind it, and what became of the one that stood."""
    grown, names, dry = standing
    kept = _kept(before, replace(given, name=name), dry)
    if kept is not None and not names & kept.names:
        for part in kept.parts:
            dry = run_dry(part.module, (dry,))
        return replace(kept, written=given), dry, "kept"
    state = torch.get_rng_state()
    (one,), dry = grow_all([given], start, grown, names, dry)
    if before is None:
        return one, dry, "new"
    if not any(True for part in one.parts for _ in part.module.parameters()):
        return one, dry, "changed"
    if not _carried(before, one):
        return one, dry, "reset"
    torch.set_rng_state(state)
    return one, dry, "changed"


def _kept(same: Built | None, given: Layer, dry: Any) -> Built | None:
    """What stood already under its name, where it is the same layer and the same comes."""
    came = (tuple(dry.shape[1:]),) if isinstance(dry, Tensor) else ()
    if same is None or same.came != came or replace(same.layer, name=given.name) != given:
        return None
    if not _same_thing(same.layer, given):
        return None
    cut = len(same.layer.name)
    parts = tuple(replace(part, name=given.name + part.name[cut:]) for part in same.parts)
    return replace(same, layer=given, parts=parts)


def _carried(old: Built, new: Built) -> bool:
    """Give new modules the weights of old ones, where all have the shapes that they had."""
    if old.layer.word != new.layer.word or _has_foreign(old.layer) or _has_foreign(new.layer):
        return False
    before = [part.module for part in old.parts if part.module.state_dict()]
    after = [part.module for part in new.parts if part.module.state_dict()]
    if list(map(_shapes, before)) != list(map(_shapes, after)):
        return False
    for source, target in zip(before, after, strict=True):
        target.to(device_of(source)).load_state_dict(source.state_dict())
        for weight, other in zip(target.parameters(), source.parameters(), strict=True):
            weight.requires_grad_(other.requires_grad)
    return True


def _has_foreign(given: Layer) -> bool:
    """Whether somebody else's module is in it, whose weights are not ours to change."""
    inner = (one for chain in given.inner for one in chain)
    return given.thing is not None or any(map(_has_foreign, inner))


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


def _same_thing(a: Layer, b: Layer) -> bool:
    """Whether the foreign modules in two layers are the same ones."""
    inner = zip(a.inner, b.inner, strict=True)
    return a.thing is b.thing and all(
        _same_thing(x, y) for xs, ys in inner for x, y in zip(xs, ys, strict=True)
    )
