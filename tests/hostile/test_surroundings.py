"""A container that has little of everything, and processes that are shot: the session goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hostile.watch import children, left_over
from models import made

from mlnb.child.client import child
from mlnb.errors import ModelCrashed, ModelRunError
from mlnb.models.loading import load_model

ROOT = Path(__file__).parents[2]
ONES = np.ones((2, 3), np.float32)


def answers_rightly() -> bool:
    return bool((load_model(made.doubler()).predict(ONES)["y"] == 2).all())


def python(code: str, *before: str) -> subprocess.CompletedProcess[str]:
    """A session of its own that runs this code, started by the commands before it."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [*before, sys.executable, "-c", PRELUDE + code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


PRELUDE = """
import os, sys
import numpy as np
from models import made
from mlnb.errors import MlnbError
from mlnb.models.loading import load_model
"""

# Little shared memory

SMALL_SHM = """
import shutil
assert shutil.disk_usage("/dev/shm").total == 2**20
big = np.arange(51_000_000, dtype=np.float32).reshape(-1, 3)
assert big.nbytes > 200_000_000
answer = load_model(made.doubler()).predict(big)["y"]
assert (answer == 2 * big).all()
assert shutil.disk_usage("/dev/shm").used == 0
print("right")
"""


def private_mounts() -> list[str]:
    """The command that starts another with mounts of its own; skips where nobody may."""
    for command in (["unshare", "-m"], ["unshare", "--user", "--map-root-user", "-m"]):
        try:
            tried = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/dev/shm"])
        except FileNotFoundError:
            break
        if not tried.returncode:
            return command
    pytest.skip("this user may not mount a small /dev/shm of their own (unshare -m)")


def test_arrays_of_200_mb_cross_where_dev_shm_holds_one():
    script = 'mount -t tmpfs -o size=1m none /dev/shm && exec "$@"'
    done = python(SMALL_SHM, *private_mounts(), "sh", "-c", script, "sh")
    assert (done.stdout, done.stderr, done.returncode) == ("right\n", "", 0)


# Little memory, few cores

CGROUP = """
import os
from pathlib import Path
if Path("/proc/self/cmdline").read_bytes().count(b"mlnb.child.process"):
    import mlnb.child.machine
    mlnb.child.machine._CGROUPS = Path({root!r})
"""


@pytest.fixture
def pod(tmp_path, monkeypatch):
    """A container of one core and 4 GB, nearly all of it used: the child sees it as its own."""
    (tmp_path / "cgroup").mkdir()
    for folder in ("cgroup", "cgroup/cpu", "cgroup/memory"):
        made_up = tmp_path / folder
        made_up.mkdir(exist_ok=True)
        for name, content in {
            "cpu.max": "100000 100000",
            "memory.max": str(4_000_000_000),
            "memory.current": str(3_600_000_000),
            "memory.limit_in_bytes": str(4_000_000_000),
            "memory.usage_in_bytes": str(3_600_000_000),
            "memory.stat": "inactive_file 100000000",
        }.items():
            (made_up / name).write_text(content)
    (tmp_path / "sitecustomize.py").write_text(CGROUP.format(root=str(tmp_path / "cgroup")))
    monkeypatch.syspath_prepend(tmp_path)  # the child gets our module path
    child("onnxruntime").close()
    yield
    child("onnxruntime").close()


def test_a_container_that_is_nearly_full_is_not_filled(pod):
    with pytest.raises(ModelRunError) as caught:
        load_model(made.asks_for_6_gib()).predict([3 * 2**29])
    expected = "it asked for 6.44 GB at once): this machine has 500 MB left; free some first"
    assert expected in str(caught.value)
    # The same model, fed with less, is not haunted by what it could not get.
    assert load_model(made.asks_for_6_gib()).predict([20_000_000])["y"] == 0  # 80 MB
    assert answers_rightly()
    assert child("onnxruntime").call("mlnb.child.machine:cores") == 1


TIGHT = """
import resource
resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))
try:
    load_model(made.asks_for_6_gib()).predict([3 * 2**29])
except MlnbError as error:
    print(str(error).partition("(")[0])
print((load_model(made.doubler()).predict(np.ones((100_000, 3), np.float32))["y"] == 2).all())
"""


def test_a_limit_that_the_session_itself_is_under_holds_for_the_child():
    done = python(TIGHT)
    assert (done.stdout, done.stderr) == ("ran out of memory \nTrue\n", "")


# Kill -9


@pytest.mark.parametrize("hostile", [made.loops_for_ever, made.laughs], ids=["runs", "is opened"])
def test_a_child_that_is_killed_in_the_middle_is_replaced(hostile):
    before = children()
    assert answers_rightly()
    pid = child("onnxruntime").pid
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(ModelCrashed) as caught:
        load_model(hostile()).predict(x=[1.0], timeout=10)
    expected = "onnxruntime was killed (SIGKILL) on this model; your session is unharmed"
    assert str(caught.value) == expected
    assert answers_rightly()
    assert left_over(before) == set()


def test_a_child_that_is_killed_while_it_infers_shapes_is_a_note():
    model = load_model(made.laughs())
    load_model(made.doubler()).infer_shapes()
    threading.Timer(0.3, os.kill, (child("onnx").pid, signal.SIGKILL)).start()
    assert model.infer_shapes(timeout=10) is False
    assert "onnx was killed (SIGKILL) on this model" in model.notes[0]


SHOT = """
import threading, time
from mlnb.child.client import child
good = load_model(made.doubler())
good.predict(np.ones((2, 3), np.float32))
good.infer_shapes()
endless, laughs = load_model(made.loops_for_ever()), load_model(made.laughs())
for act in (lambda: endless.predict(x=[1.0]), laughs.infer_shapes):
    threading.Thread(target=act, daemon=True).start()
time.sleep(0.3)
print(child("onnxruntime").pid, child("onnx").pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_both_children_go_when_the_session_is_killed_while_they_work():
    done = python(SHOT)
    assert done.returncode == -signal.SIGKILL
    until = time.monotonic() + 2
    pids = {int(pid) for pid in done.stdout.split()}
    assert len(pids) == 2
    while alive := {pid for pid in pids if _runs(pid)}:
        assert time.monotonic() < until, f"{alive} outlived their session"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether a process that is nobody's own is there, and more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
