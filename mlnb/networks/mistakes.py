"""What is said when a layer cannot stand where it stands: the layer, its line, and the remedy.

Shapes in messages are those of one sample, as the user writes them; torch's own words come last,
and only where nothing better is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isqrt, prod
from typing import TYPE_CHECKING

from mlnb.errors import LayerError, UnknownName, unknown
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.networks.places import Place
    from mlnb.networks.vocabulary import Word

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Spot:
    """Where a layer is to stand.

    Args:
        name: of the layer.
        came: the shape of one sample that reaches it, for each of its inputs.
        before: the names and words of the layers before it, the nearest last; empty at the input.
        place: its line.
    """

    name: str
    came: tuple[Sizes, ...]
    before: tuple[tuple[str, str], ...] = ()
    place: Place | None = None

    @property
    def shape(self) -> Sizes:
        """What reaches it first."""
        return self.came[0] if self.came else ()

    @property
    def source(self) -> str:
        """``the input is [28, 28]`` or ```flatten` before it gave [1568]``."""
        if not self.before:
            return f"the input is {shape_of(self.shape)}"
        return f"`{self.before[-1][0]}` before it gave {shape_of(self.shape)}"


def layer_error(text: str, name: str, place: Place | None) -> LayerError:
    """The error of a layer, with its line in front."""
    error = LayerError(f"{place}: {text}" if place else text)
    error.layer, error.line = name, place.line if place else None
    return error


def misspelt(kind: str, name: str, names: Iterable[str], place: Place | None) -> UnknownName:
    """The error for a word that does not exist, with its line in front."""
    found = str(unknown(kind, name, names))
    return UnknownName(f"{place}: {found}" if place else found)


def a_class(cls: type, place: Place) -> LayerError:
    """The error for `add(nn.ReLU)`."""
    name = display_text(cls.__name__)
    text = f"`add` expects a layer; received the class {name}. Write add({name}(…)), an instance."
    return layer_error(text, name, place)


def shape_of(sizes: Sequence[int]) -> str:
    """`[1, 28, 28]`."""
    return f"[{', '.join(map(str, sizes))}]"


# ---------------------------------------------------------------------------- before torch is asked


def check_axes(word: Word, spot: Spot) -> None:
    """Refuse a sample with another number of axes than the word takes; torch often would not."""
    ranks = _ANY_OF.get(word.name, ())
    expected = shape_of(word.takes) if word.takes else ""  # type: ignore[arg-type]
    if word.takes is not None:
        ranks = (len(word.takes),)
    if ranks and len(spot.shape) not in ranks:
        expected = expected or _SAID[word.name]
        text = f"`{spot.name}` expects {expected}; {spot.source}. {_axes_remedy(word, spot)}"
        raise layer_error(text.strip(), spot.name, spot.place)


_ANY_OF = {"batch_norm": (1, 2, 3, 4), "instance_norm": (2, 3, 4), "dense": tuple(range(1, 9))}
_SAID = {
    "batch_norm": "[features] to [channels, depth, height, width]",
    "instance_norm": "[channels, length] to [channels, depth, height, width]",
    "dense": "[…, features]",
}
_FLATTENS = ("flatten", "global_avg_pool", "global_max_pool")
_PLURAL = {"conv": "the convolutions", "pool": "the pooling layers"}


def _axes_remedy(word: Word, spot: Spot) -> str:
    shape, takes = spot.shape, word.takes or ()
    sibling = _sibling(word, len(shape))
    if not spot.before:
        return _input_remedy(word, shape)
    flattening = [name for name, kind in spot.before if kind.startswith(_FLATTENS)]
    last, kind = spot.before[-1]
    if len(shape) == 1 and kind in ("lstm", "gru", "rnn"):
        return f'Write returns="all" in `{last}`.'
    if word.family == "recurrent" and len(shape) == 3:
        return "Put `flatten(2).permute(1, 0)` before it: places become time, channels features."
    if flattening and len(shape) == 1 and word.family != "norm":
        after = _PLURAL.get(word.family, f"`{spot.name}`")
        return f"Remove `{flattening[-1]}` or move it after {after}."
    if sibling:
        return f"Use `{sibling}`."
    if len(shape) == 1:
        sizes = ", ".join(takes)
        return f"Put `reshape({sizes})` before it, {shape[0]} values in all."
    return f"Put `reshape({', '.join(takes)})` before it."


def _input_remedy(word: Word, shape: Sizes) -> str:
    takes = word.takes or ()
    if len(shape) == len(takes) + 1:
        if shape[0] == 1 and word.family == "recurrent":
            return f"Put `reshape({', '.join(map(str, shape[1:]))})` before it."
        return f"input_shape is of one sample, without the batch: input_shape={shape[1:]}."
    if len(shape) == len(takes) - 1:
        whole = (*shape, 1) if word.family in ("recurrent", "attention") else (1, *shape)
        return f"Write input_shape={whole}."
    side = isqrt(shape[0]) if len(shape) == 1 else 0
    if len(takes) == 3 and side and side * side == shape[0]:
        return f"Put `reshape(1, {side}, {side})` before it."
    return f"Put `reshape({', '.join(takes)})` before it."


def _sibling(word: Word, rank: int) -> str:
    """The word for other dimensions that takes as many axes: `conv1d` for `conv2d`."""
    from mlnb.networks.vocabulary import VOCABULARY

    stem = re.fullmatch(r"(.+)[123]d", word.name)
    if not stem:
        return ""
    if rank == 1:
        return {"batch_norm": "batch_norm1d", "dropout": "dropout"}.get(stem[1], "")
    name = f"{stem[1]}{rank - 1}d"
    return name if name in VOCABULARY else ""


# ----------------------------------------------------------------------------- after torch said no


def explained(word: str, options: dict[str, object], spot: Spot, error: Exception) -> LayerError:
    """What torch said of a layer, as one sentence with its remedy where that is known."""
    said = " ".join(str(error).split())
    for pattern, tell in _KNOWN:
        if re.search(pattern, said):
            text = tell(word, options, spot)
            if text:
                return layer_error(text, spot.name, spot.place)
    told = display_text(said, 200) or type(error).__name__
    text = f"`{spot.name}` cannot work here; {spot.source}. torch says: {told}"
    return layer_error(text, spot.name, spot.place)


def _kernel(word: str, options: dict[str, object], spot: Spot) -> str:
    kernel = options.get("kernel_size")
    room = min(spot.shape[1:], default=0)
    shape = " × ".join(
        map(str, kernel if isinstance(kernel, tuple) else [kernel] * len(spot.shape[1:]))
    )
    channels_last = len(spot.shape) == 3 and spot.shape[-1] in (1, 3, 4) and not spot.before
    remedy = (
        f"Channels come first: input_shape={(spot.shape[2], *spot.shape[:2])}."
        if channels_last
        else f'Use kernel_size={room}, padding="same", or pool less before it.'
    )
    return f"`{spot.name}` has a kernel of {shape}; {spot.source}. {remedy}"


def _too_small(word: str, options: dict[str, object], spot: Spot) -> str:
    return (
        f"`{spot.name}` leaves nothing of it; {spot.source}. "
        f"Remove `{spot.name}` or a pooling layer before it."
    )


def _groups(word: str, options: dict[str, object], spot: Spot) -> str:
    key = "num_groups" if word == "group_norm" else "groups"
    channels = spot.shape[0]
    outs = options.get("out_channels", channels)
    common = [n for n in _divisors(channels) if isinstance(outs, int) and outs % n == 0]
    what = f"{channels} channels"
    if word != "group_norm":
        what += f" to {outs}"
    return (
        f"`{spot.name}` cannot cut {what} into {options.get(key)} equal groups; {spot.source}. "
        f"Use {key}={_or(common)}."
    )


def _heads(word: str, options: dict[str, object], spot: Spot) -> str:
    key = "num_heads" if word == "multihead_attention" else "nhead"
    features = spot.shape[-1]
    return (
        f"`{spot.name}` cannot share {features} features among {options.get(key)} heads; "
        f"{spot.source}. Use {key}={_or(_divisors(features))}."
    )


def _reshaped(word: str, options: dict[str, object], spot: Spot) -> str:
    sizes = options.get("sizes")
    if not isinstance(sizes, tuple):
        return ""
    shown, have = ", ".join(map(str, sizes)), prod(spot.shape)
    if -1 in sizes:
        rest = -prod(sizes)
        need = f"a multiple of {rest} values"
    else:
        need = f"{prod(sizes)} values"
    advice = ""
    for at in range(len(sizes)):
        others = prod(s for i, s in enumerate(sizes) if i != at and s != -1)
        if others > 0 and have % others == 0:
            fit = ", ".join(str(have // others if i == at else s) for i, s in enumerate(sizes))
            advice = f" `reshape({fit})` would fit." if -1 not in sizes else ""
            break
    return f"`{spot.name}` to [{shown}] needs {need}; {spot.source}, which is {have}.{advice}"


def _strided(word: str, options: dict[str, object], spot: Spot) -> str:
    kernel = options.get("kernel_size")
    half = tuple(k // 2 for k in kernel) if isinstance(kernel, tuple) else int(str(kernel)) // 2
    return (
        f'`{spot.name}` cannot have padding="same" with a stride of {options.get("stride")}. '
        f"Write padding={half}, half the kernel."
    )


def _pool_padding(word: str, options: dict[str, object], spot: Spot) -> str:
    return (
        f"`{spot.name}` has padding={options.get('padding')}, more than half of its kernel of "
        f"{options.get('kernel_size')}. Pad less."
    )


def _shuffled(word: str, options: dict[str, object], spot: Spot) -> str:
    factor = options.get("upscale_factor")
    if not isinstance(factor, int):
        return ""
    more = -(-spot.shape[0] // factor**2) * factor**2
    return (
        f"`{spot.name}` by {factor} needs a multiple of {factor**2} channels; {spot.source}. "
        f"Give the layer before it {more} channels."
    )


def _axes_order(word: str, options: dict[str, object], spot: Spot) -> str:
    axes = options.get("axes")
    if word != "permute":
        return ""
    order = ", ".join(map(str, reversed(range(len(spot.shape)))))
    return (
        f"`{spot.name}` expects each axis of a sample once, counted from 0 without the batch, such "
        f"as permute({order}); received {axes}; {spot.source}."
    )


_KNOWN = (
    (r"Kernel size can't be greater|kernel size should be greater|Padding size should be", _kernel),
    (r"Output size is too small|output size.*too small|invalid.*output.size", _too_small),
    (r"num_channels.* must be divisible|must be divisible by groups", _groups),
    (r"divisible by num_heads", _heads),
    (r"is invalid for input of size", _reshaped),
    (r"padding='same' is not supported for strided", _strided),
    (r"pad should be at most half|padding should be at most half", _pool_padding),
    (r"pixel_shuffle expects its input's 'channel' dimension", _shuffled),
    (r"permute|Dimension out of range|repeated dim|duplicate dim", _axes_order),
)


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def _or(numbers: Sequence[int]) -> str:
    """`1, 2 or 4`; the largest six where there are many."""
    shown = [str(n) for n in numbers[-6:]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
