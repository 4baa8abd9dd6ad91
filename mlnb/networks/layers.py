"""Layers as they are written, before any size is known: `layers.conv2d(32, 3, "relu")`.

A `Layer` is a recipe: the word, what was given with it, and the line where it stands. A chain, a
block and a text file hold the same recipes; each use of one makes new weights. Every word of the
vocabulary is a function of this module, for the lists that blocks take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import nn

from mlnb.networks.mistakes import a_class, layer_error, misspelt
from mlnb.networks.options import manual, present, read_activation, read_options
from mlnb.networks.places import Place, caller
from mlnb.networks.vocabulary import BLOCKS, VOCABULARY

if TYPE_CHECKING:
    from mlnb.networks.sequential import Sequential

Recipe: TypeAlias = "Sequential | Layer | str | nn.Module | Callable[..., Any] | Sequence[Any]"
"""What blocks and `add` take: one layer in any form, or several of them."""


@dataclass(frozen=True)
class Layer:
    """One layer as it was written.

    Args:
        word: of the vocabulary, of a block, or `"module"` or `"function"` for something foreign.
        options: what was given with it, by keyword; what equals a default is left out.
        name: as given; empty where the network chooses one.
        inner: of a block its chains of layers.
        thing: the foreign module or function.
        place: where it was written; two layers are equal wherever they stand.
    """

    word: str
    options: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    inner: tuple[tuple[Layer, ...], ...] = ()
    thing: Any = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)


def layer(word: str, *args: Any, name: str = "", **options: Any) -> Layer:
    """A layer by its word, checked as far as it can be before a size is known.

    >>> layer("conv2d", 32, 3, "relu", padding=1).options
    {'out_channels': 32, 'kernel_size': 3, 'padding': 1, 'activation': 'relu'}

    Args:
        word: of the vocabulary, such as `"conv2d"`, or of a block.
        args: what the word needs, in the order of its class; then the activation, if it takes one.
        name: of the layer, unique in its network; chosen where empty.
        options: the keywords of its class.

    Raises:
        UnknownName: a word, keyword or activation that does not exist, with the closest one.
        LayerError: something is missing, or given that is inferred.
    """
    place = caller()
    if word in BLOCKS:
        return _BLOCKS[word](*args, name=name, **options)
    known = VOCABULARY.get(word)
    if known is None:
        raise misspelt("layer", str(word), [*VOCABULARY, *BLOCKS], place)
    _check_name(name, place)
    return Layer(word, read_options(known, args, options, place), name, place=place)


def recipe(given: Recipe) -> tuple[Layer, ...]:
    """The layers in what a block or `add` was given, in order.

    Args:
        given: a chain `Sequential().conv2d(…)`, a layer, a word, a module, a function, or a list.

    Raises:
        LayerError: it is none of them.
    """
    if isinstance(given, Layer):
        return (given,)
    if isinstance(given, str):
        return (layer(given),)
    if isinstance(given, list | tuple):
        return tuple(one for item in given for one in recipe(item))
    if hasattr(given, "written") and not getattr(given, "wraps", False):
        return tuple(given.written)
    return (foreign(given),)


def foreign(thing: Any, name: str = "") -> Layer:
    """A module or function of somebody else as a layer.

    Raises:
        LayerError: it is neither, or a class where an instance is meant.
    """
    place = caller()
    _check_name(name, place)
    inner = getattr(thing, "module", None)
    if isinstance(inner, nn.Module) and not isinstance(thing, nn.Module):
        thing = inner  # a network of ours, taken with its weights
    if isinstance(thing, type):
        raise a_class(thing, place)
    if isinstance(thing, nn.Module):
        return Layer("module", name=name, thing=thing, place=place)
    if callable(thing):
        return Layer("function", name=name, thing=thing, place=place)
    text = (
        f"A layer is a word, a torch.nn.Module or a function of tensors; "
        f"received {type(thing).__name__}."
    )
    raise layer_error(text, "", place)


# -------------------------------------------------------------------------------------- blocks


def residual(
    layers: Recipe, activation: str | None = None, *, shortcut: Recipe | None = None, name: str = ""
) -> Layer:
    """The input added to what the layers make of it.

    >>> net.residual(Sequential().conv2d(64, 3, padding=1).batch_norm("relu"), "relu")

    Args:
        layers: what is stepped over: a chain or a list.
        activation: after the sum.
        shortcut: the layers on the short way. Without them it is the input itself where the shapes
            agree; else a 1 × 1 convolution with the stride that is needed and a batch norm, as
            torchvision's ResNet has it, or for vectors and sequences a dense layer without bias.
        name: of the block.
    """
    place = caller()
    _check_name(name, place)
    inner = (recipe(layers),) if shortcut is None else (recipe(layers), recipe(shortcut))
    options = {"activation": read_activation(activation, "residual", place)} if activation else {}
    return Layer("residual", present(options), name, inner, place=place)


def branches(
    ways: Iterable[Recipe],
    merge: str = "concat",
    activation: str | None = None,
    *,
    dim: int = 1,
    name: str = "",
) -> Layer:
    """Several ways side by side, each fed the same input, put together again.

    >>> net.branches([Sequential().conv2d(8, 1), Sequential().conv2d(8, 3, padding=1)])

    Args:
        ways: a chain or a list of layers each; an empty list hands the input on.
        merge: `"concat"` puts the results side by side, `"add"` adds them.
        activation: after the merging.
        dim: the axis of a concat, the batch counting as 0: 1 is the channels, -1 the features.
        name: of the block.
    """
    place = caller()
    _check_name(name, place)
    if merge not in ("concat", "add"):
        raise misspelt("merge", str(merge), ["concat", "add"], place)
    inner = tuple(recipe(way) for way in ways)
    if not inner:
        raise layer_error("`branches` needs at least one branch.", "branches", place)
    options: dict[str, Any] = {} if merge == "concat" else {"merge": merge}
    options |= {} if dim == 1 else {"dim": dim}
    if activation:
        options["activation"] = read_activation(activation, "branches", place)
    return Layer("branches", present(options), name, inner, place=place)


def repeat(times: int, layers: Recipe, *, name: str = "") -> Layer:
    """The same layers several times in a row, each time with weights of their own.

    >>> net.repeat(3, Sequential().dense(32, "relu").dropout(0.1))

    Args:
        times: how often, at least once.
        layers: a chain or a list.
        name: of the block.
    """
    place = caller()
    _check_name(name, place)
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        came = times if isinstance(times, int) else type(times).__name__
        text = f"`repeat` expects a number of times, at least 1, and then layers; received {came}."
        raise layer_error(text, "repeat", place)
    return Layer("repeat", {"times": times}, name, (recipe(layers),), place=place)


_BLOCKS: dict[str, Callable[..., Layer]] = {
    "residual": residual,
    "branches": branches,
    "repeat": repeat,
}


def _check_name(name: object, place: Place) -> None:
    if not isinstance(name, str) or "." in name:
        text = f"The name of a layer is a string without dots; received {name!r}."
        raise layer_error(text, "", place)
    if hasattr(nn.Sequential, name) or hasattr(nn.ModuleDict, name) or name == "training":
        text = f"`{name}` is a method of torch's modules. Give the layer another name."
        raise layer_error(text, name, place)


def named(given: Layer, name: str) -> Layer:
    """The same layer under a name."""
    return replace(given, name=name)


def __getattr__(word: str) -> Callable[..., Layer]:
    if word not in VOCABULARY:
        raise AttributeError(f"module {__name__!r} has no attribute {word!r}")
    return _function(word)


def __dir__() -> list[str]:
    return sorted([*globals(), *VOCABULARY])


def _function(word: str) -> Callable[..., Layer]:
    """The function `layers.conv2d` and its like."""

    def make(*args: Any, name: str = "", **options: Any) -> Layer:
        return layer(word, *args, name=name, **options)

    make.__name__ = make.__qualname__ = word
    make.__doc__ = manual(VOCABULARY[word])
    make.__signature__ = VOCABULARY[word].signature  # type: ignore[attr-defined]
    globals()[word] = make
    return make
