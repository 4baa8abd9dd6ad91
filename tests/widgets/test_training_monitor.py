"""The monitor: what it says of a run, what its controls ask, what remains of it."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from mlnb.train.history import History
from mlnb.train.run import Run
from mlnb.train.steer.control import Control
from mlnb.widgets import base, training_monitor
from mlnb.widgets.training_monitor import TrainingMonitor


class MadeRun(Run):
    """A run without a loop: what a monitor reads of one, and what it asks."""

    epochs = 4  # type: ignore[assignment]
    lr = 1e-3  # type: ignore[assignment]
    eta = None  # type: ignore[assignment]
    steps_per_second = 0.0  # type: ignore[assignment]
    samples_per_second = 1_200.0  # type: ignore[assignment]
    kept: Any = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.name, self.status, self.notices = "lenet", "training", []
        self._live, self.stop_reason, self.error = True, None, None
        self.abandoned, self.parent, self.kept = [], None, [0, 5]
        self._plan = SimpleNamespace(steps_per_epoch=10, device=SimpleNamespace(type="cpu"))
        self._step = SimpleNamespace()
        self._control = Control()
        self._state = SimpleNamespace(
            step=10,
            epoch=1,
            batch=5,
            history=History(),
            batches=SimpleNamespace(steps=10, samples=100),
        )
        self._on_tick, self._on_end = [], []

    def on_tick(self, callback):
        self._on_tick.append(callback)
        return lambda: self._on_tick.remove(callback)

    def on_end(self, callback):
        self._on_end.append(callback)
        return lambda: self._on_end.remove(callback)

    def tick(self) -> None:
        for callback in list(self._on_tick):
            callback(self)

    def end(self, status: str = "finished") -> None:
        self.status, self._live = status, False
        for callback in list(self._on_end):
            callback(self)

    def __repr__(self) -> str:
        return f"lenet: {self.status}, step 10"

    def _repr_html_(self) -> str:
        return "<p>lenet: the curve</p>"


@pytest.fixture
def run() -> MadeRun:
    return MadeRun()


@pytest.fixture
def monitor(run: MadeRun, monkeypatch: pytest.MonkeyPatch) -> TrainingMonitor:
    made = TrainingMonitor(run)
    made.sent = []
    monkeypatch.setattr(made, "send", lambda content, buffers=(): made.sent.append(content))
    return made


def click(
    monitor: TrainingMonitor, action: str, value: Any = None, run: int = 0, sent: Any = None
) -> dict[str, Any]:
    """What the monitor answers to a click."""
    content = {"kind": "control", "action": action, "value": value, "request": 7, "run": run}
    monitor._handle_custom_msg(content, [])
    answer = (monitor.sent if sent is None else sent).pop()
    return answer[0] if isinstance(answer, tuple) else answer


def asked(run: MadeRun) -> list[tuple[str, Any]]:
    return [(request.kind, request.value) for request in run._control.taken()]


def test_it_shows_name_line_share_and_rate(monitor: TrainingMonitor):
    [facts] = monitor.runs
    assert facts["title"] == "lenet"
    assert facts["line"].startswith("epoch 2/4")
    assert facts["progress"] == pytest.approx(1.5 / 4)
    assert (facts["state"], facts["lr"]) == ("training", 1e-3)
    assert (facts["total"], facts["kept"]) == (40, [0, 5])
    assert repr(monitor) == "TrainingMonitor('lenet', training)"


def test_it_follows_the_run(monitor: TrainingMonitor, run: MadeRun):
    run._state.epoch, run.lr = 2, 5e-4
    run.tick()
    assert monitor.runs[0]["line"].startswith("epoch 3/4")
    assert monitor.runs[0]["lr"] == 5e-4
    run.status = "paused"
    run.tick()  # at once: a change of state waits for no tenth of a second
    assert monitor.runs[0]["state"] == "paused"


def test_a_run_of_unknown_length_has_no_share(run: MadeRun):
    run._state.batches.steps = None
    assert TrainingMonitor(run).runs[0]["progress"] == pytest.approx(1 / 4)
    run.epochs = 0
    assert TrainingMonitor(run).runs[0]["progress"] == -1


class Wire:
    """What a monitor sends, on a clock of the test's own."""

    def __init__(self, run: MadeRun, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run, self.sent = run, []
        self.now = time.monotonic() + 1
        monkeypatch.setattr(training_monitor.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(TrainingMonitor, "send", lambda _, *parts: self.sent.append(parts))
        monkeypatch.setattr(
            TrainingMonitor, "send_state", lambda _, key=None: self.sent.append(({"state": key},))
        )
        self.monitor = TrainingMonitor(run)
        self.monitor._receive_hello({"request": 1})
        self.sent.clear()

    def train(self, seconds: float, steps_per_second: int) -> None:
        """Ten ticks a second, as the loop gives them."""
        values = np.random.default_rng(0).random(steps_per_second // 10, np.float32)
        for _ in range(round(10 * seconds)):
            history = self.run._state.history
            first = len(history) + 1
            history.extend(range(first, first + len(values)), loss=values, lr=values)
            self.run._state.step = len(history)
            self.now += 0.1001
            self.run.tick()

    @property
    def nbytes(self) -> int:
        """Contents, buffers, and the 900 bytes of headers that a kernel's message has."""
        return sum(
            900 + len(json.dumps(c)) + sum(map(len, b[0] if b else [])) for c, *b in self.sent
        )


def losses(sent: list[Any]) -> list[float]:
    """The losses of ticks that sent every step."""
    values = []
    for content, *buffers in sent:
        block = content["runs"][0].get("block")
        if block:
            assert block["per"] == 1
            values += np.frombuffer(buffers[0][block["series"]["loss"][0]], "<f4").tolist()
    return values


@pytest.fixture
def wire(run: MadeRun, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(run, monkeypatch)


@pytest.mark.parametrize("pace", [10, 1_000, 1_800, 10_000, 100_000])
def test_ten_messages_and_twenty_kilobytes_a_second_at_most(wire: Wire, pace: int):
    wire.train(5, pace)
    assert 45 <= len(wire.sent) <= 50
    assert wire.nbytes / 5 <= 20_000


def test_a_loop_that_ticks_faster_sends_no_more(wire: Wire, run: MadeRun):
    for step in range(10_000):
        wire.now += 1e-4
        run._state.step = step
        run.tick()
    assert 9 <= len(wire.sent) <= 11


def test_at_a_thousand_steps_a_second_every_step_crosses(wire: Wire, run: MadeRun):
    wire.train(2, 1_000)
    assert losses(wire.sent) == run.history["loss"].tolist()
    parts = [content["runs"][0] for content, *_ in wire.sent]
    assert [part["to"] for part in parts[:-1]] == [part["from"] for part in parts[1:]]


def test_beyond_that_buckets_keep_every_spike_and_say_what_they_are(wire: Wire, run: MadeRun):
    wire.train(0.1, 10_000)
    values = np.ones(1_000, np.float32)
    values[[123, 777]] = 50, -50
    run._state.history.extend(range(1_001, 2_001), loss=values)
    wire.now += 0.2
    run.tick()
    content, buffers = wire.sent[-1]
    block = content["runs"][0]["block"]
    mean, low, high = (np.frombuffer(buffers[at], "<f4") for at in block["series"]["loss"])
    steps = np.frombuffer(buffers[block["x"]], "<u4")
    assert block["per"] == pytest.approx(1_000 / len(mean))
    assert (low.min(), high.max()) == (-50, 50)
    assert (steps[0], steps[-1]) == (1_001, 2_000)


def test_a_view_that_comes_late_gets_the_whole_curve_in_less_than_a_megabyte(
    wire: Wire, run: MadeRun
):
    values = np.linspace(2, 1, 1_000_000, dtype=np.float32)
    values[654_321] = 99
    run._state.history.extend(range(1, 1_000_001), loss=values, other=values, lr=values)
    for epoch in range(1, 3_001):
        best = abs(epoch - 1_234)
        run._state.history.add_epoch(epoch=epoch, step=epoch * 333, loss=1.0, val_loss=best)
    run.tick()
    wire.sent.clear()
    wire.monitor._handle_custom_msg({"kind": "sync", "request": 9}, [])
    [(content, buffers)] = wire.sent
    assert wire.nbytes < 1_000_000
    assert content["request"] == 9
    [part] = content["runs"]
    assert (part["from"], part["to"]) == (0, 1_000_000)
    assert np.frombuffer(buffers[part["block"]["series"]["loss"][2]], "<f4").max() == 99
    assert part["epochs"][-1]["epoch"] == 3_000
    assert len(part["epochs"]) == 1_000
    assert (part["best"]["epoch"], part["best"]["val_loss"]) == (1_234, 0)  # it was not among them
    before = part["to"]
    wire.train(0.1, 1_000)
    assert wire.sent[-1][0]["runs"][0]["from"] == before


def test_a_range_is_sent_step_by_step(wire: Wire, run: MadeRun):
    wire.train(1, 100_000)
    wire.monitor._handle_custom_msg(
        {"kind": "range", "request": 1, "first": 500, "last": 700.5}, []
    )
    content, buffers = wire.sent[-1]
    block = content["runs"][0]["block"]
    assert (block["first"], block["count"], block["per"]) == (500, 201, 1)
    found = np.frombuffer(buffers[block["series"]["loss"][0]], "<f4")
    assert np.array_equal(found, run.history["loss"][499:700])
    wire.monitor._handle_custom_msg({"kind": "range", "request": 2, "first": None, "last": 3}, [])
    assert wire.sent[-1][0]["kind"] == "error"


def test_after_a_rewind_the_whole_curve_is_sent_and_what_was_given_up(wire: Wire, run: MadeRun):
    wire.train(1, 1_000)
    given_up = History()
    given_up.load_state_dict(run.history.state_dict())
    run.abandoned.append(given_up)
    run._state.history.truncate(300)
    wire.train(0.1, 8_000)  # and it has come further than it was before the next tick
    [part] = wire.sent[-1][0]["runs"]
    assert (part["whole"], part["generation"], part["to"]) == (True, 1, 1_100)
    assert len(part["given_up"]) == 1


def test_a_page_that_cannot_ask_is_told_the_whole_now_and_then(
    run: MadeRun, monkeypatch: pytest.MonkeyPatch
):
    wire = Wire(run, monkeypatch)
    wire.monitor._heard = False
    wire.train(60, 1_000)
    whole = [
        content["runs"][0]["again"] for content, *_ in wire.sent if "again" in content["runs"][0]
    ]
    assert 8 <= len(whole) <= 13
    assert wire.sent[0][0]["runs"][0]["facts"]["state"] == "training"
    assert wire.nbytes / 60 < 25_000
    assert losses(wire.sent) == run.history["loss"].tolist()


def test_a_tick_costs_as_little_after_a_million_steps(wire: Wire, run: MadeRun):
    """Half a millisecond on a machine of its own (benchmarks/bench_monitor.py); here, not ten."""
    values = np.ones(1_000_000, np.float32)
    run._state.history.extend(range(1, 1_000_001), loss=values, lr=values)
    run.tick()
    began = time.thread_time()
    wire.train(10, 1_000)
    assert (time.thread_time() - began) / 100 < 0.01


def test_epochs_and_marks_are_told_once(wire: Wire, run: MadeRun):
    run._state.history.add_epoch(epoch=1, step=10, loss=0.5, val_loss=float("nan"), note="x")
    run._state.history.mark(10, "set_lr", "lr 0.1\u202e")
    wire.train(0.2, 100)
    first, second = (content["runs"][0] for content, *_ in wire.sent)
    [row] = first["epochs"]
    assert row == {"epoch": 1, "step": 10, "loss": 0.5, "val_loss": None, "note": None}
    assert first["marks"] == [{"step": 10, "kind": "set_lr", "text": "lr 0.1\\u202e"}]
    assert "epochs" not in second
    assert "marks" not in second


def test_the_facts_cross_when_they_change_and_stand_in_the_traits_for_a_new_view(
    wire: Wire, run: MadeRun
):
    run.lr = 5e-4
    wire.train(0.2, 100)
    first, second = (content["runs"][0]["facts"] for content, *_ in wire.sent)
    assert first["lr"] == 5e-4
    assert "lr" not in second
    assert wire.monitor.get_state()["runs"][0]["lr"] == 5e-4
    wire.monitor._handle_custom_msg({"kind": "sync", "request": 9}, [])
    assert wire.sent[-1][0]["runs"][0]["facts"] == wire.monitor.runs[0]  # it came after the news
    run._state.epoch = 2
    wire.train(0.1, 100)  # an epoch is told at once, so that it is no other than the curve's
    assert wire.sent[-1][0]["runs"][0]["facts"]["line"].startswith("epoch 3/4 · step")


def test_what_was_looked_at_stays_for_a_second_view_however_long_it_trains(
    wire: Wire, run: MadeRun
):
    wire.train(200, 10)
    assert wire.sent[-1][0]["runs"][0]["seen"]["lr"] == pytest.approx(1e-3)
    wire.monitor._handle_custom_msg({"kind": "sync", "request": 9}, [])
    content, buffers = wire.sent[-1]
    gauges = content["runs"][0]["gauges"]
    steps = np.frombuffer(buffers[gauges["x"]], "<u4")
    assert 400 <= len(steps) <= 1_001
    assert (steps[0], steps[-1]) == (1, 2_000)
    assert len(np.frombuffer(buffers[gauges["memory"]], "<f4")) == len(steps)


def test_several_runs_share_the_message_and_its_size(monkeypatch: pytest.MonkeyPatch):
    runs = [MadeRun() for _ in range(3)]
    for at, one in enumerate(runs):
        one.name = f"lenet-{at}"
    wire = Wire(runs[0], monkeypatch)
    wire.monitor = TrainingMonitor(runs)
    wire.monitor._heard = True
    wire.sent.clear()
    values = np.ones(100, np.float32)
    for _ in range(20):
        wire.now += 0.1001
        for one in runs:
            history = one._state.history
            history.extend(range(len(history) + 1, len(history) + 101), loss=values)
        runs[1].tick()
    assert len(wire.sent) == 20
    assert wire.nbytes / 2 < 40_000
    assert [len(content["runs"]) for content, *_ in wire.sent] == [3] * 20
    assert click(wire.monitor, "pause", run=2, sent=wire.sent)["kind"] == "done"
    assert [asked(one) for one in runs] == [[], [], [("pause", None)]]
    assert "no run" in click(wire.monitor, "pause", run=3, sent=wire.sent)["message"]


def test_it_stays_until_the_last_of_its_runs_has_ended():
    runs = [MadeRun(), MadeRun()]
    monitor = TrainingMonitor(runs)
    runs[0].end()
    assert monitor.comm is not None
    assert [one["state"] for one in monitor.runs] == ["ended", "training"]
    runs[1].end()
    assert monitor.comm is None
    assert "lenet" in monitor.static_html()


def test_a_fork_is_drawn_beside_its_parent_and_ends_by_itself(run: MadeRun):
    parent = MadeRun()
    run.parent = (parent, 5)
    monitor = TrainingMonitor(run)
    assert len(monitor.runs) == 2
    run.end()
    assert monitor.comm is None
    assert parent._on_tick == parent._on_end == []


def test_a_click_rewinds_or_forks(monitor: TrainingMonitor, run: MadeRun, monkeypatch):
    assert click(monitor, "rewind", {"step": 5, "lr": 1e-4})["kind"] == "done"
    assert asked(run) == [("rewind", 5), ("set_lr", (1e-4, None))]
    fork, done = MadeRun(), threading.Event()

    def forked(step, **how):
        assert (step, how["lr"], how["background"]) == (5, None, True)
        fork.parent = (run, step)
        assert training_monitor.adopted(fork)  # as the magics ask when it begins
        done.set()
        return fork

    monkeypatch.setattr(run, "fork", forked)
    assert click(monitor, "fork", {"step": 5, "lr": None})["kind"] == "done"
    assert done.wait(5)
    assert [one["title"] for one in monitor.runs] == ["lenet", "lenet"]
    assert not training_monitor.adopted(fork)  # elsewhere it gets a view of its own
    for wrong in (None, {"step": "5"}, {"step": True}, {"step": 5, "lr": -1}):
        assert click(monitor, "fork", wrong)["kind"] == "error"


def test_a_new_page_is_sent_a_monitor_which_is_told_less_until_it_asks(wire: Wire, run: MadeRun):
    wire.monitor._new_page()
    wire.train(2, 100)
    [second] = wire.monitor._stand_ins
    assert second.static_id == wire.monitor.static_id
    assert second.stands_in == second.model_id
    wire.sent.clear()
    wire.train(3, 100)
    assert 30 + 5 <= len(wire.sent) <= 30 + 7
    second._handle_custom_msg({"kind": "sync", "request": 4}, [])
    wire.sent.clear()
    wire.train(1, 100)
    assert 20 <= len(wire.sent) <= 25  # another is sent, for a page that was slow to load
    run.end()
    assert wire.monitor.comm is None
    assert second.comm is not None  # its page shows the curve on


def test_a_page_that_gets_the_monitor_itself_back_keeps_it(wire: Wire, run: MadeRun):
    wire.monitor._new_page()
    wire.monitor._receive_hello({"request": 2})  # the kernel was free, and answered it
    wire.train(0.5, 100)
    run.end()
    assert wire.monitor.comm is not None
    assert wire.sent[-1][0]["runs"][0]["facts"]["state"] == "ended"
    assert run._on_tick == []


def test_however_often_a_page_is_reloaded_few_monitors_stay(wire: Wire, run: MadeRun):
    for _ in range(20):
        wire.monitor._new_page()
        wire.train(8, 10)
    assert len(wire.monitor._stand_ins) == training_monitor.STAND_INS
    assert len(run._on_tick) == 1 + training_monitor.STAND_INS


@pytest.mark.parametrize(
    ("action", "value", "request_"),
    [
        ("stop", None, ("stop", None)),
        ("pause", None, ("pause", None)),
        ("resume", None, ("resume", None)),
        ("lr", 3e-4, ("set_lr", (3e-4, None))),
        ("checkpoint", None, ("checkpoint", "")),
    ],
)
def test_a_click_asks_the_loop_and_is_answered_at_once(
    monitor: TrainingMonitor, run: MadeRun, action: str, value: Any, request_: tuple
):
    assert click(monitor, action, value) == {"kind": "done", "request": 7}
    assert asked(run) == [request_]


def test_the_greeting_is_answered(monitor: TrainingMonitor):
    monitor._handle_custom_msg({"kind": "hello", "request": 3}, [])
    assert monitor.sent == [{"kind": "done", "request": 3}]


@pytest.mark.parametrize("rate", ["fast", None, -1, float("nan"), [1e-3], True])
def test_a_rate_that_is_none_asks_nothing_and_says_why(
    monitor: TrainingMonitor, run: MadeRun, rate: Any
):
    answer = click(monitor, "lr", rate)
    assert answer["kind"] == "error"
    assert "learning rate" in answer["message"]
    assert asked(run) == []


@pytest.mark.parametrize("action", ["_finish", "adopt", "close", 3])
def test_nothing_but_the_controls_can_be_asked(monitor: TrainingMonitor, run: MadeRun, action: Any):
    answer = click(monitor, action)
    assert answer["kind"] == "error"
    assert "no control" in answer["message"]
    assert asked(run) == []


def test_what_the_loop_cannot_do_is_said(monitor: TrainingMonitor, run: MadeRun):
    click(monitor, "checkpoint")
    [request] = run._control.taken()
    request.answer(error=OSError("no space left"))
    run.status = "paused"
    run.tick()
    assert monitor.runs[0]["note"] == "OSError: no space left"


def test_a_notice_of_the_run_is_shown(run: MadeRun):
    run.notices = ["first", "checkpoints go to runs\u202e"]
    assert TrainingMonitor(run).runs[0]["note"] == "checkpoints go to runs\\u202e"


def test_at_the_end_it_closes_into_its_picture(
    monitor: TrainingMonitor, run: MadeRun, monkeypatch: pytest.MonkeyPatch
):
    displays, updates = [], []
    monkeypatch.setattr(base, "has_front_end", lambda: True)
    for module in (base, training_monitor):
        monkeypatch.setattr(module, "display", lambda d, **k: displays.append((d, k)))
    monkeypatch.setattr(base, "update_display", lambda d, **k: updates.append((d, k)))
    monitor._ipython_display_()
    (static, options), (live, _) = displays
    assert "still training when this was saved" in static["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in live
    run.end()
    [(picture, where)] = updates
    assert "lenet: the curve" in picture["text/html"]
    assert "data-mlnb-static" in picture["text/html"]
    assert where["display_id"] == options["display_id"]
    assert monitor.comm is None
    assert run._on_tick == run._on_end == []
    displays.clear()
    monitor._ipython_display_()
    assert len(displays) == 1  # shown again: the picture alone


def test_a_run_that_has_ended_takes_no_control(run: MadeRun, monitor: TrainingMonitor):
    run._live = False  # between the loop's end and the news of it
    assert "has ended" in click(monitor, "resume")["message"]
    assert asked(run) == []


def test_of_an_ended_run_it_is_the_picture(run: MadeRun):
    run.end()
    monitor = TrainingMonitor(run)
    assert monitor.comm is None
    assert "lenet: the curve" in monitor.static_html()
    assert run._on_tick == run._on_end == []


def test_a_name_is_never_markup(run: MadeRun):
    run.name = "<img src=x onerror=alert(1)>"
    made = TrainingMonitor(run)
    assert "<img" not in made.static_html()


def test_anything_but_a_run_is_refused(run: MadeRun):
    with pytest.raises(TypeError, match="expects a Run, or several; received list"):
        TrainingMonitor([])
    with pytest.raises(TypeError, match="expects a Run; received str"):
        TrainingMonitor([run, "lenet"])
    with pytest.raises(TypeError, match="at most 8"):
        TrainingMonitor([MadeRun() for _ in range(9)])
    with pytest.raises(TypeError, match="no argument 'heigth'"):
        TrainingMonitor(run, heigth=3)
