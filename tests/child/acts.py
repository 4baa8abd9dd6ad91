"""What the tests have a child do, and do to it; imported there and here as `child.acts`."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np

from mlnb.child.arrays import pack
from mlnb.child.channel import SocketChannel
from mlnb.child.memory import memory_cap
from mlnb.errors import ModelFileChanged, ModelRunError


def swap(first, second):
    return second, first


def described(array):
    return [str(array.dtype), list(array.shape), bool(array.flags.writeable)]


def printed(text):
    print(text)
    print(text, file=sys.stderr, flush=True)
    os.system("echo from a grandchild")
    sys.stdout.flush()


def changed():
    raise ModelFileChanged("net.onnx has changed; run %mlload again")


def odd():
    return object()


def hold_the_interpreter():
    """Native code that never lets go of the interpreter lock."""
    return sum(range(10**14))


def slept(seconds):
    begin = time.monotonic()
    time.sleep(seconds)
    return [begin, time.monotonic()]


def capped(cap, wish):
    with memory_cap(cap):
        return np.ones(wish, np.uint8).nbytes


def watched(cap, wish):
    with memory_cap(cap, watch=True):
        kept = np.ones(wish, np.uint8)
        time.sleep(5)
        return kept.nbytes


def loaded_modules():
    return sorted(sys.modules)


def surroundings():
    return {
        "files": sorted(int(name) for name in os.listdir("/proc/self/fd")),
        "session": os.getsid(0),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "cwd_first": sys.path[0],
    }


@contextmanager
def interrupt_after(seconds):
    """Interrupt this process in the block, and not after it."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def nonsense():
    """Answers with bytes that are no message."""
    os.write(int(sys.argv[1]), b"x" * 64)
    time.sleep(5)


def lies(answer):
    """Answers with a well-formed message that is no answer."""
    line = socket.socket(fileno=os.dup(int(sys.argv[1])))
    SocketChannel(line, parent=False).send(pack(answer))
    time.sleep(5)


def coloured():
    raise ModelRunError("\x1b[31mred\u202e")
