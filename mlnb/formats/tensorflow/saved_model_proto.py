"""A saved_model.pb around its graph: meta graphs, signatures, what restores and starts it.

The messages: saved_model.proto and meta_graph.proto in
https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/protobuf
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlnb.formats.tensorflow.ends import End, Ends
from mlnb.formats.tensorflow.reach import node_of, plain
from mlnb.formats.tensorflow.types import Span, dtype_name, shape_of
from mlnb.formats.wire import VARINT, Broken, Window, fields, integer, key, text
from mlnb.specs import TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlnb.limits import Limits

INIT = "__saved_model_init_op"
"""The signature that TensorFlow 2 keeps what starts the model in; it is no entry point."""
_MAIN_OPS = ("saved_model_main_op", "legacy_init_op")
_MOST = 100_000
"""Signatures, tags or assets of one file; no real one has a hundredth of it."""


@dataclass(slots=True)
class Signature:
    """One SignatureDef.

    Args:
        ends: its inputs and outputs, by the keys that its author gave them.
        method: such as `"tensorflow/serving/predict"`.
    """

    ends: Ends = field(default_factory=Ends)
    method: str = ""


@dataclass(slots=True)
class MetaGraph:
    """One MetaGraphDef, all but its nodes.

    Args:
        graphs: where its GraphDef lies; several where the file was put together from pieces.
        tags: what it is for, such as `("serve",)`.
        version: of the TensorFlow that wrote it.
        signatures: by name, sorted, since a map has no order.
        restore: the node that reads the variables, and the tensor it is given the path in.
        starts: the nodes that run once after that.
        assets: the tensors that are given the paths of files beside the model, and their names.
        objects: whether it was written by TensorFlow 2.
    """

    graphs: list[Span] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    version: str = ""
    signatures: dict[str, Signature] = field(default_factory=dict)
    restore: tuple[str, str] = ("", "")
    starts: list[str] = field(default_factory=list)
    assets: dict[str, str] = field(default_factory=dict)
    objects: bool = False


def read_meta_graphs(window: Window, size: int, limits: Limits) -> list[MetaGraph]:
    """The meta graphs of a file; mostly there is one.

    Raises:
        Broken: the bytes are no SavedModel.
    """
    found = []
    for tag, start, stop in window.fields(0, size):
        if tag == key(2):
            found.append(_meta_graph(window, start, stop, limits))
        elif tag >> 3 == 2:
            raise Broken(start, "field 2 has a type that a SavedModel never has")
    return found


def _meta_graph(window: Window, start: int, stop: int, limits: Limits) -> MetaGraph:
    meta = MetaGraph()
    for tag, begin, end in window.fields(start, stop):
        if tag == key(1):
            _read_info(window, begin, end, meta)
        elif tag == key(2):
            meta.graphs.append((begin, end))
        elif tag == key(3):
            texts = _texts(window, begin, end, (1, 3))
            meta.restore = (texts.get(3, ""), texts.get(1, ""))
        elif tag == key(4):
            meta.starts += _main_ops(window, begin, end)
        elif tag == key(5):
            _read_signature(window, begin, end, meta, limits)
        elif tag == key(6):
            _read_asset(window, begin, end, meta)
        elif tag == key(7):
            meta.objects = True
        if max(len(meta.signatures), len(meta.assets), len(meta.starts)) > _MOST:
            limits.check("values", limits.values + 1, "the signatures and assets")
    meta.signatures = dict(sorted(meta.signatures.items()))
    return meta


def _read_info(window: Window, start: int, stop: int, meta: MetaGraph) -> None:
    tags = []
    for tag, begin, end in window.fields(start, stop):
        if tag == key(4):
            tags.append(text(window.slice(begin, min(end, begin + 1000))))
        elif tag == key(5):
            meta.version = text(window.slice(begin, min(end, begin + 1000)))
    meta.tags = tuple(tags[:_MOST])


def _texts(window: Window, start: int, stop: int, numbers: tuple[int, ...]) -> dict[int, str]:
    """The strings in some fields of a message."""
    return {
        tag >> 3: text(window.slice(begin, end))
        for tag, begin, end in window.fields(start, stop)
        if tag in map(key, numbers)
    }


def _main_ops(window: Window, start: int, stop: int) -> Iterator[str]:
    """The nodes in the collections that a SavedModel is started by."""
    label, value = "", (stop, stop)
    for tag, begin, end in window.fields(start, stop):
        if tag == key(1):
            label = text(window.slice(begin, min(end, begin + 1000)))
        elif tag == key(2):
            value = (begin, end)
    if label in _MAIN_OPS:
        for tag, begin, end in window.fields(*value):
            if tag == key(1):  # a NodeList
                for inner, low, high in window.fields(begin, end):
                    if inner == key(1):
                        yield node_of(text(window.slice(low, high)))


def _read_signature(window: Window, start: int, stop: int, meta: MetaGraph, limits: Limits) -> None:
    name, signature = "", Signature()
    data = window.slice(start, stop)
    try:
        for tag, begin, end in fields(data, 0, len(data)):
            if tag == key(1):
                name = text(data[begin:end])
            elif tag == key(2):
                signature = _signature(data, begin, end, limits)
    except Broken as broken:
        raise Broken(start + broken.position, broken.reason) from broken
    if name == INIT:
        meta.starts += [node_of(end.tensor) for end in signature.ends.outputs]
    else:
        meta.signatures[name[: limits.name_length]] = signature


def _signature(data: bytes, start: int, stop: int, limits: Limits) -> Signature:
    ends: dict[int, dict[str, End]] = {1: {}, 2: {}}
    method = ""
    for tag, begin, end in fields(data, start, stop):
        if tag in (key(1), key(2)):
            found = _end(data, begin, end, limits)
            ends[tag >> 3][found.spec.name] = found
        elif tag == key(3):
            method = text(data[begin:end])
    inputs, outputs = ([ends[n][name] for name in sorted(ends[n])] for n in (1, 2))
    return Signature(Ends(tuple(inputs), tuple(outputs)), method)


def _end(data: bytes, start: int, stop: int, limits: Limits) -> End:
    """An entry of the inputs or outputs: its key, and the TensorInfo."""
    name, tensor, dtype, kind = "", "", "unknown", "tensor"
    shape = None
    for tag, begin, end in fields(data, start, stop):
        if tag == key(1):
            name = text(data[begin:end])[: limits.name_length]
        elif tag == key(2):
            for inner, low, high in fields(data, begin, end):
                if inner == key(1):
                    tensor = plain(text(data[low:high]))
                elif inner == key(2, VARINT):
                    dtype = dtype_name(integer(data, low, high))
                elif inner == key(3):
                    shape = shape_of(data, low, high, limits)
                elif inner in (key(4), key(5)):
                    kind = "sparse"
    return End(TensorSpec(name, dtype, shape, kind), tensor)


def _read_asset(window: Window, start: int, stop: int, meta: MetaGraph) -> None:
    tensor = file = ""
    for tag, begin, end in window.fields(start, stop):
        if tag == key(1):
            tensor = _texts(window, begin, end, (1,)).get(1, "")
        elif tag == key(2):
            file = text(window.slice(begin, end))
    meta.assets[plain(tensor)] = file
