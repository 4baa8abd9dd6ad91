"""Which rows train, which validate, and which are kept for the test.

Rows are drawn at equal steps from a list sorted by class (systematic sampling): the parts have
exactly the size that was asked for, every class its share to within one row, and a class of one or
two rows stops nothing, as it does in scikit-learn's `train_test_split`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlnb.data.rows import taking_part
from mlnb.data.text import folded
from mlnb.errors import DataError, unknown
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame, Series

PartArray = np.ndarray[Any, np.dtype[np.object_]]
IntArray = np.ndarray[Any, np.dtype[np.int64]]

_SHOWN = 5
_VALUES = 20
"""From more different numbers on a label is a quantity, which is stratified by tenths."""


def split(
    frame: DataFrame,
    validation: float = 0.2,
    test: float = 0.1,
    stratify: bool = True,
    seed: int = 0,
    label: str = "label",
    *,
    text: str | Sequence[str] | None = None,
    duplicates: Literal["warn", "together", "ignore"] = "warn",
    tell: Callable[[str], object] = print,
) -> DataFrame:
    """The frame with a column `split`: "train", "validation", "test", or "" for what takes no part.

    Only rows whose `status` is "ok" and that are not `left_out` take part (all, where there are no
    such columns), and with `stratify` only those that have a label. The same frame and seed give
    the same split. Pictures that show the same, and texts that say the same, make a score too good
    where one of them is trained on and another is measured on: they are told.

    >>> frame = split(image_frame("cats_vs_dogs"), validation=0.2, test=0.1)
    >>> frame.split.value_counts()

    Args:
        frame: of `image_frame`, or any other; one with a column `path` is taken for pictures.
        validation: the share of rows to validate on, 0 to 1.
        test: the share of rows to test on, 0 to 1.
        stratify: give every class its share of each part.
        seed: another seed, another split.
        label: the column with the classes.
        text: the column with texts, which say the same where they differ in case or white space
            only; or several columns, as of pairs. Without it, unless there are pictures, the one
            called text, whatever its case.
        duplicates: `"warn"` of near-duplicates in different parts, keep them `"together"` in one,
            or `"ignore"` them, which saves looking at every picture.
        tell: what is worth a sentence goes here, line by line.

    Returns:
        A copy; a column `split` of old is replaced.

    Raises:
        DataError: shares that leave nothing to train on; no row that can take part.
        UnknownName: the frame has no column `label` or `text`.
    """
    if duplicates not in ("warn", "together", "ignore"):
        raise unknown("way with duplicates", duplicates, ("warn", "together", "ignore"))
    if min(validation, test) < 0 or validation + test >= 1:
        raise DataError(
            f"validation={validation:g} and test={test:g} leave nothing to train on; they are "
            "shares from 0 to 1, with a sum below 1"
        )
    if stratify and label not in frame:
        raise unknown("column", label, map(str, frame.columns))
    rows = _taking_part(frame, label if stratify else None, tell)
    chosen = frame.iloc[rows]
    said_in = _said_in(frame, text)
    alike = np.arange(len(rows)) if duplicates == "ignore" else _alike(chosen, said_in)
    strata = _strata(chosen[label]) if stratify else np.zeros(len(rows), np.int64)
    units = alike if duplicates == "together" else np.arange(len(rows))
    parts = _draw(units, strata, validation, test, np.random.default_rng(seed))
    if stratify and not _is_quantity(chosen[label]):
        asked = [part for part, share in (("validation", validation), ("test", test)) if share]
        _tell_of_small_classes(chosen[label], parts, asked, tell)
    if duplicates == "warn":
        shown = chosen[said_in[0]] if said_in else chosen.get("path", chosen.index)
        names = [str(name) if said_in else os.path.basename(str(name)) for name in shown]
        _tell_of_leaks(names, alike, parts, tell)
    column = np.full(len(frame), "", object)
    column[rows] = parts
    return frame.assign(split=column)


def _taking_part(frame: DataFrame, label: str | None, tell: Callable[[str], object]) -> IntArray:
    good = taking_part(frame)
    if not good.any():
        raise DataError(
            f"no row to split: the frame has {plural(len(frame), 'row')}, and none has status 'ok'"
            if len(frame)
            else "no row to split: the frame is empty"
        )
    if label is not None:
        unlabelled = good & frame[label].isna().to_numpy(bool)
        good &= ~unlabelled
        if not good.any():
            raise DataError(
                f"no row has a {label}; set frame[{label!r}], or split without: stratify=False"
            )
        if unlabelled.any():
            tell(f"{plural(int(unlabelled.sum()), 'row')} without a {label} left out")
    return np.flatnonzero(good)


def _said_in(frame: DataFrame, text: str | Sequence[str] | None) -> list[str]:
    """The columns whose texts make rows alike; none where pictures do, or nothing."""
    if text is None:
        alike = [name for name in map(str, frame.columns) if name.casefold() == "text"]
        return [] if "path" in frame else [name for name in alike if name in frame][:1]
    named = [text] if isinstance(text, str) else list(text)
    for name in named:
        if name not in frame:
            raise unknown("column", str(name), map(str, frame.columns))
    return named


def _alike(frame: DataFrame, said_in: list[str]) -> IntArray:
    """A number for each row, the same for those that show or say the same."""
    groups = np.arange(len(frame))
    if said_in:
        said = zip(*(frame[name].map(folded) for name in said_in), strict=True)
        first: dict[tuple[str, ...], int] = {}
        for place, texts in enumerate(said):
            if any(texts):  # to say nothing is not to say the same
                groups[place] = first.setdefault(texts, place)
    elif "path" in frame:
        from mlnb.data.duplicates import near_duplicates

        found = near_duplicates(frame.reset_index(drop=True))
        for _, ids in found.groupby("group")["id"]:
            groups[ids] = ids.min()
    return groups


def _strata(labels: Series) -> IntArray:
    """The class of each row as a number; a quantity counts by tenths, several labels as one."""
    import pandas as pd

    if _is_quantity(labels):
        codes = pd.qcut(labels, 10, labels=False, duplicates="drop")
    else:
        codes = pd.factorize(labels.map(str), sort=True)[0]
    return np.asarray(codes, np.int64)


def _is_quantity(labels: Series) -> bool:
    return bool(labels.dtype.kind == "f" and labels.nunique() > _VALUES)


def _draw(
    units: IntArray, strata: IntArray, validation: float, test: float, rng: np.random.Generator
) -> PartArray:
    """The part of each row; rows of one unit go together, by the class of the first of them."""
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    shuffled = rng.permutation(len(first))
    order = shuffled[np.argsort(strata[first][shuffled], kind="stable")]
    parts = np.full(len(first), "train", object)
    for part, share in (("test", test), ("validation", validation)):
        free = order[parts[order] == "train"]
        count = round(share * len(order))
        steps = (np.arange(count) + rng.random()) * (len(free) / max(count, 1))
        parts[free[steps.astype(int)]] = part
    drawn = parts[unit]
    for stratum in np.unique(strata):  # what no row is trained on cannot be told apart
        of_class = strata == stratum
        if not (drawn[of_class] == "train").any():
            drawn[unit == unit[np.flatnonzero(of_class)[0]]] = "train"
    return drawn


def _tell_of_small_classes(
    labels: Series, parts: PartArray, asked: list[str], tell: Callable[[str], object]
) -> None:
    names = labels.map(str).to_numpy()
    for part in asked:
        missing = sorted(set(names) - set(names[parts == part]))
        if missing:
            shown = ", ".join(display_text(name) for name in missing[:_SHOWN])
            more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
            tell(f"too few rows for {part}: no {shown}{more} in it")


def _tell_of_leaks(
    names: list[str],
    alike: IntArray,
    parts: PartArray,
    tell: Callable[[str], object],
) -> None:
    """Say how many rows that are not trained on have a near-duplicate that is in another part."""
    seen: dict[int, set[str]] = {}
    for group, part in zip(alike, parts, strict=True):
        seen.setdefault(int(group), set()).add(part)
    torn = np.array([len(seen[int(group)]) > 1 for group in alike])
    if not torn.any():
        return
    group = np.flatnonzero(alike == alike[np.flatnonzero(torn)[0]])
    one = group[0]
    other = next(row for row in group if parts[row] != parts[one])
    tell(
        f"{plural(int(torn.sum()), 'row')} with a near-duplicate in another part, which makes the "
        f"score too good: {display_text(names[one], 40)} ({parts[one]}) is like "
        f"{display_text(names[other], 40)} ({parts[other]}); "
        'split(frame, duplicates="together") keeps them in one'
    )
