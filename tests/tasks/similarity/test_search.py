"""Search: the nearest sentences, in lists, series and frames, and in an index."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from tiny_encoder import tiny_encoder
from tiny_pairs import pairs, similarity

from mlnb.errors import DataError
from mlnb.networks.encoders import Encoder, encoder

CORPUS = ["the soup was cold", "", "the waiter was rude", "the soup is cold", "  ", "a warm room"]


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return encoder(tiny_encoder(tmp_path_factory.mktemp("encoder")))


def test_the_nearest_come_first_with_their_place_in_the_list(body: Encoder) -> None:
    found = similarity(body).search("the soup was cold", CORPUS, k=3)
    assert list(found.columns) == ["text", "similarity", "id"]
    assert found["text"][0] == "the soup was cold"
    assert found["id"][0] == 0
    assert found["similarity"][0] == pytest.approx(1, abs=1e-5)
    assert found["similarity"].is_monotonic_decreasing
    alone = similarity(body).score(["the soup was cold"] * 3, list(found["text"]))
    np.testing.assert_allclose(found["similarity"], alone, atol=1e-6)


def test_ids_are_those_of_the_series_or_the_frame(body: Encoder) -> None:
    labels = list("uvwxyz")
    series = pd.Series(CORPUS, index=labels)
    frame = pd.DataFrame({"stars": range(6), "review": CORPUS}, index=labels)
    for corpus, words in ((series, {}), (frame, {}), (frame, {"text": "review"})):
        assert similarity(body).search("a warm room", corpus, k=1, **words)["id"][0] == "z"


def test_more_than_there_are_gives_all_and_empty_ones_are_not_among_them(body: Encoder) -> None:
    found = similarity(body).search("soup", CORPUS, k=100)
    assert sorted(found["id"]) == [0, 2, 3, 5]


@pytest.mark.parametrize(
    ("query", "corpus", "k", "message"),
    [
        ("soup", [], 5, "no sentence in the corpus to search in: it is empty"),
        ("soup", ["", " "], 5, "its 2 texts are empty"),
        (" ", CORPUS, 5, "query is empty"),
        (["soup"], CORPUS, 5, "one sentence, a string; received list"),
        ("soup", CORPUS, 0, "k is a whole number from 1 on; received 0"),
        ("soup", CORPUS, True, "k is a whole number"),
        ("soup", [1, 2], 5, "corpus's sentences are strings; row 0"),
        ("soup", "one string", 5, "received one string"),
    ],
)
def test_what_cannot_be_searched_is_said(
    body: Encoder, query: object, corpus: object, k: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        similarity(body).search(query, corpus, k=k)


def test_an_index_answers_like_its_corpus_and_only_for_the_fit_it_was_made_by(
    body: Encoder,
) -> None:
    made = similarity(body)
    index = made.index(CORPUS)
    assert repr(index) == "SearchIndex(4 sentences, 16 numbers each)"
    pd.testing.assert_frame_equal(made.search("soup", index, k=2), made.search("soup", CORPUS, k=2))
    made.fit(pairs(200), tell=lambda line: None)
    assert made._scorer.metric.matrix is not None
    with pytest.raises(DataError, match="made before the last fit"):
        made.search("soup", index)


def test_search_follows_the_metric_that_was_learnt(body: Encoder) -> None:
    frame = pairs(256)
    by_thing = 1.0 * (
        frame["sentence_a"].str.split().str[1] == frame["sentence_b"].str.split().str[1]
    )
    made = similarity(body).fit(frame.assign(score=by_thing), tell=lambda line: None)
    corpus = [f"the {t} is {w}" for t in ("soup", "room") for w in ("good", "cold", "rude")]
    found = made.search("the soup was cold", corpus, k=3)
    assert found["text"].str.contains("soup").all()


def test_ten_thousand_sentences_are_searched_in_a_blink(body: Encoder) -> None:
    made = similarity(body)
    index = made.index([f"the soup was {n % 97}" for n in range(10_000)])
    begun = time.perf_counter()
    found = made.search("the soup was 5", index, k=10)
    assert time.perf_counter() - begun < 1
    assert found["id"].tolist() == [5 + 97 * n for n in range(10)]
