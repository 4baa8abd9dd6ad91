"""What a text classifier is given, brought to one form: `TextRows`.

Texts, pairs of texts, or a frame; with or without labels. Everything is looked at before anything
is computed; a label or a text that is missing leaves its row out of learning with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import is_left_out, kind_text
from mlnb.data.sample import Sample
from mlnb.data.text import clean
from mlnb.data.text_columns import Columns, columns_of
from mlnb.errors import DataError, unknown
from mlnb.formatting import plural
from mlnb.tasks.texts.labels import labels_of

if TYPE_CHECKING:
    from pandas import DataFrame, Index, Series

Array = np.ndarray[Any, np.dtype[Any]]

SPLIT = "split"


@dataclass(frozen=True)
class TextRows:
    """Texts, or pairs of them, with labels where there are some.

    Args:
        texts: one each; "" where it is missing.
        ids: of the rows, each once.
        pairs: the second text of each, where there are two.
        labels: one each, of many labels a tuple; `None` where it is missing; or no labels at all.
        names: of many labels given as a table of 0 and 1, those of its columns.
        frame: the rows of the frame that they came from.
        columns: which of its columns were taken.
    """

    texts: tuple[str, ...]
    ids: Index
    pairs: tuple[str, ...] | None = None
    labels: tuple[Any, ...] | None = None
    names: tuple[Any, ...] | None = None
    frame: DataFrame | None = None
    columns: Columns | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def is_empty(self) -> Array:
        """Whether there is nothing to read in a row, `bool [n]`."""
        seconds = self.pairs or ("",) * len(self)
        both = zip(self.texts, seconds, strict=True)
        return np.fromiter((not (a.strip() or b.strip()) for a, b in both), bool, len(self))

    @property
    def splits(self) -> tuple[str, ...] | None:
        """ "train", "validation" or "test" for each, where the frame says so."""
        if self.frame is None or SPLIT not in self.frame:
            return None
        return tuple(map(str, self.frame[SPLIT]))

    @property
    def is_left_out(self) -> Array:
        """Whether a row was left out by hand, `bool [n]`."""
        return np.zeros(len(self), bool) if self.frame is None else is_left_out(self.frame)

    def rows(self, numbers: Sequence[int] | Array) -> TextRows:
        """Some of them, in this order."""
        chosen = [int(number) for number in numbers]
        return replace(
            self,
            texts=tuple(self.texts[i] for i in chosen),
            ids=self.ids[chosen],
            pairs=None if self.pairs is None else tuple(self.pairs[i] for i in chosen),
            labels=None if self.labels is None else tuple(self.labels[i] for i in chosen),
            frame=None if self.frame is None else self.frame.iloc[chosen],
        )

    def of_split(self, *names: str) -> TextRows:
        """Those of a split."""
        return self.rows([i for i, name in enumerate(self.splits or ()) if name in names])

    def joined(self, other: TextRows) -> TextRows:
        """These, then the others; frames are left behind."""
        if not other:
            return replace(self, frame=None)
        return TextRows(
            (*self.texts, *other.texts),
            self.ids.append(other.ids),
            None if self.pairs is None else (*self.pairs, *(other.pairs or ())),
            None if self.labels is None else (*self.labels, *(other.labels or ())),
            self.names,
        )

    def shown(self) -> tuple[DataFrame, str]:
        """A frame to look at, by the ids, and which of its columns is the text, or the pair."""
        import pandas as pd

        frame = pd.DataFrame(index=self.ids)
        if self.frame is not None:
            frame = self.frame.set_axis(self.ids)
        column = "text" if self.columns is None else str(self.columns.text)
        if self.pairs is not None:
            column = f"{column} | {self.columns.text_pair if self.columns else 'text_pair'}"
            return frame.assign(**{column: list(zip(self.texts, self.pairs, strict=True))}), column
        return frame.assign(**{column: list(self.texts)}), column


def take_texts(
    given: Any, y: Any = None, columns: Columns | None = None, *, labelled: bool = True
) -> TextRows:
    """`TextRows` of whatever a classifier is given.

    >>> take_texts(["It was good.", "It was bad."], [1, 0]).labels
    (1, 0)

    Args:
        given: texts in a list, a series or an array; pairs of texts in a list of tuples or an array
            `[n, 2]`; a frame, or a `Sample` of one.
        y: a label for each; by default the frame's.
        columns: which of a frame's are meant; what is not said is guessed.
        labelled: whether a frame's labels are wanted.

    Raises:
        DataError: something else, or labels that do not go with it.
    """
    import pandas as pd

    if isinstance(given, Sample):
        given = given.data()
    asked = columns or Columns()
    if isinstance(given, pd.DataFrame):
        rows = _of_frame(given, asked, labelled=labelled and y is None)
    else:
        if asked != Columns():
            raise DataError(
                "text=, text_pair= and target= name columns of a frame; received "
                f"{kind_text(given)}."
            )
        rows = _of_texts(given)
    if y is None:
        return rows
    labels, names = labels_of(y)
    if len(labels) != len(rows):
        raise DataError(
            f"There are {plural(len(rows), 'text')} and {plural(len(labels), 'label')}."
        )
    return replace(rows, labels=labels, names=names)


def usable(rows: TextRows) -> tuple[TextRows, dict[Any, str]]:
    """Those to learn from, and why the others are left out, by their ids."""
    why = {int(i): "it was left out by hand" for i in np.flatnonzero(rows.is_left_out)}
    for number, label in enumerate(rows.labels or ()):
        if label is None:
            why.setdefault(number, "it has no label")
    for empty in np.flatnonzero(rows.is_empty):
        why.setdefault(int(empty), "its text is empty")
    kept = [i for i in range(len(rows)) if i not in why]
    return rows.rows(kept), {rows.ids[i]: why[i] for i in sorted(why)}


def named_data(given: Any) -> Any:
    """What a name stands for where data is expected: a sample, or a file with a table.

    Raises:
        DataError: neither; a single text cannot be learnt from.
    """
    import os

    from mlnb.data.samples import list_samples, load_sample

    if isinstance(given, Sample):
        return given.data()
    if isinstance(given, os.PathLike) or (isinstance(given, str) and os.path.isfile(given)):
        from mlnb.data.tables import read_table

        return read_table(given)
    if not isinstance(given, str):
        return given
    names = [sample.name for sample in list_samples() if sample.kind == "text"]
    if given in names:
        return load_sample(given).data()
    raise unknown("sample of texts, and no file,", given, names)


def _of_frame(frame: DataFrame, asked: Columns, *, labelled: bool) -> TextRows:
    columns = columns_of(frame, asked, labelled=labelled)
    texts = _cleaned(frame[columns.text])
    pairs = None if columns.text_pair is None else _cleaned(frame[columns.text_pair])
    labels, names = None, None
    if labelled and columns.target is not None:
        labels, names = labels_of(frame[columns.target])
    return TextRows(texts, _ids(frame), pairs, labels, names, frame, columns)


def _of_texts(given: Any) -> TextRows:
    import pandas as pd

    if isinstance(given, str):
        given = [given]
    if isinstance(given, bytes | bytearray | dict | set | frozenset):
        raise DataError(_expected(given))
    try:
        several = list(np.asarray(given, object) if hasattr(given, "to_numpy") else given)
    except TypeError as error:
        raise DataError(_expected(given)) from error
    found = _ids(given) if isinstance(given, pd.Series) else pd.RangeIndex(len(several))
    if several and all(_is_row(one) for one in several):
        widths = {len(one) for one in several}
        if widths == {1}:
            return TextRows(_cleaned([one[0] for one in several]), found)
        if widths == {2}:
            first, second = zip(*several, strict=True)
            return TextRows(_cleaned(first), found, _cleaned(second))
        raise DataError(
            f"A row has {' or '.join(map(str, sorted(widths)[:3]))} texts; expected one, or two "
            "for a classifier of pairs."
        )
    return TextRows(_cleaned(several), found)


def _ids(given: DataFrame | Series) -> Index:
    """Its index; the row numbers where that names a row twice."""
    import pandas as pd

    return given.index if given.index.is_unique else pd.RangeIndex(len(given))


def _cleaned(texts: Any) -> tuple[str, ...]:
    return tuple(clean(texts))


def _is_row(one: Any) -> bool:
    return isinstance(one, tuple | list) or (isinstance(one, np.ndarray) and one.ndim == 1)


def _expected(given: Any) -> str:
    return (
        "Texts are a list, a series or an array of strings, pairs of strings, or a frame; "
        f"received {kind_text(given)}."
    )
