"""Runs functions in a process that may die: `child(label)`, `Child.call`.

A stranger's model can crash, hang or take all memory, and none of that can be caught in the process
it happens in. Whatever ends a call but an answer (a deadline, an interrupt, nonsense on the line)
ends the child too: what it was doing cannot be known, and another one starts soon.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, Any

from mlnb import errors
from mlnb.child.arrays import Packed, pack
from mlnb.child.channel import Channel, SocketChannel, can_pass_files
from mlnb.child.machine import cores, memory_kills
from mlnb.child.memory import OUT_OF_MEMORY
from mlnb.child.pipes import PipeChannel
from mlnb.child.process import IDLE
from mlnb.errors import MlnbError, ModelCrashed, ModelRunError, ModelTimeout
from mlnb.formatting import display_text, seconds_text

IDLE_SECONDS = 300.0
TIMEOUT = 60.0

_KEPT_OUTPUT = 8192
_ENVIRONMENT = (
    *(
        "PATH",
        "PYTHONHOME",
        "HOME",
        "USER",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
    ),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "USERPROFILE", "APPDATA"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_PATH", "NVIDIA_VISIBLE_DEVICES", "VIRTUAL_ENV"),
)


def child(label: str) -> Child:
    """The one warm child of that label; it starts at its first call.

    >>> child("onnx").call("math:sqrt", 2.0)
    1.4142135623730951
    """
    with _registry_lock:
        if label not in _children:
            _children[label] = Child(label)
        return _children[label]


class Child:
    """A process that runs functions for this one, one at a time, and may die doing so.

    >>> Child("onnxruntime").call("math:sqrt", 2.0)
    1.4142135623730951

    Args:
        label: what runs in it, as errors call it: "onnxruntime crashed (SIGFPE) on this model".
        idle: seconds without a call after which the process leaves; the next call starts another.
    """

    def __init__(self, label: str, *, idle: float = IDLE_SECONDS) -> None:
        self.label = label
        self._idle = idle
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def call(self, function: str, /, *args: Any, timeout: float = TIMEOUT, **kwargs: Any) -> Any:
        """What the function returns for these arguments; calls from several threads take turns.

        Args:
            function: `"package.module:name"`; the child imports the module.
            args: values that can cross (`mlnb.child.arrays.pack`).
            timeout: seconds from the start of this call until the child is stopped.
            kwargs: as `args`.

        Raises:
            MlnbError: of the class that the function raised.
            ModelRunError: any other exception of the function, as "Type: message".
            ModelCrashed: the child died; the next call starts another.
            ModelTimeout: the deadline passed and the child was stopped.
            TypeError: an argument cannot cross.
        """
        packed = pack({"function": function, "args": list(args), "kwargs": kwargs})
        with self._lock:
            deadline = time.monotonic() + timeout
            try:
                answer = self._exchange(packed, deadline, timeout)
            except _Left:
                answer = self._exchange(packed, deadline, timeout)
        return _outcome(answer)

    def close(self) -> None:
        """Let the process go; the next call starts another."""
        with self._lock:
            running, self._running = self._running, None
            if running is not None:
                running.stop()

    @property
    def pid(self) -> int | None:
        """The number of the running process, `None` where none runs."""
        running = self._running
        return (
            None if running is None or running.process.poll() is not None else running.process.pid
        )

    @property
    def printed(self) -> str:
        """The end of what the last call printed; none of it reaches the cell by itself."""
        running = self._running
        return "" if running is None else running.tail.text()

    def __repr__(self) -> str:
        return f"Child({self.label!r}, {'warm' if self.pid else 'not started'})"

    def _exchange(self, packed: Packed, deadline: float, timeout: float) -> dict[str, Any]:
        """Send a request and wait for its answer; whatever goes wrong, the child is gone after."""
        running = self._running
        if running is None:
            running = self._running = _start(self.label, self._idle)
        running.tail.forget()
        try:
            running.channel.send(packed, deadline)
            return dict(running.channel.receive(deadline))
        except BaseException as error:
            self._running = None
            if isinstance(error, TimeoutError):
                ending: Exception = _timeout(self.label, timeout)
            elif isinstance(error, Exception):
                ending = _death(running, self.label, error)
            else:
                running.stop()
                raise
            running.stop()
            raise ending from error


def _outcome(answer: dict[str, Any]) -> Any:
    if "error" not in answer:
        return answer["value"]
    raised = getattr(errors, answer["error"], ModelRunError)
    if not (isinstance(raised, type) and issubclass(raised, MlnbError)):
        raised = ModelRunError
    raise raised(answer["message"])


def _timeout(label: str, timeout: float) -> ModelTimeout:
    return ModelTimeout(
        f"{label} did not answer within {seconds_text(timeout)} and was stopped; your session is "
        f"unharmed. Where the model needs longer, pass timeout={2 * timeout:g}"
    )


class _Left(Exception):
    """The child left for idleness while a request was on its way: it has run none of it."""


def _death(running: _Running, label: str, cause: BaseException) -> Exception:
    """What a broken line means: how the process ended, as an error."""
    try:
        status = running.process.wait(5 if isinstance(cause, EOFError | OSError) else 0)
    except subprocess.TimeoutExpired:
        return ModelCrashed(f"the answer of {label} did not arrive whole ({cause!r}); try again")
    if status == IDLE:
        return _Left()
    last = running.tail.last_line()
    unharmed = "on this model; your session is unharmed"
    if _ran_out_of_memory(status, running.memory_kills, last):
        return ModelCrashed(f"{label} ran out of memory {unharmed}")
    if -status == getattr(signal, "SIGKILL", None):
        return ModelCrashed(f"{label} was killed (SIGKILL) {unharmed}")
    ending = f"crashed ({_signal_name(status)})" if status < 0 else f"ended (exit status {status})"
    said = f". It said: {display_text(last, 300)}" if last else ""
    return ModelCrashed(f"{label} {ending} {unharmed}{said}")


def _ran_out_of_memory(status: int, kills_before: int, last: str) -> bool:
    if status == OUT_OF_MEMORY or "bad_alloc" in last:
        return True
    return -status == getattr(signal, "SIGKILL", None) and memory_kills() > kills_before


def _signal_name(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


@dataclass(slots=True)
class _Running:
    """A started process, the line to it and what it printed last."""

    process: subprocess.Popen[bytes]
    channel: Channel
    tail: _Tail
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


class _Tail:
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
        self._chunks.clear()

    def text(self) -> str:
        return b"".join(self._chunks)[-_KEPT_OUTPUT:].decode("utf-8", "replace")

    def last_line(self) -> str:
        """The last line, of a process that has ended."""
        self._ended.wait(1)
        lines = [line for line in self.text().splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""


def _start(label: str, idle: float) -> _Running:
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
    return _Running(process, channel, _Tail(process.stderr), kills)


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
    return {**known, "PYTHONPATH": path, "PYTHONUTF8": "1", "OMP_NUM_THREADS": str(cores())}


def _forget_children() -> None:
    """A forked process shares no child with its parent: it closes its copies of the lines."""
    global _registry_lock
    _registry_lock = threading.Lock()
    for one in _children.values():
        running, one._running = one._running, None
        one._lock = threading.Lock()
        if running is not None:
            running.hang_up()
    _children.clear()


_children: dict[str, Child] = {}
_registry_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_children)
