"""`by_best_convention`: how a stranger's model wants its pictures, found by trying.

A file seldom says whether its network was trained on red or blue first, on 0 to 1 or 0 to 255. The
usual ways are tried on a few pictures, the better ones of them on some more, and the one whose
features tell the classes apart best on the validation pictures is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, need
from mlnb.formatting import display_text
from mlnb.progress import progress
from mlnb.tasks.images.features import ModelFeatures
from mlnb.tasks.images.learning import in_turn
from mlnb.tasks.images.preprocessing import Preprocessing, preprocessing_of
from mlnb.tasks.pipeline import CONVENTIONS, ExtractPixels

if TYPE_CHECKING:
    from mlnb.models.model import Model
    from mlnb.specs import TensorSpec
    from mlnb.tasks.images.learning import Learning
    from mlnb.tasks.pipeline.images import Layout

Array = np.ndarray[Any, np.dtype[Any]]

MOST = 96
"""Pictures to try with; half of them to train a small classifier, half to score it."""
_FIRST, _KEPT = 32, 4
"""Pictures that all ways are tried with, and the ways that are tried with the others too."""
_EACH = 4
"""Pictures of a class to train with that tell anything at all."""
_SIDE = 224


def by_best_convention(
    model: Model, learning: Learning, tell: Callable[[str], object]
) -> ModelFeatures:
    """The model with the preprocessing that scores best, and by how much in a line to `tell`.

    Args:
        model: cut or not.
        learning: pictures to train and to validate on.
        tell: takes the line.
    """
    ways = dict(conventions_of(model))
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


def conventions_of(model: Model) -> Iterator[tuple[str, Preprocessing]]:
    """The usual ways that fit the model's input, by name."""
    spec = model.inputs[0]
    layout, size = _layout_and_size(spec)
    dtype = spec.dtype if spec.dtype == "float16" else "float32"
    for name, words in CONVENTIONS.items():
        steps = ExtractPixels(**words, layout=layout, dtype=dtype)
        yield name, replace(preprocessing_of(steps), size=size)


def _layout_and_size(spec: TensorSpec) -> tuple[Layout, tuple[int, int]]:
    shape = spec.shape
    if shape is None or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise DataError(
            f"{display_text(spec.name)} is {spec}; a backbone takes colour pictures, "
            "[n, 3, height, width] or [n, height, width, 3]."
        )
    layout: Layout = "NHWC" if shape[3] == 3 else "NCHW"
    sides = shape[1:3] if layout == "NHWC" else shape[2:]
    height, width = (side if isinstance(side, int) and side > 0 else _SIDE for side in sides)
    return layout, (height, width)


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
    features = np.nan_to_num(features, posinf=0.0, neginf=0.0)
    scaling, linear = (need(f"sklearn.{m}", "train") for m in ("preprocessing", "linear_model"))
    pipeline = need("sklearn.pipeline", "train").make_pipeline(
        scaling.StandardScaler(), linear.LogisticRegression(C=0.01, max_iter=300)
    )
    if len(np.unique(codes[is_training])) < 2:
        return 0.0, 0.0
    pipeline.fit(features[is_training], codes[is_training])
    known = list(pipeline.classes_)
    sure = pipeline.predict_proba(features[~is_training])
    right = [
        float(row[known.index(code)]) if code in known else 0.0
        for row, code in zip(sure, codes[~is_training], strict=True)
    ]
    hits = pipeline.predict(features[~is_training]) == codes[~is_training]
    return float(np.mean(hits)), float(np.mean(np.log(np.maximum(right, 1e-9))))
