"""What a `Run` says of itself: a line, a table of epochs, a curve; as text and as HTML.

The HTML has no script and no colour of its own beside the picture's card, so that it is readable on
light and dark pages, in a saved notebook, and where nobody trusts it. A run takes less than 50 kB,
however long it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mlnb.figures import Series, as_img, line_chart
from mlnb.formatting import Markup, display_text
from mlnb.formatting import html as markup
from mlnb.train.show.curve import needs_log, of_epochs, of_steps, run_curve
from mlnb.train.show.epoch_table import table_html
from mlnb.train.show.lines import line, summary

if TYPE_CHECKING:
    from mlnb.train.history import History

NOTICES = 8


def text(run: Any) -> str:
    """The run in one line, as its repr.

    >>> text(run)
    "Run('lenet': epoch 3/20 · loss 0.312 · val_loss 0.298 · 12,300 samples/s · 0:12 left)"
    """
    return f"Run({run.name!r}: {line(run)})"


def html(run: Any) -> Markup:
    """Line, what it had to say, curve and table of epochs."""
    history: History = run.history
    notices = [
        markup('<div style="opacity:.7">{notice}</div>', notice=display_text(str(notice), 300))
        for notice in list(run.notices)[-NOTICES:]
    ]
    curve = as_img(run_curve(run), f"The curve of {run.name}: {line(run)}") if len(history) else ""
    return markup(
        '<div style="font-size:13px;line-height:1.5"><div><b>{name}</b> {line}</div>{notices}'
        '<div style="margin:6px 0">{curve}</div>{table}</div>',
        name=run.name,
        line=line(run),
        notices=notices,
        curve=curve,
        table=table_html(history),
    )


def overlay(runs: Iterable[Any], *, title: str = "") -> Markup:
    """Several runs in one picture, a colour each; validation is dashed.

    >>> HTML(overlay([run, fork]))

    Args:
        runs: each with `name` and `history`, or pairs of the two.
        title: above the picture.
    """
    pairs = [run if isinstance(run, tuple) else (run.name, run.history) for run in runs]
    series: list[Series] = []
    lines: list[Markup] = []
    for color, (name, history) in enumerate(pairs):
        shown = display_text(str(name), 30)
        series += of_steps(history, color=color, label=shown)[:2]
        series += of_epochs(history, color=color, label=f"{shown} validation", dashed=True)
        lines.append(markup("<div><b>{name}</b> {line}</div>", name=shown, line=summary(history)))
    names = ", ".join(display_text(str(name), 30) for name, _ in pairs)
    svg = line_chart(
        series, title=title, x_label="step", log_y=needs_log([one.y for one in series]), height=340
    )
    return markup(
        '<div style="font-size:13px;line-height:1.5">{img}{lines}</div>',
        img=as_img(svg, f"The curves of {names}"),
        lines=lines[:40],
    )
