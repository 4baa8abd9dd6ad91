"""Anything that classifies is evaluated, fed what it was fitted on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline

from mlnb.data.sample import Sample
from mlnb.errors import DataError, UnknownName
from mlnb.train.evaluate_model import evaluate_model
from mlnb.train.evaluation import evaluate

GOOD, BAD = ["good soup", "good food"], ["bad soup", "bad bread"]


@pytest.fixture
def words() -> pd.DataFrame:
    return pd.DataFrame({"text": GOOD + BAD, "label": [1, 1, 0, 0], "page": range(4)})


@pytest.fixture
def reader(words: pd.DataFrame):
    return make_pipeline(CountVectorizer(), MultinomialNB()).fit(words["text"], words["label"])


def test_a_pipeline_over_texts_reads_the_texts(reader, words: pd.DataFrame):
    evaluation = evaluate_model(reader, words)
    assert evaluation.accuracy == 1.0
    assert evaluation.content == "text"
    renamed = words.rename(columns={"text": "Text", "label": "Liked"})
    evaluation = evaluate_model(reader, renamed, text="Text", target="Liked")
    assert (evaluation.accuracy, evaluation.content) == (1.0, "Text")


def test_a_model_of_a_table_is_fed_the_columns_it_was_fitted_on():
    frame = pd.DataFrame({"a": [0.0, 1.0, 0.1, 0.9], "b": 1.0, "label": list("nyny")})
    frame["path"] = "x.jpg"
    model = GaussianNB(var_smoothing=0.1).fit(frame[["b", "a"]], frame["label"])
    assert evaluate_model(model, frame).accuracy == 1.0
    with pytest.raises(UnknownName, match="no column 'b'"):
        evaluate_model(model, frame.drop(columns="b"))


def test_of_pictures_it_is_fed_the_frame():
    seen = []

    def predict_proba(x):
        seen.append(x)
        return np.full((len(x), 2), 0.5)

    frame = pd.DataFrame({"path": ["a.png", "b.png"], "label": ["cat", "dog"]})
    model = SimpleNamespace(predict_proba=predict_proba, classes_=["cat", "dog"])
    assert len(evaluate_model(model, frame)) == 2
    assert seen[0] is frame


def test_of_a_split_frame_the_readable_test_rows_count(reader, words: pd.DataFrame):
    frame = pd.concat([words, words], ignore_index=True)
    frame["split"] = ["train"] * 4 + ["test"] * 4
    frame["status"] = ["ok"] * 7 + ["truncated"]
    evaluation = evaluate_model(reader, frame)
    assert evaluation.ids.tolist() == [4, 5, 6]
    assert evaluation.notes == ('the rows whose split is "test"', "1 row left out: see status")
    with pytest.raises(DataError, match="no row to evaluate on"):
        evaluate_model(reader, frame.assign(status="truncated"))


def test_rows_that_were_left_out_by_hand_do_not_count(reader, words: pd.DataFrame):
    frame = pd.concat([words, words], ignore_index=True)
    frame["status"] = ["ok"] * 7 + ["truncated"]
    frame["left_out"] = [False] * 5 + [True, None, True]
    evaluation = evaluate_model(reader, frame)
    assert evaluation.ids.tolist() == [0, 1, 2, 3, 4, 6]
    assert evaluation.notes == ("1 row left out: see status", "1 row left out: see left_out")


def test_a_pair_and_a_sample_are_as_good():
    x, y = np.array([[0.0], [1.0], [0.2], [0.8]]), np.array([0, 1, 0, 1])
    model = LogisticRegression().fit(x, y)
    assert evaluate_model(model, (x, y)).accuracy == 1.0
    sample = Sample("pairs", "table", "made", "MIT", "here", read=lambda: (x, y))
    assert evaluate_model(model, sample).accuracy == 1.0


def test_a_model_that_evaluates_itself_is_asked():
    asked = {}

    def answer(test, **words):
        asked.update(words, test=test)
        return evaluate([0], [[1.0]], [0])

    model = SimpleNamespace(evaluate=answer)
    assert evaluate_model(model, "folder").accuracy == 1.0
    assert asked == {"test": "folder"}
    evaluate_model(model, "folder", target="y", text="t")
    assert asked == {"test": "folder", "target": "y", "text": "t"}
    alone = SimpleNamespace(evaluate=lambda test: answer(test))
    with pytest.raises(DataError, match=r"evaluate takes no text; leave it out"):
        evaluate_model(alone, "folder", text="t")
    with pytest.raises(DataError, match="gives a dict, no Evaluation"):
        evaluate_model(SimpleNamespace(evaluate=lambda test: {"loss": 1.0}), "folder")


def test_what_is_no_classifier_is_refused(reader, words: pd.DataFrame):
    with pytest.raises(TypeError, match=r"expected a classifier, .* received a int"):
        evaluate_model(3, words)
    with pytest.raises(DataError, match="this SimpleNamespace has no classes_: fit it first"):
        evaluate_model(SimpleNamespace(predict_proba=len), words)
    with pytest.raises(
        UnknownName, match=r"no column 'label'.* say which holds the labels: target="
    ):
        evaluate_model(reader, words.drop(columns="label"))
    with pytest.raises(UnknownName, match="no column 'txt'; did you mean 'text'"):
        evaluate_model(reader, words, text="txt")
    with pytest.raises(DataError, match="no row to evaluate on"):
        evaluate_model(reader, words.iloc[:0])
    with pytest.raises(DataError, match="received a list"):
        evaluate_model(reader, GOOD)
