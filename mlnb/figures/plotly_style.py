"""What all plotly figures share: read on light and dark pages, with no ground of their own."""

from __future__ import annotations

from typing import Any

from mlnb.formatting import display_text

TEXT, GRID = "#808a96", "rgba(128,138,150,.22)"
AXES = {"gridcolor": GRID, "zeroline": False, "linecolor": GRID}
DOTTED = {"color": TEXT, "dash": "dot", "width": 1}
CLEAR = "rgba(0,0,0,0)"


def layout(title: str, **more: Any) -> dict[str, Any]:
    """What `update_layout` takes.

    >>> figure.update_layout(layout("loss", height=400))
    """
    return {
        "title": {"text": plain(title, 200), "font": {"size": 15}},
        "template": "none",
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"color": TEXT, "size": 12},
        "hoverlabel": {"bgcolor": "#fff", "font": {"color": "#1f2328"}},
        **more,
    }


def plain(text: object, limit: int = 80) -> str:
    """A text of anybody's as plotly shows it: it takes texts for markup."""
    shown = display_text(str(text), limit)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
