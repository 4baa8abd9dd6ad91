"""Every step stays, exactly and in little memory; only a picture is thinned."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from mlnb.errors import TrainError, UnknownName
from mlnb.train.history import History, Mark
from mlnb.train.series import CHUNK, Series, thin


def history(steps: int = 5) -> History:
    made = History()
    made.extend(range(1, steps + 1), loss=np.linspace(2, 1, steps), lr=[0.001] * steps)
    return made


def test_there_is_one_value_a_step():
    made = history(3)
    made.extend([4], loss=[0.5], lr=[0.002])
    assert made["loss"].tolist() == [2, 1.5, 1, 0.5]
    assert made["loss"].dtype == np.float32
    assert made["step"].tolist() == [1, 2, 3, 4]
    assert made["step"].dtype == np.int64
    assert len(made) == 4
    assert made.names == ("loss", "lr")


def test_a_part_of_a_series_is_what_the_whole_has_there():
    made, values = History(), np.arange(2 * CHUNK + 9, dtype=np.float32)
    made.extend(range(5, len(values)), loss=values[5:])
    made.extend(range(5), loss=values[:5])
    length = len(made)
    for start, stop in [(0, 3), (CHUNK - 2, CHUNK + 2), (length - 7, None), (CHUNK, CHUNK), (7, 3)]:
        for name in ("loss", "step"):
            assert np.array_equal(made.part(name, start, stop), made[name][start:stop])
    assert len(made.part("loss", -20)) == length
    assert len(made.part("loss", length + 5)) == 0
    with pytest.raises(UnknownName, match="no series 'los'"):
        made.part("los", 0)


def test_reading_the_end_of_a_long_run_copies_only_the_end():
    made = History()
    made.extend(range(1_000_000), loss=np.ones(1_000_000, np.float32))
    tracemalloc.start()
    try:
        assert len(made.part("loss", 999_980)) == len(made.part("step", 999_980)) == 20
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_a_reader_whom_a_rewind_overtakes_gets_what_is_left():
    made = Series()
    made.extend(np.ones(CHUNK + 10, np.float32))
    length = CHUNK + 10
    made.truncate(5)
    assert made.part(0, length).tolist() == [1.0] * 5
    assert len(made.part(CHUNK, length)) == 0


def test_steps_stay_exact_where_float32_would_not_hold_them():
    made = History()
    made.extend([16_777_217, 16_777_218, 20_000_001], loss=[1, 2, 3])
    assert made["step"].tolist() == [16_777_217, 16_777_218, 20_000_001]


@pytest.mark.parametrize("parts", [(CHUNK - 1, 1, 1), (CHUNK, CHUNK), (3 * CHUNK + 5,), (0, 7)])
def test_chunks_join_where_they_end(parts):
    made, values = History(), np.arange(sum(parts), dtype=np.float32)
    at = 0
    for part in parts:
        made.extend(range(at, at + part), loss=values[at : at + part])
        at += part
    assert np.array_equal(made["loss"], values)


def test_a_million_steps_take_four_megabytes_a_series():
    tracemalloc.start()
    try:
        made, block = History(), np.ones(500, np.float32)
        before = tracemalloc.get_traced_memory()[0]
        for at in range(0, 1_000_000, 500):
            made.extend(range(at, at + 500), loss=block, lr=block)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(made["loss"]) == 1_000_000
    assert 2 * 4_000_000 <= grown < 2 * 4_400_000


def test_a_series_that_begins_late_or_pauses_has_gaps():
    made = history(2)
    made.extend([3], norm=[7.0])
    assert np.isnan(made["norm"]).tolist() == [True, True, False]
    assert np.isnan(made["loss"]).tolist() == [False, False, True]


def test_a_series_of_another_length_is_refused_and_nothing_is_kept():
    made = history(2)
    with pytest.raises(TrainError, match=r"series 'lr' has shape \[1\], but there are 2 steps"):
        made.extend([3, 4], loss=[1, 1], lr=[1])
    assert len(made) == len(made["loss"]) == 2


def test_an_unknown_series_names_the_closest():
    made = history()
    made.add_epoch(epoch=1, step=5, loss=1.5, val_loss=1.4)
    with pytest.raises(UnknownName, match="did you mean 'val_loss'"):
        made["valloss"]
    assert made["val_loss"].tolist() == [1.4]
    assert "val_loss" in made
    assert "nothing" not in made


def test_the_best_epoch_follows_the_direction_of_its_metric():
    made = history()
    for epoch, (val, acc) in enumerate([(1.0, 0.5), (0.8, 0.9), (float("nan"), 0.7), (0.8, 0.9)]):
        made.add_epoch(epoch=epoch + 1, step=epoch, loss=1 - epoch / 10, val_loss=val, val_f1=acc)
    assert made.best()["epoch"] == 2
    assert made.best("val_f1")["epoch"] == 2
    assert made.best("loss")["epoch"] == 4
    with pytest.raises(UnknownName, match="did you mean 'val_f1'"):
        made.best("val_f2")


def test_there_is_no_best_without_a_finite_value():
    made = history()
    assert made.best() is None
    made.add_epoch(epoch=1, loss=float("nan"))
    assert made.best() is None


def test_spikes_stay_in_a_thinned_series():
    made, values = History(), np.zeros(100_000, np.float32)
    values[54_321], values[99_999], values[7] = 9, -3, np.nan
    made.extend(range(100_000), loss=values)
    x, low, high = made.thinned("loss", 500)
    assert len(x) == len(low) == len(high) == 500
    assert high.max() == 9
    assert low.min() == -3
    assert not np.isnan(low).any()
    assert abs(x[high.argmax()] - 54_321) <= 200


def test_few_values_are_not_thinned():
    x, low, high = history(3).thinned("loss")
    assert x.tolist() == [1, 2, 3]
    assert low is high
    assert len(thin(np.arange(0), np.empty(0))[0]) == 0


def test_it_becomes_what_its_state_says():
    made = history(70_000)
    made.add_epoch(epoch=1, step=70_000, loss=1.5)
    made.mark(12, "set_lr", "lr 0.001 → 0.0003", 3e-4)
    state = made.state_dict()
    json.dumps({key: value for key, value in state.items() if key != "series"})
    other = history(4)
    other.load_state_dict(state)
    assert np.array_equal(other["loss"], made["loss"])
    assert np.array_equal(other["step"], made["step"])
    assert other.epochs == made.epochs
    assert other.marks == [Mark(12, "set_lr", "lr 0.001 → 0.0003", 3e-4)]
    other.extend([70_001], loss=[0], lr=[0])
    assert len(made) == 70_000


def test_epochs_with_other_values_than_the_ones_before_come_back_in_order():
    made = history(3)
    rows = [
        {"epoch": 1, "loss": 1.5, "note": None},
        {"epoch": 2, "loss": 1, "note": "a"},
        {"epoch": 3, "val_loss": float("inf"), "loss": 0.5},
        {"loss": 0.25, "epoch": 4},
        {"epoch": 5, "loss": 0.125, "note": True},
    ]
    for row in rows:
        made.add_epoch(**row)
    state = json.loads(json.dumps(made.state_dict()["epochs"]))
    other = History()
    other.load_state_dict(made.state_dict() | {"epochs": state})
    assert repr(other.epochs) == repr(rows)
    made.epochs[0]["loss"] = 9.0
    assert other.epochs[0]["loss"] == 1.5


def test_a_state_with_columns_of_unequal_length_is_refused():
    state = history(3).state_dict() | {"epochs": [{"epoch": [1, 2], "loss": [0.5]}]}
    with pytest.raises(ValueError, match="shorter"):
        History().load_state_dict(state)


def test_its_state_is_a_copy():
    made = history(3)
    state = made.state_dict()
    made.extend([4], loss=[9], lr=[9])
    assert [len(chunk) for chunk in state["series"]["loss"]] == [3]
    assert state["steps"] == [[1, 3]]


def test_states_of_many_steps_hold_the_early_ones_once():
    made = history(CHUNK + 10)
    before = made.state_dict()["series"]["loss"]
    made.extend(
        range(CHUNK + 11, 2 * CHUNK + 1), **dict.fromkeys(("loss", "lr"), [7] * (CHUNK - 10))
    )
    after = made.state_dict()["series"]["loss"]
    assert [len(chunk) for chunk in after] == [CHUNK, CHUNK]
    assert before[0].data_ptr() == after[0].data_ptr()


def test_what_is_trained_after_a_rewind_leaves_an_earlier_state_as_it_was():
    made = history(CHUNK)
    state = made.state_dict()
    expected = made["loss"]
    made.truncate(5)
    made.extend(range(6, 100), loss=[-1] * 94, lr=[-1] * 94)
    other = History()
    other.load_state_dict(state)
    assert np.array_equal(other["loss"], expected)


def test_an_empty_history_is_no_special_case():
    made = History()
    other = History()
    other.load_state_dict(made.state_dict())
    assert len(other) == 0
    assert other["step"].tolist() == []
    assert repr(other) == "History(0 steps, 0 epochs)"
    made.extend([], loss=[])
    assert made["loss"].tolist() == []


def test_a_rewind_forgets_what_came_after():
    made = history(100_000)
    for step in (40_000, 80_000):
        made.add_epoch(epoch=step // 40_000, step=step)
        made.mark(step, "checkpoint")
    made.truncate(66_000)
    assert len(made) == 66_000
    assert [row["epoch"] for row in made.epochs] == [1]
    assert [mark.step for mark in made.marks] == [40_000]
    made.extend([66_001], loss=[5], lr=[0])
    assert made["loss"][-1] == 5
    assert made["step"][-1] == 66_001


def test_frames_have_a_row_a_step_or_a_row_an_epoch():
    made = history(3)
    made.add_epoch(epoch=1, step=3, loss=1.5)
    assert list(made.to_frame().columns) == ["loss", "lr"]
    assert made.to_frame().index.tolist() == [1, 2, 3]
    assert made.to_frame("epoch").loc[1, "loss"] == 1.5
    with pytest.raises(UnknownName, match="step, epoch"):
        made.to_frame("batch")


def test_its_repr_can_be_read_aloud():
    made = history(1200)
    made.add_epoch(epoch=1, step=1200, loss=0.31, val_loss=0.29)
    assert repr(made) == "History(1,200 steps, 1 epoch, loss 0.31, val_loss 0.29)"
