"""Texts as a classifier takes them: `clean`, `describe_texts`; their labels are in `label_map.py`.

A missing text is an empty one, and is counted; whatever else is no text is refused, because a
column of numbers that is read as text is nearly always the wrong column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.label_map import LabelMap, encodable, is_missing
from mlnb.data.text_columns import Columns, columns_of
from mlnb.errors import DataError
from mlnb.formatting import Markup, display_text, facts_table, plural

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["LabelMap", "TextFacts", "clean", "describe_texts", "folded"]

_SHOWN = 8
_SEVERAL = (list, tuple, set, frozenset, np.ndarray)


def clean(
    texts: Iterable[Any], what: str = "texts", *, tell: Callable[[str], object] | None = None
) -> list[str]:
    r"""The texts as plain strings, which a tokenizer takes.

    >>> clean(["Good.", None, "half an emoji \ud83d"])
    ['Good.', '', 'half an emoji \ufffd']

    Args:
        texts: a column, a list, or anything that one goes through; what is missing (`None`, NaN)
            becomes "".
        what: what they are, for messages.
        tell: takes a sentence on how many were missing.

    Raises:
        DataError: a single text, a whole frame, or something in it that is no text, with its row.
    """
    expected = f"{what} are a list or a column of strings; received "
    if isinstance(texts, str):
        raise DataError(f"{expected}one string: put it into brackets")
    if isinstance(texts, bytes | Mapping) or hasattr(texts, "columns"):
        raise DataError(f"{expected}{type(texts).__name__}")
    try:
        given = list(texts)
    except TypeError as error:
        raise DataError(f"{expected}{type(texts).__name__}") from error
    strings = [_string(text, row, what) for row, text in enumerate(given)]
    missing = sum(not isinstance(text, str) for text in given)
    if missing and tell:
        tell(f"{plural(missing, 'row')} of {what} missing, taken as empty")
    return strings


def _string(text: Any, row: int, what: str) -> str:
    if isinstance(text, str):
        return encodable(str(text))
    if is_missing(text):
        return ""
    raise DataError(
        f"{what} are strings; row {row:,}, counted from 0, is {display_text(repr(text), 40)} "
        f"({type(text).__name__}): "
        + ("decode it first" if isinstance(text, bytes) else "is it the right column?")
    )


def folded(text: Any) -> str:
    r"""What two texts have in common that say the same: case and white space do not count.

    >>> folded("  Loved\tIT ")
    'loved it'
    """
    return "" if is_missing(text) else " ".join(str(text).casefold().split())


@dataclass(frozen=True)
class TextFacts:
    """What one wants to know of texts before training on them.

    Args:
        rows: how many.
        empty: without a single character, or missing.
        whitespace: with nothing but white space.
        duplicates: rows that say what an earlier one says, but for case and white space.
        contradictions: different texts that come with more than one label.
        lengths: characters of the shortest, the median and the longest text that says something.
        labels: how often each label comes, in the order of the labels.
        unlabelled: rows without a label.
    """

    rows: int
    empty: int
    whitespace: int
    duplicates: int
    contradictions: int
    lengths: tuple[int, int, int]
    labels: dict[Any, int]
    unlabelled: int

    def _facts(self) -> list[tuple[str, str]]:
        shortest, median, longest = self.lengths
        facts = [
            ("texts", f"{self.rows:,}"),
            ("characters", f"{shortest:,} to {longest:,}, median {median:,}"),
            ("empty", _count(self.empty)),
            ("only white space", _count(self.whitespace)),
            ("repeated", _count(self.duplicates)),
        ]
        if self.labels:
            most = list(self.labels.items())[:_SHOWN]
            shown = [f"{display_text(str(label), 40)} {count:,}" for label, count in most]
            more = len(self.labels) - len(most)
            facts += [
                ("labels", ", ".join(shown) + (f" and {more:,} more" if more else "")),
                ("without a label", _count(self.unlabelled)),
                ("labelled in two ways", _count(self.contradictions)),
            ]
        return facts

    def __repr__(self) -> str:
        return "TextFacts(" + "; ".join(f"{name}: {fact}" for name, fact in self._facts()) + ")"

    def _repr_html_(self) -> Markup:
        return facts_table(self._facts())


def _count(number: int) -> str:
    return f"{number:,}" if number else "none"


def describe_texts(
    data: DataFrame | Iterable[Any], text: str | None = None, label: str | None = None
) -> TextFacts:
    """Count what is empty, said twice, or labelled in two ways, and how long the texts are.

    >>> facts = describe_texts(["Good.", "good. ", "", "Bad!"])
    >>> facts.empty, facts.duplicates
    (1, 1)

    Args:
        data: a frame, or the texts themselves.
        text: the column with the texts; it may be left away where one alone can be meant, as in
            `TextClassifier.fit`.
        label: the column with the labels, likewise; there may be none.

    Raises:
        UnknownName: no such column.
        DataError: none or several columns can be meant, or something in it is no text.
    """
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        return _facts_of(clean(data), None)
    columns = _columns(data, Columns(text, target=label))
    texts = clean(data[columns.text], display_text(str(columns.text), 40))
    return _facts_of(texts, None if columns.target is None else list(data[columns.target]))


def _facts_of(texts: list[str], labels: list[Any] | None) -> TextFacts:
    said = [folded(text) for text in texts]
    lengths = [len(text) for text, words in zip(texts, said, strict=True) if words] or [0]
    different = Counter(filter(None, said))
    given = [] if labels is None else [label for label in labels if not is_missing(label)]
    return TextFacts(
        rows=len(texts),
        empty=texts.count(""),
        whitespace=sum(bool(text) and not words for text, words in zip(texts, said, strict=True)),
        duplicates=different.total() - len(different),
        contradictions=_contradictions(said, labels or []),
        lengths=(min(lengths), int(np.median(lengths)), max(lengths)),
        labels=_counts(given),
        unlabelled=len(labels or []) - len(given),
    )


def _contradictions(said: list[str], labels: list[Any]) -> int:
    of_text: dict[str, set[str]] = {}
    for words, label in zip(said, labels, strict=False):
        if words and not is_missing(label):
            of_text.setdefault(words, set()).add(str(label))
    return sum(len(different) > 1 for different in of_text.values())


def _counts(labels: list[Any]) -> dict[Any, int]:
    """By label, where they have an order; a row of several labels counts for each of them."""
    counts: Counter[Any] = Counter()
    for label in labels:
        counts.update(label if isinstance(label, _SEVERAL) else (label,))
    try:
        return dict(sorted(counts.items()))
    except TypeError:
        return dict(counts.most_common())


def _columns(frame: DataFrame, asked: Columns) -> Columns:
    """As a classifier guesses them; labels need not be there."""
    try:
        return columns_of(frame, asked, labelled=True)
    except DataError:
        if asked.target is not None:
            raise
        return columns_of(frame, asked, labelled=False)
