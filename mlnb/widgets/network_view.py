"""What a network has become: its layers as a table with what is new marked, and the graph likewise.

The table is script-free HTML and stays in the notebook as it is; the graph is the viewer of loaded
models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import display

from mlnb.formatting import Markup, display_text, html, plural, text_table
from mlnb.networks.activity import HEADS as ACTIVITY_HEADS
from mlnb.networks.activity import Activity, rows_by_name, texts
from mlnb.networks.growing import Change
from mlnb.networks.summary import HEADS, SHOWN, LayerRow, NetworkSummary, cells, summarize_network
from mlnb.widgets import base

if TYPE_CHECKING:
    from mlnb.networks.holder import Holder
    from mlnb.widgets.graph_viewer import GraphViewer

NOTHING = Change()
ACCENTED = ("new", "reset")

_TAG = (
    "border:1px solid var(--jp-brand-color1, #1976d2);color:var(--jp-brand-color1, #1976d2);"
    "border-radius:3px;padding:0 4px;font-size:85%"
)
_FAINT = "opacity:0.65;font-size:85%"
_BESIDE = "border-left:3px solid var(--jp-brand-color1, #1976d2)"
_MUTED = "margin:4px 0;opacity:0.75"


def network_table(
    net: Holder, change: Change = NOTHING, found: Activity | None = None
) -> dict[str, str]:
    """The layers as text and as script-free HTML.

    >>> display(network_table(net, change), raw=True)

    Args:
        net: the network.
        change: what is new, changed and reset, which is marked.
        found: what a batch becomes in each layer, for four columns more.
    """
    summary = summarize_network(net)
    if not summary.layers:
        return _unsized(net)
    marks = _marks(net, change)
    rows = _shown(summary, marks)
    heads = ("", *HEADS[:5], *(ACTIVITY_HEADS if found else ()))
    activities = rows_by_name(found)
    body = [
        (
            _mark(row, marks),
            *line[:5],
            *(texts(activities.get(row.name)) if found else ()),
        )
        for row, line in zip(rows, cells(rows), strict=False)
    ]
    said = _said(summary, change, found)
    return {
        "text/plain": _text(net, heads, body, said),
        "text/html": _html(net, heads, body, said),
    }


def network_graph_view(net: Holder, change: Change = NOTHING, height: int = 460) -> GraphViewer:
    """The graph of a network, with what is new or has new weights marked.

    Args:
        net: the network; its input shape is known.
        change: what is marked.
        height: of the canvas, in pixels.
    """
    from mlnb.widgets.graph_viewer import GraphViewer

    marked = list(_marks(net, change, ACCENTED))
    return GraphViewer(net.graph, height=height, marked=marked)


def show_table(net: Holder, change: Change = NOTHING, found: Activity | None = None) -> None:
    """Display the table; print it in a terminal."""
    bundle = network_table(net, change, found)
    if base.has_front_end():
        display(bundle, raw=True)
    else:
        print(bundle["text/plain"])  # noqa: T201 - a terminal is shown text


def show_graph(net: Holder, change: Change = NOTHING, height: int | None = None) -> None:
    """Display the graph, where there is one and something that draws it."""
    if net.dry_inputs() is None or not len(net) or not base.has_front_end():
        return
    viewer = network_graph_view(net, change, **({} if height is None else {"height": height}))
    viewer._ipython_display_()


def _marks(
    net: Holder, change: Change, kinds: tuple[str, ...] = (*ACCENTED, "changed")
) -> dict[str, str]:
    """A word for each child of the module that is not as it was."""
    words = {name: kind for kind in kinds for name in getattr(change, kind)}
    return {
        part.name: words[built.layer.name]
        for built in net.built
        if built.layer.name in words
        for part in built.parts
    }


def _mark(row: LayerRow, marks: dict[str, str]) -> str:
    """The word for a layer; what lies in a block has a mere space, which draws its bar."""
    word = marks.get(row.name.partition(".")[0], "")
    return " " if row.depth and word in ACCENTED else "" if row.depth else word


def _shown(summary: NetworkSummary, marks: dict[str, str]) -> list[LayerRow]:
    """All rows where they are few; else the outermost, and what lies in those that are new."""
    if len(summary.layers) <= SHOWN:
        return list(summary.layers)
    return [row for row in summary.layers if not row.depth or marks.get(row.name.partition(".")[0])]


def _said(summary: NetworkSummary, change: Change, found: Activity | None) -> list[str]:
    """What stands below the table."""
    said = [summary.line]
    if change.reset:
        said.append(f"new weights, for the shapes changed: {', '.join(change.reset)}")
    if found:
        looked = f"activations of {plural(found.samples, 'sample')}"
        said.append(f"{looked}, as in training but without dropout")
    return said


def _unsized(net: Holder) -> dict[str, str]:
    """A network whose input is not known yet: its layers alone."""
    names = [display_text(layer.name or layer.word, 40) for layer in getattr(net, "layers", ())]
    title = f"{display_text(net.name)}: {plural(len(names), 'layer')}"
    remedy = "shapes are known with --input 1x28x28, with --sample, or at the first data"
    listed = " → ".join(names)
    return {
        "text/plain": "\n".join([title, listed, remedy] if names else [title, remedy]),
        "text/html": html(
            '<p style="margin:4px 0"><b>{title}</b><br>{listed}</p><p style="{muted}">{remedy}</p>',
            title=title,
            listed=listed,
            muted=_MUTED,
            remedy=remedy,
        ),
    }


_NUMBERS = (4, 5, 6, 7, 8)


def _text(net: Holder, heads: tuple[str, ...], body: list[tuple[str, ...]], said: list[str]) -> str:
    table = text_table([heads, *body], _NUMBERS)
    return "\n".join([display_text(net.name), *table, *said])


def _html(
    net: Holder, heads: tuple[str, ...], body: list[tuple[str, ...]], said: list[str]
) -> Markup:
    rows = [
        html("<tr>{cells}</tr>", cells=[_cell(at, t) for at, t in enumerate(row)]) for row in body
    ]
    head = [
        html('<th style="text-align:{s}">{t}</th>', s="right" if at in _NUMBERS else "left", t=text)
        for at, text in enumerate(heads)
    ]
    lines = [html('<p style="{muted}">{line}</p>', muted=_MUTED, line=line) for line in said]
    return html(
        '<p style="margin:4px 0"><b>{name}</b></p><table style="margin:0"><thead><tr>{head}</tr>'
        "</thead><tbody>{rows}</tbody></table>{lines}",
        name=display_text(net.name),
        head=head,
        rows=rows,
        lines=lines,
    )


def _cell(at: int, text: str) -> Markup:
    side = "right" if at in _NUMBERS else "left"
    style = f"text-align:{side};white-space:pre"
    if at == 0:
        accented = text in (*ACCENTED, " ")
        look = _TAG if accented else _FAINT
        word = text.strip()
        tag = html('<span style="{look}">{word}</span>', look=look, word=word) if word else Markup()
        style += f";{_BESIDE}" if accented else ""
        return html('<td style="{style}">{tag}</td>', style=style, tag=tag)
    return html('<td style="{style}">{text}</td>', style=style, text=text)
