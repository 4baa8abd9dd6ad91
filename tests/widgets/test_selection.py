"""`Selection`: chosen rows by their ids, whoever chose them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlnb.errors import DataError
from mlnb.widgets.selection import Selection


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"path": list("abcd"), "label": ["x", "y", "x", "y"]}, index=[10, 20, 30, 40]
    )


def test_the_chosen_rows_are_a_frame_in_the_order_of_their_choosing(frame: pd.DataFrame):
    selection = Selection(frame, [30, 10])
    assert selection.frame.path.tolist() == ["c", "a"]
    assert repr(selection) == "Selection(2 of 4 chosen)"
    selection.clear()
    assert selection.ids == ()
    assert len(selection.frame) == 0
    assert list(selection.frame) == ["path", "label"]


@pytest.mark.parametrize(
    "ids", [[20, 40], (20, 40), np.array([20, 40]), pd.Index([20, 40]), range(20, 41, 20)]
)
def test_ids_may_come_as_any_row_of_ids(frame: pd.DataFrame, ids: object):
    selection = Selection(frame)
    selection.ids = ids
    assert selection.ids == (20, 40)
    assert {type(one) for one in selection.ids} == {int}


def test_a_repeated_id_counts_once(frame: pd.DataFrame):
    assert Selection(frame, [20, 10, 20]).ids == (20, 10)


def test_observers_hear_of_a_change_once_and_of_none_where_nothing_changed(frame: pd.DataFrame):
    selection, heard = Selection(frame), []
    selection.observe(lambda change: heard.append(change["new"]), "ids")
    selection.ids = [10]
    selection.ids = np.array([10])
    selection.ids = frame.index
    assert heard == [(10,), (10, 20, 30, 40)]


def test_an_id_of_no_row_is_named_and_nothing_changes(frame: pd.DataFrame):
    selection = Selection(frame, [10])
    with pytest.raises(
        DataError, match="no row has the id 11; ids are the index of the frame, from"
    ):
        selection.ids = [10, 11]
    with pytest.raises(DataError, match=r"no row has the id 'a\\u202eb' \(nor 1 more\)"):
        selection.ids = ["a\u202eb", 3]
    assert selection.ids == (10,)


def test_a_string_is_no_row_of_ids():
    with pytest.raises(DataError, match=r"for one alone: ids=\['abc'\]"):
        Selection().ids = "abc"


def test_rows_of_one_id_are_refused(frame: pd.DataFrame):
    with pytest.raises(DataError, match=r"row twice, 10 among them; .*reset_index\(drop=True\)"):
        Selection(frame.rename(index={20: 10}))


def test_positions_are_those_of_the_frame_that_asks(frame: pd.DataFrame):
    selection = Selection(frame, [40, 10])
    part = frame.iloc[::-1][:2]
    assert selection.positions(frame).tolist() == [3, 0]
    assert selection.positions(part).tolist() == [0]
    selection.choose(part, [1])
    assert selection.ids == (30,)


def test_a_part_of_the_rows_and_the_whole_share_one_selection(frame: pd.DataFrame):
    selection = Selection(frame.iloc[:2])
    selection.take(frame)
    selection.ids = [40]
    assert selection.frame.path.tolist() == ["d"]


def test_what_was_edited_in_a_part_is_seen_in_the_chosen_rows(frame: pd.DataFrame):
    selection = Selection(frame, [20, 30])
    edited = frame.iloc[2:].assign(label="z", left_out=True)
    selection.take(edited)
    assert selection.frame.label.tolist() == ["y", "z"]
    assert selection.frame.left_out.tolist()[1] is True
    selection.take(frame.assign(left_out=False))
    assert selection.frame.label.tolist() == ["y", "x"]
    assert selection.frame.left_out.dtype == bool


def test_without_a_frame_it_holds_ids_alone():
    selection = Selection()
    selection.ids = ["a", "b"]
    assert selection.frame.index.tolist() == ["a", "b"]
    assert repr(selection) == "Selection(2 chosen)"


def test_a_frame_without_rows_has_nothing_to_choose(frame: pd.DataFrame):
    selection = Selection(frame.iloc[:0])
    assert len(selection.frame) == 0
    with pytest.raises(DataError, match="of no row at all"):
        selection.ids = [1]


def test_an_edit_is_heard_of_once_and_the_newest_rows_can_be_had(frame: pd.DataFrame):
    selection, heard = Selection(frame), []
    selection.observe(lambda change: heard.append(change["new"]), "version")
    selection.take(frame)
    assert heard == []
    edited = frame.assign(label="z", left_out=True)
    selection.take(edited)
    assert len(heard) == 1
    assert selection.newest(frame.iloc[1:]).label.tolist() == ["z"] * 3
    assert list(selection.newest(frame)) == ["path", "label"]
