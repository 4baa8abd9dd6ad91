"""A `Comparison` as text, as HTML without a script, and as a plotly figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.errors import need
from mlnb.figures.plotly_style import AXES, layout, plain
from mlnb.figures.style import LIGHT
from mlnb.formatting import Markup, display_text, html, plural, seconds_text, text_table
from mlnb.train.measures import percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from mlnb.tasks.comparison import ComparedBackbone, Comparison

HEADS = ("backbone", "accuracy", "95 %", "features", "size", "pictures/s", "took")
_NUMBERS = Markup("text-align:right")


def comparison_text(comparison: Comparison) -> str:
    """The table in letters, reasons below."""
    lines = [HEADS, *(_cells(row) for row in _compared(comparison))]
    return "\n".join([_title(comparison), *text_table(lines), *map(_reason, _missing(comparison))])


def comparison_html(comparison: Comparison) -> Markup:
    """The table with a bar for each accuracy, reasons below.

    >>> HTML(comparison_html(comparison))
    """
    heads = [html('<th style="text-align:left">{head}</th>', head=head) for head in HEADS]
    return html(
        '<div style="font-size:13px;line-height:1.5"><div>{title}</div>'
        "<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{reasons}</div>",
        title=_title(comparison),
        heads=heads,
        rows=[_html_row(row) for row in _compared(comparison)],
        reasons=[
            html('<div style="opacity:.75">{text}</div>', text=_reason(row))
            for row in _missing(comparison)
        ],
    )


def comparison_figure(comparison: Comparison) -> Figure:
    """Accuracy over speed: the best are at the top right.

    Raises:
        MissingExtra: plotly is not installed.
    """
    objects = need("plotly.graph_objects", "train")
    figure = objects.Figure()
    for at, row in enumerate(_compared(comparison)):
        low, high = row.interval
        figure.add_trace(
            objects.Scatter(
                x=[row.per_second],
                y=[row.accuracy],
                error_y={"array": [high - row.accuracy], "arrayminus": [row.accuracy - low]},
                mode="markers+text",
                name=plain(row.backbone),
                text=[plain(f"{row.backbone}, {_megabytes(row)}")],
                textposition="middle right",
                marker={"size": 11, "color": LIGHT[at % len(LIGHT)]},
                hovertemplate="%{text}<br>%{y:.1%}<br>%{x:.0f} pictures/s<extra></extra>",
            )
        )
    made = layout(
        _title(comparison),
        xaxis={"title": "pictures a second", "type": "log", **AXES},
        yaxis={"title": "accuracy", "tickformat": ".1%", **AXES},
        showlegend=False,
        height=380,
        margin={"l": 60, "r": 150, "t": 50, "b": 50},
    )
    return figure.update_layout(made)


def _compared(comparison: Comparison) -> list[ComparedBackbone]:
    return [row for row in comparison.rows if row.evaluation is not None]


def _missing(comparison: Comparison) -> list[ComparedBackbone]:
    return [row for row in comparison.rows if row.evaluation is None]


def _title(comparison: Comparison) -> str:
    count = len(_compared(comparison))
    return f"{plural(count, 'backbone')} on {plural(comparison.pictures, 'photograph')}"


def _cells(row: ComparedBackbone) -> tuple[str, ...]:
    low, high = row.interval
    return (
        row.backbone,
        percent(row.accuracy),
        f"{percent(low)[:-1]} to {percent(high)[:-1]}",
        f"{row.features:,}",
        _megabytes(row),
        f"{row.per_second:,.0f}",
        seconds_text(row.seconds),
    )


def _html_row(row: ComparedBackbone) -> Markup:
    name, accuracy, *others = _cells(row)
    share = f"{100 * row.accuracy:.1f}%"
    bar = html(
        '<td style="{style};background:linear-gradient(90deg,rgba(59,120,181,.3) {share},'
        'transparent {share})">{text}</td>',
        style=_NUMBERS,
        share=share,
        text=accuracy,
    )
    cells = [html('<td style="{style}">{text}</td>', style=_NUMBERS, text=t) for t in others]
    return html("<tr><td>{name}</td>{bar}{cells}</tr>", name=name, bar=bar, cells=cells)


def _megabytes(row: ComparedBackbone) -> str:
    return f"{row.megabytes:,.0f} MB" if row.megabytes >= 10 else f"{row.megabytes:.1f} MB"


def _reason(row: ComparedBackbone) -> str:
    return f"{row.backbone}: {display_text(row.reason, 500)}"
