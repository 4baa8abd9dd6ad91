"""`learn`: from labelled texts to an encoder with a head, whichever encoder it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from mlnb.data.features import FeatureCache
from mlnb.device import find_device
from mlnb.formatting import display_text, plural, seconds_text
from mlnb.networks.encoders import Encoder, encoder
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.heads import Head, check_head, paired, train

if TYPE_CHECKING:
    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.learning import Learnt

Array = np.ndarray[Any, np.dtype[Any]]

AUTO, TFIDF = "auto", "tfidf"
LAYERS = (6, 4)
"""Those that are taken where nobody chooses: of an encoder of six layers, whose last ones are."""
_LOWER = 2 / 3


@dataclass(frozen=True)
class Fitted:
    """What a fit comes to.

    Args:
        encoder: frozen or of one's own; `None` where words are counted.
        features: of texts; `TfIdf` where words are counted.
        layers: of the encoder, counted from 1.
        head: what was trained on them.
    """

    encoder: Any
    features: TextFeatures | TfIdf
    layers: tuple[int, ...]
    head: Head


def learn(classifier: TextClassifier, learnt: Learnt, tell: Callable[[str], object]) -> Fitted:
    """Fit what the classifier was told to fit.

    Args:
        classifier: says how.
        learnt: the texts.
        tell: takes a line for each thing worth one.
    """
    given = classifier.encoder
    if isinstance(given, Sequential):
        return _own(classifier, learnt)
    check_head(classifier.head, learnt.is_multi_label)
    if isinstance(given, str) and given == TFIDF:
        return Fitted(None, counted(learnt), (), Head())
    body = encoder_of(given, classifier.device)
    layers = layers_of(classifier.layers, body)
    features = TextFeatures(body, layers, classifier.max_len)
    begun = time.monotonic()
    rows = features_of(features, learnt.texts, learnt.pairs, cache_of(classifier.cache, features))
    took = seconds_text(time.monotonic() - begun)
    tell(f"features: {plural(len(rows), 'text')} in {took}; {display_text(features.text, 120)}")
    training = learnt.is_training
    head = train(
        classifier.head,
        (rows[training], rows[~training]),
        (learnt.codes[training], learnt.codes[~training]),
        learnt.classes,
        seed=classifier.seed,
        callbacks=classifier.callbacks,
    )
    return Fitted(body, features, layers, head)


def counted(learnt: Learnt) -> TfIdf:
    """Words and letters of the training texts, counted."""
    rows = learnt.rows.rows(np.flatnonzero(learnt.is_training))
    codes = learnt.codes[learnt.is_training]
    return TfIdf.fit(rows.texts, rows.pairs, codes, learnt.classes)


def encoder_of(given: Any, device: Any) -> Encoder:
    """The encoder that a classifier names or holds, on its device."""
    if isinstance(given, Encoder):
        given.to(find_device(device))
        return given
    return _offline(str(device)) if given == AUTO else encoder(given, device)


@lru_cache(maxsize=1)
def _offline(device: str) -> Encoder:
    """The one that every fold of a cross-validation would read again; nobody changes it."""
    return encoder(AUTO, device)


def layers_of(given: Any, body: Encoder) -> tuple[int, ...]:
    """The layers that are meant; of an encoder that is deeper or not so deep, alike ones.

    >>> layers_of((6, 4), encoder_of_12_layers)
    (12, 8)
    """
    if isinstance(given, int):
        given = (given,)
    if tuple(given) == LAYERS and body.depth != LAYERS[0]:
        lower = round(body.depth * _LOWER)
        given = (body.depth, lower) if lower < body.depth else (body.depth,)
    return body.checked_layers(given)


def cache_of(where: Any, features: TextFeatures) -> FeatureCache | None:
    """Where the features of texts are kept, as the classifier was told.

    Those of a network of one's own are not: it is quick, and every fit makes another one.
    """
    from mlnb.tasks.texts.own import OwnEncoder

    if where is False or where is None or isinstance(features.encoder, OwnEncoder):
        return None
    return FeatureCache(features.key, None if where is True else where)


def features_of(
    features: TextFeatures,
    texts: Sequence[str],
    pairs: Sequence[str] | None,
    cache: FeatureCache | None,
) -> Array:
    """What a head takes, `float32 [n, width]`; of pairs four times as wide, see `paired`."""
    if pairs is None:
        return features.of(texts, cache=cache)
    rows = torch.from_numpy(features.of([*texts, *pairs], cache=cache))
    made: Array = paired(rows[: len(texts)], rows[len(texts) :]).numpy()
    return made


def logits_of(module: nn.Module, rows: Array) -> Array:
    """`float32 [n, classes]`."""
    with torch.inference_mode():
        made: Array = module.eval()(torch.from_numpy(rows)).float().numpy()
    return made


def _own(classifier: TextClassifier, learnt: Learnt) -> Fitted:
    from mlnb.tasks.texts import own

    body, head, run = own.fit(classifier, learnt)
    layers = (1,)
    features = TextFeatures(body, layers, classifier.max_len)
    return Fitted(body, features, layers, Head(head, run=run))
