"""The CPU as a container allows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlnb.device import processor
from mlnb.device.processor import cpu

XEON = """\
processor\t: 0
model name\t: Intel(R)  Xeon(R) Platinum 8481C
flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile

processor\t: 1
model name\t: other
"""


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    return tmp_path / "cpuinfo"


def test_cores_and_memory_are_those_it_may_use(cpuinfo, monkeypatch):
    cpuinfo.write_text(XEON)
    monkeypatch.setattr(processor, "cores", lambda: 2)
    monkeypatch.setattr(processor, "free_memory", lambda: 3 * 10**9)
    monkeypatch.setattr(processor, "total_memory", lambda: 4 * 10**9)
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 64)
    part = cpu()
    assert part.model == "Intel(R) Xeon(R) Platinum 8481C"
    assert (part.free, part.total) == (3 * 10**9, 4 * 10**9)
    assert part.facts == ("2 cores of 64", "AVX2, AVX-512, AVX-512 BF16, AMX")


def test_an_arm_has_features(cpuinfo):
    cpuinfo.write_text("processor : 0\nFeatures : fp asimd sve bf16\n")
    assert cpu().facts[1] == "NEON, SVE, BF16"


@pytest.mark.parametrize("text", [None, "", "no colon\n", "flags", "\x00\xff: ::"])
def test_where_nothing_is_told_the_cores_still_are(cpuinfo, text):
    if text is not None:
        cpuinfo.write_bytes(text.encode("latin-1"))
    assert "core" in cpu().facts[0]
