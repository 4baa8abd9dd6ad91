import os
import signal
import threading
import time

import pytest

from mlnb.train.steer import interrupts
from mlnb.train.steer.control import Control
from mlnb.train.steer.interrupts import ladder, shield


def interrupt() -> None:
    """SIGINT, which Python has handled when this returns."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "SECOND_AFTER", 0.0)


def test_the_first_interrupt_asks_the_run_to_stop() -> None:
    control = Control()
    with ladder(control):
        interrupt()
    assert control.stopping
    assert control.reason == "interrupted"


def test_a_second_one_at_once_is_the_same_one() -> None:
    control = Control()
    with ladder(control):
        interrupt()
        interrupt()
    assert len(list(control.taken())) == 1


@pytest.mark.usefixtures("impatient")
def test_a_second_one_later_is_a_keyboard_interrupt() -> None:
    with ladder(Control()):
        interrupt()
        time.sleep(0.01)
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_after_a_stop_that_was_just_asked_an_interrupt_is_left_out() -> None:
    control = Control()
    control.request("stop")
    with ladder(control) as mine:
        interrupt()
        assert mine.first is None
        control._stop_asked -= 3.1
        interrupt()
        assert mine.first is not None
    assert control.reason == "stopped"


def test_the_handler_before_it_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with ladder(Control()) as outer:
        assert signal.getsignal(signal.SIGINT) is outer
        with pytest.raises(ZeroDivisionError), ladder(Control()):
            _ = 1 / 0
        assert signal.getsignal(signal.SIGINT) is outer
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_during_the_preparations_stops_the_run_they_make() -> None:
    control = Control()
    with ladder():
        interrupt()
        with ladder(control):
            assert control.stopping


def test_another_thread_leaves_the_handler_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with ladder(Control()), shield():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.usefixtures("impatient")
def test_a_shield_keeps_the_keyboard_interrupt_back_to_its_end() -> None:
    done = []

    def shielded() -> None:
        with shield():
            with shield():
                interrupt()
                time.sleep(0.01)
                interrupt()
                done.append("inner")
            done.append("outer")

    with ladder(Control()), pytest.raises(KeyboardInterrupt):
        shielded()
    assert done == ["inner", "outer"]


def test_a_shield_alone_keeps_an_interrupt_for_the_handler_that_was_there() -> None:
    before, done = signal.getsignal(signal.SIGINT), []

    def shielded() -> None:
        with shield():
            interrupt()
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        shielded()
    assert done == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_shield_alone_respects_a_handler_that_ignores() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with shield():
            interrupt()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_shield_can_be_entered_again_and_again() -> None:
    again = shield()
    with ladder(Control()):
        for _ in range(3):
            with again:
                pass


def test_an_interrupt_from_outside_reaches_the_run_within_50_ms() -> None:
    control = Control()
    with ladder(control):
        sent = []

        def send() -> None:
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.02, send)
        timer.start()
        while not control.pending:
            time.sleep(0.001)
        assert time.monotonic() - sent[0] < 0.05
        timer.join()
