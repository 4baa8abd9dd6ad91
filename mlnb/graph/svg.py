"""The static picture as SVG: what is left of the graph in a saved notebook, in markdown, in mail.

It is shown by an `<img>`, which can run no script and cannot see the page's theme. So it brings its
own card to stand on, light or dark as the reader's system asks, and is readable on any page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from mlnb.formatting import Markup, display_text, html
from mlnb.graph.box_text import Caption, caption
from mlnb.graph.danger import dangers, inside_text
from mlnb.graph.edge_labels import labels
from mlnb.graph.fold import fold
from mlnb.graph.layout import Box, Edge, Layout, layout
from mlnb.graph.shades import (
    HATCH,
    LEGEND_HEIGHT,
    LEGEND_WIDTH,
    Shade,
    band,
    legend,
    shades,
    style,
    value_on,
)

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.graph.paint import Paint

MARGIN = 16.0
HIGH = 1250.0
"""Pixels: about what one scrolls through without losing the thread."""
FEW = 14
"""Boxes; a picture is not made lower at the price of showing less than these."""
LIGHT = {
    "card": "#ffffff", "line": "#d4d8de", "fg": "#1f2328", "muted": "#667080",
    "edge": "#98a2b3", "node": "#ffffff", "frame": "#f5f6f8", "back": "#c8553d",
    "new": "#1976d2", "danger": "#c62828",
}  # fmt: skip
DARK = {
    "card": "#16181b", "line": "#3a3f47", "fg": "#e4e6ea", "muted": "#98a0ab",
    "edge": "#6b7480", "node": "#24282e", "frame": "#1d2024", "back": "#e0826d",
    "new": "#64b5f6", "danger": "#ff6b60",
}  # fmt: skip
_RULES = (
    "text{{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    "fill:{fg}}}.t{{font-size:12px;font-weight:600}}.s{{font-size:11px;fill:{muted}}}"
    ".l{{font-size:10px;fill:{muted}}}.c{{fill:{card};stroke:{line}}}"
    ".f{{fill:{frame};stroke:{line}}}.b{{fill:{node};stroke:{line}}}"
    ".e{{fill:none;stroke:{edge};stroke-width:1.2}}.a{{fill:{edge}}}"
    ".r{{fill:none;stroke:{back};stroke-width:1.2;stroke-dasharray:4 3}}.k{{fill:{back}}}"
    ".n{{fill:{new};fill-opacity:.1;stroke:{new};stroke-width:1.6}}"
    ".d{{fill:{danger};fill-opacity:.1;stroke:{danger};stroke-width:1.8}}.w{{fill:{danger}}}"
)


def picture(
    graph: Graph, boxes: int = 40, marked: Collection[int] = (), paint: Paint | None = None
) -> str:
    """The folded graph as an SVG picture without scripts, in a few kilobytes.

    >>> Path("model.svg").write_text(picture(model.graph))

    Args:
        graph: the graph; nested graphs stay closed.
        boxes: about how many boxes to show at most; fewer where it would come out too high.
        marked: the indices of nodes that are drawn as new.
        paint: colours for boxes by numbers of the user's own, with a legend below.
    """
    layouts: list[Layout] = []
    while not layouts or (layouts[-1].height > HIGH and boxes > FEW):
        boxes = boxes if not layouts else boxes * 3 // 4
        layouts.append(layout(graph, fold(graph, budget=boxes, level=boxes)))
    fitting = layouts[-1] if layouts[-1].height <= HIGH else min(layouts, key=_height)
    return draw(fitting, graph, marked, paint)


def _height(placed: Layout) -> float:
    return placed.height


def draw(
    placed: Layout, graph: Graph, marked: Collection[int] = (), paint: Paint | None = None
) -> str:
    """A layout as SVG."""
    width, height = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    beside = labels(placed, graph)
    danger = dangers(graph)
    right = max((side.right for side in beside), default=0.0)
    width = max(width, right + 2 * MARGIN)
    painted = shades(placed, graph, paint) if paint is not None else {}
    below = Markup()
    if paint is not None:
        below = legend(paint, placed.height + 18)
        width, height = max(width, LEGEND_WIDTH), height + LEGEND_HEIGHT
    frames = [_frame(box, painted.get(id(box))) for box in placed.boxes if box.kind == "frame"]
    edges = [_edge(edge) for edge in placed.edges]
    shown = [
        Markup(
            _box(box, caption(box, graph), painted.get(id(box)), danger_of(box, danger))
            + (_rect(box, 0, 0, "n") if _in(box, marked) else "")
        )
        for box in placed.boxes
        if box.kind != "frame"
    ]
    texts = [
        html(
            '<text x="{x}" y="{y}" class="l" text-anchor="{anchor}">{text}</text>',
            x=_n(label.x),
            y=_n(label.y),
            anchor=label.anchor,
            text=label.text,
        )
        for label in beside
    ]
    return html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
        ' role="img"><title>{title}</title><style>{light}@media(prefers-color-scheme:dark)'
        "{{{dark}}}</style>"
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="6.5"'
        ' markerHeight="6.5" orient="auto"><path d="M0,0.5L8,4L0,7.5z" class="a"/></marker>'
        '<marker id="k" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="6.5"'
        ' markerHeight="6.5" orient="auto"><path d="M0,0.5L8,4L0,7.5z" class="k"/></marker>{hatch}'
        "</defs>"
        '<rect x="0.5" y="0.5" width="{iw}" height="{ih}" rx="8" class="c"/>'
        '<g transform="translate({m} {m})">{frames}{edges}{shown}{texts}{below}</g></svg>',
        w=_n(width),
        h=_n(height),
        iw=_n(width - 1),
        ih=_n(height - 1),
        m=_n(MARGIN),
        title=f"The graph {graph.name}" if graph.name else "The graph",
        light=Markup(_RULES.format(**LIGHT)),
        dark=Markup(_RULES.format(**DARK)),
        frames=frames,
        edges=edges,
        shown=shown,
        texts=texts,
        hatch=HATCH if paint is not None else "",
        below=below,
    )


def _frame(box: Box, shade: Shade | None = None) -> Markup:
    assert box.group is not None
    label = display_text(box.group.label, 48)
    if shade is not None:
        label = f"{shade.text} · {label}" if label else shade.text
    return html(
        '<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" class="f"/>{band}'
        '<text x="{tx}" y="{ty}"><tspan class="t">{name}</tspan>'
        '<tspan class="s" dx="7">{label}</tspan></text>',
        x=_n(box.x),
        y=_n(box.y),
        w=_n(box.width),
        h=_n(box.height),
        tx=_n(box.x + 10),
        ty=_n(box.y + 17),
        name=display_text(box.group.name, 40),
        label=label,
        band=band(box, shade) if shade is not None else "",
    )


def danger_of(box: Box, danger: Mapping[int, str]) -> str:
    """Why a box is drawn in red; "" for one that is not."""
    if box.group is None:
        return danger.get(box.node, "") if box.node is not None else ""
    return inside_text(danger[i] for i in box.group.nodes() if i in danger) if danger else ""


def _box(box: Box, text: Caption, shade: Shade | None = None, danger: str = "") -> Markup:
    parts = []
    if text.stack:
        parts += [_rect(box, 5, 4), _rect(box, 2.5, 2)]
    ink, room_below = "", box.width - 18
    parts.append(_rect(box, 0, 0, rules=shade.fill if shade else ""))
    if danger:
        parts.append(_rect(box, 0, 0, "d"))
    if shade is not None:
        ink, room_below = shade.ink, room_below - 7.1 * len(shade.text) - 6
        parts.append(value_on(box, shade))
    parts.append(
        html(
            '<path d="M{x},{y}m4,0h1v{h}h-1a4,4,0,0,1-4-4v-{i}a4,4,0,0,1,4-4z" fill="{color}"/>',
            x=_n(box.x),
            y=_n(box.y),
            h=_n(box.height),
            i=_n(box.height - 8),
            color=text.color,
        )
    )
    middle = box.y + box.height / 2
    second = danger or text.second
    first = middle - 3.5 if second or shade else middle + 4
    room = box.width - 24 - (7 * len(text.inside) + 8 if text.inside else 0)
    parts.append(_text(box.x + 13, first, "t", _fit(text.title, room, 7.1), ink))
    if second and room_below > 24:
        rule = "s w" if danger else "s"
        parts.append(_text(box.x + 13, middle + 11, rule, _fit(second, room_below, 5.9), ink))
    if text.inside:
        x, y = _n(box.x + box.width - 8), _n(first)
        template = '<text x="{x}" y="{y}" class="s" text-anchor="end"{style}>{text}</text>'
        parts.append(html(template, x=x, y=y, text=text.inside, style=style(ink)))
    return Markup("".join(parts))


def _in(box: Box, marked: Collection[int]) -> bool:
    """Whether a box is one of these nodes, or a group of nothing else."""
    if box.group is not None:
        return bool(marked) and all(node in marked for node in box.group.nodes())
    return box.node in marked


def _rect(box: Box, dx: float, dy: float, name: str = "b", rules: str = "") -> Markup:
    return html(
        '<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="4" class="{name}"{style}/>',
        style=style(rules),
        name=name,
        x=_n(box.x + dx),
        y=_n(box.y + dy),
        w=_n(box.width),
        h=_n(box.height),
    )


def _text(x: float, y: float, name: str, text: str, ink: str = "") -> Markup:
    template = '<text x="{x}" y="{y}" class="{name}"{style}>{text}</text>'
    return html(template, x=_n(x), y=_n(y), name=name, text=text, style=style(ink))


def _edge(edge: Edge) -> Markup:
    kind, mark = ("r", "k") if edge.route.backward else ("e", "a")
    end = html(' marker-end="url(#{mark})"', mark=mark) if edge.arrow else ""
    return html('<path d="{d}" class="{kind}"{end}/>', d=_path(edge), kind=kind, end=Markup(end))


def _path(edge: Edge) -> str:
    """Straight through the rows, curved across the gaps; by the gutter to the next column."""
    points, gutter = edge.route.points, edge.route.gutter
    (x, y), rest = points[0], points[1:]
    d = [f"M{_n(x)},{_n(y)}"]
    for at, (nx, ny) in enumerate(rest):
        across = at % 2 == 1
        if across and gutter is not None and ny < y:
            d.append(_turn(y, gutter, nx, ny))
        elif across and abs(nx - x) > 0.5:
            middle = _n((y + ny) / 2)
            d.append(f"C{_n(x)},{middle},{_n(nx)},{middle},{_n(nx)},{_n(ny)}")
        elif (nx, ny) != (x, y):
            d.append(f"L{_n(nx)},{_n(ny)}")
        x, y = nx, ny
    return "".join(d)


def _turn(y: float, gutter: float, nx: float, ny: float) -> str:
    """Down out of one column, up between the two, and down into the next, corners rounded."""
    low, high = y + 9, ny - 9
    return (
        f"V{_n(low - 5)}q0,5,5,5H{_n(gutter - 5)}q5,0,5,-5V{_n(high + 5)}q0,-5,5,-5"
        f"H{_n(nx - 5)}q5,0,5,5V{_n(ny)}"
    )


def _fit(text: str, room: float, each: float) -> str:
    """The text shortened in its middle: names that differ do so at their ends."""
    shown, most = display_text(text, 400), max(4, int(room / each))
    if len(shown) <= most:
        return shown
    tail = most // 2 - 1
    return f"{shown[: most - tail - 1]}…{shown[len(shown) - tail :]}"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
