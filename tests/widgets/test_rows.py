"""The IO card as rows, as text and as HTML."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlnb.specs import TensorSpec
from mlnb.widgets.rows import rows_html, rows_text, spec_rows, value_rows, within

EVIL = '<img src=x onerror=alert(1)>\u202e"'


def test_a_spec_is_a_row():
    (row,) = spec_rows([TensorSpec("data", "float32", ("N", 3, None))], "in")
    assert (row["role"], row["name"], row["dtype"], row["shape"]) == (
        "in",
        "data",
        "float32",
        "[N, 3, ?]",
    )
    (row,) = spec_rows([TensorSpec("boxes", "float32", None, "sequence")])
    assert (row["dtype"], row["shape"]) == ("sequence of float32", "unknown shape")


def test_a_value_is_a_row_with_what_it_holds():
    (row,) = value_rows({"y": np.array([[1.0, np.nan], [3.0, -np.inf]])}, "out")
    assert (row["dtype"], row["shape"]) == ("float64", "[2, 2]")
    assert (row["stats"]["nan"], row["stats"]["inf"]) == (1, 1)
    assert row["stats"]["maximum"] == 3
    assert row["picture"].startswith("data:image/png;base64,")
    json.dumps(row, allow_nan=False)


def test_lists_dicts_and_absent_values_are_rows_too():
    values = {"seq": [np.zeros(2), np.ones(3)], "map": {"a": 0.5}, "gone": None}
    rows = value_rows(values, "out")
    assert [(r["name"], r["dtype"]) for r in rows] == [
        ("seq", "sequence"),
        ("seq[0]", "float64"),
        ("seq[1]", "float64"),
        ("map", "map"),
        ("map['a']", "float"),
        ("gone", "absent"),
    ]
    assert rows[0]["note"] == "2 items"


def test_a_long_list_shows_its_first_items():
    rows = value_rows({"seq": [np.zeros(1)] * 1000})
    assert len(rows) == 9
    assert rows[0]["note"] == "1,000 items"


def test_the_text_aligns_its_columns():
    rows = spec_rows([TensorSpec("x", "float32", ("N", 4)), TensorSpec("mask", "bool", (4,))], "in")
    assert rows_text("net.onnx", "ONNX", rows) == (
        "net.onnx · ONNX\nin  x     float32  [N, 4]\nin  mask  bool     [4]"
    )
    assert rows_text("", "", []) == ""


def test_the_text_of_values_tells_range_mean_and_what_is_not_a_number():
    text = rows_text("", "", value_rows({"y": np.array([-1.0, 3.0])}, "out"))
    assert text == "out  y  float64  [2]  −1 … 3  1"


@pytest.mark.parametrize("rows", [spec_rows([TensorSpec(EVIL, EVIL, (EVIL,))])])
def test_what_a_stranger_wrote_is_never_markup(rows):
    page = rows_html(EVIL, EVIL, rows)
    assert "<img src=x" not in page
    assert "\u202e" not in page + rows_text(EVIL, "", rows)


def test_the_html_bears_values_and_pictures_and_no_script():
    page = rows_html("prediction", "3 ms", value_rows({"y": np.eye(4)}, "out"))
    assert page.count("<tr>") == 2
    assert '<img src="data:image/png;base64,' in page
    assert "0 … 1" in page
    assert "<script" not in page


def test_pictures_are_dropped_where_they_would_make_the_page_large():
    noise = np.random.default_rng(0).normal(size=(96, 96, 3)).astype(np.float32)
    rows = value_rows({f"y{i}": noise for i in range(100)}, "out")
    page = rows_html("", "", rows)
    assert 1 <= page.count("<img") <= 2
    assert len(page) < 60_000
    assert "and 52 more" in page
    assert [row["picture"] is None for row in within(rows[:3], 80_000)] == [False, False, True]
    assert all(row["picture"] for row in rows)
