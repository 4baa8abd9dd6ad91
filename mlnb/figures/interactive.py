"""Curves as a plotly figure, to hover over, to zoom into and to restyle: the series of the SVG.

plotly is imported here, inside the function that needs it. However many values there are, a curve
has at most 2,000 points: the smallest and the largest value of every bucket, where they were, so
that every spike stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need
from mlnb.figures.chart import MOST_SERIES
from mlnb.figures.curves import Series, smoothed
from mlnb.figures.plotly_style import AXES, CLEAR, DOTTED, GRID, TEXT, layout, plain
from mlnb.figures.style import LIGHT
from mlnb.formatting import display_text

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

    from mlnb.figures.chart import Note

POINTS = 2000
"""The most points of a curve."""
ALL_POINTS = 30_000
"""The most points of a figure; its curves share them."""
MOST_MARKS = 60
_FIRST, _FURTHER = 300, 140  # pixels of height, of the first panel and of each below it


@dataclass(frozen=True)
class Spot:
    """One place that is pointed out, with words that appear when one hovers over it."""

    x: float
    y: float
    text: str
    color: int = 0


@dataclass(frozen=True)
class Panel:
    """Curves over one pair of axes; panels stand one below the other and share the x axis.

    Args:
        label: of the y axis.
        series: what to draw, at most 40. Those of one colour belong together, and vanish together
            when one clicks on either in the legend.
        log: a logarithmic y axis.
        spots: places to point out.
    """

    label: str
    series: Sequence[Series]
    log: bool = False
    spots: Sequence[Spot] = ()


def plotly_figure(
    panels: Sequence[Panel],
    *,
    title: str = "",
    x_label: str = "",
    log_x: bool = False,
    marks: Sequence[Note] = (),
) -> Figure:
    """Panels of curves as a plotly figure of less than half a megabyte.

    >>> plotly_figure([Panel("loss", [Series("loss", range(3), [2.3, 1.1, 0.7])])])

    Args:
        panels: from top to bottom.
        title: above them.
        x_label: below the last one.
        log_x: a logarithmic x axis.
        marks: vertical lines with words.

    Raises:
        MissingExtra: plotly is not installed.
    """
    objects, subplots = (need(f"plotly.{name}", "train") for name in ("graph_objects", "subplots"))
    heights = [_FIRST, *[_FURTHER] * (len(panels) - 1)]
    figure = subplots.make_subplots(
        rows=len(panels), shared_xaxes=True, vertical_spacing=20 / sum(heights),
        row_heights=heights,
    )  # fmt: skip
    shown = [list(panel.series)[:MOST_SERIES] for panel in panels]
    curves = sum(1 + one.smooth for series in shown for one in series)
    points = int(np.clip(ALL_POINTS // max(curves, 1), 50, POINTS))
    seen: set[str] = set()
    for row, (panel, series) in enumerate(zip(panels, shown, strict=True), 1):
        for at, one in enumerate(series):
            for trace in _traces(objects, one, at if one.color is None else one.color, points):
                if trace.showlegend is None:
                    trace.showlegend = bool(trace.name) and trace.name not in seen
                    seen.add(trace.name)
                figure.add_trace(trace, row, 1)
        for spot in panel.spots:
            figure.add_trace(_star(objects, spot), row, 1)
        kind = "log" if panel.log else "linear"
        figure.update_yaxes(title_text=plain(panel.label), type=kind, row=row, col=1)
    figure.update_xaxes(title_text=plain(x_label), row=len(panels), col=1)
    _dress(figure, title, sum(heights) + 130, log_x)
    _mark(figure, marks, log_x)
    return figure


def extremes(
    x: NDArray[Any], y: NDArray[Any], points: int = POINTS
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first, the last, and the smallest and largest of every bucket, where they were.

    A bucket without a number leaves a gap.

    >>> extremes(np.arange(8), np.array([1, 9, 3, 2, 0, 7, 5, 4.0]), points=6)
    (array([0, 1, 3, 4, 5, 7]), array([1., 9., 2., 0., 7., 4.]))
    """
    if len(y) <= points:
        return x, y
    length = -(-len(y) // (points // 2 - 1))
    count = -(-len(y) // length)
    padded = np.full(count * length, np.nan, y.dtype)
    padded[: len(y)] = y
    rows = padded.reshape(count, length)
    known = np.isfinite(rows)
    starts = np.arange(count) * length
    low = starts + np.where(known, rows, np.inf).argmin(1)
    high = starts + np.where(known, rows, -np.inf).argmax(1)
    kept = np.unique(np.concatenate([[0], low, high, [len(y) - 1]]))
    return x[kept], y[kept]


def _traces(objects: Any, series: Series, color: int, points: int) -> Iterator[Any]:
    """Every value faintly and their running mean over them, or one line."""
    x, y = (np.asarray(values).reshape(-1) for values in (series.x, series.y))
    x, y = x[: len(y)], y[: len(x)].astype(np.float64)
    y[~(np.abs(y) < 1e38)] = np.nan  # float32 holds no more
    mean = smoothed(y) if series.smooth else y
    name, shade = plain(series.name), LIGHT[color % len(LIGHT)]
    line = {"color": shade, "width": 2, "dash": "dash" if series.dashed else "solid"}
    shared = {"legendgroup": str(color), "hovertemplate": "%{y:.4~g}"}
    if mean is not y:
        raw = {"color": shade, "width": 1}
        ends = _short(*extremes(x, y, points))
        yield objects.Scatter(
            **ends,
            name=f"{name} raw".strip(),
            line=raw,
            opacity=0.35,
            mode="lines",
            showlegend=False,
            **shared,
        )
        even = np.linspace(0, len(y) - 1, min(len(y), points)).round().astype(np.int64)
        x, y = x[even], mean[even]
    x, y = extremes(x, y, points)
    dots = series.dots and len(y) <= 200
    yield objects.Scatter(
        **_short(x, y),
        name=name,
        line=line,
        opacity=0.5 if series.faint else 1.0,
        mode="lines+markers" if dots else "lines",
        **shared,
    )


def _short(x: NDArray[Any], y: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Four bytes a number, which is what plotly then writes."""
    whole = x.dtype.kind in "iu" and (not len(x) or abs(int(x[-1])) < 2**31)
    return {"x": x.astype(np.int32 if whole else np.float64), "y": y.astype(np.float32)}


def _star(objects: Any, spot: Spot) -> Any:
    shade = LIGHT[spot.color % len(LIGHT)]
    return objects.Scatter(
        x=[spot.x],
        y=[spot.y],
        mode="markers",
        marker={"symbol": "star", "size": 13, "color": shade, "line": {"width": 1, "color": TEXT}},
        name=plain(spot.text),
        legendgroup=str(spot.color),
        showlegend=False,
        hovertemplate="%{y:.4~g}",
    )


def _dress(figure: Any, title: str, height: int, log_x: bool) -> None:
    figure.update_xaxes(type="log" if log_x else "linear", **AXES)
    figure.update_yaxes(exponentformat="power", **AXES)
    scales = [
        {"label": kind, "method": "relayout", "args": [{"yaxis.type": kind}]}
        for kind in ("linear", "log")
    ]
    made = layout(
        title,
        hovermode="x unified",
        legend={"orientation": "h", "y": -90 / height, "yanchor": "top"},
        margin={"l": 70, "r": 20, "t": 50, "b": 80},
        height=height,
        updatemenus=[
            {
                "type": "buttons",
                "direction": "right",
                "buttons": scales,
                "x": 1,
                "xanchor": "right",
                "y": 1 + 8 / height,
                "yanchor": "bottom",
                "active": int(figure.layout.yaxis.type == "log"),
                "font": {"size": 11, "color": TEXT},
                "bgcolor": CLEAR,
                "bordercolor": GRID,
            }
        ],
    )
    figure.update_layout(made)


def _mark(figure: Any, marks: Sequence[Note], log_x: bool) -> None:
    """A line through all panels for every place, with the words of all that was done there."""
    places: dict[float, list[str]] = {}
    for mark in marks:
        places.setdefault(float(mark.x), []).append(display_text(mark.text, 40))
    for x, words in list(places.items())[:MOST_MARKS]:
        if log_x and x <= 0:
            continue
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=DOTTED)
        figure.add_annotation(
            x=math.log10(x) if log_x else x,  # plotly's annotations count in logarithms there
            y=1,
            yref="paper",
            text=plain(", ".join(dict.fromkeys(word for word in words if word))),
            textangle=90,
            xanchor="left",
            yanchor="top",
            showarrow=False,
            font={"size": 10, "color": TEXT},
        )
