"""`best_convention`: how a stranger's model wants its pictures, found by trying.

A file seldom says whether its network was trained on red or blue first, on 0 to 1 or 0 to 255. The
usual ways are tried on some of the pictures, and the one whose features tell the classes apart best
on the validation pictures is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError, need
from mlnb.formatting import display_text
from mlnb.progress import progress
from mlnb.tasks.images.features import ModelFeatures
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
_SIDE = 224


def best_convention(
    model: Model, learning: Learning, tell: Callable[[str], object]
) -> Preprocessing:
    """The preprocessing whose features score best, and by how much in a line to `tell`.

    Args:
        model: cut or not.
        learning: pictures to train and to validate on.
        tell: takes the line.
    """
    train, held = _sample(learning)
    rows = np.concatenate([train, held])
    ways = dict(conventions_of(model))
    scores: dict[str, tuple[float, float]] = {}
    pixels = None
    with progress(f"preprocessing of {display_text(model.title, 40)}", len(ways)) as done:
        for number, (name, preprocessing) in enumerate(ways.items(), 1):
            if pixels is None:
                pixels = _pixels(learning, rows, preprocessing)
            features = ModelFeatures(model, preprocessing)(pixels)
            scores[name] = _score(features, learning.codes[rows], len(train))
            done(number)
    best = max(scores, key=scores.__getitem__)
    tell(
        f"preprocessing: {best} scores best with {display_text(model.title, 60)}, "
        f"{scores[best][0]:.1%} of {len(held)} pictures; of {len(ways)} tried"
    )
    return ways[best]


def conventions_of(model: Model) -> Iterator[tuple[str, Preprocessing]]:
    """The usual ways that fit the model's input, by name."""
    spec = model.inputs[0]
    layout, size = _layout_and_size(spec)
    dtype = spec.dtype if spec.dtype == "float16" else "float32"
    for name, words in CONVENTIONS.items():
        made = preprocessing_of(ExtractPixels(**words, layout=layout))
        yield (
            name,
            Preprocessing(
                size=size,
                order=made.order,
                mean=made.mean,
                scale=made.scale,
                layout=layout,
                dtype=dtype,
            ),
        )


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


def _sample(learning: Learning) -> tuple[Array, Array]:
    """Rows to train on and rows to score on, as many of each class as there are."""
    generator = np.random.default_rng(0)
    first, then = (
        generator.permutation(np.flatnonzero(rows))
        for rows in (learning.is_training, ~learning.is_training)
    )
    if len(then) < MOST // 4:
        first, then = first[len(first) // 2 :], np.concatenate([then, first[: len(first) // 2]])
    return first[: MOST // 2], then[: MOST // 2]


def _pixels(learning: Learning, rows: Array, preprocessing: Preprocessing) -> Array:
    parts = [p for _, p, _ in learning.pictures.rows(rows).pixels(preprocessing.fit, 32)]
    return np.concatenate(parts)


def _score(features: Array, codes: Array, training: int) -> tuple[float, float]:
    """Accuracy of a small classifier on the rest, and how sure it is of what is right."""
    features = np.nan_to_num(features, posinf=0.0, neginf=0.0)
    scaling, linear = (need(f"sklearn.{m}", "train") for m in ("preprocessing", "linear_model"))
    pipeline = need("sklearn.pipeline", "train").make_pipeline(
        scaling.StandardScaler(), linear.LogisticRegression(C=0.01, max_iter=300)
    )
    if len(np.unique(codes[:training])) < 2:
        return 0.0, 0.0
    pipeline.fit(features[:training], codes[:training])
    known = list(pipeline.classes_)
    sure = pipeline.predict_proba(features[training:])
    right = [
        float(row[known.index(code)]) if code in known else 0.0
        for row, code in zip(sure, codes[training:], strict=True)
    ]
    hits = pipeline.predict(features[training:]) == codes[training:]
    return float(np.mean(hits)), float(np.mean(np.log(np.maximum(right, 1e-9))))
