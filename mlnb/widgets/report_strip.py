"""The most wrong rows in a saved notebook: eight small pictures, or as many sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlnb.formatting import Markup, display_text, html
from mlnb.widgets.picture_rows import name_of
from mlnb.widgets.report_rows import shows_pictures
from mlnb.widgets.row_facets import told_of
from mlnb.widgets.saved_pictures import caption, saved_pictures
from mlnb.widgets.text_rows import text_line

if TYPE_CHECKING:
    from mlnb.train.evaluation import Evaluation

ROWS = 8


def strip_html(evaluation: Evaluation) -> Markup:
    """The most wrong rows; nothing where none is wrong or there is nothing to look at."""
    rows = evaluation.most_wrong(ROWS)
    if evaluation.content is None or rows.empty:
        return Markup("")
    shown = rows[evaluation.content]
    told = [told_of(row, at, False) for at, (_, row) in enumerate(rows.iterrows())]
    if shows_pictures(evaluation):
        pairs = zip(shown, told, strict=True)
        made = saved_pictures((path, one | {"name": name_of(path)}) for path, one in pairs)
    else:
        made = [_sentence(text, caption(one)) for text, one in zip(shown, told, strict=True)]
    return html("<div>most wrong</div><div>{made}</div>", made=made)


def _sentence(text: Any, said: str) -> Markup:
    return html(
        '<div style="font-size:12px">{text} <span style="opacity:.75">{said}</span></div>',
        text=display_text(text_line(text), 200),
        said=said,
    )
