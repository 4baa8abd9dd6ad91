"""Stand-ins for a frozen graph of TensorFlow and for a TFLite file, written byte by byte.

They tell the mean colour of a picture and nothing else. Neither TensorFlow nor LiteRT is needed to
make them, so that one can look at such files before one installs what runs them. The layouts are
those of `graph.proto`, `node_def.proto`, `tensor.proto` (TensorFlow) and `schema.fbs` (TFLite).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlnb.data.official import Official

Array = np.ndarray[Any, np.dtype[Any]]
Table = dict[int, Any]

SIDE, CHAIR_SIDE = 224, 227

WITHOUT_ADDRESS = {
    official.name: official
    for official in (
        Official(
            "chairs_model",
            "model",
            "a frozen TensorFlow graph, two kinds of chairs; 227 × 227, BGR minus 117",
            *("unknown", "nobody publishes it", 0, (), False),
            "*.pb",
        ),
        Official(
            "mobilenet_v1_0.25_224_float",
            "model",
            "MobileNet 1 (0.25) of ImageNet as TFLite; 224 × 224, RGB from -1 to 1",
            *("Apache-2.0", "TensorFlow", 0, (), False),
            "*.tflite",
        ),
    )
}
"""Models that come from `MLNB_DATA` only, and what stands in for them elsewhere."""

COLORS = {
    "red": (1, 0, 0), "orange": (1, 0.5, 0), "yellow": (1, 1, 0), "green": (0, 0.6, 0),
    "blue": (0, 0, 1), "white": (1, 1, 1), "grey": (0.5, 0.5, 0.5), "black": (0, 0, 0),
}  # fmt: skip


def chairs_model(folder: Path) -> None:
    """A frozen graph: of the mean colour, whether it is greener than it is red and blue."""
    weights = np.array([[-1, 1], [2, -2], [-1, 1]], np.float32).reshape(1, 1, 3, 2) / 20
    nodes = [
        _node("Placeholder", "Placeholder", dtype=_dtype(_FLOAT), shape=_shape(-1, *_PICTURE)),
        _const("color/weights", weights),
        _node("color/weights/read", "Identity", "color/weights", T=_dtype(_FLOAT)),
        _node(
            "color/Conv2D",
            "Conv2D",
            *("Placeholder", "color/weights/read"),
            T=_dtype(_FLOAT),
            strides=_ints(1, 1, 1, 1),
            padding=_text("VALID"),
        ),
        _const("pool/axes", np.array([1, 2], np.int32)),
        _node("pool", "Mean", "color/Conv2D", "pool/axes", T=_dtype(_FLOAT), Tidx=_dtype(_INT)),
        _node("loss", "Softmax", "pool", T=_dtype(_FLOAT)),
        _node("model_outputs", "Identity", "loss", T=_dtype(_FLOAT)),
    ]
    graph = b"".join(_field(1, node) for node in nodes) + _field(4, _number(1, 1087))
    (folder / "chairs_model.pb").write_bytes(graph)
    _write_labels(folder, ["greener than red and blue", "not so green"])


def mobilenet(folder: Path) -> None:
    """A TFLite file: how near the mean colour is to each of eight."""
    points = np.array(list(COLORS.values()), np.float32) * 2 - 1
    near = 4 * points  # -2 |color - point|², without what is the same for all of them
    bias = -2 * (points**2).sum(axis=1, dtype=np.float32)
    count = len(COLORS)
    stored: list[Array] = [near.reshape(count, 1, 1, 3), bias, np.array([1, count], np.int32)]
    tensors = [
        _tensor("input", (1, SIDE, SIDE, 3)),
        _tensor("color/weights", (count, 1, 1, 3), buffer=1),
        _tensor("color/biases", (count,), buffer=2),
        _tensor("pool/AvgPool", (1, 1, 1, 3)),
        _tensor("color/BiasAdd", (1, 1, 1, count)),
        _tensor("shape", (2,), buffer=3, kind=2),
        _tensor("Reshape", (1, count)),
        _tensor("Softmax", (1, count)),
    ]
    pool: Table = {0: ("<b", 1), **dict.fromkeys((1, 2, 3, 4), ("<i", SIDE))}
    conv: Table = {0: ("<b", 1), 1: ("<i", 1), 2: ("<i", 1)}
    operators = [
        _operator(0, [0], [3], 5, pool),
        _operator(1, [3, 1, 2], [4], 1, conv),
        _operator(2, [4, 5], [6], 17, {}),
        _operator(3, [6], [7], 9, {0: ("<f", 1.0)}),
    ]
    codes: list[Table] = [{0: ("<b", code), 3: ("<i", code)} for code in (1, 3, 22, 25)]
    graph: Table = {0: tensors, 1: _row(0), 2: _row(7), 3: operators, 4: "main"}
    buffers: list[Table] = [{}, *({0: array.tobytes()} for array in stored)]
    model: Table = {0: ("<I", 3), 1: codes, 2: [graph], 3: "mlnb stand-in", 4: buffers}
    (folder / "mobilenet_v1_0.25_224_float.tflite").write_bytes(_flatbuffer(model, b"TFL3"))
    _write_labels(folder, list(COLORS))


def _write_labels(folder: Path, labels: Sequence[str]) -> None:
    (folder / "labels.txt").write_text("\n".join([*labels, ""]), encoding="utf-8", newline="\n")


# ------------------------------------------------------------------------- TensorFlow's protobuf

_FLOAT, _INT = 1, 3
_PICTURE = (CHAIR_SIDE, CHAIR_SIDE, 3)


def _node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    entries = (
        _field(5, _field(1, key.encode()) + _field(2, value)) for key, value in attributes.items()
    )
    head = _field(1, name.encode()) + _field(2, op.encode())
    return head + b"".join(_field(3, one.encode()) for one in inputs) + b"".join(entries)


def _const(name: str, array: Array) -> bytes:
    dtype = _FLOAT if array.dtype == np.float32 else _INT
    tensor = _number(1, dtype) + _field(2, _dims(*array.shape)) + _field(4, array.tobytes())
    return _node(name, "Const", dtype=_dtype(dtype), value=_field(8, tensor))


def _dtype(number: int) -> bytes:
    return _number(6, number)


def _shape(*sizes: int) -> bytes:
    return _field(7, _dims(*sizes))


def _dims(*sizes: int) -> bytes:
    return b"".join(_field(2, _number(1, size)) for size in sizes)


def _ints(*numbers: int) -> bytes:
    return _field(1, b"".join(_number(3, number) for number in numbers))


def _text(text: str) -> bytes:
    return _field(2, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value % 2**64)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


# --------------------------------------------------------------------------- TFLite's flatbuffer


def _tensor(name: str, shape: tuple[int, ...], buffer: int = 0, kind: int = 0) -> Table:
    return {0: _row(*shape), 1: ("<b", kind), 2: ("<I", buffer), 3: name}


def _operator(code: int, inputs: list[int], outputs: list[int], kind: int, options: Table) -> Table:
    return {0: ("<I", code), 1: _row(*inputs), 2: _row(*outputs), 3: ("<B", kind), 4: options}


def _row(*numbers: int) -> Array:
    return np.array(numbers, np.int32)


def _flatbuffer(root: Table, identifier: bytes) -> bytes:
    """A table as a flatbuffer: what it refers to stands behind it, as offsets want it."""
    out = bytearray(4) + identifier
    _refer(out, 0, root)
    return bytes(out)


def _refer(out: bytearray, at: int, value: Any) -> None:
    """Write a value at the end and its offset at `at`."""
    if isinstance(value, dict):
        start = _write_table(out, value)
    elif isinstance(value, list):
        _pad(out, 4)
        start = len(out)
        out += struct.pack("<I", len(value)) + bytes(4 * len(value))
        for i, one in enumerate(value):
            _refer(out, start + 4 + 4 * i, one)
    else:
        data = value.encode() if isinstance(value, str) else bytes(value)
        _pad(out, 16, 4)
        start = len(out)
        out += struct.pack("<I", len(value)) + data + b"\0"
    struct.pack_into("<I", out, at, start - at)


def _write_table(out: bytearray, fields: Table) -> int:
    """The list of where each field lies, then the fields, each of four bytes."""
    count = max(fields, default=-1) + 1
    places = [4 + 4 * list(fields).index(i) if i in fields else 0 for i in range(count)]
    _pad(out, 4, 4 + 2 * count)
    size = 4 + 4 * len(fields)
    out += struct.pack(f"<{2 + count}H", 4 + 2 * count, size, *places)
    start = len(out)
    out += struct.pack("<i", 4 + 2 * count) + bytes(size - 4)
    for i, value in fields.items():
        if isinstance(value, tuple):
            struct.pack_into(value[0], out, start + places[i], value[1])
        else:
            _refer(out, start + places[i], value)
    return start


def _pad(out: bytearray, size: int, ahead: int = 0) -> None:
    """Zeros until what comes after the next `ahead` bytes begins at a multiple of `size`."""
    out += bytes(-(len(out) + ahead) % size)
