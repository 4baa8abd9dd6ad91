"""What the viewer in the browser gets: the folded graph as compact JSON, made once in Python.

Columns of indices into lists of unique texts, rather than an object for each node, keep a model of
5,000 nodes at some tens of kilobytes. Its counterpart is `js/src/graph_viewer/payload.ts`. An id is
local to its graph: the viewer puts the owner's id and label before those of a nested graph, since
one function body has many owners.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mlnb.formatting import display_text
from mlnb.graph.danger import danger_line
from mlnb.graph.families import FAMILIES, family
from mlnb.graph.fold import Fold, Group, fold, op_text
from mlnb.graph.weights import weight_uses

if TYPE_CHECKING:
    from mlnb.graph.graph import Graph, Node, Value

VERSION = 4
EFFORT = 7
"""Of gzip: a sixth of the seconds of its most, for one part in fifty more bytes."""
TEXT = 400
"""Characters of one name or attribute; longer ones are clipped."""
WARNINGS = 50

_SIZES = frozenset({"kernel_shape", "strides", "dilations", "output_shape", "blocksize", "shape"})

T = TypeVar("T", bound=Hashable)


def graph_payload(graph: Graph, budget: int = 120) -> dict[str, Any]:
    """The graph and its nested graphs, folded, as a dictionary that JSON can hold.

    >>> payload = graph_payload(model.graph)
    >>> payload["graphs"][0]["nodes"]["id"][:2]
    ['/conv1/Conv', '/relu/Relu']

    Args:
        graph: the model's graph.
        budget: boxes on the first picture, as for `fold`.
    """
    return _Payload(graph, budget).result


def pack(payload: Mapping[str, Any]) -> bytes:
    """The payload as gzipped JSON; the same bytes for the same payload, at any time.

    Packed, the indices of values and nodes are differences to the one before (`null` for a value
    that is left out): they repeat from layer to layer where the numbers themselves never do, which
    halves the bytes of a large model.
    """
    packed = {**payload, "graphs": [_differences(graph) for graph in payload["graphs"]]}
    text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), EFFORT, mtime=0)


def _differences(graph: Mapping[str, Any]) -> dict[str, Any]:
    """One graph with differences for indices: values along the nodes, nodes along the tree."""
    value, child, hidden, weight = _Step(), _Step(), _Step(), _Step()
    nodes = graph["nodes"]
    inputs, outputs = [], []
    for read, made in zip(nodes["inputs"], nodes["outputs"], strict=True):
        inputs.append([value(i) for i in read])
        outputs.append([value(i) for i in made])

    def tree(group: Mapping[str, Any]) -> dict[str, Any]:
        children = [tree(c) if isinstance(c, Mapping) else child(c) for c in group["children"]]
        return {**group, "children": children}

    return {
        **graph,
        "nodes": {**nodes, "inputs": inputs, "outputs": outputs},
        "parameters": [weight(i) for i in graph["parameters"]],
        "elided": [hidden(i) for i in graph["elided"]],
        "tree": tree(graph["tree"]),
    }


class _Step:
    """The difference between each index and the last one it was given."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, index: int) -> int | None:
        if index < 0:
            return None
        step, self.last = index - self.last, index
        return step


def node_ids(graph: Graph, folded: Fold | None = None) -> list[str]:
    """The id of each node: its name made visible, and made unique: `"Conv_12"`, `"name#2"`.

    A node without a name is called after its operation. Ids of groups and of the boxes for inputs
    and outputs (`"in:NAME"`, `"out:NAME"`) are not given to nodes.
    """
    folded = fold(graph) if folded is None else folded
    taken = {group.id for group in folded.root.walk()}
    taken.update(f"in:{_text(name)}" for name in graph.inputs)
    taken.update(f"out:{_text(name)}" for name in graph.outputs)
    counts: dict[str, int] = {}
    ids = []
    for node in graph.nodes:
        name = identity = _text(node.name) or op_text(node)
        while identity in taken:
            counts[name] = counts.get(name, 1) + 1
            identity = f"{name}#{counts[name]}"
        taken.add(identity)
        ids.append(identity)
    return ids


