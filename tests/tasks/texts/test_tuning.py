"""Fine-tuning: where it starts, what moves, and what a classifier has after whatever ended it."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_encoder import tiny_encoder, tiny_texts

from mlnb.errors import CallbackError, TrainError, UnknownName
from mlnb.networks.encoders import Encoder, encoder
from mlnb.tasks.texts.classification import TextClassifier
from mlnb.tasks.texts.training import TextBatches

TEXTS, LABELS = tiny_texts(64)


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return encoder(tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder"))


def quiet(_: str) -> None:
    """Takes what would be printed."""


def fitted(body: Encoder, **words: Any) -> TextClassifier:
    words = {"cache": False, "device": "cpu", **words}
    return TextClassifier(body, **words).fit(TEXTS, LABELS, tell=quiet)


def moved(classifier: TextClassifier, body: Encoder) -> set[str]:
    """The weights that are others than at first."""
    assert classifier._fitted.encoder is not None
    after = classifier._fitted.encoder.body.state_dict()
    before = body.body.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def log_loss(classifier: TextClassifier) -> float:
    said = classifier.predict_proba(TEXTS)
    return float(-np.log(said[np.arange(len(LABELS)), LABELS]).mean())


def test_it_starts_where_the_head_on_frozen_features_stands(body: Encoder) -> None:
    classifier = fitted(body)
    before = classifier.predict_proba(TEXTS)
    classifier.fine_tune(epochs=1, lr=1e-12)
    assert np.allclose(classifier.predict_proba(TEXTS), before, atol=1e-5)


def test_it_learns_more_than_the_frozen_head_and_the_encoder_that_was_given_stays(
    body: Encoder,
) -> None:
    kept = {name: value.clone() for name, value in body.body.state_dict().items()}
    weights = body.weights
    classifier = fitted(body)
    frozen = log_loss(classifier)
    assert classifier.fine_tune(epochs=4, lr=3e-3) is classifier
    assert log_loss(classifier) < 0.8 * frozen
    assert classifier.run_.history["loss"][-1] < classifier.run_.history["loss"][0]
    assert all(torch.equal(value, kept[name]) for name, value in body.body.state_dict().items())
    assert body.weights == weights
    assert not any(p.requires_grad for p in classifier._fitted.encoder.parameters())
    assert not classifier._fitted.encoder.training


def test_going_on_with_a_finished_run_leaves_the_classifier_as_it_is(body: Encoder) -> None:
    classifier = fitted(body).fine_tune(epochs=1, lr=1e-3)
    before, weights = classifier.predict_proba(TEXTS), classifier._fitted.encoder.weights
    classifier.run_.resume(epochs=3)
    assert classifier.run_.epoch == 3
    assert np.array_equal(classifier.predict_proba(TEXTS), before)
    assert classifier._fitted.encoder.copy().changed().weights == weights


@pytest.mark.parametrize(
    ("freeze", "stays"),
    [
        ("embeddings", ("embeddings.words.",)),
        (0, ("embeddings.",)),
        (1, ("embeddings.", "layers.0.")),
        (2, ("embeddings.", "layers.")),
    ],
)
def test_what_is_frozen_stays(body: Encoder, freeze: Any, stays: tuple[str, ...]) -> None:
    classifier = fitted(body).fine_tune(epochs=1, lr=1e-2, freeze=freeze)
    # Bert's kinds of texts: the second one never comes.
    expected = {name for name in body.body.state_dict() if not name.startswith(stays)}
    assert moved(classifier, body) == expected


def test_nothing_frozen_moves_everything(body: Encoder) -> None:
    classifier = fitted(body).fine_tune(epochs=1, lr=1e-2, freeze="none")
    assert moved(classifier, body) == set(body.body.state_dict())


@pytest.mark.parametrize("freeze", ["embedding", "all", True, None])
def test_another_word_for_freeze_is_refused_with_those_that_there_are(
    body: Encoder, freeze: Any
) -> None:
    with pytest.raises(UnknownName, match="embeddings"):
        fitted(body).fine_tune(freeze=freeze)


@pytest.mark.parametrize("freeze", [3, -1])
def test_more_layers_than_there_are_are_refused(body: Encoder, freeze: int) -> None:
    with pytest.raises(TrainError, match=f"freeze={freeze}, but encoder has 2 layers"):
        fitted(body).fine_tune(freeze=freeze)


def test_kept_features_of_the_frozen_encoder_are_not_taken_for_those_of_the_tuned_one(
    body: Encoder, tmp_path: Path
) -> None:
    kept = fitted(body, cache=tmp_path)
    before = kept.predict_proba(TEXTS)
    after = kept.fine_tune(epochs=1, lr=1e-2).predict_proba(TEXTS)
    without = fitted(body).fine_tune(epochs=1, lr=1e-2).predict_proba(TEXTS)
    assert np.allclose(after, without, atol=1e-6)
    assert not np.allclose(after, before, atol=1e-3)


class AtStep:
    """Does something after a few steps."""

    def __init__(self, act: Any, step: int = 2) -> None:
        self.act, self.step = act, step

    def on_step_end(self, run: Any) -> None:
        if run.step == self.step:
            self.act(run)


def interrupt(run: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def stop(run: Any) -> None:
    run.stop()


@pytest.mark.parametrize(("act", "reason"), [(stop, "stopped"), (interrupt, "interrupted")])
def test_what_is_ended_early_keeps_the_weights_so_far(body: Encoder, act: Any, reason: str) -> None:
    classifier = fitted(body, callbacks=[AtStep(act)]).fine_tune(epochs=50, lr=1e-2)
    assert classifier.run_.stop_reason == reason
    assert classifier.run_.step < 10
    assert moved(classifier, body)
    assert np.allclose(classifier.predict_proba(TEXTS).sum(1), 1, atol=1e-5)


def test_an_error_leaves_the_classifier_as_it_was(body: Encoder) -> None:
    def fail(run: Any) -> None:
        raise ValueError("no")

    classifier = fitted(body, callbacks=[AtStep(fail)])
    before = classifier.predict_proba(TEXTS)
    with pytest.raises(CallbackError):
        classifier.fine_tune(epochs=1, lr=1e-2)
    assert np.array_equal(classifier.predict_proba(TEXTS), before)
    assert classifier.runs_ == ()


def test_a_second_one_goes_on_and_a_fit_begins_anew(body: Encoder) -> None:
    classifier = fitted(body)
    frozen = classifier.predict_proba(TEXTS)
    losses = []
    for _ in range(2):
        classifier.fine_tune(epochs=2, lr=3e-3)
        losses.append(log_loss(classifier))
    assert len(classifier.runs_) == 2
    assert classifier.run_ is classifier.runs_[1]
    assert losses[1] < losses[0]
    assert classifier._fitted.encoder.source.count("fine-tuned") == 1
    classifier.fit(TEXTS, LABELS, tell=quiet)
    assert np.allclose(classifier.predict_proba(TEXTS), frozen, atol=1e-6)
    assert classifier.runs_ == ()


def test_the_same_seed_gives_the_same_weights(body: Encoder) -> None:
    first, again, other = (
        fitted(body, seed=seed).fine_tune(epochs=1, lr=1e-2)._fitted.encoder.weights
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_it_validates_on_what_fit_held_back(body: Encoder) -> None:
    classifier = TextClassifier(body, cache=False, device="cpu")
    classifier.fit(TEXTS, LABELS, validation=0.25, tell=quiet).fine_tune(epochs=2)
    assert len(classifier.run_.history["val_loss"]) == 2
    assert classifier.run_.history["accuracy"][-1] <= 1
    assert classifier.run_.step == 2 * 3  # 48 texts, 16 at a time


def test_of_texts_longer_than_the_encoder_reads_the_beginning_is_learnt(body: Encoder) -> None:
    texts = [*TEXTS[:-1], "the soup was good " * 60]
    classifier = TextClassifier(body, cache=False, device="cpu").fit(texts, LABELS, tell=quiet)
    assert classifier.fine_tune(epochs=1).predict_proba(texts).shape == (64, 2)


def test_many_labels_for_a_text(body: Encoder) -> None:
    labels = [["third"] * (i % 3 == 0) + ["good"] * int(LABELS[i]) for i in range(len(TEXTS))]
    classifier = TextClassifier(body, cache=False, device="cpu").fit(TEXTS, labels, tell=quiet)
    frozen = classifier.predict_proba(TEXTS)[:, 0]
    classifier.fine_tune(epochs=4, lr=3e-3)
    said = classifier.predict_proba(TEXTS)
    assert not np.allclose(said.sum(1), 1, atol=0.05)
    good = np.asarray(LABELS) == 1
    assert said[good, 0].mean() - said[~good, 0].mean() > frozen[good].mean() - frozen[~good].mean()


def test_pairs_of_texts(body: Encoder) -> None:
    rows = list(zip(TEXTS[:40], TEXTS[24:], strict=True))
    same = [int(i % 3 == 0) for i in range(40)]
    classifier = TextClassifier(body, cache=False, device="cpu").fit(rows, same, tell=quiet)
    before = classifier.predict_proba(rows)
    after = classifier.fine_tune(epochs=2, lr=3e-3).predict_proba(rows)
    assert after.shape == (40, 2)
    assert not np.allclose(before, after, atol=1e-3)


def test_counted_words_have_nothing_to_tune() -> None:
    classifier = TextClassifier("tfidf").fit(TEXTS, LABELS, tell=quiet)
    with pytest.raises(TrainError, match="has no network, which fine_tune needs"):
        classifier.fine_tune()


def test_a_classifier_without_its_texts_says_to_fit_again(body: Encoder) -> None:
    classifier = fitted(body)
    classifier._fitted = replace(classifier._fitted, learnt=None)
    with pytest.raises(TrainError, match="fit\\(texts, labels\\) first"):
        classifier.fine_tune()


def test_an_epoch_has_every_text_once_in_an_order_of_its_own(body: Encoder) -> None:
    codes = np.arange(len(TEXTS))
    batches = TextBatches(body.tokenizer, [TEXTS], codes, batch_size=10, shuffle=True)
    first, second = ([int(c) for _, some in batches for c in some] for _ in range(2))
    assert sorted(first) == sorted(second) == codes.tolist()
    assert first != second
    assert len(batches) == sum(1 for _ in batches) == 7
    (ids, mask), _ = next(iter(batches))
    assert ids.dtype == mask.dtype == torch.int64
    assert ((ids != body.tokenizer.pad_id) == mask.bool()).all()
