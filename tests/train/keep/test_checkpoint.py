"""A checkpoint is whole or not there; what is damaged, foreign or hostile is never read."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from train_states import state_of

from mlnb.errors import CheckpointError
from mlnb.train.keep import checkpoint, checkpoint_files
from mlnb.train.keep.checkpoint import FILES, MANIFEST, MODEL, STATE, TRAINING, read, write
from mlnb.train.keep.snapshot import put_back, take


@pytest.fixture
def state():
    return state_of(steps=3)


@pytest.fixture
def folder(tmp_path, state):
    write(take(state), tmp_path / "000001-step-3", {"settings": {"lr": 0.1}})
    return tmp_path / "000001-step-3"


def test_what_is_read_is_what_was_written(tmp_path, state):
    snapshot = take(state)
    size = write(snapshot, tmp_path / "one", {"why": "epoch"})
    back = read(tmp_path / "one")
    assert (back.step, back.epoch, back.batch, back.plan) == (
        snapshot.step, snapshot.epoch, snapshot.batch, snapshot.plan,
    )  # fmt: skip
    assert back.tensors.keys() == snapshot.tensors.keys()
    assert all(torch.equal(back.tensors[k], v) for k, v in snapshot.tensors.items())
    assert back.note["why"] == "epoch"
    assert size == checkpoint.size_of(tmp_path / "one")
    other = state_of(seed=8)
    put_back(other, back)
    assert torch.equal(other.models["model"][0].weight, state.models["model"][0].weight)


def test_the_weights_load_with_safetensors_alone(folder, state):
    tensors = load_file(folder / MODEL)
    state.models["model"].load_state_dict(tensors)
    assert set(tensors) == set(state.models["model"].state_dict())


def test_two_models_stand_in_one_file_by_their_names(tmp_path, state):
    state.models = {"a": nn.Linear(2, 2), "a.b": nn.Linear(2, 2)}
    write(take(state), tmp_path / "two")
    assert "a.b.weight" in load_file(tmp_path / "two" / MODEL)
    back = read(tmp_path / "two")
    assert torch.equal(back.tensors["model/a.b/weight"], state.models["a.b"].weight)
    assert torch.equal(back.tensors["model/a/weight"], state.models["a"].weight)


def test_types_that_safetensors_lacks_come_back(tmp_path, state):
    state.models = {"model": nn.Module()}
    state.optimizers = {}
    state.models["model"].register_buffer("c", torch.tensor([[1 + 2j]], dtype=torch.complex128))
    state.models["model"].register_buffer("f8", torch.ones(3).to(torch.float8_e4m3fn))
    state.models["model"].register_buffer("none", torch.zeros(0, 3))
    state.models["model"].register_buffer(
        "last", torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last)
    )
    write(take(state), tmp_path / "odd")
    back = read(tmp_path / "odd").tensors
    assert back["model/model/c"].tolist() == [[1 + 2j]]
    assert back["model/model/c"].dtype == torch.complex128
    assert back["model/model/f8"].dtype == torch.float8_e4m3fn
    assert back["model/model/none"].shape == (0, 3)
    assert torch.equal(back["model/model/last"], torch.ones(2, 3, 4, 5))


def test_nothing_in_it_is_a_pickle(folder):
    for name in FILES:
        content = (folder / name).read_bytes()
        assert not content.startswith((b"PK", b"\x80"))
        assert name.endswith((".json", ".safetensors"))


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "emptied": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b" "),
    "deleted": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named(folder, name, damage):
    DAMAGE[damage](folder / name)
    with pytest.raises(CheckpointError, match=name):
        read(folder)


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_anywhere_is_noticed(folder, name):
    whole = (folder / name).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (at % 8)
        (folder / name).write_bytes(damaged)
        with pytest.raises(CheckpointError):
            read(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_links_are_not_followed(folder, name, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(folder / name, elsewhere)
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(CheckpointError, match="link"):
        read(folder)
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    with pytest.raises(CheckpointError, match="link"):
        read(linked)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs fifos")
def test_a_pipe_does_not_hang(folder):
    (folder / STATE).unlink()
    os.mkfifo(folder / STATE)
    with pytest.raises(CheckpointError, match="no regular file"):
        read(folder)


def resealed(folder: Path, **changes):
    """A folder whose sums are right, as somebody with bad intentions makes it."""
    import hashlib

    state = json.loads((folder / STATE).read_text())
    state.update(changes)
    (folder / STATE).write_text(json.dumps(state))
    sums = {}
    for name in (MODEL, TRAINING, STATE):
        content = (folder / name).read_bytes()
        sums[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / MANIFEST).write_bytes(checkpoint._manifest_bytes(sums))


@pytest.mark.parametrize(
    "changes",
    [
        {"step": "../../x"},
        {"step": -1},
        {"step": True},
        {"version": 2},
        {"plan": []},
        {"plan": {"models": {"model": None}}},
        {"plan": {"models": []}},
        {"odd": {"0.weight": ["load", [1]]}},
        {"odd": {"0.weight": ["float32", [99]]}},
        {"odd": 5},
        {"note": 5},
    ],
)
def test_a_state_that_makes_no_sense_is_an_error_of_ours(folder, changes):
    resealed(folder, **changes)
    with pytest.raises(CheckpointError):
        read(folder)


def test_a_deeply_nested_state_is_an_error_of_ours(folder):
    (folder / STATE).write_text("[" * 200_000)
    text = (folder / STATE).read_bytes()
    import hashlib

    sums = json.loads((folder / MANIFEST).read_text())["files"]
    sums[STATE] = {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
    (folder / MANIFEST).write_bytes(checkpoint._manifest_bytes(sums))
    with pytest.raises(CheckpointError):
        read(folder)


def test_a_manifest_may_name_the_three_files_only(folder, tmp_path):
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../../secret"] = manifest["files"].pop(STATE)
    (folder / MANIFEST).write_bytes(checkpoint._manifest_bytes(manifest["files"]))
    with pytest.raises(CheckpointError, match=MANIFEST):
        read(folder)


def test_a_huge_manifest_is_not_read(folder):
    with (folder / MANIFEST).open("ab") as file:
        file.truncate(10**10)
    with pytest.raises(CheckpointError, match="at most"):
        read(folder)


def test_a_full_disk_leaves_nothing_behind(tmp_path, state, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_files, "sync", full)
    with pytest.raises(OSError, match="No space left"):
        write(take(state), tmp_path / "one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_file_that_may_not_grow_leaves_nothing_behind(tmp_path, state):
    import resource

    snapshot = take(state)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
            try:
                write(snapshot, tmp_path / "one")
            except OSError as error:
                code = 0 if error.errno == errno.EFBIG else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_disk_has_the_files_before_they_have_their_name(tmp_path, state, monkeypatch):
    events = []
    fsync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(kind(fd)), fsync(fd))[1])
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (events.append("rename"), rename(self, to))[1]
    )
    write(take(state), tmp_path / "one")
    assert events == ["file"] * 4 + ["folder", "rename", "folder"]


def kind(descriptor):
    import stat

    return "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"


def test_what_is_there_is_not_written_over(folder, state):
    before = (folder / STATE).read_bytes()
    with pytest.raises(FileExistsError):
        write(take(state), folder)
    assert (folder / STATE).read_bytes() == before


def test_one_element_of_any_stride_is_written(tmp_path, state):
    state.sums = {
        "one": torch.ones(1).as_strided((1,), (0,)),
        "none": torch.ones(1).as_strided((0,), (0,)),
        "expanded": torch.ones(1).expand(3),
        "half": torch.ones(1, dtype=torch.bfloat16).as_strided((1,), (0,)),
    }
    snapshot = take(state)
    snapshot.tensors.update({f"sums/{name}": value for name, value in state.sums.items()})
    write(snapshot, tmp_path / "one")
    back = read(tmp_path / "one").tensors
    assert all(torch.equal(back[f"sums/{name}"], value) for name, value in state.sums.items())
