"""Fine-tuning: the encoder goes on learning, from where the head on its frozen features stands.

Whatever ends it, by itself or by a hand, the classifier has the weights so far; it works on a copy,
so that an error leaves the classifier as it was. Test rows are never looked at: what is validated
on is what `fit` held back.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import TrainError
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.training import (
    TextBatches,
    TextNet,
    freeze_layers,
    loss_of,
    next_seed,
    tune,
    tuned,
)

if TYPE_CHECKING:
    from mlnb.networks.tokenizing import Tokenizer
    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.learning import Learnt

Array = np.ndarray[Any, np.dtype[Any]]


def fine_tune(
    classifier: TextClassifier, *, epochs: int, lr: float, batch_size: int, freeze: str | int
) -> None:
    """Train encoder and head of a fitted classifier; see `TextClassifier.fine_tune`.

    Args:
        classifier: gets the tuned encoder and head, the run as `run_`, and all runs as `runs_`.
        epochs: how often to go through the texts that `fit` trained on.
        lr: the highest learning rate.
        batch_size: texts a step.
        freeze: as `freeze_layers` takes it.
    """
    require_encoder(classifier, "fine_tune")
    learnt, before = classifier._learnt, classifier._encoder
    if learnt is None:
        raise TrainError(
            "fine_tune goes on with the texts that fit was given, and a classifier that was loaded "
            "has none: fit(texts, labels) first."
        )
    encoder = before.copy()
    frozen = freeze_layers(encoder, freeze)
    net = TextNet(encoder, copy.deepcopy(classifier._head), classifier._layers)
    net.head.requires_grad_(True)
    max_len, seed = classifier._features.max_len, next_seed(classifier) or 0
    train, held = batches_of(learnt, encoder.tokenizer, max_len, batch_size, seed)
    net, run = tune(
        net,
        train,
        held,
        classifier,
        loss=loss_of(classifier._is_multi_label),
        metrics="auto" if classifier._is_multi_label else ["accuracy"],
        lr=lr,
        epochs=epochs,
        name=f"{encoder.name}, {frozen}",
    )
    classifier._encoder = tuned(net.encoder, before)
    classifier._head = net.head.cpu()
    classifier._features = TextFeatures(classifier._encoder, classifier._layers, classifier.max_len)
    classifier.run_, classifier.runs_ = run, (*classifier.runs_, run)


def require_encoder(classifier: TextClassifier, what: str) -> None:
    """Refuse what needs a network where there is none.

    Raises:
        TrainError: the classifier counts words.
    """
    if classifier._encoder is None:
        raise TrainError(
            f'encoder="tfidf" counts words and letters and has no network, which {what} needs: '
            'TextClassifier(encoder="auto").fit(texts, labels) has one.'
        )


def batches_of(
    learnt: Learnt, tokenizer: Tokenizer, max_len: int, batch_size: int, seed: int
) -> tuple[TextBatches, TextBatches | None]:
    """Batches to train on, and those to validate on where `fit` held rows back."""

    def batches(rows: Array, **options: Any) -> TextBatches:
        columns = [learnt.texts] if learnt.pairs is None else [learnt.texts, learnt.pairs]
        taken = [[column[row] for row in rows] for column in columns]
        return TextBatches(tokenizer, taken, learnt.codes[rows], max_len=max_len, **options)

    train, held = np.flatnonzero(learnt.is_training), np.flatnonzero(~learnt.is_training)
    shuffled = batches(train, batch_size=batch_size, shuffle=True, seed=seed)
    return shuffled, batches(held) if len(held) else None
