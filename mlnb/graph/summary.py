"""How large a model is, and where: nodes, parameters, bytes and MACs by operation and by layer.

Counting, totals and text are apart: `summarize` makes rows of plain numbers, and every total is the
sum of its rows. What a parameter is, `weights.py` says; what a MAC is, `macs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mlnb.formatting import (
    Markup,
    bytes_text,
    count_text,
    display_text,
    html,
    html_table,
    plural,
    text_table,
)
from mlnb.graph.elide import elided_nodes
from mlnb.graph.families import family
from mlnb.graph.fold import op_text
from mlnb.graph.graph import Graph
from mlnb.graph.macs import macs
from mlnb.graph.order import HANDS_ON, data_flow_order
from mlnb.graph.weights import elements, weight_uses

if TYPE_CHECKING:
    from mlnb.graph.graph import Value

SHOWN = 40
"""Rows that text and HTML show; `to_frame` has them all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation or one layer.

    Args:
        name: the operation, or the layer's path.
        count: how many nodes it has.
        parameters: elements of the stored weights that it uses first.
        nbytes: the size of these weights, in bytes.
        macs: multiply-accumulates, as far as shapes are known; `None` where none is.
        op: of a layer, its operations: `"Conv · Relu"`.
    """

    name: str
    count: int
    parameters: int
    nbytes: int
    macs: int | None
    op: str = ""


@dataclass(frozen=True)
class Summary:
    """The sizes of a model; its rows in `by_op` and in `by_layer` add up to the same totals.

    Args:
        by_op: one row for each operation, the largest first.
        by_layer: one row for each module of the file, or for each node where it names no module.
        without_macs: nodes that multiply but whose shapes the file does not tell.
    """

    by_op: tuple[Row, ...]
    by_layer: tuple[Row, ...]
    without_macs: int = 0

    @property
    def nodes(self) -> int:
        """All nodes, those of nested graphs included, each graph once."""
        return sum(row.count for row in self.by_op)

    @property
    def parameters(self) -> int:
        """Elements of the stored weights that nodes use, shared ones once."""
        return sum(row.parameters for row in self.by_op)

    @property
    def bytes(self) -> int:
        """The size of these weights, in bytes."""
        return sum(row.nbytes for row in self.by_op)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates as far as shapes are known; `None` where none is."""
        return _sum(row.macs for row in self.by_op)

    def to_frame(self, by: str = "layer") -> Any:
        """All rows as a pandas DataFrame.

        Args:
            by: `"layer"` or `"op"`.
        """
        import pandas as pd

        if by not in ("layer", "op"):
            raise ValueError(f"by is 'layer' or 'op', not {by!r}")
        rows = self.by_layer if by == "layer" else self.by_op
        columns = {
            "name": [row.name for row in rows],
            "op": [row.op for row in rows],
            "count": [row.count for row in rows],
            "parameters": [row.parameters for row in rows],
            "bytes": [row.nbytes for row in rows],
            "macs": pd.array([row.macs for row in rows], dtype="Int64"),
        }
        if by == "op":
            del columns["op"]
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        lines = [*_lines("op", self.by_op), "", *_lines("layer", self.by_layer), "", self.line]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        tables = [_html_table("op", self.by_op), _html_table("layer", self.by_layer)]
        return html("{tables}<p>{line}</p>", tables=tables, line=self.line)

    @property
    def line(self) -> str:
        """The totals in one line: `69 nodes · 11.7 M parameters · 46.8 MB · 1.81 GMACs`."""
        parts = [plural(self.nodes, "node"), f"{count_text(self.parameters)} parameters"]
        parts.append(bytes_text(self.bytes))
        if self.macs is not None:
            number, _, unit = count_text(self.macs).partition(" ")
            parts.append(f"{number} {unit}MACs")
        if self.without_macs:
            parts.append(f"MACs of {plural(self.without_macs, 'node')} unknown: shapes missing")
        return " · ".join(parts)


class HasGraph(Protocol):
    """Whatever has a graph, such as a `Model`."""

    @property
    def graph(self) -> Graph:
        """Its operations and the values between them."""


def summarize(model: Graph | HasGraph) -> Summary:
    """Count the operations, parameters and multiplications of a model, nested graphs included.

    >>> summarize(model).parameters
    11689512

    For MACs a batch dimension that is a name counts as 1, and one that is a number as that number.
    The body of a loop or function counts once.
    """
    graph = model if isinstance(model, Graph) else model.graph
    counts = list(_counts(graph))
    by_op = _rows((op, "", row) for op, _, row in counts)
    by_layer = _rows((layer, op, row) for op, layer, row in counts)
    order = sorted(by_op, key=lambda row: (-row.parameters, -(row.macs or 0), -row.count))
    missing = sum(1 for _, _, row in counts if row.macs is None)
    return Summary(tuple(order), tuple(by_layer), missing)


