"""Small TFLite models made in code, as bytes, each named after what it shows."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from models_made.flatbuffers_made import Fields, flatbuffer

FLOAT32, INT32, UINT8, STRING, BOOL, INT8 = 0, 2, 3, 5, 6, 9
ADD, FULLY_CONNECTED, LOGISTIC, MUL, RELU, CUSTOM, GATHER = 0, 9, 14, 18, 19, 32, 36
LESS, IF, WHILE, CALL_ONCE, VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE = (
    58,
    118,
    119,
    129,
    142,
    143,
    144,
)
RESOURCE = 13
NO_SUBGRAPH = 99


def tensor(
    name: str,
    shape: Sequence[int] | None = (1, 3),
    dtype: int = FLOAT32,
    buffer: int = 0,
    signature: Sequence[int] | None = None,
    **more: Any,
) -> Fields:
    """A Tensor; `scale`, `zero_point` and `axis` quantise it, `variable` keeps it."""
    made: Fields = {1: ("b", dtype), 2: ("I", buffer), 3: name, 8: ("?", shape is not None)}
    made[0] = list(shape or ())
    if signature is not None:
        made[7] = list(signature)
    if "scale" in more:
        made[4] = {2: ("f", more["scale"]), 3: ("q", more["zero_point"])}
        made[4][6] = ("i", more.get("axis", 0))
    if more.get("variable"):
        made[5] = ("?", True)
    if more.get("sparse"):
        made[6] = {0: [0, 1]}
    return made


def node(
    code: int, inputs: list[int], outputs: list[int], kind: int = 0, options: Fields | None = None
) -> Fields:
    """An Operator by the index of its code; `kind` is the number of its options in the union."""
    made: Fields = {0: ("I", code), 1: inputs, 2: outputs}
    if options is not None:
        made |= {3: ("B", kind), 4: options}
    return made


def graph(
    tensors: list[Fields], inputs: list[int], outputs: list[int], nodes: list[Fields], name: str
) -> Fields:
    return {0: tensors, 1: inputs, 2: outputs, 3: nodes, 4: name}


def model(
    codes: Sequence[int | str],
    subgraphs: list[Fields],
    buffers: Sequence[bytes | Fields] = (),
    **more: Any,
) -> bytes:
    """A Model; buffer 0, which is always empty, comes by itself.

    Args:
        codes: operators by number, and custom ones by name.
        subgraphs: made by `graph`.
        buffers: contents, or tables.
        more: `signatures` and `metadata` as tables.
    """
    operators: list[Fields] = [
        {0: ("b", CUSTOM), 1: code, 3: ("i", CUSTOM)}
        if isinstance(code, str)
        else {0: ("b", min(code, 127)), 3: ("i", code)}
        for code in codes
    ]
    stored = [{}, *({0: each} if isinstance(each, bytes) else each for each in buffers)]
    root: Fields = {0: ("I", 3), 1: operators, 2: subgraphs, 3: "made in code", 4: stored}
    for field, name in ((6, "metadata"), (7, "signatures")):
        if name in more:
            root[field] = more[name]
    return flatbuffer(root, b"TFL3")


def floats(*values: float) -> bytes:
    return np.array(values, "<f4").tobytes()


def add() -> bytes:
    """`y = relu(x + (1, 2, 3))`, for a batch of any length."""
    tensors = [
        tensor("x", (1, 3), signature=(-1, 3)),
        tensor("weight", (3,), buffer=1),
        tensor("block/add/y;block/bias", (1, 3), signature=(-1, 3)),
    ]
    nodes = [node(0, [0, 1], [2], 11, {0: ("b", 1)})]
    return model([ADD], [graph(tensors, [0], [2], nodes, "main")], [floats(1, 2, 3)])


def quantised() -> bytes:
    """The sigmoid of a quantised input, as quantised probabilities."""
    tensors = [
        tensor("x", (1, 4), UINT8, scale=[0.5], zero_point=[128]),
        tensor("probabilities", (1, 4), UINT8, scale=[1 / 256], zero_point=[0]),
    ]
    return model([LOGISTIC], [graph(tensors, [0], [1], [node(0, [0], [1])], "main")])


def per_axis() -> bytes:
    """A weight of two rows, each with a scale of its own."""
    weight = np.array([[1, -2, 3], [4, 5, -6]], np.int8)
    tensors = [
        tensor("x", (1, 3), INT8, scale=[1.0], zero_point=[0]),
        tensor("weight", (2, 3), INT8, 1, scale=[0.5, 0.25], zero_point=[0, 0], axis=0),
        tensor("bias", (2,), INT32, 2, scale=[0.5, 0.25], zero_point=[0, 0], axis=0),
        tensor("y", (1, 2), INT8, scale=[1.0], zero_point=[0]),
    ]
    nodes = [node(0, [0, 1, 2], [3], 8, {0: ("b", 0)})]
    buffers = [weight.tobytes(), np.array([0, 0], "<i4").tobytes()]
    return model([FULLY_CONNECTED], [graph(tensors, [0], [3], nodes, "main")], buffers)


def strings() -> bytes:
    """Three words of those that are fed, the last one first."""
    tensors = [
        tensor("words", (3,), STRING, signature=(-1,)),
        tensor("order", (3,), INT32, 1),
        tensor("reversed", (3,), STRING),
    ]
    nodes = [node(0, [0, 1], [2], 23, {0: ("i", 0)})]
    order = np.array([2, 1, 0], "<i4").tobytes()
    return model([GATHER], [graph(tensors, [0], [2], nodes, "main")], [order])


def text_constant() -> bytes:
    """A stored vocabulary, of which one word is picked."""
    words = [b"cat", b"", "Köln".encode()]
    starts = np.cumsum([4 * (len(words) + 2), *map(len, words)])
    packed = struct.pack(f"<{len(words) + 2}i", len(words), *starts) + b"".join(words)
    tensors = [
        tensor("index", (1,), INT32),
        tensor("vocabulary", (3,), STRING, 1),
        tensor("word", (1,), STRING),
    ]
    nodes = [node(0, [1, 0], [2], 23, {0: ("i", 0)})]
    return model([GATHER], [graph(tensors, [0], [2], nodes, "main")], [packed])


def loop() -> bytes:
    """Doubles `x` while it is below 100, then adds 1 where it was fed as `flag`."""
    number = [tensor("state", (1,)), tensor("limit", (1,), buffer=1), tensor("go", (1,), BOOL)]
    double = [tensor("state", (1,)), tensor("two", (1,), buffer=2), tensor("twice", (1,))]
    more = [tensor("value", (1,)), tensor("one", (1,), buffer=3), tensor("more", (1,))]
    tensors = [
        tensor("x", (1,)),
        tensor("flag", (1,), BOOL),
        tensor("large", (1,)),
        tensor("y", (1,)),
    ]
    nodes = [
        node(2, [0], [2], 93, {0: ("i", 1), 1: ("i", 2)}),
        node(3, [1, 2], [3], 92, {0: ("i", 3), 1: ("i", 4)}),
    ]
    subgraphs = [
        graph(tensors, [0, 1], [3], nodes, "main"),
        graph(number, [0], [2], [node(0, [0, 1], [2])], "below"),
        graph(double, [0], [2], [node(1, [0, 1], [2], 21, {})], "double"),
        graph(more, [0], [2], [node(4, [0, 1], [2], 11, {})], "increase"),
        graph([tensor("value", (1,))], [0], [0], [], "keep"),
    ]
    buffers = [floats(100), floats(2), floats(1)]
    return model([LESS, MUL, WHILE, IF, ADD], subgraphs, buffers)


def signatures() -> bytes:
    """`double` and `triple`, each a subgraph of its own; both call their ends `x` and `y`."""

    def times(name: str, buffer: int) -> Fields:
        tensors = [
            tensor(f"{name}_x:0", (1, 2), signature=(-1, 2)),
            tensor("factor", (1,), buffer=buffer),
            tensor("StatefulPartitionedCall:0", (1, 2), signature=(-1, 2)),
        ]
        return graph(tensors, [0], [2], [node(0, [0, 1], [2], 21, {})], name)

    entries = [
        {
            0: [{0: "x", 1: ("I", 0)}],
            1: [{0: "y", 1: ("I", 2)}],
            2: name,
            4: ("I", index),
        }
        for index, name in enumerate(("double", "triple"))
    ]
    subgraphs = [times("double", 1), times("triple", 2)]
    return model([MUL], subgraphs, [floats(2), floats(3)], signatures=entries)


def custom(name: str = "Sharpen") -> bytes:
    """One operator that no runtime knows."""
    nodes = [node(0, [0], [1]) | {5: b"\x01\x02\x03"}]
    return model([name], [graph([tensor("x"), tensor("y")], [0], [1], nodes, "main")])


def alike() -> bytes:
    """Tensors without names, and two that share one."""
    tensors = [tensor(""), tensor(""), tensor("y"), tensor("y")]
    nodes = [node(0, [0, 1], [2], 11, {}), node(1, [2], [3])]
    return model([ADD, RELU], [graph(tensors, [0, 1], [2, 3], nodes, "main")])


def left_out() -> bytes:
    """A fully connected layer without its bias: input -1."""
    tensors = [tensor("x"), tensor("weight", (2, 3), buffer=1), tensor("y", (1, 2))]
    nodes = [node(0, [0, 1, -1], [2], 8, {0: ("b", 3), 2: ("?", False)})]
    content = floats(1, 0, 0, 0, 1, 0)
    return model([FULLY_CONNECTED], [graph(tensors, [0], [2], nodes, "main")], [content])


def chain(count: int = 3) -> bytes:
    """ReLU after ReLU, so that there are inner tensors to look at."""
    tensors = [tensor("x"), *(tensor(f"block/relu_{i}") for i in range(count))]
    nodes = [node(0, [i], [i + 1]) for i in range(count)]
    return model([RELU], [graph(tensors, [0], [count], nodes, "main")])


def two_inputs() -> bytes:
    """`a + 1` is one output and `a + b` the other."""
    tensors = [
        tensor("a"),
        tensor("b"),
        tensor("one", (1,), buffer=1),
        tensor("more"),
        tensor("sum"),
    ]
    nodes = [node(0, [0, 2], [3], 11, {}), node(0, [0, 1], [4], 11, {})]
    return model([ADD], [graph(tensors, [0, 1], [3, 4], nodes, "main")], [floats(1)])


def calling_itself() -> bytes:
    """A WHILE whose body is the graph that it stands in."""
    nodes = [node(0, [0], [1], 93, {0: ("i", 0), 1: ("i", 0)})]
    return model([WHILE], [graph([tensor("x"), tensor("y")], [0], [1], nodes, "main")])


def calling_nothing() -> bytes:
    """An IF with a branch that the file does not hold."""
    nodes = [node(0, [0], [1], 92, {0: ("i", NO_SUBGRAPH), 1: ("i", 0)})]
    return model([IF], [graph([tensor("x"), tensor("y")], [0], [1], nodes, "main")])


def initialised() -> bytes:
    """A CALL_ONCE, and a variable that an operator keeps."""
    tensors = [tensor("x"), tensor("state", variable=True), tensor("y")]
    nodes = [node(0, [], [], 103, {0: ("i", 1)}), node(1, [0, 1], [2], 11, {})]
    subgraphs = [graph(tensors, [0], [2], nodes, "main"), graph([], [], [], [], "init")]
    return model([CALL_ONCE, ADD], subgraphs)


def counting() -> bytes:
    """Adds what is fed to a variable that outlives the run, and gives its sum."""
    shared = {1: "sum"}
    start = [tensor("handle", (), RESOURCE), tensor("zeros", (3,), buffer=1)]
    setting = [node(1, [], [0], 111, shared), node(2, [0, 1], [], 113, {})]
    names = ("x", "handle", "before", "after", "sum")
    tensors = [
        tensor(name, () if name == "handle" else (3,), RESOURCE if name == "handle" else FLOAT32)
        for name in names
    ]
    nodes = [
        node(0, [], [], 103, {0: ("i", 1)}),
        node(1, [], [1], 111, shared),
        node(3, [1], [2], 112, {}),
        node(4, [0, 2], [3], 11, {}),
        node(2, [1, 3], [], 113, {}),
        node(3, [1], [4], 112, {}),
    ]
    codes = [CALL_ONCE, VAR_HANDLE, ASSIGN_VARIABLE, READ_VARIABLE, ADD]
    subgraphs = [graph(tensors, [0], [4], nodes, "main"), graph(start, [], [], setting, "init")]
    return model(codes, subgraphs, [floats(0, 0, 0)])


def outside(offset_past_end: bool = False) -> bytes:
    """A weight behind the flatbuffer, as in files of more than 2 GB."""
    content = floats(1, 2, 3)

    def made(offset: int) -> bytes:
        tensors = [tensor("x"), tensor("weight", (3,), buffer=1), tensor("y")]
        subgraph = graph(tensors, [0], [2], [node(0, [0, 1], [2], 11, {})], "main")
        placed: Fields = {1: ("Q", offset), 2: ("Q", len(content))}
        return model([ADD], [subgraph], [placed])

    start = -(-len(made(2**40)) // 16) * 16
    whole = made(start + (4096 if offset_past_end else 0))
    return whole + bytes(start - len(whole)) + content


def sparse() -> bytes:
    """A weight of which only some elements are stored."""
    tensors = [tensor("x"), tensor("weight", (3,), buffer=1, sparse=True), tensor("y")]
    nodes = [node(0, [0, 1], [2], 11, {})]
    return model([ADD], [graph(tensors, [0], [2], nodes, "main")], [floats(1)])


def described(labels: bytes | None = b"cat\ndog\n\n", damaged: bool = False) -> bytes:
    """A classifier with its author's metadata, and the labels in a zip behind it.

    Args:
        labels: the label file; `None` leaves the zip away.
        damaged: whether the metadata points outside itself.
    """
    normalised: Fields = {0: ("B", 1), 1: {0: ("f", [127.5]), 1: ("f", [128.0])}}
    picture: Fields = {0: "image", 1: "A picture.", 4: [normalised]}
    classes: Fields = {0: "class", 6: [{0: "de.txt", 2: ("b", 2), 3: "de"}, {0: "labels.txt"}]}
    classes[6][1][2] = ("b", 2)
    about = {0: "Pets", 1: "Tells pets apart.", 4: "A. Nonymous"}
    packed = flatbuffer({**about, 3: [{2: [picture], 3: [classes]}]}, b"M001")
    packed = b"\xff\xff\xff\x7f" + packed[4:] if damaged else packed
    tensors = [tensor("x", (1, 2)), tensor("y", (1, 2))]
    subgraph = graph(tensors, [0], [1], [node(0, [0], [1])], "main")
    metadata = [
        {0: "TFLITE_METADATA", 1: ("I", 1)},
        {0: "min_runtime_version", 1: ("I", 2)},
        {0: "CONVERSION_METADATA", 1: ("I", 3)},
    ]
    conversion = flatbuffer({0: {0: "2.19.0"}})
    buffers = [packed, b"1.5.0\0\0\0", conversion]
    whole = model([LOGISTIC], [subgraph], buffers, metadata=metadata)
    return whole if labels is None else whole + _zip({"de.txt": b"Katze", "labels.txt": labels})


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def good_tflite() -> list[bytes]:
    """Whole models to take mutants of."""
    return [
        add(),
        quantised(),
        per_axis(),
        strings(),
        text_constant(),
        loop(),
        signatures(),
        custom(),
        alike(),
        initialised(),
        counting(),
        outside(),
        described(),
    ]
