"""What paint looks like in the static picture: the colour of each box, and the legend below."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlnb.formatting import Markup, display_text, html
from mlnb.graph.paint import Paint, box_painter, ink_on, value_text

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.graph.layout import Box, Layout

LEGEND_WIDTH, LEGEND_HEIGHT = 220.0, 60.0
HATCH = Markup(
    '<pattern id="h" width="7" height="7" patternUnits="userSpaceOnUse">'
    '<rect width="7" height="7" class="f" stroke-width="0"/>'
    '<path d="M-1,8L8,-1" class="e"/></pattern>'
)
"""The pattern of what is not a number; it wants the classes of the picture around it."""


class Shade(NamedTuple):
    """The colour of a box ("" for none), its value in words, and whether that is not a number."""

    color: str
    text: str
    hatched: bool

    @property
    def fill(self) -> str:
        """The rule for the box."""
        return f"fill:{self.color}" if self.color else "fill:url(#h)" if self.hatched else ""

    @property
    def ink(self) -> str:
        """The rule for what is written on it."""
        return f"fill:{ink_on(self.color)}" if self.color else ""


def shades(placed: Layout, graph: Graph, paint: Paint) -> dict[int, Shade]:
    """What is painted of a layout, by `id()` of the box."""
    value_of = box_painter(paint, graph)
    found = {}
    for box in placed.boxes:
        painted, value = value_of(box)
        if painted:
            found[id(box)] = Shade(
                paint.color(value),
                value_text(value),
                value is not None and not paint.is_number(value),
            )
    return found


def band(box: Box, shade: Shade) -> Markup:
    """The upper edge of an open group, in its colour."""
    return html(
        '<path d="M{x},{y}m6,0h{w}a6,6,0,0,1,6,6h-{whole}a6,6,0,0,1,6,-6z"{fill}/>',
        x=_n(box.x),
        y=_n(box.y),
        w=_n(box.width - 12),
        whole=_n(box.width),
        fill=style(shade.fill) or Markup(' class="b"'),
    )


def value_on(box: Box, shade: Shade) -> Markup:
    """The value at the lower right of a box."""
    return html(
        '<text x="{x}" y="{y}" class="t" text-anchor="end"{style}>{text}</text>',
        x=_n(box.x + box.width - 8),
        y=_n(box.y + box.height / 2 + 11),
        style=style(shade.ink),
        text=shade.text,
    )


def legend(paint: Paint, y: float) -> Markup:
    """The label, the ramp between its two numbers, and the kind of scale.

    Args:
        paint: what is explained.
        y: of its upper edge.
    """
    last = len(paint.colors) - 1
    stops = [
        html('<stop offset="{at}%" stop-color="{color}"/>', at=_n(100 * i / last), color=color)
        for i, color in enumerate(paint.colors)
    ]
    return html(
        '<linearGradient id="g">{stops}</linearGradient>'
        '<text x="0" y="{first}"><tspan class="t">{label}</tspan>'
        '<tspan class="s">{scale}</tspan></text>'
        '<rect x="0" y="{bar}" width="160" height="9" rx="2" fill="url(#g)"/>'
        '<text x="0" y="{last}" class="s">{low}</text>'
        '<text x="160" y="{last}" class="s" text-anchor="end">{high}</text>',
        stops=stops,
        first=_n(y + 8),
        bar=_n(y + 15),
        last=_n(y + 37),
        label=display_text(paint.label, 40) or "value",
        scale=" · log scale" if paint.scale == "log" else "",
        low=value_text(paint.low),
        high=value_text(paint.high),
    )


def style(rules: str) -> Markup:
    """A `style` attribute; nothing for no rule."""
    return html(' style="{rules}"', rules=rules) if rules else Markup()


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
