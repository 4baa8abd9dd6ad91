"""Texts as strings, their facts, and labels as numbers."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlnb.data.splits import split
from mlnb.data.text import LabelMap, clean, describe_texts, folded
from mlnb.errors import DataError, UnknownName

HOSTILE = [
    "<script>alert(1)</script>",
    "\x00\x07\x1b[31m",
    "abc\u202edef",
    "=cmd|' /C calc'!A0",
    "👩‍👩‍👧 family",
    "half \ud83d an emoji",
    "\ufeffmark",
    "{0.__class__} %s $HOME",
    '"; DROP TABLE x; --',
    "\u2028\u2029\x85",
    "a" * 200_000,
    "Z̸̢̛a̵l̶g̷o̴",
]


# ---------------------------------------------------------------------------------------- clean


def test_what_is_missing_becomes_empty_and_is_told() -> None:
    told: list[str] = []
    given = ["a", None, float("nan"), pd.NA, np.str_("b"), pd.NaT]
    assert clean(given, tell=told.append) == ["a", "", "", "", "b", ""]
    assert told == ["4 rows of texts missing, taken as empty"]
    assert [type(text) for text in clean(given)] == [str] * 6


@pytest.mark.parametrize("kind", [list, tuple, iter, np.array, pd.Series])
def test_texts_come_in_any_column(kind) -> None:
    assert clean(kind(["a", "b"])) == ["a", "b"]
    assert clean(kind([])) == []


def test_a_pandas_column_of_every_string_kind_is_read() -> None:
    for dtype in ("object", "string", "category"):
        assert clean(pd.Series(["a", None], dtype=dtype)) == ["a", ""]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_what_they_are_and_can_be_encoded(text: str) -> None:
    (same,) = clean([text])
    same.encode()
    assert same == text.replace("\ud83d", "\ufffd")


def test_whole_emoji_in_two_halves_is_one_again() -> None:
    assert clean(["\ud83d\ude00"]) == ["😀"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("one text", "received one string: put it into brackets"),
        (b"one", "received bytes"),
        ({"a": 1}, "received dict"),
        (pd.DataFrame({"text": ["a"]}), "received DataFrame"),
        (7, "received int"),
        (["a", b"b"], r"row 1, counted from 0, is b'b' \(bytes\): decode it first"),
        (["a", 5], r"row 1, counted from 0, is 5 \(int\): is it the right column"),
        ([["a", "b"]], r"row 0, .* \(list\)"),
        (np.array([["a", "b"]]), r"row 0, .* \(ndarray\)"),
        ([["a"], ["b", ["c"]]], r"row 0, .* \(list\)"),
    ],
)
def test_what_is_no_column_of_texts_is_refused(given, says: str) -> None:
    with pytest.raises(DataError, match=says):
        clean(given)


@given(st.text(st.characters(max_codepoint=127)), st.sampled_from([" ", "\t", "\u00a0", "\n"]))
def test_case_and_white_space_do_not_count(text: str, space: str) -> None:
    assert folded(f"{space}{text}{space}") == folded(text)
    assert folded(folded(text).swapcase()) == folded(folded(text))


# ---------------------------------------------------------------------------------------- facts


def table() -> pd.DataFrame:
    rows = [("Good.", 1), (" good. ", 0), ("", 1), (" \t", 0), (None, 1), ("Bad!", 0), ("?", None)]
    return pd.DataFrame(rows, columns=["Text", "Label"])


def test_the_facts_of_a_frame() -> None:
    facts = describe_texts(table())
    assert (facts.rows, facts.empty, facts.whitespace) == (7, 2, 1)
    assert (facts.duplicates, facts.contradictions, facts.unlabelled) == (1, 1, 1)
    assert facts.lengths == (1, 4, 7)
    assert facts.labels == {0: 3, 1: 3}


def test_a_person_reads_them_aloud() -> None:
    assert repr(describe_texts(["Good.", "good. ", "", "Bad!"])) == (
        "TextFacts(texts: 4; characters: 4 to 6, median 5; empty: 1; only white space: none; "
        "repeated: 1)"
    )
    shown = describe_texts(table().fillna({"Label": 0}))._repr_html_()
    assert "labelled in two ways</th><td>1</td>" in shown


def test_labels_that_are_markup_are_text() -> None:
    shown = describe_texts(pd.DataFrame({"text": ["a"], "label": ["<img src=x>\u202e"]}))
    assert "<img" not in shown._repr_html_()
    assert "\u202e" not in repr(shown)


def test_no_texts_at_all_have_facts_too() -> None:
    facts = describe_texts([])
    assert (facts.rows, facts.lengths, facts.labels) == (0, (0, 0, 0), {})
    assert describe_texts(["", " "]).lengths == (0, 0, 0)


def test_several_labels_a_row_count_each() -> None:
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": [["x", "y"], ["x"], []]})
    assert describe_texts(frame).labels == {"x": 2, "y": 1}


def test_labels_of_no_order_are_counted_all_the_same() -> None:
    frame = pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", 1, 1]})
    assert describe_texts(frame).labels == {1: 2, "x": 1}


def test_the_only_column_of_strings_has_the_texts() -> None:
    frame = pd.DataFrame({"Review": ["a", None], "stars": [1, 2]})
    assert describe_texts(frame).rows == 2
    with pytest.raises(DataError, match=r"the frame has a, b\. Name it: text="):
        describe_texts(pd.DataFrame({"a": ["x"], "b": ["y"]}))
    with pytest.raises(UnknownName, match="did you mean 'Review'"):
        describe_texts(frame, text="Revue")
    with pytest.raises(UnknownName, match="no column 'mood'"):
        describe_texts(frame, label="mood")


# --------------------------------------------------------------------------------------- labels


def test_the_map_is_shown_as_one_says_it() -> None:
    labels = LabelMap.of(["positive"] * 500 + ["negative"] * 500)
    assert repr(labels) == "0 → negative (500 rows), 1 → positive (500 rows)"
    assert "<td>1</td>" in labels._repr_html_()
    assert "and 5 more" in repr(LabelMap.of(range(25)))


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (["b", "a", "b"], ("a", "b")),
        ([10, 9, 10], (9, 10)),
        ([True, False], (False, True)),
        ([1, 2.5], (1.0, 2.5)),
        (np.array([2, 1], np.int8), (1, 2)),
        (np.array([True, False]), (False, True)),
        (pd.Series([2, 1], dtype="Int64"), (1, 2)),
        (pd.Series(["x", "w"], dtype="category"), ("w", "x")),
        ([], ()),
    ],
)
def test_labels_of_any_kind_are_mapped_and_kept(given, classes) -> None:
    labels = LabelMap.of(given)
    assert labels.classes == classes
    assert [type(label) for label in labels.classes] == [type(label) for label in classes]
    kept = LabelMap.from_json(json.loads(json.dumps(labels.to_json())))
    assert kept == labels
    assert [type(label) for label in kept.classes] == [type(label) for label in classes]
    assert kept.labels(kept.codes(given)) == list(given)


KINDS = st.one_of(
    st.lists(st.text(max_size=5)),
    st.lists(st.integers()),
    st.lists(st.booleans()),
    st.lists(st.floats(allow_nan=False, allow_infinity=False)),
)


@given(KINDS)
def test_there_and_back(given: list) -> None:
    labels = LabelMap.of(given)
    assert labels.labels(labels.codes(given)) == given
    assert LabelMap.from_json(json.loads(json.dumps(labels.to_json()))) == labels
    assert sum(labels.counts) == len(given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["a", None, "b"], "1 row without a label, the first is row 1, counted from 0"),
        ([1.0, float("nan")], "1 row without a label"),
        (["1", 1], "all of one kind .*; received int, str"),
        ([True, 1], "received bool, int"),
        ([b"a"], "received bytes"),
        ([["a"]], "received list"),
        ([float("inf")], "received inf"),
    ],
)
def test_labels_that_cannot_be_kept_are_refused(given, says: str) -> None:
    with pytest.raises(DataError, match=says):
        LabelMap.of(given)


def test_a_label_that_nobody_has_learnt_is_named() -> None:
    labels = LabelMap.of(["a", "b"])
    with pytest.raises(DataError, match=r"2 labels are not known: 'c'; known are 'a', 'b'"):
        labels.codes(["a", "c", "c"])
    for strange in ([True], [["a"]], [None], ["1"]):
        with pytest.raises(DataError, match="not known"):
            LabelMap.of([0, 1]).codes(strange)


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {},
        {"kind": "object", "classes": [], "counts": []},
        {"kind": "str", "classes": ["a", 1], "counts": [1, 1]},
        {"kind": "str", "classes": ["a", "a"], "counts": [1, 1]},
        {"kind": "int", "classes": [True, False], "counts": [1, 1]},
        {"kind": "str", "classes": ["a"], "counts": [1, 1]},
        {"kind": "str", "classes": ["a"], "counts": [-1]},
        {"kind": "str", "classes": [["a"]], "counts": [1]},
        {"kind": ["str"], "classes": [], "counts": []},
    ],
)
def test_a_map_that_was_tampered_with_is_refused(kept) -> None:
    with pytest.raises(DataError, match="no map of labels"):
        LabelMap.from_json(kept)


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_kept_and_shown_harmlessly(label: str) -> None:
    labels = LabelMap.of([label, "b"])
    assert LabelMap.from_json(json.loads(json.dumps(labels.to_json()))) == labels
    for shown in (repr(labels), str(labels._repr_html_())):
        assert "\u202e" not in shown
        assert "\x1b" not in shown
        assert len(shown) < 1000
    assert "<script" not in labels._repr_html_()


# ---------------------------------------------------------------------------- across the split


def split_of(frame: pd.DataFrame, **words) -> tuple[pd.DataFrame, list[str]]:
    told: list[str] = []
    return split(frame, tell=told.append, **words), told


@pytest.mark.parametrize(
    ("column", "words"), [("text", {}), ("Text", {}), ("Said", {"text": "Said"})]
)
def test_texts_that_say_the_same_in_two_parts_are_warned_of(column: str, words: dict) -> None:
    texts = [f"{text} {n // 2}" for n, text in enumerate(["Loved it/now", "loved  IT/now "] * 50)]
    frame = pd.DataFrame({column: texts, "label": [0, 1] * 50})
    _, told = split_of(frame, **words)
    assert any(
        "near-duplicate in another part" in line and "it/now" in line.lower() for line in told
    )
    parts, told = split_of(frame, duplicates="together", **words)
    assert told == []
    assert (parts.groupby(parts[column].map(folded)).split.nunique() == 1).all()


def test_pairs_are_the_same_where_both_are() -> None:
    frame = pd.DataFrame({"a": ["x"] * 40, "b": [str(n) for n in range(40)], "label": [0, 1] * 20})
    assert split_of(frame, text=("a", "b"))[1] == []
    assert "near-duplicate" in split_of(frame, text="a")[1][0]
    with pytest.raises(UnknownName, match="no column 'c'"):
        split_of(frame, text=("a", "c"))


def test_rows_that_say_nothing_are_not_alike() -> None:
    frame = pd.DataFrame({"text": ["", None, " ", float("nan")] * 10, "label": [0, 1] * 20})
    assert split_of(frame)[1] == []


def test_numbers_that_are_their_own_are_shown_once() -> None:
    assert repr(LabelMap.of([0, 1, 1])) == "0 (1 row), 1 (2 rows)"
    assert repr(LabelMap.of([0, 2])) == "0 → 0 (1 row), 1 → 2 (1 row)"
    assert repr(LabelMap.of([False, True])) == "0 → False (1 row), 1 → True (1 row)"
