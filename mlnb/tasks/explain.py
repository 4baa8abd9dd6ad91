"""Why a model answered so: `grad_cam`, `occlusion`, `words`, and `overlay` to look at them.

Maps are arrays from 0 to 1 over the picture; drawing them is somebody else's. Words have shares
from -1 to 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlnb.errors import DataError
from mlnb.formatting import Markup, html, plural
from mlnb.progress import progress

if TYPE_CHECKING:
    from torch import nn

Array = np.ndarray[Any, np.dtype[Any]]
Predict = Callable[[Any], Any]

_BATCH = 32
_MOST_WORDS = 512
_SHOWN = 200
"""Characters of what is behind the last word that was looked at."""
_SIGNS = "\\s!-/:-@\\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f"
_SIGN_WORDS = "\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = f"[^{_SIGNS}{_SIGN_WORDS}]"
_WORD = re.compile(f"[{_SIGN_WORDS}]|{_LETTER}+(?:['’-]{_LETTER}+)*")
_COLORS = np.array(
    [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], np.float64
)
"""The plasma colours of matplotlib at 0, ¼, ½, ¾ and 1: their brightness grows with the value."""


def grad_cam(
    model: Any, image: Any, target: int | None = None, layer: str | nn.Module | None = None
) -> Array:
    """Where in a picture a torch network sees a class: float32 `[height, width]`, 0 to 1.

    >>> seen = grad_cam(network, body.preprocess(picture))
    >>> overlay(picture, seen)

    The maps of the last convolution, each weighted by the mean gradient of the class's score, and
    what speaks for the class of their sum. Grad-CAM: Selvaraju et al., "Grad-CAM: Visual
    Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.

    Args:
        model: a torch module, or what holds one as its `module`; it stays as it is.
        image: one picture as the module takes it, `[3, height, width]` or `[1, 3, height, width]`.
        target: which output; the largest by default.
        layer: whose maps are taken, a name of `named_modules` or the module; by default what
            follows the last convolution at its size, its batch norm and activation.

    Raises:
        DataError: no torch module, no maps in it, or no such output.
        UnknownName: no layer of that name.
    """
    from mlnb.tasks.gradients import class_maps

    maps, gradients, size = class_maps(model, image, target, layer)
    weights = gradients.mean(axis=(1, 2))
    seen = np.maximum(np.tensordot(weights, maps, axes=1), 0)
    return _scaled(_resized(seen, size))


def occlusion(
    predict: Predict,
    image: Array,
    size: int | None = None,
    stride: int | None = None,
    target: int | None = None,
) -> Array:
    """Where a picture must not be covered: float32 `[height, width]`, 0 to 1, for any model.

    >>> seen = occlusion(classifier.predict_proba, picture)

    A grey square is laid over one place after another; how much the probability of the class falls
    is how much that place speaks for it. Zeiler and Fergus, "Visualizing and Understanding
    Convolutional Networks", ECCV 2014.

    Args:
        predict: from pictures, `uint8 [n, height, width, 3]`, to probabilities, `[n, classes]`.
        image: `uint8 [height, width, 3]`.
        size: the side of the square in pixels; a fifth of the shorter side by default.
        stride: how far it is moved; half its side by default. What it passes over stays 0.
        target: which class; the likeliest by default.

    Raises:
        DataError: no such picture or class, or `predict` answers something else.
    """
    picture = np.asarray(image)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise DataError(
            f"expected a picture, uint8 [height, width, 3]; received "
            f"{picture.dtype} {list(picture.shape)}"
        )
    height, width = picture.shape[:2]
    side = size or max(1, min(height, width) // 5)
    step = stride or max(1, side // 2)
    if side < 1 or step < 1:
        raise DataError(f"size is {size} and stride {stride}; expected pixels, 1 or more")
    whole = _answers(predict, picture[None])[0]
    column = _target(target, whole)
    grey = picture.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    boxes = [(y, x) for y in _starts(height, side, step) for x in _starts(width, side, step)]
    falls = np.zeros((height, width))
    covers = np.zeros((height, width))
    with progress("covering the picture", len(boxes)) as done:
        for start in range(0, len(boxes), _BATCH):
            part = boxes[start : start + _BATCH]
            covered = np.repeat(picture[None], len(part), axis=0)
            for one, (y, x) in zip(covered, part, strict=True):
                one[y : y + side, x : x + side] = grey
            given = _answers(predict, covered)[:, column]
            for (y, x), probability in zip(part, given, strict=True):
                falls[y : y + side, x : x + side] += whole[column] - probability
                covers[y : y + side, x : x + side] += 1
            done(start + len(part))
    return _scaled(np.maximum(falls / np.maximum(covers, 1), 0))


class Word(NamedTuple):
    """A word of a text and how much it speaks for the class.

    Args:
        text: as it stands there.
        start: where it begins.
        end: behind its last character.
        share: -1 to 1; above 0 it speaks for the class, below 0 against it.
    """

    text: str
    start: int
    end: int
    share: float


class Words(list[Word]):
    """The words of a text in its order; in a notebook the text with its words coloured.

    Args:
        words: with their shares.
        text: that they stand in.
        note: what was not looked at; empty where all was.
    """

    def __init__(self, words: Iterable[Word], text: str, note: str = "") -> None:
        super().__init__(words)
        self.text, self.note = text, note

    def _repr_html_(self) -> str:
        pieces: list[str] = []
        at = 0
        for word in self:
            pieces += [html("{gap}", gap=self.text[at : word.start]), _coloured(word)]
            at = word.end
        rest = self.text[at : at + _SHOWN]
        pieces += [html("{rest}", rest=rest), "…" if len(self.text) > at + _SHOWN else ""]
        note = html('<div style="opacity:.7">{note}</div>', note=self.note) if self.note else ""
        return html(
            '<div style="line-height:1.7">{pieces}</div>{note}',
            pieces=[Markup(piece) for piece in pieces],
            note=note,
        )


def words(
    predict_proba: Predict, text: str, target: int | None = None, *, until: int | None = None
) -> Words:
    """Which words of a text speak for a class, and which against it.

    >>> words(classifier.predict_proba, "The food was great")[3]
    Word(text='great', start=13, end=18, share=1.0)

    Each word is left out once; its share is by how much the probability of the class falls, of the
    largest change of any word: occlusion, as for pictures. So a text costs as much as one more of
    them for each of its words.

    Args:
        predict_proba: from a list of texts to probabilities, `[n, classes]`.
        text: what is explained.
        target: which class; the likeliest by default.
        until: up to which character the model reads; words behind it are not left out. No more
            than the first 512 words are in any case, and the answer's `note` says so.

    Raises:
        DataError: no such class, or `predict_proba` answers something else.
    """
    found, note = words_of(text, until)
    whole = _answers(predict_proba, [text])[0]
    column = _target(target, whole)
    falls = np.zeros(len(found))
    with progress("leaving words out", len(found)) as done:
        for start in range(0, len(found), _BATCH):
            left = found[start : start + _BATCH]
            without = [text[: word.start()] + text[word.end() :] for word in left]
            falls[start : start + _BATCH] = (
                whole[column] - _answers(predict_proba, without)[:, column]
            )
            done(start + len(left))
    return shared(text, found, falls, note)


def words_of(text: str, until: int | None = None) -> tuple[list[re.Match[str]], str]:
    """The words of a text that are looked at, and a sentence where those are not all.

    A word ends at white space and punctuation; of Chinese and Japanese each character is one.

    Args:
        text: of any length.
        until: up to which character the model reads.

    Raises:
        DataError: it is no text.
    """
    if not isinstance(text, str):
        raise DataError(f"expected a text; received {type(text).__name__}")
    found = list(islice(_WORD.finditer(text), _MOST_WORDS + 1))
    if until is not None and found and found[-1].start() >= until:
        read = [word for word in found if word.start() < until]
        if len(read) <= _MOST_WORDS:
            return (
                read,
                f"The model reads {plural(len(read), 'word')}; what is behind has no share.",
            )
    if len(found) > _MOST_WORDS:
        return found[:_MOST_WORDS], f"The first {_MOST_WORDS} words; those behind have no share."
    return found, ""


def shared(text: str, found: Sequence[re.Match[str]], weights: Array, note: str = "") -> Words:
    """Words with their shares: the weight of each, of the largest weight of any."""
    most = float(np.abs(weights).max(initial=0.0)) or 1.0
    shares = zip(found, weights.tolist(), strict=True)
    return Words(
        [Word(one.group(), one.start(), one.end(), weight / most) for one, weight in shares],
        text,
        note,
    )


def overlay(image: Array, seen: Array, strength: float = 0.6) -> Array:
    """A picture with a map over it, `uint8 [height, width, 3]`: the warmer, the more.

    >>> PIL.Image.fromarray(overlay(picture, grad_cam(network, pixels)))

    Args:
        image: `uint8 [height, width, 3]`.
        seen: 0 to 1, `[height, width]`; of another size, it is stretched over the picture.
        strength: how much of the picture the map hides where it is 1.
    """
    picture = np.asarray(image)
    weights = np.clip(_resized(np.asarray(seen, np.float64), picture.shape[:2]), 0, 1)
    places = np.linspace(0, 1, len(_COLORS))
    colors = np.stack([np.interp(weights, places, channel) for channel in _COLORS.T], axis=-1)
    share = strength * weights[:, :, None]
    mixed = picture * (1 - share) + colors * share
    return np.asarray(mixed.round().clip(0, 255), np.uint8)


# -------------------------------------------------------------------------------------------- parts


def _coloured(word: Word) -> Markup:
    """Blue for, orange against: told apart by those who do not see red and green too."""
    color = "30, 110, 210" if word.share > 0 else "225, 125, 20"
    return html(
        '<span title="{share}" style="background:rgba({color}, {depth});border-radius:3px">'
        "{text}</span>",
        share=f"{word.share:+.2f}",
        color=color,
        depth=f"{0.65 * abs(word.share):.2f}",
        text=word.text,
    )


def _answers(predict: Predict, given: Array | Sequence[str]) -> Array:
    """Probabilities `[n, classes]` of n pictures or texts."""
    found = np.asarray(predict(given), np.float64)
    if found.ndim == 1 and len(given) == 1:
        found = found[None]
    if found.ndim != 2 or len(found) != len(given) or not found.size:
        raise DataError(
            f"expected probabilities, [{len(given)}, classes]; the model answered "
            f"{list(found.shape)}"
        )
    return found


def _target(target: int | None, answer: Array) -> int:
    if target is None:
        return int(np.argmax(answer))
    if not 0 <= int(target) < len(answer):
        raise DataError(f"target is {target}; the model has the outputs 0 to {len(answer) - 1}")
    return int(target)


def _starts(length: int, side: int, step: int) -> Iterator[int]:
    """Where squares begin so that they cover all of a length, the last one at its end."""
    last = max(0, length - side)
    yield from range(0, last, step)
    yield last


def _resized(values: Array, size: tuple[int, ...]) -> Array:
    """A map, bilinear, at another size."""
    from PIL import Image

    height, width = size
    if values.shape == (height, width):
        return values
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float64)


def _scaled(values: Array) -> Array:
    """From 0 to 1; nothing anywhere stays nothing."""
    most = float(values.max(initial=0.0))
    return np.asarray(values / most if most > 0 else values, np.float32)
