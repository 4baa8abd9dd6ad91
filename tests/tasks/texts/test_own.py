"""A network of one's own: its vocabulary, its training, and that it is an encoder like others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_encoder import tiny_texts
from torch import nn

from mlnb.data.samples import load_sample
from mlnb.errors import CheckpointError, LayerError, TrainError
from mlnb.networks.sequential import Sequential
from mlnb.networks.tokenizing import Tokenizer
from mlnb.tasks.texts.classification import TextClassifier
from mlnb.tasks.texts.own import OwnEncoder
from mlnb.tasks.texts.training import TextBatches

TEXTS, LABELS = tiny_texts(120)
NEW, THEIRS = tiny_texts(160)[0][120:], tiny_texts(160)[1][120:]


def bag(words: int = 300, width: int = 16) -> Sequential:
    return Sequential(name="bag").embedding_bag(words, width)


def gru(words: int = 300, width: int = 16) -> Sequential:
    return Sequential(name="gru").embedding(words, width).gru(width)


def transformer(words: int = 300, width: int = 16) -> Sequential:
    layers = Sequential(name="transformer").embedding(words, width).positional_encoding()
    return layers.transformer_encoder_layer(2, dim_feedforward=2 * width)


NETWORKS = {"bag": bag, "gru": gru, "transformer": transformer}


def quiet(_: str) -> None:
    """Takes what would be printed."""


def fitted(net: Sequential, **words: Any) -> TextClassifier:
    words = {"cache": False, "device": "cpu", **words}
    return TextClassifier(net, **words).fit(TEXTS, LABELS, tell=quiet)


@pytest.fixture(scope="module", params=NETWORKS)
def classifier(request: pytest.FixtureRequest) -> TextClassifier:
    return fitted(NETWORKS[request.param]())


def test_it_learns_and_is_judged_like_any_other(classifier: TextClassifier) -> None:
    assert classifier.score(NEW, THEIRS) >= 0.9
    assert classifier.evaluate(NEW, THEIRS).log_loss < 0.5
    assert classifier.run_.history["val_loss"][-1] < classifier.run_.history["val_loss"][0]
    assert classifier.runs_ == (classifier.run_,)


def test_it_is_judged_on_the_tenth_that_ended_its_training(classifier: TextClassifier) -> None:
    assert classifier.held_out_ is not None
    assert len(classifier.held_out_) == round(0.1 * len(TEXTS))
    last = classifier.run_.history["val_loss"].min()
    assert classifier.held_out_.log_loss == pytest.approx(last, abs=1e-4)


def test_what_it_says_of_a_text_does_not_depend_on_the_others(classifier: TextClassifier) -> None:
    texts = [*NEW[:5], "good", "never again " * 40, "soup \U0001f60b?"]
    alone = np.concatenate([classifier.predict_proba([text]) for text in texts])
    assert np.allclose(classifier.predict_proba(texts), alone, atol=1e-5)


@pytest.mark.parametrize("text", ["", " \n", "zzz", "?!", "good " * 40_000, "\ud800", "美味しい"])
def test_any_text_has_an_answer(classifier: TextClassifier, text: str) -> None:
    said = classifier.predict_proba([text])
    assert said.shape == (1, 2)
    assert said.sum() == pytest.approx(1, abs=1e-5)


def test_it_is_the_same_after_saving_and_loading(
    classifier: TextClassifier, tmp_path: Path
) -> None:
    encoder = classifier._fitted.encoder
    encoder.save(tmp_path / "own")
    again = OwnEncoder.load(tmp_path / "own")
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == [
        "network.safetensors",
        "tokenizer.json",
    ]
    assert np.allclose(again.embed(NEW), encoder.embed(NEW), atol=1e-6)
    assert again.weights == encoder.weights
    assert repr(again) == repr(encoder)


def test_the_whole_classifier_is_saved_and_loaded(
    classifier: TextClassifier, tmp_path: Path
) -> None:
    classifier.save(tmp_path / "whole")
    again = TextClassifier.load(tmp_path / "whole")
    assert np.allclose(again.predict_proba(NEW), classifier.predict_proba(NEW), atol=1e-6)


def test_fine_tuning_goes_on_training_it(classifier: TextClassifier) -> None:
    copy = fitted(classifier.encoder)
    before = copy._fitted.encoder.weights
    copy.fine_tune(epochs=1, lr=1e-3, freeze="none")
    assert copy._fitted.encoder.weights != before
    assert len(copy.runs_) == 2


def test_the_network_that_was_given_stays_as_it_was_written() -> None:
    net = gru()
    first, second = fitted(net), fitted(net)
    assert net.input_shape is None
    assert np.array_equal(first.predict_proba(NEW), second.predict_proba(NEW))
    other = fitted(net, seed=1)
    assert not np.allclose(first.predict_proba(NEW), other.predict_proba(NEW), atol=1e-4)


def test_the_first_number_of_the_embedding_is_the_most_words() -> None:
    small = fitted(Sequential().embedding_bag(12, 8))
    assert small._fitted.encoder.tokenizer.size == 12
    large = fitted(Sequential().embedding(1_000, 8))
    assert large._fitted.encoder.tokenizer.size < 100
    assert large._fitted.encoder.word_embeddings.num_embeddings == 1_000


def test_words_of_validation_are_not_in_the_vocabulary() -> None:
    texts, labels = [*TEXTS, "xylophone good", "xylophone bad"], [*LABELS, 1, 0]
    classifier = TextClassifier(bag(), cache=False, device="cpu")
    classifier.fit(texts[:-2], labels[:-2], validation=(texts[-2:], labels[-2:]), tell=quiet)
    tokenizer = classifier._fitted.encoder.tokenizer
    [ids] = tokenizer.encode(["xylophone"]).ids
    assert ids.tolist() == [tokenizer.unknown_id]


def test_its_best_epoch_is_kept() -> None:
    net = bag().optimizer("adamw", lr=0.3).training(clip_norm=1.0)
    run = fitted(net).run_
    assert run.stop_reason == "early"
    assert run.epoch < 30
    assert any("the weights are those of epoch" in said for said in run.notices)


def test_the_words_for_training_that_were_written_hold() -> None:
    run = fitted(bag().optimizer("sgd", lr=0.25).training(clip_norm=0.5)).run_
    assert any("sgd" in said and "0.25" in said for said in run.notices)


def test_without_words_for_training_a_rate_is_chosen_that_suits_the_network() -> None:
    for net, rate in ((gru(), "lr 0.01"), (transformer(), "lr 0.005"), (bag(), "lr 0.01")):
        assert any(rate in said for said in fitted(net).run_.notices)
    assert any("lr 0.3" in said for said in fitted(gru().training(lr=0.3)).run_.notices)


def test_an_embedding_begins_small() -> None:
    made = fitted(bag().optimizer("sgd", lr=1e-9))._fitted.encoder
    assert float(made.word_embeddings.weight[2:].std()) == pytest.approx(0.1, rel=0.1)


def test_words_are_hidden_in_training_only_and_padding_never() -> None:
    tokenizer = Tokenizer.of_texts(TEXTS)
    codes = np.arange(len(TEXTS))
    batches = TextBatches(tokenizer, [TEXTS], codes, batch_size=40, shuffle=True, unknown=0.3)
    first, again = (list(batches) for _ in range(2))
    hidden = [(ids == tokenizer.unknown_id)[mask.bool()] for (ids, mask), _ in first]
    assert float(torch.cat(hidden).float().mean()) == pytest.approx(0.3, abs=0.1)
    assert all((ids[mask == 0] == tokenizer.pad_id).all() for (ids, mask), _ in first)
    assert any(not torch.equal(a[0], b[0]) for (a, _), (b, _) in zip(first, again, strict=True))
    for (ids, _), _ in TextBatches(tokenizer, [TEXTS], codes):
        assert not (ids == tokenizer.unknown_id).any()


@pytest.mark.parametrize("network", NETWORKS)
def test_each_kind_learns_from_800_sentences_of_yelp(network: str, mlnb_data: Path) -> None:
    frame = load_sample("yelp").data()
    texts, labels = list(frame["text"]), list(frame["label"])
    made = TextClassifier(NETWORKS[network](5_000, 64), cache=False, device="cpu")
    made.fit(texts[:800], labels[:800], tell=quiet)
    evaluation = made.evaluate(texts[800:], labels[800:])
    assert evaluation.accuracy > 0.7
    assert evaluation.log_loss < 0.65


def test_pairs_and_many_labels() -> None:
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    classifier = TextClassifier(bag(), cache=False, device="cpu")
    assert classifier.fit(pairs, LABELS, tell=quiet).predict_proba(pairs[:3]).shape == (3, 2)
    labels = [["good"] * int(good) + ["third"] * (i % 3 == 0) for i, good in enumerate(LABELS)]
    classifier.fit(TEXTS, labels, tell=quiet)
    said = classifier.predict_proba(TEXTS)[:, 0]
    assert said[np.asarray(LABELS) == 1].mean() > said[np.asarray(LABELS) == 0].mean() + 0.3


@pytest.mark.parametrize(
    ("net", "error", "said"),
    [
        (Sequential(), LayerError, "begins with an embedding, whose first number"),
        (Sequential().dense(4), LayerError, "begins with an embedding"),
        (Sequential().embedding(3, 8), LayerError, "An embedding of 3 places has no room"),
        (Sequential().embedding(99, 8).flatten(), TrainError, "`flatten` puts all words"),
        (Sequential(module=nn.Linear(2, 2)), LayerError, "begins with an embedding"),
        (Sequential().embedding(99, 8).add(lambda x: x[..., None]), TrainError, "for each word"),
        (Sequential().embedding(99, 8).permute(1, 0).max_pool1d(2), TrainError, "for each word"),
        (Sequential().embedding_bag(99, 8).reshape(2, 4), LayerError, "gives .2, 4. for a text"),
    ],
)
def test_what_cannot_be_says_why(net: Sequential, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        fitted(net)


def test_a_folder_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        OwnEncoder.load(tmp_path)
    own = OwnEncoder(bag(), fitted(bag())._fitted.encoder.tokenizer)
    own.save(tmp_path)
    (tmp_path / "network.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(CheckpointError):
        OwnEncoder.load(tmp_path)
