"""A `SimilarityReport` as HTML without a script, and as a plotly figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlnb.errors import need
from mlnb.figures.style import LIGHT
from mlnb.formatting import Markup, display_text, html
from mlnb.tasks.similarity.report import number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from mlnb.tasks.similarity.report import SimilarityReport

POINTS = 2000
_WORST = 5
# Read on light and dark pages alike: the figure has no background of its own.
_TEXT, _GRID = "#808a96", "rgba(128,138,150,.22)"


def report_html(report: SimilarityReport) -> Markup:
    """The line that sums it up, word overlap beside it, and the pairs that are farthest off."""
    first, *rest = report.facts
    beside = f"word overlap: Pearson {number(report.overlap_pearson)}, "
    beside += f"Spearman {number(report.overlap_spearman)}"
    notes = [html("<div>{note}</div>", note=display_text(n, 300)) for n in (beside, *report.notes)]
    return html(
        '<div style="font-size:13px;line-height:1.5"><div><b style="font-size:15px">{first}</b> '
        '{rest}</div><div style="opacity:.75;font-size:12px">{notes}</div>{worst}</div>',
        first=first,
        rest=" · ".join(rest),
        notes=notes,
        worst=_worst(report),
    )


def _worst(report: SimilarityReport) -> Markup:
    pad = Markup('style="padding:3px 9px;text-align:left"')
    lines = [
        html(
            "<tr><td {pad}>{a}</td><td {pad}>{b}</td>"
            "<td {pad}>{score}</td><td {pad}>{said}</td></tr>",
            pad=pad,
            a=display_text(row.a, 120),
            b=display_text(row.b, 120),
            score=f"{row.score:.3g}",
            said=f"{row.predicted:.3g}",
        )
        for row in report.most_wrong(_WORST).itertuples()
    ]
    return html(
        '<table style="border-collapse:collapse;font-size:12px;margin:6px 0"><thead><tr>'
        "<th {pad}>farthest off</th><th></th><th {pad}>score</th><th {pad}>said</th></tr></thead>"
        "<tbody>{lines}</tbody></table>",
        pad=pad,
        lines=lines,
    )


def report_figure(report: SimilarityReport) -> Figure:
    """What was said by what is true; of more than 2,000 pairs as many, at even steps.

    >>> report_figure(report)

    Raises:
        MissingExtra: plotly is not installed.
    """
    objects = need("plotly.graph_objects", "train")
    rows = np.unique(np.linspace(0, len(report) - 1, min(POINTS, len(report))).astype(np.int64))
    said = [f"{_plain(report.a[row])}<br>{_plain(report.b[row])}" for row in rows]
    points = objects.Scatter(
        x=report.scores[rows],
        y=report.predicted[rows],
        customdata=said,
        mode="markers",
        marker={"size": 6, "color": LIGHT[0], "opacity": 0.5},
        showlegend=False,
        hovertemplate="%{customdata}<br>score %{x:.3g}, said %{y:.3g}<extra></extra>",
    )
    figure = objects.Figure([points])
    if report.in_units:
        ends = [float(report.scores.min()), float(report.scores.max())]
        line = {"color": _TEXT, "dash": "dot", "width": 1}
        figure.add_trace(
            objects.Scatter(
                x=ends, y=ends, mode="lines", line=line, showlegend=False, hoverinfo="skip"
            )
        )
    axes = {"gridcolor": _GRID, "zeroline": False, "linecolor": _GRID}
    figure.update_xaxes(**axes, title={"text": "score"})
    figure.update_yaxes(**axes, title={"text": "said" if report.in_units else "cosine"})
    figure.update_layout(
        title={"text": _plain(" · ".join(report.facts), 200), "font": {"size": 15}},
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _TEXT, "size": 12},
        hoverlabel={"bgcolor": "#fff", "font": {"color": "#1f2328"}},
        height=460,
    )
    return figure


def _plain(text: str, limit: int = 100) -> str:
    """plotly takes a text for markup."""
    shown = display_text(text, limit)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
