"""What stays of a model in a saved notebook: its inputs and outputs, and a picture of its graph.

Plain HTML: no script, no style sheet, no id, and the picture in an `<img>`, since that is what an
untrusted notebook, nbconvert and GitHub leave as it is. Colours come from the page it stands on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from mlnb.formatting import Markup, display_text, html, image_uri, plural
from mlnb.graph.danger import danger_line
from mlnb.graph.paint import value_text
from mlnb.graph.svg import picture

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph
    from mlnb.graph.paint import Paint
    from mlnb.specs import TensorSpec

LARGEST = 60_000
"""Bytes of the whole card."""
ROWS = 24
"""Inputs, and as many outputs, that the table names; it says how many more there are."""
BOXES = (40, 24, 12)

_CELL = "padding:3px 14px 3px 0;text-align:left;border:0;vertical-align:top"
_MUTED = _CELL + ";opacity:0.65"
_CODE = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"


def card(
    title: str,
    facts: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    graph: Graph,
    marked: Collection[int] = (),
    paint: Paint | None = None,
) -> Markup:
    """The table of inputs and outputs and the folded picture, as HTML of at most 60 kB.

    >>> HTML(card("digits.onnx", "12 nodes", model.inputs, model.outputs, model.graph))

    Args:
        title: what the model is called, usually its file name.
        facts: one line about it: `"ONNX opset 17 · 69 nodes · 11.7 M parameters"`.
        inputs: what goes in; without inputs and outputs there is no table.
        outputs: what comes out.
        graph: what is drawn; an empty one is left out.
        marked: the indices of nodes that are drawn as new.
        paint: colours for its boxes; the values stand in a table below.
    """
    table = Markup(_heading(title, facts) + _danger(graph) + _table(inputs, outputs))
    values = _values(paint) if paint is not None else Markup()
    if not graph.nodes:
        return table
    alt = f"The graph of {display_text(title)}"
    for boxes in BOXES:
        image = _image(picture(graph, boxes, marked, paint), alt)
        if len((table + image + values).encode()) <= LARGEST:
            return Markup(table + image + values)
    return Markup(table + html("<p>{alt} is too large for a saved picture.</p>", alt=alt) + values)


def _image(svg: str, alt: str) -> Markup:
    return html(
        '<p style="margin:8px 0"><img src="{uri}" alt="{alt}" style="max-width:100%"></p>',
        uri=image_uri(svg),
        alt=alt,
    )


def _values(paint: Paint) -> Markup:
    """The painted values, sorted, as a table that opens."""
    pairs = paint.sorted()
    rows = [
        html(
            '<tr style="background:none"><td style="{cell};{code}">{name}</td>'
            '<td style="{cell}">{value}</td></tr>',
            cell=_CELL,
            code=_CODE,
            name=display_text(name.rstrip("/"), 60),
            value=value_text(value),
        )
        for name, value in pairs[:ROWS]
    ]
    rest = f", and {len(pairs) - ROWS:,} more" if len(pairs) > ROWS else ""
    return html(
        '<details><summary>{label}: {count}{rest}</summary><table style="border-collapse:'
        'collapse;margin:4px 0"><tbody>{rows}</tbody></table></details>',
        label=paint.label or "value",
        count=plural(min(len(pairs), ROWS), "value"),
        rest=rest,
        rows=rows,
    )


def _heading(title: str, facts: str) -> Markup:
    return html(
        '<p style="margin:4px 0"><strong>{title}</strong>'
        ' <span style="opacity:0.65">{facts}</span></p>',
        title=display_text(title),
        facts=display_text(facts, 300),
    )


def _danger(graph: Graph) -> Markup:
    """What the model would do with the rights of its user, in red."""
    said = danger_line(graph)
    template = '<p style="margin:4px 0;color:#d84a3f">{said}</p>'
    return html(template, said=display_text(said)) if said else Markup()


def _table(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Markup:
    rows = [*_rows("in", inputs), *_rows("out", outputs)]
    if not rows:
        return Markup()
    head = [
        html('<th style="{style}">{text}</th>', style=_MUTED + ";font-weight:400", text=text)
        for text in ("", "name", "dtype", "shape")
    ]
    return html(
        '<table style="border-collapse:collapse;margin:4px 0"><thead><tr>{head}</tr></thead>'
        "<tbody>{rows}</tbody></table>",
        head=head,
        rows=rows,
    )


def _rows(role: str, specs: Sequence[TensorSpec]) -> list[Markup]:
    rows = [_row(role, spec.name, _dtype(spec), spec.shape_text) for spec in specs[:ROWS]]
    if len(specs) > ROWS:
        rows.append(_row(role, f"and {len(specs) - ROWS:,} more", "", ""))
    return rows


def _dtype(spec: TensorSpec) -> str:
    dtype = spec.dtype if spec.kind == "tensor" else f"{spec.kind} of {spec.dtype}"
    return dtype if spec.quantization is None else f"{dtype} · {spec.quantization.text}"


def _row(role: str, name: str, dtype: str, shape: str) -> Markup:
    return html(
        '<tr style="background:none"><td style="{muted}">{role}</td><td style="{cell};{code}">'
        '{name}</td><td style="{cell}">{dtype}</td><td style="{cell}">{shape}</td></tr>',
        muted=_MUTED,
        cell=_CELL,
        code=_CODE,
        role=role,
        name=display_text(name, 60),
        dtype=display_text(dtype, 80),
        shape=display_text(shape, 120),
    )
