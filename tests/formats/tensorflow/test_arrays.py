"""TensorProtos to arrays, whichever field holds the elements."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from models_made import tensorflow_models as made
from models_made.tensorflow_models import NUMBERS, encode, encode_varint, graph_def, node, number

from mlnb.errors import ModelFormatError
from mlnb.formats.source import Source
from mlnb.formats.tensorflow.graphdef import GraphDefFile


def stored(kind: str, shape: tuple[int, ...], elements: bytes) -> np.ndarray:
    proto = number(1, NUMBERS[kind]) + encode(2, made.shape_proto(shape)) + elements
    content = graph_def([node("w", "Const", value=encode(8, proto), dtype=made.dtype(kind))])
    return GraphDefFile(Source.of(content)).tensor("w")


def varints(*values: int) -> bytes:
    return b"".join(encode_varint(value & 0xFFFFFFFFFFFFFFFF) for value in values)


@pytest.mark.parametrize(
    ("kind", "elements", "expected"),
    [
        ("float32", encode(5, struct.pack("<2f", 1.5, -2)), [1.5, -2]),
        ("float32", b"\x2d" + struct.pack("<f", 1) + b"\x2d" + struct.pack("<f", 2), [1, 2]),
        ("float64", encode(6, struct.pack("<2d", 0.1, 2)), [0.1, 2]),
        ("int32", encode(7, varints(-1, 7)), [-1, 7]),
        ("int8", number(7, -3) + number(7, 4), [-3, 4]),
        ("uint8", encode(7, varints(255, 0)), [255, 0]),
        ("int64", encode(10, varints(-(2**40), 2)), [-(2**40), 2]),
        ("uint64", encode(17, varints(2**64 - 1, 1)), [2**64 - 1, 1]),
        ("uint32", encode(16, varints(2**32 - 1, 1)), [2**32 - 1, 1]),
        ("bool", encode(11, varints(1, 0)), [True, False]),
        ("float16", encode(13, varints(0x3C00, 0xC000)), [1, -2]),
        ("bfloat16", encode(13, varints(0x3F80, 0xC000)), [1, -2]),
        ("complex64", encode(9, struct.pack("<4f", 1, 2, 3, 4)), [1 + 2j, 3 + 4j]),
        ("complex128", encode(12, struct.pack("<4d", 1, 2, 3, 4)), [1 + 2j, 3 + 4j]),
        ("qint8", encode(4, b"\xff\x02"), [-1, 2]),
        ("string", encode(8, b"a") + encode(8, b"\xff"), ["a", r"\xff"]),
    ],
)
def test_elements_come_from_the_field_of_their_type(
    kind: str, elements: bytes, expected: list[object]
) -> None:
    array = stored(kind, (2,), elements)
    assert array.tolist() == expected
    assert kind in (array.dtype.name, "string", "qint8")


def test_the_last_element_stands_for_the_rest() -> None:
    three = stored("int32", (3,), encode(7, varints(1, 2)))
    assert three.tolist() == [1, 2, 2]
    one = stored("float32", (1000, 1000), encode(5, struct.pack("<f", 7)))
    assert one.shape == (1000, 1000)
    assert one.strides == (0, 0)
    assert stored("float32", (2, 2), b"").tolist() == [[0, 0], [0, 0]]
    assert stored("string", (2,), b"").tolist() == ["", ""]


@pytest.mark.parametrize(
    ("kind", "elements", "told"),
    [
        ("float32", encode(4, bytes(12)), "stores 3 elements, its shape has 2"),
        ("float32", encode(4, bytes(7)), "7 bytes are no whole number of float32"),
        ("float32", encode(5, bytes(7)), "7 bytes are no whole number"),
        ("resource", b"", "holds resource, which is no array"),
        ("int32", encode(7, b"\xff"), "a number is cut off"),
        ("float32", encode(14, b"abc"), "stand in field 14"),
    ],
)
def test_what_does_not_fit_is_told(kind: str, elements: bytes, told: str) -> None:
    with pytest.raises(ModelFormatError, match=told):
        stored(kind, (2,), elements)
