"""A column as colours: a code for every row, and what the codes mean.

A column of few values, or of texts, becomes groups: the 16 commonest have a colour each, the rest
share one. A column of numbers becomes 200 steps from its lowest to its highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlnb.figures.style import LIGHT
from mlnb.formatting import display_text
from mlnb.graph.paint import RAMPS
from mlnb.widgets.row_facets import correctness, value_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

GROUPS, OTHERS, NONE = 16, 16, 17
STEPS = 200
_FEW = 20
_MANY = 100  # groups, above which a column of texts is names rather than groups
_CONTENT = ("path", "text", "sentence", "hash", "bytes", "id", "why")


class Colors(NamedTuple):
    """Codes `uint8 [n]`, and the trait `legend`."""

    codes: NDArray[np.uint8]
    legend: dict[str, Any]


def colored_columns(frame: DataFrame) -> list[str]:
    """The columns of more than one value that colours can show, `correctness` among them."""
    names = [
        n for n in frame.columns if isinstance(n, str) and n not in _CONTENT and _fits(frame[n])
    ]
    return names + (["correctness"] if correctness(frame) is not None else [])


def colors_of(frame: DataFrame, column: str) -> Colors:
    """The colours of a column; of none for `""`."""
    if not column:
        return Colors(np.zeros(len(frame), np.uint8), {"column": "", "kind": "none"})
    right = correctness(frame) if column == "correctness" and column not in frame else None
    if right is not None:
        named = (("right", 1, 2), ("wrong", 0, 3), (value_text(None), -1, NONE))  # green and red
        groups = [(name, code, int((right == is_right).sum())) for name, is_right, code in named]
        codes = np.select([right == 1, right == 0], [2, 3], NONE).astype(np.uint8)
        groups = [group for group in groups if group[2]]
        return Colors(codes, _groups(column, groups))
    values = frame[column]
    return _numbers(column, values) if _is_number(values) else _few(column, values)


def hexes(legend: dict[str, Any]) -> list[str]:
    """The colours by code on a light page, for the picture of a saved notebook."""
    if legend["kind"] == "numbers":
        ramp = RAMPS["viridis"]
        return [ramp[min(len(ramp) - 1, at * len(ramp) // STEPS)] for at in range(STEPS)] + [
            "#bbbbbb"
        ]
    pale = [
        "#" + "".join(f"{(int(c[i : i + 2], 16) + 200) // 2:02x}" for i in (1, 3, 5)) for c in LIGHT
    ]
    return [*LIGHT, *pale, "#888888", "#bbbbbb"]


def _fits(column: Series[Any]) -> bool:
    if _is_number(column):
        return bool(column.nunique() > 1)
    try:
        return 1 < column.nunique() <= _MANY
    except TypeError:  # lists and arrays
        return False


def _is_number(column: Series[Any]) -> bool:
    if column.dtype.kind == "f":
        return True
    return column.dtype.kind in "iu" and column.nunique() > _FEW


def _numbers(name: str, column: Series[Any]) -> Colors:
    values = np.asarray(column, np.float64)
    there = np.isfinite(values)
    low, high = (
        (float(values[there].min()), float(values[there].max())) if there.any() else (0.0, 0.0)
    )
    part = np.where(there, (values - low) / ((high - low) or 1.0), 0.0)
    codes = np.where(there, np.round(part * (STEPS - 1)), STEPS).astype(np.uint8)
    return Colors(codes, {"column": name, "kind": "numbers", "low": low, "high": high})


def _few(name: str, column: Series[Any]) -> Colors:
    import pandas as pd

    found, values = pd.factorize(column.astype(object).where(column.notna(), ""))
    counts = np.bincount(found, minlength=len(values))
    some = [at for at in np.argsort(-counts, kind="stable").tolist() if values[at] != ""]
    kept = sorted(some[:GROUPS], key=lambda at: value_text(values[at]))
    code = np.full(len(values), OTHERS, np.uint8)
    code[[at for at in range(len(values)) if values[at] == ""]] = NONE
    code[kept] = np.arange(len(kept))
    groups = [(value_text(values[at]), i, int(counts[at])) for i, at in enumerate(kept)]
    codes = code[found]
    if len(some) > GROUPS:
        rest = len(some) - GROUPS
        groups.append((f"{rest:,} more", OTHERS, int((codes == OTHERS).sum())))
    if (codes == NONE).any():
        groups.append((value_text(None), NONE, int((codes == NONE).sum())))
    return Colors(codes, _groups(name, groups))


def _groups(column: str, groups: list[tuple[str, int, int]]) -> dict[str, Any]:
    told = [
        {"name": display_text(n, 80), "code": code, "count": count} for n, code, count in groups
    ]
    return {"column": column, "kind": "groups", "groups": told}
