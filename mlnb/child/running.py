"""A started child process: `start`, the line to it, and the end of what it printed.

Its session is its own, so that an interrupt of ours does not reach it; its environment is the same
whatever ours is, but for our module path, so that it finds this package where we did.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any

from mlnb.child.channel import Channel, SocketChannel, can_pass_files
from mlnb.child.machine import cores, memory_kills
from mlnb.child.pipes import PipeChannel
from mlnb.errors import ModelRunError

_KEPT_OUTPUT = 8192
_KEPT_NAMES = """PATH PYTHONHOME HOME USER LANG LC_ALL LC_CTYPE TZ TMPDIR TEMP TMP LD_LIBRARY_PATH
    DYLD_LIBRARY_PATH SYSTEMROOT WINDIR USERPROFILE APPDATA CUDA_VISIBLE_DEVICES CUDA_HOME CUDA_PATH
    NVIDIA_VISIBLE_DEVICES VIRTUAL_ENV"""
_ENVIRONMENT = tuple(_KEPT_NAMES.split())


@dataclass(slots=True)
class Running:
    """A started process, the line to it and what it printed last."""

    process: subprocess.Popen[bytes]
    channel: Channel
    tail: Tail
    memory_kills: int

    def stop(self) -> None:
        """End the process and hang up."""
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close our ends of what leads to the process."""
        self.channel.close()
        if self.process.stdin is not None:
            self.process.stdin.close()


class Tail:
    """Keeps the end of what a process prints; a pipe that nobody reads would stop the process."""

    def __init__(self, output: IO[bytes]) -> None:
        self._chunks: deque[bytes] = deque(maxlen=8)
        self._ended = threading.Event()
        threading.Thread(target=self._read, args=(output,), daemon=True).start()

    def _read(self, output: IO[bytes]) -> None:
        with output:
            while chunk := os.read(output.fileno(), _KEPT_OUTPUT):
                self._chunks.append(chunk)
        self._ended.set()

    def forget(self) -> None:
        """Begin anew, for a new call."""
        self._chunks.clear()

    def text(self) -> str:
        """What is kept."""
        return b"".join(self._chunks)[-_KEPT_OUTPUT:].decode("utf-8", "replace")

    def last_line(self) -> str:
        """The last line, of a process that has ended."""
        self._ended.wait(1)
        lines = [line for line in self.text().splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


def start(label: str, idle: float) -> Running:
    """Start the process; its session is its own, so that an interrupt of ours does not reach it."""
    if not sys.executable:
        raise ModelRunError(
            f"{label} needs a process of its own, and this Python has no executable"
        )
    kills = memory_kills()
    if can_pass_files():
        ours, theirs = socket.socketpair()
        with theirs:
            line = theirs.fileno()
            process = _popen(str(line), idle, stdout=subprocess.DEVNULL, pass_fds=(line,))
        channel: Channel = SocketChannel(ours, parent=True)
    else:
        process = _popen("pipes", idle, stdout=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        channel = PipeChannel(process.stdout, process.stdin)
    assert process.stderr is not None
    return Running(process, channel, Tail(process.stderr), kills)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep an interrupt back until the end of the block: a process that has begun is not lost.

    A mask of signals would not do, because the system hands them to any thread without one.
    """
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is None:
        yield  # interrupts reach the main thread only
        return
    came: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if came and callable(usual):
            usual(*came[0])


def _popen(ends: str, idle: float, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mlnb.child.process", ends, str(idle)],
        bufsize=0,
        env=_environment(),
        # Never written to where a socket is the line: its end tells the child that we are gone.
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        **options,
    )


def _environment() -> dict[str, str]:
    """The same for every child: what finds programs and devices, and our own module path."""
    known = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    ours = {"PYTHONPATH": path, "PYTHONUTF8": "1", "OMP_NUM_THREADS": str(cores())}
    # onnxruntime would report the names of models and more; mlnb asks the network for nothing.
    return {**known, **ours, "ORT_DISABLE_TELEMETRY": "1"}
