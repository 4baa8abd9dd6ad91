"""`OnnxCut`: the part of an ONNX file between tensors, which is an ONNX model again.

The cut is made in the skeleton, where no weights are: nodes and weights that the outputs do not
need are left out, and what is looked at from then on is the smaller skeleton. To run it, the child
makes the same cut and puts back the weights that are left; the others are never read.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlnb.errors import ModelRunError
from mlnb.formats.calls import Calls
from mlnb.formats.cutting import Kept, kept
from mlnb.formats.model_file import ModelFile
from mlnb.formats.onnx.file import OnnxFile
from mlnb.formats.onnx.header import (
    FUNCTION,
    GRAPH,
    INITIALIZER,
    INPUT,
    NODE,
    OUTPUT,
    SPARSE_INITIALIZER,
    read_ends,
)
from mlnb.formats.onnx.skeleton import CHILDREN, MODEL, PLACE, TENSOR, Skeleton
from mlnb.formats.onnx.tensor import describe, number
from mlnb.formats.onnx.types import ELEMENT_TYPES
from mlnb.formats.source import Source
from mlnb.formats.wire import Window, encode, encode_varint, fields, key, text
from mlnb.formatting import display_text
from mlnb.limits import Limits

if TYPE_CHECKING:
    from mlnb.formats.onnx.node import FunctionKey
    from mlnb.graph.graph import Graph, Value

Ends = Mapping[str, bytes]
"""A ValueInfoProto for each new input and output, by its name."""

_VALUE_INFO = key(13)


class OnnxCut(OnnxFile):
    """What of an ONNX model the outputs need.

    >>> OnnxFile(Source.of("squeezenet.onnx")).cut(None, ["pool10"]).outputs.names
    ['pool10']

    Args:
        whole: the model, which may be a cut itself.
        inputs: names of tensors that are fed in place of what makes them; `None` for the model's.
        outputs: names of tensors.
        ends: what is known of them; by default what the file says.

    Raises:
        UnknownName: no tensor of that name; the closest ones are listed.
        ModelRunError: nothing remains to run, or an input's dtype is not known.
    """

    def __init__(
        self,
        whole: OnnxFile,
        inputs: Sequence[str] | None,
        outputs: Sequence[str],
        ends: Ends | None = None,
    ) -> None:
        ModelFile.__init__(self, whole.source, whole.limits)
        part = kept(whole.graph, inputs, outputs)
        _require_apart(whole.graph, part)
        ends = whole.described((*part.inputs, *part.outputs)) if ends is None else ends
        _require_known(part, ends)
        self._header = whole._header
        self._inferred = None
        self._marks = whole._skeleton.marks
        self._data = _cut(whole, part, ends)
        self._inputs, self._outputs = self._ends()
        told = {name: b64encode(ends[name]).decode() for name in (*part.inputs, *part.outputs)}
        self._cuts = [
            *whole.run_facts.get("cuts", ()),
            {"inputs": list(part.inputs), "outputs": list(part.outputs), "ends": told},
        ]

    @property
    def run_facts(self) -> Mapping[str, Any]:
        """The cuts, which the runtime makes again."""
        return {"cuts": self._cuts, "limits": asdict(self.limits)}

    @property
    def nbytes(self) -> int:
        """The bytes of what is left, those in other files included."""
        return len(self._data) + sum(weight.nbytes or 0 for weight in self.graph.weights)

    def content(self) -> bytes:
        """The part as an ONNX file, with the weights that are left, read from the file now."""
        with self.source.reading() as read:
            return b"".join(self._filled(MODEL, 0, len(self._data), read))

    @cached_property
    def _skeleton(self) -> Skeleton:
        return Skeleton(self._data, marks=self._marks)

    def _ends(self) -> Any:
        window = Window(lambda start, count: self._data[start : start + count], len(self._data))
        graphs = [(start, stop) for tag, start, stop in _fields(self._data) if tag == GRAPH]
        return read_ends(window, graphs, self.limits)[:2]

    def _filled(
        self, kind: str, start: int, stop: int, read: Callable[[int, int], bytes]
    ) -> Iterator[bytes]:
        """The message with its weights; where it has none left out, it stays as it is."""
        copied = position = start
        for tag, begin, end in fields(self._data, start, stop):
            child = CHILDREN[kind].get(tag)
            if child and self._data.find(_PLACE, begin, end) >= 0:
                yield self._data[copied:position]
                inner = self._inner(child, begin, end, read)
                yield from (encode_varint(tag), encode_varint(len(inner)), inner)
                copied = end
            position = end
        yield self._data[copied:stop]

    def _inner(self, kind: str, start: int, stop: int, read: Callable[[int, int], bytes]) -> bytes:
        if kind != TENSOR:
            return b"".join(self._filled(kind, start, stop, read))
        external = describe(self._data, start, stop, self.limits).external
        if not self._is_inside(external):
            return self._data[start:stop]
        return read(number(external, "offset"), number(external, "length"))


_PLACE = PLACE.encode()


def cut_content(source: str | bytes, cuts: Sequence[Mapping[str, Any]], limits: Any) -> bytes:
    """What `OnnxCut.run_facts` stand for, as the bytes of an ONNX model.

    Args:
        source: the whole model's path, or its bytes.
        cuts: one after the other.
        limits: as a dict.
    """
    file = OnnxFile(Source.of(source), Limits(**limits))
    for cut in cuts:
        ends = {name: b64decode(info) for name, info in cut["ends"].items()}
        file = OnnxCut(file, cut["inputs"], cut["outputs"], ends)
    assert isinstance(file, OnnxCut)
    return file.content()


def _cut(whole: OnnxFile, part: Kept, ends: Ends) -> bytes:
    """The skeleton of the part."""
    data = whole._skeleton.data
    functions = _called([whole.graph.nodes[index] for index in part.nodes])
    graph = b"".join(_graph(data, part, ends, whole.limits))
    pieces = [encode(GRAPH >> 3, graph)]
    position = 0
    for tag, start, stop in _fields(data):
        if tag != GRAPH and (tag != FUNCTION or _function_key(data, start, stop) in functions):
            pieces.append(data[position:stop])
        position = stop
    return b"".join(pieces)


def _graph(data: bytes, part: Kept, ends: Ends, limits: Limits) -> Iterator[bytes]:
    """The fields of the graph that are left, and its new inputs and outputs."""
    nodes, index = frozenset(part.nodes), -1
    inner = part.names.difference(part.inputs)
    stored: set[str] = set()
    repeated: list[tuple[str, bytes]] = []
    for tag, position, start, stop in _graph_fields(data):
        whole = data[position:stop]
        if tag == NODE:
            index += 1
            if index in nodes:
                yield whole
        elif tag in (INITIALIZER, SPARSE_INITIALIZER):
            name = _tensor_name(data, tag, start, stop, limits)
            if name in inner:
                stored.add(name)
                yield whole
        elif tag == INPUT:
            repeated.append((_name(data, start, stop, limits), whole))
        elif tag == _VALUE_INFO:
            if _name(data, start, stop, limits) in inner:
                yield whole
        elif tag != OUTPUT:
            yield whole
    yield from (whole for name, whole in repeated if name in stored)  # as IR 3 asks for
    yield from (encode(INPUT >> 3, ends[name]) for name in part.inputs)
    yield from (encode(OUTPUT >> 3, ends[name]) for name in part.outputs)


def _fields(data: bytes) -> Iterator[tuple[int, int, int]]:
    return fields(data, 0, len(data))


def _graph_fields(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Tag, start with the tag, start and stop of each field of the graph, of all its pieces."""
    for outer, begin, end in _fields(data):
        if outer == GRAPH:
            position = begin
            for tag, start, stop in fields(data, begin, end):
                yield tag, position, start, stop
                position = stop


