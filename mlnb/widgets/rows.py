"""The IO card as rows: made of specs or of arrays, and written as text and as script-free HTML.

A row is a plain dictionary, because it crosses to the front end as it stands
(`js/src/tensor_table/rows.ts`): role, name, dtype, shape, stats, picture, note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import Markup, count_text, display_text, html, plural, text_table
from mlnb.specs import shape_text
from mlnb.widgets.tensor_view import dtype_text, picture_uri, stats_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlnb.specs import TensorSpec

Row = dict[str, Any]

_ITEMS = 8
_SHOWN = 48
_SAVED_BYTES = 40_000
_COLUMNS = ("", "name", "dtype", "shape", "range", "mean", "values", "")


def spec_rows(specs: Iterable[TensorSpec], role: str = "") -> list[Row]:
    """A row a spec; `role` is `"in"`, `"out"` or `""`."""
    return [
        _plain_row(s.name, role, _spec_dtype(s))
        | {"shape": s.shape_text, "note": s.quantization.text if s.quantization else ""}
        for s in specs
    ]


def value_rows(values: Mapping[str, Any], role: str = "") -> list[Row]:
    """A row a value: an array with its statistics and picture, a list or a dict item by item."""
    return [row for name, value in values.items() for row in _value_rows(name, value, role)]


def _value_rows(name: str, value: Any, role: str) -> list[Row]:
    if isinstance(value, np.ndarray | np.generic):
        return [_array_row(name, np.asarray(value), role)]
    if isinstance(value, list | tuple | dict):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        head = _plain_row(name, role, "map" if isinstance(value, dict) else "sequence")
        head["note"] = plural(len(value), "item")
        items = [
            row
            for key, item in islice(pairs, _ITEMS)
            for row in _value_rows(f"{name}[{key!r}]", item, role)
        ]
        return [head, *items]
    return [_plain_row(name, role, "absent" if value is None else type(value).__name__)]


def _array_row(name: str, array: NDArray[Any], role: str) -> Row:
    return _plain_row(name, role, dtype_text(array)) | {
        "shape": shape_text(array.shape),
        "stats": stats_json(array),
        "picture": picture_uri(array),
    }


def _plain_row(name: str, role: str, dtype: str) -> Row:
    return {
        "role": role,
        "name": display_text(name, limit=400),
        "dtype": dtype,
        "shape": "",
        "stats": None,
        "picture": None,
        "note": "",
    }


def within(rows: Iterable[Row], budget: int) -> list[Row]:
    """The rows with as many of their pictures, the first ones first, as `budget` bytes hold."""
    kept = []
    for row in rows:
        budget -= len(row["picture"] or "")
        kept.append(row if budget >= 0 else row | {"picture": None})
    return kept


def rows_text(title: str, facts: str, rows: Sequence[Row]) -> str:
    """The card as plain text: a line of title and facts, then a line a tensor."""
    head = " · ".join(display_text(part, 400) for part in (title, facts) if part)
    table = [(*cells[:6], cells[7]) for cells in map(_cells, rows)]
    return "\n".join([*([head] if head else []), *text_table(table)])


def rows_html(title: str, facts: str, rows: Sequence[Row]) -> Markup:
    """The card as HTML without a script; pictures are `<img>` with a data URI, while they fit."""
    hidden = len(rows) - _SHOWN
    rows = within(rows[:_SHOWN], _SAVED_BYTES)
    head = html("<p><b>{title}</b> {facts}</p>", title=title, facts=facts) if title or facts else ""
    filled = any(row["stats"] or row["picture"] for row in rows)
    columns = range(8) if filled else (0, 1, 2, 3, 7)
    return html(
        "{head}<table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>{rest}",
        head=Markup(head),
        names=[html("<th>{name}</th>", name=_COLUMNS[i]) for i in columns],
        lines=[
            html(
                "<tr>{cells}</tr>",
                cells=[html("<td>{c}</td>", c=_html_cells(row)[i]) for i in columns],
            )
            for row in rows
        ],
        rest=html("<p>and {n} more</p>", n=f"{hidden:,}") if hidden > 0 else "",
    )


def _spec_dtype(spec: TensorSpec) -> str:
    dtype = display_text(spec.dtype, 40)
    return dtype if spec.kind == "tensor" else f"{spec.kind} of {dtype}"


def _cells(row: Row) -> tuple[str, ...]:
    stats = row["stats"]
    odd = _odd_text(stats) if stats else ""
    span = _range_text(stats) if stats else ""
    mean = _number(stats["mean"]) if stats else ""
    name, shape = display_text(row["name"], 60), row["shape"]
    return (row["role"], name, row["dtype"], shape, span, mean, odd, row["note"])


def _html_cells(row: Row) -> list[object]:
    cells: list[object] = list(_cells(row))
    if row["picture"]:
        picture = html(
            '<img src="{uri}" alt="{name}"> ', uri=Markup(row["picture"]), name=row["name"]
        )
        cells[6] = [picture, str(cells[6])]
    return cells


def _range_text(stats: Mapping[str, Any]) -> str:
    low, high = stats["minimum"], stats["maximum"]
    if low is None or high is None:
        return "empty" if stats["count"] == 0 else "–"
    return _number(low) if low == high else f"{_number(low)} … {_number(high)}"


def _odd_text(stats: Mapping[str, Any]) -> str:
    parts = [(stats["nan"], "NaN"), (stats["inf"], "infinite")]
    return ", ".join(f"{count_text(count)} {noun}" for count, noun in parts if count)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")
