"""What the tutorials keep is what GitHub shows, and nbval compares only what a cell asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import acts
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
MARK = "# NBVAL_CHECK_OUTPUT\n"


def kept(path: Path) -> str:
    """Everything that the notebook's outputs show, as one text."""
    notebook = nbformat.read(path, as_version=4)
    return json.dumps([cell.get("outputs", []) for cell in notebook.cells])


def test_the_first_tutorial_shows_a_table_a_graph_and_pictures_without_a_kernel():
    shown = kept(NOTEBOOKS[0])
    assert "<table" in shown
    assert "data:image/svg+xml;base64," in shown
    assert "data:image/png;base64," in shown or '"image/png"' in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_tutorial_is_kept_as_a_machine_with_a_folder_of_data_ran_it(path: Path):
    shown = kept(path)
    assert "squeezenet1.1_fp16" not in shown
    assert "MANIFEST.tsv" not in shown


@pytest.mark.parametrize(("source", "passes"), [("1 + 1", True), (f"{MARK}1 + 1", False)])
def test_nbval_compares_the_cells_that_are_marked_and_no_other(
    tmp_path: Path, source: str, passes: bool
):
    stale = new_output("execute_result", {"text/plain": "3"}, execution_count=1)
    cell = new_code_cell(source, outputs=[stale], execution_count=1)
    path = tmp_path / "stale.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *acts.NBVAL]
    ran = subprocess.run([*command, path.name], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode == 0) is passes, ran.stdout
    assert passes or "mismatch" in ran.stdout
