"""Which words of a text speak for an answer: `words`, whose shares are from -1 to 1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from mlnb.errors import DataError
from mlnb.figures.words import coloured
from mlnb.formatting import Markup, html, plural
from mlnb.progress import progress
from mlnb.tasks.answers import Predict, answers, checked_target

Array = np.ndarray[Any, np.dtype[Any]]

_BATCH = 32
_MOST_WORDS = 512
_SHOWN = 200
"""Characters of what is behind the last word that was looked at."""
_SIGNS = "\\s!-/:-@\\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f"
_SIGN_WORDS = "\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = f"[^{_SIGNS}{_SIGN_WORDS}]"
_WORD = re.compile(f"[{_SIGN_WORDS}]|{_LETTER}+(?:['’-]{_LETTER}+)*")


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

    @property
    def pieces(self) -> list[tuple[str, float | None]]:
        """The whole text in pieces: its words with their shares, and what lies between them."""
        found: list[tuple[str, float | None]] = []
        at = 0
        for word in self:
            found += [(self.text[at : word.start], None), (word.text, word.share)]
            at = word.end
        return [(piece, share) for piece, share in (*found, (self.text[at:], None)) if piece]

    def _repr_html_(self) -> Markup:
        most = (self[-1].end if self else 0) + _SHOWN
        return html(
            '<div style="line-height:1.7">{text}</div><div style="opacity:.7">bold speaks for it, '
            "italic against it{note}</div>",
            text=coloured(self.pieces, most),
            note=f" · {self.note}" if self.note else "",
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
    whole = answers(predict_proba, [text])[0]
    column = checked_target(target, whole)
    falls = np.zeros(len(found))
    with progress("leaving words out", len(found)) as done:
        for start in range(0, len(found), _BATCH):
            left = found[start : start + _BATCH]
            without = [text[: word.start()] + text[word.end() :] for word in left]
            falls[start : start + _BATCH] = (
                whole[column] - answers(predict_proba, without)[:, column]
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
