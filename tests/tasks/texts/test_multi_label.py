"""Texts that may have many labels: lists of them, or a table of 0 and 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score
from tiny_encoder import tiny_encoder, tiny_texts

from mlnb.errors import DataError, TrainError
from mlnb.tasks.texts.classification import TextClassifier

TEXTS, GOOD = tiny_texts(80)
FOOD = [int("food" in text or "soup" in text) for text in TEXTS]
TABLE = np.array([GOOD, FOOD]).T
LISTS = [
    [name for name, has in zip(("good", "food"), row, strict=True) if has] for row in TABLE.tolist()
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


def quiet(_: str) -> None:
    """Nothing is told."""


def fitted(folder: Path | str, labels: Any, texts: Any = TEXTS) -> TextClassifier:
    return TextClassifier(folder, cache=False).fit(texts, labels, tell=quiet)


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset, np.array])
def test_lists_of_any_kind_give_tuples_of_labels(folder: Path, kind: Any) -> None:
    made = fitted(folder, [kind(labels) for labels in LISTS])
    assert made.classes_.tolist() == ["food", "good"]
    probabilities = made.predict_proba(TEXTS)
    answers = made.predict(TEXTS)
    assert answers.dtype == object
    for answer, row in zip(answers, probabilities, strict=True):
        assert answer == tuple(made.classes_[row >= 0.5])


def test_each_class_has_a_probability_of_its_own(folder: Path) -> None:
    said = fitted(folder, LISTS).predict_proba(TEXTS)
    assert ((said >= 0) & (said <= 1)).all()
    assert np.abs(said.sum(1) - 1).max() > 0.1


def test_a_table_gives_a_table(folder: Path) -> None:
    made = fitted(folder, TABLE)
    assert made.classes_.tolist() == [0, 1]
    answers = made.predict(TEXTS)
    assert answers.shape == TABLE.shape
    assert answers.dtype == np.int64
    assert (answers[:, 0] == TABLE[:, 0]).mean() > 0.7
    assert np.isfinite(cross_val_score(made, TEXTS, TABLE, cv=2, scoring="f1_macro")).all()


def test_a_table_may_be_sparse_or_a_frame_with_names(folder: Path) -> None:
    from scipy.sparse import csr_matrix

    assert fitted(folder, csr_matrix(TABLE)).classes_.tolist() == [0, 1]
    named = fitted(folder, pd.DataFrame(TABLE, columns=["good", "food"]))
    assert named.classes_.tolist() == ["good", "food"]


def test_columns_of_a_frame_are_a_table(folder: Path) -> None:
    frame = pd.DataFrame({"text": TEXTS, "good": GOOD, "food": FOOD})
    made = TextClassifier(folder, cache=False).fit(frame, target=["good", "food"], tell=quiet)
    predicted = made.predict(frame)["PredictedLabel"]
    assert set(predicted) <= {(), ("good",), ("food",), ("good", "food")}
    assert made.evaluate(frame).classes == ("good", "food")


@pytest.mark.parametrize("labels", [LISTS, TABLE], ids=["lists", "table"])
def test_evaluate_counts_a_text_as_right_where_every_class_is(folder: Path, labels: Any) -> None:
    made = fitted(folder, labels)
    evaluation = made.evaluate(TEXTS, labels)
    columns = list(made.classes_)
    order = [columns.index(name) for name in ("good", "food")] if labels is LISTS else [0, 1]
    said = made.predict_proba(TEXTS)[:, order] >= 0.5
    assert evaluation.multi_label
    assert evaluation.accuracy == (said == TABLE).all(1).mean() == made.score(TEXTS, labels)
    kinds = np.unique(TABLE, axis=0, return_counts=True)[1]
    assert evaluation.baselines["majority"] == kinds.max() / len(TABLE)
    assert evaluation.baselines["TF-IDF"] > 0.5
    assert list(evaluation.per_class.index) == columns
    assert made.held_out_ is not None
    assert made.held_out_.multi_label


def test_no_label_is_an_answer_and_a_missing_one_is_left_out(folder: Path) -> None:
    labels: list[Any] = list(LISTS)
    labels[0], labels[1] = [], None
    made = fitted(folder, labels)
    assert made.left_out_ == {1: "it has no label"}


def test_a_class_that_all_texts_have_or_none_stops_nothing(folder: Path) -> None:
    table = np.column_stack([TABLE, np.ones(80, int), np.zeros(80, int)])
    said = fitted(folder, table).predict_proba(TEXTS)
    assert (said[:, 2] > 0.9).all()
    assert (said[:, 3] < 0.1).all()


def test_an_empty_text_gets_the_share_of_each_class(folder: Path) -> None:
    said = fitted(folder, TABLE).predict_proba([""])
    np.testing.assert_allclose(said, [TABLE.mean(0)], atol=1e-6)


def test_a_trained_head_takes_one_label_a_text(folder: Path) -> None:
    with pytest.raises(TrainError, match='take head="logreg"'):
        TextClassifier(folder, head="mlp", cache=False).fit(TEXTS, LISTS, tell=quiet)


def test_validation_has_many_labels_where_training_has(folder: Path) -> None:
    with pytest.raises(DataError, match="one has many labels"):
        TextClassifier(folder, cache=False).fit(
            TEXTS, LISTS, validation=(TEXTS[:2], ["good", "food"]), tell=quiet
        )


def test_counted_words_take_many_labels(folder: Path) -> None:
    made = fitted("tfidf", LISTS)
    assert made.score(TEXTS, LISTS) > 0.8
