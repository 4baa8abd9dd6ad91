"""Measures beside scikit-learn's own: Wilson's interval, calibration, curves with their area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlnb.errors import need

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

BINS = 15
"""As in Guo et al., On Calibration of Modern Neural Networks (2017), whose numbers one compares."""


class Curve(NamedTuple):
    """A curve over all thresholds, and the area below it; empty and NaN where there is none."""

    x: NDArray[Any]
    y: NDArray[Any]
    threshold: NDArray[Any]
    area: float


def roc_curve(yes: NDArray[np.bool_], scores: NDArray[Any]) -> Curve:
    """False positive rate and true positive rate; there is none where all rows are alike."""
    if yes.all() or not yes.any():
        return _NOTHING
    metrics = need("sklearn.metrics", "train")
    x, y, threshold = metrics.roc_curve(yes, scores)
    return Curve(x, y, threshold, float(metrics.roc_auc_score(yes, scores)))


def precision_recall_curve(yes: NDArray[np.bool_], scores: NDArray[Any]) -> Curve:
    """Recall and precision, with average precision as the area; none where all rows are alike."""
    if yes.all() or not yes.any():
        return _NOTHING
    metrics = need("sklearn.metrics", "train")
    precision, recall, threshold = metrics.precision_recall_curve(yes, scores)
    area = float(metrics.average_precision_score(yes, scores))
    return Curve(recall, precision, np.append(threshold, np.inf), area)


_NOTHING = Curve(np.empty(0), np.empty(0), np.empty(0), float("nan"))


def wilson(right: int, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score (Probable Inference, 1927).

    >>> wilson(296, 300)
    (0.966, 0.995)
    """
    stats = need("scipy.stats", "train")
    interval = stats.binomtest(right, rows).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def calibration(
    confidence: NDArray[Any], right: NDArray[np.bool_], bins: int = BINS
) -> pd.DataFrame:
    """How often answers are right, by how sure they were, in bins of equal width.

    Args:
        confidence: `[answers]`, from 0 to 1.
        right: `[answers]`.
        bins: how many; each holds its upper edge, and the first 0 as well.

    Returns:
        `low`, `high`, `count`, `confidence`, `accuracy`; the last two NaN in an empty bin.
    """
    import pandas as pd

    place = np.clip(np.ceil(confidence.astype(np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    filled = np.where(count > 0, count, np.nan)
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": np.bincount(place, confidence, bins) / filled,
            "accuracy": np.bincount(place, right, bins) / filled,
        }
    )


def expected_calibration_error(confidence: NDArray[Any], right: NDArray[np.bool_]) -> float:
    """The mean distance of confidence and accuracy over 15 bins, weighted by their counts."""
    table = calibration(confidence, right)
    apart = (table["confidence"] - table["accuracy"]).abs().fillna(0.0)
    return float((apart * table["count"]).sum() / len(right))


def percent(share: float) -> str:
    """A share as one says it, never rounded up to all or down to nothing: `98.7%`, `100%`."""
    if share in (0, 1):
        return f"{share:.0%}"
    return f"{min(99.9, max(0.1, 100 * share)):.1f}%"
