"""A cap on the memory that a call may take: `memory_cap`, for code that runs in a child.

The cap is RLIMIT_DATA, which turns a model that asks for 6 GiB into an error at once; RLIMIT_AS
would do so too, but counts address space, of which torch alone maps 3 GiB. Accelerator drivers
reserve far more than they use: for them a thread watches what is resident instead.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial

from mlnb.child.machine import free_memory
from mlnb.errors import ModelRunError
from mlnb.formatting import bytes_text

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

OUT_OF_MEMORY = 76
"""The status with which a process leaves that has taken more than its cap."""

_REFUSED = re.compile(
    r"failed to allocate memory|bad_alloc|bad allocation|unable to allocate|out of memory"
    r"|cannot allocate memory",
    re.IGNORECASE,
)
_ASKED = re.compile(r"requested buffer of size (\d+)", re.IGNORECASE)


@contextmanager
def memory_cap(nbytes: int, *, watch: bool = False) -> Iterator[None]:
    """Let the block take `nbytes` more than the process has now, or what the machine has left.

    Args:
        nbytes: the cap in bytes.
        watch: look at the resident memory instead of limiting it, and end the process over the
            cap; for accelerators.

    Raises:
        ModelRunError: "ran out of memory", in place of what the block raised for want of it.
    """
    free = _recently_free()
    cap = nbytes if free is None else min(nbytes, free)
    lift = _watch(cap) if watch else _limit(cap)
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise ModelRunError(_message(str(error), cap, nbytes)) from error
    finally:
        lift()


def out_of_memory(error: Exception) -> bool:
    """Whether an error, of whatever library, says that memory was refused."""
    return isinstance(error, MemoryError) or bool(_REFUSED.search(str(error)))


_known: tuple[float, int | None] = (float("-inf"), None)


def _recently_free() -> int | None:
    """Free memory as of the last second: asking takes ten files, which a warm call would feel."""
    global _known
    now = time.monotonic()
    if now - _known[0] > 1:
        _known = (now, free_memory())
    return _known[1]


def _message(cause: str, cap: int, nbytes: int) -> str:
    asked = _ASKED.search(cause)
    wish = f" (it asked for {bytes_text(int(asked[1]))} at once)" if asked else ""
    if cap < nbytes:
        return f"ran out of memory{wish}: this machine has {bytes_text(cap)} left; free some first"
    return (
        f"ran out of memory{wish}: it may take {bytes_text(cap)}; if you trust the model, raise "
        f"the cap: load_model(path, limits=Limits(run_bytes={1 << nbytes.bit_length()}))"
    )


def _limit(cap: int) -> Callable[[], None]:
    """Set the limit; what is returned sets it back."""
    if resource is None or not hasattr(resource, "RLIMIT_DATA"):
        return lambda: None
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = _pages(5) + cap
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))
    return partial(resource.setrlimit, resource.RLIMIT_DATA, (soft, hard))


def _watch(cap: int) -> Callable[[], None]:
    """Watch from a thread; what is returned ends it."""
    over = threading.Event()
    most = _pages(1) + cap

    def look() -> None:
        while not over.wait(0.05):
            if _pages(1) > most:
                os._exit(OUT_OF_MEMORY)

    threading.Thread(target=look, daemon=True).start()
    return over.set


def _pages(column: int) -> int:
    """A column of statm in bytes: 1 is what is resident, 5 what RLIMIT_DATA counts."""
    try:
        return int(os.pread(_statm(os.getpid()), 256, 0).split()[column]) * _PAGE
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=1)
def _statm(_: int) -> int:
    """The open file, kept: to open it takes longer than to read it."""
    return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
