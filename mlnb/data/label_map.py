"""`LabelMap`: labels of any kind as whole numbers from 0, shown and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from mlnb.errors import DataError
from mlnb.formatting import Markup, display_text, html, plural

Codes = np.ndarray[Any, np.dtype[np.int64]]
Label = bool | int | float | str

_KINDS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_SHOWN = 20


@dataclass(frozen=True, repr=False)
class LabelMap:
    """Which number stands for which label.

    >>> labels = LabelMap.of(["good", "bad", "good"])
    >>> labels
    0 → bad (1 row), 1 → good (2 rows)
    >>> labels.codes(["good"]), labels.labels([0])
    (array([1]), ['bad'])

    Args:
        classes: the labels, in the order of their numbers, all of one kind: `bool`, `int`, `float`
            or `str`.
        counts: how many rows had each.
    """

    classes: tuple[Label, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, labels: Iterable[Any]) -> LabelMap:
        """The map of these labels, in their order: numbers by size, words by their letters.

        Raises:
            DataError: labels that are missing, of several kinds, or of a kind that cannot be kept.
        """
        given = [_plain(label) for label in labels]
        missing = [row for row, label in enumerate(given) if is_missing(label)]
        if missing:
            raise DataError(
                f"{plural(len(missing), 'row')} without a label, the first is row {missing[0]:,}, "
                "counted from 0; leave them out"
            )
        kinds = {type(label) for label in given}
        if kinds == {int, float}:
            given, kinds = [float(label) for label in given], {float}
        if len(kinds) > 1 or not kinds <= set(_KINDS.values()):
            raise DataError(
                "labels are all of one kind (str, int, float or bool); received "
                + ", ".join(sorted(kind.__name__ for kind in kinds))
            )
        if float in kinds and not all(map(isfinite, given)):
            raise DataError("labels that are numbers are finite; received inf")
        counts = sorted(Counter(given).items())
        return cls(tuple(label for label, _ in counts), tuple(count for _, count in counts))

    def codes(self, labels: Iterable[Any], where: str = "") -> Codes:
        """The number of each label, `int64 [n]`.

        Args:
            labels: of any rows.
            where: such as "test", which was not learnt from, for the message.

        Raises:
            DataError: labels that the map has not; they are counted and named.
        """
        number = {label: code for code, label in enumerate(self.classes)}
        given = [_plain(label) for label in labels]
        strange = [label for label in given if not self._has(label, number)]
        if strange:
            of, by = (f" of the {where}", " from training") if where else ("", "")
            raise DataError(
                f"{plural(len(strange), 'label')}{of} {'is' if len(strange) == 1 else 'are'} not "
                f"known{by}: {labels_text(strange)}; known are {labels_text(self.classes)}"
            )
        return np.array([number[label] for label in given], np.int64)

    def labels(self, codes: Iterable[int]) -> list[Label]:
        """The label of each number."""
        return [self.classes[code] for code in codes]

    def to_numpy(self) -> np.ndarray[Any, np.dtype[Any]]:
        """The labels as scikit-learn has them."""
        # numpy's strings lose a NUL at their end
        exact = any(isinstance(one, str) and one.endswith("\0") for one in self.classes)
        return np.array(self.classes, object if exact else None)

    def to_json(self) -> dict[str, Any]:
        """What JSON can hold, and `from_json` reads: labels stay what they are, 1 a number."""
        kind = type(self.classes[0]).__name__ if self.classes else "str"
        return {"kind": kind, "classes": list(self.classes), "counts": list(self.counts)}

    @classmethod
    def from_json(cls, kept: Any) -> LabelMap:
        """The map that `to_json` wrote.

        Raises:
            DataError: it is something else.
        """
        try:
            kind, classes, counts = _KINDS[kept["kind"]], kept["classes"], kept["counts"]
            fits = (
                all(type(one) is kind or (kind is float and type(one) is int) for one in classes)
                and all(type(count) is int and count >= 0 for count in counts)
                and len(counts) == len(classes) == len(set(classes))
            )
        except (KeyError, TypeError) as error:
            raise DataError("no map of labels: kind, classes or counts are missing") from error
        if not fits:
            raise DataError(f"no map of labels: classes are different and each a {kept['kind']}")
        return cls(tuple(kind(one) for one in classes), tuple(counts))

    def _has(self, label: Any, number: Mapping[Any, int]) -> bool:
        try:
            return label in number and (type(label) is bool) == (type(self.classes[0]) is bool)
        except TypeError:
            return False

    def _lines(self) -> list[tuple[str, str, str]]:
        return [
            (str(code), display_text(str(label), 40), plural(count, "row"))
            for code, (label, count) in enumerate(zip(self.classes, self.counts, strict=True))
        ][:_SHOWN]

    @property
    def _more(self) -> str:
        more = len(self.classes) - _SHOWN
        return f"and {more:,} more" if more > 0 else ""

    def __repr__(self) -> str:
        same = all(type(one) is int and one == code for code, one in enumerate(self.classes))
        shown = ", ".join(
            f"{label} ({rows})" if same else f"{code} → {label} ({rows})"
            for code, label, rows in self._lines()
        )
        return " ".join(filter(None, (shown or "no labels", self._more)))

    def _repr_html_(self) -> Markup:
        cells = '<tr><td>{code}</td><td style="text-align:left">{label}</td><td>{rows}</td></tr>'
        rows = [html(cells, code=c, label=label, rows=n) for c, label, n in self._lines()]
        heads = "<tr><th>number</th><th>label</th><th>rows</th></tr>"
        table = "<table><thead>" + heads + "</thead><tbody>{rows}</tbody></table>{more}"
        return html(table, rows=rows, more=self._more)


def labels_text(labels: Iterable[Any], most: int = 6) -> str:
    """A few labels in a sentence, each once.

    >>> labels_text(["dog", "cat", "dog"])
    "'dog', 'cat'"
    """
    different = list(dict.fromkeys(display_text(repr(label), 40) for label in labels))
    more = len(different) - most
    return ", ".join(different[:most]) + (f" and {more:,} more" if more > 0 else "")


def is_missing(value: Any) -> bool:
    """Whether it is `None`, NaN, NaT or pandas' NA.

    >>> is_missing(float("nan")), is_missing("")
    (True, False)
    """
    if value is None or isinstance(value, str):
        return value is None
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def encodable(text: str) -> str:
    """With U+FFFD for halves of surrogate pairs, which no file and no tokenizer takes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _plain(label: Any) -> Any:
    """Python's own value of numpy's; a word as a file can hold it."""
    plain = label.item() if isinstance(label, np.generic) else label
    return encodable(plain) if type(plain) is str else plain
