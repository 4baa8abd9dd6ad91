"""The whole way through a real kernel: outputs as a notebook stores them, and widget messages."""

from __future__ import annotations

import time
from pathlib import Path
from queue import Empty

import ipykernel
import nbformat
import pytest
from nbclient import NotebookClient

import mlnb

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("%mlload net.onnx", ["text/html", VIEW]),
        ("m = %mlload net.onnx", ["text/html", VIEW]),
        ("%mlload net.onnx;", []),
        ("m = %mlload net.onnx --name other;", []),
        ("net", ["text/html", VIEW]),
        ("display(net)", ["text/html", VIEW]),
        ("net.inputs", ["text/html", VIEW]),
        ("from mlnb import GraphViewer\nGraphViewer(net)", ["text/html", VIEW]),
        ("v = GraphViewer(net)\ndisplay(v)\nv", ["text/html", VIEW] * 2),
    ],
)
def test_the_outputs_of_a_cell_are_the_picture_then_the_view(kernel, cell: str, kinds: list[str]):
    outputs = kernel.run(cell)
    assert [next(k for k in (VIEW, "text/html") if k in o["data"]) for o in outputs] == kinds
    assert {o["type"] for o in outputs} <= {"display_data"}


def test_a_mistake_prints_one_line_and_stops_the_notebook(kernel):
    outputs = kernel.run("%mlload nett.onnx")
    assert [o["type"] for o in outputs] == ["stream"]
    assert outputs[0]["text"].startswith("UsageError: no file nett.onnx in ")
    assert outputs[0]["text"].count("\n") == 1


def test_the_manual_is_shown(kernel):
    reply = kernel.client.execute("%mlload?", reply=True, timeout=20)
    text = reply["content"]["payload"][0]["data"]["text/plain"]
    assert "%mlload PATH [--name NAME]" in text
    assert "The same in Python" in text


def test_completion_reaches_the_front_end(kernel):
    line = "m = %mlload net.onnx --na"
    reply = kernel.client.complete(line, len(line), reply=True, timeout=20)["content"]
    assert reply["matches"] == ["--name"]
    assert line[: reply["cursor_start"]] == "m = %mlload net.onnx "


@pytest.mark.skipif(ipykernel.version_info[0] < 7, reason="ipykernel has subshells from 7 on")
def test_a_view_answers_a_message_while_a_cell_runs(kernel):
    """Through a subshell, as JupyterLab sends it; ipykernel 7.4 alone would wait for the cell."""
    client = kernel.client
    kernel.run("%mlload net.onnx;")
    comm = kernel.printed("from mlnb import GraphViewer\nv = GraphViewer(net); print(v.model_id)")
    control = client.session.msg("create_subshell_request", {})
    client.control_channel.send(control)
    subshell = client.get_control_msg(timeout=20)["content"]["subshell_id"]
    busy = client.execute("import time\nv.height = 300\ntime.sleep(3)\nprint('cell done')")
    time.sleep(0.5)
    content = {"kind": "tensor", "request": 7, "graph": 0, "value": "x_w"}
    data = {"method": "custom", "content": content}
    message = client.session.msg("comm_msg", {"comm_id": comm.strip(), "data": data})
    message["header"]["subshell_id"] = subshell
    sent = time.monotonic()
    client.shell_channel.send(message)
    answer = next(m for m in arriving(client) if m.get("kind") in ("tensor", "error"))
    assert answer["kind"] == "tensor", answer
    assert (answer["dtype"], answer["shape"]) == ("float32", "[4]")
    assert answer["stats"]["maximum"] == 4
    assert time.monotonic() - sent < 1.5
    while client.get_shell_msg(timeout=20)["parent_header"].get("msg_id") != busy:
        pass


def test_shapes_arrive_after_the_first_picture(kernel):
    kernel.run("%mlload net.onnx --name fresh;")
    kernel.run("from mlnb import GraphViewer\nv = GraphViewer(fresh); before = v.payload")
    assert kernel.printed("print(fresh.graph.value('x_m').shape)") == "None\n"
    kernel.run("v._handle_custom_msg({'kind': 'ready'}, [])")
    kernel.run("import time\nwhile v.status and time.sleep(0.05) is None: pass", timeout=60)
    assert kernel.printed("print(fresh.graph.value('x_m').shape)") == "('N', 4)\n"
    assert kernel.printed("print(v.payload != before, v.status)") == "True \n"


def arriving(client, seconds: float = 10):
    """What the kernel's widgets send, as it comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            message = client.get_iopub_msg(timeout=1)
        except Empty:
            continue
        if message["msg_type"] == "comm_msg":
            yield message["content"]["data"].get("content") or {}
    pytest.fail("no answer came")


def test_a_notebook_runs_headless_and_keeps_its_pictures(folder: Path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(mlnb.__file__).parents[1]))
    cells = ["%load_ext mlnb", "m = %mlload net.onnx", "m", "%mlio m", "1 + 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    kept = [[sorted(o.get("data", {})) for o in cell.outputs] for cell in notebook.cells]
    pair = [["text/html", "text/plain"], [VIEW, "text/plain"]]
    assert kept == [[], pair, pair, pair, [["text/plain"]]]
    nbformat.validate(notebook)
    assert all(len(str(cell.outputs)) < 60_000 for cell in notebook.cells)
