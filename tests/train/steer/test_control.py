import threading

import pytest

from mlnb.train.steer.control import Control, wait_for


def test_a_request_is_pending_until_it_is_taken() -> None:
    control = Control()
    assert not control.pending
    control.request("pause")
    assert control.pending
    assert not control.stopping
    assert [request.kind for request in control.taken()] == ["pause"]
    assert not control.pending


def test_requests_are_taken_in_the_order_they_came() -> None:
    control = Control()
    for rate in (3, 1, 2):
        control.request("set_lr", rate)
    assert [request.value for request in control.taken()] == [3, 1, 2]


def test_a_stop_says_so_before_it_is_taken_and_the_first_reason_counts() -> None:
    control = Control()
    control.request("stop", "early")
    control.request("stop", "interrupted")
    assert control.stopping
    assert control.reason == "early"
    assert control.stop_is_fresh()


def test_a_request_made_while_others_are_taken_is_taken_too() -> None:
    control = Control()
    control.request("pause")
    kinds = []
    for request in control.taken():
        kinds.append(request.kind)
        if request.kind == "pause":
            control.request("resume")
    assert kinds == ["pause", "resume"]


def test_whoever_asked_waits_until_it_is_done() -> None:
    control = Control()
    request = control.request("copy")
    assert not request.wait(timeout=0.01)
    thread = threading.Timer(0.02, lambda: next(control.taken()).answer("the copy"))
    thread.start()
    assert request.wait(timeout=10)
    assert request.result == "the copy"


def test_a_wait_that_may_not_wait_looks_once() -> None:
    event = threading.Event()
    assert not wait_for(event, 0)
    event.set()
    assert wait_for(event, 0)


def test_thousands_of_requests_from_many_threads_all_arrive() -> None:
    control = Control()
    threads = [
        threading.Thread(target=lambda: [control.request("set_lr", 1) for _ in range(500)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    taken = 0
    while taken < 4000:
        request = control.next(timeout=5)
        assert request is not None, f"only {taken} arrived"
        taken += 1
    for thread in threads:
        thread.join()
    assert control.next(timeout=0.01) is None


@pytest.mark.parametrize("kind", ["stop", "pause"])
def test_its_repr_says_whether_it_is_done(kind: str) -> None:
    request = Control().request(kind)
    assert repr(request) == f"Request('{kind}', waiting)"
    request.answer()
    assert repr(request) == f"Request('{kind}', done)"
