"""The wire walkers: what they yield, and that no length is believed."""

from __future__ import annotations

import pytest

from mlnb.formats.source import Source
from mlnb.formats.wire import (
    LEN,
    VARINT,
    Broken,
    Window,
    encode,
    encode_varint,
    fields,
    integer,
    key,
    varint,
)

MESSAGE = (
    encode(2, b"abc")
    + encode_varint(key(3, VARINT))
    + encode_varint(300)
    + b"\x25\x00\x00\x80\x3f"
    + b"\x29"
    + bytes(8)
    + encode(100, b"x" * 300)
)


def in_a_window(data: bytes) -> list[tuple[int, int, int]]:
    source = Source.of(data)
    with source.reading() as read:
        return list(Window(read, source.size).fields(0, source.size))


def test_both_walkers_find_the_same_fields() -> None:
    found = list(fields(MESSAGE, 0, len(MESSAGE)))
    assert found == in_a_window(MESSAGE)
    assert [tag >> 3 for tag, _, _ in found] == [2, 3, 4, 5, 100]
    contents = [MESSAGE[start:stop] for _, start, stop in found]
    assert contents[0] == b"abc"
    assert integer(contents[1], 0, 2) == 300
    assert contents[4] == b"x" * 300


def test_a_walk_reads_a_long_file_in_windows_and_jumps_over_what_is_large() -> None:
    data = b"".join(encode(1, bytes(size)) for size in (5, 300_000, 7, 2_000_000, 9) * 3)
    reads: list[int] = []

    def read(offset: int, length: int) -> bytes:
        reads.append(length)
        return data[offset : offset + length]

    assert list(Window(read, len(data)).fields(0, len(data))) == list(fields(data, 0, len(data)))
    assert sum(reads) < 100_000


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**31, 2**62, 2**64 - 1])
def test_a_varint_comes_back(value: int) -> None:
    data = encode_varint(value)
    assert varint(data, 0, len(data)) == (value, len(data))


def test_a_signed_number_comes_back_negative() -> None:
    data = encode_varint(2**64 - 1)
    assert integer(data, 0, len(data)) == -1


@pytest.mark.parametrize(
    "data",
    [
        encode_varint(key(7, LEN)) + encode_varint(2**31),
        encode_varint(key(7, LEN)) + encode_varint(2**62) + b"abc",
        encode_varint(key(7, LEN)),
        b"\xff" * 11,
        b"\x3b\x00",
        b"\x02\x00",
        b"\x80",
        b"\x25\x00",
    ],
    ids=["2^31", "2^62", "no length", "endless", "group", "field 0", "cut tag", "cut fixed"],
)
def test_a_length_or_a_tag_that_cannot_be_breaks_off(data: bytes) -> None:
    with pytest.raises(Broken):
        list(fields(data, 0, len(data)))
    with pytest.raises(Broken) as broken:
        in_a_window(encode(1, b"ok") + data)
    assert broken.value.position >= 4
