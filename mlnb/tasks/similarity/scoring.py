"""`Scorer`: what a `SentenceSimilarity` has come to, from sentences to places and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.tasks.texts.features import cache_of

if TYPE_CHECKING:
    from mlnb.tasks.similarity.learning import Learnt
    from mlnb.tasks.similarity.metric import Metric
    from mlnb.tasks.similarity.pairs import Pairs
    from mlnb.tasks.similarity.tuning import CrossNet
    from mlnb.tasks.texts.features import TextFeatures

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Scorer:
    """What embeds sentences, what compares them, and the scale of the answers.

    Args:
        features: embeds a sentence.
        metric: compares two embeddings.
        cache: whether embeddings are kept on this disk; or the folder for them.
        cross: reads pairs in place of both, where that was tuned; search goes without it.
        lowest: no answer is below; of a cosine -1.
        highest: none is above.
        mean: the answer where a sentence says nothing; of a cosine 0.
        learnt: what was learnt from; `None` before `fit` and after loading.
    """

    features: TextFeatures
    metric: Metric
    cache: Any = True
    cross: CrossNet | None = None
    lowest: float = -1.0
    highest: float = 1.0
    mean: float = 0.0
    learnt: Learnt | None = None

    @property
    def key(self) -> str:
        """All that a place depends on beside the sentence."""
        matrix = b"" if self.metric.matrix is None else self.metric.matrix.numpy().tobytes()
        return f"{self.features.key} {hashlib.sha256(matrix).hexdigest()}"

    def scores(self, pairs: Pairs) -> Array:
        """How alike the sentences of each pair are, `float64 [n]`."""
        if self.cross is None:
            found = self.metric.scores(*self.embedded(pairs.a, pairs.b))
        else:
            both = self.cross.features(self.features.max_len)
            made = both.of(pairs.a, pairs.b, cache_of(self.cache, both))
            found = self.cross.scores(made)
        found = np.clip(found, self.lowest, self.highest)
        found[pairs.is_empty] = self.mean
        return found

    def embedded(self, a: Sequence[str], b: Sequence[str]) -> tuple[Array, Array]:
        """Embeddings of first and second sentences, `float32 [n, width]` each."""
        made = self._made([*a, *b])
        return made[: len(a)], made[len(a) :]

    def places(self, texts: Sequence[str]) -> Array:
        """Where sentences lie, `float32 [n, width]`: the product of two is their similarity."""
        return self.metric.places(self._made(texts))

    def _made(self, texts: Sequence[str]) -> Array:
        return self.features.of(texts, cache=cache_of(self.cache, self.features))
