"""Fine-tuning as a bi-encoder and as a cross-encoder, on a tiny encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny_encoder import tiny_encoder
from tiny_pairs import pairs, similarity

from mlnb.errors import DataError, TrainError, UnknownName
from mlnb.networks.encoders import Encoder, encoder
from mlnb.tasks.similarity.similarity import SentenceSimilarity

FRAME = pairs(256)
TRAIN, TEST = FRAME[:208], FRAME[208:]


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return encoder(tiny_encoder(tmp_path_factory.mktemp("encoder")))


def fitted(body: Encoder, **words: Any) -> SentenceSimilarity:
    return similarity(body, metric="cosine", **words).fit(TRAIN, tell=lambda line: None)


def test_a_bi_encoder_gets_better_on_pairs_it_has_not_seen(body: Encoder) -> None:
    made = fitted(body)
    before = made.evaluate(TEST)
    after = made.fine_tune(epochs=6, lr=4e-3, freeze="none").evaluate(TEST)
    assert after.pearson > before.pearson + 0.05
    assert after.mse < before.mse
    assert made.run_.name.endswith(" as bi-encoder, nothing frozen")
    assert "val_loss" in made.run_.history.epochs[-1]
    assert 1 <= made.predict(TEST).min() <= made.predict(TEST).max() <= 5


@pytest.mark.parametrize("form", ["bi", "cross"])
def test_going_on_with_a_finished_run_leaves_the_answers_as_they_are(
    body: Encoder, form: str
) -> None:
    made = fitted(body).fine_tune(epochs=1, lr=1e-2, form=form)
    before = made.predict(TEST)
    made.run_.resume(epochs=2)
    assert np.array_equal(made.predict(TEST), before)


def test_a_cross_encoder_learns_what_no_cosine_can(body: Encoder) -> None:
    kind = [text.split()[-1] in ("good", "fresh") for text in FRAME["sentence_a"]]
    frame = FRAME.assign(score=np.where(kind, 10.0, 0.0))
    made = similarity(body, metric="cosine").fit(frame[:208], tell=lambda line: None)
    before = made.evaluate(frame[208:])
    after = made.fine_tune(epochs=6, lr=3e-3, form="cross").evaluate(frame[208:])
    assert abs(before.pearson) < 0.5
    assert after.pearson > 0.8
    assert after.mse < before.mse / 2
    assert made.run_.name.endswith(" as cross-encoder, word embeddings frozen")


def test_what_it_was_given_and_what_it_froze_stay_as_they_were(body: Encoder) -> None:
    before = {name: value.clone() for name, value in body.state_dict().items()}
    made = fitted(body).fine_tune(lr=1e-2)
    tuned = made._scorer.features.encoder
    for name, value in body.state_dict().items():
        assert torch.equal(value, before[name])
    assert torch.equal(tuned.word_embeddings.weight, body.word_embeddings.weight)
    assert tuned.weights != body.weights
    assert tuned.source.endswith(", fine-tuned")
    assert not tuned.training


def test_a_second_one_goes_on_and_its_runs_are_kept(body: Encoder) -> None:
    made = fitted(body).fine_tune(lr=1e-3)
    first = made._scorer.features.encoder.weights
    made.fine_tune(lr=1e-3)
    assert made._scorer.features.encoder.weights != first
    assert made._scorer.features.encoder.source.count("fine-tuned") == 1
    assert len(made.runs_) == 2
    made.fine_tune(form="cross", lr=1e-3).fine_tune(form="cross", lr=1e-3)
    assert len(made.runs_) == 4
    assert np.isfinite(made.predict(TEST)).all()


def test_a_tuned_cross_encoder_goes_on_from_where_it_was(body: Encoder) -> None:
    made = fitted(body).fine_tune(epochs=4, lr=3e-3, form="cross")
    before = made.predict(TEST)
    made.fine_tune(lr=1e-9, form="cross", freeze=2)
    np.testing.assert_allclose(made.predict(TEST), before, atol=1e-3)


def test_a_cross_encoder_begins_at_the_mean_whatever_the_units(body: Encoder) -> None:
    frame = TRAIN.assign(score=1000 + TRAIN["score"])
    made = similarity(body, metric="cosine").fit(frame).fine_tune(form="cross", lr=1e-9)
    assert made.run_.history.epochs[-1]["loss"] == pytest.approx(1, abs=0.2)
    np.testing.assert_allclose(made.predict(frame), frame["score"].mean(), atol=0.2)


def test_search_follows_a_bi_encoder_and_not_a_cross_encoder(body: Encoder) -> None:
    made, corpus = fitted(body), ["the soup was cold", "the room was good", "bread"]
    index = made.index(corpus)
    made.fine_tune(form="cross", lr=1e-3)
    assert len(made.search("soup", index)) == 3
    made.fine_tune(lr=1e-2)
    with pytest.raises(DataError, match="before the last fit"):
        made.search("soup", index)


def test_a_callback_that_stops_it_leaves_what_was_learnt_so_far(body: Encoder) -> None:
    class Stop:
        def on_step_end(self, run: Any) -> None:
            if run.step == 3:
                run.stop()

    made = fitted(body, callbacks=[Stop()])
    before = made.predict(TEST)
    made.fine_tune(epochs=50, lr=1e-2)
    assert made.run_.stop_reason == "stopped"
    assert made.run_.step == 3
    assert not np.array_equal(made.predict(TEST), before)


def test_an_error_leaves_everything_as_it_was(body: Encoder) -> None:
    class Fail:
        def on_step_end(self, run: Any) -> None:
            raise ValueError("no")

    made = fitted(body, callbacks=[Fail()])
    before = made.predict(TEST)
    with pytest.raises(TrainError, match="Fail failed in on_step_end"):
        made.fine_tune(lr=1e-1)
    np.testing.assert_array_equal(made.predict(TEST), before)


def test_without_held_out_pairs_it_trains_all_the_same(body: Encoder) -> None:
    made = similarity(body).fit(TRAIN, validation=0, tell=lambda line: None)
    for form in ("bi", "cross"):
        assert "val_loss" not in made.fine_tune(form=form).run_.history.epochs[-1]


def test_unknown_words_and_no_fit_are_said(body: Encoder) -> None:
    with pytest.raises(UnknownName, match="did you mean 'cross'"):
        fitted(body).fine_tune(form="crss")
    with pytest.raises(UnknownName, match="no freeze 'embedding'"):
        fitted(body).fine_tune(freeze="embedding")
    with pytest.raises(Exception, match="not fitted"):
        similarity(body).fine_tune()
