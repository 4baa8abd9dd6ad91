"""The nodes and functions of a GraphDef, read without the weights in them: `read_graph`.

A node of a frozen graph may hold 100 MB of weights in its attribute `value`. Of a node over a
kilobyte a lean copy is made, from which the elements of tensors are left out; how many bytes those
were is noted in a field that no TensorProto has.

The messages: graph.proto, node_def.proto, function.proto and op_def.proto in
https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlnb.formats.scopes import Names
from mlnb.formats.tensorflow.attributes import TENSOR, Attributes
from mlnb.formats.tensorflow.types import OMITTED, Span, dtype_name
from mlnb.formats.wire import LEN, VARINT, Broken, Window, encode_varint, fields, integer, key, text

if TYPE_CHECKING:
    from mlnb.limits import Limits

_NODE, _LIBRARY, _VERSIONS = key(1), key(2), key(4)
_NAME, _OP, _INPUT, _ATTRIBUTE = key(1), key(2), key(3), key(5)
_KEY, _VALUE = key(1), key(2)

_WHOLE = 1024
"""A node of so many bytes is kept as it is."""
_KEPT = 256
"""A stored tensor of so many bytes stays in the lean copy: it may be a shape."""
_TEXT = 4096
"""A string in an attribute is clipped to this: some hold a whole program."""


@dataclass(slots=True)
class RawNode:
    """One NodeDef.

    Args:
        name: unique within its graph.
        op: the operation, or the name of a function.
        inputs: the tensors read, `"node"` or `"node:1"`; in a function `"node:output:0"`.
        controls: the nodes that have to run before it.
        attributes: parsed when first looked at.
        span: where the NodeDef lies in the file.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    controls: tuple[str, ...]
    attributes: Attributes
    span: Span


@dataclass(slots=True)
class RawFunction:
    """One FunctionDef.

    Args:
        name: unique within the file.
        inputs: the arguments and their dtypes.
        outputs: for each result, the tensor in the body that it is.
        nodes: the body.
        controls: the nodes that run whether or not their result is wanted.
    """

    name: str = ""
    inputs: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    nodes: list[RawNode] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)


@dataclass(slots=True)
class RawGraph:
    """A GraphDef without its weights.

    Args:
        nodes: in the order of the file.
        functions: the library, by name.
        producer: the version of the graph format that its writer had; 0 where it does not say.
        clipped: how many names were too long.
    """

    nodes: list[RawNode] = field(default_factory=list)
    functions: dict[str, RawFunction] = field(default_factory=dict)
    producer: int = 0
    clipped: int = 0


def read_graph(window: Window, spans: list[Span], limits: Limits) -> RawGraph:
    """The GraphDef that lies in these pieces of the file, mostly one.

    Raises:
        Broken: the bytes are no GraphDef.
        LimitExceeded: too many nodes or names, or too much structure.
    """
    return _Reader(window, limits).graph(spans)


