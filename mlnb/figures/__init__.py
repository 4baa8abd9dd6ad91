"""Pictures of curves: SVG that stays in a saved notebook, in markdown, in mail; figures of plotly.

An SVG has no script. It is shown by an `<img>`, because inline SVG loses its tags in a notebook
that is not trusted. An `<img>` cannot see the page's theme, so a picture brings its own card, light
or dark as the reader's system asks. However many values there are, a picture takes less than 30 kB:
what is denser than its pixels becomes a band from the smallest to the largest, so that every spike
stays.
"""

from __future__ import annotations

from mlnb.figures.chart import Note, as_img, line_chart
from mlnb.figures.curves import COLUMNS, Series
from mlnb.figures.interactive import Panel, Spot, plotly_figure
from mlnb.figures.numbers import number_text

__all__ = [
    "COLUMNS",
    "Note",
    "Panel",
    "Series",
    "Spot",
    "as_img",
    "line_chart",
    "number_text",
    "plotly_figure",
]
