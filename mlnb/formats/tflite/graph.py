"""From the subgraphs of a TFLite file to `Graph`: the one that runs, and those that it calls.

Operators have no names of their own: each is called by its first output, whose path is the scope
that the author's code had. Every subgraph is read once, however often it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlnb.formats.calls import Calls
from mlnb.formats.checks import circle, problems
from mlnb.formats.scopes import Scopes
from mlnb.formats.tflite.ops import Operator, operator, options
from mlnb.formats.tflite.tensors import StoredTensor, Tensors
from mlnb.formats.wire import Broken
from mlnb.formatting import display_text, plural
from mlnb.graph.graph import Graph, Node, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.formats.tflite.flatbuffer import Flatbuffer, Table
    from mlnb.limits import Limits

Named = Mapping[str, tuple[int, StoredTensor]]
"""The tensors of a graph by name, each with its number."""

_NO_CALLS: Mapping[str, Graph] = {}


class Subgraph:
    """The tensors of one subgraph, each under a name of its own.

    What goes in and out is named first, so that it can be named without reading the others: a
    tensor without a name, or with that of an earlier one, gets its number as well.

    Args:
        table: the SubGraph.
        tensors: what reads them.
        names: names by which some are known from outside, by tensor.
        inputs: tensors, by their numbers; the subgraph's own by default.
        outputs: as `inputs`.
    """

    def __init__(
        self,
        table: Table,
        tensors: Tensors,
        names: Mapping[int, str] | None = None,
        inputs: Sequence[int] | None = None,
        outputs: Sequence[int] | None = None,
    ) -> None:
        self.table = table
        self._tensors = tensors
        self._start, self.count = table.rows(0)
        self._outside = names or {}
        self._stored: dict[int, StoredTensor] = {}
        self.names: dict[int, str] = {}
        self.numbers: dict[str, int] = {}
        self.inputs = tuple(table.numbers(1) if inputs is None else inputs)
        self.outputs = tuple(table.numbers(2) if outputs is None else outputs)
        for number in (*self.inputs, *self.outputs):
            self.name(number)

    def tensor(self, number: int) -> StoredTensor:
        """The tensor with that number."""
        found = self._stored.get(number)
        if found is None:
            if not 0 <= number < self.count:
                raise Broken(
                    self.table.position, f"there is no tensor {number:,} among {self.count:,}"
                )
            found = self._stored[number] = self._tensors.read(self.table.row(self._start, number))
        return found

    def name(self, number: int) -> str:
        """What the tensor is called; an input that is left out (-1) is `""`."""
        if number == -1:
            return ""
        found = self.names.get(number)
        if found is None:
            found = self._outside.get(number) or self.tensor(number).name or f"tensor_{number}"
            while found in self.numbers:
                found = f"{found}#{number}"
            self.names[number] = found
            self.numbers[found] = number
        return found

    def named(self) -> Named:
        """The tensors that were asked for, by name, without what reads them."""
        return {
            name: (number, self.tensor(number)) for name, number in self.numbers.items() if name
        }


class GraphReader:
    """Reads the graphs of one file.

    Args:
        buffer: the file, held for as long as it is read.
        model: its root table.
        limits: `nodes` and `values` hold for all graphs together.
    """

    def __init__(self, buffer: Flatbuffer, model: Table, limits: Limits) -> None:
        self._limits = limits
        self._subgraphs = tuple(model.tables(2))
        self._operators = tuple([operator(code) for code in model.tables(1)])
        self.tensors = Tensors(buffer, model, limits)
        self._scopes = Scopes()
        self._count = 0
        self._bodies: dict[int, Graph] = {}
        self._calls: dict[int, set[int]] = {}
        self.read: dict[int, Subgraph] = {}

    def graph(self, index: int, subgraph: Subgraph) -> tuple[Graph, dict[int, Named]]:
        """A subgraph with those that it calls, and the tensors of each, by the `id` of its graph.

        Raises:
            Broken: the bytes make no sense.
            LimitExceeded: there are too many nodes or names.
        """
        waiting = [index]
        self.read[index] = subgraph
        while waiting:
            current = waiting.pop()
            self._bodies[current] = self._graph(current)
            for called in sorted(self._calls[current] - set(self.read)):
                self.read[called] = Subgraph(self._subgraphs[called], self.tensors)
                waiting.append(called)
        outer = self._bodies[index]
        checked = replace(outer, inputs=(*outer.inputs, *self._variables(subgraph)))
        bodies = [self._bodies[i] for i in sorted(self._bodies) if i != index]
        warnings = [*self._clipped(), *self._circles(), *problems(checked, bodies)]
        outer = self._bodies[index] = replace(outer, warnings=tuple(warnings))
        return outer, {id(self._bodies[i]): found.named() for i, found in self.read.items()}

    def _graph(self, index: int) -> Graph:
        subgraph = self.read[index]
        calls = self._calls[index] = set[int]()
        nodes = tuple([self._node(table, subgraph, calls) for table in subgraph.table.tables(3)])
        made = {name for node in nodes for name in node.outputs}
        made.update(subgraph.name(number) for number in subgraph.inputs)
        values = {}
        for number in range(subgraph.count):
            value = _value(subgraph.name(number), subgraph.tensor(number), made)
            values[value.name] = value
        self._limits.check("values", sum(one.count for one in self.read.values()), "the graph")
        return Graph(
            subgraph.table.text(4),
            nodes,
            tuple([subgraph.name(number) for number in subgraph.inputs]),
            tuple([subgraph.name(number) for number in subgraph.outputs]),
            values,
        )

    def _node(self, table: Table, subgraph: Subgraph, calls: set[int]) -> Node:
        self._count += 1
        if self._count > self._limits.nodes:
            self._limits.check("nodes", self._count, "the graph")
        inputs = tuple([subgraph.name(number) for number in table.numbers(1)])
        outputs = tuple([subgraph.name(number) for number in table.numbers(2)])
        name = outputs[0] if outputs else ""
        attributes, called = options(table)
        op = self._operator(table)
        for index in called.values():
            if not 0 <= index < len(self._subgraphs):
                total = len(self._subgraphs)
                raise Broken(table.position, f"there is no subgraph {index:,} among {total:,}")
            calls.add(index)
        if op.domain and table.has(5):
            attributes["custom_options"] = f"{table.span(5)[1]:,} bytes"
        return Node(
            name,
            op.name,
            inputs,
            outputs,
            op.domain,
            self._scopes.named(name.partition(";")[0]),
            attributes,
            Calls(self._bodies, called) if called else _NO_CALLS,
        )

    def _operator(self, table: Table) -> Operator:
        number = table.number(0)
        if not 0 <= number < len(self._operators):
            total = len(self._operators)
            raise Broken(table.position, f"there is no operator code {number:,} among {total:,}")
        return self._operators[number]

    def _variables(self, subgraph: Subgraph) -> list[str]:
        """Tensors that keep their elements from run to run, which nothing in the graph makes."""
        numbers = range(subgraph.count)
        return [subgraph.name(n) for n in numbers if subgraph.tensor(n).variable]

    def _clipped(self) -> list[str]:
        count, limit = self.tensors.clipped, self._limits.name_length
        return [f"{plural(count, 'name')} over {limit:,} characters, clipped"] if count else []

    def _circles(self) -> list[str]:
        around = circle(self._calls)
        path = " → ".join(display_text(self._bodies[i].name or f"subgraph {i}") for i in around)
        return [f"a subgraph calls itself: {path}; no runtime can run that"] if around else []


def _value(name: str, tensor: StoredTensor, made: set[str]) -> Value:
    """A tensor as the graph has it; one with elements in the file is a weight."""
    nothing = tensor.shape is not None and 0 in tensor.shape and name not in made
    if tensor.span[1] or nothing:
        return Value(name, tensor.dtype, tensor.shape, True, tensor.span[1])
    return Value(name, tensor.dtype, tensor.shape)
