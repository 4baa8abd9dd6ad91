"""Where an export goes: told before the work, and written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlnb.errors import ExportError
from mlnb.models.convert.target import export_target, write_export


def test_a_place_in_a_folder_is_taken_and_home_is_known(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert export_target("~/net.onnx") == tmp_path / "net.onnx"


def test_what_is_no_place_for_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is a folder; give the name of a file in it"):
        export_target(tmp_path)
    with pytest.raises(ExportError, match=r"there is no folder .*none"):
        export_target(tmp_path / "none" / "net.onnx")


def test_an_older_file_is_replaced_or_stays(tmp_path: Path, monkeypatch) -> None:
    target = tmp_path / "net.onnx"
    write_export(target, b"older")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlnb.cache.os.fsync", full)
    with pytest.raises(ExportError, match=r"cannot write .*net\.onnx: No space left"):
        write_export(target, b"newer")
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]
