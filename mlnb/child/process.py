"""The child's own main: `python -m mlnb.child.process`, started by `mlnb.child.client` alone.

It answers one request at a time, each a function's name and arguments, and knows no framework. It
leaves after five idle minutes, and at once when its parent ends: a thread waits for the end of a
pipe, so that it is seen while a model runs, and the kernel itself ends the process where native
code holds the interpreter lock.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from functools import lru_cache
from importlib import import_module
from typing import Any

from mlnb.child.arrays import pack
from mlnb.child.channel import Channel, SocketChannel
from mlnb.child.pipes import PipeChannel
from mlnb.errors import MlnbError
from mlnb.formatting import display_text

IDLE = 75
"""The status with which a child leaves that nobody has asked anything for long."""


def main(ends: str, idle: str) -> None:
    """Answer requests until the parent hangs up or nothing comes for `idle` seconds.

    Args:
        ends: the number of an inherited socket, or `"pipes"` for stdin and stdout.
        idle: in seconds.
    """
    channel = _open(ends)
    _settle()
    while True:
        try:
            request = channel.receive(time.monotonic() + float(idle))
        except TimeoutError:
            os._exit(IDLE)
        except (EOFError, OSError):
            os._exit(0)
        _reply(channel, _answer(request))
        del request


def _open(ends: str) -> Channel:
    """The line to the parent; afterwards whatever prints does so on stderr, away from the line."""
    if ends == "pipes":
        line = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
        channel: Channel = PipeChannel(*line, on_end=lambda: os._exit(0))
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
    else:
        channel = SocketChannel(socket.socket(fileno=int(ends)), parent=False)
        threading.Thread(target=_leave_at_end, args=(0,), daemon=True).start()
        _die_with(0)
    os.dup2(2, 1)
    return channel


def _leave_at_end(pipe: int) -> None:
    """End this process when the other end of `pipe` closes, also while a model runs."""
    while os.read(pipe, 1):
        pass
    os._exit(0)


def _die_with(pipe: int) -> None:
    """Have the kernel end this process when the other end of `pipe` closes, where it can.

    The thread that reads the pipe does the same, but it needs the interpreter lock, which shape
    inference does not let go of.
    """
    try:
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        return


def _settle() -> None:
    """Be the first to go when memory is short, leave no core file, and ignore interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except (ImportError, OSError, ValueError):
        return


def _answer(request: list[Any]) -> list[Any]:
    """`["value", what the function returned]`, or `["error", class, message]`."""
    function, args, kwargs = request
    try:
        return ["value", _function(function)(*args, **kwargs)]
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent gets to know
        return _failure(error)


@lru_cache(maxsize=64)
def _function(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def _failure(error: BaseException) -> list[Any]:
    if isinstance(error, MlnbError):
        return ["error", type(error).__name__, str(error)]
    text = display_text(str(error), 1000)
    return ["error", "", f"{type(error).__name__}: {text}" if text else type(error).__name__]


def _reply(channel: Channel, answer: list[Any]) -> None:
    try:
        packed = pack(answer)
    except Exception as error:  # noqa: BLE001 - a value that cannot cross is an answer too
        packed = pack(_failure(error))
    channel.send(packed)


if __name__ == "__main__":
    main(*sys.argv[1:])
