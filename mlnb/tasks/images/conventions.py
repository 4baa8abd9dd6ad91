"""`by_best_convention`: how a stranger's model wants its pictures, found by trying.

A file seldom says whether its network was trained on red or blue first, on 0 to 1 or 0 to 255. The
usual ways are tried on a few pictures, the better ones of them on some more, and the one whose
features tell the classes apart best on the validation pictures is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.formatting import display_text
from mlnb.progress import progress
from mlnb.tasks.images.features import ModelFeatures
from mlnb.tasks.images.learning import in_turn
from mlnb.tasks.images.preprocessing import Preprocessing, preprocessing_of
from mlnb.tasks.pipeline.images import ExtractPixels
from mlnb.tasks.pipeline.judging import linear_head
from mlnb.tasks.pipeline.taken import what_it_takes

if TYPE_CHECKING:
    from mlnb.models.model import Model
    from mlnb.tasks.images.learning import Learning

Array = np.ndarray[Any, np.dtype[Any]]

MOST = 96
"""Pictures to try with; half of them to train a small classifier, half to score it."""
_FIRST, _KEPT = 32, 4
"""Pictures that all ways are tried with, and the ways that are tried with the others too."""
_EACH = 4
"""Pictures of a class to train with that tell anything at all."""


def by_best_convention(
    model: Model, learning: Learning, tell: Callable[[str], object]
) -> ModelFeatures:
    """The model with the preprocessing that scores best, and by how much in a line to `tell`.

    Args:
        model: cut or not.
        learning: pictures to train and to validate on.
        tell: takes the line.
    """
    ways = conventions_of(model)
    features = ModelFeatures(model, next(iter(ways.values())))
    made: dict[str, Array] = {}
    scores: dict[str, tuple[float, float]] = {}
    rounds = _rounds(learning)
    rows, is_training, names, tried = [], [], list(ways), 0
    work = len(names) + _KEPT * (len(rounds) - 1)
    with progress(f"preprocessing of {display_text(model.title, 40)}", work) as done:
        for train, held in rounds:
            new = np.concatenate([train, held])
            pixels = _pixels(learning, new, features.preprocessing)  # the ways differ in scale only
            rows += new.tolist()
            is_training += [True] * len(train) + [False] * len(held)
            for name in names:
                answer = features.by(ways[name])(pixels)
                made[name] = np.concatenate([made[name], answer]) if name in made else answer
                scores[name] = _score(made[name], learning.codes[rows], np.array(is_training))
                tried += 1
                done(tried)
            names = sorted(names, key=scores.__getitem__, reverse=True)[:_KEPT]
    best = names[0]
    tell(
        f"preprocessing: {best} scores best with {display_text(model.title, 60)}, "
        f"{scores[best][0]:.1%} of {is_training.count(False)} pictures; of {len(ways)} tried"
    )
    return features.by(ways[best])


def conventions_of(model: Model) -> dict[str, Preprocessing]:
    """The usual ways that fit the model's input, by name."""
    taken, plain = what_it_takes(model), plain_pixels(model)
    return {
        name: preprocessing_of(
            ExtractPixels(**words, layout=taken.layout, dtype=taken.dtype), plain
        )
        for name, words in taken.conventions.items()
    }


def plain_pixels(model: Model) -> Preprocessing:
    """Pixels as they are, in the size, layout and dtype that the model takes.

    Raises:
        DataError: no picture goes in.
    """
    taken = what_it_takes(model)
    return Preprocessing(taken.size, layout=taken.layout, dtype=taken.dtype)


def _rounds(learning: Learning) -> list[tuple[Array, Array]]:
    """Rows to train on and rows to score on: for all ways, and more of them for the best.

    There is one round where a few pictures would not have enough of every class.
    """
    generator = np.random.default_rng(0)
    train, held = (
        rows[in_turn(learning.codes[rows], generator)]
        for rows in map(np.flatnonzero, (learning.is_training, ~learning.is_training))
    )
    if len(held) < MOST // 4:
        train, held = train[len(train) // 2 :], np.concatenate([held, train[: len(train) // 2]])
    train, held = train[: MOST // 2], held[: MOST // 2]
    few = _FIRST // 2
    if few < _EACH * len(learning.classes) or min(len(train), len(held)) <= few:
        return [(train, held)]
    return [(train[:few], held[:few]), (train[few:], held[few:])]


def _pixels(learning: Learning, rows: Array, preprocessing: Preprocessing) -> Array:
    parts = [p for _, p, _ in learning.pictures.rows(rows).pixels(preprocessing.fit, 32)]
    return np.concatenate(parts)


def _score(features: Array, codes: Array, is_training: Array) -> tuple[float, float]:
    """Accuracy of a small classifier on the rest, and how sure it is of what is right."""
    if len(np.unique(codes[is_training])) < 2:
        return 0.0, 0.0
    features = np.nan_to_num(features, posinf=0.0, neginf=0.0)
    head = linear_head().fit(features[is_training], codes[is_training])
    sure = head.predict_proba(features[~is_training])
    is_right = codes[~is_training, None] == head.classes_
    hits = is_right[np.arange(len(sure)), sure.argmax(axis=1)]
    right = np.where(is_right, sure, 0).sum(axis=1)
    return float(hits.mean()), float(np.log(np.maximum(right, 1e-9)).mean())
