"""What a picture looks like, light and dark, as one style sheet inside it."""

from __future__ import annotations

from collections.abc import Sequence

from mlnb.formatting import Markup

ROW = 18.0
CHAR = 6.1
"""Pixels a character of the small text takes, about."""
LIGHT = ("#3b78b5", "#df8f1a", "#4f9a45", "#c8553d", "#8560a8", "#2f9e94", "#b0568f", "#7a6a55")
_DARK = ("#6fa8dc", "#f0b04f", "#7cc46f", "#e58a72", "#b394d6", "#66c7bd", "#dc8dbd", "#b8a58c")
_THEMES = (
    {"card": "#ffffff", "line": "#d4d8de", "grid": "#eceef1", "fg": "#1f2328", "muted": "#667080"},
    {"card": "#16181b", "line": "#3a3f47", "grid": "#282c32", "fg": "#e4e6ea", "muted": "#98a0ab"},
)
_RULES = (
    "text{{font:11px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    "fill:{muted}}}.t{{font-weight:600;font-size:13px;fill:{fg}}}.n{{fill:{fg}}}"
    ".c{{fill:{card};stroke:{line}}}.g{{stroke:{grid}}}.x{{stroke:{line}}}"
    ".m{{stroke:{muted};stroke-dasharray:3 3}}.h{{stroke:{card};stroke-width:4;paint-order:stroke}}"
)
_SHAPES = (
    ".l{fill:none;stroke-width:18;stroke-linejoin:round;stroke-linecap:round}.f{stroke-opacity:.35;"
    "stroke-width:10}.b{fill-opacity:.22;stroke-opacity:.3;stroke-width:6}"
    ".w{fill-opacity:.08;stroke-opacity:.12;stroke-width:6}"
    ".d{stroke-dasharray:50 35}"
)


def _theme(colors: Sequence[str], theme: dict[str, str]) -> str:
    named = "".join(f".s{i}{{stroke:{c}}}.k{i}{{fill:{c}}}" for i, c in enumerate(colors))
    return _RULES.format(**theme) + named


STYLE = Markup(
    _theme(LIGHT, _THEMES[0])
    + "@media(prefers-color-scheme:dark){"
    + _theme(_DARK, _THEMES[1])
    + "}"
    + _SHAPES
)
