"""The wheel works where there is no checkout; the archives hold what they should and no more."""

from __future__ import annotations

import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import nbformat
import pytest
from models_made import onnx_models
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import mlnb

ROOT = Path(__file__).resolve().parents[2]
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
BUNDLES = ["graph_viewer.css", "graph_viewer.js", "tensor_table.css", "tensor_table.js"]


@pytest.fixture(scope="module")
def wheel_files(archives) -> dict[str, bytes]:
    """Name and content of everything in the wheel."""
    with zipfile.ZipFile(archives.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def source_files(archives) -> list[str]:
    """The names in the source archive, without the folder around them."""
    with tarfile.open(archives.source) as archive:
        return [member.name.partition("/")[2] for member in archive if member.isfile()]


# ---------------------------------------------------------------------------------- what is inside


def test_the_wheel_holds_the_package_the_bundles_and_the_tutorials_and_nothing_else(wheel_files):
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mlnb").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".pyo")
    }
    tutorials = {f"mlnb/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert tutorials
    assert {f"mlnb/widgets/static/{name}" for name in BUNDLES} <= package
    ours = {name for name in wheel_files if ".dist-info/" not in name}
    assert ours == package | tutorials


def test_what_is_bundled_bears_its_notices(wheel_files):
    bundle = wheel_files["mlnb/widgets/static/graph_viewer.js"].decode()
    for package in ("@dagrejs/dagre", "@dagrejs/graphlib"):
        notice = bundle.partition(f"{package} ")[2].partition("*/")[0]
        assert "(MIT), bundled below" in notice
        assert "Copyright (c)" in notice
        assert "WITHOUT WARRANTY OF ANY KIND" in notice
    (licence,) = (n for n in wheel_files if n.endswith(".dist-info/licenses/LICENSE"))
    assert wheel_files[licence] == (ROOT / "LICENSE").read_bytes()


def test_the_wheel_says_what_it_is_and_what_it_needs(wheel_files):
    (name,) = (n for n in wheel_files if n.endswith(".dist-info/METADATA"))
    said = Parser().parsestr(wheel_files[name].decode())
    assert (said["Name"], said["Version"]) == ("mlnb", mlnb.__version__)
    core = [need for need in said.get_all("Requires-Dist") if "extra ==" not in need]
    assert len(core) == 6
    assert not any(need.startswith(("torch", "tensorflow", "jupyterlab")) for need in core)


def test_the_source_archive_has_the_sources_of_the_bundles_and_neither_tests_nor_downloads(
    source_files,
):
    assert "js/src/graph_viewer/index.ts" in source_files
    assert "mlnb/widgets/static/graph_viewer.js" in source_files
    assert "js/package-lock.json" in source_files
    for unwanted in ("tests/", "js/test/", "js/node_modules/", "docs/", ".ci/", ".venv/", "dist/"):
        assert not [name for name in source_files if name.startswith(unwanted)], unwanted
    assert not [name for name in source_files if "__pycache__" in name]


# ------------------------------------------------------------------------------------ that it runs


def test_the_wheel_alone_shows_a_widget_and_predicts_in_a_kernel(installed, monkeypatch):
    for name, value in installed.surroundings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (installed.folder / "net.onnx").write_bytes(onnx_models.convnet())
    cells = [
        "import mlnb; mlnb.__file__",
        "%load_ext mlnb",
        "net = %mlload net.onnx",
        "import numpy as np\n"
        "feeds = {s.name: np.zeros([d or 1 for d in s.shape], s.dtype) for s in net.inputs}\n"
        "list(net.predict(feeds)) == net.outputs.names",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(installed.folder)}}
    NotebookClient(notebook, timeout=60, kernel_name="wheel", resources=resources).execute()
    where, loaded, shown, predicted = (cell.outputs for cell in notebook.cells)
    assert str(installed.folder) in where[0].data["text/plain"]
    assert loaded == []
    assert [sorted(output.data) for output in shown] == [
        ["text/html", "text/plain"],
        [VIEW, "text/plain"],
    ]
    assert has_front_end_code(notebook, shown[1].data[VIEW]["model_id"])
    assert predicted[0].data["text/plain"] == "True"


def has_front_end_code(notebook: nbformat.NotebookNode, model: str) -> bool:
    """Whether the widget came with the bundle that draws it."""
    state = notebook.metadata.widgets[STATE]["state"][model]["state"]
    return "render" in state["_esm"] and ".mlnb" in state["_css"]


def test_the_wheel_copies_its_tutorials(installed):
    said = installed.run("-m", "mlnb", "tutorials", "lessons").splitlines()
    tutorials = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [Path(line).name for line in said] == [path.name for path in tutorials]
    for path in tutorials:
        assert (installed.folder / "lessons" / path.name).read_bytes() == path.read_bytes()


def test_the_wheel_says_its_version_without_a_command(installed):
    assert installed.run("-m", "mlnb").startswith(f"mlnb {mlnb.__version__}: ")
