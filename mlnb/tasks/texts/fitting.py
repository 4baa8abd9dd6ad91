"""`learn`: from labelled texts to what a classifier answers with, whichever encoder it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlnb.device import find_device
from mlnb.formatting import display_text, plural, seconds_text
from mlnb.networks.encoders import Encoder, encoder
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts import own
from mlnb.tasks.texts.features import TextFeatures, features_of
from mlnb.tasks.texts.fitted import Fitted
from mlnb.tasks.texts.heads import Head, check_head, train
from mlnb.tasks.texts.judging import majority_of, shares_of

if TYPE_CHECKING:
    from mlnb.tasks.texts.baselines import TfIdf
    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.learning import Learnt

AUTO, TFIDF = "auto", "tfidf"
LAYERS = (6, 4)
"""Those that are taken where nobody chooses: of an encoder of six layers, whose last ones are."""
_LOWER = 2 / 3


def learn(classifier: TextClassifier, learnt: Learnt, tell: Callable[[str], object]) -> Fitted:
    """Fit what the classifier was told to fit.

    Args:
        classifier: says how.
        learnt: the texts.
        tell: takes a line for each thing worth one.
    """
    if isinstance(classifier.encoder, Sequential):
        learnt = learnt.with_some_held_out(own.HELD_BACK, classifier.seed)
    features, head = _trained(classifier, learnt, tell)
    codes = learnt.codes[learnt.is_training]
    return Fitted(
        features,
        head,
        labels=learnt.labels,
        shares=shares_of(codes, learnt.classes),
        majority=majority_of(codes),
        columns=learnt.columns,
        is_multi_label=learnt.is_multi_label,
        is_table=learnt.rows.names is not None,
        is_paired=learnt.rows.pairs is not None,
        learnt=learnt,
        cache=classifier.cache,
    )


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


def _trained(
    classifier: TextClassifier, learnt: Learnt, tell: Callable[[str], object]
) -> tuple[TextFeatures | TfIdf, Head]:
    given, training = classifier.encoder, learnt.is_training
    if isinstance(given, Sequential):
        return own.fit(classifier, learnt)
    check_head(classifier.head, learnt.is_multi_label)
    if isinstance(given, str) and given == TFIDF:
        return learnt.counted, Head()
    body = encoder_of(given, classifier.device)
    features = TextFeatures(body, layers_of(classifier.layers, body), classifier.max_len)
    begun = time.monotonic()
    rows = features_of(features, learnt.texts, learnt.pairs, classifier.cache)
    took = seconds_text(time.monotonic() - begun)
    tell(f"features: {plural(len(rows), 'text')} in {took}; {display_text(features.text, 120)}")
    head = train(
        classifier.head,
        (rows[training], rows[~training]),
        (learnt.codes[training], learnt.codes[~training]),
        learnt.classes,
        seed=classifier.seed,
        callbacks=classifier.callbacks,
    )
    return features, head
