"""What the repository says of itself is true: the README's tour, the tutorials, the files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import environment
import execute_notebooks
import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Written in two parts, so that this file does not find itself.
HOSTS = ["pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org"]
# Folders of one machine that no file needs to name; /tmp and /usr are the same everywhere.
HOMES = re.compile(r"(?<![\w.+/=])/(?:home|Users|root|work)/[\w.-]+")


def repository_files() -> list[Path]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """Name and text of every such file that is text, the tools' own tests left out."""
    found = []
    for file in repository_files():
        name = file.relative_to(ROOT).as_posix()
        try:
            found.append((name, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def readme_cells() -> list[str]:
    """The README's blocks of Python, as cells."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_readme_tour_runs_as_it_stands(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("MLNB_DATA", raising=False)
    cells = readme_cells()
    assert all(len(cell.splitlines()) <= 12 for cell in cells)
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources)
    client.execute()
    shape, summary, _, branches, accuracy, liked = (cell.outputs[-1] for cell in notebook.cells)
    assert shape.data["text/plain"] == "(1, 1000, 1, 1)"
    assert "Conv" in summary.data["text/plain"]
    assert "<img" in branches.data["text/html"]
    assert float(accuracy.data["text/plain"]) > 0.9
    assert liked.data["text/plain"] == "array([1, 0])"


def test_what_the_documents_link_to_exists() -> None:
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("http"):
                assert (ROOT / target).exists(), f"{document.name} links to {target}"


def test_what_contributing_tells_to_read_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for name in re.findall(r"`((?:mlnb|js|tests)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_tutorial_is_committed_as_it_ran_without_a_trace_of_the_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    assert notebook.metadata == execute_notebooks.METADATA
    for cell in cells:
        assert not any(output.output_type == "error" for output in cell.outputs)
        assert not any(output.get("name") == "stderr" for output in cell.outputs)
        for output in cell.outputs:
            assert execute_notebooks.without_paths(dict(output)) == dict(output)


def test_no_file_names_a_home_folder_or_a_package_index() -> None:
    for name, text in texts():
        if not name.startswith("tests/tools/"):
            assert not HOMES.search(text), f"{name}: {HOMES.search(text)}"
        assert not [host for host in HOSTS if host in text], name


def test_constraints_pin_every_line_and_name_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 100
    for line in pins:
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.!+-]+", line), line


def test_the_sizes_stand_in_one_place() -> None:
    figures = [f"{environment.DOWNLOAD_GB:.1f} GB", f"{environment.DISK_GB:.1f} GB"]
    for name in ("README.md", "CONTRIBUTING.md", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text()
        assert not [figure for figure in figures if figure in text], name
