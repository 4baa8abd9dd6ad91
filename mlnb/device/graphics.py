"""The NVIDIA GPUs of this machine, as their driver tells of them: torch is not needed, nor asked.

Asking torch for the memory that is free would take half a gigabyte of it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

from mlnb.device.parts import Part
from mlnb.errors import MlnbError
from mlnb.formatting import display_text

SECONDS = 10
_FIELDS = ("index", "name", "memory.free", "memory.total", "driver_version", "compute_cap")


def gpus() -> list[Part]:
    """The GPUs; none where there is no driver.

    Raises:
        MlnbError: there is a driver, and it does not work.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    told = _ask(program, _FIELDS)
    if told.returncode:  # drivers before 2021 do not know the last field
        told = _ask(program, _FIELDS[:-1])
    if told.returncode:
        said = (told.stdout.strip() or told.stderr.strip()).partition("\n")[0]
        raise MlnbError(f"nvidia-smi says: {display_text(said, 200)}")
    return [_part(line) for line in told.stdout.splitlines() if line.count(",") >= 4]


def _ask(program: str, fields: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = [program, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
    )


def _part(line: str) -> Part:
    """A GPU from its line; a field may be `[N/A]`, as under MIG."""
    index, name, free, total, driver, *rest = (text.strip() for text in line.split(","))
    version = re.fullmatch(r"(\d+)\.(\d+)", rest[0]) if rest else None
    facts = [f"compute capability {version[0]}"] if version else []
    return Part(
        f"GPU {index}",
        name,
        _known(free, _mebibytes),
        _known(total, _mebibytes),
        (*facts, f"driver {driver}"),
        (int(version[1]), int(version[2])) if version else None,
    )


def _mebibytes(text: str) -> int:
    return int(text) * 2**20


def _known(text: str, read: Callable[[str], int]) -> int | None:
    try:
        return read(text)
    except ValueError:
        return None
