"""What a text classifier takes: texts, pairs and frames; which columns; which rows are left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlnb.data.sample import Sample
from mlnb.data.text_columns import Columns
from mlnb.errors import DataError, UnknownName
from mlnb.tasks.texts import learning
from mlnb.tasks.texts.labels import labels_of
from mlnb.tasks.texts.taking import named_data, take_texts, usable

TEXTS = ["good soup", "cold soup", "lovely", "never again"]
FRAME = pd.DataFrame({"Text": TEXTS, "Sentiment": [1, 0, 1, 0]})


def learnt(X: Any, y: Any = None, validation: Any = None, **columns: Any) -> Any:
    return learning.learnt_of(X, y, Columns(**columns), validation, seed=0)


# ------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object)[:, None],
        pd.Series(TEXTS, dtype="string"),
        pd.Series(TEXTS, dtype="category"),
        pd.Index(TEXTS),
        (text for text in TEXTS),
        FRAME,
    ],
    ids=lambda given: type(given).__name__,
)
def test_texts_come_in_many_forms(given: Any) -> None:
    assert take_texts(given, labelled=False).texts == tuple(TEXTS)


def test_one_string_is_one_text() -> None:
    assert take_texts("good soup").texts == ("good soup",)


@pytest.mark.parametrize(
    "given", [list(zip(TEXTS, TEXTS, strict=True)), np.array([TEXTS, TEXTS]).T]
)
def test_pairs_are_tuples_or_a_table_of_two(given: Any) -> None:
    taken = take_texts(given)
    assert taken.texts == taken.pairs == tuple(TEXTS)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"good", "received bytes"),
        ([b"good"], "decode it first"),
        ([1, 2], "right column"),
        ({"a": 1}, "received dict"),
        (None, "received NoneType"),
        (3, "received int"),
        ([("a", "b", "c")], "expected one, or two"),
        ([("a",), ("a", "b")], "1 or 2 texts"),
    ],
)
def test_what_is_no_text_is_refused_and_named(given: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        take_texts(given)


def test_a_series_keeps_its_index_and_one_that_names_rows_twice_gets_numbers() -> None:
    assert take_texts(pd.Series(TEXTS, index=list("abcd"))).ids.tolist() == list("abcd")
    assert take_texts(pd.Series(TEXTS, index=[7] * 4)).ids.tolist() == [0, 1, 2, 3]


def test_what_is_missing_is_an_empty_text() -> None:
    taken = take_texts(["a", None, float("nan"), pd.NA, " \n"])
    assert taken.is_empty.tolist() == [False, True, True, True, True]


def test_columns_are_named_of_a_frame_only() -> None:
    with pytest.raises(DataError, match="columns of a frame; received list"):
        take_texts(TEXTS, columns=Columns(text="Text"))


# ----------------------------------------------------------------------------------------- columns


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.rename(columns={"Text": "words said", "Sentiment": "stars"}),
        FRAME.assign(Sentiment=["pos", "neg", "pos", "neg"]),
        FRAME.assign(split="train", left_out=False, path="x.tsv"),
        FRAME.assign(note=3)[["note", "Sentiment", "Text"]],
    ],
)
def test_columns_are_guessed_where_one_alone_can_be_meant(frame: pd.DataFrame) -> None:
    taken = take_texts(frame)
    assert taken.texts == tuple(TEXTS)
    assert [str(label) for label in taken.labels or ()] in (list("1010"), ["pos", "neg"] * 2)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame({"a": TEXTS, "b": TEXTS, "y": 1}), r"2 columns .*a, b, y.*text="),
        (pd.DataFrame({"a": [1], "y": [1]}), r"No column holds texts; .*a, y.*text="),
        (pd.DataFrame({"text": TEXTS, "a": 1, "b": 0}), r"2 columns .*labels.*target="),
        (pd.DataFrame({"text": TEXTS}), r"No column holds labels.*target="),
        (pd.DataFrame(np.array([TEXTS, TEXTS]).T, columns=["text", "text"]), "could hold"),
    ],
)
def test_a_guess_between_several_lists_the_columns(frame: pd.DataFrame, says: str) -> None:
    with pytest.raises(DataError, match=says):
        take_texts(frame)


def test_a_column_that_is_misspelt_gets_the_closest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'Text'"):
        take_texts(FRAME, columns=Columns(text="Txt"))


def test_two_columns_of_texts_are_pairs() -> None:
    frame = FRAME.assign(other=TEXTS[::-1])
    taken = take_texts(frame, columns=Columns("Text", "other"))
    assert taken.pairs == tuple(TEXTS[::-1])
    shown, column = taken.shown()
    assert shown[column].iloc[0] == ("good soup", "never again")


# ------------------------------------------------------------------------------------------ labels


def test_labels_of_numpy_and_pandas_become_pythons_own() -> None:
    labels, _ = labels_of(np.array([True, False]))
    assert [type(label) for label in labels] == [bool, bool]
    assert labels_of(pd.Series([1, None]))[0] == (1, None)
    assert type(labels_of(pd.Series([1, None]))[0][0]) is int
    assert labels_of(pd.Categorical(["b", None]))[0] == ("b", None)
    assert labels_of(pd.array([1, pd.NA], "Int64"))[0] == (1, None)
    assert labels_of([1.5, np.nan])[0] == (1.5, None)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([b"a", b"b"], "bytes"),
        ("abcd", "one a text; received str"),
        ([["a"], "b"], "Of 2 rows with labels 1 have a list"),
        ([["a", None]], "one is missing"),
        (np.array([[0.5, 1.0]]), "holds 0 and 1"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), "holds 0 and 1"),
        (7, "received int"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(labels: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        labels_of(labels)


@pytest.mark.parametrize("labels", [[1, "a", 1, "a"], [True, 2, True, 2]])
def test_labels_are_of_one_kind(labels: Any) -> None:
    with pytest.raises(DataError, match="one kind"):
        learnt(TEXTS, labels)


def test_one_class_is_no_task() -> None:
    with pytest.raises(DataError, match="All 4 texts have the label 'yes'"):
        learnt(TEXTS, ["yes"] * 4)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(DataError, match="no texts with labels"):
        learnt([], [])


# ----------------------------------------------------------------------------------- what is learnt


def test_rows_are_left_out_with_their_reasons() -> None:
    frame = FRAME.assign(left_out=[True, False, False, False])
    frame = pd.concat([frame, FRAME, pd.DataFrame({"Text": [" ", "?"], "Sentiment": [1, None]})])
    rows, why = usable(take_texts(frame.reset_index(drop=True)))
    assert len(rows) == 7
    assert why == {
        0: "it was left out by hand",
        8: "its text is empty",
        9: "it has no label",
    }


def test_a_frame_that_was_split_trains_validates_and_tests_on_its_own_rows() -> None:
    frame = pd.concat([FRAME] * 2, ignore_index=True)
    frame["split"] = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    made = learnt(frame)
    assert made.is_training.tolist() == [True] * 4 + [False] * 2
    rows, _ = learning.testing_of(frame, None, Columns())
    assert rows.ids.tolist() == [6, 7]


def test_a_split_without_training_rows_says_what_to_do() -> None:
    with pytest.raises(DataError, match='no row "train"'):
        learnt(FRAME.assign(split="test"))


@pytest.mark.parametrize("validation", [0.25, (["fine"], [1]), FRAME.iloc[:1]])
def test_validation_is_a_share_or_more_texts(validation: Any) -> None:
    given = FRAME if isinstance(validation, pd.DataFrame) else None
    made = (
        learnt(FRAME, validation=validation)
        if given is not None
        else learnt(TEXTS, [1, 0, 1, 0], validation)
    )
    assert (~made.is_training).sum() == 1


def test_a_label_of_validation_that_training_has_not_is_named() -> None:
    with pytest.raises(DataError, match=r"of the validation .* not known from training: 5;"):
        learnt(TEXTS, [1, 0, 1, 0], (["fine"], [5]))


def test_texts_and_labels_are_as_many() -> None:
    with pytest.raises(DataError, match="4 texts and 3 labels"):
        learnt(TEXTS, [1, 0, 1])


def test_a_name_is_a_sample_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text("Text\tSentiment\ngood\t1\nbad\t0\n", encoding="utf-8")
    assert learnt(str(file)).texts == ["good", "bad"]
    sample = Sample("mine", "text", "", "", "", read=lambda: FRAME)
    assert named_data(sample) is FRAME
    with pytest.raises(UnknownName, match="did you mean 'yelp'"):
        named_data("yelpp")
