"""What an ONNX file says before its nodes are looked at: versions, inputs and outputs.

One walk over the outermost fields and those of the graph, which jumps over nodes and weights: its
time goes with their count, not with their size. The names of the weights are read on the way,
because files of IR 3 and older list every weight among the inputs as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlnb.formats.onnx.types import value_info
from mlnb.formats.wire import VARINT, Broken, Window, integer, key, text
from mlnb.specs import TensorSpec, TensorSpecs

if TYPE_CHECKING:
    from mlnb.limits import Limits

Span = tuple[int, int]

GRAPH, FUNCTION = key(7), key(25)
NODE, INITIALIZER, SPARSE_INITIALIZER, INPUT, OUTPUT = key(1), key(5), key(15), key(11), key(12)

_IR_VERSION, _MODEL_VERSION = key(1, VARINT), key(5, VARINT)
_OPSET, _PROPERTY = key(8), key(14)
_TEXTS = {key(2): "producer", key(3): "producer version", key(4): "domain", key(6): "doc"}
_TEXT_BYTES = 100_000
"""A producer or documentation longer than this is clipped: it is shown, never looked up."""


@dataclass
class Header:
    """The outermost fields of a ModelProto; spans are offsets in the file.

    Args:
        ir_version: 0 where the file names none.
        opsets: version by domain; `""` is ONNX's own.
        texts: producer, version, domain and documentation, as far as given.
        properties: `metadata_props`.
        graphs: where the graph lies; several where the file was put together from pieces.
        functions: where the model-local functions lie.
    """

    ir_version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    graphs: list[Span] = field(default_factory=list)
    functions: list[Span] = field(default_factory=list)

    @property
    def metadata(self) -> Mapping[str, str]:
        """All of it as texts by name, as a person reads it."""
        texts = self.texts
        producer = f"{texts.get('producer', '')} {texts.get('producer version', '')}".strip()
        opsets = ", ".join(f"{name or 'ai.onnx'} {self.opsets[name]}" for name in self.opsets)
        own = {
            "producer": producer,
            "ir": str(self.ir_version),
            "opsets": opsets,
            "domain": texts.get("domain", ""),
            "version": texts.get("version", ""),
            "doc": texts.get("doc", ""),
        }
        own = {name: value for name, value in own.items() if value}
        added = {f"metadata_props.{k}" if k in own else k: v for k, v in self.properties.items()}
        return own | added


def read_header(window: Window, size: int, limits: Limits) -> Header:
    """The outermost fields of the file.

    Raises:
        Broken: the bytes are no protobuf, or no ONNX model's.
    """
    header = Header()
    for count, (tag, start, stop) in enumerate(window.fields(0, size)):
        if count > limits.values:
            limits.check("values", count, "the file's outermost fields")
        if tag == GRAPH:
            header.graphs.append((start, stop))
        elif tag == FUNCTION:
            header.functions.append((start, stop))
        elif tag == _IR_VERSION:
            header.ir_version = integer(window.slice(start, stop), 0, stop - start)
        elif tag == _MODEL_VERSION:
            header.texts["version"] = str(integer(window.slice(start, stop), 0, stop - start))
        elif tag in _TEXTS:
            header.texts[_TEXTS[tag]] = text(window.slice(start, min(stop, start + _TEXT_BYTES)))
        elif tag in (_OPSET, _PROPERTY):
            _read_pair(window, tag, start, stop, header)
        elif tag >> 3 in (1, 2, 3, 4, 5, 6, 7, 8, 14, 25):
            raise Broken(start, f"field {tag >> 3} has a type that it never has in an ONNX model")
    return header


def _read_pair(window: Window, tag: int, start: int, stop: int, header: Header) -> None:
    """An operator set and its version, or a property and its value: fields 1 and 2 of both."""
    name = value = ""
    version = 0
    for inner, begin, end in window.fields(start, stop):
        if inner == key(2, VARINT):
            version = integer(window.slice(begin, end), 0, end - begin)
        elif inner in (key(1), key(2)):
            content = text(window.slice(begin, min(end, begin + _TEXT_BYTES)))
            name, value = (content, value) if inner == key(1) else (name, content)
    if tag == _OPSET:
        header.opsets["" if name == "ai.onnx" else name] = version
    else:
        header.properties[name] = value


def read_ends(
    window: Window, graphs: list[Span], limits: Limits
) -> tuple[TensorSpecs, TensorSpecs, int]:
    """The inputs without the weights among them, the outputs, and how many nodes there are."""
    stored: set[bytes] = set()
    ends: dict[int, list[TensorSpec]] = {INPUT: [], OUTPUT: []}
    nodes = 0
    for count, (tag, start, stop) in enumerate(_children(window, graphs)):
        if tag == NODE:
            nodes += 1
            if nodes > limits.nodes:
                limits.check("nodes", nodes, "the graph")
        elif count - nodes > limits.values:
            limits.check("values", count - nodes, "the graph")
        elif tag == INITIALIZER:
            stored.add(_tensor_name(window, start, stop))
        elif tag == SPARSE_INITIALIZER:
            stored.add(_sparse_name(window, start, stop))
        elif tag in ends:
            limits.check("structure_bytes", stop - start, "an input or output")
            try:
                ends[tag].append(value_info(window.slice(start, stop), 0, stop - start, limits))
            except Broken as broken:
                raise Broken(start + broken.position, broken.reason) from None
    names = {text(name)[: limits.name_length] for name in stored}
    inputs = [spec for spec in ends[INPUT] if spec.name not in names]
    return TensorSpecs(inputs, "input"), TensorSpecs(ends[OUTPUT], "output"), nodes


def _children(window: Window, graphs: list[Span]) -> Iterator[tuple[int, int, int]]:
    for start, stop in graphs:
        yield from window.fields(start, stop)


def _tensor_name(window: Window, start: int, stop: int) -> bytes:
    for tag, begin, end in window.fields(start, stop):
        if tag == key(8):
            return window.slice(begin, end)
    return b""


def _sparse_name(window: Window, start: int, stop: int) -> bytes:
    for tag, begin, end in window.fields(start, stop):
        if tag == key(1):
            return _tensor_name(window, begin, end)
    return b""
