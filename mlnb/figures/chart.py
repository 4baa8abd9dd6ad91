"""Curves over one pair of axes: the picture as a whole, its grid, its words and its legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlnb.figures.axes import Axis, Frame
from mlnb.figures.curves import Series, bucketed
from mlnb.figures.paths import curve_paths
from mlnb.figures.style import CHAR, LIGHT, ROW, STYLE
from mlnb.formatting import Markup, display_text, html, image_uri

MOST_SERIES = 40


@dataclass(frozen=True)
class Note:
    """A vertical line at `x` with a few words: what was done there."""

    x: float
    text: str = ""


def line_chart(
    series: Sequence[Series],
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    marks: Sequence[Note] = (),
    width: int = 720,
    height: int = 300,
) -> str:
    """Curves over one pair of axes as an SVG picture.

    >>> as_img(line_chart([Series("loss", range(3), [2.3, 1.1, 0.7])]), "the loss")

    Args:
        series: what to draw; at most 40 are drawn.
        title: above the picture.
        x_label: below it, at the right.
        y_label: above the axis.
        log_x: a logarithmic axis; values of 0 and less leave a gap.
        log_y: likewise.
        marks: vertical lines with words.
        width: in pixels.
        height: in pixels, with title and legend.
    """
    shown = list(series)[:MOST_SERIES]
    curves = [bucketed(one, at, len(shown), log_x, log_y) for at, one in enumerate(shown)]
    legend = _legend_rows(shown, len(series) - len(shown), width)
    x_axis = Axis.over([curve.x for curve in curves], log_x, slack=0.0)
    bounds = [part for curve in curves for part in (curve.low, curve.high)]
    y_axis = Axis.over(bounds, log_y, slack=0.04)
    top = 12 + (22 if title else 0) + (18 if y_label else 4)
    bottom = height - 28 - ROW * max(len(legend), 1 if x_label else 0)
    empty = not any(curve.x.size for curve in curves)
    y_ticks = [] if empty else y_axis.ticks(max(2, int((bottom - top) / 42)))
    left = 20 + max((CHAR * len(text) for _, text in y_ticks), default=0)
    frame = Frame(left, top, width - 18, bottom, x_axis, y_axis)
    faint = sum(curve.style.smooth for curve in curves) > 2
    body = [
        _grid(frame, y_ticks),
        Markup("") if empty else _x_ticks(frame, x_axis.ticks(max(2, int((width - left) / 90)))),
        html(
            '<g transform="scale(.1)">{paths}</g>',
            paths=[curve_paths(c, frame, faint, len(curves)) for c in curves],
        ),
        _marks(marks, frame),
        _labels(frame, title, x_label, y_label, width),
        _legend(legend, bottom + 38),
    ]
    if empty:
        body.append(_text((left + width) / 2, (top + bottom) / 2, "no values yet", "middle"))
    return html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
        ' role="img"><title>{title}</title><style>{style}</style>'
        '<rect x=".5" y=".5" width="{iw}" height="{ih}" rx="8" class="c"/>{body}</svg>',
        w=width,
        h=height,
        iw=width - 1,
        ih=height - 1,
        title=title or "A curve",
        style=STYLE,
        body=body,
    )


def as_img(svg: str, alt: str) -> Markup:
    """A picture as an `<img>` with a data URI: shown in notebooks that are not trusted too."""
    uri = image_uri(svg)
    return html('<img src="{uri}" alt="{alt}" style="max-width:100%">', uri=uri, alt=alt)


def _grid(frame: Frame, ticks: list[tuple[float, str]]) -> Markup:
    rows = [
        html(
            '<path d="M{l},{y}H{r}" class="{kind}"/>{text}',
            l=_n(frame.left),
            y=_n(frame.y(place)),
            r=_n(frame.right),
            kind="g",
            text=_text(frame.left - 7, frame.y(place) + 4, text, "end"),
        )
        for place, text in ticks
    ]
    base = html(
        '<path d="M{l},{b}H{r}" class="x"/>',
        l=_n(frame.left),
        b=_n(frame.bottom),
        r=_n(frame.right),
    )
    return Markup("".join([*rows, base]))


def _x_ticks(frame: Frame, ticks: list[tuple[float, str]]) -> Markup:
    return Markup(
        "".join(
            html(
                '<path d="M{x},{b}v4" class="x"/>{text}',
                x=_n(frame.x(place)),
                b=_n(frame.bottom),
                text=_text(frame.x(place), frame.bottom + 17, text, "middle"),
            )
            for place, text in ticks
        )
    )


def _marks(marks: Sequence[Note], frame: Frame) -> Markup:
    """Lines, and their words in up to three rows so that none stands on another."""
    lines: list[Markup] = []
    words: list[Markup] = []
    taken = [-math.inf] * 3
    for mark in sorted(marks, key=lambda mark: mark.x)[:60]:
        value = math.log10(mark.x) if frame.x_axis.log and mark.x > 0 else mark.x
        if not frame.x_axis.low <= value <= frame.x_axis.high:
            continue
        x, text = frame.x(value), display_text(mark.text, 28)
        lines.append(
            html('<path d="M{x},{t}V{b}" class="m"/>', x=_n(x), t=_n(frame.top), b=_n(frame.bottom))
        )
        wide = CHAR * len(text) + 6
        flip = x + wide > frame.right
        start = x - wide if flip else x
        row = next((at for at, end in enumerate(taken) if start >= end), None)
        if text and row is not None:
            taken[row] = start + wide + 4
            y = frame.top + 10 + 14 * row
            words.append(_text(x - 4 if flip else x + 4, y, text, "end" if flip else "start", "h"))
    return Markup("".join([*lines, *words]))


def _labels(frame: Frame, title: str, x_label: str, y_label: str, width: int) -> Markup:
    parts = []
    if title:
        parts.append(_text(16, 24, display_text(title, int(width / 7.5)), "start", "t"))
    if y_label:
        parts.append(_text(16, frame.top - 9, y_label, "start"))
    if x_label:
        parts.append(_text(frame.right, frame.bottom + 38, x_label, "end"))
    return Markup("".join(parts))


def _legend_rows(series: Sequence[Series], more: int, width: int) -> list[list[tuple[int, str]]]:
    """Names in rows that fit, at most three; nothing for a single curve without a name."""
    entries = [
        (at if one.color is None else one.color, display_text(one.name, 44), one.dashed)
        for at, one in enumerate(series)
        if one.name
    ]
    rows: list[list[tuple[int, str]]] = []
    used = math.inf
    for at, (color, name, dashed) in enumerate(entries):
        wide = 34 + CHAR * len(name)
        if used + wide > width - 90:
            if len(rows) == 3:
                more += len(entries) - at
                break
            rows.append([])
            used = 16.0
        rows[-1].append((-1 - color if dashed else color, name))
        used += wide
    if more and rows:
        rows[-1].append((MOST_SERIES, f"and {more:,} more"))
    return rows


def _legend(rows: list[list[tuple[int, str]]], y: float) -> Markup:
    parts: list[Markup] = []
    for at, row in enumerate(rows):
        x, line = 16.0, y + ROW * at - 4
        for color, name in row:
            dashed = color < 0
            index = (-1 - color if dashed else color) % len(LIGHT)
            if color != MOST_SERIES:
                parts.append(
                    html(
                        '<path d="M{x},{y}h14" class="s{index}" stroke-width="2.4"{dash}/>',
                        x=_n(x),
                        y=_n(line),
                        index=index,
                        dash=Markup(' stroke-dasharray="4 3"' if dashed else ""),
                    )
                )
            parts.append(_text(x + 19, line + 4, name, "start", "n"))
            x += 34 + CHAR * len(name)
    return Markup("".join(parts))


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> Markup:
    return html(
        '<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{text}</text>',
        x=_n(x),
        y=_n(y),
        anchor=anchor,
        kind=html(' class="{kind}"', kind=kind) if kind else Markup(""),
        text=text,
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
