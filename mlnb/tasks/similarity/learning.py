"""What `SentenceSimilarity` learns from: `Learnt`, and the `Scorer` that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import DataError
from mlnb.tasks.similarity.metric import FEWEST_HELD, Metric, train_metric
from mlnb.tasks.similarity.scoring import Scorer

if TYPE_CHECKING:
    from mlnb.tasks.similarity.pairs import Pairs
    from mlnb.tasks.similarity.similarity import SentenceSimilarity
    from mlnb.tasks.texts.features import TextFeatures
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Learnt:
    """Pairs with scores, and which of them are for training.

    Args:
        pairs: those that take part.
        is_training: whether each is trained on, `bool [n]`; the others end and judge the training.
    """

    pairs: Pairs
    is_training: Array

    @property
    def scores(self) -> Array:
        """Of all pairs."""
        return self.pairs.known


def divided(pairs: Pairs, validation: float, seed: int | None) -> Learnt:
    """By the frame's splits, or a share that is drawn.

    Raises:
        DataError: a share that is none.
    """
    if not isinstance(validation, int | float) or not 0 <= validation < 1:
        raise DataError(f"validation is a share of the pairs from 0 to 1; received {validation!r}.")
    if pairs.splits is not None:
        return Learnt(pairs, np.asarray(pairs.splits == "train"))
    is_training = np.ones(len(pairs), bool)
    order = np.random.default_rng(seed).permutation(len(pairs))
    is_training[order[: int(len(pairs) * validation)]] = False
    return Learnt(pairs, is_training)


def learn(
    similarity: SentenceSimilarity,
    learnt: Learnt,
    features: TextFeatures,
    tell: Callable[[str], object],
) -> tuple[Scorer, Run | None]:
    """What scores like the labels, and the run where a metric was trained.

    Args:
        similarity: says which metric.
        learnt: the pairs.
        features: embeds them.
        tell: takes a line where no metric could be learnt.
    """
    width, scores = features.width, learnt.scores
    frozen = Metric(width, learned=False).eval()
    scorer = Scorer(
        features,
        frozen,
        similarity.cache,
        lowest=float(scores.min()),
        highest=float(scores.max()),
        mean=float(scores.mean()),
        learnt=learnt,
    )
    u, v = scorer.embedded(learnt.pairs.a, learnt.pairs.b)
    frozen.fit_scale(u, v, scores)
    held = int((~learnt.is_training).sum())
    if similarity.metric == "cosine":
        return scorer, None
    if held < FEWEST_HELD or held == len(scores):
        tell(
            f"metric: the cosine; a learned one needs pairs to train on and {FEWEST_HELD} held out "
            f"to be judged on, and {held:,} of {len(scores):,} are held out"
        )
        return scorer, None
    metric, run, is_better = train_metric(
        u,
        v,
        scores,
        learnt.is_training,
        seed=similarity.seed,
        callbacks=similarity.callbacks,
        name=f"metric on {features.encoder.name}",
    )
    if not is_better:
        tell(f"metric: the cosine, which the learned one does not beat on {held:,} held-out pairs")
        return scorer, run
    return replace(scorer, metric=metric), run
