"""What the live monitor costs the loop that it watches.

`python benchmarks/bench_monitor.py [--rounds 5] [--held 1000000]`. In a kernel of its own, as in a
notebook, on one thread. The monitor's share is summed directly: the CPU time of its ticks in the
thread that trains, messages put together and signed included, over that of the whole run; a
difference between two runs could not show it. Runs with and without a monitor take turns as a
sanity check. Goals: a share of 0.5% on a step of 0.6 ms, also after a million steps, turns within
5%. The wire is counted at the socket, headers included: at most 10 messages and 20 kB a second.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from jupyter_client.manager import start_new_kernel

SETUP = """
import gc, json, statistics, time
import torch
from torch import nn
from mlnb.train import active
from mlnb.train.trainer import Trainer
from mlnb.widgets.training_monitor import TrainingMonitor
torch.set_num_threads(1)
torch.manual_seed(0)
rows = 64 * 400
data = torch.randn(rows, 784), torch.randint(0, 10, (rows,))
spent, sent = [], []
follow = TrainingMonitor._follow

def timed(self, run):
    began = time.thread_time()
    follow(self, run)
    spent.append(time.thread_time() - began)

TrainingMonitor._follow = timed
socket = type(get_ipython().kernel.iopub_socket)
send = socket.send_multipart

def counted(self, message, *args, **how):
    sent.append(sum(map(len, message)))
    return send(self, message, *args, **how)

def turn(watched, epochs, held=0):
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    undo = active.on_start(lambda run: watch(run, held)) if watched else (lambda: None)
    spent.clear(), sent.clear(), gc.collect()
    socket.send_multipart = counted
    began, wall = time.thread_time(), time.perf_counter()
    try:
        run = Trainer(net, lr=1e-3).fit(data, epochs=epochs, batch_size=64, folder=False)
    finally:
        socket.send_multipart = send
        undo()
    took, wall = time.thread_time() - began, time.perf_counter() - wall
    return {"cpu": took, "wall": wall, "steps": run.step - held, "ticks": len(spent),
            "spent": sum(spent), "messages": len(sent), "bytes": sum(sent)}

def watch(run, held):
    if held:
        steps = torch.rand(held).numpy()
        run.history.extend(range(1, held + 1), loss=steps, lr=steps)
        run._state.step = held
    monitor = TrainingMonitor(run)
    monitor._heard = True
    sent.clear()
"""


def main() -> None:
    """Print the shares, the turns and the wire."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--held", type=int, default=1_000_000)
    given = options.parse_args()
    manager, client = start_new_kernel()
    try:
        _run(client, SETUP)
        _run(client, "turn(True, 2), turn(False, 1)")
        turns = _json(client, f"[(turn(False, 8), turn(True, 8)) for _ in range({given.rounds})]")
        for bare, watched in turns:
            _tell(bare, watched)
        long = _json(client, f"turn(True, 8, {given.held})")
        print(f"with {given.held:,} steps held: share {100 * _share(long):.2f}%")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _tell(bare: dict[str, float], watched: dict[str, float]) -> None:
    step = 1000 * bare["cpu"] / bare["steps"]
    ratio = watched["cpu"] / watched["steps"] / (bare["cpu"] / bare["steps"])
    seconds = watched["wall"]
    print(
        f"step {step:.2f} ms, share {100 * _share(watched):.2f}% ({watched['ticks']} ticks of "
        f"{1000 * watched['spent'] / watched['ticks']:.2f} ms), turns x{ratio:.3f}, "
        f"{watched['messages'] / seconds:.1f} messages and "
        f"{watched['bytes'] / seconds / 1000:.1f} kB a second at "
        f"{watched['steps'] / seconds:,.0f} steps a second"
    )


def _share(turn: dict[str, float]) -> float:
    return turn["spent"] / turn["cpu"]


def _run(client: Any, code: str) -> str:
    printed: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=600, output_hook=hear)
    content = reply["content"]
    if content["status"] != "ok":
        raise RuntimeError(f"{content['ename']}: {content['evalue']}")
    return "".join(printed)


def _json(client: Any, code: str) -> Any:
    return json.loads(_run(client, f"print(json.dumps({code}))").splitlines()[-1])


if __name__ == "__main__":
    main()
