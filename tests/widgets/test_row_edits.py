"""Edits of a frame, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlnb.widgets.row_edits import RowEdits

COLUMNS = {
    "texts": list("abcd"),
    "texts with none": ["a", None, "b", "c"],
    "numbers": [1, 2, 3, 4],
    "small numbers": np.array([1, 2, 3, 4], np.int8),
    "numbers with none": [1.0, np.nan, 2.0, 3.0],
    "truths": [True, False, True, True],
    "a category": pd.Categorical(list("abab")),
}


@pytest.mark.parametrize("value", ["z", 7, None, True, 2.5])
@pytest.mark.parametrize("column", COLUMNS)
def test_any_value_can_be_set_and_undone(column: str, value: Any):
    frame = pd.DataFrame({"label": COLUMNS[column], "other": 1})
    edits = RowEdits(frame)
    edits.set([1, 3], "label", value)
    got = edits.frame.label.tolist()
    assert [got[0], got[2]] == [frame.label[0], frame.label[2]]
    assert all(one == value or (value is None and pd.isna(one)) for one in (got[1], got[3]))
    assert edits.rows == {1, 3}
    assert edits.undo() == (1, 3)
    pd.testing.assert_frame_equal(edits.frame, frame)
    assert len(edits) == 0
    assert edits.undo() == ()


def test_a_value_of_the_same_kind_keeps_the_dtype():
    edits = RowEdits(pd.DataFrame({"label": np.array([1, 2], np.int8)}))
    edits.set([0], "label", 5)
    assert edits.frame.label.dtype == np.int8


def test_a_new_column_goes_when_its_edit_is_undone():
    edits = RowEdits(pd.DataFrame({"path": ["a", "b"]}))
    edits.set([1], "left_out", True, missing=False)
    assert edits.frame.left_out.tolist() == [False, True]
    assert edits.frame.left_out.dtype == bool
    edits.undo()
    assert list(edits.frame) == ["path"]


def test_who_holds_the_frame_of_before_sees_it_unchanged():
    frame = pd.DataFrame({"label": ["a", "b"]})
    edits = RowEdits(frame)
    edits.set([0], "label", "z")
    middle = edits.frame
    edits.set([0], "label", "y")
    assert (frame.label[0], middle.label[0], edits.frame.label[0]) == ("a", "z", "y")
