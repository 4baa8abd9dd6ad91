"""Gaps are found before the first step, by row and feature; what trains badly is a note."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mlnb.errors import DataError  # noqa: E402
from mlnb.train.feed import checks  # noqa: E402
from mlnb.train.feed.checks import check_finite, check_rows, scale_notes  # noqa: E402

NAN, INF = float("nan"), float("inf")


def refused(inputs, columns=()) -> str:
    with pytest.raises(DataError) as caught:
        check_finite(inputs, columns)
    return str(caught.value)


def test_a_gap_is_told_by_row_and_feature():
    assert refused(torch.tensor([[1, 2], [3, NAN], [5, 6]])) == (
        "inputs hold NaN in row 1, feature 1: one step with it would make every weight NaN. "
        "Leave row 1 out, or fill the gaps first"
    )
    assert refused(torch.tensor([[1, 2], [3, -INF], [INF, 6]])) == (
        "inputs hold -Inf in row 1, feature 1, and in 1 more row: one step with it would make "
        "every weight NaN. Leave rows 1, 2 out, or fill the gaps first"
    )


def test_a_gap_is_told_by_the_name_of_its_column():
    message = refused(torch.tensor([[1, NAN]]), ("age", "he\u202eight"))
    assert r"row 0, column 'he\u202eight':" in message


def test_a_gap_in_a_picture_is_told_by_its_place():
    pictures = torch.zeros(3, 1, 4, 4)
    pictures[2, 0, 1, 3] = NAN
    assert "NaN in row 2, at [0, 1, 3]:" in refused(pictures)
    assert "inputs['b'] hold Inf in row 0:" in refused(
        {"a": torch.zeros(2), "b": torch.full((2,), INF)[:1]}
    )


@pytest.mark.parametrize("row", [0, 6, 7, 8, 99])
def test_a_gap_is_found_in_every_piece(monkeypatch, row):
    monkeypatch.setattr(checks, "CHUNK", 16)
    inputs = torch.zeros(100, 2)
    inputs[row, 1] = NAN
    assert f"NaN in row {row}, feature 1" in refused(inputs)


def test_large_numbers_whose_sum_overflows_are_fine():
    check_finite(torch.full((1000, 2), 3e38))
    check_finite(torch.full((10, 2), 60000.0, dtype=torch.float16))


def test_integers_have_no_gaps():
    check_finite(torch.zeros(3, 2, dtype=torch.int64))
    check_finite(torch.zeros(0, 2))


def test_rows_are_counted_and_must_agree():
    check_rows(torch.zeros(3, 2), [0, 1, 0])
    for inputs, targets, message in (
        (torch.zeros(100, 2), range(90), "there are 100 inputs and 90 targets: every row needs"),
        (torch.zeros(0, 2), [], "data has no rows; at least one is needed"),
        (
            {"a": torch.zeros(3), "b": torch.zeros(1)},
            None,
            "inputs['a'] has 3 rows and inputs['b'] 1: every input needs the same number of rows",
        ),
    ):
        with pytest.raises(DataError) as caught:
            check_rows(inputs, targets)
        assert str(caught.value).startswith(message)


def test_columns_that_never_change_are_a_note():
    inputs = torch.tensor([[1.0, 2.0, 0.0], [1.0, 3.0, 0.0]])
    assert scale_notes(inputs) == ["features 0, 2 are the same in every row and can teach nothing"]
    assert scale_notes(inputs[:, :2], ("age", "size")) == [
        "column 'age' is the same in every row and can teach nothing"
    ]
    assert scale_notes(torch.zeros(4, 3)) == [
        "the inputs: every value is 0, so that there is nothing to learn from"
    ]


def test_a_column_that_changes_late_is_not_called_constant():
    inputs = torch.rand(1500, 2)
    inputs[:1400, 1] = 0
    assert scale_notes(inputs) == []


def test_the_border_of_pictures_is_no_news():
    pictures = torch.rand(5, 1, 4, 4)
    pictures[:, :, 0] = 0
    assert scale_notes(pictures) == []


def test_values_far_from_one_are_a_note():
    inputs = torch.tensor([[0.5, 20_000.0], [0.1, -3.0]])
    assert scale_notes(inputs, ("age", "income")) == [
        "the inputs go from -3 to 20,000 (column 'income'): networks learn best from values near "
        "0 and 1, so standardize them, (x - mean) / std"
    ]
    assert scale_notes(torch.randn(50, 3)) == []
    assert scale_notes(torch.tensor([[500, 3], [1, 2]])) == []
    assert scale_notes({"a": torch.tensor([[0.5], [200.0]])})[0].startswith("inputs['a'] go from")


def test_one_row_is_not_called_constant():
    assert scale_notes(torch.ones(1, 3)) == []
