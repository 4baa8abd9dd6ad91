"""A run's folder: one holder, the newest whole checkpoint, nothing written or read elsewhere."""

import errno
import json
import os
import shutil
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from train_states import DAMAGE, advance, state_of

from mlnb.errors import CheckpointError, RunBusy, TrainError
from mlnb.train.keep import run_lock
from mlnb.train.keep.about import read_about
from mlnb.train.keep.checkpoint import FILES
from mlnb.train.keep.run_folder import RunFolder
from mlnb.train.keep.run_lock import holder
from mlnb.train.keep.snapshot import take


def steps(folder):
    return [entry.step for entry in folder.entries]


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
needs_links = pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")


@pytest.fixture
def place(tmp_path):
    """A folder with checkpoints of steps 0, 2 and 4, let go."""
    state = state_of()
    with RunFolder.create(tmp_path / "run") as folder:
        for _ in range(3):
            folder.save(take(state), "epoch", {"name": "net"})
            advance(state, 2)
        folder.describe(name="net", status="training")
    return tmp_path / "run"


def test_checkpoints_are_found_again(place):
    with RunFolder.open(place) as folder:
        assert steps(folder) == [0, 2, 4]
        assert folder.newest().step == 4
        assert folder.newest().note["why"] == "epoch"
        assert repr(folder) == f"RunFolder({str(place)!r}, 3 checkpoints)"


def test_the_newest_is_the_last_one_written_not_the_highest_step(place):
    with RunFolder.open(place) as folder:
        folder.save(take(state_of(steps=1)), "rewind")
        assert folder.newest().step == 1


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_newest_falls_back_to_the_one_before_and_says_so(place, name, damage):
    said = []
    with RunFolder.open(place, said.append) as folder:
        DAMAGE[damage](folder.entries[-1].path / name)
        assert folder.newest().step == 2
        assert len(said) == 1
        assert "1 checkpoint newer than step 2 cannot be read" in said[0]
        assert name.partition(".")[0] in said[0]
        folder.save(take(state_of(steps=3)), "epoch")
        assert folder.newest().step == 3


def test_a_newest_that_is_gone_altogether(place):
    with RunFolder.open(place) as folder:
        shutil.rmtree(folder.entries[-1].path)
    with RunFolder.open(place) as folder:
        assert folder.newest().step == 2


def test_where_nothing_is_whole_the_error_says_what_was_found(place):
    with RunFolder.open(place) as folder:
        for entry in folder.entries:
            (entry.path / "state.json").write_bytes(b"")
        with pytest.raises(CheckpointError) as caught:
            folder.newest()
    assert str(caught.value).count("state.json has 0 bytes") == 3
    empty = place.with_name("empty")
    with (
        RunFolder.create(empty) as folder,
        pytest.raises(CheckpointError, match="no checkpoint to go on from: there is none"),
    ):
        folder.newest()


def test_a_second_run_is_refused_with_the_holders_process_and_time(place):
    with RunFolder.open(place), pytest.raises(RunBusy) as caught:
        RunFolder.open(place)
    assert f"process {os.getpid()}, since {time.strftime('%Y-%m-%d')}" in str(caught.value)
    with RunFolder.open(place):
        pass


@needs_fork
def test_kill_9_frees_the_folder(place):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            RunFolder.open(place)
            os.write(writing, b".")
            time.sleep(60)
        finally:
            os._exit(0)
    os.read(reading, 1)
    assert holder(place)["pid"] == child
    with pytest.raises(RunBusy, match=f"process {child}"):
        RunFolder.open(place)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert holder(place) is None
    with RunFolder.open(place) as folder:
        assert folder.newest().step == 4
    os.close(reading)
    os.close(writing)


@needs_fork
def test_a_forked_worker_does_not_hold_the_folder_beyond_its_parent(place):
    folder = RunFolder.open(place)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(writing)
            os.read(reading, 1)
        finally:
            os._exit(0)
    os.close(reading)
    folder.close()
    with RunFolder.open(place):
        pass
    os.close(writing)
    os.waitpid(child, 0)


