"""A small environment with the IPython that Colab pins, before the packages of this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]

# What Colab runs; ipykernel of that age needs the client of that age.
COLAB = ["ipython==7.34.0", "ipykernel==6.17.1", "jupyter_client<8"]
# As Colab has it in every kernel from the start: the switch is a function of a package of its own.
FAKE_COLAB = """
switched = []
def enable_custom_widget_manager():
    switched.append(True)
"""


@dataclass(frozen=True)
class Environment:
    """A Python beside ours.

    Args:
        folder: where it lies.
        surroundings: the variables to run it with.
    """

    folder: Path
    surroundings: dict[str, str]

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run its Python in the repository."""
        return subprocess.run(
            [str(self.python), *command],
            cwd=ROOT,
            env=self.surroundings,
            capture_output=True,
            text=True,
        )


@dataclass(frozen=True)
class Kernel:
    """A kernel of that environment, spoken to by our client."""

    client: Any

    def run(self, code: str, **metadata: str) -> list[dict[str, Any]]:
        """The outputs of a cell; `metadata` is what a front end says of it."""
        outputs: list[dict[str, Any]] = []
        message = self.client.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
            metadata=metadata,
        )
        self.client.shell_channel.send(message)
        while True:
            came = self.client.get_iopub_msg(timeout=60)
            if came["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if came["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                outputs.append({"type": came["msg_type"], **came["content"]})
            if came["msg_type"] == "status" and came["content"]["execution_state"] == "idle":
                self.client.get_shell_msg(timeout=60)
                return outputs

    def complete(self, line: str) -> list[str]:
        """The whole lines that completion at the end of `line` offers."""
        reply = self.client.complete(line, len(line), reply=True, timeout=60)["content"]
        return [line[: reply["cursor_start"]] + match for match in reply["matches"]]


@pytest.fixture(scope="session")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment; where no package index answers, a skip with the reason."""
    folder = tmp_path_factory.mktemp("colab")
    environment = Environment(folder / "environment", _surroundings(folder))
    subprocess.run([sys.executable, "-m", "venv", environment.folder], check=True)
    installed = environment.run("-m", "pip", "install", "--quiet", *COLAB)
    if installed.returncode:
        message = f"pip could not install {COLAB}: {installed.stderr[-300:]}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    packages = environment.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    # A plain line: Python reads no `.pth` file of that folder, and puts it last.
    (Path(packages.stdout.strip()) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


@pytest.fixture(scope="session")
def colab_kernel(colab: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that looks like Colab's: its IPython, and its package in place."""
    home = tmp_path_factory.mktemp("kernels")
    package = home / "modules" / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from google.colab import output\n")
    (package / "output.py").write_text(FAKE_COLAB)
    kernel = home / "kernels" / "colab" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(colab.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "colab", "language": "python"}))
    specs = KernelSpecManager(kernel_dirs=[str(kernel.parents[1])], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="colab", kernel_spec_manager=specs)
    path = os.pathsep.join([str(home / "modules"), str(ROOT), str(ROOT / "tests")])
    manager.start_kernel(cwd=str(home), env=colab.surroundings | {"PYTHONPATH": path})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _surroundings(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("MLNB_DATA", "VIRTUAL_ENV")}
    return kept | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython")}
