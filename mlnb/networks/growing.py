"""A chain of layers that stand: grown by several at once, wholly or not at all, or written anew.

When layers change, those that are the same and are fed the same keep their modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.models.torch.state import device_of
from mlnb.networks.building import Built, free_name, grow_all
from mlnb.networks.dry import dry_batch, run_dry, undrawn_on_error
from mlnb.networks.shapes import first_dtype

if TYPE_CHECKING:
    from mlnb.networks.layers import Layer


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


@dataclass(frozen=True)
class Chain:
    """Layers that stand one behind the other.

    Args:
        shape: of one sample that is fed.
        dtype: of it, as it was given; `None` lets the first layer decide.
        built: the layers.
        dry: the dry batch behind the last one.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype | None = None
    built: tuple[Built, ...] = ()
    dry: Any = None

    @property
    def gives(self) -> tuple[int, ...] | None:
        """The shape of one sample behind the last layer; `None` where it is no single tensor."""
        return self.built[-1].gives if self.built else self.shape

    @property
    def names(self) -> frozenset[str]:
        """Of the layers and their parts."""
        return frozenset().union(*(built.names for built in self.built))

    def before(self, given: Layer) -> Any:
        """The dry batch that reaches a layer behind the last one."""
        if self.built:
            return self.dry
        return dry_batch(self.shape, self.dtype or first_dtype(given))

    def grown(self, layers: Sequence[Layer]) -> Chain:
        """With further layers behind it.

        Raises:
            LayerError: one cannot stand there; no random number was drawn.
        """
        if not layers:
            return self
        before = tuple((built.layer.name, built.layer.word) for built in self.built)
        more, dry = grow_all(layers, (self.before(layers[0]),), self.names, before)
        return replace(self, built=(*self.built, *more), dry=dry)

    def rewritten(
        self,
        layers: Sequence[Layer],
        shape: tuple[int, ...],
        stood: Sequence[int | None] | None = None,
    ) -> tuple[Chain, Change]:
        """All layers anew; those that stood keep the weights whose shapes did not change.

        Args:
            layers: all of them, in order.
            shape: of one sample that is fed from now on.
            stood: for each layer its place before; without it layers are known by their names.

        Raises:
            LayerError: one cannot stand; no random number was drawn.
        """
        by_name = {built.layer.name: built for built in self.built}
        fates: dict[str, list[str]] = {"new": [], "changed": [], "reset": [], "kept": []}
        chain = Chain(shape, self.dtype)
        with undrawn_on_error():
            for at, given in enumerate(layers):
                name = given.name or free_name(given, chain.names)
                place = None if stood is None else stood[at]
                old = by_name.get(name) if stood is None else None
                old = old if place is None else self.built[place]
                chain, fate = _regrown(chain, given, name, old)
                fates[fate].append(name)
        return chain, Change(*(tuple(fates[fate]) for fate in ("new", "changed", "reset")))


def _regrown(chain: Chain, given: Layer, name: str, old: Built | None) -> tuple[Chain, str]:
    """The chain with one layer more, and what became of the one that stood."""
    dry = chain.before(given)
    kept = _kept(old, replace(given, name=name), dry)
    if kept is not None and not chain.names & kept.names:
        for part in kept.parts:
            dry = run_dry(part.module, (dry,))
        return replace(chain, built=(*chain.built, replace(kept, written=given)), dry=dry), "kept"
    state = torch.get_rng_state()
    chain = chain.grown([given])
    one = chain.built[-1]
    if old is None:
        return chain, "new"
    if not any(True for part in one.parts for _ in part.module.parameters()):
        return chain, "changed"
    if not _carried(old, one):
        return chain, "reset"
    torch.set_rng_state(state)
    return chain, "changed"


def _kept(same: Built | None, given: Layer, dry: Any) -> Built | None:
    """What stood already, where it is the same layer and the same comes."""
    came = (tuple(dry.shape[1:]),) if isinstance(dry, Tensor) else ()
    if same is None or same.came != came:
        return None
    called = same.called(given.name)
    if called.layer != given or not _same_thing(same.layer, given):
        return None
    return replace(called, layer=given)


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
