"""`%load_ext`, `%reload_ext`, `%unload_ext`: what lights up, and that it goes out again."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import mlnb
from mlnb.graph.graph import Graph, Node

VERBS = {"mlload", "mlgraph", "mlio", "mlpredict", "mlsample"}


def registered(shell) -> tuple[set[str], int, int, int]:
    """Our magics, and how many matchers, formatters and callbacks there are in all."""
    formatter = shell.display_formatter.ipython_display_formatter
    return (
        VERBS & set(shell.magics_manager.magics["line"]),
        len(shell.Completer.custom_matchers),
        len(formatter.type_printers) + len(formatter.deferred_printers),
        len(shell.events.callbacks["pre_run_cell"]),
    )


def test_loading_again_is_as_good_as_once(shell):
    before = registered(shell)
    mlnb.load_ipython_extension(shell)
    once = registered(shell)
    mlnb.load_ipython_extension(shell)
    assert registered(shell) == once
    assert once[0] == VERBS
    mlnb.unload_ipython_extension(shell)
    assert registered(shell) == before
    mlnb.unload_ipython_extension(shell)
    assert registered(shell) == before


def test_a_model_outlives_a_reload(notebook, folder: Path):
    notebook.run("%load_ext mlnb")
    notebook.run("%mlload net.onnx;")
    ran = notebook.run("%reload_ext mlnb")
    assert ran.error is None
    assert notebook.run("net").viewers == 1
    assert notebook.run("%mlgraph net").viewers == 1


def test_without_the_extension_a_model_shows_its_picture_and_text(notebook, folder: Path):
    notebook.run("%load_ext mlnb")
    notebook.run("%mlload net.onnx;")
    notebook.run("%unload_ext mlnb")
    assert "%mlload` not found" in notebook.run("%mlload net.onnx").err
    ran = notebook.run("display(net)")
    (shown,) = (o["data"] for o in ran.outputs)
    assert {"text/plain", "text/html"} <= set(shown)
    assert "<script" not in shown["text/html"]


def test_a_viewer_shows_itself_without_the_extension(notebook):
    mlnb.unload_ipython_extension(notebook.shell)
    notebook.names["viewer"] = mlnb.GraphViewer(Graph("g", (Node("a", "Relu", ("x",), ("y",)),)))
    assert notebook.run("viewer").viewers == 1


def test_loading_imports_no_widgets_and_no_runtime():
    import subprocess

    code = (
        "import sys, mlnb\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "mlnb.load_ipython_extension(InteractiveShell.instance())\n"
        "print(*(m for m in ('anywidget', 'ipywidgets', 'onnx', 'onnxruntime', 'pandas', 'torch')"
        " if m in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_colab_is_told_to_draw_widgets(shell, monkeypatch):
    switched = []
    colab = ModuleType("google.colab")
    colab.output = SimpleNamespace(enable_custom_widget_manager=lambda: switched.append(True))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    mlnb.load_ipython_extension(shell)
    mlnb.unload_ipython_extension(shell)
    assert switched == [True]


def test_a_colab_that_has_no_such_switch_is_left_alone(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    mlnb.load_ipython_extension(shell)
    mlnb.unload_ipython_extension(shell)