def described(data: bytes, names: Sequence[str], limits: Limits) -> dict[str, bytes]:
    """The ValueInfoProto of each of these names that the model in `data` describes."""
    wanted = set(names)
    found: dict[str, bytes] = {}
    for tag, _, start, stop in _graph_fields(data):
        if tag in (INPUT, OUTPUT, _VALUE_INFO):
            name = _name(data, start, stop, limits)
            if name in wanted:
                found.setdefault(name, data[start:stop])
    return found


def value_info_of(value: Value) -> bytes:
    """The ValueInfoProto of a weight, which needs none in the file; of others only the name."""
    name = encode(1, value.name.encode())
    numbers = [number for number, kind in ELEMENT_TYPES.items() if kind.name == value.dtype]
    if not numbers or value.shape is None or not value.initializer:
        return name
    sizes = b"".join(encode(1, _varint_field(1, int(size or 0))) for size in value.shape)
    tensor = _varint_field(1, numbers[0]) + encode(2, sizes)
    return name + encode(2, encode(1, tensor))


def _varint_field(number: int, value: int) -> bytes:
    return encode_varint(number << 3) + encode_varint(value)


def _tensor_name(data: bytes, tag: int, start: int, stop: int, limits: Limits) -> str:
    if tag == SPARSE_INITIALIZER:
        for inner, begin, end in fields(data, start, stop):
            if inner == key(1):
                return _name(data, begin, end, limits, key(8))
    return _name(data, start, stop, limits, key(8))


def _name(data: bytes, start: int, stop: int, limits: Limits, field: int = key(1)) -> str:
    for tag, begin, end in fields(data, start, stop):
        if tag == field:
            return text(data[begin:end])[: limits.name_length]
    return ""


def _function_key(data: bytes, start: int, stop: int) -> FunctionKey:
    found = {key(1): "", key(10): "", key(13): ""}
    for tag, begin, end in fields(data, start, stop):
        if tag in found:
            found[tag] = text(data[begin:end])
    name, domain, overload = found.values()
    return ("" if domain == "ai.onnx" else domain, name, overload)


def _called(nodes: Sequence[Any]) -> set[FunctionKey]:
    """The functions that these nodes call, and those that they call in turn."""
    found: set[FunctionKey] = set()
    waiting = list(nodes)
    while waiting:
        subgraphs = waiting.pop().subgraphs
        if isinstance(subgraphs, Calls):
            function = subgraphs.called["body"]
            if function in found:
                continue
            found.add(function)
        for graph in subgraphs.values():
            waiting += graph.nodes
    return found


def _require_apart(graph: Graph, part: Kept) -> None:
    """Refuse to feed what a node makes that is needed for another of its outputs."""
    if not part.nodes:
        raise ModelRunError("nothing would be left to compute: the outputs are inputs or weights")
    fed = set(part.inputs)
    for index in part.nodes:
        both = fed.intersection(graph.nodes[index].outputs)
        if both:
            node = display_text(graph.nodes[index].op, 60)
            raise ModelRunError(
                f"'{display_text(both.pop(), 60)}' cannot be fed: the {node} that makes it is "
                "needed for another of its outputs; feed that one too"
            )


def _require_known(part: Kept, ends: Ends) -> None:
    for name in part.inputs:
        if not any(tag == key(2) for tag, _, _ in fields(ends[name], 0, len(ends[name]))):
            raise ModelRunError(
                f"'{display_text(name, 60)}' cannot be fed: the file does not say of what dtype it "
                "is; run model.infer_shapes() first, or feed another tensor"
            )
