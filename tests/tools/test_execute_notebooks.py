"""A tutorial is run as a person would run it and kept without a trace of the machine."""

from __future__ import annotations

from pathlib import Path

import execute_notebooks
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """Two cells: one prints what a machine would leak, one shows a value."""
    leak = "import os; print(os.environ.get('MLNB_DATA'), '/home/ann/models/digits.onnx')"
    path = tmp_path / "leaky.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(leak), new_code_cell("6 * 7")]), path)
    return path


def test_save_keeps_outputs_counts_and_nothing_of_the_machine(
    notebook, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("MLNB_DATA", str(notebook.parent))
    assert execute_notebooks.main(["--save", str(notebook)]) == 0
    kept = nbformat.read(notebook, as_version=4)
    first, second = kept.cells
    assert first.outputs[0].text == "None digits.onnx\n"
    assert second.outputs[0].data["text/plain"] == "42"
    assert [cell.execution_count for cell in kept.cells] == [1, 2]
    assert kept.metadata == execute_notebooks.METADATA
    assert "execution" not in first.metadata
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "seconds", "result"]
    assert row.split()[0] == "leaky"
    assert row.split()[2] == "passed"


def test_a_cell_that_fails_is_a_row_and_a_code_and_the_file_stays(tmp_path: Path, capsys) -> None:
    path = tmp_path / "broken.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("raise ValueError('no such layer')")]), path)
    before = path.read_bytes()
    assert execute_notebooks.main(["--save", str(path)]) == 1
    assert "failed: ValueError: no such layer" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_a_picture_in_base64_is_left_as_it_is() -> None:
    picture = {"text/html": "<img src='data:image/png;base64,AAAA/tmp/abc+/root/x=='>"}
    assert execute_notebooks.without_paths(picture) == picture
