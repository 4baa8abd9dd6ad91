"""Tables and vectors, and offsets that lead nowhere."""

from __future__ import annotations

import struct

import pytest
from models_made.flatbuffers_made import flatbuffer

from mlnb.errors import LimitExceeded
from mlnb.formats.tflite.flatbuffer import BOOL, BYTE, INT, LONG, Flatbuffer, Table
from mlnb.formats.wire import Broken
from mlnb.limits import LIMITS, Limits


def opened(content: bytes, limits: Limits = LIMITS, start: int = 0) -> Flatbuffer:
    def read(offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= len(content)
        return content[offset : offset + length]

    return Flatbuffer(read, len(content), limits, start)


def root(content: bytes, limits: Limits = LIMITS) -> Table:
    return opened(content, limits).root()


def test_fields_of_every_kind_come_back() -> None:
    table = root(
        flatbuffer(
            {
                0: ("b", -3),
                1: ("q", 2**40),
                2: ("f", 0.5),
                3: "Köln",
                4: {0: ("i", 7)},
                5: [1, -2, 3],
                6: ("q", [2**40, -1]),
                7: [{0: "a"}, {0: "b"}],
                8: b"\x01\x02",
                9: ("?", True),
                10: ("f", [1.5]),
            }
        )
    )
    assert table.number(0, BYTE) == -3
    assert table.number(1, LONG) == 2**40
    assert table.real(2) == 0.5
    assert table.text(3) == "Köln"
    inner = table.table(4)
    assert inner is not None
    assert inner.number(0) == 7
    assert table.numbers(5) == (1, -2, 3)
    assert table.numbers(6, "q") == (2**40, -1)
    assert [each.text(0) for each in table.tables(7)] == ["a", "b"]
    assert table.span(8)[1] == 2
    assert table.number(9, BOOL) == 1
    assert table.reals(10) == (1.5,)


def test_a_field_that_is_left_out_has_its_default() -> None:
    table = root(flatbuffer({2: ("i", 1)}))
    assert not table.has(0)
    assert not table.has(9)
    assert table.number(0, INT, 5) == 5
    assert table.number(9, INT, 6) == 6
    assert table.text(1) == ""
    assert table.table(1) is None
    assert list(table.tables(1)) == []
    assert table.numbers(1) == ()
    assert table.span(1) == (0, 0)


def test_one_that_lies_inside_another_file_gives_the_offsets_of_the_file() -> None:
    content = b"\xff" * 24 + flatbuffer({0: "inner"})
    assert opened(content, start=24).root().text(0) == "inner"
    with pytest.raises(Broken) as broken:
        opened(content[:-6], start=24).root().text(0)
    assert broken.value.position >= 24


@pytest.mark.parametrize("offset", [2**31, 2**32 - 1, 200, 3])
def test_a_root_outside_the_file_is_not_believed(offset: int) -> None:
    content = struct.pack("<I", offset) + bytes(40)
    with pytest.raises(Broken):
        root(content)


def test_a_vtable_outside_the_file_or_cut_short_is_broken() -> None:
    content = bytearray(flatbuffer({0: ("i", 1)}))
    position = struct.unpack_from("<I", content, 0)[0]
    for distance in (2**31 - 1, -(2**31), 10_000):
        struct.pack_into("<i", content, position, distance)
        with pytest.raises(Broken):
            root(bytes(content))


def test_a_table_without_a_layout_is_broken() -> None:
    content = struct.pack("<I4xHHi", 12, 3, 4, 4)
    with pytest.raises(Broken, match="layout"):
        root(content)


def test_a_field_beyond_its_table_is_broken() -> None:
    content = struct.pack("<I4xHHHxxi", 16, 6, 4, 4000, 8)
    table = root(content)
    for ask in (table.number, table.text, table.table, table.numbers, table.span):
        with pytest.raises(Broken, match="field 0 of a table lies outside"):
            ask(0)


def test_a_vector_longer_than_the_file_is_not_believed() -> None:
    content = flatbuffer({0: [1, 2, 3]})
    at = content.index(struct.pack("<Ii", 3, 1))
    for count in (2**32 - 1, 2**30, 4):
        broken = content[:at] + struct.pack("<I", count) + content[at + 4 :]
        with pytest.raises(Broken, match="goes on behind the file's end"):
            root(broken).numbers(0)


def test_a_million_pointers_to_one_vector_cost_no_more_than_the_file() -> None:
    names = flatbuffer({0: [{0: [1] * 5000}]})
    table = root(names)
    start, count = table.rows(0)
    assert count == 1

    def read_on() -> None:
        for _ in range(10_000):
            table.row(start, 0).numbers(0)

    with pytest.raises(Broken, match="overlap"):
        read_on()


def test_the_elements_of_all_vectors_count_towards_the_limit() -> None:
    table = root(flatbuffer({0: [0] * 100}), Limits(values=150))
    table.numbers(0)
    with pytest.raises(LimitExceeded, match="values is 200, the limit is 150"):
        table.numbers(0)


def test_a_large_file_is_read_in_pages_and_across_their_edges() -> None:
    content = flatbuffer({0: b"\0" * 100_000, 1: "behind", 2: b"x" * 40_000})
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return content[offset : offset + length]

    table = Flatbuffer(read, len(content)).root()
    assert table.text(1) == "behind"
    assert table.span(0)[1] == 100_000
    assert sum(asked) < 60_000
    start, length = table.span(2)
    assert Flatbuffer(read, len(content)).slice(start, length) == b"x" * 40_000