def test_a_file_system_without_locks_is_said(place, monkeypatch):
    def none(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    said = []
    monkeypatch.setattr(run_lock.fcntl, "flock", none)
    with RunFolder.open(place, said.append):
        assert "without locks" in said[0]
        assert holder(place)["pid"] == os.getpid()
    said.clear()
    monkeypatch.setattr(run_lock, "fcntl", None)
    with RunFolder.open(place, said.append):
        assert "without locks" in said[0]


def test_a_folder_that_cannot_be_made_is_an_error_at_once(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(TrainError, match="give another folder, or folder=False"):
            RunFolder.create(path)
    with pytest.raises(CheckpointError, match="not the folder of a run"):
        RunFolder.open(tmp_path / "nowhere")


@needs_fork
def test_a_read_only_folder_is_an_error_at_once(place):
    """In a child that is nobody, because root may write anywhere."""
    with TemporaryDirectory() as root:
        shutil.copytree(place, f"{root}/run")
        (Path(root) / "run" / "lock").chmod(0o444)
        Path(root).chmod(0o555)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if os.geteuid() == 0:
                    os.seteuid(65534)
                with pytest.raises(TrainError, match="Permission denied; give another folder"):
                    RunFolder.create(Path(root) / "new")
                with pytest.raises(TrainError, match="Permission denied; copy the folder"):
                    RunFolder.open(Path(root) / "run")
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        Path(root).chmod(0o755)


def test_an_earlier_run_is_not_written_over(place):
    with pytest.raises(TrainError, match=r"came to step 4.*Trainer\.resume"):
        RunFolder.create(place)
    with RunFolder.open(place) as folder:
        assert steps(folder) == [0, 2, 4]


def test_what_a_killed_run_left_unfinished_is_swept_away(place):
    left = place / "checkpoints" / ".000004-step-6.123.new"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    (place / "run.json.123.new").write_bytes(b"half")
    (place / "mine.new").write_bytes(b"a file of the user's")
    with RunFolder.open(place) as folder:
        assert steps(folder) == [0, 2, 4]
    assert not left.exists()
    assert sorted(path.name for path in place.iterdir()) == [
        "checkpoints", "lock", "mine.new", "run.json",
    ]  # fmt: skip


@needs_links
def test_a_hostile_folder_writes_and_reads_nothing_elsewhere(place, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "kept").write_text("as it was")
    (place / "checkpoints" / ".000009-step-9.1.new").symlink_to(secret)
    (place / "checkpoints" / "000010-step-10").symlink_to(secret)
    (place / "run.json").unlink()
    (place / "run.json").symlink_to(secret / "kept")
    (place / f"run.json.{os.getpid()}.new").symlink_to(secret / "kept")
    with RunFolder.open(place) as folder:
        assert steps(folder) == [0, 2, 4]
        with pytest.raises(CheckpointError, match="link"):
            read_about(place)
        folder.describe(name="net")
        for entry in folder.entries:
            folder.delete(entry)
    assert (secret / "kept").read_text() == "as it was"
    assert [path.name for path in secret.iterdir()] == ["kept"]
    (place / "lock").unlink()
    (place / "lock").symlink_to(secret / "kept")
    with pytest.raises(TrainError):
        RunFolder.open(place)
    assert (secret / "kept").read_text() == "as it was"
    shutil.rmtree(place / "checkpoints")
    (place / "checkpoints").symlink_to(secret)
    with pytest.raises(CheckpointError, match="link"):
        RunFolder.open(place)


def test_a_lock_file_full_of_nonsense_does_no_harm(place):
    for nonsense in (b"", b"[]", b'{"pid": "x"}', b"\xff" * 100, json.dumps({"pid": 1}).encode()):
        (place / "lock").write_bytes(nonsense)
        assert holder(place) is None
        with RunFolder.open(place):
            (place / "lock").write_bytes(nonsense)
            with pytest.raises(RunBusy, match="still trains"):
                RunFolder.open(place)
