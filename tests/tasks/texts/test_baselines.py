"""Counted words and letters: what every text classifier is compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tiny_encoder import tiny_texts

from mlnb.errors import CheckpointError
from mlnb.tasks.texts import baselines
from mlnb.tasks.texts.baselines import TfIdf

TEXTS, LABELS = tiny_texts(60)
CODES = np.array(LABELS)


def right(made: TfIdf, texts: Any = TEXTS, pairs: Any = None, codes: Any = CODES) -> float:
    return float((made.logits(texts, pairs).argmax(1) == codes).mean())


def test_words_tell_classes_apart() -> None:
    made = TfIdf.fit(TEXTS[:40], None, CODES[:40], 2)
    assert right(made, TEXTS[40:], codes=CODES[40:]) > 0.7
    assert made.logits(TEXTS).dtype == np.float32
    assert "words and parts of words" in made.text


def test_it_is_what_scikit_learn_makes_of_it() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    counts = make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    )
    wanted = make_pipeline(counts, LogisticRegression(C=10, max_iter=1000)).fit(TEXTS, LABELS)
    logits = TfIdf.fit(TEXTS, None, CODES, 2).logits(TEXTS)
    np.testing.assert_allclose(
        logits[:, 1] - logits[:, 0], wanted.decision_function(TEXTS), atol=1e-3
    )


def test_letters_help_with_words_that_were_never_seen() -> None:
    made = TfIdf.fit(["wonderful", "dreadful"] * 5, None, np.array([1, 0] * 5), 2)
    assert made.logits(["wonderfully", "dreadfully"]).argmax(1).tolist() == [1, 0]


@pytest.mark.parametrize("texts", [["!!", "??"], ["好", "坏"], ["a", "b"], ["🙂", "🙁"]])
def test_texts_without_a_word_are_told_apart_by_their_letters(texts: list[str]) -> None:
    made = TfIdf.fit(texts, None, np.array([0, 1]), 2)
    assert made.logits(texts).argmax(1).tolist() == [0, 1]


def test_pairs_are_told_apart_by_what_they_share() -> None:
    numbers = np.random.default_rng(0)
    first = [TEXTS[i] for i in numbers.integers(0, 60, 200)]
    same = numbers.integers(0, 2, 200)
    second = [a if s else TEXTS[numbers.integers(0, 60)] for a, s in zip(first, same, strict=True)]
    made = TfIdf.fit(first[:150], second[:150], same[:150], 2)
    assert right(made, first[150:], second[150:], same[150:]) > 0.8


def test_a_long_text_is_read_to_a_point() -> None:
    made = TfIdf.fit(TEXTS, None, CODES, 2)
    long = "x" * baselines.MOST_LETTERS
    np.testing.assert_array_equal(made.logits([long]), made.logits([long + " good" * 9]))


def test_terms_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST_TERMS", 5)
    assert TfIdf.fit(TEXTS, None, CODES, 2).weights.shape == (2, 10)


@pytest.mark.parametrize("pairs", [None, TEXTS[::-1]])
def test_of_much_to_read_only_words_are_counted(
    monkeypatch: pytest.MonkeyPatch, pairs: list[str] | None
) -> None:
    monkeypatch.setattr(baselines, "MOST_FOR_LETTERS", 1_000)
    made = TfIdf.fit(TEXTS, pairs, CODES, 2)
    assert list(made.vectorizers) == ["words"]
    assert "words and" not in made.text
    again = TfIdf.from_parts(*made.to_parts())
    np.testing.assert_allclose(again.logits(TEXTS, pairs), made.logits(TEXTS, pairs), atol=1e-6)


def test_of_words_that_nothing_parts_letters_are_counted_however_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "MOST_FOR_LETTERS", 10)
    texts = [
        "这家餐厅的汤非常好喝我们全家都很喜欢下次还会再来",
        "服务员态度很差等了一个小时菜还是凉的再也不来了",
    ]
    assert "letters" in TfIdf.fit(texts, None, np.array([0, 1]), 2).vectorizers


def test_what_is_kept_says_the_same() -> None:
    made = TfIdf.fit(TEXTS, None, CODES, 2)
    again = TfIdf.from_parts(*made.to_parts())
    np.testing.assert_allclose(again.logits(TEXTS), made.logits(TEXTS), atol=1e-6)


def damaged(change: str) -> tuple[dict[str, Any], dict[str, Any]]:
    terms, tensors = TfIdf.fit(TEXTS, None, CODES, 2).to_parts()
    broken: dict[str, Any] = dict(terms)
    if change == "a term less":
        broken["words"] = broken["words"][1:]
    elif change == "a term twice":
        broken["words"] = [broken["words"][1], *broken["words"][1:]]
    elif change == "a part less":
        del broken["letters"]
    elif change == "no weights":
        del tensors["weights"]
    elif change == "no idf":
        del tensors["words.idf"]
    elif change == "another form":
        broken["words"] = 7
    return broken, tensors


@pytest.mark.parametrize(
    "change",
    ["a term less", "a term twice", "a part less", "no weights", "no idf", "another form"],
)
def test_what_does_not_fit_together_is_refused(change: str) -> None:
    with pytest.raises(CheckpointError, match="does not fit together"):
        TfIdf.from_parts(*damaged(change))
