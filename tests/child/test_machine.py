"""What a container allows counts, not what its machine has."""

from __future__ import annotations

import os

import pytest

from mlnb.child import machine


@pytest.fixture
def files(monkeypatch):
    """A made-up /proc and /sys: the files by path."""
    made: dict[str, str] = {}
    monkeypatch.setattr(machine, "_read", lambda file: made.get(str(file), ""))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    return made


def test_the_affinity_mask_counts(files):
    assert machine.cores() == 64


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000", 2), ("150000", 2), ("1000", 1), ("max", 64)]
)
def test_the_quota_of_a_cgroup_cuts_the_mask(files, quota, cores):
    files["/proc/self/cgroup"] = "0::/"
    files["/sys/fs/cgroup/cpu.max"] = f"{quota} 100000"
    assert machine.cores() == cores


def test_the_quota_of_an_outer_cgroup_counts_too(files):
    files["/proc/self/cgroup"] = "0::/pod/kernel"
    files["/sys/fs/cgroup/pod/cpu.max"] = "300000 100000"
    files["/sys/fs/cgroup/pod/kernel/cpu.max"] = "max 100000"
    assert machine.cores() == 3


def test_the_first_version_of_cgroups_is_read(files):
    files["/proc/self/cgroup"] = "4:memory:/pod\n1:cpu,cpuacct:/pod"
    files["/sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us"] = "-1"
    files["/sys/fs/cgroup/cpu/cpu.cfs_quota_us"] = "400000"
    files["/sys/fs/cgroup/cpu/cpu.cfs_period_us"] = "100000"
    files["/sys/fs/cgroup/memory/pod/memory.limit_in_bytes"] = "1000"
    files["/sys/fs/cgroup/memory/pod/memory.usage_in_bytes"] = "700"
    files["/sys/fs/cgroup/memory/pod/memory.stat"] = "total_inactive_file 200"
    assert machine.cores() == 4
    assert machine.free_memory() == 500


def test_free_memory_is_the_least_of_machine_and_cgroups(files):
    files["/proc/meminfo"] = "MemTotal: 9000 kB\nMemAvailable: 4000 kB"
    assert machine.free_memory() == 4000 * 1024
    files["/proc/self/cgroup"] = "0::/pod"
    files["/sys/fs/cgroup/pod/memory.max"] = "1000000"
    files["/sys/fs/cgroup/pod/memory.current"] = "990000"
    assert machine.free_memory() == 10_000


def test_where_nothing_can_be_read_memory_is_unknown_and_one_core_is_sure(files, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1
    assert machine.free_memory() is None
    assert machine.memory_kills() == 0


def test_memory_kills_are_counted(files):
    files["/proc/vmstat"] = "nr_free_pages 12\noom_kill 3\n"
    assert machine.memory_kills() == 3


def test_memory_in_all_is_what_the_tightest_cgroup_allows(files):
    whole = machine.total_memory()
    files["/proc/self/cgroup"] = "0::/pod"
    files["/sys/fs/cgroup/memory.max"] = "3000000"
    files["/sys/fs/cgroup/memory.current"] = "1"
    files["/sys/fs/cgroup/pod/memory.max"] = "max"
    files["/sys/fs/cgroup/pod/memory.current"] = "1"
    assert machine.total_memory() == 3_000_000
    assert whole is None or whole > 3_000_000
