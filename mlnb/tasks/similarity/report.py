"""`SimilarityReport`: how well scores agree with those that people gave.

Beside every measure stands that of the share of words that two sentences have in common, since a
network that does no better has understood nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.errors import need
from mlnb.formatting import Markup, plural

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

Array = np.ndarray[Any, np.dtype[Any]]

_WORD = re.compile(r"\w+")
_NORMAL_95 = 1.959964


@dataclass(frozen=True, eq=False, repr=False)
class SimilarityReport:
    """What was said of pairs whose scores are known; made by `SentenceSimilarity.evaluate`.

    >>> report = similarity.evaluate(test)
    >>> report.pearson, report.pearson_interval
    (0.859, (0.834, 0.881))
    >>> report.most_wrong(5)

    Args:
        a: the first sentences.
        b: the second ones.
        scores: what is true, `float64 [n]`.
        predicted: what was said, `float64 [n]`.
        ids: of the pairs.
        in_units: whether what was said is in the units of the scores; before `fit` it is a cosine.
        notes: lines for the reader.
    """

    a: tuple[str, ...]
    b: tuple[str, ...]
    scores: Array
    predicted: Array
    ids: pd.Index
    in_units: bool = True
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.scores)

    @cached_property
    def pearson(self) -> float:
        """How far the scores lie on a line, -1 to 1; NaN where one of the two never varies."""
        return pearson(self.predicted, self.scores)

    @cached_property
    def spearman(self) -> float:
        """How far the pairs are in the right order, -1 to 1; NaN likewise."""
        return spearman(self.predicted, self.scores)

    @property
    def pearson_interval(self) -> tuple[float, float]:
        """The 95 % interval, by Fisher's z (1921): how far chance could have moved the number."""
        return _interval(self.pearson, len(self), 1.0)

    @property
    def spearman_interval(self) -> tuple[float, float]:
        """The 95 % interval, by Fisher's z with the variance of Bonett and Wright (2000)."""
        return _interval(self.spearman, len(self), 1 + self.spearman**2 / 2)

    @cached_property
    def mse(self) -> float:
        """The mean squared error, in the scores' units squared; NaN before `fit`."""
        return float(np.mean(self._errors**2)) if self.in_units else math.nan

    @cached_property
    def overlap(self) -> Array:
        """The share of words that two sentences have in common, `float64 [n]`."""
        return word_overlap(self.a, self.b)

    @property
    def overlap_pearson(self) -> float:
        """Pearson's correlation of that share."""
        return pearson(self.overlap, self.scores)

    @property
    def overlap_spearman(self) -> float:
        """Spearman's correlation of that share."""
        return spearman(self.overlap, self.scores)

    @property
    def _errors(self) -> Array:
        return self.predicted - self.scores

    def most_wrong(self, n: int = 10) -> pd.DataFrame:
        """The pairs farthest off, the worst first: `a`, `b`, `score`, `predicted`, `error`.

        Args:
            n: at most so many.
        """
        import pandas as pd

        off = self._errors
        if not self.in_units:  # cosines and scores compare by how far each is from its own mean
            off = _standardised(self.predicted) - _standardised(self.scores)
        worst = np.argsort(-np.abs(off), kind="stable")[: max(0, n)]
        columns = {
            "a": [self.a[row] for row in worst],
            "b": [self.b[row] for row in worst],
            "score": self.scores[worst],
            "predicted": self.predicted[worst],
            "error": off[worst],
        }
        return pd.DataFrame(columns, index=self.ids[worst])

    def figure(self) -> Figure:
        """Said by true, as a plotly figure.

        Raises:
            MissingExtra: plotly is not installed.
        """
        from mlnb.tasks.similarity.report_views import report_figure

        return report_figure(self)

    @property
    def facts(self) -> tuple[str, ...]:
        """The line that sums it up, in parts: `Pearson 0.859`, `0.834 to 0.881`, …"""
        low, high = self.pearson_interval
        mse = (f"MSE {self.mse:.3g}",) if self.in_units else ()
        return (
            f"Pearson {number(self.pearson)}",
            f"{number(low)} to {number(high)}",
            f"Spearman {number(self.spearman)}",
            *mse,
            plural(len(self), "pair"),
        )

    def __repr__(self) -> str:
        return f"SimilarityReport({' · '.join(self.facts)})"

    def _repr_html_(self) -> Markup:
        from mlnb.tasks.similarity.report_views import report_html

        return report_html(self)


def pearson(x: Array, y: Array) -> float:
    """The correlation; NaN of fewer than two rows, and where one of the two never varies."""
    return float(np.dot(_standardised(x), _standardised(y)) / len(x)) if _vary(x, y) else math.nan


def spearman(x: Array, y: Array) -> float:
    """The correlation of the ranks, ties in the middle; NaN likewise."""
    rank = need("scipy.stats", "train").rankdata
    return pearson(rank(x), rank(y)) if _vary(x, y) else math.nan


def word_overlap(a: Sequence[str], b: Sequence[str]) -> Array:
    """Words in both sentences by words in either (Jaccard), whatever their case; 0 without words.

    >>> word_overlap(["A dog runs."], ["A dog sits."])
    array([0.5])
    """
    shares = np.zeros(len(a))
    for row, (first, second) in enumerate(zip(a, b, strict=True)):
        one, other = (set(_WORD.findall(text.casefold())) for text in (first, second))
        shares[row] = len(one & other) / max(1, len(one | other))
    return shares


def number(value: float) -> str:
    """A correlation; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def _vary(x: Array, y: Array) -> bool:
    return len(x) > 1 and bool(np.ptp(x) > 0 and np.ptp(y) > 0)


def _standardised(x: Array) -> Array:
    spread = float(x.std())
    return np.asarray((x - x.mean()) / (spread or 1.0))


def _interval(correlation: float, rows: int, variance: float) -> tuple[float, float]:
    if rows <= 3 or math.isnan(correlation):
        return math.nan, math.nan
    z = math.atanh(min(max(correlation, -1 + 1e-15), 1 - 1e-15))
    reach = _NORMAL_95 * math.sqrt(variance / (rows - 3))
    return math.tanh(z - reach), math.tanh(z + reach)
