"""The labels of texts: one a row, or many.

A row has many where its label is a list or a set, or where all rows together are a table of 0 and 1
with a column a class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlnb.data.label_map import LabelMap, encodable, is_missing
from mlnb.data.rows import kind_text
from mlnb.errors import DataError
from mlnb.formatting import display_text, plural
from mlnb.tasks.estimator import require_two

Array = np.ndarray[Any, np.dtype[Any]]

_MANY = (list, tuple, set, frozenset, np.ndarray)


def labels_of(given: Any) -> tuple[tuple[Any, ...], tuple[Any, ...] | None]:
    """A label a row, `None` where it is missing; of a table the names of its columns as well.

    >>> labels_of([["food", "price"], []])
    ((('food', 'price'), ()), None)

    Args:
        given: labels, lists or sets of labels, or a table of 0 and 1.

    Raises:
        DataError: bytes, a table of something else, or rows of one and of many labels.
    """
    if hasattr(given, "toarray"):  # scipy's sparse tables, as MultiLabelBinarizer gives them
        given = given.toarray()
    if getattr(given, "ndim", 1) == 2:
        if given.shape[1] != 1:
            return _of_table(given)
        given = np.asarray(given)[:, 0]
    if isinstance(given, str | bytes | dict):
        raise DataError(f"Labels are a list, one a text; received {type(given).__name__}.")
    try:
        labels = _whole([_plain(label) for label in given])
    except TypeError as error:
        raise DataError(f"Labels are a list, one a text; received {kind_text(given)}.") from error
    known = [label for label in labels if label is not None]
    many = sum(isinstance(label, tuple) for label in known)
    if many not in (0, len(known)):
        raise DataError(
            f"Of {plural(len(known), 'row')} with labels {many} have a list of them; give one to "
            "all of them, or to none."
        )
    return tuple(labels), None


def has_many(labels: Sequence[Any]) -> bool:
    """Whether rows have many labels; those without are passed over."""
    return any(isinstance(label, tuple) for label in labels)


def label_map(labels: Sequence[Any], names: Sequence[Any] | None = None) -> LabelMap:
    """Which number stands for which label.

    Args:
        labels: none of them missing.
        names: of a table's columns, which are the classes.

    Raises:
        DataError: there are no labels, all are the same, or they are of several kinds.
    """
    if not labels:
        raise DataError("There are no texts with labels to learn from.")
    flat = _flat(labels)
    if names is not None:
        known = LabelMap.of(names)  # refuses names that cannot be kept
        counts = Counter(flat)
        made = LabelMap(tuple(names), tuple(counts[name] for name in names))
        if len(known.classes) < len(names):
            raise DataError("Two columns of the table of labels have the same name.")
    else:
        made = LabelMap.of(flat)
    return made if has_many(labels) and made.classes else require_two(made, "text")


def codes_of(labels: Sequence[Any], known: LabelMap, where: str) -> Array:
    """The number of each label, `int64 [n]`; of many, `float32 [n, classes]` of 0 and 1.

    Args:
        labels: none of them missing.
        known: what training has.
        where: such as "validation", for the message.

    Raises:
        DataError: labels that training has not.
    """
    many = has_many(labels)
    codes = known.codes(_flat(labels), where)
    if not many:
        return codes
    table = np.zeros((len(labels), len(known.classes)), np.float32)
    table[np.repeat(np.arange(len(labels)), [len(label) for label in labels]), codes] = 1
    return table


def _of_table(given: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    table = np.asarray(given)
    names = given.columns.tolist() if hasattr(given, "columns") else list(range(table.shape[1]))
    try:
        values = table.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("A table of labels holds 0 and 1; received other things.") from error
    missing = np.asarray(np.isnan(values).any(axis=1))
    odd = values[~missing & ~np.isin(values, (0, 1)).all(axis=1)]
    if len(odd):
        raise DataError(f"A table of labels holds 0 and 1; received {odd[0].tolist()[:6]}.")
    rows = [
        None if gone else tuple(names[c] for c in np.flatnonzero(row))
        for row, gone in zip(values, missing, strict=True)
    ]
    return tuple(rows), tuple(names)


def _plain(label: Any) -> Any:
    """Python's own label; a tuple of many; `None` where it is missing."""
    if isinstance(label, _MANY):
        several = [_plain(one) for one in (label.tolist() if hasattr(label, "tolist") else label)]
        if any(one is None or isinstance(one, tuple) for one in several):
            raise DataError(f"A row's labels are {display_text(str(label), 60)}; one is missing.")
        return tuple(dict.fromkeys(several))
    if isinstance(label, bytes):
        raise DataError("Labels are bytes; decode them: label.decode()")
    if is_missing(label):
        return None
    plain = label.item() if isinstance(label, np.generic) else label
    return encodable(plain) if isinstance(plain, str) else plain


def _whole(labels: list[Any]) -> list[Any]:
    """Whole numbers that pandas made floats of, because one was missing, as they were."""
    known = [label for label in labels if label is not None]
    if len(known) < len(labels) and all(type(one) is float and one.is_integer() for one in known):
        return [None if label is None else int(label) for label in labels]
    return labels


def _flat(labels: Sequence[Any]) -> list[Any]:
    return [one for label in labels for one in (label if isinstance(label, tuple) else (label,))]