class _Reader:
    def __init__(self, window: Window, limits: Limits) -> None:
        self.window = window
        self.limits = limits
        self.names = Names(limits)
        self.count = 0
        self.structure = 0

    def graph(self, spans: list[Span]) -> RawGraph:
        graph, window = RawGraph(), self.window
        for begin, end in spans:
            for tag, start, stop in window.fields(begin, end):
                if tag == _NODE:
                    graph.nodes.append(self._node(start, stop))
                elif tag == _LIBRARY:
                    for inner, low, high in window.fields(start, stop):
                        if inner == key(1):
                            function = self._function(low, high)
                            graph.functions.setdefault(function.name, function)
                elif tag == _VERSIONS:
                    graph.producer = _version(window.slice(start, stop))
                elif tag >> 3 in (1, 2, 4):
                    raise Broken(start, f"field {tag >> 3} has a type that a GraphDef never has")
        graph.clipped = self.names.clipped
        return graph

    def _node(self, start: int, stop: int) -> RawNode:
        self.count += 1
        if self.count > self.limits.nodes:
            self.limits.check("nodes", self.count, "the graph")
        if stop - start > _WHOLE:
            data = b"".join(_lean(self.window, start, stop))
        else:
            data = self.window.slice(start, stop)
        self.structure += len(data)
        if self.structure > self.limits.structure_bytes:
            self.limits.check("structure_bytes", self.structure, "the nodes without their weights")
        try:
            return self._parsed(data, (start, stop))
        except Broken as broken:
            raise Broken(start + min(broken.position, stop - start), broken.reason) from broken

    def _parsed(self, data: bytes, span: Span) -> RawNode:
        name = op = ""
        inputs: list[str] = []
        controls: list[str] = []
        attributes: dict[str, Span] = {}
        for tag, start, stop in fields(data, 0, len(data)):
            if tag == _ATTRIBUTE:
                label, value = _entry(data, start, stop)
                attributes[label] = value
            elif tag == _INPUT:
                given = self.names[data[start:stop]]
                if given.startswith("^"):
                    controls.append(given[1:])
                else:
                    inputs.append(given)
            elif tag == _NAME:
                name = self.names[data[start:stop]]
            elif tag == _OP:
                op = self.names[data[start:stop]]
        told = Attributes(data, attributes, tuple(controls), self.limits)
        return RawNode(name, op, tuple(inputs), tuple(controls), told, span)

    def _function(self, start: int, stop: int) -> RawFunction:
        window, found = self.window, RawFunction()
        returned: dict[str, str] = {}
        results: list[str] = []
        for tag, begin, end in window.fields(start, stop):
            if tag == key(1):
                results = self._signature(begin, end, found)
            elif tag == key(3):
                found.nodes.append(self._node(begin, end))
            elif tag in (key(4), key(6)):
                label, result = self._pair(begin, end)
                if tag == key(4):
                    returned[label] = result
                else:
                    found.controls.append(result)
        found.outputs = [returned.get(result, result) for result in results]
        return found

    def _signature(self, start: int, stop: int, found: RawFunction) -> list[str]:
        """Name and arguments from the OpDef of a function; the names of its results."""
        results = []
        for tag, begin, end in self.window.fields(start, stop):
            if tag == key(1):
                found.name = self.names[self.window.slice(begin, end)]
            elif tag in (key(2), key(3)):
                name, dtype = "", "unknown"
                for inner, low, high in self.window.fields(begin, end):
                    if inner == key(1):
                        name = self.names[self.window.slice(low, high)]
                    elif inner == key(3, VARINT):
                        dtype = dtype_name(integer(self.window.slice(low, high), 0, high - low))
                if tag == key(2):
                    found.inputs.append((name, dtype))
                else:
                    results.append(name)
        return results

    def _pair(self, start: int, stop: int) -> tuple[str, str]:
        """An entry of a map of strings."""
        label = value = ""
        for tag, begin, end in self.window.fields(start, stop):
            if tag == _KEY:
                label = self.names[self.window.slice(begin, end)]
            elif tag == _VALUE:
                value = self.names[self.window.slice(begin, end)]
        return label, value


def tensor_span(window: Window, node: Span) -> Span | None:
    """Where in the file the TensorProto in the attribute `value` of a node lies."""
    for tag, start, stop in window.fields(*node):
        if tag != _ATTRIBUTE:
            continue
        label, value = b"", (0, 0)
        for inner, low, high in window.fields(start, stop):
            if inner == _KEY:
                label = window.slice(low, min(high, low + 64))
            elif inner == _VALUE:
                value = (low, high)
        if label == b"value":
            for inner, low, high in window.fields(*value):
                if inner == TENSOR:
                    return low, high
    return None


_IN_NODE, _IN_ATTRIBUTE, _IN_VALUE, _IN_LIST, _IN_TENSOR = range(5)
_INSIDE = {
    (_IN_NODE, _ATTRIBUTE): _IN_ATTRIBUTE,
    (_IN_ATTRIBUTE, _VALUE): _IN_VALUE,
    (_IN_VALUE, key(1)): _IN_LIST,
    (_IN_VALUE, TENSOR): _IN_TENSOR,
    (_IN_LIST, key(8)): _IN_TENSOR,
}


def _lean(window: Window, start: int, stop: int, place: int = _IN_NODE) -> Iterator[bytes]:
    """The message again, in pieces, without the elements of its tensors."""
    omitted = 0
    keep_elements = stop - start <= _KEPT
    for tag, begin, end in window.fields(start, stop):
        inside = _INSIDE.get((place, tag))
        if inside is not None:
            content = b"".join(_lean(window, begin, end, inside))
        elif place == _IN_TENSOR and tag >> 3 >= 4 and not keep_elements:
            omitted += end - begin
            continue
        elif tag & 7 == LEN and place != _IN_NODE and end - begin > _TEXT:
            content = window.slice(begin, begin + _TEXT)
        else:
            content = window.slice(begin, end)
        yield encode_varint(tag)
        if tag & 7 == LEN:
            yield encode_varint(len(content))
        yield content
    if omitted:
        yield encode_varint(OMITTED) + encode_varint(omitted)


def _entry(data: bytes, start: int, stop: int) -> tuple[str, Span]:
    """An entry of a map: its key, and where its value lies."""
    label, value = "", (stop, stop)
    for tag, begin, end in fields(data, start, stop):
        if tag == _KEY:
            label = text(data[begin:end])
        elif tag == _VALUE:
            value = (begin, end)
    return label, value


def _version(data: bytes) -> int:
    """The producer in a VersionDef."""
    for tag, start, stop in fields(data, 0, len(data)):
        if tag == key(1, VARINT):
            return integer(data, start, stop)
    return 0
