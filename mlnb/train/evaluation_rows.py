"""What an evaluation is made of, checked: classes, labels, probabilities and the rows themselves.

A label is taken as it stands among the classes, never by its position: codes that were meant as
labels would give a report that is wrong in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_SETS = (list, tuple, set, frozenset, np.ndarray)
_CONTENTS = ("path", "text")
_RAW = "are they raw scores? Pass scipy.special."
_NOUNS = {"path": "photograph", "text": "sentence"}


def checked_classes(classes: Iterable[Any]) -> tuple[Any, ...]:
    """The classes in the order of the columns, each once.

    Raises:
        DataError: there is none, or one stands twice.
    """
    given = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    if not given:
        raise DataError("an evaluation needs the classes, in the order of the columns; got none")
    if len(set(given)) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise DataError(f"the class {_said(twice)} stands twice among the classes")
    return tuple(given)


def checked_probabilities(
    probabilities: Any, classes: Sequence[Any], many: bool
) -> NDArray[np.floating[Any]]:
    """Numbers `[rows, classes]` from 0 to 1; a row adds up to 1 unless it may have `many` labels.

    Raises:
        DataError: another shape, NaN, raw scores.
    """
    try:
        values = np.asarray(probabilities)
        values = values.astype(np.float32 if values.dtype == np.float16 else values.dtype)
        values = values if values.dtype.kind == "f" else values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("probabilities are no numbers; [rows, classes] is expected") from error
    if values.ndim != 2 or values.shape[1] != len(classes):
        raise DataError(
            f"expected probabilities [rows, {len(classes)}], a column a class; "
            f"received {list(values.shape)}"
        )
    if not len(values):
        raise DataError("there is no row to evaluate on")
    odd = np.asarray(~np.isfinite(values).all(axis=1))
    _refuse(odd, "NaN or infinite probabilities: has the model diverged?")
    if many:
        odd = np.asarray(((values < 0) | (values > 1)).any(axis=1))
        _refuse(odd, f"values outside 0 to 1: {_RAW}expit(scores)")
        return values
    slack = 1e-2 if getattr(probabilities, "dtype", None) == np.float16 else 1e-3
    apart = np.abs(values.sum(axis=1) - 1) > slack
    odd = np.asarray((values < -slack).any(axis=1) | apart)
    _refuse(odd, f"probabilities that do not add up to 1: {_RAW}softmax(scores, axis=1)")
    return values


def checked_labels(labels: Any, classes: Sequence[Any], rows: int) -> NDArray[Any]:
    """The column of each row's label, `int64 [rows]`; of many labels `bool [rows, classes]`.

    Raises:
        DataError: too few or too many, one is missing, or is not among the classes.
    """
    given = _listed(labels)
    if len(given) != rows:
        raise DataError(f"{plural(len(given), 'label')} for {plural(rows, 'row')} of probabilities")
    place = {name: at for at, name in enumerate(classes)}
    if has_many(labels):
        return _sets(given, place)
    missing = np.fromiter((_is_missing(label) for label in given), bool, rows)
    _refuse(missing, "no label; leave them out")
    strange = [label for label in given if label not in place]
    if strange:
        raise _not_among(strange, list(place))
    return np.fromiter((place[label] for label in given), np.int64, rows)


def has_many(labels: Any) -> bool:
    """Whether each row may have many labels: a table of 0 and 1, or a list a row."""
    if getattr(labels, "ndim", 1) == 2:
        return bool(labels.shape[1] != 1)
    first = next(iter(labels), None)
    return isinstance(first, _SETS)


def checked_rows(
    ids: Any, frame: pd.DataFrame | None, labels: Any, rows: int
) -> tuple[NDArray[Any], pd.DataFrame | None]:
    """The row ids, and of the frame the rows that were evaluated, in their order.

    Raises:
        DataError: too few or too many ids, ids that the frame does not have, rows named twice.
    """
    if ids is None:
        known = frame if frame is not None else labels
        index = getattr(known, "index", None)
        ids = range(rows) if index is None or callable(index) else index
    found = np.empty(len(ids), dtype=object)
    found[:] = ids.tolist() if hasattr(ids, "tolist") else list(ids)
    if len(found) != rows:
        raise DataError(f"{plural(len(found), 'row id')} for {plural(rows, 'row')} evaluated")
    if frame is None:
        return found, None
    if not frame.index.is_unique:
        raise DataError("the frame's index names a row twice; pass frame.reset_index(drop=True)")
    known_ids = set(frame.index)
    _refuse(np.fromiter((one not in known_ids for one in found), bool, rows), "ids that the frame "
            "does not have; its index holds the ids")  # fmt: skip
    return found, frame.loc[list(found)]


def content_of(frame: pd.DataFrame | None, content: str | None) -> str | None:
    """The column that a person looks at: pictures by their path, or sentences.

    Raises:
        UnknownName: the frame has no such column.
    """
    columns = [] if frame is None else [str(name) for name in frame.columns]
    if content is None:
        return next((name for name in _CONTENTS if name in columns), None)
    if content not in columns:
        raise unknown("column", content, columns)
    return content


def noun_of(content: str | None) -> str:
    """What a row is called."""
    return "row" if content is None else _NOUNS.get(content, "sentence")


def _listed(labels: Any) -> list[Any]:
    """Labels of any kind as Python's own; a table of one column as a row of labels."""
    if not hasattr(labels, "shape"):
        return list(labels)
    array = np.asarray(labels)
    return list((array.ravel() if array.shape[1:] == (1,) else array).tolist())


def _sets(given: Sequence[Any], place: dict[Any, int]) -> NDArray[np.bool_]:
    if all(len(row) == len(place) and _is_flags(row) for row in given):
        return np.asarray(given).astype(bool)
    found = np.zeros((len(given), len(place)), bool)
    strange = [label for row in given for label in row if label not in place]
    if strange:
        raise _not_among(strange, list(place))
    for at, row in enumerate(given):
        found[at, [place[label] for label in row]] = True
    return found


def _is_flags(row: Iterable[Any]) -> bool:
    return not isinstance(row, set | frozenset) and all(
        isinstance(one, bool | int | float | np.bool_) and one in (0, 1) for one in row
    )


def _is_missing(label: Any) -> bool:
    # NaN, NaT and pandas.NA are not equal to themselves, or will not say.
    try:
        return label is None or not bool(label == label)
    except TypeError:
        return True


def _not_among(strange: Sequence[Any], classes: list[Any]) -> DataError:
    names = ", ".join(_said(one) for one in list(dict.fromkeys(strange))[:3])
    known = ", ".join(_said(one) for one in classes[:8])
    more = f" and {len(classes) - 8} more" if len(classes) > 8 else ""
    return DataError(
        f"{plural(len(strange), 'label')} not among the classes, such as {names}; "
        f"the classes are {known}{more}"
    )


def _said(value: Any) -> str:
    return display_text(repr(value), 40)


def _refuse(wrong: NDArray[np.bool_], what: str) -> None:
    if wrong.any():
        count, first = int(wrong.sum()), int(wrong.argmax())
        raise DataError(f"{plural(count, 'row')} (row {first} is the first) with {what}")
