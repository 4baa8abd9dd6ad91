"""Fine-tuning: the encoder goes on learning, from where the head on its frozen features stands.

Whatever ends it, by itself or by a hand, the classifier has the weights so far; it works on a copy,
so that an error leaves the classifier as it was. Test rows are never looked at: what is validated
on is what `fit` held back.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text, plural
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.training import TextBatches, TextNet, loss_of, precision_for
from mlnb.train.trainer import Trainer

if TYPE_CHECKING:
    from mlnb.networks.encoders import Encoder
    from mlnb.networks.tokenizing import Tokenizer
    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.learning import Learnt
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

EPOCHS, LR, BATCH_SIZE, FREEZE = 2, 1e-4, 16, "embeddings"
_WEIGHT_DECAY, _WARM_UP, _CLIP = 0.01, 0.1, 1.0
_TUNED = ", fine-tuned"


def fine_tune(
    classifier: TextClassifier,
    *,
    epochs: int = EPOCHS,
    lr: float = LR,
    batch_size: int = BATCH_SIZE,
    freeze: str | int = FREEZE,
    callbacks: Iterable[Any] = (),
) -> Run:
    """Train the encoder of a fitted classifier with its head; again, and it goes on.

    >>> fine_tune(classifier.fit(train), epochs=2)

    AdamW with a decay of 0.01, a tenth of the steps to warm up and then down in a line (Devlin et
    al. 2018, arXiv:1810.04805, A.3), gradients clipped at 1.

    Args:
        classifier: gets the tuned encoder and head, the run as `run_`, and all runs as `runs_`.
        epochs: how often to go through the texts that `fit` trained on.
        lr: the highest learning rate.
        batch_size: texts a step.
        freeze: "embeddings" keeps those of the words, "none" nothing, a number keeps the embeddings
            and so many of the lower layers.
        callbacks: as `Trainer` has them.

    Raises:
        TrainError: the classifier has no encoder to tune, or not its texts any more.
        UnknownName: another word for `freeze`.
    """
    require_encoder(classifier, "fine_tune")
    learnt = getattr(classifier, "_learnt", None)
    if learnt is None:
        raise TrainError(
            "fine_tune goes on with the texts that fit was given, and a classifier that was loaded "
            "has none: fit(texts, labels) first."
        )
    encoder = classifier._encoder.copy()
    frozen = freeze_layers(encoder, freeze)
    net = TextNet(encoder, copy.deepcopy(classifier._head), classifier._layers)
    net.head.requires_grad_(True)
    seed = None if classifier.seed is None else classifier.seed + len(classifier.runs_)
    max_len = classifier._features.max_len
    train, held = batches_of(learnt, encoder.tokenizer, max_len, batch_size, seed or 0)
    trainer = Trainer(
        net,
        loss=loss_of(classifier._is_multi_label),
        optimizer=f"adamw(weight_decay={_WEIGHT_DECAY})",
        lr=lr,
        metrics=["accuracy"] if not classifier._is_multi_label else "auto",
        schedule=f"warmup_linear(share={_WARM_UP})",
        clip_norm=_CLIP,
        device=classifier.device,
        precision=precision_for(classifier.device),
        callbacks=callbacks,
        seed=seed,
    )
    run = trainer.fit(
        train, validation=held, epochs=epochs, name=f"{encoder.name}, {frozen}", folder=False
    )
    take_over(classifier, net, run)
    return run


def take_over(classifier: TextClassifier, net: TextNet, run: Run) -> None:
    """Let a classifier predict with what was trained."""
    encoder = net.encoder
    net.eval().requires_grad_(False)
    encoder.to(classifier._encoder.device)
    encoder.changed()
    encoder.source = f"{classifier._encoder.source.removesuffix(_TUNED)}{_TUNED}"
    classifier._encoder = encoder
    classifier._head = net.head.cpu()
    classifier._features = TextFeatures(encoder, classifier._layers, classifier.max_len)
    classifier.run_, classifier.runs_ = run, (*classifier.runs_, run)


def freeze_layers(encoder: Encoder, freeze: str | int) -> str:
    """Keep a part of an encoder as it is; what is kept, in words.

    Raises:
        UnknownName: a word that is neither "embeddings" nor "none".
        TrainError: more layers than there are.
    """
    encoder.requires_grad_(True)
    if freeze == "none":
        return "nothing frozen"
    if freeze == "embeddings":
        encoder.word_embeddings.requires_grad_(False)
        return "word embeddings frozen"
    if isinstance(freeze, bool) or not isinstance(freeze, int | np.integer):
        raise unknown("freeze", str(freeze), ["embeddings", "none", "a number of layers"])
    if not 0 <= freeze <= encoder.depth:
        raise TrainError(
            f"freeze={freeze}, but {display_text(encoder.name)} has "
            f"{plural(encoder.depth, 'layer')}."
        )
    encoder.requires_grad_(False)
    for block in encoder.blocks[freeze:]:
        block.requires_grad_(True)
    return f"embeddings and {plural(int(freeze), 'layer')} frozen"


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
