"""A `SimilarityReport` as HTML without a script, and as a plotly figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlnb.errors import need
from mlnb.figures.plotly_style import AXES, DOTTED, layout, plain
from mlnb.figures.style import LIGHT
from mlnb.formatting import Markup, display_text, html
from mlnb.tasks.similarity.report import number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from mlnb.tasks.similarity.report import SimilarityReport

POINTS = 2000
_WORST = 5


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
        "<th {pad}>farthest off</th><th></th><th {pad}>score</th><th {pad}>{said}</th></tr></thead>"
        "<tbody>{lines}</tbody></table>",
        pad=pad,
        said=_said(report),
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
    said = [f"{plain(report.a[row], 100)}<br>{plain(report.b[row], 100)}" for row in rows]
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
        figure.add_trace(
            objects.Scatter(
                x=ends, y=ends, mode="lines", line=DOTTED, showlegend=False, hoverinfo="skip"
            )
        )
    figure.update_xaxes(**AXES, title={"text": "score"})
    figure.update_yaxes(**AXES, title={"text": _said(report)})
    figure.update_layout(layout(" · ".join(report.facts), height=460))
    return figure


def _said(report: SimilarityReport) -> str:
    return "said" if report.in_units else "cosine"
