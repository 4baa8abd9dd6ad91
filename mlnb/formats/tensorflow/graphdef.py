"""`GraphDefFile`: a frozen TensorFlow graph (`.pb`), read without its weights or TensorFlow.

A GraphDef does not say what goes in and what comes out. What goes in are its placeholders, or what
its iterator gives; what comes out is what nobody in it reads. Files of the time before TensorFlow 2
call a tensor `softmax2:0`, people leave the `:0` out: both are understood, and shown without.

The format: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/graph.proto
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from mlnb.errors import LimitExceeded, ModelFormatError, unknown
from mlnb.formats.cutting import kept
from mlnb.formats.model_file import Danger, ModelFile
from mlnb.formats.tensorflow.ends import End, Ends, found_ends
from mlnb.formats.tensorflow.graph import build
from mlnb.formats.tensorflow.nodes import RawGraph, RawNode, read_graph, tensor_span
from mlnb.formats.tensorflow.ops import CONSTANTS, VARIABLES
from mlnb.formats.tensorflow.reach import dangers, node_of, reached
from mlnb.formats.tensorflow.types import describe
from mlnb.formats.wire import Broken, Window, field_at, key
from mlnb.formatting import display_text
from mlnb.graph.graph import Value
from mlnb.limits import LIMITS, Limits
from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    import numpy as np

    from mlnb.formats.source import Source
    from mlnb.graph.graph import Graph

Result = TypeVar("Result")
Self = TypeVar("Self", bound="TensorFlowFile")

_OP = re.compile(rb"[A-Z_][\w>]*\Z")


def looks(head: bytes, source: Source) -> bool:
    """Whether the file begins with a node: a name, and then an operation.

    >>> looks(source.read(0, 4096), source)
    True
    """
    try:
        tag, start, _ = field_at(head, 0, len(head))
        name, begin, end = field_at(head, start, len(head))
        op, low, high = field_at(head, end, len(head))
    except (Broken, IndexError):
        return False
    named = begin < end and b"\0" not in head[begin:end]
    return (tag, name, op) == (key(1), key(1), key(2)) and named and bool(_OP.match(head[low:high]))


class TensorFlowFile(ModelFile):
    """What a GraphDef and a SavedModel have in common: nodes, and the ends between which they run.

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.
    """

    runtime = "tensorflow"

    def __init__(self, source: Source, limits: Limits = LIMITS) -> None:
        super().__init__(source, limits)
        self._raw, self._ends = self._read()
        self._is_cut = False

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
        return build(self._raw, self._shown_nodes(), self._title, ends, self.dangers)

    @cached_property
    def dangers(self) -> tuple[Danger, ...]:
        """What would act with the user's rights; what does not run for these outputs is no danger.

        Functions are looked through as well.
        """
        return tuple(self._dangers())

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """The tensor behind each input and output, by name."""
        return {
            "inputs": {end.spec.name: end.tensor for end in self._ends.inputs},
            "outputs": {end.spec.name: end.tensor for end in self._ends.outputs},
        }

    def cut(self: Self, inputs: Sequence[str] | None, outputs: Sequence[str]) -> Self:
        """The part of the model between tensors; see `ModelFile.cut`.

        The names are those of inputs and outputs, or of any tensor of the outer graph.
        """
        ends = {end.tensor: end for end in (*self._ends.inputs, *self._ends.outputs)}
        keys = {end.spec.name: end.tensor for end in ends.values()}
        tensors = [[keys.get(name, name) for name in names] for names in (inputs or (), outputs)]
        part = kept(self.graph, tensors[0], tensors[1])

        def end(tensor: str) -> End:
            value = self.graph.value(tensor)
            return ends.get(tensor) or End(TensorSpec(tensor, value.dtype, value.shape), tensor)

        other = copy(self)
        for derived in ("graph", "dangers", "_running"):
            other.__dict__.pop(derived, None)
        other._ends = Ends(tuple(map(end, part.inputs)), tuple(map(end, part.outputs)))
        other._is_cut = True
        return other

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
        with content.reading() as read:
            try:
                return visit(Window(read, content.size, self.limits))
            except Broken as broken:
                raise self._error(
                    f"{broken.reason}, at byte {broken.position:,} of {content.size:,}"
                ) from broken
            except LimitExceeded as over:
                raise LimitExceeded(f"{display_text(self.source.name, 40)}: {over}") from over

    def _error(self, reason: str) -> ModelFormatError:
        name = display_text(self.source.name, 60)
        return ModelFormatError(f"{name} cannot be read as {self.format}: {reason}")


class GraphDefFile(TensorFlowFile):
    """A frozen TensorFlow graph in a file or in bytes.

    >>> GraphDefFile(Source.of("chairs_model.pb")).inputs
    TensorSpecs(Placeholder: float32 [?, 227, 227, 3])

    Args:
        source: the file or bytes.
        limits: caps on what it may ask for.

    Raises:
        ModelFormatError: it is no GraphDef, or cut off; the message says at which byte.
        LimitExceeded: it asks for more than `limits` allows.
    """

    format = "TensorFlow GraphDef"

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The version of the graph format that its writer had."""
        version = self._raw.producer
        return {"producer": "TensorFlow"} | ({"graph version": str(version)} if version else {})

    def _read(self) -> tuple[RawGraph, Ends]:
        size = self.content.size
        raw = self._walk(lambda window: read_graph(window, [(0, size)], self.limits))
        if not raw.nodes and not raw.functions:
            raise self._error("it holds no node")
        return raw, found_ends(raw.nodes)


def _tensors(ends: Sequence[End]) -> frozenset[str]:
    return frozenset(end.tensor for end in ends)
