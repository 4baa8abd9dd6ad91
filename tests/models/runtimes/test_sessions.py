"""Opened models that stay warm, whatever runtime opens them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlnb.errors import ModelFileChanged, ModelRunError
from mlnb.models.runtimes import sessions


@pytest.fixture(autouse=True)
def no_sessions():
    sessions.opened.clear()
    yield
    sessions.opened.clear()


class Adder:
    """Adds to what it is fed what its address says."""

    device = "CPU"
    notes = ("added",)

    def __init__(self, model: Mapping[str, Any], source: str | bytes) -> None:
        self.model, self.source = model, source

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any], options: Any) -> list[Any]:
        if feeds["x"][0] < 0:
            raise MemoryError("bad_alloc")
        return [feeds["x"] + self.model["add"] for _ in outputs]


def address(**facts: Any) -> str:
    return json.dumps({"sha256": "a", "parts": [], "add": 1, **facts})


def of_file(path: Path, *parts: Path) -> str:
    stats = {name: os.stat(name) for name in (path, *parts)}
    return json.dumps(
        {
            "path": str(path),
            "size": stats[path].st_size,
            "mtime_ns": stats[path].st_mtime_ns,
            "parts": [part.name for part in parts],
            "seen": {part.name: [stats[part].st_size, stats[part].st_mtime_ns] for part in parts},
            "add": 1,
        }
    )


def run(at: str, value: float = 1.0, **how: Any) -> Any:
    return sessions.predict(Adder, at, {"x": np.array([value])}, ["y"], **how)


def test_the_opener_gets_the_address_and_the_bytes_once():
    assert run(address()) is None  # named by its hash, and not here yet
    values, device, notes = run(address(), content=b"model")
    assert (values[0].tolist(), device, notes) == ([2.0], "CPU", ["added"])
    assert run(address())[0][0].tolist() == [2.0]
    assert [one.source for one in sessions.opened.values()] == [b"model"]


def test_the_same_file_with_other_facts_is_another_session():
    run(address(), content=b"model")
    assert run(address(add=5), content=b"model")[0][0].tolist() == [6.0]
    assert len(sessions.opened) == 2


def test_a_model_that_ran_out_of_memory_is_closed_and_no_other(tmp_path):
    run(address(), content=b"model")
    run(address(add=2), content=b"model")
    with pytest.raises(ModelRunError, match="ran out of memory"):
        run(address(), -1.0, run_bytes=2**33)
    assert list(sessions.opened) == [address(add=2)]


def test_a_file_that_cannot_be_opened_is_opened_anew_next_time():
    def refuses(model, source):
        raise ModelRunError("no")

    for _ in range(2):
        with pytest.raises(ModelRunError, match="no"):
            sessions.predict(refuses, address(), {}, ["y"], content=b"model")
    assert not sessions.opened


def test_a_part_that_changed_or_went_is_told_by_its_name(tmp_path):
    file, part = tmp_path / "saved_model.pb", tmp_path / "variables.index"
    file.write_bytes(b"graph")
    part.write_bytes(b"weights")
    at = of_file(file, part)
    assert run(at)[0][0].tolist() == [2.0]
    part.write_bytes(b"other weights")
    with pytest.raises(ModelFileChanged, match=r"variables\.index has changed"):
        run(at)
    part.unlink()
    with pytest.raises(ModelFileChanged, match=r"variables\.index is gone"):
        run(at)
    file.unlink()
    with pytest.raises(ModelFileChanged, match=r"saved_model\.pb is gone"):
        run(at)
