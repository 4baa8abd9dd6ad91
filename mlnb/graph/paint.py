"""A graph in the colours of numbers of the user's own: `Paint`, one value for each box named.

A closed group without a value of its own shows that of what is inside: the mean, or the largest or
smallest where the worst is what counts. What is not a number is hatched, never coloured, and makes
the group around it hatched too. The browser does the same: `js/src/graph_viewer/paint.ts`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError, unknown
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.graph.group import Group
    from mlnb.graph.layout import Box

RAMPS = {
    "viridis": (
        "#440154", "#482878", "#3e4a89", "#31688e", "#26828e",
        "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
    ),
    "blues": ("#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#084594"),
    "reds": ("#fee5d9", "#fcbba1", "#fc9272", "#fb6a4a", "#ef3b2c", "#cb181d", "#99000d"),
    "diverging": ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"),
}  # fmt: skip
"""Colours that stay in order for colour-blind eyes and in grey."""
SCALES = ("linear", "log")
GROUPS = ("mean", "max", "min")

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_DARK_INK, _LIGHT_INK = "#000000", "#ffffff"


@dataclass(frozen=True)
class Paint:
    """Values by the id of a box, and how they become colours.

    >>> paint = make_paint({"conv1": 0.2, "fc": 1.5}, label="gradient norm")
    >>> paint.color(0.2)
    '#440154'

    Args:
        values: `None` where a box has none, such as a layer that was not reached.
        label: what the numbers are, with their unit.
        scale: "linear" or "log".
        colors: from the lowest to the highest.
        groups: what a closed group shows of what is inside: "mean", "max" or "min".
        low: the number of the first colour; `None` where there is no number at all.
        high: the number of the last colour.
    """

    values: Mapping[str, float | None]
    label: str
    scale: str
    colors: tuple[str, ...]
    groups: str
    low: float | None
    high: float | None

    def is_number(self, value: float | None) -> bool:
        """Whether a value has a colour: finite, and on a log scale not negative."""
        return value is not None and math.isfinite(value) and (self.scale == "linear" or value >= 0)

    def color(self, value: float | None) -> str:
        """The colour of a value; "" for what has none."""
        if value is None or not self.is_number(value) or self.low is None or self.high is None:
            return ""
        at = _place(value, self.low, self.high, self.scale) * (len(self.colors) - 1)
        first = min(int(at), len(self.colors) - 2)
        return _mixed(self.colors[first], self.colors[first + 1], at - first)

    def sorted(self) -> list[tuple[str, float | None]]:
        """What is wrong first, then from high to low, then what has no value."""
        return sorted(self.values.items(), key=lambda pair: self._rank(pair[1]))

    def _rank(self, value: float | None) -> tuple[int, float]:
        if value is None:
            return (2, 0.0)
        return (1, -value) if math.isfinite(value) else (0, 0.0)

    def together(self, inside: Sequence[float | None]) -> float | None:
        """One value for many: `None` for none, what is not finite where there is such a one."""
        known = [value for value in inside if value is not None]
        for value in known:
            if not math.isfinite(value):
                return value
        if not known:
            return None
        if self.groups == "mean":
            return math.fsum(known) / len(known)
        return max(known) if self.groups == "max" else min(known)


def make_paint(
    values: Mapping[str, Any],
    *,
    label: str = "",
    scale: str = "linear",
    colors: str | Sequence[str] = "viridis",
    groups: str = "mean",
    limits: tuple[float, float] | None = None,
) -> Paint:
    """Check numbers and words, and find where the scale begins and ends.

    Raises:
        MlnbError: a value is no number, a colour none, or the limits do not fit.
        UnknownName: a scale, a ramp or a word for groups that does not exist, with the closest.
    """
    if scale not in SCALES:
        raise unknown("scale", str(scale), SCALES)
    if groups not in GROUPS:
        raise unknown("way of grouping", str(groups), GROUPS)
    numbers = {name: _number(name, value) for name, value in values.items()}
    low, high = _checked(limits, scale) if limits is not None else _range(numbers, scale)
    shown = display_text(str(label), 120)
    return Paint(numbers, shown, scale, checked_colors(colors), groups, low, high)


def checked_colors(colors: str | Sequence[str]) -> tuple[str, ...]:
    """A ramp by its name, or two or more colours as `#rrggbb`.

    Raises:
        UnknownName: no such ramp, with the closest.
        MlnbError: what is given are no colours.
    """
    if isinstance(colors, str):
        if colors not in RAMPS:
            raise unknown("ramp of colours", colors, RAMPS)
        return RAMPS[colors]
    given = tuple(str(color) for color in colors)
    bad = [color for color in given if not _HEX.fullmatch(color)]
    if bad or len(given) < 2:
        said = f"received {display_text(bad[0], 40)!r}" if bad else f"received {len(given)}"
        names = ", ".join(RAMPS)
        raise MlnbError(f"colors is {names}, or two or more colours such as '#0b5fa5'; {said}")
    return given


def ink_on(color: str) -> str:
    """Black or white: what is read better on a colour."""
    return _DARK_INK if _luminance(color) > 0.179 else _LIGHT_INK


def value_text(value: float | None) -> str:
    """Three significant digits with a true minus sign, as the viewer has them: `0.031`, `−2.12`."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value == int(value) and size < 1e6:
        text = f"{int(value):,}"
    elif 1e-3 <= size < 1e6:
        text = f"{float(f'{value:.3g}'):.12g}"
    else:
        mantissa, _, power = f"{value:.2e}".partition("e")
        text = f"{mantissa}e{int(power):+d}"
    return text.replace("-", "−")


