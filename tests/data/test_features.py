"""The cache of features: what is kept, what is found again, and what bad luck does to it."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from mlnb.cache import clear_cache
from mlnb.data.features import FeatureCache, content_key, file_keys


def row(number: float, dtype: type = np.float32) -> np.ndarray:
    return np.full(5, number, dtype)


def test_what_was_put_is_found_again_by_another_cache_of_the_same_key(tmp_path: Path) -> None:
    FeatureCache("net", tmp_path).put_many({"a": row(1), "b": row(2, np.float16)})
    found = FeatureCache("net", tmp_path).get_many(["b", "a", "c"])
    assert set(found) == {"a", "b"}
    assert found["a"].dtype == np.float32
    assert found["b"].dtype == np.float16
    assert (found["a"] == 1).all()
    assert (found["b"] == 2).all()
    assert len(FeatureCache("net", tmp_path)) == 2


def test_another_key_has_its_own_rows(tmp_path: Path) -> None:
    FeatureCache("net", tmp_path).put_many({"a": row(1)})
    assert FeatureCache("net with other weights", tmp_path).get_many(["a"]) == {}


def test_a_second_put_replaces_the_row(tmp_path: Path) -> None:
    cache = FeatureCache("net", tmp_path)
    cache.put_many({"a": row(1)})
    cache.put_many({"a": row(2)})
    assert cache.get_many(["a"])["a"][0] == 2
    assert len(cache) == 1


def test_more_keys_than_sqlite_takes_in_one_statement_are_asked_for_in_parts(
    tmp_path: Path,
) -> None:
    cache = FeatureCache("net", tmp_path)
    cache.put_many({str(i): row(i) for i in range(3_000)})
    assert len(cache.get_many([str(i) for i in range(3_000)])) == 3_000


def test_it_lies_in_the_cache_folder_and_goes_with_clear_cache() -> None:
    cache = FeatureCache("net of clear_cache")
    cache.put_many({"a": row(1)})
    assert cache.path.is_file()
    clear_cache()
    assert cache.get_many(["a"]) == {}


def test_clear_forgets_every_row(tmp_path: Path) -> None:
    cache = FeatureCache("net", tmp_path)
    cache.put_many({"a": row(1)})
    cache.clear()
    assert cache.get_many(["a"]) == {}
    cache.put_many({"a": row(3)})
    assert len(cache) == 1


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, None])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, content: bytes | None) -> None:
    cache = FeatureCache("net", tmp_path)
    cache.put_many({str(i): row(i) for i in range(500)})
    whole = cache.path.read_bytes()
    cache.path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    cache.get_many(["1"])
    cache.put_many({"2": row(2)})
    assert (cache.get_many(["2"])["2"] == 2).all()


def test_a_row_that_is_not_as_long_as_it_says_is_passed_over(tmp_path: Path) -> None:
    cache = FeatureCache("net", tmp_path)
    cache.put_many({"a": row(1), "b": row(2)})
    with sqlite3.connect(cache.path) as disk:
        disk.execute("UPDATE features SET row = ? WHERE key = 'a'", (b"\x00" * 7,))
    disk.close()
    assert set(cache.get_many(["a", "b"])) == {"b"}


def test_where_nothing_can_be_written_memory_serves(tmp_path: Path) -> None:
    place = tmp_path / "a file, no folder"
    place.write_text("")
    cache = FeatureCache("net", place)
    cache.put_many({"a": row(1)})
    assert cache.problem
    assert cache.get_many(["a"])["a"][0] == 1


def put_some(folder: str, first: int) -> None:
    cache = FeatureCache("net", folder)
    for i in range(first, first + 50):
        cache.put_many({str(i): row(i)})


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("spawn")
    writers = [fork.Process(target=put_some, args=(str(tmp_path), 50 * i)) for i in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(FeatureCache("net", tmp_path).get_many([str(i) for i in range(100)])) == 100


def test_keys_tell_contents_apart_and_not_names(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = file_keys([tmp_path / name for name in "abc"])
    assert a == b == content_key(b"1")
    assert c == content_key(b"2")


def test_what_is_no_regular_file_has_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "gone")
    names = ["pipe.jpg", "dangling.jpg", "gone.jpg", ".", "nul\0.jpg"]
    assert file_keys([f"{tmp_path}/{name}" for name in names]) == [None] * 5
