"""A run in a plain terminal."""

import io
from types import SimpleNamespace

import pytest

from mlnb.train.show import notices
from mlnb.train.show.notices import TerminalLine, terminal_line
from mlnb.train.trainer import Trainer


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def stream():
    return Terminal()


def run_saying(*texts):
    return SimpleNamespace(name="net-1", notices=list(texts))


def test_nothing_but_notices_is_written_in_the_first_second(stream):
    line = TerminalLine(stream)
    line(run_saying("loss: mse"))
    line(run_saying("loss: mse"))
    line.end(run_saying("loss: mse", "done"))
    assert stream.getvalue() == "net-1: loss: mse\nnet-1: done\n"


def test_then_one_line_is_written_over_and_ended(stream, monkeypatch, rows, classifier):
    monkeypatch.setattr(notices, "QUIET_SECONDS", 0.0)

    class Watch:
        def on_fit_begin(self, run):
            terminal_line(run, stream)

    Trainer(classifier(), callbacks=[Watch()]).fit(rows, epochs=3, folder=False, name="net")
    said, *rest = stream.getvalue().split("\n")
    assert said == (
        "net: loss: cross_entropy (integer targets, 2 outputs); optimizer: adamw fused, lr 0.001"
    )
    assert rest[-1] == ""
    assert len(rest) == 2
    updates = rest[0].split("\r")
    assert len(updates) >= 4
    assert updates[1].startswith("net: epoch ")
    assert updates[-1].startswith("net: finished: 3 epochs, 12 steps")


def test_a_log_gets_whole_lines_now_and_then(monkeypatch, rows, classifier):
    monkeypatch.setattr(notices, "QUIET_SECONDS", 0.0)
    log = io.StringIO()

    class Watch:
        def on_fit_begin(self, run):
            terminal_line(run, log)

    Trainer(classifier(), callbacks=[Watch()]).fit(rows, epochs=3, folder=False, name="net")
    said, first, last, rest = log.getvalue().split("\n")
    assert "\r" not in log.getvalue()
    assert said.startswith("net: loss: cross_entropy")
    assert first.startswith("net: epoch ")
    assert last.startswith("net: finished: 3 epochs, 12 steps")
    assert rest == ""


def test_a_shorter_line_covers_the_longer_one_before(stream):
    line = TerminalLine(stream)
    line._over("a long line")
    line._over("short")
    assert stream.getvalue().endswith("\rshort      ")


def test_nobody_is_told_any_more_once_it_is_undone(stream, rows, classifier):
    class Watch:
        def on_fit_begin(self, run):
            terminal_line(run, stream)()

    Trainer(classifier(), callbacks=[Watch()]).fit(rows, epochs=1, folder=False)
    assert stream.getvalue() == ""


def test_a_hostile_notice_cannot_move_the_cursor(stream):
    TerminalLine(stream)(run_saying("label \x1b[2J\r\n"))
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_plain_script_gets_the_line(rows, classifier, monkeypatch, capsys):
    monkeypatch.setattr("mlnb.train.active.has_listeners", lambda: False)
    Trainer(classifier()).fit(rows, epochs=1, folder=False, name="net")
    assert "net: loss: cross_entropy" in capsys.readouterr().err
