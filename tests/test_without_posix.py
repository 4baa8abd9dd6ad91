"""What macOS and Windows lack is taken away from a Linux process and its children: all still works.

This is not those systems; it proves that no line of ours needs what they lack. The start-up file
`sitecustomize.py` does the hiding, and the child inherits it with the module path.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from models_made import onnx_models

ROOT = Path(__file__).resolve().parents[1]

NO_PROC = """
import builtins, io, os, signal, socket, subprocess, sys, types
subprocess.signal = types.SimpleNamespace(**vars(signal))  # how Python itself ends a process
def lacks(name):
    return not hasattr(os, name)
plain_open = io.open
def without_proc(file, *rest, **options):
    if str(file).startswith(("/proc/", "/sys/")):
        raise FileNotFoundError(2, "no such file", str(file))
    return plain_open(file, *rest, **options)
builtins.open = io.open = without_proc
"""
# No memfd, no seals, no affinity mask; open files are handed over as on Linux.
MACOS = f"""{NO_PROC}
import fcntl
for name in [n for n in vars(fcntl) if "SEAL" in n]:
    delattr(fcntl, name)
for name in ("memfd_create", "sched_getaffinity", "sched_setaffinity", "pidfd_open"):
    delattr(os, name)
"""
# `os.register_at_fork` stays: torch's own build for Linux cannot be imported without it.
WINDOWS = f"""{NO_PROC}
for name in ("fcntl", "resource", "prctl", "termios", "tty", "pty", "pwd", "grp", "syslog"):
    sys.modules[name] = None
for name in (
    *("memfd_create", "sched_getaffinity", "sched_setaffinity", "pidfd_open", "pread", "pwrite"),
    *("preadv", "pwritev", "fork", "sysconf", "mkfifo", "geteuid", "getuid"),
    *("O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY", "statvfs", "posix_fadvise"),
):
    if hasattr(os, name):
        delattr(os, name)
for name in ("AF_UNIX", "send_fds", "recv_fds"):
    delattr(socket, name)
for name in ("SIGKILL", "SIGIO", "SIGHUP", "SIGALRM", "setitimer", "alarm", "pthread_kill"):
    delattr(signal, name)
"""
SYSTEMS = pytest.mark.parametrize("system", [MACOS, WINDOWS], ids=["macos", "windows"])


def run_without(system: str, program: str, folder: Path) -> str:
    """What the program prints in a process, and with children, that lack what the system lacks."""
    (folder / "sitecustomize.py").write_text(system)
    kept = {k: v for k, v in os.environ.items() if k not in ("MLNB_DATA", "PYTHONWARNINGS")}
    path = os.pathsep.join([str(folder), str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=kept | {"PYTHONPATH": path, "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


EVERY_MODULE = """
import pkgutil, sitecustomize
import mlnb
names = [m.name for m in pkgutil.walk_packages(mlnb.__path__, "mlnb.", onerror=lambda name: 1 / 0)]
for name in names:
    __import__(name)
print(len(names), sitecustomize.lacks("memfd_create"))
"""


@SYSTEMS
def test_every_module_can_be_imported(system: str, tmp_path: Path):
    count, lacks = run_without(system, EVERY_MODULE, tmp_path).split()
    assert int(count) > 70
    assert lacks == "True"


VIEW = """
from mlnb.models.loading import load_model
from mlnb.widgets.graph_viewer import GraphViewer
from mlnb.widgets.tensor_table import TensorTable
model = load_model("net.onnx")
viewer = GraphViewer(model)
sent = []
viewer.send = sent.append
weight = next(v.name for v in model.graph.values.values() if v.nbytes)
viewer._handle_custom_msg({"kind": "tensor", "request": 1, "graph": 0, "value": weight}, [])
assert sent[0]["kind"] == "tensor" and sent[0]["stats"]["count"] > 0, sent
assert "data:image/svg+xml" in viewer.static_html()
assert "<table" in TensorTable(model).static_html()
viewer._receive_ready({})
import threading
for thread in threading.enumerate():
    if thread.name == "mlnb-shapes":
        thread.join(30)
assert viewer.status == "", viewer.status
open("net.onnx", "ab").write(b"more")
viewer._handle_custom_msg({"kind": "tensor", "request": 2, "graph": 0, "value": weight}, [])
print(sent[-1]["message"])
"""


@SYSTEMS
def test_a_model_is_viewed_its_weights_read_and_its_shapes_inferred(system: str, tmp_path: Path):
    (tmp_path / "net.onnx").write_bytes(onnx_models.convnet())
    said = run_without(system, VIEW, tmp_path)
    assert said == "net.onnx has changed since it was loaded; run %mlload again\n"


PREDICT = """
import numpy as np
from models import made
from mlnb.errors import ModelCrashed, ModelTimeout
from mlnb.models.loading import load_model
from mlnb.child.client import child
assert child("onnxruntime").call("sitecustomize:lacks", "memfd_create")
large = np.ones((2_000_000, 3), np.float32)
doubler = load_model(made.doubler())
assert (doubler.predict(large)["y"] == 2).all()
try:
    load_model(made.divides_int_min()).predict({})
except ModelCrashed as error:
    print(type(error).__name__)
try:
    child("onnxruntime").call("time:sleep", 20, timeout=0.5)
except ModelTimeout as error:
    print(type(error).__name__)
assert (doubler.predict(large[:5])["y"] == 2).all()
"""


@SYSTEMS
def test_a_model_runs_in_a_child_that_may_crash_or_hang(system: str, tmp_path: Path):
    assert run_without(system, PREDICT, tmp_path).split() == ["ModelCrashed", "ModelTimeout"]


MAGICS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in (
    "%load_ext mlnb",
    "net = %mlload net.onnx",
    "import numpy as np",
    "feed = np.zeros([d or 1 for d in net.inputs[0].shape], net.inputs[0].dtype)",
    "answer = %mlpredict net {0}=feed",
    "%mlsample",
):
    shell.run_cell(cell.format(shell.user_ns["net"].inputs[0].name if "{0}" in cell else "")
                   ).raise_error()
print(list(shell.user_ns["answer"]) == shell.user_ns["net"].outputs.names)
"""


@SYSTEMS
def test_the_magics_load_predict_and_list(system: str, tmp_path: Path):
    (tmp_path / "net.onnx").write_bytes(onnx_models.convnet())
    assert run_without(system, MAGICS, tmp_path).splitlines()[-1] == "True"
