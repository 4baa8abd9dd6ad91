"""TensorFlow graphs and SavedModels, written byte by byte: no TensorFlow is needed to make them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from mlnb.formats.tensorflow.types import dtype_name
from mlnb.formats.wire import FIXED32, VARINT, encode, encode_varint, key

NUMBERS = {dtype_name(number): number for number in range(1, 33)}


def number(field: int, value: int) -> bytes:
    return encode_varint(key(field, VARINT)) + encode_varint(value & 0xFFFFFFFFFFFFFFFF)


def dtype(name: str) -> bytes:
    return number(6, NUMBERS[name])


def shape_proto(shape: Sequence[int | None] | None) -> bytes:
    if shape is None:
        return number(3, 1)
    return b"".join(encode(2, number(1, -1 if size is None else size)) for size in shape)


def shape(sizes: Sequence[int | None] | None) -> bytes:
    return encode(7, shape_proto(sizes))


def shapes(*each: Sequence[int | None] | None) -> bytes:
    return encode(1, b"".join(encode(7, shape_proto(one)) for one in each))


def tensor_proto(array: np.ndarray) -> bytes:
    if array.dtype == object:
        head, elements = "string", b"".join(encode(8, item) for item in array.reshape(-1))
    else:
        head, elements = array.dtype.name, encode(4, array.tobytes())
    return number(1, NUMBERS[head]) + encode(2, shape_proto(array.shape)) + elements


def tensor(array: np.ndarray) -> bytes:
    return encode(8, tensor_proto(array))


def text(value: bytes) -> bytes:
    return encode(2, value)


def real(value: float) -> bytes:
    return encode_varint(key(4, FIXED32)) + struct.pack("<f", value)


def function(name: str) -> bytes:
    return encode(10, encode(1, name.encode()))


def numbers(*each: int) -> bytes:
    return encode(1, b"".join(number(3, one) for one in each))


def types(*names: str) -> bytes:
    packed = b"".join(encode_varint(NUMBERS[name]) for name in names)
    return encode(1, encode(6, packed))


def entry(name: str, value: bytes) -> bytes:
    return encode(1, name.encode()) + encode(2, value)


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    given = b"".join(encode(3, one.encode()) for one in inputs)
    attr = b"".join(encode(5, entry(label, value)) for label, value in attributes.items())
    return encode(1, name.encode()) + encode(2, op.encode()) + given + attr


def const(name: str, array: np.ndarray) -> bytes:
    kind = "string" if array.dtype == object else array.dtype.name
    return node(name, "Const", value=tensor(array), dtype=dtype(kind))


def placeholder(name: str, kind: str, sizes: Sequence[int | None] | None) -> bytes:
    return node(name, "Placeholder", dtype=dtype(kind), shape=shape(sizes))


def function_def(
    name: str,
    inputs: dict[str, str],
    outputs: dict[str, str],
    nodes: Sequence[bytes],
    kind: str = "float32",
) -> bytes:
    """A function whose results are of one dtype; `outputs` names the tensor of each."""
    arguments = b"".join(
        encode(2, encode(1, label.encode()) + number(3, NUMBERS[given]))
        for label, given in inputs.items()
    )
    results = b"".join(
        encode(3, encode(1, label.encode()) + number(3, NUMBERS[kind])) for label in outputs
    )
    signature = encode(1, name.encode()) + arguments + results
    returned = b"".join(encode(4, entry(label, one.encode())) for label, one in outputs.items())
    return encode(1, signature) + b"".join(encode(3, each) for each in nodes) + returned


def graph_def(
    nodes: Sequence[bytes], functions: Sequence[bytes] = (), producer: int = 1395
) -> bytes:
    library = encode(2, b"".join(encode(1, each) for each in functions)) if functions else b""
    return b"".join(encode(1, each) for each in nodes) + library + encode(4, number(1, producer))


Info = tuple[str, str, Sequence[int | None] | None]
"""A tensor's name, dtype and shape."""


def signature_def(inputs: dict[str, Info], outputs: dict[str, Info], method: str) -> bytes:
    ends = b""
    for field, given in ((1, inputs), (2, outputs)):
        for label, (name, kind, sizes) in given.items():
            info = encode(1, name.encode()) + number(2, NUMBERS.get(kind, 0))
            ends += encode(field, entry(label, info + encode(3, shape_proto(sizes))))
    return ends + encode(3, method.encode())


def saved_model(
    graph: bytes,
    signatures: dict[str, tuple[dict[str, Info], dict[str, Info]]],
    *,
    tags: Sequence[str] = ("serve",),
    restore: str = "",
    start: str = "",
    assets: dict[str, str] | None = None,
) -> bytes:
    return number(1, 1) + encode(2, meta_graph(graph, signatures, tags, restore, start, assets))


