"""Which rows take part, by columns that may be there or not and hold anything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlnb.data.rows import (
    columns_text,
    is_good,
    is_left_out,
    left_out_text,
    require_column,
    taking_part,
)
from mlnb.errors import DataError, UnknownName


def test_without_such_columns_every_row_takes_part() -> None:
    frame = pd.DataFrame({"path": ["a", "b"]})
    assert taking_part(frame).tolist() == [True, True]
    assert taking_part(frame.iloc[:0]).tolist() == []


@pytest.mark.parametrize("missing", [None, np.nan, "", pd.NA])
def test_only_what_is_ok_is_good_and_only_true_is_left_out(missing: object) -> None:
    frame = pd.DataFrame(
        {"status": ["ok", "damaged", missing, "ok", "ok"], "left_out": [missing, 0, 0, True, "yes"]}
    )
    assert is_good(frame).tolist() == [True, False, False, True, True]
    assert is_left_out(frame).tolist() == [False, False, False, True, False]
    assert taking_part(frame).tolist() == [True, False, False, False, True]


def test_columns_of_pandas_own_kinds_do_as_well() -> None:
    status = pd.array(["ok", None, "ok"], dtype="string")
    left_out = pd.array([None, False, True], dtype="boolean")
    frame = pd.DataFrame({"status": status, "left_out": left_out}, index=[5, 5, 7])
    assert taking_part(frame).tolist() == [True, False, False]


def test_columns_are_named_the_first_of_many_and_harmlessly() -> None:
    assert columns_text(pd.DataFrame()) == "none"
    assert columns_text(pd.DataFrame(columns=["a", 3, "\u202eb"])) == "a, 3, \\u202eb"
    assert columns_text(pd.DataFrame(columns=range(15))).endswith("10, 11 and 3 more")


def test_what_was_left_out_is_told_with_the_most_frequent_reasons_first() -> None:
    assert left_out_text({7: "it is empty"}, "text") == "left out 1 text: it is empty (1)"
    reasons = ["a", "b", "b", "c", "d\u202e", "e"]
    said = left_out_text(dict(enumerate(reasons)), "picture")
    assert said == "left out 6 pictures: b (2), a (1), c (1), and 2 other reasons"


def test_a_column_that_is_not_there_or_twice_is_refused() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["Text", "Label", "Label"])
    require_column(frame, "Text")
    with pytest.raises(UnknownName, match="did you mean 'Text'"):
        require_column(frame, "Txt")
    with pytest.raises(DataError, match="2 columns 'Label'; rename all but one"):
        require_column(frame, "Label")
