"""What flows in the functional style: `Input`, and a `Node` behind every layer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlnb.errors import LayerError
from mlnb.networks.building import Built, grow
from mlnb.networks.dry import dry_batch
from mlnb.networks.layers import Layer, foreign, layer, recipe
from mlnb.networks.mistakes import shape_of
from mlnb.networks.shapes import first_dtype, named_dtype, sample_shape
from mlnb.networks.words import Words

if TYPE_CHECKING:
    import torch

    from mlnb.networks.layers import Recipe

_count = itertools.count()


class Node(Words):
    """What flows out of a layer or an input: the next layer is a method of it.

    Args:
        layer: what it comes from; of an input `None`.
        sources: what the layer reads.
        shape: of one sample, of an input.
        name: of an input, as given; without one each `Network` gives it one.
        dtype: of an input.
    """

    def __init__(
        self,
        layer: Layer | None,
        sources: Sequence[Node] = (),
        *,
        shape: tuple[int, ...] = (),
        name: str = "",
        dtype: torch.dtype | None = None,
    ) -> None:
        self.order = next(_count)
        self.sources = tuple(sources)
        self.name = layer.name if layer is not None else name
        self.dtype = dtype
        self._shape = shape
        self.built: Built | None = None
        self.dry: Any = None
        if layer is not None:
            self.built, self.dry = grow(
                layer, [s._fed_to(layer) for s in sources], set(), self._before()
            )

    @property
    def layer(self) -> Layer:
        """What it comes from."""
        assert self.built is not None
        return self.built.layer

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return self._shape if self.built is None else self.built.gives or ()

    def add(self, given: Recipe, *others: Any, name: str = "", **options: Any) -> Node:
        """Put any layer behind it: a word, a module, a function of tensors, or a chain of them.

        >>> a.add(torch.mul, b)

        Args:
            given: as for `Sequential.add`.
            others: more inputs of it, then the arguments of a word.
            name: of the layer.
            options: keywords of a word.

        Raises:
            LayerError: it cannot stand there.
        """
        nodes = [one for one in others if isinstance(one, Node)]
        rest = [one for one in others if not isinstance(one, Node)]
        if isinstance(given, str):
            return self._put(layer(given, *rest, name=name, **options), *nodes)
        if callable(given) and not isinstance(given, Words):
            return self._put(foreign(given, name), *nodes)
        node = self
        for one in recipe(given):
            node = node._put(one)
        return node

    def _put(self, given: Layer, *others: Any) -> Node:
        try:
            return Node(given, (self, *others))
        except LayerError as error:  # as in `Sequential`
            raise error.with_traceback(None) from error.__cause__

    def __add__(self, other: Node) -> Node:
        return self._put(layer("sum"), other) if isinstance(other, Node) else NotImplemented

    def __mul__(self, other: Node) -> Node:
        return self._put(layer("product"), other) if isinstance(other, Node) else NotImplemented

    def _fed_to(self, given: Layer) -> Any:
        """The dry batch, which for an input waits to know whether it is read as whole numbers."""
        if self.dry is None:
            self.dry = dry_batch(self._shape, self.dtype or first_dtype(given))
        return self.dry

    def _before(self) -> tuple[tuple[str, str], ...]:
        """The layers on the way here, the nearest last, along the first inputs."""
        found: list[tuple[str, str]] = []
        node = self.sources[0] if self.sources else None
        while node is not None and node.built is not None:
            found.append((node.layer.name, node.layer.word))
            node = node.sources[0]
        return tuple(reversed(found))

    def __repr__(self) -> str:
        what = f"Input({self.name!r}" if self.built is None else f"Node({self.layer.name!r}"
        return f"{what}, {shape_of(self.shape)})"


def Input(
    shape: int | Sequence[int], name: str = "", *, dtype: str | torch.dtype | None = None
) -> Node:
    """Where data comes into a `Network`.

    >>> Input((1, 28, 28), name="image").conv2d(32, 3, "relu")

    Args:
        shape: of one sample, without the batch.
        name: by which `fit` and `predict` are fed; "input" where it is left out.
        dtype: "float32" or "int64"; whole numbers where an embedding reads it.
    """
    given = None if dtype is None else named_dtype(dtype)
    return Node(None, shape=sample_shape(shape), name=name, dtype=given)


def concat(nodes: Sequence[Node], dim: int = 1, *, name: str = "") -> Node:
    """Several flows side by side.

    >>> concat([a, b]).dense(3)

    Args:
        nodes: what flows, two at least.
        dim: along which axis, the batch counting as 0: 1 is the channels, or a vector's features.
        name: of the layer.

    Raises:
        LayerError: there are fewer, or their other sizes differ.
    """
    if not nodes:
        raise LayerError("`concat` puts two flows side by side, or more; received none.")
    first, *others = nodes
    return first._put(layer("concat", dim, name=name), *others)
