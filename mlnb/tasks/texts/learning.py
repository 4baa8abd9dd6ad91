"""What a classifier learns from: `Learnt`, texts to train on and texts to validate on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import columns_text, left_out_text
from mlnb.data.text import folded
from mlnb.data.text_columns import Columns
from mlnb.errors import DataError
from mlnb.tasks.estimator import train_and_validation
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.labels import codes_of, has_many, label_map
from mlnb.tasks.texts.taking import TextRows, named_data, take_texts, usable

if TYPE_CHECKING:
    from mlnb.data.label_map import LabelMap

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Learnt:
    """Labelled texts, and which of them are for training.

    Args:
        rows: those to train on first, then those to validate on.
        codes: the class of each, `int64 [n]`; of many labels `float32 [n, classes]`.
        is_training: whether each is trained on, `bool [n]`.
        labels: which number stands for which label.
        left_out: why others are not among them, by their ids.
        columns: of the frame that they came from.
    """

    rows: TextRows
    codes: Array
    is_training: Array
    labels: LabelMap
    left_out: Mapping[Any, str]
    columns: Columns

    @property
    def texts(self) -> list[str]:
        """All texts."""
        return list(self.rows.texts)

    @property
    def pairs(self) -> list[str] | None:
        """The second text of each, where there are two."""
        return None if self.rows.pairs is None else list(self.rows.pairs)

    @property
    def is_multi_label(self) -> bool:
        """Whether a text may have many labels."""
        return bool(self.codes.ndim == 2)

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.labels.classes)

    @property
    def training(self) -> TextRows:
        """The texts to train on."""
        return self.rows.rows(np.flatnonzero(self.is_training))

    @cached_property
    def counted(self) -> TfIdf:
        """What counted words make of those, fitted when somebody first asks."""
        rows, codes = self.training, self.codes[self.is_training]
        return TfIdf.fit(rows.texts, rows.pairs, codes, self.classes)

    def count_of(self, rows: TextRows) -> int:
        """How many of these texts are among those to train on, but for case and white space."""
        known = set(_said(self.training))
        return sum(said in known for said in _said(rows))

    def with_some_held_out(self, share: float, seed: int | None) -> Learnt:
        """The same where some are not for training; else with a share of them held out."""
        if not self.is_training.all():
            return self
        codes = np.zeros(len(self.codes), np.int64) if self.is_multi_label else self.codes
        train, _ = train_and_validation(codes, share, seed)
        is_training = np.zeros(len(codes), bool)
        is_training[train] = True
        return replace(self, is_training=is_training)


def learnt_of(
    X: Any,
    y: Any,
    columns: Columns,
    validation: Any,
    seed: int | None,
) -> Learnt:
    """Divide what `fit` was given.

    Args:
        X: texts, as `take_texts` has them, or the name of a sample, or a file with a table.
        y: their labels, or `None`.
        columns: of a frame.
        validation: a share, or texts as `X`, or texts and labels in a tuple; `None` takes the
            frame's splits, and where it has none nothing.
        seed: of a share.

    Raises:
        DataError: there are no labels, one class, or a label in validation only.
    """
    given = take_texts(named_data(X), y, columns)
    _require_labels(given)
    if validation is None and given.splits is not None:
        if "train" not in given.splits:
            raise DataError(
                "The frame's column 'split' has no row \"train\"; "
                "split(frame) makes one, or leave the column away."
            )
        rows, left_out = usable(given.of_split("train", "validation"))
        splits = rows.splits or ()
        first = [i for i, name in enumerate(splits) if name == "train"]
        then = [i for i, name in enumerate(splits) if name == "validation"]
        return _learnt(rows.rows(first), rows.rows(then), left_out)
    rows, left_out = usable(given)
    if validation is None or isinstance(validation, int | float):
        numbers = np.unique([str(label) for label in rows.labels or ()], return_inverse=True)[1]
        train, held = train_and_validation(numbers, validation or 0, seed)
        return _learnt(rows.rows(train), rows.rows(held), left_out)
    held_X, held_y = validation if isinstance(validation, tuple) else (validation, None)
    held_out = take_texts(held_X, held_y, _of_frame(given.columns or columns, held_X))
    _require_labels(held_out, "validation ")
    held_out, more = usable(held_out)
    return _learnt(rows, held_out, {**more, **left_out})


def testing_of(test: Any, y: Any, columns: Columns) -> tuple[TextRows, dict[Any, str]]:
    """The labelled texts to evaluate on, and why others are left out.

    Of a frame with a column `split`, these are its test rows where it has such. An empty text is
    not left out: a classifier that is asked has to answer.
    """
    rows = take_texts(test, y, columns)
    _require_labels(rows)
    if "test" in (rows.splits or ()):
        rows = rows.of_split("test")
    why = {int(i): "it was left out by hand" for i in np.flatnonzero(rows.is_left_out)}
    for number, label in enumerate(rows.labels or ()):
        if label is None:
            why.setdefault(number, "it has no label")
    kept = [i for i in range(len(rows)) if i not in why]
    if not kept:
        raise DataError("There are no labelled texts to evaluate on.")
    return rows.rows(kept), {rows.ids[i]: why[i] for i in sorted(why)}


def _said(rows: TextRows) -> Iterator[tuple[str, ...]]:
    columns = [rows.texts] if rows.pairs is None else [rows.texts, rows.pairs]
    both = zip(*(map(folded, column) for column in columns), strict=True)
    return (said for said in both if any(said))


def _of_frame(columns: Columns, given: Any) -> Columns:
    return columns if hasattr(given, "columns") else Columns()


def _learnt(train: TextRows, validation: TextRows, left_out: Mapping[Any, str]) -> Learnt:
    if not train:
        why = f"; {left_out_text(left_out, 'text')}" if left_out else ""
        raise DataError(f"There are no texts with labels to learn from{why}.")
    labels = label_map(train.labels or (), train.names)
    if (train.pairs is None) != (validation.pairs is None) and len(validation):
        raise DataError("Training and validation differ: one has pairs of texts, the other not.")
    many = has_many(train.labels or ())
    if len(validation) and has_many(validation.labels or ()) != many:
        raise DataError("Training and validation differ: one has many labels a text, one not.")
    codes = [codes_of(train.labels or (), labels, "training")]
    if len(validation):
        codes.append(codes_of(validation.labels or (), labels, "validation"))
    together, all_codes = train.joined(validation), np.concatenate(codes)
    is_training = np.arange(len(together)) < len(train)
    columns = train.columns or Columns()
    return Learnt(together, all_codes, is_training, labels, left_out, columns)


def _require_labels(rows: TextRows, which: str = "") -> None:
    if rows.labels is not None:
        return
    if rows.frame is not None:
        raise DataError(
            f"The {which}frame has no labels; it has {columns_text(rows.frame)}. Name them: target="
        )
    raise DataError(f"The {which}texts have no labels; give them as y, or a frame.")
