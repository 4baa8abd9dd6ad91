"""The archives as `make wheel` builds them, and an environment that has the wheel alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Archives:
    """Both archives."""

    wheel: Path
    source: Path


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it and no way to the checkout.

    Its other packages are those of the running environment, whose path is added as a plain line:
    Python then reads no `.pth` file there, and so not the one that leads to the checkout.
    """

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "environment" / "bin" / "python"

    @property
    def surroundings(self) -> dict[str, str]:
        """The variables to run with: this environment's kernel, nothing of the checkout."""
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MLNB_DATA")}
        return kept | {"JUPYTER_PATH": str(self.folder / "jupyter")}

    def run(self, *command: str) -> str:
        """What `python` prints for these arguments, away from the checkout."""
        done = subprocess.run(
            [str(self.python), *command],
            cwd=self.folder,
            env=self.surroundings,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@pytest.fixture(scope="package")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The source archive, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = ["-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Archives(wheel, source)


@pytest.fixture(scope="package")
def installed(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment of its own."""
    there = Installed(tmp_path_factory.mktemp("installed"))
    environment = there.folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    pip = [sys.executable, "-m", "pip", f"--python={there.python}", "install", "--quiet"]
    options = ["--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, *options, str(archives.wheel)], check=True)
    packages = there.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(packages) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    kernel = there.folder / "jupyter" / "kernels" / "wheel" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(there.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "wheel", "language": "python"}))
    return there
