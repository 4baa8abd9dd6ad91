"""What this process may use of the machine: cores and memory, as its container allows.

A JupyterHub pod sees 64 cores and 256 GB and may use 2 and 4; what the hardware has is the wrong
answer there. Where a figure cannot be read the next coarser one is taken.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """How many threads are worth starting: the affinity mask, cut by the cgroup's quota.

    >>> cores() >= 1
    True
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return max(1, min([count, *map(math.ceil, _quotas())]))


def free_memory() -> int | None:
    """Bytes that can still be taken before this process or its container is killed, if known."""
    rooms = [room for room in (_machine_room(), *_cgroup_rooms()) if room is not None]
    return max(0, min(rooms)) if rooms else None


def total_memory() -> int | None:
    """Bytes that this process may have in all: the machine's, cut by its cgroups, if known."""
    try:
        sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, ValueError, OSError):  # Windows
        sizes = []
    sizes += [most for most, _, _ in _cgroup_limits()]
    return min(sizes) if sizes else None


def memory_kills() -> int:
    """How many processes this kernel has killed for want of memory since it started."""
    for line in _read(Path("/proc/vmstat")).splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0


def _quotas() -> Iterator[float]:
    """The cores that each cgroup around this process grants."""
    for folder in _folders("cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us")
            period = _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _cgroup_rooms() -> Iterator[int]:
    for most, now, folder in _cgroup_limits():
        yield most - now + _reclaimable(folder)


def _cgroup_limits() -> Iterator[tuple[int, int, Path]]:
    """What each cgroup around this process allows, what it has taken, and where that stands."""
    for folder in _folders("memory"):
        for limit, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            most, now = _read(folder / limit), _read(folder / used)
            if most.isdigit() and now.isdigit():
                yield int(most), int(now), folder


def _reclaimable(folder: Path) -> int:
    """Cached file pages, which the kernel counts as used and gives back when asked."""
    for line in _read(folder / "memory.stat").splitlines():
        name, _, count = line.partition(" ")
        if name in ("total_inactive_file", "inactive_file"):
            return int(count)
    return 0


def _machine_room() -> int | None:
    for line in _read(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _folders(controller: str) -> Iterator[Path]:
    """This process's cgroup and all those around it: any of them may hold the limit."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        root = _CGROUPS / controller if names else _CGROUPS
        folder = root / path.lstrip("/")
        # Inside a container the path may be the host's, which is not mounted here: the walk up
        # still ends at the root, where the container's own limits stand.
        while folder != root and root in folder.parents:
            yield folder
            folder = folder.parent
        yield root


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