def meta_graph(
    graph: bytes,
    signatures: dict[str, tuple[dict[str, Info], dict[str, Info]]],
    tags: Sequence[str] = ("serve",),
    restore: str = "",
    start: str = "",
    assets: dict[str, str] | None = None,
) -> bytes:
    info = b"".join(encode(4, tag.encode()) for tag in tags) + encode(5, b"2.21.0")
    content = encode(1, info) + encode(2, graph)
    if restore:
        saver = encode(1, b"saver/Const:0") + encode(3, restore.encode()) + number(7, 2)
        content += encode(3, saver)
    for name, (inputs, outputs) in signatures.items():
        method = "tensorflow/serving/predict"
        content += encode(5, entry(name, signature_def(inputs, outputs, method)))
    if start:
        ends = {"__saved_model_init_op": (start, "", None)}
        content += encode(5, entry("__saved_model_init_op", signature_def({}, ends, "")))
    for name, file in (assets or {}).items():
        content += encode(6, encode(1, encode(1, name.encode())) + encode(2, file.encode()))
    return content


WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2)
F = dtype("float32")


def classifier_nodes() -> list[bytes]:
    return [
        placeholder("input", "float32", (None, 3)),
        const("dense/kernel", WEIGHTS),
        node("dense/kernel/read", "Identity", "dense/kernel", T=F),
        const("dense/bias", np.array([0.5, -0.5], np.float32)),
        node("dense/MatMul", "MatMul", "input", "dense/kernel/read", T=F),
        node("dense/add", "AddV2", "dense/MatMul", "dense/bias:0", T=F),
        node("softmax2", "Softmax", "dense/add", "^dense/MatMul", T=F),
    ]


def classifier() -> bytes:
    """The names of ML.NET's tutorial: `input` to `softmax2`."""
    return graph_def(classifier_nodes())


def with_function() -> bytes:
    """A graph that calls `double`, which calls `add`."""
    add = function_def(
        "add",
        {"a": "float32", "b": "float32"},
        {"sum": "z:z:0"},
        [node("z", "AddV2", "a", "b", T=F)],
    )
    pair, one = types("float32", "float32"), types("float32")
    call = node("call", "PartitionedCall", "x", "x", Tin=pair, Tout=one, f=function("add"))
    double = function_def("double", {"x": "float32"}, {"y": "call:output:0"}, [call])
    outer = node("y", "StatefulPartitionedCall", "x", Tin=one, Tout=one, f=function("double"))
    return graph_def([placeholder("x", "float32", (2,)), outer], [double, add])


def call(
    name: str, called: str, *inputs: str, op: str = "PartitionedCall", results: int = 1
) -> bytes:
    given, made = types(*["float32"] * len(inputs)), types(*["float32"] * results)
    return node(name, op, *inputs, Tin=given, Tout=made, f=function(called))


def calls_that_read_each_other() -> bytes:
    """`first` halves and squares x, `second` takes the half below zero, and the graph adds both."""
    first = function_def(
        "first",
        {"a": "float32"},
        {"square": "square:y:0", "half": "half:z:0"},
        [
            const("two", np.array(2, np.float32)),
            node("half", "RealDiv", "a", "two:output:0", T=F),
            node("square", "Square", "half:z:0", T=F),
        ],
    )
    second = function_def("second", {"b": "float32"}, {"c": "n:y:0"}, [node("n", "Neg", "b", T=F)])
    outer = [
        placeholder("x", "float32", (2,)),
        call("one", "first", "x", results=2),
        call("two", "second", "one:1", op="StatefulPartitionedCall"),
        node("y", "AddV2", "one:0", "two:0", T=F),
    ]
    return graph_def(outer, [first, second])


def serving(name: str = "input", kind: str = "float32") -> dict[str, Info]:
    return {name: ("input:0", kind, (None, 3))}


def classifier_folder() -> bytes:
    """A SavedModel without variables."""
    ends = (
        {"features": ("input:0", "float32", (None, 3))},
        {"scores": ("softmax2:0", "float32", (None, 2))},
    )
    return saved_model(classifier(), {"serving_default": ends})


CLASSIFIER_TEXT = b"""# written by hand
node {
  name: "x"
  op: "Placeholder"
  attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "shape" value { shape { dim { size: -1 } dim { size: 2 } } } }
}
node {
  name: "scale" op: 'Const'
  attr { key: "dtype" value { type: DT_FLOAT } }
  attr < key: "value" value < tensor <
    dtype: DT_FLOAT tensor_shape { dim { size: 2 } }
    tensor_content: "\\000\\000\\200?" "\\x00\\x00\\x00@"
  > > >
}
node { name: "y", op: "Mul", input: ["x", "scale"]; attr { key: "T" value { type: DT_FLOAT } } }
versions { producer: 1395 }
"""


def good_graphdef() -> list[bytes]:
    """Small graphs for the mutants."""
    return [classifier(), with_function(), calls_that_read_each_other()]


def good_saved_model() -> list[bytes]:
    """Small SavedModels for the mutants."""
    return [classifier_folder()]


def good_pbtxt() -> list[bytes]:
    """Small graphs as text for the mutants."""
    return [CLASSIFIER_TEXT]
