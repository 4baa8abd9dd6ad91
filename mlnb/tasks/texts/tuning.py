"""Fine-tuning: the encoder goes on learning, from where the head on its frozen features stands.

Whatever ends it, by itself or by a hand, what comes of it has the weights so far. It works on a
copy, so that an error leaves the classifier as it was. Test rows are never looked at: what is
validated on is what `fit` held back.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import TrainError
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.heads import Head
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
    from mlnb.tasks.texts.fitted import Fitted
    from mlnb.tasks.texts.learning import Learnt

Array = np.ndarray[Any, np.dtype[Any]]


def fine_tune(
    fitted: Fitted,
    owner: TextClassifier,
    *,
    epochs: int,
    lr: float,
    batch_size: int,
    freeze: str | int,
) -> Fitted:
    """What came of training encoder and head of what was fitted, which stays as it is.

    See `TextClassifier.fine_tune`; the owner says device, callbacks and seed.
    """
    before, learnt = with_encoder(fitted, "fine_tune"), fitted.learnt
    if learnt is None:
        raise TrainError(
            "fine_tune goes on with the texts that fit was given, and a classifier that was loaded "
            "has none: fit(texts, labels) first."
        )
    encoder = before.encoder.copy()
    frozen = freeze_layers(encoder, freeze)
    net = TextNet(encoder, copy.deepcopy(fitted.head.module), before.layers)
    net.head.requires_grad_(True)
    seed = next_seed(owner) or 0
    train, held = batches_of(learnt, encoder.tokenizer, before.max_len, batch_size, seed)
    net, run = tune(
        net,
        train,
        held,
        owner,
        loss=loss_of(fitted.is_multi_label),
        metrics="auto" if fitted.is_multi_label else ["accuracy"],
        lr=lr,
        epochs=epochs,
        name=f"{encoder.name}, {frozen}",
    )
    features = TextFeatures(tuned(net.encoder, before.encoder), before.layers, before.max_len)
    head = Head(net.head.cpu(), fitted.head.name, fitted.head.made, run)
    return replace(fitted, features=features, head=head)


def with_encoder(fitted: Fitted, what: str) -> TextFeatures:
    """The features of what has a network.

    Raises:
        TrainError: words are counted.
    """
    if isinstance(fitted.features, TextFeatures):
        return fitted.features
    raise TrainError(
        f'encoder="tfidf" counts words and letters and has no network, which {what} needs: '
        'TextClassifier(encoder="auto").fit(texts, labels) has one.'
    )


def batches_of(
    learnt: Learnt,
    tokenizer: Tokenizer,
    max_len: int,
    batch_size: int,
    seed: int,
    unknown: float = 0.0,
) -> tuple[TextBatches, TextBatches | None]:
    """Batches to train on, and those to validate on where `fit` held rows back.

    The words are those of `TextBatches`; in validation every word is told.
    """

    def batches(rows: Array, **options: Any) -> TextBatches:
        columns = [learnt.texts] if learnt.pairs is None else [learnt.texts, learnt.pairs]
        taken = [[column[row] for row in rows] for column in columns]
        return TextBatches(tokenizer, taken, learnt.codes[rows], max_len=max_len, **options)

    train, held = np.flatnonzero(learnt.is_training), np.flatnonzero(~learnt.is_training)
    words = {"batch_size": batch_size, "shuffle": True, "seed": seed, "unknown": unknown}
    shuffled = batches(train, **words)
    return shuffled, batches(held) if len(held) else None
