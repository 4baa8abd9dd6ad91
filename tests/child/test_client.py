"""The promises of the process that may die: it answers, and whatever happens to it, we go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from child.acts import interrupt_after

from mlnb.child.client import Child, child
from mlnb.errors import MlnbError, ModelCrashed, ModelFileChanged, ModelRunError, ModelTimeout

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def one():
    made = Child("onnxruntime")
    yield made
    made.close()


def test_it_runs_a_function_by_name(one):
    assert one.call("math:sqrt", 2.0) == 2.0**0.5
    assert one.call("child.acts:swap", 1, second="b") == ("b", 1)


def test_one_label_is_one_child():
    assert child("test label") is child("test label")
    assert child("test label") is not child("another label")


def test_the_process_stays_warm_between_calls(one):
    assert one.call("os:getpid") == one.call("os:getpid") == one.pid != os.getpid()
    assert repr(one) == "Child('onnxruntime', warm)"


def test_an_error_of_ours_keeps_its_class_and_words(one):
    with pytest.raises(ModelFileChanged, match=r"^net\.onnx has changed; run %mlload again$"):
        one.call("child.acts:changed")


def test_any_other_error_tells_its_type_and_message(one):
    with pytest.raises(ModelRunError, match=r"^TypeError: must be real number, not str$"):
        one.call("math:sqrt", "two")
    with pytest.raises(ModelRunError, match="No module named 'not_there'"):
        one.call("not_there:function")
    with pytest.raises(ModelRunError, match="SystemExit: 3"):
        one.call("sys:exit", 3)


def test_what_cannot_cross_is_refused_and_the_child_lives(one):
    before = one.call("os:getpid")
    with pytest.raises(TypeError, match="object cannot cross"):
        one.call("builtins:list", [object()])
    with pytest.raises(ModelRunError, match="object cannot cross"):
        one.call("child.acts:odd")
    assert one.call("os:getpid") == before


@pytest.mark.parametrize("name", ["SIGFPE", "SIGSEGV", "SIGABRT"])
def test_a_crash_is_an_error_that_names_the_signal_and_the_next_call_works(one, name):
    with pytest.raises(ModelCrashed) as caught:
        one.call("signal:raise_signal", int(getattr(signal, name)))
    expected = f"onnxruntime crashed ({name}) on this model; your session is unharmed"
    assert str(caught.value) == expected
    assert one.call("math:sqrt", 4.0) == 2.0


def test_a_child_killed_while_idle_or_busy_is_replaced(one):
    for seconds in (0.0, 5.0):
        pid = one.call("os:getpid")
        threading.Timer(0.2 if seconds else 0.0, os.kill, (pid, signal.SIGKILL)).start()
        time.sleep(0.0 if seconds else 0.3)
        with pytest.raises(ModelCrashed, match=r"was killed \(SIGKILL\) on this model"):
            one.call("time:sleep", seconds)
        assert one.call("os:getpid") != pid


def test_a_kill_by_the_kernel_for_memory_says_so(one, monkeypatch):
    one.call("os:getpid")
    monkeypatch.setattr("mlnb.child.client.memory_kills", lambda: 10**9)
    with pytest.raises(ModelCrashed, match="onnxruntime ran out of memory on this model"):
        one.call("signal:raise_signal", int(signal.SIGKILL))


def test_an_exit_is_told_with_the_last_words(one):
    with pytest.raises(ModelCrashed, match=r"ended \(exit status 7\).* It said: gone$"):
        one.call("builtins:exec", "import os; print('gone', flush=True); os._exit(7)")


def test_a_deadline_stops_what_hangs_even_in_native_code(one):
    for function, arguments in (("time:sleep", [30]), ("child.acts:hold_the_interpreter", [])):
        one.call("os:getpid")
        begin = time.monotonic()
        with pytest.raises(ModelTimeout, match=r"did not answer within 300 ms .* timeout=0\.6$"):
            one.call(function, *arguments, timeout=0.3)
        assert time.monotonic() - begin < 2
    assert one.call("math:sqrt", 4.0) == 2.0


def test_what_an_earlier_call_printed_is_not_blamed_on_a_later_one(one):
    one.call("builtins:exec", "print('a warning of old', flush=True)")
    time.sleep(0.1)
    with pytest.raises(ModelCrashed, match=r"your session is unharmed$"):
        one.call("signal:raise_signal", int(signal.SIGSEGV))


@pytest.mark.parametrize("function", ["time:sleep", "child.acts:hold_the_interpreter"])
def test_an_interrupt_ends_a_call_within_two_seconds(one, function):
    pid = one.call("os:getpid")
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupt_after(0.3):
        one.call(function, *([30] if function == "time:sleep" else []))
    assert time.monotonic() - begin < 2
    assert _is_gone(pid, 2)
    assert one.call("math:sqrt", 4.0) == 2.0


def test_an_interrupt_while_the_child_starts_leaves_nothing_behind():
    for delay in (0.0, 0.01, 0.03, 0.06):
        fresh = Child("onnxruntime")
        with pytest.raises(KeyboardInterrupt), interrupt_after(delay):
            fresh.call("time:sleep", 5)
        assert fresh.call("math:sqrt", 4.0) == 2.0
        fresh.close()


def test_the_interrupt_of_a_process_group_does_not_reach_the_child(one):
    assert one.call("child.acts:surroundings")["session"] == one.pid != os.getsid(0)


def test_calls_from_several_threads_take_turns(one):
    spans: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: spans.append(one.call("child.acts:slept", 0.1)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(spans)
    assert len(ordered) == 4
    assert all(a[1] <= b[0] for a, b in pairwise(ordered))


def test_what_is_printed_does_not_land_here(one, capfd):
    one.call("child.acts:printed", "x" * 100_000 + "the end")
    assert capfd.readouterr() == ("", "")
    time.sleep(0.1)
    assert "from a grandchild" in one.printed
    assert len(one.printed) <= 8192


def test_big_arrays_cross_whole(one):
    big = np.arange(25_000_000, dtype=np.int64)
    (back,) = one.call("builtins:list", [big])
    assert back.nbytes == 200_000_000
    assert np.array_equal(back, big)
    back[0] = 5
    assert back[0] == 5
    assert big[0] == 0


def test_received_arrays_cost_the_child_no_memory_of_its_own(one):
    assert one.call("child.acts:described", np.zeros((3, 100_000)))[2] is False


def test_an_idle_child_leaves_and_the_next_call_starts_another():
    short = Child("onnxruntime", idle=0.2)
    pid = short.call("os:getpid")
    until = time.monotonic() + 2
    while short.pid is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert short.pid is None
    assert short.call("os:getpid") != pid
    short.close()


def test_an_answer_that_is_no_message_is_a_crash_like_any_other(one):
    with pytest.raises(ModelCrashed, match="did not arrive whole"):
        one.call("child.acts:nonsense")
    assert one.call("math:sqrt", 4.0) == 2.0


@pytest.mark.parametrize(
    "answer",
    [None, {}, [], ["value"], ["error", "ModelRunError"], ["error", 1, 2], ["value", 1, 2]],
    ids=repr,
)
def test_a_message_that_is_no_answer_is_a_crash_like_any_other(one, answer):
    with pytest.raises(ModelCrashed, match="did not arrive whole"):
        one.call("child.acts:lies", answer)
    assert one.call("math:sqrt", 4.0) == 2.0


@pytest.mark.parametrize("name", ["", "annotations", "unknown", "Exception", "__doc__"])
def test_an_error_of_no_class_of_ours_is_a_run_error(one, name):
    with pytest.raises(ModelRunError, match=r"^odd$"):
        one.call("child.acts:lies", ["error", name, "odd"])
    one.close()


def test_what_an_error_says_cannot_colour_the_cell(one):
    with pytest.raises(ModelRunError, match=r"^\\x1b\[31mred\\u202e$"):
        one.call("child.acts:coloured")


def test_the_child_imports_little_and_inherits_little():
    fresh = Child("onnxruntime")
    with open(os.devnull) as kept:
        os.set_inheritable(kept.fileno(), True)
        loaded = fresh.call("child.acts:loaded_modules")
        found = fresh.call("child.acts:surroundings")
    fresh.close()
    unwanted = {"IPython", "ipywidgets", "onnx", "onnxruntime", "torch", "pandas", "subprocess"}
    assert not unwanted & set(loaded)
    # stdin, stdout, stderr, the line, and the folder that is being listed
    assert len(found["files"]) <= 5
    assert found["core"] == 0


def test_the_first_call_takes_less_than_half_a_second():
    begin = time.monotonic()
    fresh = Child("onnxruntime")
    fresh.call("math:sqrt", 2.0)
    assert time.monotonic() - begin < 1.0
    fresh.close()


PARENT = textwrap.dedent(
    """
    import sys, threading, time
    from mlnb.child.client import Child
    one = Child("onnxruntime")
    print(one.call("os:getpid"), flush=True)
    threading.Thread(target=lambda: one.call({function!r}, *{arguments!r}), daemon=True).start()
    time.sleep(60)
    """
)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("math:sqrt", [2.0]), ("time:sleep", [60]), ("child.acts:hold_the_interpreter", [])],
    ids=["idle", "waiting", "in native code"],
)
def test_the_child_dies_with_its_parent_also_on_kill_9(function, arguments):
    parent = _python(PARENT.format(function=function, arguments=arguments))
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    assert not _is_gone(pid, 0)
    parent.kill()
    parent.wait()
    assert _is_gone(pid, 2)
    parent.stdout.close()


def test_a_forked_process_neither_uses_nor_ends_its_parents_child():
    warm = child("forked")
    pid = warm.call("os:getpid")
    fork = os.fork()
    if not fork:
        own = child("forked").call("os:getpid")
        os._exit(0 if own != pid else 1)
    assert os.waitpid(fork, 0)[1] == 0
    assert warm.call("os:getpid") == pid
    warm.close()


WITHOUT = textwrap.dedent(
    """
    import os, socket, sys
    sys.modules["fcntl"] = None
    sys.modules["resource"] = None
    del os.memfd_create, socket.send_fds, os.sched_getaffinity
    """
)
PLAIN = textwrap.dedent(
    """
    import os, socket, sys
    import numpy as np
    from mlnb.child.client import Child
    from mlnb.errors import ModelCrashed, ModelTimeout
    assert sys.modules["fcntl"] is None and not hasattr(os, "memfd_create")
    one = Child("onnxruntime")
    big = np.arange(1_000_000)
    (back,) = one.call("builtins:list", [big])
    assert (back == big).all() and back.flags.writeable
    assert one.call("child.acts:capped", 10**9, 1000) == 1000
    for error, function, arguments in (
        (ModelCrashed, "os:abort", []), (ModelTimeout, "time:sleep", [9])
    ):
        try:
            one.call(function, *arguments, timeout=0.5)
        except error:
            assert one.call("math:sqrt", 4.0) == 2.0
    one.call("builtins:print", "hello")
    print("all is well", flush=True)
    """
)


def test_it_works_without_fcntl_resource_memfd_and_passed_files(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    acts = (ROOT / "tests/child/acts.py").read_text().replace("import resource\n", "")
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "acts.py").write_text(acts)
    bare = _python(PLAIN, first=tmp_path)
    assert bare.communicate(timeout=20)[0] == "all is well\n"
    assert bare.returncode == 0


def test_every_failure_is_an_error_of_ours():
    assert issubclass(ModelCrashed, MlnbError)
    assert issubclass(ModelTimeout, MlnbError | TimeoutError)


def _python(code: str, first: Path | None = None) -> subprocess.Popen[str]:
    path = os.pathsep.join(map(str, [*([first] if first else []), ROOT, ROOT / "tests"]))
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True
    )


def _is_gone(pid: int, seconds: float) -> bool:
    """Whether the process has ended within so many seconds; a zombie has."""
    until = time.monotonic() + seconds
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)
