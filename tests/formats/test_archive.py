"""Zip files as models use them, and zip files that want to do harm."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from mlnb.errors import LimitExceeded, ModelFormatError, UnknownName
from mlnb.formats.archive import Archive
from mlnb.formats.source import Source
from mlnb.limits import Limits


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def opened(content: bytes, limits: Limits | None = None) -> Archive:
    return Archive(Source.of(content), limits or Limits())


def test_stored_and_deflated_members_are_read_as_they_were_written() -> None:
    members = {"a/one.txt": b"first", "two": bytes(10_000), "empty": b""}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = opened(zipped(members, method))
        assert archive.names == tuple(members)
        assert {name: archive.read(name) for name in archive.names} == members
        assert archive.size("two") == 10_000


def test_a_stored_member_is_found_in_the_file_by_its_offset() -> None:
    content = zipped({"x": b"x" * 7, "data/0": b"weights"})
    archive = opened(content)
    start = archive.offset("data/0")
    assert content[start : start + 7] == b"weights"
    packed = opened(zipped({"x": bytes(100)}, zipfile.ZIP_DEFLATED))
    assert not packed.is_stored("x")
    with pytest.raises(ModelFormatError, match="packed and cannot be read by pieces"):
        packed.offset("x")


def test_a_zip_behind_something_else_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"TFL3" + bytes(1000) + zipped({"labels.txt": b"cat\ndog"}))
    assert Archive(Source.of(path)).read("labels.txt") == b"cat\ndog"


def test_every_zip_of_the_real_models_reads_as_zipfile_reads_it(mlnb_data: Path) -> None:
    found = [p for p in (mlnb_data / "models").rglob("*") if p.is_file() and zipfile.is_zipfile(p)]
    assert len(found) >= 5
    for path in found:
        archive = Archive(Source.of(path))
        with zipfile.ZipFile(path) as theirs:
            assert list(archive.names) == theirs.namelist()
            assert all(archive.read(name) == theirs.read(name) for name in archive.names)


def test_a_zip_of_64_bits_is_read() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w") as archive,
        archive.open("big", "w", force_zip64=True) as member,
    ):
        member.write(b"content")
    assert opened(buffer.getvalue()).read("big") == b"content"


def test_names_that_lead_out_of_the_archive_are_left_out() -> None:
    names = ["../up", "/etc/passwd", "a/../../b", "C:/x", "..\\up", "good"]
    assert opened(zipped(dict.fromkeys(names, b"x"))).names == ("good",)


def test_two_members_of_one_name_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    with pytest.raises(ModelFormatError, match="two members are called 'a'"):
        opened(buffer.getvalue())


def test_a_member_that_is_larger_than_allowed_is_not_unpacked() -> None:
    archive = opened(zipped({"bomb": bytes(5_000_000)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(LimitExceeded, match=r"'bomb' unpacks to 5,000,000 bytes; 1,000"):
        archive.read("bomb", 1_000)


def test_a_bomb_that_declares_a_small_size_is_stopped_at_it() -> None:
    content = bytearray(zipped({"bomb": bytes(5_000_000)}, zipfile.ZIP_DEFLATED))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 100)
    with pytest.raises(ModelFormatError, match="more than the 100 bytes it declares"):
        opened(bytes(content)).read("bomb")


def test_too_many_members_are_refused_before_they_are_counted() -> None:
    content = zipped({str(i): b"" for i in range(50)})
    with pytest.raises(LimitExceeded, match="members: values is 50, the limit is 10"):
        opened(content, Limits(values=10))


def test_a_directory_with_more_members_than_it_says_is_refused() -> None:
    content = bytearray(zipped({"a": b"1", "b": b"2"}))
    end = content.rindex(b"PK\x05\x06")
    content[end + 10 : end + 12] = struct.pack("<H", 1)
    with pytest.raises(ModelFormatError, match="promises 1 members and has 2"):
        opened(bytes(content))


def test_a_flipped_byte_is_found_by_the_checksum() -> None:
    content = zipped({"a": b"weights"}).replace(b"weights", b"weightz")
    with pytest.raises(ModelFormatError, match="'a' is damaged"):
        opened(content).read("a")
    assert opened(content).read("a", checked=False) == b"weightz"


def test_an_encrypted_member_says_so() -> None:
    content = bytearray(zipped({"a": b"1"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ModelFormatError, match="'a' is encrypted"):
        opened(bytes(content)).read("a")


def test_a_zip_cut_off_anywhere_is_an_error_of_ours() -> None:
    content = zipped({"a/b": b"12345", "c": b"678"})
    for cut in range(len(content)):
        with pytest.raises(ModelFormatError):
            opened(content[:cut])


def test_a_member_that_is_not_there_names_the_closest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'config\.json'"):
        opened(zipped({"config.json": b"{}"})).read("confg.json")
