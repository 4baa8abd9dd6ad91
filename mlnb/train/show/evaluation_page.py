"""An `Evaluation` as HTML without a script: the line that sums it up, the matrix, the classes.

Colours are see-through, so that a cell is readable on light and dark pages alike; the deeper, the
larger the share of its label's rows. More than 30 classes become the list of what was taken for
what, because nobody reads a matrix of 900 cells, and a saved notebook should not bear one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import Markup, display_text, html
from mlnb.train.measures import percent

if TYPE_CHECKING:
    from mlnb.train.evaluation import Evaluation

MOST_CLASSES = 30
"""The most classes of which a matrix is drawn."""
PAIRS = 20
_RIGHT, _WRONG = "59,120,181", "200,85,61"
_FRAME = Markup("border-collapse:collapse;font-size:12px;margin:6px 24px 6px 0")
_CELL = "padding:3px 9px;text-align:right"


def evaluation_html(evaluation: Evaluation) -> Markup:
    """Everything that fits into a saved notebook.

    >>> HTML(evaluation_html(evaluation))
    """
    return html(
        '<div style="font-size:13px;line-height:1.5">{head}{matrix}{classes}</div>',
        head=head_html(evaluation),
        matrix=_matrix(evaluation),
        classes=_classes(evaluation),
    )


def head_html(evaluation: Evaluation) -> Markup:
    """The line that sums it up, what to compare it with, and what the reader should know."""
    first, *rest = evaluation.facts
    beside = [html("<div>{text}</div>", text=baselines_text(evaluation))]
    beside += [html("<div>{note}</div>", note=display_text(n, 300)) for n in evaluation.notes[:8]]
    return html(
        '<div><b style="font-size:15px">{first}</b> {rest}</div>'
        '<div style="opacity:.75;font-size:12px">{beside}</div>',
        first=first,
        rest=" · ".join(rest),
        beside=beside,
    )


def baselines_text(evaluation: Evaluation) -> str:
    """What others would have: `always the same answer 50.0% · TF-IDF 84.2%`.

    A majority that comes with the others is that of the training rows.
    """
    others = dict(evaluation.baselines)
    named = {"always the same answer": others.pop("majority", evaluation.majority), **others}
    return " · ".join(f"{display_text(name, 40)} {percent(one)}" for name, one in named.items())


def confused_pairs(evaluation: Evaluation) -> list[tuple[int, int, int]]:
    """What was taken for what, the most often first: label, answer (columns) and count."""
    wrong = evaluation.confusion.copy()
    np.fill_diagonal(wrong, 0)
    labels, answers = np.nonzero(wrong)
    counts = wrong[labels, answers]
    order = np.argsort(-counts, kind="stable")
    return [(int(labels[at]), int(answers[at]), int(counts[at])) for at in order]


def number(value: float) -> str:
    """A measure from 0 to 1; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def _matrix(evaluation: Evaluation) -> Markup:
    if evaluation.multi_label:
        return Markup("")  # the classes' table counts what was found and missed
    if len(evaluation.classes) > MOST_CLASSES:
        return _pairs(evaluation)
    names = [display_text(str(name), 24) for name in evaluation.classes]
    lines = [
        html(
            "<tr>{head}{cells}</tr>",
            head=html('<th style="text-align:right">{name}</th>', name=name),
            cells=list(_cells(row, at)),
        )
        for at, (name, row) in enumerate(zip(names, evaluation.confusion, strict=True))
    ]
    return html(
        '<div style="opacity:.75;font-size:12px">a row a label, a column an answer</div>'
        '<table style="{frame}">'
        "<thead><tr><th></th>{names}</tr></thead><tbody>{lines}</tbody></table>",
        frame=_FRAME,
        names=[html("<th>{name}</th>", name=name) for name in names],
        lines=lines,
    )


def _cells(row: Sequence[int], label: int) -> Iterator[Markup]:
    total = max(1, int(sum(row)))
    for at, count in enumerate(row):
        if count == 0:
            yield Markup("<td></td>" if at != label else '<td style="text-align:center">0</td>')
            continue
        yield html(
            '<td style="background:rgba({color},{depth});padding:4px 10px;text-align:center">'
            "{count}</td>",
            color=_RIGHT if at == label else _WRONG,
            depth=f"{0.15 + 0.5 * count / total:.2f}",
            count=f"{count:,}",
        )


def _pairs(evaluation: Evaluation) -> Markup:
    pairs = confused_pairs(evaluation)
    rest = len(pairs) - PAIRS
    lines = [
        (str(evaluation.classes[label]), str(evaluation.classes[answer]), f"{count:,}")
        for label, answer, count in pairs[:PAIRS]
    ]
    return html(
        "{table}{rest}",
        table=_table(("label", "taken for", "rows"), lines, words=2),
        rest=html("<div>and {rest} more pairs</div>", rest=f"{rest:,}") if rest > 0 else "",
    )


def _classes(evaluation: Evaluation) -> Markup:
    table = evaluation.per_class
    hidden = len(table) - MOST_CLASSES
    if hidden > 0:
        table = table.sort_values("f1", kind="stable").head(MOST_CLASSES)
    columns = ["class", "precision", "recall", "F1", evaluation.noun + "s"]
    lines = [
        (str(name), *(number(float(v)) for v in (precision, recall, f1)), f"{int(support):,}")
        for name, precision, recall, f1, support in table.itertuples()
    ]
    rest = "<div>the weakest; {n} more: <code>evaluation.per_class</code></div>"
    return html(
        "{table}{rest}",
        table=_table(columns, lines, words=1),
        rest=html(rest, n=f"{hidden:,}") if hidden > 0 else "",
    )


def _table(columns: Sequence[str], lines: Sequence[Sequence[Any]], words: int) -> Markup:
    """A table whose first columns are words, to the left; the others are numbers, to the right."""
    pad = Markup(_CELL)
    left = Markup(_CELL.replace("right", "left"))

    def row(tag: str, cells: Sequence[Any]) -> Markup:
        return html(
            "<tr>{cells}</tr>",
            cells=[
                html(
                    '<{tag} style="{pad}">{text}</{tag}>',
                    tag=Markup(tag),
                    pad=left if at < words else pad,
                    text=display_text(str(text), 60),
                )
                for at, text in enumerate(cells)
            ],
        )

    return html(
        '<table style="{frame}"><thead>{head}</thead><tbody>{body}</tbody></table>',
        frame=_FRAME,
        head=row("th", columns),
        body=[row("td", line) for line in lines],
    )
