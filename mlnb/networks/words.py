"""The words of the vocabulary as methods, for a chain and for the functional style alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from mlnb.errors import unknown
from mlnb.networks import layers as written
from mlnb.networks.options import manual
from mlnb.networks.vocabulary import BLOCKS, VOCABULARY

if TYPE_CHECKING:
    from typing import Self

    from mlnb.networks.layers import Layer, Recipe


class Words:
    """Every word as a method; a class that has `_put` gets them all.

    `net.conv2d(32, 3, "relu")` is `net._put(layer("conv2d", 32, 3, "relu"))`.
    """

    def __getattr__(self, word: str) -> Callable[..., Self]:
        if word.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {word!r}")
        others = [name for name in dir(type(self)) if not name.startswith("_")]
        raise AttributeError(str(unknown("layer", word, [*VOCABULARY, *BLOCKS, *others])))

    def _put(self, given: Layer, *others: Any) -> Any:
        """Put a layer behind what is there; `others` are its further inputs."""
        raise NotImplementedError

    def residual(
        self,
        layers: Recipe,
        activation: str | None = None,
        *,
        shortcut: Recipe | None = None,
        name: str = "",
    ) -> Self:
        """The input added to what the layers make of it; see `mlnb.networks.layers.residual`."""
        return self._put(written.residual(layers, activation, shortcut=shortcut, name=name))  # type: ignore[no-any-return]

    def branches(
        self,
        ways: Iterable[Recipe],
        merge: str = "concat",
        activation: str | None = None,
        *,
        dim: int = 1,
        name: str = "",
    ) -> Self:
        """Several ways side by side; see `mlnb.networks.layers.branches`."""
        return self._put(written.branches(ways, merge, activation, dim=dim, name=name))  # type: ignore[no-any-return]

    def repeat(self, times: int, layers: Recipe, *, name: str = "") -> Self:
        """The same layers several times in a row; see `mlnb.networks.layers.repeat`."""
        return self._put(written.repeat(times, layers, name=name))  # type: ignore[no-any-return]


def _method(word: str) -> Callable[..., Any]:
    """The method `conv2d` and its like; positional tensors of a network come first."""

    def put(self: Words, *args: Any, name: str = "", **options: Any) -> Any:
        others = [a for a in args if isinstance(a, Words)]
        rest = [a for a in args if not isinstance(a, Words)]
        return self._put(written.layer(word, *rest, name=name, **options), *others)

    known = VOCABULARY[word]
    put.__name__, put.__qualname__ = word, f"Words.{word}"
    put.__doc__ = manual(known)
    own = Parameter("self", Parameter.POSITIONAL_ONLY)
    given = list(known.signature.parameters.values())
    named = Parameter("name", Parameter.KEYWORD_ONLY, default="")
    signature = known.signature.replace(parameters=[own, *given, named])
    put.__signature__ = signature  # type: ignore[attr-defined]
    return put


for _word in VOCABULARY:
    setattr(Words, _word, _method(_word))
