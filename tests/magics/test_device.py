"""`%mldevice`: the table, once, and the object."""

from __future__ import annotations

from mlnb.device.table import Devices


def test_it_shows_the_table_once_and_returns_it(notebook):
    ran = notebook.run("%mldevice")
    assert ran.error is None
    (shown,) = ran.outputs
    assert "<table" in shown["data"]["text/html"]
    assert shown["data"]["text/plain"].startswith("CPU")
    assert notebook.run("there = %mldevice").error is None
    assert isinstance(notebook.names["there"], Devices)
    assert len(notebook.run("there").outputs) == 1


def test_a_semicolon_shows_nothing(notebook):
    assert notebook.run("there = %mldevice;").outputs == []
    assert notebook.run("%mldevice;").outputs == []


def test_a_terminal_is_shown_the_text_once(terminal):
    assert terminal.run("%mldevice").out.count("onnxruntime") == 1


def test_too_much_is_refused_in_a_line(notebook):
    assert "is too much" in notebook.run("%mldevice gpu").err
