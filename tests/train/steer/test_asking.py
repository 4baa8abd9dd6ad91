"""What is asked is done between two steps by the thread that trains, or at once where none does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch
from steered import Does, Slow, fit, rows, same, trainer, until

from mlnb.errors import TrainError
from mlnb.train.run import Run
from mlnb.train.steer.asking import ask, between_steps, glance, settled


@pytest.fixture
def live() -> Iterator[Run]:
    run = fit(trainer(callbacks=[Slow(0.001)]), epochs=10_000, background=True)
    until(lambda: run.step > 3)
    yield run
    run.stop()
    assert run.wait(timeout=20)


def test_work_is_done_by_the_thread_that_trains(live: Run) -> None:
    assert between_steps(live, threading.get_ident) not in (threading.get_ident(), None)
    live.stop()
    live.wait()
    assert between_steps(live, threading.get_ident) == threading.get_ident()


def test_work_that_fails_raises_where_it_was_asked_for_and_ends_nothing(live: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        between_steps(live, lambda: 1 / 0)
    step = live.step
    until(lambda: live.step > step)
    assert "call failed and changed nothing: division by zero" in live.notices


def test_a_wish_that_is_interrupted_is_answered_all_the_same() -> None:
    run = fit()

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(run, "call", interrupted)


def test_a_glance_serves_copies_and_leaves_the_rest_in_order() -> None:
    served: list[str] = []

    def look(run: Run) -> None:
        run.pause()
        copy = run._control.request("copy", lambda: served.append("copy"))
        run.resume()
        glance(run)
        assert copy.done
        assert [request.kind for request in run._control.taken()] == ["pause", "resume"]

    assert same(fit(trainer(callbacks=[Does(5, look)])), fit())
    assert served == ["copy"]


def test_a_part_of_a_model_that_trains_is_a_part_of_its_copy(live: Run) -> None:
    part = live.model[4]
    copy = settled(part)
    assert copy is not part
    assert isinstance(copy, torch.nn.Linear)
    assert not copy.training
    sharing = torch.nn.Sequential(live.model[0])  # not of the run, but of its parameters
    assert settled(sharing)(rows()[0][:2]).shape == (2, 16)
    live.stop()
    live.wait()
    assert settled(part) is part


def test_what_an_ended_run_cannot_do_is_raised_at_once() -> None:
    run = fit()
    with pytest.raises(KeyError):
        ask(run, "sing")
    with pytest.raises(TrainError, match="by hand"):
        between_steps(run, lambda: (_ for _ in ()).throw(TrainError("by hand")))
    assert run.notices == fit().notices
