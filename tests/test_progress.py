"""Progress is told after a second, at most ten times a second, and always at the end."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from mlnb import progress as module
from mlnb.progress import progress, set_sink, shown_by


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def told():
    calls: list[tuple[str, int, int]] = []
    previous = set_sink(lambda *call: calls.append(call))
    yield calls
    set_sink(previous)


def test_short_work_says_nothing(clock, told):
    with progress("net", 3) as done:
        for step in range(3):
            done(step + 1)
    assert told == []


def test_long_work_is_told_now_and_then_and_at_the_end(clock, told):
    with progress("net", 1000) as done:
        for step in range(1000):
            clock[0] += 0.01
            done(step + 1)
    assert 80 <= len(told) <= 95
    assert told[0][1] >= 100
    assert told[-1] == ("net", 1000, 1000)


def test_the_end_is_told_also_when_the_work_fails(clock, told):
    with suppress(KeyboardInterrupt), progress("net", 10) as done:
        clock[0] = 2.0
        done(4)
        clock[0] = 2.01
        done(5)
        raise KeyboardInterrupt
    assert told == [("net", 4, 10), ("net", 5, 10)]


def test_a_plain_script_gets_one_line_on_stderr(clock, capsys):
    with progress("net", 2000) as done:
        clock[0] = 2.0
        done(1000)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "\rnet: 1,000 of 2,000\rnet: 1,000 of 2,000\n"


def test_how_many_a_second_is_told_after_the_label(clock, told):
    with progress("features", 400, "pictures") as done:
        clock[0] += 2
        done(50)
    assert told[0] == (f"features{module.RATE}25 pictures/s", 50, 400)


def test_a_thread_may_show_its_own_work_elsewhere(clock, told):
    mine: list[tuple[str, int, int]] = []

    def work() -> None:
        with progress("slow", 2) as done:
            clock[0] += 2
            done(1)

    def elsewhere() -> None:
        with shown_by(lambda *text: mine.append(text)):
            work()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert mine[0] == ("slow", 1, 2)
    assert told == []
    work()
    assert told[0] == ("slow", 1, 2)
