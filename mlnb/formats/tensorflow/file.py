"""`TensorFlowFile`: what a GraphDef and a SavedModel have in common, nodes and their ends.

Files of the time before TensorFlow 2 call a tensor `softmax2:0`, people leave the `:0` out: both
are understood, and shown without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from mlnb.errors import LimitExceeded, ModelFormatError, unknown
from mlnb.formats.cutting import kept
from mlnb.formats.model_file import Danger, ModelFile
from mlnb.formats.tensorflow.ends import End, Ends
from mlnb.formats.tensorflow.graph import build
from mlnb.formats.tensorflow.inline import Inlined
from mlnb.formats.tensorflow.nodes import RawGraph, RawNode, tensor_span
from mlnb.formats.tensorflow.ops import CONSTANTS, VARIABLES
from mlnb.formats.tensorflow.reach import dangers, node_of, reached
from mlnb.formats.tensorflow.shapes import with_shapes
from mlnb.formats.tensorflow.types import describe
from mlnb.formats.wire import Broken, Window
from mlnb.formatting import display_text
from mlnb.graph.graph import Value
from mlnb.limits import LIMITS, Limits
from mlnb.specs import TensorSpec, TensorSpecs, own_name

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph

Result = TypeVar("Result")
Self = TypeVar("Self", bound="TensorFlowFile")


class TensorFlowFile(ModelFile):
    """What a GraphDef and a SavedModel have in common: nodes, and the ends between which they run.

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.
    """

    runtime = "tensorflow"

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        self._stored_raw, self._ends = self._read()
        self._raw = self._stored_raw
        self._is_cut = False
        self._is_inlined = False

    def _read(self) -> tuple[RawGraph, Ends]:
        """The nodes without their weights, and what goes in and comes out."""
        raise NotImplementedError

    @property
    def content(self) -> Source:
        """Where the protobuf lies: the source, but for a file of text."""
        return self.source

    @property
    def inputs(self) -> TensorSpecs:
        """What goes in; a placeholder that has a default is optional."""
        return TensorSpecs([end.spec for end in self._ends.inputs], "input")

    @property
    def outputs(self) -> TensorSpecs:
        """What comes out."""
        return TensorSpecs([end.spec for end in self._ends.outputs], "output")

    @cached_property
    def graph(self) -> Graph:
        """The operations, with the functions they call as nested graphs."""
        ends = self._values()
        nodes, dangers = self._shown_nodes(), self.dangers
        graph = build(self._raw, nodes, self._title, ends, dangers, inlined=self._is_inlined)
        return with_shapes(graph, self._integers)

    def _integers(self, tensor: str) -> Sequence[int]:
        """The elements of a constant that may be a shape or an axis."""
        node = self._by_name.get(node_of(tensor))
        if node is None or node.op not in CONSTANTS:
            raise ValueError(f"{tensor} is no constant")
        return node.attributes.integers("value")

    @cached_property
    def cut_graph(self) -> Graph:
        """The graph whose tensors a cut names: here the functions stand in place of their calls."""
        return self._inlined.graph

    @cached_property
    def dangers(self) -> tuple[Danger, ...]:
        """What would act with the user's rights; what does not run for these outputs is no danger.

        Functions are looked through as well.
        """
        return tuple(self._dangers())

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """The tensor behind each input and output, by name; whether some lie in functions."""
        inputs = {end.spec.name: end.tensor for end in self._ends.inputs}
        outputs = {end.spec.name: end.tensor for end in self._ends.outputs}
        facts = {"inputs": inputs, "outputs": outputs}
        return {**facts, "inlined": True} if self._is_inlined else facts

    def cut(self: Self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> Self:
        """The part of the model between tensors; see `ModelFile.cut`.

        The names are those of inputs and outputs, or of any tensor of the graph or, behind the
        call's name, of a function: `StatefulPartitionedCall/dense/BiasAdd`.
        """
        names = [list(inputs or ()), list(outputs)]
        whole = self if all(map(self._has, chain(*names))) else self._inlined
        return whole._between(*(list(map(whole._called, some)) for some in names))

    def _has(self, name: str) -> bool:
        return name in self._keys or own_name(name, self.graph.values) in self.graph.values

    @property
    def _keys(self) -> Mapping[str, str]:
        """The tensors of inputs and outputs by the names that a user knows them by."""
        return {end.spec.name: end.tensor for end in (*self._ends.inputs, *self._ends.outputs)}

    def _between(self: Self, inputs: Sequence[str], outputs: Sequence[str]) -> Self:
        ends = {end.tensor: end for end in (*self._ends.inputs, *self._ends.outputs)}
        part = kept(self.graph, inputs, outputs)

        def end(tensor: str) -> End:
            value = self.graph.value(tensor)
            return ends.get(tensor) or End(TensorSpec(tensor, value.dtype, value.shape), tensor)

        other = self._derived()
        other._ends = Ends(tuple(map(end, part.inputs)), tuple(map(end, part.outputs)))
        other._is_cut = True
        return other

    def _derived(self: Self) -> Self:
        """Another over the same file, without what was worked out of its nodes and ends."""
        other = copy(self)
        for name, attribute in vars(TensorFlowFile).items():
            if isinstance(attribute, cached_property):
                other.__dict__.pop(name, None)
        return other

    @cached_property
    def _inlined(self: Self) -> Self:
        """The same model as one graph; itself, where it calls nothing."""
        if self._is_inlined or not self._raw.functions:
            return self
        other = self._derived()
        whole = Inlined(self._raw, self._running, self.limits)
        other._raw, other._is_inlined = whole.graph, True
        inputs, outputs = (
            tuple(replace(end, tensor=whole.tensor(end.tensor)) for end in ends)
            for ends in (self._ends.inputs, self._ends.outputs)
        )
        other._ends = Ends(inputs, outputs)
        return other

    def _called(self, name: str) -> str:
        """The tensor that a name means: its own, that of its node, or the only one that ends so."""
        values = self.graph.values
        if self._has(name):
            return self._keys.get(name, name)
        only = {node.name: node.outputs[0] for node in self.graph.nodes if len(node.outputs) == 1}
        names = [*only.items(), *zip(values, values, strict=True)]
        found = {tensor for known, tensor in names if f"/{known}".endswith(f"/{name}")}
        return only.get(name) or (found.pop() if len(found) == 1 else name)

    def tensor(self, name: str, graph: Graph | None = None) -> np.ndarray:
        """A stored constant, read now; see `ModelFile.tensor`."""
        node = self._stored(node_of(name), graph)
        shown = display_text(name)
        if node.op in VARIABLES:
            raise ModelFormatError(f"{shown!r} is a variable: its value does not lie in this file")
        content = self.content
        with content.reading() as read:
            span = tensor_span(Window(read, content.size, self.limits), node.span)
            if span is None:
                raise ModelFormatError(f"the constant {shown!r} holds no tensor")
            self.limits.check("tensor_bytes", (span[1] - span[0]) // 2, f"the tensor {shown!r}")
            proto = read(span[0], span[1] - span[0])
        return self._array(proto, shown)

    def _array(self, proto: bytes, shown: str) -> np.ndarray:
        from mlnb.formats.tensorflow.arrays import to_array

        try:
            tensor = describe(proto, 0, len(proto), self.limits)
            self.limits.check("tensor_bytes", tensor.nbytes, f"the tensor {shown!r}")
            return to_array(proto, tensor)
        except LimitExceeded:
            raise
        except (Broken, ModelFormatError) as error:
            reason = error.reason if isinstance(error, Broken) else error
            raise ModelFormatError(f"the tensor {shown!r} cannot be read: {reason}") from error

    def _stored(self, name: str, graph: Graph | None) -> RawNode:
        """The node of a constant or variable, in one graph or in any, the outermost first."""
        everywhere = {"": self._raw.nodes}
        everywhere |= {name: function.nodes for name, function in self._raw.functions.items()}
        if graph is not None and graph.name in self._raw.functions:
            everywhere = {"": self._raw.functions[graph.name].nodes}
        stored = CONSTANTS | VARIABLES
        found = [node for nodes in everywhere.values() for node in nodes if node.op in stored]
        for node in found:
            if node.name == name:
                return node
        raise unknown("stored tensor", name, [node.name for node in found])

    @cached_property
    def _by_name(self) -> dict[str, RawNode]:
        return {node.name: node for node in reversed(self._raw.nodes)}

    @property
    def _title(self) -> str:
        return ""

    def _shown_nodes(self) -> list[RawNode]:
        """What runs between the ends of a cut; of a whole graph everything is shown."""
        if not self._is_cut:
            return self._raw.nodes
        return [node for node in self._raw.nodes if node.name in self._running]

    @cached_property
    def _running(self) -> set[str]:
        wanted = [end.tensor for end in self._ends.outputs]
        return reached(self._by_name, wanted, _tensors(self._ends.inputs))

    def _values(self) -> tuple[list[Value], list[Value]]:
        both = (self._ends.inputs, self._ends.outputs)
        fed, wanted = (
            list({e.tensor: Value(e.tensor, e.spec.dtype, e.spec.shape) for e in ends}.values())
            for ends in both
        )
        return fed, wanted

    def _dangers(self) -> Iterator[Danger]:
        nodes = (node for node in self._raw.nodes if node.name in self._running)
        return dangers(nodes, self._raw.functions)

    def _walk(self, visit: Callable[[Window], Result]) -> Result:
        """What `visit` finds in the file; what breaks on the way is told with its byte."""
        content = self.content
        with content.reading() as read, self._told(content.size):
            return visit(Window(read, content.size, self.limits))


def _tensors(ends: Sequence[End]) -> frozenset[str]:
    return frozenset(end.tensor for end in ends)
