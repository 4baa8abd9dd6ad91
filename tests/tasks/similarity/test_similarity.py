"""`SentenceSimilarity` as a user meets it: score, search, fit, and what unlucky data does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from tiny_encoder import tiny_encoder
from tiny_pairs import pairs, similarity

from mlnb.errors import DataError, UnknownName
from mlnb.networks.encoders import Encoder, encoder
from mlnb.tasks.similarity.similarity import SentenceSimilarity

HOSTILE = [
    "<script>alert(1)</script>",
    "</td><img src=x onerror=alert(1)>",
    "{braces} {0} %s %(x)s",
    "\u202egnp.exe",
    "\x00nul\x1b[31mred",
    "half an emoji \ud83d",
    "a\tb\r\nc",
    "'; DROP TABLE features; --",
    '=HYPERLINK("http://x")',
    "🙂" * 300,
    "\ufeff\u200b\u2060 .",
    "long " * 40_000,
]


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return encoder(tiny_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.fixture(scope="module")
def fitted(body: Encoder) -> SentenceSimilarity:
    return similarity(body).fit(pairs(240), tell=lambda line: None)


# ------------------------------------------------------------------------------- without any labels


def test_without_a_fit_a_score_is_the_cosine_of_the_embeddings(body: Encoder) -> None:
    a, b = ["the soup was cold", "we had bread"], ["the bread was good", "we had bread"]
    u, v = body.embed(a, normalized=True), body.embed(b, normalized=True)
    made = similarity(body).score(a, b)
    assert made.shape == (2,)
    assert made.dtype == np.float64
    np.testing.assert_allclose(made, (u * v).sum(1), atol=1e-6)
    assert made[1] == pytest.approx(1, abs=1e-6)


def test_two_single_sentences_may_be_scored_as_they_are(body: Encoder) -> None:
    assert similarity(body).score("we had bread", "we had bread") == pytest.approx([1.0])


def test_one_second_sentence_serves_for_all(body: Encoder) -> None:
    firsts = ["we had bread", "the soup was good"]
    one = similarity(body).score(firsts, "we had bread")
    np.testing.assert_array_equal(one, similarity(body).score(firsts, ["we had bread"] * 2))


def test_a_sentence_that_says_nothing_is_like_no_other(body: Encoder) -> None:
    np.testing.assert_array_equal(similarity(body).score(["", " \n", None], ["a", "", "b"]), 0)


def test_no_pairs_give_no_scores(body: Encoder, fitted: SentenceSimilarity) -> None:
    assert similarity(body).score([], []).shape == (0,)
    assert fitted.predict([]).shape == (0,)


def test_predict_is_scikit_learns_and_wants_a_fit(body: Encoder) -> None:
    with pytest.raises(NotFittedError):
        similarity(body).predict([("a", "b")])


# ---------------------------------------------------------------------------------------------- fit


def test_scores_are_in_the_units_of_the_labels_and_within_their_range(
    fitted: SentenceSimilarity,
) -> None:
    made = fitted.predict(pairs(240))
    assert made.min() >= 1
    assert made.max() <= 5
    assert made.mean() == pytest.approx(pairs(240)["score"].mean(), abs=0.5)


def test_a_learned_metric_beats_the_cosine_on_pairs_it_has_not_seen(body: Encoder) -> None:
    frame = pairs(256)
    train, test = frame[:200], frame[200:]
    by = {
        metric: similarity(body, metric=metric).fit(train, tell=lambda line: None).evaluate(test)
        for metric in ("cosine", "learned")
    }
    assert by["learned"].pearson > by["cosine"].pearson + 0.05
    assert by["learned"].mse < by["cosine"].mse


def test_the_scale_of_a_cosine_is_that_of_least_squares(body: Encoder) -> None:
    frame = pairs(60)
    cosines = similarity(body).score(frame["sentence_a"], frame["sentence_b"])
    slope, offset = np.polyfit(cosines, frame["score"], 1)
    made = similarity(body, metric="cosine").fit(frame).predict(frame)
    np.testing.assert_allclose(made, np.clip(slope * cosines + offset, 1, 5), atol=1e-4)


def test_labels_of_other_units_give_the_same_answers_in_those_units(body: Encoder) -> None:
    frame = pairs(120)
    said = [
        similarity(body).fit(frame.assign(score=factor * frame["score"] + shift)).predict(frame)
        for factor, shift in ((1, 0), (1000, -7))
    ]
    np.testing.assert_allclose(1000 * said[0] - 7, said[1], atol=2)


def test_labels_that_are_distances_turn_the_scale_round(body: Encoder) -> None:
    frame = pairs(120)
    far = similarity(body, metric="cosine").fit(frame.assign(score=5 - frame["score"]))
    assert far.evaluate(frame.assign(score=5 - frame["score"])).pearson > 0.2


def test_every_form_of_pairs_gives_the_same_fit(body: Encoder) -> None:
    frame = pairs(60)
    a, b, score = frame["sentence_a"], frame["sentence_b"], frame["score"]
    both = frame[["sentence_a", "sentence_b"]]
    renamed = frame.set_axis(["left", "right", "stars"], axis=1)
    made = [
        similarity(body, metric="cosine").fit(frame),
        similarity(body, metric="cosine").fit(renamed, a="left", b="right", target="stars"),
        similarity(body, metric="cosine").fit(list(a), list(b), list(score)),
        similarity(body, metric="cosine").fit(a, b, score),
        similarity(body, metric="cosine").fit(both, score),
        similarity(body, metric="cosine").fit(both.to_numpy(), score.to_numpy()),
        similarity(body, metric="cosine").fit(
            list(zip(a, b, strict=True)), score.to_numpy()[:, None]
        ),
    ]
    for other in made[1:]:
        np.testing.assert_array_equal(other.predict(both), made[0].predict(both))


def test_a_column_of_scores_is_never_broadcast(body: Encoder) -> None:
    frame = pairs(40)
    flat = similarity(body).fit(frame["sentence_a"], frame["sentence_b"], frame["score"])
    table = similarity(body).fit(
        frame["sentence_a"], frame["sentence_b"], frame["score"].to_numpy()[:, None]
    )
    np.testing.assert_array_equal(flat.predict(frame), table.predict(frame))
    report = flat.evaluate(
        frame["sentence_a"], frame["sentence_b"], frame["score"].to_numpy()[:, None]
    )
    assert report.mse == pytest.approx(np.mean((flat.predict(frame) - frame["score"]) ** 2))
    with pytest.raises(DataError, match=r"one number a pair, \[n\]; received \[1, 40\]"):
        flat.fit(frame["sentence_a"], frame["sentence_b"], frame["score"].to_numpy()[None])


def test_a_frame_that_was_split_trains_validates_and_tests_by_it(body: Encoder) -> None:
    parts = ["train"] * 60 + ["validation"] * 20 + ["test"] * 15 + [""] * 5
    frame = pairs(100).assign(split=parts)
    made = similarity(body).fit(frame)
    assert made._scorer.learnt is not None
    assert made._scorer.learnt.is_training.sum() == 60
    assert len(made._scorer.learnt.is_training) == 80
    assert len(made.evaluate(frame)) == 15


def test_a_second_fit_begins_anew_and_forgets_the_first(body: Encoder) -> None:
    again = similarity(body).fit(pairs(90)).fit(pairs(60), tell=lambda line: None)
    once = similarity(body).fit(pairs(60), tell=lambda line: None)
    np.testing.assert_array_equal(again.predict(pairs(60)), once.predict(pairs(60)))


def test_few_pairs_get_a_scale_and_are_told_so(body: Encoder) -> None:
    lines: list[str] = []
    made = similarity(body).fit(pairs(8), tell=lines.append)
    assert any("the cosine" in line and "0 of 8 are held out" in line for line in lines)
    assert made.runs_ == ()
    assert not hasattr(made, "run_")


def test_a_metric_that_is_no_better_is_dropped_and_told(body: Encoder) -> None:
    lines: list[str] = []
    frame = pairs(60)
    noise = np.random.default_rng(3).normal(size=60)
    made = similarity(body).fit(frame.assign(score=noise), tell=lines.append)
    if any("does not beat" in line for line in lines):
        frozen = similarity(body, metric="cosine").fit(frame.assign(score=noise))
        np.testing.assert_allclose(made.predict(frame), frozen.predict(frame))
    else:  # by chance it was better there; then it must have been kept
        assert made._scorer.metric.matrix is not None


def test_a_fit_that_fails_leaves_what_was_there(body: Encoder) -> None:
    made = similarity(body).fit(pairs(60))
    before = made.predict(pairs(20))
    with pytest.raises(DataError):
        made.fit(pairs(60).assign(score=3))
    np.testing.assert_array_equal(made.predict(pairs(20)), before)


# ------------------------------------------------------------------------------------ scikit-learn


def test_it_is_a_regressor_of_scikit_learn(body: Encoder) -> None:
    frame = pairs(90)
    both, score = frame[["sentence_a", "sentence_b"]], frame["score"]
    words = similarity(body, metric="cosine")
    of_frames = cross_val_score(words, both, score, cv=3)
    of_arrays = cross_val_score(words, both.to_numpy(), score.to_numpy(), cv=3, scoring="r2")
    assert of_frames.shape == (3,)
    np.testing.assert_allclose(of_frames, of_arrays)


def test_a_clone_is_unfitted_and_shares_the_encoder(fitted: SentenceSimilarity) -> None:
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    assert twin.encoder is fitted.encoder
    with pytest.raises(NotFittedError):
        twin.predict([("a", "b")])


# ------------------------------------------------------------------------------------- unlucky data


def test_pairs_that_teach_nothing_are_left_out_with_a_reason(body: Encoder) -> None:
    frame = pairs(40).astype({"score": float})
    frame.loc[3, "score"] = np.nan
    frame.loc[5, "sentence_b"] = "  "
    frame.loc[7, "sentence_a"] = None
    frame["left_out"] = frame.index == 9
    lines: list[str] = []
    made = similarity(body).fit(frame, tell=lines.append)
    assert made.left_out_ == {
        3: "it has no score",
        5: "one of its sentences is empty",
        7: "one of its sentences is empty",
        9: "it was left out by hand",
    }
    assert "left out 4 pairs" in lines[0]
    assert made.predict(frame)[5] == pytest.approx(made._scorer.learnt.scores.mean())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((["a", "b"], ["a", "b"], [1, 2]), "At least 3 pairs with scores"),
        ((["a"] * 4, ["b"] * 4, [1, np.nan, 2, np.nan]), "received 2, after 2 pairs"),
        ((["a"] * 4, ["b"] * 4, [3, 3, 3, 3]), "All 4 scores are 3"),
        ((["a"] * 4, ["b"] * 3, [1, 2, 3, 4]), "4 first sentences and 3 second"),
        ((["a"] * 4, ["b"] * 4, [1, 2, 3]), "4 pairs and 3 scores"),
        ((["a"] * 4, ["b"] * 4, [1, 2, "high", 4]), "row 2, from 0, has .*high"),
        ((["a"] * 4, ["b"] * 4, [1, 2, np.inf, 4]), "finite; row 2"),
        ((["a"] * 4, ["b"] * 4), "There are no scores"),
        ((["a"] * 4, [1, 2, 3, 4]), "received rows of 1"),
        (([("a", "b", "c")] * 4, [1, 2, 3, 4]), "received rows of 3"),
        (([1, 2, 3], ["a"] * 3, [1, 2, 3]), "first sentences are strings; row 0"),
        (([b"a"] * 3, ["a"] * 3, [1, 2, 3]), "decode it first"),
        ((7, [1, 2, 3]), "received int"),
        ((pd.DataFrame({"x": ["a"], "y": ["b"]}),), "has x, y. Name them: a=, b="),
        ((pd.DataFrame({"a": ["a"], "b": ["b"]}),), "Name it: target="),
    ],
)
def test_what_cannot_be_learnt_from_is_said(body: Encoder, given: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        similarity(body).fit(*given)


def test_unknown_words_are_refused_with_the_closest(body: Encoder) -> None:
    with pytest.raises(UnknownName, match="did you mean 'cosine'"):
        similarity(body, metric="cosin").fit(pairs(20))
    with pytest.raises(UnknownName, match="did you mean 'sentence_"):
        similarity(body).fit(pairs(20), a="sentence", b="sentence_b")
    with pytest.raises(DataError, match="name columns of a frame"):
        similarity(body).fit(["a"] * 3, ["b"] * 3, [1, 2, 3], target="score")
    with pytest.raises(DataError, match="validation is a share"):
        similarity(body).fit(pairs(20), validation=1.5)


def test_the_same_sentence_everywhere_gives_a_scale_without_a_slope(body: Encoder) -> None:
    made = similarity(body).fit(["the soup"] * 4, ["the soup"] * 4, [1, 2, 3, 4])
    np.testing.assert_allclose(made.score(["the soup"], ["a room"]), [2.5])


def test_strings_of_strangers_and_long_ones_go_through_every_surface(body: Encoder) -> None:
    rest = HOSTILE[1:] + HOSTILE[:1]
    scores = np.linspace(0, 1, len(HOSTILE))
    made = similarity(body).fit(HOSTILE, rest, scores)
    assert np.isfinite(made.score(HOSTILE, rest)).all()
    report = made.evaluate(HOSTILE, rest, scores)
    shown = report._repr_html_() + repr(report)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "\u202e" not in shown
    assert "<script" not in report.figure().to_json().replace("\\u003c", "<")
    found = made.search(HOSTILE[0], HOSTILE, k=3)
    assert len(found) == 3
    assert found["text"][0].startswith("<script>")


def test_embeddings_are_kept_between_calls(body: Encoder, tmp_path: Path) -> None:
    first = similarity(body, cache=tmp_path).score(["the soup"], ["the bread"])
    kept = list(tmp_path.glob("*.sqlite"))
    assert len(kept) == 1
    again = similarity(body, cache=tmp_path).score(["the soup"], ["the bread"])
    np.testing.assert_array_equal(first, again)
