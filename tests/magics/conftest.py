"""A running IPython with the extension loaded, a real kernel, and small model files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from onnx import TensorProto, helper
from traitlets.config import Config

import mlnb


def model_bytes(inputs: tuple[str, ...] = ("x",), shape: tuple[Any, ...] = ("N", 4)) -> bytes:
    """A model that multiplies each input with a weight and adds them up, without inner shapes."""
    names = [f"{name}_w" for name in inputs]
    nodes = [
        helper.make_node("Mul", [name, weight], [f"{name}_m"], name=f"layer_{name}/Mul")
        for name, weight in zip(inputs, names, strict=True)
    ]
    nodes.append(helper.make_node("Sum", [f"{n}_m" for n in inputs], ["y"], name="Sum_0"))
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in inputs],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor(n, TensorProto.FLOAT, [4], [1, 2, 3, 4]) for n in names],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two models, a text and a folder in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(model_bytes())
    (tmp_path / "two inputs.onnx").write_bytes(model_bytes(("a", "b")))
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "deep.onnx").write_bytes(model_bytes())
    return tmp_path


@dataclass
class Ran:
    """What a person sees of one cell."""

    out: str
    err: str
    outputs: list[dict[str, Any]]
    result: Any
    error: BaseException | None

    @property
    def viewers(self) -> int:
        """How many live views the cell shows."""
        return sum("application/vnd.jupyter.widget-view+json" in o["data"] for o in self.outputs)

    @property
    def pictures(self) -> int:
        """How many static outputs the cell shows."""
        return sum("data-mlnb-static" in o["data"].get("text/html", "") for o in self.outputs)


class Notebook:
    """IPython in this process, run cell by cell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.names = shell.user_ns

    def run(self, code: str) -> Ran:
        with capture_output() as captured:
            ran = self.shell.run_cell(code, store_history=True)
        outputs = [{"data": o.data} for o in captured.outputs]
        error = ran.error_in_exec or ran.error_before_exec
        return Ran(captured.stdout, captured.stderr, outputs, ran.result, error)

    def complete(self, line: str) -> list[str]:
        """The whole lines that completion at the end of `line` offers."""
        with provisionalcompleter():
            offered = list(self.shell.Completer.completions(line, len(line)))
        return [line[: c.start] + c.text for c in offered]


@pytest.fixture(scope="session")
def shell() -> Iterator[InteractiveShell]:
    """One IPython in this process, which keeps no history on disk."""
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


@pytest.fixture
def terminal(shell: InteractiveShell) -> Iterator[Notebook]:
    """Plain IPython with the extension loaded and no variables of the user's."""
    before = set(shell.user_ns)
    mlnb.load_ipython_extension(shell)
    yield Notebook(shell)
    mlnb.unload_ipython_extension(shell)
    for name in set(shell.user_ns) - before:
        del shell.user_ns[name]


@pytest.fixture
def notebook(terminal: Notebook, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """The same where a front end draws widgets."""
    monkeypatch.setattr("mlnb.widgets.base.has_front_end", lambda: True)
    return terminal


class Kernel:
    """A real ipykernel, spoken to as a front end does."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, code: str, timeout: float = 30) -> list[dict[str, Any]]:
        """The outputs of a cell, as a notebook stores them."""
        outputs: list[dict[str, Any]] = []
        kept = ("display_data", "execute_result", "stream", "error")
        self.client.execute_interactive(
            code,
            store_history=True,
            timeout=timeout,
            output_hook=lambda m: (
                outputs.append({"type": m["msg_type"], **m["content"]})
                if m["msg_type"] in kept
                else None
            ),
        )
        return outputs

    def printed(self, code: str) -> str:
        return "".join(o["text"] for o in self.run(code) if o["type"] == "stream")


@pytest.fixture(scope="session")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all tests that need a real one; the extension is loaded."""
    from jupyter_client.manager import start_new_kernel

    folder = tmp_path_factory.mktemp("kernel")
    (folder / "net.onnx").write_bytes(model_bytes())
    root = str(Path(mlnb.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root, "IPYTHONDIR": str(folder / "ipython")}
    manager, client = start_new_kernel(cwd=str(folder), env=environment)
    try:
        kernel = Kernel(client)
        kernel.run("%load_ext mlnb")
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
