"""The most wrong rows in a saved notebook: eight small pictures, or as many sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.errors import MlnbError
from mlnb.formatting import Markup, display_text, html, image_uri, probability_text
from mlnb.widgets.report_rows import shows_pictures
from mlnb.widgets.text_rows import text_line
from mlnb.widgets.thumbnails import thumbnail

if TYPE_CHECKING:
    from mlnb.train.evaluation import Evaluation

ROWS = 8
SIDE = 96


def strip_html(evaluation: Evaluation) -> Markup:
    """The most wrong rows; nothing where none is wrong or there is nothing to look at."""
    rows = evaluation.most_wrong(ROWS)
    if evaluation.content is None or rows.empty:
        return Markup("")
    show = _picture if shows_pictures(evaluation) else _sentence
    shown = [show(row[evaluation.content], _said(row)) for _, row in rows.iterrows()]
    return html("<div>most wrong</div><div>{shown}</div>", shown=shown)


def _said(row: Any) -> str:
    said, true = (
        ", ".join(str(one) for one in value) if isinstance(value, tuple) else str(value)
        for value in (row["predicted"], row["label"])
    )
    said, true = (display_text(text, 24) or "nothing" for text in (said, true))
    return f"{said} {probability_text(row['probability'])} · is {true}"


def _picture(path: object, said: str) -> Markup:
    try:
        made = thumbnail(str(path), SIDE)
    except MlnbError:
        return html('<span style="margin-right:12px">(no picture) {said}</span>', said=said)
    return html(
        '<span style="display:inline-block;margin:4px 10px 4px 0;font-size:12px">'
        '<img src="{uri}" alt="{said}"><br>{said}</span>',
        uri=image_uri(made),
        said=said,
    )


def _sentence(text: object, said: str) -> Markup:
    return html(
        '<div style="font-size:12px">{text} <span style="opacity:.75">{said}</span></div>',
        text=display_text(text_line(text), 200),
        said=said,
    )
