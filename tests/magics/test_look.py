"""`%mlload`, `%mlgraph`, `%mlio`: what is shown, what is bound, what is refused and how."""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path

import pytest
from file_server import Page, Server

import mlnb


@pytest.mark.parametrize(
    ("cell", "viewers"),
    [("%mlload net.onnx", 1), ("m = %mlload net.onnx", 1), ("%mlload net.onnx;", 0)],
)
def test_each_thing_is_shown_once(notebook, folder: Path, cell: str, viewers: int):
    ran = notebook.run(cell)
    assert ran.error is None
    assert (ran.viewers, ran.pictures, len(ran.outputs)) == (viewers, viewers, 2 * viewers)
    assert isinstance(notebook.names["net"], mlnb.Model)


def test_an_assignment_with_a_semicolon_still_assigns(notebook, folder: Path):
    ran = notebook.run("m = %mlload net.onnx;")
    assert ran.outputs == []
    assert notebook.names["m"] is notebook.names["net"]


def test_the_static_picture_comes_first_and_the_live_view_after_it(notebook, folder: Path):
    picture, view = (o["data"] for o in notebook.run("%mlload net.onnx").outputs)
    assert set(picture) == {"text/html", "text/plain"}
    assert "<script" not in picture["text/html"]
    assert len(picture["text/html"]) <= 60_000
    assert "x" in picture["text/plain"]
    assert set(view) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert "\n" not in view["text/plain"]