def _counts(graph: Graph) -> Iterator[tuple[str, str, Row]]:
    """For every node its operation, its layer, and what it adds; in the order of data flow.

    Constants and shape arithmetic come last: a layer stands where it computes on the data, not
    where the file happens to store what it reads.
    """
    weights: dict[tuple[int, int], list[Value]] = {}
    for use in weight_uses(graph):
        weights.setdefault((id(use.graph), use.node), []).append(use.weight)
    seen: set[int] = set()
    waiting = [(graph, "")]
    while waiting:
        inner, owner = waiting.pop()
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        order = data_flow_order(inner)
        hidden = elided_nodes(inner, order)
        layers = _layers(inner, order, hidden)
        for i in sorted(order, key=hidden.__contains__):
            node, layer = inner.nodes[i], owner or layers[i]
            used = weights.get((id(inner), i), [])
            parameters = sum(map(elements, used))
            nbytes = sum(value.nbytes or 0 for value in used)
            yield op_text(node), layer, Row("", 1, parameters, nbytes, macs(inner, node))
            waiting.extend((g, layer) for g in reversed(list(node.subgraphs.values())))


def _layers(graph: Graph, order: Sequence[int], hidden: frozenset[int]) -> list[str]:
    """The layer of each node: its scope, else its name; a hidden node's is that of its reader."""
    layers = [""] * len(graph.nodes)
    for i in reversed(order):
        node = graph.nodes[i]
        readers = [j for name in node.outputs for j in graph.consumers.get(name, ())]
        if i in hidden and not node.scope and readers and layers[readers[0]]:
            layers[i] = layers[readers[0]]
        else:
            own = "/".join(node.scope) or node.name or f"{op_text(node)} {i}"
            layers[i] = display_text(own, 400)
    return layers


def _rows(parts: Iterator[tuple[str, str, Row]]) -> list[Row]:
    """One row for each name, in the order of their first appearance."""
    sums: dict[str, list[Row]] = {}
    ops: dict[str, dict[str, None]] = {}
    for name, op, row in parts:
        sums.setdefault(name, []).append(row)
        ops.setdefault(name, {})[op] = None
    return [
        Row(
            name,
            sum(row.count for row in rows),
            sum(row.parameters for row in rows),
            sum(row.nbytes for row in rows),
            _sum(row.macs for row in rows),
            _ops_text([op for op in ops[name] if op]),
        )
        for name, rows in sums.items()
    ]


def _ops_text(ops: list[str]) -> str:
    shown = [op for op in ops if op not in HANDS_ON and family(op).name != "constant"] or ops
    return " · ".join(shown[:3]) + (" …" if len(shown) > 3 else "")


def _sum(numbers: Iterator[int | None]) -> int | None:
    """The sum of what is known; `None` where something is missing and nothing else counts."""
    found = list(numbers)
    total = sum(number or 0 for number in found)
    return total if total or None not in found else None


_HEADS = ("nodes", "parameters", "bytes", "MACs")
_NUMBERS = range(1, 1 + len(_HEADS))


def _cells(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as text, with a last one for those that are left out."""
    shown, rest = rows[:SHOWN], rows[SHOWN:]
    cells: list[tuple[str, ...]] = []
    cells.extend((display_text(row.name, 48), *_numbers(row)) for row in shown)
    if rest:
        total = _rows(("", "", row) for row in rest)[0]
        cells.append((f"and {plural(len(rest), 'row')} more", *_numbers(total)))
    return cells


def _numbers(row: Row) -> tuple[str, str, str, str]:
    known = "?" if row.macs is None else f"{row.macs:,}" if row.macs else ""
    return (
        f"{row.count:,}",
        f"{row.parameters:,}" if row.parameters else "",
        bytes_text(row.nbytes) if row.nbytes else "",
        known,
    )


def _lines(head: str, rows: Sequence[Row]) -> list[str]:
    return text_table([(head, *_HEADS), *_cells(rows)], _NUMBERS, ruled=True)


def _html_table(head: str, rows: Sequence[Row]) -> Markup:
    return html_table((head, *_HEADS), _cells(rows), _NUMBERS)
