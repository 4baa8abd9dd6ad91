"""What a test sees of harm: processes left over, memory taken, files opened, odd characters."""

from __future__ import annotations

import ctypes
import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

from mlnb.child.client import child

RUNNERS = ("onnxruntime", "onnx")
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_OPENED = 0x20


def children() -> set[int]:
    """The processes that this one has started and that are still there, zombies among them."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
        except OSError:  # it ended meanwhile
            continue
    return found


def processor_seconds() -> float:
    """What this process and its children have worked so far, those that are gone included."""
    gone = os.times()
    total = gone.user + gone.system + gone.children_user + gone.children_system
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        total += sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def left_over(before: set[int], seconds: float = 2.0) -> set[int]:
    """Children that are neither from before nor the warm ones, after so long at most."""
    until = time.monotonic() + seconds
    while True:
        left = children() - before - {child(label).pid for label in RUNNERS}
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.02)


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """How far the resident memory rose in the block at its highest, in bytes."""
    taken: list[int] = []
    Path("/proc/self/clear_refs").write_text("5")  # forgets the highest mark
    before = _memory("VmRSS")
    yield taken
    taken.append(_memory("VmHWM") - before)


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"/proc/self/status has no {name}")


@contextmanager
def openings(file: Path) -> Iterator[list[int]]:
    """How often any process opened a file in the block."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert libc.inotify_add_watch(watch, os.fsencode(file), _OPENED) >= 0
    seen: list[int] = []
    try:
        yield seen
        try:
            seen += [mask for _, mask, _, _ in struct.iter_unpack("iIII", os.read(watch, 4096))]
        except BlockingIOError:
            return
    finally:
        os.close(watch)


def harmless(text: str) -> bool:
    """Whether a text holds nothing that a terminal or a reader's eye would be fooled by."""
    return not _UNSEEN.search(text)


def markup_faults(markup: str) -> list[str]:
    """Tags and attributes in HTML that no file may bring in."""
    faults = _Faults()
    faults.feed(markup)
    return faults.found


class _Faults(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "link", "base", "form"):
            self.found.append(tag)
        for name, value in attrs:
            foreign = name in ("src", "href") and not (value or "").startswith("data:image/")
            if name.startswith("on") or foreign:
                self.found.append(f"{tag} {name}={value}")
