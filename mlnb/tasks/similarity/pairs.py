"""`Pairs`: sentences two by two, with scores where there are some; and which one learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError
from mlnb.formatting import plural

if TYPE_CHECKING:
    from pandas import Index

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Pairs:
    """Pairs of sentences, with scores where there are some.

    Args:
        a: the first of each; "" where it is missing.
        b: the second.
        ids: of the pairs.
        scores: `float64 [n]`, NaN where one is missing; or none at all.
        splits: "train", "validation" or "test" for each, where a frame says so.
        takes_part: whether nobody left it out by hand, `bool [n]`; `None` for all.
    """

    a: tuple[str, ...]
    b: tuple[str, ...]
    ids: Index
    scores: Array | None = None
    splits: Array | None = None
    takes_part: Array | None = None

    def __len__(self) -> int:
        return len(self.a)

    @property
    def is_empty(self) -> Array:
        """Whether one of the two says nothing, `bool [n]`."""
        both = zip(self.a, self.b, strict=True)
        return np.fromiter((not (a.strip() and b.strip()) for a, b in both), bool, len(self))

    @property
    def known(self) -> Array:
        """The scores of pairs that have to have some."""
        if self.scores is None:
            raise DataError(
                "There are no scores: give a number for each pair, (a, b, score), or a frame with "
                "a column of them, (frame, target=…)."
            )
        return self.scores

    def rows(self, which: Array) -> Pairs:
        """Some of them, by number or by `bool [n]`."""
        numbers = np.arange(len(self))[which]
        return Pairs(
            tuple(self.a[i] for i in numbers),
            tuple(self.b[i] for i in numbers),
            self.ids[numbers],
            *(
                None if of is None else of[numbers]
                for of in (self.scores, self.splits, self.takes_part)
            ),
        )

    def of_split(self, *names: str) -> Pairs:
        """Those of a split; all of them where there are no splits."""
        return self if self.splits is None else self.rows(np.isin(self.splits, names))


def to_learn_from(pairs: Pairs) -> tuple[Pairs, dict[Any, str]]:
    """Those to learn from, and why the others are left out, by their ids.

    Of a frame that has been `split` these are its training and its validation rows.

    Raises:
        DataError: fewer than three are left, or all of one score.
    """
    kept, why = _scored(pairs.of_split("train", "validation"))
    empty = np.flatnonzero(kept.is_empty)
    why |= {kept.ids[row]: "one of its sentences is empty" for row in empty}
    kept = kept.rows(~kept.is_empty)
    if len(kept) < 3:
        left = f", after {plural(len(why), 'pair')} had to be left out" if why else ""
        raise DataError(f"At least 3 pairs with scores are needed; received {len(kept)}{left}.")
    if np.ptp(kept.known) == 0:
        raise DataError(
            f"All {len(kept):,} scores are {kept.known[0]:g}; there is nothing to learn from them."
        )
    return kept, why


def to_evaluate_on(pairs: Pairs) -> tuple[Pairs, dict[Any, str]]:
    """Those to be judged on, and why the others are not; of a frame with test rows these.

    Raises:
        DataError: none is left.
    """
    has_test = pairs.splits is not None and "test" in pairs.splits
    kept, why = _scored(pairs.of_split("test") if has_test else pairs)
    if not kept:
        raise DataError("There is no pair with a score to evaluate on.")
    return kept, why


def _scored(pairs: Pairs) -> tuple[Pairs, dict[Any, str]]:
    """Those that have a score and were not left out by hand, and why the others are not there."""
    part = np.ones(len(pairs), bool) if pairs.takes_part is None else pairs.takes_part
    missing = np.isnan(pairs.known)
    why = {pairs.ids[row]: "it has no score" for row in np.flatnonzero(missing)}
    why |= {pairs.ids[row]: "it was left out by hand" for row in np.flatnonzero(~part)}
    return pairs.rows(part & ~missing), why
