"""`check_data`: which rows of a data set deserve a look, the most suspicious first.

Nothing here changes a row. What is found is a reason to look, not a verdict: a hard picture is as
surprising as one with a wrong label, and only a person can tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.confident_learning import Judged, judge
from mlnb.data.rows import columns_text, taking_part
from mlnb.data.slices import worst_slices
from mlnb.data.twins import Twin, twins
from mlnb.errors import DataError
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, np.dtype[Any]]
Finding = tuple[str, int, float, str]

FOUND = ("problem", "id", "score", "why")


def check_data(
    frame: DataFrame,
    features: Any,
    labels: str = "label",
    folds: int = 5,
    seed: int = 0,
) -> DataFrame:
    """Rows with a doubtful label, rows that are there twice, and where a model is at its worst.

    >>> found = check_data(frame, classifier.features(frame))
    >>> ImageGrid(found)  # look, relabel, leave out

    - `label`: a model that has not seen the row is sure of another class, by confident learning
      (Northcutt et al. 2021); the score is 1 less the probability of the row's own label.
    - `duplicate`: as good as the same as an earlier row; the score is how alike they are.
    - `leak`: likewise, and the two are in different splits, so that a test tests what was learnt.
    - `slice`: the row stands for a group (a class, small or dark pictures, …) in which errors are
      more frequent than chance explains; the score is the group's share of errors.

    Args:
        frame: a row each; its index are the ids. Rows whose `status` is not "ok", or that
            are `left_out`, take no part.
        features: `[rows, width]` such as `classifier.features(frame)`; a row with NaN is left out.
        labels: the column of labels; rows without one, and classes with a single row, are not
            judged.
        folds: the parts of the cross-validation that makes the probabilities.
        seed: of these parts.

    Returns:
        A row for each id with a problem, highest score first: `problem`, `id`, `score` (0 to 1),
        `why`, and the frame's own columns; the index is the id. Where a row has several problems
        the one with the highest score is named, and `why` tells of all.

    Raises:
        DataError: features that do not go with the frame, ids that repeat, or no such column.
    """
    values = _checked(frame, features, labels, folds)
    usable = np.isfinite(values).all(axis=1)
    usable &= taking_part(frame)
    if not usable.any():
        raise DataError(
            f"Not one of {plural(len(frame), 'row')} has features and the status ok; there is "
            "nothing to check."
        )
    rows = np.flatnonzero(usable)
    kept = frame.iloc[rows]
    judged = judge(values[rows], kept[labels], folds, seed)
    found = [*_labels(judged), *_twins(kept, values[rows], labels), *_slices(kept, judged, labels)]
    return _together(kept, found)


def _labels(judged: Judged) -> Iterator[Finding]:
    for row in judged.suspects:
        own, (rival, probability) = judged.own[row], judged.rival(row)
        why = f"labelled {_name(judged.label(row))}, looks like {_name(rival)}"
        yield "label", row, 1 - own, f"{why}: {probability:.0%} against {own:.0%}"


def _twins(frame: DataFrame, values: Array, labels: str) -> Iterator[Finding]:
    for twin in twins(frame, values):
        one, other = frame.iloc[twin.row], frame.iloc[twin.of]
        why = f"{_alike(twin)} {display_text(str(frame.index[twin.of]), 40)}"
        if str(one[labels]) != str(other[labels]):
            why += f", which is labelled {_name(other[labels])}"
        apart = "split" in frame and one["split"] != other["split"] and one["split"]
        if apart and other["split"]:
            why += f", in {_name(other['split'])}; this one is in {_name(one['split'])}"
            yield "leak", twin.row, twin.likeness, why
        else:
            yield "duplicate", twin.row, twin.likeness, why


def _slices(frame: DataFrame, judged: Judged, labels: str) -> Iterator[Finding]:
    """A row each, the hardest one of the slice."""
    for found in worst_slices(frame, judged, labels):
        hardest = max(found.rows.tolist(), key=lambda row: 1 - judged.own[row])
        why = f"{found.name}: {found.wrong} of {len(found.rows)} misjudged ({found.rate:.0%}), "
        yield "slice", hardest, found.rate, why + f"{found.overall:.0%} of all"


def _together(frame: DataFrame, found: list[Finding]) -> DataFrame:
    """A row an id; the frame's own columns of these names give way."""
    import pandas as pd

    best: dict[int, Finding] = {}
    for problem, row, score, why in sorted(found, key=lambda one: -one[2]):
        first = best.get(row)
        best[row] = (
            (problem, row, score, why) if first is None else (*first[:3], f"{first[3]}; {why}")
        )
    rows = list(best)
    table = pd.DataFrame(
        [(p, frame.index[row], float(s), why) for p, row, s, why in best.values()],
        columns=list(FOUND),
        index=frame.index[rows],
    )
    return table.join(frame.drop(columns=[name for name in FOUND if name in frame]))


def _checked(frame: DataFrame, features: Any, labels: str, folds: int) -> Array:
    if labels not in frame.columns:
        raise DataError(
            f"The frame has no column {labels!r} of labels; it has {columns_text(frame)}."
        )
    if not frame.index.is_unique:
        raise DataError(
            "The index names a row twice; number them anew: frame.reset_index(drop=True)"
        )
    if folds < 2:
        raise DataError(f"folds is at least 2; received {folds!r}")
    values = np.asarray(features, np.float32)
    if values.ndim != 2 or len(values) != len(frame) or not values.size:
        raise DataError(
            f"features are [{len(frame)}, width], a row for each of the frame; "
            f"received {list(values.shape)}"
        )
    return values


def _alike(twin: Twin) -> str:
    return "the same as" if twin.likeness == 1 else "nearly the same as"


def _name(label: Any) -> str:
    return repr(display_text(str(label), 40))
