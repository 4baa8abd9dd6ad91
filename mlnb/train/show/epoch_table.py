"""The epochs as a table of HTML: the first, the last and the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.figures import number_text
from mlnb.formatting import Markup, display_text, seconds_text
from mlnb.formatting import html as markup

if TYPE_CHECKING:
    from mlnb.train.history import History

ROWS = 12
COLUMNS = 10


def table_html(history: History) -> Markup:
    """The epochs as a table; long ones shortened in the middle, the best marked; empty without any.

    >>> HTML(table_html(run.history))
    """
    names, rows = _table(history)
    if not rows:
        return Markup("")
    pad = Markup("padding:1px 10px;text-align:right")
    head = [markup('<th style="{pad}">{name}</th>', pad=pad, name=name) for name in names]
    body = []
    for row in rows:
        values = ["…"] * len(names) if row is None else row[1]
        best = row is not None and row[0]
        cells = [markup('<td style="{pad}">{value}</td>', pad=pad, value=v) for v in values]
        mark = markup('<td style="{pad}">{mark}</td>', pad=pad, mark="best" if best else "")
        bold = Markup(' style="font-weight:600"' if best else "")
        body.append(markup("<tr{bold}>{cells}{mark}</tr>", bold=bold, cells=cells, mark=mark))
    return markup(
        '<table style="border-collapse:collapse;font-size:12px"><thead><tr>{head}<th></th></tr>'
        "</thead><tbody>{body}</tbody></table>",
        head=head,
        body=body,
    )


def _table(history: History) -> tuple[list[str], list[tuple[bool, list[str]] | None]]:
    """Column names, and for each row whether it is the best and its texts; None for a gap."""
    epochs = list(history.epochs)
    names = list(dict.fromkeys(key for row in epochs for key in row if key != "step"))[:COLUMNS]
    best = history.best() if epochs else None
    places = _shortened(len(epochs), next((i for i, r in enumerate(epochs) if r is best), None))
    rows: list[tuple[bool, list[str]] | None] = []
    for at in places:
        if at is None:
            rows.append(None)
            continue
        texts = [_cell(name, epochs[at].get(name)) for name in names]
        rows.append((epochs[at] is best, texts))
    heads = ["time" if name == "seconds" else display_text(str(name), 30) for name in names]
    return heads, rows


def _shortened(count: int, best: int | None) -> list[int | None]:
    """The first, the last and the best, None where some are left out."""
    if count <= ROWS:
        return list(range(count))
    kept = sorted({0, 1, 2, *range(count - ROWS + 5, count), *([best] if best is not None else [])})
    places: list[int | None] = []
    for before, at in zip([-1, *kept], kept, strict=False):
        places += [at] if at == before + 1 else [None, at]
    return places


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "epoch":
        return f"{value}"
    if isinstance(value, int | float):
        if name == "seconds":
            return seconds_text(value)
        return f"{value:.3g}".replace("e-0", "e-") if name == "lr" else number_text(float(value))
    return display_text(str(value), 40)