def painted_value(paint: Paint, box: Box, node_ids: Sequence[str]) -> tuple[bool, float | None]:
    """Whether a box is painted, and its value: its own, or what is inside a closed group."""
    if box.node is not None:
        return _of(_node_values(paint, node_ids[box.node]), paint)
    if box.group is None:
        return False, None
    identity = box.group.id
    if identity in paint.values:
        return True, paint.values[identity]
    if box.kind == "frame":
        return False, None
    return _of(list(_inside(paint, box.group, node_ids)), paint)


def _of(values: list[float | None], paint: Paint) -> tuple[bool, float | None]:
    return bool(values), paint.together(values)


def _inside(paint: Paint, group: Group, node_ids: Sequence[str]) -> Iterator[float | None]:
    """The outermost values inside a group."""
    for child in group.children:
        if isinstance(child, int):
            yield from _node_values(paint, node_ids[child])
        elif child.id in paint.values:
            yield paint.values[child.id]
        else:
            yield from _inside(paint, child, node_ids)


def _node_values(paint: Paint, identity: str) -> list[float | None]:
    if identity in paint.values:
        return [paint.values[identity]]
    return []


def box_painter(paint: Paint, graph: Graph) -> Callable[[Box], tuple[bool, float | None]]:
    """`painted_value` for the boxes of one graph."""
    from mlnb.graph.payload import node_ids

    ids = node_ids(graph)
    return lambda box: painted_value(paint, box, ids)


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise MlnbError(
            f"paint expects a number for {display_text(str(name), 60)!r}, or None; "
            f"received {type(value).__name__}: {display_text(repr(value), 60)}"
        ) from error


def _checked(limits: Any, scale: str) -> tuple[float, float]:
    try:
        low, high = (float(limit) for limit in limits)
        fits = math.isfinite(low) and math.isfinite(high) and low < high
    except (TypeError, ValueError):
        fits = False
    if not fits or (scale == "log" and low <= 0):
        more = "0 < low < high on a log scale" if scale == "log" else "low < high"
        raise MlnbError(f"limits is (low, high) with {more}; received {limits!r}")
    return low, high


def _range(values: Mapping[str, float | None], scale: str) -> tuple[float | None, float | None]:
    known = [value for value in values.values() if value is not None and math.isfinite(value)]
    if scale == "log":
        known = [value for value in known if value > 0] or [value for value in known if value == 0]
    return (min(known), max(known)) if known else (None, None)


def _place(value: float, low: float, high: float, scale: str) -> float:
    """Where on the ramp, 0 to 1; the middle where all values are one."""
    if scale == "log":
        if value <= 0:
            return 0.0 if high > 0 else 0.5
        value, low, high = math.log(value), math.log(low), math.log(high)
    if not high > low:
        return 0.5
    part = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves: the largest floats overflow
    return min(1.0, max(0.0, part))


def _mixed(first: str, second: str, part: float) -> str:
    pairs = zip(_rgb(first), _rgb(second), strict=True)
    return "#" + "".join(f"{int(a + (b - a) * part + 0.5):02x}" for a, b in pairs)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    parts = [part / 255 for part in _rgb(color)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
