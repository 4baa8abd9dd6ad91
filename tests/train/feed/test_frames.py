"""A pandas frame becomes features and a target, by its columns."""

from __future__ import annotations

import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from fed import gives, refused  # noqa: E402

from mlnb.errors import UnknownName  # noqa: E402
from mlnb.train.feed.data import prepare  # noqa: E402
from mlnb.train.feed.more_data import prepare_inputs  # noqa: E402

FRAME = pd.DataFrame({"a": [0.1, 0.2, 0.3, 0.4], "b": [1, 2, 3, 4], "y": ["u", "v", "u", "v"]})


def test_numeric_columns_become_features_in_order():
    prepared = prepare(FRAME, target="y", probe=gives(2))
    assert prepared.sample[0].tolist() == [[pytest.approx(0.1), 1], [pytest.approx(0.2), 2]]
    assert prepared.reading.columns == ("a", "b")
    assert prepared.notes == [
        "data: 2 columns became features",
        "labels: 'u' is 0, 'v' is 1",
    ]


def test_a_frame_to_predict_from_gives_the_columns_of_the_training():
    reading = prepare(FRAME, target="y", probe=gives(2)).reading
    batches = prepare_inputs(FRAME[["y", "b", "a"]], reading)
    assert next(iter(batches.epoch(0)))[0][0].tolist() == [pytest.approx(0.1), 1]
    with pytest.raises(UnknownName, match="no column 'a'"):
        prepare_inputs(FRAME[["b"]], reading)


def test_several_targets_are_several_columns():
    prepared = prepare(FRAME.assign(y=[1.5, 2.5, 3.5, 4.5]), target=["y", "b"], probe=gives(2))
    assert prepared.task == "regression"
    assert prepared.sample[1].tolist() == [[1.5, 1.0], [2.5, 2.0]]


def test_columns_of_text_are_named_with_the_remedy():
    frame = FRAME.assign(town=[None, "Ulm", "Ulm", "Bonn"])
    assert refused(frame, target="y") == (
        "column 'town' of data holds no numbers (such as 'Ulm' in row 1): make numbers of them, "
        "pandas.get_dummies(frame, columns=['town']), or leave them out, "
        "frame.drop(columns=['town'])"
    )
    assert refused(FRAME).endswith("what is to be learned is named by target='y'")
    assert refused(FRAME.assign(day=pd.Timestamp("2020-01-01")), target="y").startswith(
        "column 'day' of data holds no numbers"
    )


def test_gaps_are_told_by_column_and_row():
    frame = FRAME.assign(a=[0.1, None, 0.3, None], c=pd.array([1, 2, None, 4], dtype="Int64"))
    assert refused(frame, target="y") == (
        "columns 'a', 'c' of data have gaps in rows 1, 2, 3: leave these rows out, "
        "frame.dropna(), or fill them, frame.fillna(frame.mean(numeric_only=True))"
    )
    assert refused(FRAME.assign(y=["u", None, "u", "v"]), target="y") == (
        "column 'y' of data has gaps in row 1: leave these rows out, frame.dropna()"
    )


def test_numbers_in_a_column_of_objects_are_numbers():
    kept = prepare(FRAME.assign(a=FRAME["a"].astype(object)), target="y")
    assert torch.equal(kept.train.inputs, prepare(FRAME, target="y").train.inputs)


def test_unknown_doubled_and_missing_columns_are_told():
    with pytest.raises(UnknownName, match="no column 'z'"):
        prepare(FRAME, target="z")
    assert refused(FRAME[["y"]], target="y").startswith("data has no columns besides its target")
    twice = pd.concat([FRAME, FRAME[["a"]]], axis=1)
    assert refused(twice, target="y") == "data has column 'a' more than once; rename one"
