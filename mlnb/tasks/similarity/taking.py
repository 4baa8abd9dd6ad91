"""What `SentenceSimilarity` is given, brought to one form: `take_pairs`.

Two lists of sentences, `[n, 2]` of them as scikit-learn hands them out, or a frame; scores are one
number a pair and never anything that could be broadcast against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.label_map import is_missing
from mlnb.data.rows import columns_text, kind_text, require_column, taking_part
from mlnb.data.sample import Sample
from mlnb.data.text import clean
from mlnb.errors import DataError
from mlnb.formatting import display_text, plural
from mlnb.tasks.similarity.pairs import Pairs

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, np.dtype[Any]]

SENTENCES = (
    ("sentence_a", "sentence_b"),
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("a", "b"),
)
SCORES = ("score", "similarity", "relatedness_score", "label", "target")
_SPLIT = "split"


@dataclass(frozen=True)
class Columns:
    """Names of a frame's columns; what is `None` is guessed.

    Args:
        a: of the first sentences.
        b: of the second ones.
        target: of the scores.
    """

    a: Any = None
    b: Any = None
    target: Any = None


def take_pairs(
    first: Any,
    second: Any = None,
    scores: Any = None,
    columns: Columns | None = None,
    *,
    labelled: bool = True,
) -> Pairs:
    """`Pairs` of whatever the task is given.

    >>> take_pairs(["A dog runs."], ["A dog is running."], [4.5]).scores
    array([4.5])

    Args:
        first: the first sentences; or both, as a frame, a `Sample` of one, or `[n, 2]` of strings.
        second: the second sentences; or, where `first` has both, the scores.
        scores: a number for each pair; by default the frame's.
        columns: which of a frame's are meant.
        labelled: whether a frame's scores are wanted.

    Raises:
        DataError: something else, unequal lengths, scores that are no numbers.
        UnknownName: there is no such column.
    """
    import pandas as pd

    asked = columns or Columns()
    if isinstance(first, Sample):
        first = first.data()
    has_both = isinstance(first, pd.DataFrame)
    if second is not None and scores is None and (has_both or not _are_texts(second)):
        second, scores = None, second
    if has_both and second is None:
        pairs = _of_frame(first, asked, labelled=labelled and scores is None)
    elif asked != Columns():
        raise DataError(f"a=, b= and target= name columns of a frame; received {kind_text(first)}.")
    else:
        pairs = _of_table(first) if second is None else _of_lists(first, second)
    return pairs if scores is None else replace(pairs, scores=_scores_of(scores, len(pairs)))


def _of_frame(frame: DataFrame, asked: Columns, *, labelled: bool) -> Pairs:
    a, b = _sentences(frame, asked)
    target = _one_of(frame, asked.target, SCORES, "target=") if labelled else None
    return Pairs(
        tuple(clean(frame[a], display_text(str(a), 40))),
        tuple(clean(frame[b], display_text(str(b), 40))),
        frame.index,
        None if target is None else _scores_of(frame[target], len(frame)),
        np.asarray(frame[_SPLIT].astype(str)) if _SPLIT in frame else None,
        taking_part(frame),
    )


def _sentences(frame: DataFrame, asked: Columns) -> tuple[Any, Any]:
    """The columns of the sentences: as asked for, or as they are mostly called."""
    found = asked.a, asked.b
    if found == (None, None):
        called = {str(name).casefold(): name for name in frame.columns}
        usual = [(called[a], called[b]) for a, b in SENTENCES if a in called and b in called]
        found = usual[0] if usual else found
    if None in found:
        raise DataError(
            "Which two columns hold the sentences? The frame has "
            f"{columns_text(frame)}. Name them: a=, b="
        )
    for name in found:
        require_column(frame, name)
    return found


def _one_of(frame: DataFrame, asked: Any, names: Sequence[str], word: str) -> Any:
    found = [column for name in names for column in frame if str(column).casefold() == name]
    if asked is None and not found:
        raise DataError(
            f"Which column holds the scores? The frame has {columns_text(frame)}. Name it: {word}"
        )
    name = found[0] if asked is None else asked
    require_column(frame, name)
    return name


def _of_lists(first: Any, second: Any) -> Pairs:
    import pandas as pd

    a, b = (
        [one] if isinstance(one, str) else clean(_flat(one), what)
        for one, what in ((first, "The first sentences"), (second, "The second sentences"))
    )
    if len(a) != len(b):
        raise DataError(
            f"There are {plural(len(a), 'first sentence')} and {len(b):,} second; a pair has one "
            "of each."
        )
    index = first.index if isinstance(first, pd.Series) else pd.RangeIndex(len(a))
    return Pairs(tuple(a), tuple(b), index)


def _of_table(given: Any) -> Pairs:
    import pandas as pd

    expected = "Pairs are two lists of sentences, [n, 2] of strings, or a frame; received "
    if isinstance(given, str | bytes | dict | set):
        raise DataError(f"{expected}{kind_text(given)}.")
    try:
        rows = list(given)
        widths = {1 if isinstance(row, str) else len(row) for row in rows}
    except TypeError as error:
        raise DataError(f"{expected}{kind_text(given)}.") from error
    if widths - {2}:
        shown = " or ".join(map(str, sorted(widths)[:3]))
        raise DataError(f"{expected}rows of {shown}.")
    a, b = zip(*rows, strict=True) if rows else ((), ())
    first, second = clean(a, "The first sentences"), clean(b, "The second sentences")
    return Pairs(tuple(first), tuple(second), pd.RangeIndex(len(rows)))


def _scores_of(given: Any, rows: int) -> Array:
    """One number a pair, `float64 [n]`; a table `[n, 1]` is that column.

    `[n]` against `[n, 1]` would be broadcast to `[n, n]` by whatever computes a loss.
    """
    table = np.asarray(given)
    if table.ndim == 2 and table.shape[1] == 1:
        table = table[:, 0]
    if table.ndim != 1:
        raise DataError(f"Scores are one number a pair, [n]; received {list(table.shape)}.")
    if len(table) != rows:
        raise DataError(f"There are {plural(rows, 'pair')} and {plural(len(table), 'score')}.")
    return np.array([_number(value, row) for row, value in enumerate(table)], np.float64)


def _number(value: Any, row: int) -> float:
    if is_missing(value):
        return float("nan")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        shown = display_text(repr(str(value) if isinstance(value, str) else value), 40)
        raise DataError(f"Scores are numbers; row {row:,}, from 0, has {shown}.") from error
    if np.isinf(number):
        raise DataError(f"Scores are finite; row {row:,}, from 0, has {number}.")
    return number


def _are_texts(given: Any) -> bool:
    """Whether these are sentences rather than scores, by the first that is there."""
    if isinstance(given, str):
        return True
    try:
        found = next((one for one in _flat(given) if not is_missing(one)), "")
    except TypeError:
        return False
    return isinstance(found, str | bytes)


def _flat(given: Any) -> Any:
    """A table of one column is that column."""
    table = given if hasattr(given, "shape") else None
    if table is not None and len(table.shape) == 2 and table.shape[1] == 1:
        return np.asarray(table)[:, 0]
    return given
