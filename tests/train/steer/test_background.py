import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from steered import Slow, fit, trainer, until

from mlnb.train.run import Run
from mlnb.train.steer import background

ROOT = os.path.abspath(os.path.join(__file__, *[os.pardir] * 4))


@pytest.fixture
def nobody_waits() -> Iterator[None]:
    before = background.set_headless(lambda: True)
    yield
    background.set_headless(before)


def test_a_run_in_the_background_comes_back_at_once_and_ends_by_itself() -> None:
    run = fit(trainer(callbacks=[Slow()]), background=True)
    assert run.active
    assert run.wait(timeout=30)
    assert run.stop_reason == "finished"


@pytest.mark.usefixtures("nobody_waits")
def test_headless_it_trains_before_fit_returns_and_says_so() -> None:
    run = fit(background=True)
    assert run.stop_reason == "finished"
    assert any("background" in notice for notice in run.notices)


@pytest.mark.usefixtures("nobody_waits")
def test_headless_an_error_is_kept_as_in_the_background() -> None:
    class Fails:
        def on_step_end(self, run: Run) -> None:
            raise ZeroDivisionError

    run = fit(trainer(callbacks=[Fails()]), background=True)
    assert run.status == "failed"
    with pytest.raises(Exception, match="Fails"):
        run.result()


@pytest.mark.parametrize(("word", "says"), [("1", True), ("", False), ("0", False), ("no", False)])
def test_the_environment_says_it_by_default(
    monkeypatch: pytest.MonkeyPatch, word: str, says: bool
) -> None:
    before = background.set_headless(None)
    monkeypatch.setenv("MLNB_HEADLESS", word)
    assert background.headless() is says
    background.set_headless(before)


def test_an_interrupt_while_one_waits_stops_the_run_gracefully() -> None:
    run = fit(trainer(callbacks=[Slow()]), epochs=10_000, background=True)
    until(lambda: run.step > 3)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    assert run.wait(timeout=20)
    assert run.stop_reason == "interrupted"


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}]
from steered import Slow, fit, trainer
class Tells:
    def on_fit_end(self, run):
        print("ended", run._control.reason, run.step, flush=True)
run = fit(trainer(callbacks=[Slow(0.005), Tells()]), epochs={epochs}, background=True)
{then}
print("script is over", flush=True)
"""


def script(epochs: int, then: str = "") -> subprocess.Popen[str]:
    code = SCRIPT.format(tests=os.path.join(ROOT, "tests"), epochs=epochs, then=then)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.slow
def test_a_script_that_is_over_waits_for_its_run() -> None:
    out, err = script(epochs=20).communicate(timeout=120)
    assert "script is over\nended stopped 160" in out, err


@pytest.mark.slow
def test_a_script_that_is_over_does_not_wait_for_a_run_that_is_paused() -> None:
    process = script(epochs=100_000, then="run.pause()")
    out, _ = process.communicate(timeout=60)
    assert "ended stopped" in out


@pytest.mark.slow
def test_ctrl_c_while_the_interpreter_waits_stops_the_run_gracefully() -> None:
    process = script(epochs=100_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "script is over\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "ended interrupted" in out
    assert "Traceback" not in err
    assert process.returncode == 0
