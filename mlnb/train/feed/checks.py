"""What is looked at once, before the first step: gaps, numbers without bounds, columns that say
nothing.

A gap or an infinity is an error, because after one step with it every weight is NaN. A constant
column or values in the thousands are a note: they train, only badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.formatting import display_text, plural
from mlnb.train.feed.labels import row_text
from mlnb.train.trees import named_leaves

CHUNK = 4 * 2**20
HEAD = 1000
LARGE = 100.0


def check_rows(inputs: Any, targets: Any, name: str = "data") -> None:
    """Whether there are rows, and as many in each input as there are targets.

    Raises:
        DataError: none, or not as many in each.
    """
    pairs = [(name, len(leaf)) for name, leaf in named_leaves(inputs)]
    rows = pairs[0][1]
    for name, count in pairs[1:]:
        if count != rows:
            raise DataError(
                f"{pairs[0][0]} has {plural(rows, 'row')} and {name} {count:,}: "
                "every input needs the same number of rows"
            )
    if targets is not None and len(targets) != rows:
        raise DataError(
            f"there are {plural(rows, 'input')} and {plural(len(targets), 'target')}: every row "
            "needs one target"
        )
    if rows == 0:
        raise DataError(f"{name} has no rows; at least one is needed")


def check_finite(inputs: Any, columns: Sequence[str] = (), name: str = "inputs") -> None:
    """Look for NaN and Inf in everything, in pieces of a few million numbers.

    Args:
        inputs: a tensor `[n, …]`, or a tuple or dict of them.
        columns: the names of the features, where they have some.
        name: what it is called in the message.

    Raises:
        DataError: with the row and the feature.
    """
    for called, leaf in named_leaves(inputs, name):
        if not leaf.is_floating_point() or leaf.numel() == 0:
            continue
        for first, piece in _pieces(leaf):
            # One number tells of a whole piece; only where it is not finite is each looked at.
            if not bool(torch.isfinite(piece.sum())) and not bool(torch.isfinite(piece).all()):
                raise DataError(_told(leaf, first, piece, columns, called))


def scale_notes(inputs: Any, columns: Sequence[str] = ()) -> list[str]:
    """What trains badly as it stands: columns that are constant, values far from 1.

    The first thousand rows tell where to look; only what is found there is looked at in all.
    """
    notes = []
    for called, leaf in named_leaves(inputs):
        if not leaf.is_floating_point() or leaf.ndim < 2 or len(leaf) < 2 or not leaf.numel():
            continue
        what = called if called != "inputs" else "the inputs"
        low, high = leaf[:HEAD].amin(0), leaf[:HEAD].amax(0)  # aminmax takes eight times as long
        if bool((low == high).all()) and bool((leaf == leaf.reshape(-1)[0]).all()):
            value = _number(low.reshape(-1)[0])
            notes.append(f"{what}: every value is {value}, so that there is nothing to learn from")
            continue
        if leaf.ndim == 2:
            notes += _constant(leaf, torch.nonzero(low == high).reshape(-1), columns)
        largest = torch.maximum(low.abs(), high.abs())
        if float(largest.max()) > LARGE:
            where = f" ({_features([int(largest.argmax())], columns)})" if leaf.ndim == 2 else ""
            notes.append(
                f"{what} go from {_number(leaf.min())} to {_number(leaf.max())}{where}: networks "
                "learn best from values near 0 and 1, so standardize them, (x - mean) / std"
            )
    return notes


def _constant(leaf: Tensor, among: Tensor, columns: Sequence[str]) -> list[str]:
    """A note on the features that are the same in every row, among those of the first ones."""
    same = [place for place in among.tolist() if bool((leaf[:, place] == leaf[0, place]).all())]
    if not same:
        return []
    return [
        f"{_features(same, columns)} {'is' if len(same) == 1 else 'are'} the same in "
        "every row and can teach nothing"
    ]


def _pieces(leaf: Tensor) -> Any:
    step = max(1, CHUNK // max(1, leaf[0].numel()))
    for first in range(0, len(leaf), step):
        yield first, leaf[first : first + step]


def _told(leaf: Tensor, first: int, piece: Tensor, columns: Sequence[str], called: str) -> str:
    """The first place at fault, and in how many rows there are more."""
    place = torch.nonzero(~torch.isfinite(piece))[0].tolist()
    row, inner = first + place[0], place[1:]
    value = float(piece[tuple(place)])
    what = "NaN" if value != value else ("Inf" if value > 0 else "-Inf")
    at_fault = [
        begin + int(index)
        for begin, part in _pieces(leaf)
        for index in torch.nonzero((~torch.isfinite(part)).reshape(len(part), -1).any(1))
    ]
    where = f"row {row:,}"
    if len(inner) == 1:
        where += f", {_features(inner, columns)}"
    elif inner:
        where += f", at {inner}"
    more = f", and in {plural(len(at_fault) - 1, 'more row')}" if len(at_fault) > 1 else ""
    return (
        f"{called} hold {what} in {where}{more}: one step with it would make every weight NaN. "
        f"Leave {row_text(at_fault)} out, or fill the gaps first"
    )


def _features(places: Sequence[int], columns: Sequence[str]) -> str:
    shown = [
        f"'{display_text(columns[place], 40)}'" if place < len(columns) else f"{place}"
        for place in places[:5]
    ]
    noun = "column" if columns else "feature"
    more = f" and {len(places) - 5} more" if len(places) > 5 else ""
    return f"{noun}{'s' if len(places) > 1 else ''} {', '.join(shown)}{more}"


def _number(value: Tensor) -> str:
    number = float(value)
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e9 else f"{number:.4g}"
