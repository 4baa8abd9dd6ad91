"""A long call shows how far it is below its cell, and leaves nothing to be saved."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from mlnb import progress
from mlnb.magics import progress_line

LONG = """
from mlnb import progress
progress.QUIET_SECONDS = progress.TICK_SECONDS = 0.0
with progress.progress("net", 2000) as done:
    print("before")
    for count in (500, 1000, 2000):
        done(count)
    {then}
"""


@pytest.fixture
def sent(kernel):
    """Every message of a cell about displays, as they went to the front end."""

    def run(code: str) -> list[tuple[str, dict]]:
        messages = []
        kernel.client.execute_interactive(
            code,
            timeout=30,
            output_hook=lambda m: messages.append((m["msg_type"], m["content"])),
        )
        return messages

    return run


def test_one_line_is_written_over_and_emptied(sent):
    messages = [(k, c) for k, c in sent(LONG.format(then="pass")) if "display_data" in k]
    assert [kind for kind, _ in messages] == ["display_data"] + ["update_display_data"] * 4
    assert [c["data"].get("text/plain") for _, c in messages] == [
        "net: 500 of 2,000",
        "net: 1,000 of 2,000",
        "net: 2,000 of 2,000",
        "net: 2,000 of 2,000",
        None,
    ]
    assert len({c["transient"]["display_id"] for _, c in messages}) == 1


@pytest.mark.parametrize("then", ["pass", "1 / 0"], ids=["it ends well", "it fails"])
def test_what_is_saved_shows_nothing_of_it(then):
    cells = ["import mlnb\n%load_ext mlnb", LONG.format(then=then)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=60, allow_errors=True, kernel_name="python3").execute()
    nbformat.validate(notebook)
    outputs = notebook.cells[1].outputs
    assert [o["name"] for o in outputs if o.output_type == "stream"] == ["stdout"]
    assert [dict(o["data"]) for o in outputs if o.output_type == "display_data"] == [{}]
    assert "2,000" not in str([o for o in outputs if o.output_type != "error"])


def test_a_terminal_keeps_its_line_on_stderr(terminal, monkeypatch):
    for name in ("QUIET_SECONDS", "TICK_SECONDS"):
        monkeypatch.setattr(progress, name, getattr(progress, name))  # the cell sets them
    ran = terminal.run(LONG.format(then="pass"))
    assert ran.err.startswith("\rnet: 500 of 2,000\rnet: 1,000 of 2,000")
    assert ran.err.endswith("\n")
    assert ran.outputs == []


def test_unloading_gives_the_former_sink_back(shell, monkeypatch):
    former = progress.set_sink(None)
    monkeypatch.setattr(shell, "kernel", object(), raising=False)
    for _ in range(2):
        progress_line.install(shell)
    assert isinstance(progress.set_sink(progress._sink), progress_line.CellLine)
    progress_line.remove()
    progress_line.remove()
    assert progress.set_sink(former) is former
