"""Runs functions in a process that may die: `child(label)`, `Child.call`.

A stranger's model can crash, hang or take all memory, and none of that can be caught in the process
it happens in. Whatever ends a call but an answer (a deadline, an interrupt, nonsense on the line)
ends the child too: what it was doing cannot be known, and another one starts soon.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import Any

from mlnb import errors
from mlnb.child.arrays import Packed, pack
from mlnb.child.machine import memory_kills
from mlnb.child.memory import OUT_OF_MEMORY
from mlnb.child.process import IDLE
from mlnb.child.running import Running, start, uninterrupted
from mlnb.errors import MlnbError, ModelCrashed, ModelRunError, ModelTimeout
from mlnb.formatting import display_text, seconds_text

IDLE_SECONDS = 300.0
TIMEOUT = 60.0


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
        self._running: Running | None = None

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
            ValueError: the arguments hold more text than crosses.
        """
        packed = pack([function, list(args), kwargs])
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

    def _exchange(self, packed: Packed, deadline: float, timeout: float) -> list[Any]:
        """Send a request and wait for its answer; whatever goes wrong, the child is gone after."""
        running = self._running
        if running is None:
            with uninterrupted():
                running = self._running = start(self.label, self._idle)
        running.tail.forget()
        try:
            running.channel.send(packed, deadline)
            return _checked(running.channel.receive(deadline))
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


def _checked(answer: Any) -> list[Any]:
    """An answer as `mlnb.child.process` gives it: whoever ran a stranger's model may lie."""
    match answer:
        case ["value", _] | ["error", str(), str()]:
            return list(answer)
    raise ValueError("this is no answer")


def _outcome(answer: list[Any]) -> Any:
    if answer[0] == "value":
        return answer[1]
    _, name, message = answer
    raised = getattr(errors, name, None)
    if not (isinstance(raised, type) and issubclass(raised, MlnbError)):
        raised = ModelRunError
    lines = message.splitlines()[:20]  # the first one stands alone, the others tell more
    raise raised("\n".join(display_text(line, 2000) for line in lines))


def _timeout(label: str, timeout: float) -> ModelTimeout:
    return ModelTimeout(
        f"{label} did not answer within {seconds_text(timeout)} and was stopped; your session is "
        f"unharmed. Where the model needs longer, pass timeout={2 * timeout:g}"
    )


class _Left(Exception):
    """The child left for idleness while a request was on its way: it has run none of it."""


def _death(running: Running, label: str, cause: BaseException) -> Exception:
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
