"""What crosses comes out as it went in; what cannot cross is refused by name."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from mlnb.child.arrays import ALIGNMENT, pack, unpack


def crossed(value):
    packed = pack(value)
    data = bytearray(packed.size)
    for offset, part in packed.parts:
        assert offset % ALIGNMENT == 0
        data[offset : offset + part.nbytes] = part
    return unpack(packed.text, memoryview(data))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        1.5,
        math.inf,
        "text \0 \ud800 😀",
        b"\0\xff",
        [],
        (),
        {},
        [1, (2, [3.5, None]), {"a": {"b": (b"x",)}, 7: "seven", None: 0}],
        {"tuple": [1], "array": [0, 8], "bytes": "no tag"},
    ],
)
def test_plain_values_come_back_the_same(value):
    assert crossed(value) == value
    assert type(crossed(value)) is type(value)


def test_not_a_number_comes_back():
    assert math.isnan(crossed([math.nan])[0])


@pytest.mark.parametrize("dtype", [*"?bBhHiIlLqQefdFD", ">f4", ">i8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays_keep_dtype_shape_and_values(dtype, shape):
    array = (np.arange(math.prod(shape)) % 2).reshape(shape).astype(dtype)
    back = crossed(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"])
def test_dtypes_that_numpy_lacks_cross_as_their_bits(name):
    array = np.array([0, 1, 2, 3]).astype(getattr(ml_dtypes, name))
    back = crossed({"x": array})["x"]
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


def test_the_bits_of_odd_floats_survive():
    bits = np.array([0x7FC00001, 0x80000000, 0x00000001, 0xFF800000], np.uint32)
    assert crossed(bits.view(np.float32)).view(np.uint32).tolist() == bits.tolist()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12).reshape(3, 4).T,
        np.arange(12)[::-2],
        np.broadcast_to(np.float32(3), (2, 3)),
        np.asfortranarray(np.arange(12).reshape(3, 4)),
    ],
    ids=["transposed", "reversed", "broadcast", "fortran"],
)
def test_strided_arrays_come_back_whole(array):
    assert np.array_equal(crossed(array), array)


@pytest.mark.parametrize("dtype", ["U", "S", object])
def test_strings_come_back_as_python_strings(dtype):
    array = np.array([["a", "bc"], ["", "d"]], dtype)
    back = crossed(array)
    assert back.dtype == object
    assert back.tolist() == [["a", "bc"], ["", "d"]]


def test_bytes_that_are_no_text_come_back_as_bytes():
    given = np.array([b"\xff\x00", b"plain", "\u00fc", b"\xc3\xbc\x80"], object)
    assert crossed(given).tolist() == [b"\xff\x00", "plain", "\u00fc", b"\xc3\xbc\x80"]


def test_several_arrays_do_not_overlap():
    arrays = [np.full(n, n, np.uint8) for n in range(1, 70)]
    assert all(np.array_equal(a, b) for a, b in zip(arrays, crossed(arrays), strict=True))


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (object(), "object"),
        ({1, 2}, "set"),
        (np.datetime64("2020"), "datetime64"),
        (np.array(["2020"], "M8[D]"), "array of datetime64"),
        (np.zeros(2, [("a", "i4")]), "array of .*a"),
        (np.array([1, "a"], object), "array that holds int"),
        ({(1, 2): 3}, "key of tuple"),
    ],
)
def test_what_cannot_cross_is_named(value, what):
    with pytest.raises(TypeError, match=f"{what}.* cannot cross"):
        pack(value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"array": [0, "<f4", [16]]}',
        b'{"array": [-4, "<f4", [1]]}',
        b'{"array": [4, "<f4", [-1, -4]]}',
        b'{"array": [0, "<f4", [4611686018427387904, 4]]}',
        b'{"bytes": [4, 100]}',
    ],
)
def test_a_text_that_points_outside_its_bytes_is_refused(text):
    with pytest.raises(ValueError):
        unpack(text, memoryview(bytes(8)))


@pytest.mark.parametrize("dtype", ["O", "V8", "M8", "U2", "O,i4", "(2,)f4", "finfo", "no such"])
def test_only_arrays_of_numbers_are_made_from_received_bytes(dtype):
    text = f'{{"array": [0, "{dtype}", [1]]}}'.encode()
    with pytest.raises(ValueError):
        unpack(text, memoryview(bytearray(64)))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b'"\xff"',
        b"{}",
        b'{"array": 1}',
        b'{"array": [0, "<f4", [1.5]]}',
        b'{"array": [0, ["<f4"], [1]]}',
        b'{"array": [0, "<f4", "ab"]}',
        b'{"list": [1], "tuple": [1]}',
        b'{"unknown": 1}',
        b'{"dict": [[[1], 2]]}',
        b'{"dict": 3}',
        b'{"strings": [[1], [1]]}',
        b'{"strings": [["a"], [2]]}',
        b'{"bytes": ["0", 1]}',
    ],
)
def test_a_text_that_makes_no_sense_is_a_value_error(text):
    with pytest.raises(ValueError):
        unpack(text, memoryview(bytearray(8)))


def test_a_text_nested_without_end_is_refused():
    with pytest.raises(RecursionError):
        unpack(b"[" * 10**6, memoryview(b""))


def test_equal_texts_give_separate_values():
    packed = pack([{"a": [1]}])
    first, second = (unpack(packed.text, memoryview(b"")) for _ in range(2))
    first[0]["a"].append(2)
    assert second == [{"a": [1]}]


def test_more_text_than_is_read_is_not_sent(monkeypatch):
    monkeypatch.setattr("mlnb.child.arrays.TEXT_LIMIT", 1000)
    with pytest.raises(ValueError, match="bytes of strings and lists are more than the 1,000"):
        pack(["x" * 1000])
    assert crossed(bytes(2000)) == bytes(2000)
