"""Paint as it goes to the browser, and as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlnb.formatting import display_text
from mlnb.graph.paint import value_text

if TYPE_CHECKING:
    from mlnb.graph.paint import Paint

ROWS = 24


def painting_json(paint: Paint) -> dict[str, Any]:
    """The trait `painting`; what JSON cannot hold goes by name."""
    return {
        "label": paint.label,
        "scale": paint.scale,
        "colors": list(paint.colors),
        "groups": paint.groups,
        "low": paint.low,
        "high": paint.high,
        "values": [_sent(value) for value in paint.values.values()],
    }


def painting_text(paint: Paint) -> str:
    """The values, sorted, one a line."""
    pairs = paint.sorted()
    lines = [
        f"  {display_text(name.rstrip('/'), 60)}: {value_text(value)}"
        for name, value in pairs[:ROWS]
    ]
    if len(pairs) > ROWS:
        lines.append(f"  and {len(pairs) - ROWS:,} more")
    return "\n".join([f"{paint.label or 'value'}:", *lines])


def _sent(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
