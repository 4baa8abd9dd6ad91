"""More data is read as the data of the training was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from fed import gives, refused  # noqa: E402

from mlnb.train.feed.batches import InMemory  # noqa: E402
from mlnb.train.feed.data import prepare  # noqa: E402
from mlnb.train.feed.more_data import judged_at_once, prepare_inputs, prepare_more  # noqa: E402

X = np.arange(18, dtype=np.float32).reshape(6, 3) / 18
Y = [0, 1, 0, 1, 0, 1]
FRAME = pd.DataFrame({"a": [0.1, 0.2, 0.3, 0.4], "b": [1, 2, 3, 4], "y": ["u", "v", "u", "v"]})


def all_of(batches):
    pairs = list(batches.epoch(0))
    return torch.cat([x for x, _ in pairs]), torch.cat([y for _, y in pairs])


# Validation


def test_a_share_is_held_back_alike_for_the_same_seed():
    one, two, other = (prepare((X, Y), validation=0.34, seed=s) for s in (1, 1, 2))
    held = [all_of(prepared.validation)[0].tolist() for prepared in (one, two, other)]
    assert held[0] == held[1] != held[2]
    assert one.train.samples + one.validation.samples == 6
    assert sorted(all_of(one.validation)[1].tolist()) == [0, 1]
    assert "validation: 2 rows held back of 6, the same share of every class" in one.notes


def test_weights_are_of_the_rows_that_are_learned_from():
    data = (np.random.rand(100, 2), np.arange(100) % 2)
    prepared = prepare(data, probe=gives(2), validation=0.2, class_weight="balanced")
    assert prepared.class_weight.tolist() == [1.0, 1.0]
    assert "needs labels" in refused((X, np.random.rand(6)), class_weight="balanced")


def test_data_of_its_own_is_read_as_the_training_was():
    prepared = prepare((X, ["a", "b"] * 3), probe=gives(2), validation=(X[:2], ["b", "a"]))
    assert all_of(prepared.validation)[1].tolist() == [1, 0]
    frame = prepare(FRAME, target="y", validation=FRAME[["y", "b", "a"]], probe=gives(2))
    assert all_of(frame.validation)[0][0].tolist() == [pytest.approx(0.1), 1]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ((X, ["a", "z"] * 3), "validation targets hold 'z', which training did not; it knows 'a'"),
        (X, "validation has inputs and no targets: pass (x, y)"),
        ((X * np.nan, ["a", "b"] * 3), "validation inputs hold NaN in row 0, feature 0"),
        ((X, ["a"]), "there are 6 inputs and 1 target:"),
        ((X[:0], []), "validation has no rows; at least one is needed"),
        (((X, X), ["a", "b"] * 3), "validation has 2 inputs, and training had 1"),
        (5, "validation=5 is no share between 0 and 1, such as 0.2"),
        (0.01, "validation=0.01 of 6 rows leaves no row to judge by"),
    ],
    ids=str,
)
def test_validation_that_does_not_fit_is_told(validation, message):
    assert refused((X, ["a", "b"] * 3), probe=gives(2), validation=validation).startswith(message)


@pytest.mark.parametrize(("learned", "judged"), [(1, 4), (32, 128), (64, 256), (300, 300)])
def test_a_smaller_batch_size_makes_the_batches_of_a_validation_smaller(learned, judged):
    assert judged_at_once(learned) == judged


def test_validation_comes_in_the_order_of_the_data():
    prepared = prepare((X, Y), validation=(X, Y))
    assert all_of(prepared.validation)[0].numpy() == pytest.approx(X)


# More of it


def test_more_rows_to_train_on_come_shuffled_on_request():
    reading = prepare((X, Y), probe=gives(2)).reading
    plain, _ = prepare_more((X, Y), reading)
    assert all_of(plain)[0].numpy() == pytest.approx(X)
    shuffled, _ = prepare_more((X, Y), reading, shuffle=True, seed=4)
    assert isinstance(shuffled, InMemory)
    assert all_of(shuffled)[0].tolist() != X.tolist()


def test_data_is_judged_alone_where_nothing_was_trained():
    batches, notes = prepare_more((X, ["a", "b"] * 3))
    assert all_of(batches)[1].tolist() == Y
    assert notes == ["labels: 'a' is 0, 'b' is 1"]


def test_a_tuple_to_predict_from_is_several_inputs():
    batches = prepare_inputs((X, X))
    assert isinstance(next(iter(batches.epoch(0)))[0], tuple)
    assert prepare_inputs([[0.0, 1.0]]).samples == 1
