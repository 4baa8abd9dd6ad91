"""Pictures with their words as a saved notebook keeps them: script-free, and not too many bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlnb.errors import ImageError
from mlnb.formatting import Markup, html, image_uri, probability_text
from mlnb.widgets.thumbnails import thumbnail

SIDE = 96
BYTES = 150_000


def saved_pictures(told: Iterable[tuple[Any, dict[str, Any]]]) -> list[Markup]:
    """A figure for each path and what `picture_rows.tile` says of it, as many as `BYTES` hold."""
    figures, budget = [], BYTES
    for path, one in told:
        figure = _figure(path, one)
        budget -= len(figure)
        if budget < 0:
            break
        figures.append(figure)
    return figures


def _figure(path: Any, told: dict[str, Any]) -> Markup:
    """A picture of the saved notebook, or the reason why there is none."""
    try:
        data = thumbnail(path, SIDE)
        picture = html(
            '<img src="{uri}" alt="{name}" style="max-height:96px">',
            uri=image_uri(data),
            name=told["name"],
        )
    except ImageError as error:
        picture = html("<i>{why}</i>", why=str(error))
    return html(
        '<div style="display:inline-block;width:112px;margin:4px;vertical-align:top;'
        'font-size:12px;overflow:hidden">{picture}<div>{words}</div></div>',
        picture=picture,
        words=caption(told),
    )


def caption(told: dict[str, Any]) -> str:
    """What stands below a picture: `cat`, `dog .97`, `dog .97 · is cat`, and `left out`."""
    label, predicted = told.get("label", ""), told.get("predicted")
    words = label
    if predicted is not None:
        sure = told.get("probability")
        words = predicted if sure is None else f"{predicted} {probability_text(sure)}"
        words += f" · is {label}" if told.get("wrong") else ""
    return f"{words} · left out" if told["left_out"] else words or told["name"]
