"""The CPU, as far as this process may use it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from mlnb.child.machine import cores, free_memory, total_memory
from mlnb.device.parts import Part
from mlnb.formatting import plural

_CPUINFO = Path("/proc/cpuinfo")
# What makes matrices fast, with the flags that /proc/cpuinfo has for it.
_INSTRUCTIONS = {
    "AVX2": "avx2",
    "AVX-512": "avx512f",
    "AVX-512 BF16": "avx512_bf16",
    "AMX": "amx_tile",
    "NEON": "asimd",
    "SVE": "sve",
    "BF16": "bf16",
}


def cpu() -> Part:
    """The CPU: what its container allows, where it runs in one."""
    about = _cpuinfo()
    usable, there = cores(), os.cpu_count() or 1
    facts = [plural(usable, "core") + (f" of {there}" if there > usable else "")]
    flags = set((about.get("flags") or about.get("Features") or "").split())
    known = [word for word, flag in _INSTRUCTIONS.items() if flag in flags]
    facts += [", ".join(known)] if known else []
    return Part("CPU", _model(about), free_memory(), total_memory(), tuple(facts))


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first core."""
    try:
        first = _CPUINFO.read_text("utf-8", "replace").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = [line.partition(":") for line in first.splitlines()]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _model(about: dict[str, str]) -> str:
    name = about.get("model name", "")
    if not name and sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
        name = asked.stdout.strip()
    return " ".join(name.split()) or platform.processor() or platform.machine()