def attribute_text(name: str, value: object) -> str:
    """An attribute's value as one reads it: `3 × 3`, `1, 1, 1, 1`, `0.1`, `float32 [64, 3]`."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, tuple | list):
        few = value[:64]
        text = (" × " if name in _SIZES else ", ").join(attribute_text("", item) for item in few)
        return _text(text + (f" … ({len(value):,} in all)" if len(value) > len(few) else ""))
    return _text(str(value))


class _Unique(Generic[T]):
    """A list of things that each occur once, and the index of each."""

    def __init__(self, things: Iterable[T] = ()) -> None:
        self.index: dict[T, int] = {thing: i for i, thing in enumerate(things)}

    def add(self, thing: T) -> int:
        return self.index.setdefault(thing, len(self.index))


class _Payload:
    """Collects what the graphs share while it writes them one after the other."""

    def __init__(self, graph: Graph, budget: int) -> None:
        self.budget = budget
        self.ops: _Unique[str] = _Unique()
        self.op_families: list[int] = []
        self.attributes: _Unique[tuple[tuple[str, str], ...]] = _Unique([()])
        self.types: _Unique[tuple[str, Any]] = _Unique()
        self.written_types: dict[tuple[str, Any], int] = {}
        self.scopes: _Unique[str] = _Unique([""])
        self.parameters: dict[int, list[str]] = {}
        for use in weight_uses(graph):
            self.parameters.setdefault(id(use.home), []).append(use.weight.name)
        graphs = [graph, *graph.subgraphs]
        self.numbers = {id(g): number for number, g in reversed(list(enumerate(graphs)))}
        written = [self._graph(g) for g in graphs]
        ops = list(self.ops.index)
        self.result: dict[str, Any] = {
            "version": VERSION,
            "families": [list(f) for f in FAMILIES],
            "ops": [list(pair) for pair in zip(ops, self.op_families, strict=True)],
            "attributes": [[list(pair) for pair in pairs] for pairs in self.attributes.index],
            "types": [[t, s if s is None else list(s)] for t, s in self.types.index],
            "scopes": list(self.scopes.index),
            "graphs": written,
            "danger": _text(danger_line(graph)),
            "warnings": [_text(w) for g in graphs for w in g.warnings][:WARNINGS],
        }

    def _graph(self, graph: Graph) -> dict[str, Any]:
        folded = fold(graph, self.budget)
        names: _Unique[str] = _Unique()
        inputs = [names.add(name) for name in graph.inputs]
        nodes = graph.nodes
        columns = {
            "id": node_ids(graph, folded),
            "op": [self._op(node) for node in nodes],
            "attributes": [self._attributes(node) for node in nodes],
            "scope": [self.scopes.add(_text("/".join(node.scope))) for node in nodes],
            "inputs": [_indices(names, node.inputs) for node in nodes],
            "outputs": [_indices(names, node.outputs) for node in nodes],
        }
        outputs = [names.add(name) for name in graph.outputs]
        parameters = [names.add(name) for name in self.parameters.get(id(graph), ())]
        values = [graph.value(name) for name in names.index]
        return {
            "name": _text(graph.name),
            "inputs": inputs,
            "outputs": outputs,
            "values": {
                "name": [_text(name) for name in names.index],
                "type": [self._type(value) for value in values],
                "bytes": [(v.nbytes or 0) if v.initializer else -1 for v in values],
            },
            "nodes": columns,
            "parameters": sorted(parameters),
            "subgraphs": self._subgraphs(nodes),
            "dangers": {str(i): _text(n.danger) for i, n in enumerate(nodes) if n.danger},
            "elided": sorted(folded.elided),
            "tree": _tree(folded.root, folded.open),
        }

    def _op(self, node: Node) -> int:
        number = self.ops.add(op_text(node))
        if number == len(self.op_families):
            self.op_families.append(FAMILIES.index(family(node.op)))
        return number

    def _attributes(self, node: Node) -> int:
        return self.attributes.add(
            tuple((_text(name), attribute_text(name, v)) for name, v in node.attributes.items())
        )

    def _type(self, value: Value) -> int:
        written = self.written_types.get((value.dtype, value.shape))
        if written is None:
            shape = value.shape
            if shape is not None:
                shape = tuple(display_text(d, 40) if isinstance(d, str) else d for d in shape)
            written = self.types.add((_text(value.dtype), shape))
            self.written_types[value.dtype, value.shape] = written
        return written

    def _subgraphs(self, nodes: Sequence[Node]) -> dict[str, list[list[Any]]]:
        return {
            str(i): [[_text(label), self.numbers[id(g)]] for label, g in node.subgraphs.items()]
            for i, node in enumerate(nodes)
            if node.subgraphs
        }


def _indices(names: _Unique[str], used: Sequence[str]) -> list[int]:
    return [names.add(name) if name else -1 for name in used]


def _tree(group: Group, opened: frozenset[str]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": group.id,
        "name": group.name,
        "label": group.label,
        "kind": group.kind,
    }
    if group.kind != "root":
        written["open"] = group.id in opened
    written["children"] = [
        _tree(child, opened) if isinstance(child, Group) else child for child in group.children
    ]
    return written


def _text(text: str) -> str:
    return display_text(text, limit=TEXT)
