"""`TextClassifier` as a user meets it: fit, predict, evaluate, and what unlucky data does."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks
from tiny_encoder import tiny_encoder, tiny_texts

from mlnb.errors import DataError, TrainError, UnknownName
from mlnb.networks.encoders import encoder
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.classification import TextClassifier
from mlnb.tasks.texts.fitting import layers_of
from mlnb.train.evaluate_model import evaluate_model

TEXTS, LABELS = tiny_texts(80)
FRAME = pd.DataFrame({"Text": TEXTS, "Sentiment": LABELS})
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'\"><svg/onload=alert(1)>",
    "a\x00b",
    "\u202egnp.exe",
    "\ud83d half",
    "\r\n\t\x1b[31m",
    "{0} {text} %s %(x)s",
    "\u200b\ufeff",
    "🏳️‍🌈" * 30,
    "[CLS] [SEP] [PAD] [MASK]",
    "é" * 5000,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def fitted(folder: Path) -> TextClassifier:
    return TextClassifier(folder, cache=False).fit(FRAME[:60], tell=quiet)


def quiet(_: str) -> None:
    """Nothing is told."""


# ------------------------------------------------------------------------------------- what it does


def test_it_learns_and_answers_in_the_labels_own_kind(fitted: TextClassifier) -> None:
    answers = fitted.predict(TEXTS[60:])
    assert answers.dtype == np.int64
    assert fitted.score(FRAME) > 0.7
    probabilities = fitted.predict_proba(TEXTS[60:])
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert (fitted.classes_[probabilities.argmax(1)] == answers).all()


@pytest.mark.parametrize(
    "labels",
    [["bad", "good"], [False, True], [-1, 7], [0.5, 1.5]],
    ids=lambda labels: type(labels[0]).__name__,
)
def test_labels_are_words_booleans_or_numbers(folder: Path, labels: list[Any]) -> None:
    made = TextClassifier(folder, cache=False).fit(TEXTS, [labels[i] for i in LABELS], tell=quiet)
    assert made.classes_.tolist() == labels
    assert type(made.predict(TEXTS[:1]).tolist()[0]) is type(labels[0])


def test_a_frame_comes_back_with_the_answers(fitted: TextClassifier) -> None:
    given = FRAME[60:]
    made = fitted.predict(given)
    assert list(made) == ["Text", "Sentiment", "PredictedLabel", "Score"]
    assert list(given) == ["Text", "Sentiment"]
    np.testing.assert_array_equal(np.stack(made["Score"]), fitted.predict_proba(given))
    assert made["PredictedLabel"].tolist() == fitted.predict(TEXTS[60:]).tolist()


def test_a_classifier_fitted_as_scikit_learn_does_it_gives_labels_of_a_frame(folder: Path) -> None:
    X = FRAME[["Text"]]
    made = TextClassifier(folder, cache=False).fit(X, FRAME["Sentiment"], tell=quiet)
    assert isinstance(made.predict(X), np.ndarray)
    assert cross_val_score(made, X, FRAME["Sentiment"], cv=2, scoring="accuracy").shape == (2,)


def test_fit_tells_the_labels_the_features_and_how_good_it_is(folder: Path) -> None:
    lines: list[str] = []
    TextClassifier(folder, cache=False).fit([*TEXTS, " "], [*LABELS, 1], tell=lines.append)
    assert lines[0] == "left out 1 text: its text is empty (1)"
    assert lines[1].startswith("labels: 0 (40 rows), 1 (40 rows)")
    assert lines[2].startswith("features: 80 texts in")
    assert lines[3].startswith("80 sentences held out: ")
    assert re.search(r": [\d.]+% right, [\d.]+ to [\d.]+ · log-loss", lines[3])


def test_evaluate_stands_beside_the_majority_and_counted_words(fitted: TextClassifier) -> None:
    evaluation = fitted.evaluate(FRAME[60:])
    assert list(evaluation.baselines) == ["majority", "TF-IDF"]
    assert evaluation.baselines["majority"] == 0.5
    assert evaluation.baselines["TF-IDF"] > 0.7
    assert "majority 50.0% · TF-IDF" in repr(evaluation)
    assert evaluation.noun == "sentence"
    assert list(evaluation.per_class.index) == [0, 1]
    assert "always the same answer 50.0% · TF-IDF" in evaluation._repr_html_()
    assert evaluate_model(fitted, FRAME[60:], text="Text").accuracy == evaluation.accuracy


def test_most_wrong_is_of_what_was_held_out_and_then_of_what_was_evaluated(folder: Path) -> None:
    labels = list(LABELS)
    labels[3] = 1 - labels[3]
    made = TextClassifier(folder, cache=False).fit(TEXTS, labels, tell=quiet)
    assert made.held_out_ is not None
    assert len(made.held_out_) == len(TEXTS)
    assert 3 in made.most_wrong(20)["id"].tolist()
    made.evaluate(TEXTS[:4], [1 - label for label in made.predict(TEXTS[:4])])
    assert sorted(made.most_wrong()["text"]) == sorted(TEXTS[:4])


def test_most_wrong_of_what_was_never_judged_says_so() -> None:
    made = TextClassifier("tfidf").fit(TEXTS, LABELS, tell=quiet)
    with pytest.raises(TrainError, match=r"evaluate\(test\) first"):
        made.most_wrong()


def test_a_frame_that_was_split_is_judged_on_its_validation_rows(folder: Path) -> None:
    frame = FRAME.assign(split=["train"] * 50 + ["validation"] * 10 + ["test"] * 20)
    made = TextClassifier(folder, cache=False).fit(frame, tell=quiet)
    assert made.held_out_ is not None
    assert made.held_out_.ids.tolist() == list(range(50, 60))
    assert len(made.evaluate(frame)) == 20


def test_pairs_are_told_apart_by_both_texts(folder: Path) -> None:
    others = np.random.default_rng(0).permutation(80)
    pairs = [(TEXTS[i], TEXTS[j]) for i, j in enumerate(others)]
    same = [LABELS[i] == LABELS[j] for i, j in enumerate(others)]
    frame = pd.DataFrame(pairs, columns=["a", "b"]).assign(label=same)
    made = TextClassifier(folder, cache=False).fit(frame, text="a", text_pair="b", tell=quiet)
    listed = TextClassifier(folder, cache=False).fit(pairs, same, tell=quiet)
    np.testing.assert_allclose(made.predict_proba(frame), listed.predict_proba(pairs), atol=1e-5)
    assert made.evaluate(frame).content == "a | b"
    with pytest.raises(DataError, match="fitted on pairs of texts; received single"):
        listed.predict(TEXTS)
    with pytest.raises(UnknownName, match="no column 'b'"):
        made.predict(frame[["a"]])


def test_the_same_words_give_the_same_classifier(folder: Path, fitted: TextClassifier) -> None:
    again = TextClassifier(folder, cache=False).fit(FRAME[:60], tell=quiet)
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))


def test_layers_of_another_depth_are_those_alike(tmp_path: Path) -> None:
    deep = encoder(tiny_encoder(tmp_path / "twelve", depth=12))
    assert layers_of((6, 4), deep) == (12, 8)
    assert layers_of((5,), deep) == (5,)
    assert layers_of((6, 4), encoder(tiny_encoder(tmp_path / "one", depth=1))) == (1,)


# ---------------------------------------------------------------------------------------- the cache


def test_a_second_fit_computes_no_text_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = encoder(folder)
    TextClassifier(body, cache=tmp_path).fit(TEXTS, LABELS, tell=quiet)
    monkeypatch.setattr(type(body), "_batch", lambda *_: pytest.fail("a text was computed again"))
    TextClassifier(body, cache=tmp_path, seed=3).fit(TEXTS[::-1], LABELS[::-1], tell=quiet)


def test_after_an_interrupt_the_classifier_works(fitted: TextClassifier) -> None:
    before = fitted.predict_proba(TEXTS)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        _fit_for_ever(fitted)
    assert np.isfinite(fitted.predict_proba(TEXTS)).all()
    fitted.fit(FRAME[:60], tell=quiet)
    np.testing.assert_array_equal(fitted.predict_proba(TEXTS), before)


def _fit_for_ever(made: TextClassifier) -> None:
    while True:
        made.fit(FRAME[:40], tell=quiet)


# --------------------------------------------------------------------------------- unlucky and foul


def test_an_empty_batch_has_no_answers(fitted: TextClassifier) -> None:
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict_proba([]).shape == (0, 2)
    assert len(fitted.predict(FRAME[:0])) == 0


def test_an_empty_text_gets_the_shares_of_the_classes_and_is_told(folder: Path) -> None:
    lines: list[str] = []
    made = TextClassifier(folder, cache=False).fit(TEXTS[:8], [0, 0, 0, 0, 0, 0, 1, 1], tell=quiet)
    assert made.predict(["", " \n", None, "good"], tell=lines.append)[:3].tolist() == [0, 0, 0]
    assert lines == ["3 texts empty: answered by how often each class came"]
    np.testing.assert_allclose(made.predict_proba([""]), [[0.75, 0.25]])
    assert any("1 text empty" in note for note in made.evaluate(["", "good"], [0, 1]).notes)


def test_texts_of_two_hundred_thousand_letters(folder: Path) -> None:
    long = "the soup was good " * 11_000
    made = TextClassifier(folder, cache=False).fit([long, *TEXTS], [1, *LABELS], tell=quiet)
    assert made.evaluate([long, TEXTS[0]], [1, 0]).baselines.keys() == {"majority", "TF-IDF"}


def test_classes_of_one_row_and_two_rows_in_all(folder: Path) -> None:
    words = [*(["a", "b"] * 40)[:-1], "rare"]
    made = TextClassifier(folder, cache=False).fit(TEXTS, words, tell=quiet)
    assert made.predict_proba(TEXTS[:2]).shape == (2, 3)
    two = TextClassifier(folder, cache=False).fit(["good", "bad"], [1, 0], tell=quiet)
    assert two.predict(["good", "bad"]).tolist() == [1, 0]
    assert two.held_out_ is None


def test_hostile_texts_and_labels_pass_through_everything(folder: Path, tmp_path: Path) -> None:
    labels = [HOSTILE[0], HOSTILE[3] + "\x00", HOSTILE[5]]
    known = [*labels[:2], "\ufffd half"]
    texts = HOSTILE * 2
    truth = [labels[i % 3] for i in range(len(texts))]
    frame = pd.DataFrame({"Text": texts, "Sentiment": truth}, dtype=object)
    lines: list[str] = []
    for made in (TextClassifier(folder, cache=False), TextClassifier("tfidf")):
        made.fit(frame, tell=lines.append)
        assert made.classes_.tolist() == sorted(known)
        assert len(made.predict(frame, tell=quiet)) == len(texts)
        evaluation = made.evaluate(frame)
        shown = evaluation._repr_html_() + repr(evaluation)
        assert "<script" not in shown
        assert "\x00" not in shown
        assert set(made.most_wrong(50)["label"]) <= set(known)
        loaded = TextClassifier.load(made.save(tmp_path))
        assert (
            loaded.predict(texts, tell=quiet).tolist() == made.predict(texts, tell=quiet).tolist()
        )
    assert not any("\x00" in line or "\u202e" in line for line in lines)


def test_a_frame_whose_index_names_rows_twice(folder: Path) -> None:
    frame = FRAME.set_axis([7] * len(FRAME))
    made = TextClassifier(folder, cache=False).fit(frame, tell=quiet)
    assert made.evaluate(frame).ids.tolist() == list(range(80))
    assert made.predict(frame).index.tolist() == [7] * 80


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"head": "logregg"}, "did you mean 'logreg'"),
        ({"encoder": "autoo"}, "did you mean 'auto'"),
    ],
)
def test_words_that_do_not_exist(folder: Path, words: dict[str, Any], says: str) -> None:
    with pytest.raises(UnknownName, match=says):
        TextClassifier(**{"encoder": folder, **words}).fit(TEXTS, LABELS, tell=quiet)


def test_a_label_that_training_has_not_is_named(fitted: TextClassifier) -> None:
    with pytest.raises(DataError, match="of the test is not known from training: 5;"):
        fitted.evaluate(TEXTS[:2], [0, 5])


# ------------------------------------------------------------------------------------- scikit-learn


def test_it_is_unfitted_in_its_own_words() -> None:
    for call in (
        lambda made: made.predict(["a"]),
        lambda made: made.evaluate(["a"], [1]),
        lambda made: made.most_wrong(),
        lambda made: made.save("nowhere"),
    ):
        with pytest.raises(NotFittedError, match="TextClassifier has learnt nothing yet"):
            call(TextClassifier())


def test_a_clone_has_the_same_words_and_shares_nothing_that_was_learnt(
    fitted: TextClassifier,
) -> None:
    other = clone(fitted)
    assert other.get_params() == fitted.get_params()
    assert not hasattr(other, "classes_")
    assert other.set_params(max_len=5, layers=(1,)).max_len == 5
    assert fitted.max_len == 128


def test_words_are_kept_as_they_were_given() -> None:
    given = Sequential().embedding(50, 4)
    made = TextClassifier(given, layers=[1], head="mlp", cache="here")
    assert made.get_params()["encoder"] is given
    assert made.get_params()["layers"] == [1]


def test_it_works_in_a_pipeline_a_cross_validation_and_a_search(folder: Path) -> None:
    made = TextClassifier(folder, cache=False)
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, made).fit(TEXTS, LABELS)
    assert pipeline.score(TEXTS, LABELS) > 0.7
    scores = cross_val_score(made, pd.Series(TEXTS), LABELS, cv=2, scoring="neg_log_loss")
    assert np.isfinite(scores).all()
    search = GridSearchCV(made, {"layers": [(1,), (2, 1)]}, cv=2, refit=False)
    assert search.fit(np.array(TEXTS), LABELS).best_score_ > 0.6


@pytest.mark.parametrize(
    "check",
    [
        "check_no_attributes_set_in_init",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
def test_scikit_learns_own_checks_of_its_words(check: str) -> None:
    getattr(estimator_checks, check)("TextClassifier", TextClassifier())


def test_a_fit_leaves_the_words_and_the_numbers_drawn_elsewhere_alone(folder: Path) -> None:
    import torch

    torch.manual_seed(5)
    np.random.seed(5)
    wanted = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    made = TextClassifier(folder, cache=False)
    before = dict(made.get_params())
    made.fit(TEXTS, LABELS, tell=quiet)
    assert made.get_params() == before
    assert (torch.rand(1), np.random.rand()) == wanted


# --------------------------------------------------------------------------- the offline encoder


@pytest.mark.slow
def test_the_offline_encoder_reads_yelp_better_than_counted_words(mlnb_data: Path) -> None:
    from sklearn.model_selection import train_test_split

    frame = pd.read_csv(
        mlnb_data / "text" / "yelp_labelled.txt", sep="\t", quoting=3, names=["text", "label"]
    )
    train, test = train_test_split(frame, test_size=200, random_state=0, stratify=frame.label)
    evaluation = TextClassifier().fit(train, tell=quiet).evaluate(test)
    assert evaluation.accuracy > 0.84
    assert evaluation.log_loss < 0.3
    assert evaluation.accuracy > evaluation.baselines["TF-IDF"] + 0.03
