"""Jupyter's stop button in every phase of a call: it ends at once, leaves nothing, and one goes on.

The signal comes at a known place and not after a while: a timer would hit a short phase by luck
only. Where a phase lasts (waiting, a long batch) a timer is what a person does.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from child.acts import interrupt_after
from hostile.watch import children, left_over
from models import made

from mlnb.child import channel, running
from mlnb.child.client import child
from mlnb.errors import ModelTimeout
from mlnb.models.loading import load_model
from mlnb.models.model import Model

ONES = np.ones((2, 3), np.float32)
MOMENTS = 20
LARGE = np.ones((20_000_000, 3), np.float32)
"""240 MB: it does not fit into what is kept from call to call."""


@pytest.fixture
def unharmed() -> Iterator[None]:
    """After the interrupt there is no process too many, and the next call does right."""
    before = children()
    yield
    assert left_over(before) == set()
    model = load_model(made.doubler())
    assert (model.predict(ONES)["y"] == 2).all()
    model = load_model(made.adder())
    model.infer_shapes()
    assert model.notes == ()


@contextmanager
def interrupted() -> Iterator[None]:
    """The block ends in KeyboardInterrupt, less than two seconds after the signal."""
    _signals.clear()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        yield
    assert time.monotonic() - (_signals[0] if _signals else begin) < 2


_signals: list[float] = []


def interrupting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool) -> None:
    """The next call of a function is interrupted before or after it did its work."""
    real = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(owner, name, real)
        if not after:
            _interrupt()
        result = real(*args, **kwargs)
        _interrupt()
        return result

    monkeypatch.setattr(owner, name, call)


def _interrupt() -> None:
    _signals.append(time.monotonic())
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("after", [False, True], ids=["before it is there", "once it is there"])
def test_while_the_child_starts(monkeypatch, after, unharmed):
    child("onnxruntime").close()
    model = load_model(made.doubler())
    interrupting(monkeypatch, running, "_popen", after=after)
    with interrupted():
        model.predict(ONES)


def test_while_the_child_of_shape_inference_starts(monkeypatch, unharmed):
    child("onnx").close()
    interrupting(monkeypatch, running, "_popen", after=True)
    with interrupted():
        load_model(made.doubler()).infer_shapes()


def test_while_arrays_are_written_down(monkeypatch, unharmed):
    model = load_model(made.doubler())
    interrupting(monkeypatch, channel, "_write_at", after=True)
    with interrupted():
        model.predict(LARGE)


def test_while_a_small_array_goes_into_the_memory_that_is_kept(monkeypatch, unharmed):
    model = load_model(made.doubler())
    interrupting(monkeypatch, channel, "_fill", after=True)
    with interrupted():
        model.predict(np.ones((100_000, 3), np.float32))


def test_while_the_child_does_not_take_what_is_sent(unharmed):
    model = load_model(made.identity(made.TensorProto.STRING, (None,)))
    model.predict(["warm"])
    os.kill(child("onnxruntime").pid, signal.SIGSTOP)
    stopped = child("onnxruntime").pid
    with interrupted(), interrupt_after(0.5):
        model.predict(["long" * 1000] * 500)  # 2 MB, ten times what the line holds
    assert child("onnxruntime").pid != stopped


@pytest.mark.parametrize("hostile", [made.loops_for_ever, made.laughs])
def test_while_the_model_runs_or_is_opened(hostile, unharmed):
    model = load_model(hostile())
    with interrupted(), interrupt_after(0.3):
        model.predict(x=[1.0])


def test_while_shapes_are_inferred(unharmed):
    model = load_model(made.laughs())
    with interrupted(), interrupt_after(0.3):
        model.infer_shapes()
    assert model.notes == ()


def test_while_large_arrays_come_back(monkeypatch, unharmed):
    model = load_model(made.doubler())
    interrupting(monkeypatch, channel.SocketChannel, "_memory", after=True)
    with interrupted():
        model.predict(LARGE)


def test_while_an_answer_comes_through_the_stream(monkeypatch, unharmed):
    model = load_model(made.doubler())
    model.predict(ONES)
    interrupting(monkeypatch, channel.SocketChannel, "_read", after=True)
    with interrupted():
        model.predict(ONES)


def test_while_a_long_batch_runs_piece_by_piece(unharmed):
    model = load_model(made.fixed(batch=1))
    with interrupted(), interrupt_after(0.5):
        model.predict(np.ones((5_000_000, 3), np.float32))


def test_while_another_thread_has_the_child(unharmed):
    """The one that waits for its turn goes; the other one's call is not touched."""
    ended: list[BaseException] = []
    started = threading.Event()

    def endless() -> None:
        started.set()
        try:
            load_model(made.loops_for_ever()).predict(x=[1.0], timeout=1.5)
        except ModelTimeout as error:
            ended.append(error)

    other = threading.Thread(target=endless)
    other.start()
    started.wait()
    time.sleep(0.2)
    begin = time.monotonic()
    with interrupted(), interrupt_after(0.2):
        load_model(made.doubler()).predict(ONES)
    assert time.monotonic() - begin < 1
    other.join()
    assert len(ended) == 1


def test_again_and_again_at_any_moment(unharmed):
    """What no table of phases thought of: moments all along a warm call and its clean-up."""
    model: Model = load_model(made.doubler())
    rows = np.ones((300_000, 3), np.float32)
    hit = 0
    for i in range(MOMENTS):
        model.predict(ONES)
        begin = time.monotonic()
        try:
            with interrupt_after(0.0012 * i):
                while time.monotonic() - begin < 1:
                    model.predict(rows)
        except KeyboardInterrupt:
            hit += 1
        assert time.monotonic() - begin < 2
    assert hit == MOMENTS
