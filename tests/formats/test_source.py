"""A source reads windows of a file, and notices when the file is no longer the one it saw."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlnb.errors import ModelFileChanged, ModelFormatError
from mlnb.formats.source import Source


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes(range(200)))
    return path


def test_a_window_of_a_file_and_of_bytes_is_the_same(file: Path) -> None:
    for source in (Source.of(file), Source.of(str(file)), Source.of(file.read_bytes())):
        assert source.size == 200
        assert source.read(10, 3) == b"\x0a\x0b\x0c"
    assert Source.of(file).name == "model.onnx"
    assert Source.of(bytearray(b"ab")).name == "bytes"


def test_a_symbolic_link_is_followed_as_download_caches_use_them(file: Path) -> None:
    link = file.with_name("link.onnx")
    link.symlink_to(file)
    assert Source.of(link).read(0, 1) == b"\0"


def rewrite(file: Path) -> None:
    file.write_bytes(bytes(200))
    os.utime(file, ns=(1, 1))


def truncate(file: Path) -> None:
    os.truncate(file, 100)


def delete(file: Path) -> None:
    file.unlink()


def replace(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(bytes(200))
    seen = file.stat()
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.rename(file)


@pytest.mark.parametrize("change", [rewrite, truncate, delete, replace])
def test_a_file_that_changed_says_so_and_what_to_do(file: Path, change: object) -> None:
    source = Source.of(file)
    change(file)  # type: ignore[operator]
    with pytest.raises(ModelFileChanged, match=r"model\.onnx .*run %mlload again"):
        source.read(0, 10)


def test_a_file_that_shrinks_between_two_windows_of_one_walk_is_noticed(file: Path) -> None:
    with Source.of(file).reading() as read:
        assert read(0, 10) == bytes(range(10))
        os.truncate(file, 50)
        with pytest.raises(ModelFileChanged):
            read(0, 10)


def test_a_folder_a_pipe_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.onnx"
    os.mkfifo(pipe)
    with pytest.raises(ModelFormatError, match=r"pipe\.onnx is a named pipe"):
        Source.of(pipe)
    with pytest.raises(ModelFormatError, match="is a folder"):
        Source.of(tmp_path)
    with pytest.raises(ModelFormatError, match="is a device"):
        Source.of("/dev/zero")


def test_a_missing_file_names_the_one_that_is_nearly_called_so(file: Path) -> None:
    with pytest.raises(
        ModelFormatError, match=r"no file .*modle\.onnx; did you mean 'model\.onnx'"
    ):
        Source.of(file.with_name("modle.onnx"))
    with pytest.raises(ModelFormatError, match="there is no folder"):
        Source.of(file.parent / "nowhere" / "model.onnx")


def test_a_path_with_a_zero_byte_is_an_error_of_ours() -> None:
    with pytest.raises(ModelFormatError, match="cannot be opened"):
        Source.of("a\0b")
