"""A run steered through real kernels: with subshells, without them, and by an interrupt.

The kernel writes down when something took effect and the test when it asked, on one clock. Slow,
and it makes an environment for each ipykernel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.environments]

STOP_MS = 400  # how long the front end waits for an answer, as in js/src/training_monitor/reach.ts
TRIALS = 20
VIEW = "application/vnd.jupyter.widget-view+json"

SETUP = """
%load_ext mlnb
import threading, time, torch
from torch import nn
from mlnb.train import active
torch.set_num_threads(1)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))
data = torch.randn(4096, 20), torch.randint(0, 3, (4096,))
seen = []

def watch(run):
    def look():
        last = None
        while True:
            now = (run.status, run.lr)
            if now != last:
                seen.append((time.time(), *now))
                last = now
            if run.stop_reason is not None:
                return
            time.sleep(0.001)
    threading.Thread(target=look, daemon=True).start()

active.on_start(watch)
"""
TRAIN = "run = %mltrain net --data data --epochs 100000 --batch_size 32 --folder no"


class Steered:
    """A kernel, spoken to as JupyterLab does: cells on the shell, clicks on a subshell."""

    def __init__(self, manager: KernelManager, client: Any) -> None:
        self.manager, self.client = manager, client
        self.subshell = self._subshell()
        self.view = ""
        self.updates = 0
        self.facts: dict[str, Any] = {}
        self.answers: set[int] = set()
        self._requests = 0
        self._cell = ""

    def run(self, code: str, timeout: float = 120) -> str:
        """What a cell prints."""
        printed: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            assert message["msg_type"] != "error", "\n".join(content["traceback"])
            if message["msg_type"] == "stream":
                printed.append(content["text"])

        self.client.execute_interactive(code, timeout=timeout, output_hook=hook)
        return "".join(printed)

    def start(self) -> None:
        """Begin to train in a cell, and wait until it does."""
        self.view, self.facts, self.updates = "", {}, 0
        self._cell = self.client.execute(TRAIN)
        assert self.hear(lambda: self.facts.get("state") == "training" and self.view != "")

    def finish(self) -> None:
        """Wait for the end of the cell."""
        while self.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != self._cell:
            pass
        assert self.hear(lambda: self.facts.get("state") == "ended")

    def ask(self, action: str, value: float | None = None) -> int:
        """Click: the message goes to the subshell where there is one."""
        self._requests += 1
        content = {"kind": "control", "action": action, "value": value, "request": self._requests}
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": self.view, "data": data})
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)
        return self._requests

    def hear(self, done: Callable[[], bool], seconds: float = 30) -> bool:
        """Take what the kernel's widgets say until `done`; whether that came in time."""
        end = time.monotonic() + seconds
        while not done() and (left := end - time.monotonic()) > 0:
            try:
                self._take(self.client.get_iopub_msg(timeout=left))
            except Empty:
                break
        return done()

    def seen(self, code: str) -> float:
        """When the kernel first saw `code` hold of `(status, lr)`, as seconds since the epoch."""
        text = self.run(f"print(next(t for t, status, lr in seen if {code})); seen.clear()")
        return float(text)

    def _take(self, message: dict[str, Any]) -> None:
        content = message["content"]
        assert message["msg_type"] != "error", content
        if message["msg_type"] == "display_data" and VIEW in content["data"]:
            self.view = content["data"][VIEW]["model_id"]
        if message["msg_type"] == "comm_open":
            for facts in content["data"].get("state", {}).get("runs", ()):
                self.facts |= facts
        if message["msg_type"] != "comm_msg":
            return
        self.updates += 1
        data = content["data"]
        said = data["content"] if data["method"] == "custom" else {}
        if said.get("kind") == "tick":
            self.facts |= said["runs"][0]["facts"]
        elif said.get("kind") == "done":
            self.answers.add(said["request"])

    def _subshell(self) -> str:
        reply = self.client.kernel_info(reply=True, timeout=60)["content"]
        if "kernel subshells" not in reply.get("supported_features", []):
            return ""
        self.client.control_channel.send(self.client.session.msg("create_subshell_request", {}))
        answer = self.client.get_control_msg(timeout=20)["content"]
        return str(answer["subshell_id"])


