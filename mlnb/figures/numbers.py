"""Numbers as one says them: in a table, and on an axis, where the step tells the digits."""

from __future__ import annotations

import math


def number_text(value: float) -> str:
    """A number as one says it on an axis or in a table: `0.0312`, `1.2e-5`, `12,300`.

    >>> number_text(0.15), number_text(98.7654), number_text(float("nan"))
    ('0.150', '98.77', 'nan')
    """
    size = abs(value)
    if not math.isfinite(value) or size == 0:
        return f"{value:g}"
    if size < 1e-3 or size >= 1e7:
        mantissa, _, power = f"{value:.3g}".partition("e")
        return f"{mantissa}e{int(power)}" if power else f"{value:.2g}"
    if size >= 999.95:
        return f"{value:,.0f}"
    return f"{value:#.4g}" if size >= 1 else f"{value:#.3g}"


def tick_text(place: float, step: float, largest: float = 0.0) -> str:
    """`0.05`, `1,200`, `20k`, `3M`, `1e-5`: no more digits than the step has.

    The largest number of an axis decides the letter for all of them.
    """
    size = max(abs(place), step)
    if abs(place) < step * 1e-6:
        return "0"
    if size >= 1e9 or size < 1e-3 or step < 1e-6:
        digits = max(0, math.floor(math.log10(size)) - math.floor(math.log10(step)))
        mantissa, _, power = f"{place:.{min(digits, 12)}e}".partition("e")
        return f"{mantissa}e{int(power)}"
    for unit, letter in ((1e6, "M"), (1e4, "k")):
        if max(size, largest) >= unit and step >= max(unit / 100, max(size, largest) / 1e5):
            scale = 1e3 if letter == "k" else unit
            return f"{place / scale:g}{letter}"
    return f"{place:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