def test_a_model_as_the_last_line_shows_its_viewer(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    assert notebook.run("net").viewers == 1
    assert notebook.run("net.graph").viewers == 1
    assert notebook.run("net.inputs").viewers == 1
    assert notebook.run("display(net); net").viewers == 1


def test_a_viewer_is_shown_as_often_as_it_is_displayed(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    notebook.run("from mlnb import *")
    assert notebook.run("viewer = GraphViewer(net)").viewers == 0
    assert notebook.run("viewer").viewers == 1
    assert notebook.run("display(viewer)\nviewer").viewers == 2


def test_the_name_is_the_files_or_the_one_given(notebook, folder: Path):
    notebook.run("%mlload 'two inputs.onnx';")
    notebook.run("%mlload two\\ inputs.onnx --name both;")
    notebook.run(f"%mlload {folder}/models/deep.onnx;")
    notebook.run("%mlload --name=other net.onnx;  # a comment")
    for name in ("two_inputs", "both", "deep", "other"):
        assert isinstance(notebook.names[name], mlnb.Model), name


def test_a_path_may_begin_with_the_home_folder(notebook, folder: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert notebook.run("%mlload ~/models/deep.onnx;").error is None


def test_a_variable_may_hold_the_path_or_the_bytes(notebook, folder: Path):
    notebook.names["path"] = folder / "net.onnx"
    notebook.names["raw"] = (folder / "net.onnx").read_bytes()
    assert notebook.run("a = %mlload path --name a;").error is None
    assert notebook.run("b = %mlload raw --name b;").error is None
    assert notebook.names["a"].inputs == notebook.names["b"].inputs


def test_a_sample_is_loaded_by_its_name_where_no_file_is_called_so(notebook, folder: Path):
    ran = notebook.run("%mlload squeezenet --name s;")
    assert ran.error is None
    assert notebook.names["s"].title == "light_squeezenet.onnx"
    for name in ("squeezenet", "light_squeezenet.onnx"):
        assert notebook.run(f"%mlload {name};").error is None
        assert notebook.names["squeezenet"].name == "squeezenet"
    assert "light_squeezenet" not in notebook.names


def test_an_address_is_downloaded_by_the_line_that_its_refusal_names(
    notebook, folder: Path, monkeypatch
):
    monkeypatch.setenv("MLNB_CACHE", str(folder / "cache"))
    monkeypatch.delenv("MLNB_OFFLINE")
    with Server() as server:
        server.pages["/far.onnx"] = Page((folder / "net.onnx").read_bytes())
        refusal = notebook.run(f"%mlload {server.url('/far.onnx')}").err
        assert server.requests == []
        ran = notebook.run(refusal.partition("loads it: ")[2])
        assert ran.out.startswith(f"downloading {server.url('/far.onnx')} (")
        assert ran.viewers == 1
        assert notebook.names["far"].title == "far.onnx"
        again = notebook.run(f"%mlload {server.url('/far.onnx')} --download --name b;")
        assert ("downloading" in again.out, len(server.requests)) == (False, 1)
        assert "answers 404" in notebook.run(f"%mlload --download {server.url('/no')}").err


def test_a_variable_inside_a_function_is_found(notebook, folder: Path):
    ran = notebook.run(
        "def f():\n    here = 'net.onnx'\n    r = %mlload here;\n    return r\nm = f()"
    )
    assert ran.error is None
    assert isinstance(notebook.names["net"], mlnb.Model)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%mlload", "missing: path; it reads: %mlload PATH [--name NAME] [--signature NAME]"),
        ("%mlload net.onx", "did you mean net.onnx"),
        ("%mlload models", "models is a folder; name a file in it. It has: deep.onnx"),
        ("%mlload modls/deep.onnx", "there is no folder modls"),
        ("%mlload notes.txt", "notes.txt"),
        ("%mlload net.onnx --nmae n", "did you mean '--name'"),
        ("%mlload net.onnx --na n", "did you mean '--name'"),
        ("%mlload two inputs.onnx", "a path with a space stands in quotes"),
        ("%mlload 'net.onnx", "not closed"),
        ("%mlload net.onnx --name 1st", "'1st' cannot be a variable's name"),
        ("%mlload net.onnx --name class", "'class' cannot be a variable's name"),
        ("%mlload net.onnx --name print", "print is a function of Python already"),
        ("%mlload", "%mlload? shows the manual"),
        ("%mlload https://a.org/n.onnx", "loads it: %mlload --download https://a.org/n.onnx\n"),
        ("%mlload ftp://a.org/n.onnx --name n", "--download ftp://a.org/n.onnx --name n\n"),
        ("%mlload --download ftp://a.org/n.onnx", "begins with https:// or http://"),
        ("%mlload --download net.onnx", "--download takes an address, https://…; net.onnx is none"),
        ("%mlload --download https://a.org/n.onnx", "MLNB_OFFLINE is set"),
        ("%mlgraph", "missing: model"),
        ("%mlgraph nett", "no model 'nett', and no other model either"),
        ("%mlgraph In", "In is of type list, not a Model"),
        ("%mlgraph x.graph", "a magic takes names"),
        ("%mlgraph net --height tall", "invalid int value: 'tall'"),
        ("%mlload " + "n" * 5000, "cannot read"),
        ("%mlio nothing", "no model 'nothing'"),
        ("%%mlload net.onnx\n1", "line magic `%mlload` exists"),
    ],
)
def test_a_mistake_is_told_in_one_line(notebook, folder: Path, cell: str, said: str):
    ran = notebook.run(cell)
    assert ran.outputs == []
    assert ran.error is not None
    assert said in ran.err
    assert ran.err.startswith("UsageError: ")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.out + ran.err


def test_the_closest_model_is_named(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    notebook.run("neta = 3")
    assert "did you mean 'net'? Known: net\n" in notebook.run("%mlgraph nett").err


def test_a_variable_that_holds_something_else_is_not_overwritten(notebook, folder: Path):
    notebook.run("net = [1, 2, 3]")
    ran = notebook.run("%mlload net.onnx")
    assert "net is a list already" in ran.err
    assert "--name NAME" in ran.err
    assert notebook.names["net"] == [1, 2, 3]


def test_loading_twice_under_one_name_takes_the_new_one(notebook, folder: Path):
    first = notebook.run("a = %mlload net.onnx;") and notebook.names["net"]
    notebook.run("%mlload net.onnx;")
    assert notebook.names["net"] is not first
    assert notebook.run("%mlload net.onnx").viewers == 1


def test_a_bug_keeps_its_traceback(notebook, folder: Path, monkeypatch):
    monkeypatch.setattr("mlnb.magics.look.load_model", lambda source, name=None: 1 / 0)
    ran = notebook.run("%mlload net.onnx")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "Traceback" in ran.out + ran.err


def test_a_file_that_may_not_be_read_is_told(notebook, folder: Path, monkeypatch):
    def refuse(source, name=None):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("mlnb.magics.look.load_model", refuse)
    assert (
        notebook.run("%mlload net.onnx").err
        == "UsageError: cannot read net.onnx: Permission denied\n"
    )


def test_mlgraph_shows_and_returns_a_viewer(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    assert notebook.run("%mlgraph net").viewers == 1
    ran = notebook.run("v = %mlgraph net --height 300")
    assert ran.viewers == 1
    assert notebook.names["v"].height == 300
    assert notebook.names["v"].rows == []
    notebook.run("g = net.graph")
    assert notebook.run("%mlgraph g").viewers == 1
    assert notebook.run("%mlgraph net;").outputs == []


def test_a_height_that_no_canvas_has_is_told(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    ran = notebook.run("%mlgraph net --height 5")
    assert ran.err.startswith("UsageError: ")
    assert "120" in ran.err
    assert ran.err.count("\n") == 1


def test_mlio_shows_and_returns_a_table(notebook, folder: Path):
    notebook.run("%mlload net.onnx;")
    ran = notebook.run("t = %mlio net")
    assert ran.viewers == 1
    assert [row["name"] for row in notebook.names["t"].rows] == ["x", "y"]


def test_a_terminal_is_shown_text_only(terminal, folder: Path):
    ran = terminal.run("m = %mlload net.onnx")
    assert ran.outputs == []
    assert "net.onnx" in ran.out
    assert "float32" in ran.out
    assert re.fullmatch(r"Out\[\d+\]: Model\('net.onnx', .*\)\n", terminal.run("m").out)
    assert terminal.run("%mlgraph m;").out.endswith("]: GraphViewer('net.onnx', 2 nodes)\n")


@pytest.mark.parametrize("magic", ["mlload", "mlgraph", "mlio", "mlpredict", "mlsample"])
def test_the_docstring_is_the_manual(notebook, magic: str):
    function = notebook.shell.magics_manager.magics["line"][magic]
    manual = function.__doc__
    assert function.parser.line in manual
    assert "Examples" in manual
    assert "The same in Python:" in manual
    for argument in function.parser.arguments:
        word = argument.shown or argument.flag.upper()
        assert f"\n{argument.flag if argument.flag.startswith('-') else word} " in cleandoc(manual)
