"""A file of weights in a notebook: what it is, how it is used, and the table of its tensors.

Script-free HTML that stays in the notebook as it is; there is no graph to walk through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlnb.formatting import Markup, display_text, html
from mlnb.widgets.model_words import model_words

if TYPE_CHECKING:
    from mlnb.models.model import Model


def weights_bundle(model: Model) -> dict[str, str]:
    """The table as text and as script-free HTML.

    >>> display(weights_bundle(load_model("resnet20.th")), raw=True)

    Args:
        model: of a file that holds weights and no graph.
    """
    title, words, table = display_text(model.title), model_words(model), model.tensors
    said = display_text(model.advice, 400)
    said = said[:1].upper() + said[1:]
    page = html(
        '<p style="margin:4px 0"><strong>{title}</strong> <span style="opacity:0.65">{words}'
        '</span></p><p style="margin:4px 0">{said}</p>{table}',
        title=title,
        words=words,
        said=said,
        table=Markup(table._repr_html_()),
    )
    lines = [f"{title} · {words}", said, repr(table)]
    return {"text/plain": "\n".join(line for line in lines if line), "text/html": page}
