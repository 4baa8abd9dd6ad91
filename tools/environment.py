"""The environment in `.venv`: made once, checked on every call, remade when it no longer fits.

It fits as long as its stamp does: a digest of pyproject.toml and constraints.txt (their content, as
git gives files a new time on every checkout) and of the folder, because a moved environment keeps
scripts that start the Python of the old place. Standard library only: it runs before anything is
installed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Measured with constraints.txt on Linux x86-64, Python 3.11; nothing else repeats these figures.
DOWNLOAD_GB = 4.1
DISK_GB = 9.5


def ready(root: Path = ROOT) -> Path:
    """The Python of an environment that fits, made or renewed if need be.

    Args:
        root: the repository.

    Raises:
        SystemExit: with the one line to run where something is missing on this machine.
    """
    python = root / ".venv" / "bin" / "python"
    if fits(root):
        print("set-up: nothing to do")
        return python
    started = time.monotonic()
    if _made_here(root):
        print("set-up: .venv is not what pyproject.toml and constraints.txt say; renewing it")
    else:
        _say_sizes(root)
        _create(root)
    _install(root, python)
    stamp(root).write_text(digest(root))
    print(f"set-up: done in {time.monotonic() - started:.0f} s")
    return python


def fits(root: Path) -> bool:
    """Whether the environment stands, runs, and was made from the files as they are now."""
    file = stamp(root)
    return file.is_file() and file.read_text() == digest(root) and _runs(root)


def stamp(root: Path) -> Path:
    """The file that says from what the environment was made."""
    return root / ".venv" / "mlnb-ready"


def digest(root: Path) -> str:
    """What the environment was made from: its folder and the two files, one line each."""
    files = [root / "pyproject.toml", root / "constraints.txt"]
    lines = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return "\n".join([str(root), *lines]) + "\n"


def _made_here(root: Path) -> bool:
    """Whether there is an environment to go on with; one that was moved or is broken is none."""
    if not (root / ".venv").exists():
        return False
    file = stamp(root)
    if file.is_file() and file.read_text().split("\n")[0] != str(root):
        print("set-up: .venv was made in another folder; making it anew")
        return False
    if not _runs(root):
        print("set-up: the Python in .venv does not run; making it anew")
        return False
    return True


def _runs(root: Path) -> bool:
    python = root / ".venv" / "bin" / "python"
    try:
        answer = subprocess.run([python, "-c", "import pip"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _create(root: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise SystemExit(
            f"This Python ({sys.executable}) comes without venv. Run:\n"
            f"    sudo apt install python{version}-venv"
        ) from None
    print(f"set-up: .venv with {sys.executable} ({platform.python_version()})", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", root / ".venv"], check=True)


def _install(root: Path, python: Path) -> None:
    """`mlnb[all]`, editable, at the versions that were tested."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["-c", "constraints.txt", "-e", ".[all]"]
    command += [] if sys.stdout.isatty() else ["-qq"]  # errors only; a terminal gets the progress
    print("set-up: " + " ".join(["pip", *command[3:]]), flush=True)
    if subprocess.run(command, cwd=root).returncode:
        raise SystemExit("set-up: pip did not finish; what it says stands above")


def _say_sizes(root: Path) -> None:
    free = shutil.disk_usage(root).free / 1e9
    print(
        f"set-up: installs everything mlnb can use: about {DOWNLOAD_GB:.1f} GB to download, "
        f"{DISK_GB:.1f} GB on disk ({free:.0f} GB free)",
        flush=True,
    )
    if free < DISK_GB and "CI" not in os.environ:
        raise SystemExit(f"set-up: {free:.1f} GB free are not enough for {DISK_GB:.1f} GB")