@pytest.fixture(scope="module", params=["6.31.0", "7.3.0", "7.4.0"])
def steered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A kernel of that ipykernel over the packages of this environment, ready to train."""
    home = tmp_path_factory.mktemp(f"ipykernel-{request.param}")
    python = environment(home / "environment", f"ipykernel=={request.param}")
    spec = home / "kernels" / "steered" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "steered", "language": "python"}))
    specs = KernelSpecManager(kernel_dirs=[str(home / "kernels")], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="steered", kernel_spec_manager=specs)
    surroundings = os.environ | {
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(home / "ipython"),
        "MLNB_HEADLESS": "0",
    }
    manager.start_kernel(cwd=str(home), env=surroundings)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        kernel = Steered(manager, client)
        kernel.version = request.param
        kernel.run(SETUP)
        running = kernel.run("import ipykernel; print(ipykernel.__version__)").strip()
        assert running == request.param
        kernel.run("run = %mltrain net --data data --epochs 1 --folder no;\nseen.clear()")
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def environment(folder: Path, package: str) -> Path:
    """The Python of a small environment: one package of its own before those of this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = [*("-m", "pip", "--python", str(python)), "install", "--quiet", "--no-deps", package]
    installed = subprocess.run([sys.executable, *install], capture_output=True, text=True)
    if installed.returncode:
        message = f"pip could not install {package}: {installed.stderr[-300:]}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    (Path(own) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def report(kernel: Steered, what: str, seconds: list[float]) -> float:
    """Print a distribution and return its 95th percentile, in ms."""
    ordered = sorted(1000 * s for s in seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    middle = ordered[len(ordered) // 2]
    print(
        f"\nipykernel {kernel.version}: {what}: median {middle:.0f} ms, p95 {p95:.0f} ms, "
        f"largest {ordered[-1]:.0f} ms of {len(ordered)}"
    )
    return p95


def test_stop_ends_the_loop_and_keeps_the_run(steered: Steered):
    took, heard = [], 0
    for _ in range(TRIALS):
        steered.start()
        asked = time.time()
        request = steered.ask("stop")
        if steered.hear(lambda n=request: n in steered.answers, STOP_MS / 1000):
            heard += 1
        else:
            steered.manager.interrupt_kernel()
        steered.finish()
        took.append(steered.seen("status not in ('preparing', 'training')") - asked)
        reason, steps = steered.run("print(run.stop_reason, run.step)").split()
        assert reason in ("stopped", "interrupted")
        assert int(steps) > 0
    assert heard >= TRIALS - 1 if steered.subshell else heard == 0
    how = "stop by message" if steered.subshell else "stop by message, then by interrupt"
    assert report(steered, how, took) <= (200 if steered.subshell else 800)
    assert steered.run("print(len(run.history['loss']) == run.step)") == "True\n"


def test_an_interrupt_stops_at_the_step(steered: Steered):
    took = []
    for _ in range(TRIALS):
        steered.start()
        asked = time.time()
        steered.manager.interrupt_kernel()
        steered.finish()
        took.append(steered.seen("status == 'interrupted'") - asked)
    assert report(steered, "interrupt", took) <= 60  # 50 ms and a step


def test_pause_and_rate_reach_the_next_step(steered: Steered):
    if not steered.subshell:
        pytest.skip("this kernel hears of nothing while a cell runs: the buttons are greyed out")
    paused, rated, resumed = [], [], []
    steered.start()
    for trial in range(TRIALS):
        asked = time.time()
        steered.ask("pause")
        assert steered.hear(lambda: steered.facts["state"] == "paused")
        paused.append(asked)
        asked = time.time()
        steered.ask("resume")
        assert steered.hear(lambda: steered.facts["state"] == "training")
        resumed.append(asked)
        rate = 1e-3 / (trial + 2)
        asked = time.time()
        steered.ask("lr", rate)
        assert steered.hear(lambda rate=rate: steered.facts["lr"] == pytest.approx(rate))
        rated.append((asked, rate))
    steered.ask("stop")
    steered.finish()
    log = json.loads(steered.run("import json; print(json.dumps(seen)); seen.clear()"))

    def after(asked: float, holds: Callable[[str, float], bool]) -> float:
        return next(t for t, status, lr in log if t >= asked and holds(status, lr)) - asked

    took = [after(a, lambda status, lr: status == "paused") for a in paused]
    assert report(steered, "pause by message", took) <= 200
    took = [after(a, lambda status, lr: status == "training") for a in resumed]
    assert report(steered, "resume by message", took) <= 200
    took = [after(a, lambda status, lr, r=r: lr == pytest.approx(r)) for a, r in rated]
    assert report(steered, "learning rate by message", took) <= 200
    marks = steered.run("print([m.kind for m in run.history.marks].count('set_lr'))")
    assert int(marks) == TRIALS


def test_a_fast_loop_says_ten_things_a_second(steered: Steered):
    steered.start()
    steered.updates = 0
    began = time.monotonic()
    steered.hear(lambda: False, 3)
    rate = steered.updates / (time.monotonic() - began)
    steered.manager.interrupt_kernel()
    steered.finish()
    speed = float(steered.run("print(run.step / run.seconds)"))
    print(f"\nipykernel {steered.version}: {rate:.1f} messages a second at {speed:,.0f} steps")
    assert 3 <= rate <= 10.5


def test_a_run_in_the_background_hears_everything(steered: Steered):
    steered.view, steered.facts = "", {}
    cell = steered.client.execute(f"{TRAIN} --background")
    assert steered.hear(lambda: steered.facts.get("state") == "training" and steered.view != "")
    while steered.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != cell:
        pass
    request = steered.ask("pause")
    assert steered.hear(lambda: request in steered.answers)
    assert steered.hear(lambda: steered.facts["state"] == "paused")
    steered.ask("stop")
    assert steered.hear(lambda: steered.facts["state"] == "ended")
    assert steered.run("print(run.wait(20), run.stop_reason)") == "True stopped\n"
