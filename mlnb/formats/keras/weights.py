"""Which stored weights belong to which Keras layer, by the way that each of two formats names them.

`model.weights.h5` of a `.keras` file counts classes: the second Dense of a model is `dense_1`,
whatever it is called. The old `.h5` files group by the layer's own name. Neither is read here: what
comes in is a list of what lies in the file, as `hdf5_child.py` describes it.

The formats: `keras.src.saving.saving_lib` and `keras.src.legacy.saving.legacy_h5_format`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mlnb.formats.keras.config import Layer


@dataclass(frozen=True, slots=True)
class Stored:
    """A data set of an HDF5 file.

    Args:
        path: inside the HDF5 file.
        dtype: as in `TensorSpec`.
        shape: its dimensions.
        nbytes: unpacked.
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


class Weights(Protocol):
    """Which weights are whose, as a builder of graphs asks it."""

    def inside(self, layers: Sequence[Layer], route: str) -> list[str]:
        """The route of each layer of the model at `route`, in their order."""

    def of(self, layer: Layer, route: str) -> list[tuple[str, Stored]]:
        """The weights of the layer at `route`, each with its short name."""

    @property
    def left(self) -> list[Stored]:
        """The weights that no layer asked for."""


class CountedWeights:
    """The weights of a `.keras` file, by classes counted in the order of the layers.

    Args:
        tensors: everything that `model.weights.h5` holds.
    """

    def __init__(self, tensors: Iterable[Stored]) -> None:
        self._tensors = {
            one.path: one
            for one in sorted(tensors, key=_in_order)
            if not one.path.startswith("optimizer/")
        }
        self._paths = sorted(self._tensors)
        self._taken: set[str] = set()

    def inside(self, layers: Sequence[Layer], route: str) -> list[str]:
        """Routes such as `layers/sequential/layers/dense_1/`; none for what has no weights."""
        seen: Counter[str] = Counter()
        routes = []
        for layer in layers:
            if _is_operation(layer):
                routes.append("")
                continue
            name = _snake(layer.kind)
            number = f"_{seen[name]}" if seen[name] else ""
            routes.append(f"{route}layers/{name}{number}/")
            seen[name] += 1
        return routes

    def of(self, layer: Layer, route: str) -> list[tuple[str, Stored]]:
        """Everything below the layer's route; of a model only what is its own."""
        if not route:
            return []
        below = f"{route}vars/" if layer.is_model else route
        at = bisect_left(self._paths, below)
        found = []
        while at < len(self._paths) and self._paths[at].startswith(below):
            found.append(self._tensors[self._paths[at]])
            at += 1
        found.sort(key=_in_order)
        self._taken.update(one.path for one in found)
        return _short_names(layer, [(one.path.removeprefix(route), one) for one in found])

    @property
    def left(self) -> list[Stored]:
        """The weights that no layer asked for."""
        return [one for path, one in self._tensors.items() if path not in self._taken]


class NamedWeights:
    """The weights of an old `.h5` file, by the names of the outermost layers.

    Args:
        groups: for each outermost layer the names of its weights, and what is stored.
    """

    def __init__(self, groups: Mapping[str, Sequence[tuple[str, Stored]]]) -> None:
        self._groups = groups
        self._taken: set[str] = set()

    def inside(self, layers: Sequence[Layer], route: str) -> list[str]:
        """Routes such as `inner/dense`: the outermost layer counts, and the layer itself."""
        return [f"{route}/{layer.name}" if route else layer.name for layer in layers]

    def of(self, layer: Layer, route: str) -> list[tuple[str, Stored]]:
        """The weights in the group of the outermost layer that name this one."""
        if layer.is_model:
            return []
        group, _, inner = route.partition("/")
        here = [pair for pair in self._groups.get(group, ()) if pair[1].path not in self._taken]
        found = here if not inner else _naming(layer.name, here)
        self._taken.update(one.path for _, one in found)
        return _unique([(name.removesuffix(":0").split("/"), one) for name, one in found])

    @property
    def left(self) -> list[Stored]:
        """The weights that no layer asked for."""
        every = (one for group in self._groups.values() for _, one in group)
        return [one for one in every if one.path not in self._taken]


def _in_order(one: Stored) -> list[tuple[int, int | str]]:
    """`vars/10` behind `vars/9`."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in one.path.split("/")]


def _snake(name: str) -> str:
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _is_operation(layer: Layer) -> bool:
    """Whether it is a function of `keras.ops`, which has no weights and is not counted."""
    return str(layer.entry.get("module")).startswith("keras.src.ops")


_NAMES: Mapping[str, tuple[str, ...]] = {
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
    "SeparableConv1D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "cell": ("kernel", "recurrent_kernel", "bias"),
}
"""What the numbered variables of a layer are; those of a recurrent one lie in its cell."""
_USUAL = ("kernel", "bias")


def _short_names(layer: Layer, found: Sequence[tuple[str, Stored]]) -> list[tuple[str, Stored]]:
    named = []
    for rest, one in found:
        place, _, number = rest.rpartition("vars/")
        names = _variables(layer, place.rstrip("/").rpartition("/")[2])
        known = number.isdecimal() and int(number) < len(names)
        named.append((f"{place}{names[int(number)] if known else number}", one))
    return named


def _variables(layer: Layer, place: str) -> tuple[str, ...]:
    if layer.kind.endswith("Normalization"):
        scaled = ("gamma",) * bool(layer.config.get("scale", True))
        centred = ("beta",) * bool(layer.config.get("center", True))
        moving = ("moving_mean", "moving_variance") * (layer.kind == "BatchNormalization")
        return (*scaled, *centred, *moving)
    return _NAMES.get(place or layer.kind) or _USUAL


def _naming(layer: str, weights: Sequence[tuple[str, Stored]]) -> list[tuple[str, Stored]]:
    """The weights with the layer's name in theirs, to which Keras 2 may have added a number."""
    for pattern in (re.escape(layer), rf"{re.escape(layer)}_\d+"):
        found = [
            (name, one)
            for name, one in weights
            if any(re.fullmatch(pattern, part) for part in name.split("/"))
        ]
        if found:
            return found
    return []


def _unique(found: Sequence[tuple[list[str], Stored]]) -> list[tuple[str, Stored]]:
    """The last part of each name, or as much of it as tells them all apart."""
    for count in range(1, 6):
        short = ["/".join(parts[-count:]) for parts, _ in found]
        if len(set(short)) == len(short):
            return list(zip(short, [one for _, one in found], strict=True))
    return [(one.path, one) for _, one in found]
