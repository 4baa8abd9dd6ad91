"""`SimilarityReport`: its numbers against scipy's, and what has none."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from mlnb.tasks.similarity.report import SimilarityReport, word_overlap


def report(scores: list[float], predicted: list[float], **words: object) -> SimilarityReport:
    count = len(scores)
    a = tuple(f"a dog runs {n}" for n in range(count))
    b = tuple(f"a dog sits {n}" if n % 2 else "rain" for n in range(count))
    ids = pd.RangeIndex(100, 100 + count)
    return SimilarityReport(a, b, np.array(scores), np.array(predicted), ids, **words)


def test_correlations_and_intervals_are_scipys() -> None:
    numbers = np.random.default_rng(0)
    scores = numbers.integers(1, 6, 80).astype(float)
    said = scores + numbers.normal(0, 1, 80)
    made = report(list(scores), list(said))
    of_scipy = scipy.stats.pearsonr(said, scores)
    assert made.pearson == pytest.approx(of_scipy.statistic)
    assert made.spearman == pytest.approx(scipy.stats.spearmanr(said, scores).statistic)
    assert made.mse == pytest.approx(np.mean((said - scores) ** 2))
    interval = of_scipy.confidence_interval(0.95)
    assert made.pearson_interval == pytest.approx((interval.low, interval.high), abs=1e-6)
    low, high = made.spearman_interval
    assert low < made.spearman < high
    assert high - low > made.pearson_interval[1] - made.pearson_interval[0] - 0.05


def test_word_overlap_is_of_words_whatever_their_case_and_stands_beside() -> None:
    shares = word_overlap(["A dog runs.", "", "x"], ["a DOG sits", "", "y"])
    np.testing.assert_allclose(shares, [0.5, 0, 0])
    made = report([1, 5, 1, 5], [2, 3, 2, 4])
    assert made.overlap_pearson == pytest.approx(1)
    assert "word overlap: Pearson 1.000" in made._repr_html_()


@pytest.mark.parametrize(
    ("scores", "said"), [([3, 3, 3, 3], [1, 2, 3, 4]), ([1, 2, 3, 4], [3, 3, 3, 3]), ([1], [1])]
)
def test_where_nothing_varies_there_is_no_correlation(
    scores: list[float], said: list[float]
) -> None:
    made = report(scores, said)
    assert math.isnan(made.pearson)
    assert math.isnan(made.spearman)
    assert math.isnan(made.pearson_interval[0])
    assert "Pearson –" in repr(made)
    assert made.figure().data
    assert "–" in made._repr_html_()


def test_three_pairs_have_a_correlation_and_no_interval() -> None:
    made = report([1, 2, 3], [1, 2, 4])
    assert made.pearson > 0.9
    assert math.isnan(made.pearson_interval[0])


def test_perfect_agreement_has_an_interval() -> None:
    low, high = report([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]).pearson_interval
    assert low > 0.99
    assert high == pytest.approx(1)


def test_the_most_wrong_come_first_by_their_ids() -> None:
    made = report([1, 5, 3, 2], [1, 2, 3.5, 2]).most_wrong(2)
    assert list(made.index) == [101, 102]
    assert list(made.columns) == ["a", "b", "score", "predicted", "error"]
    assert made["error"].tolist() == [-3, 0.5]


def test_cosines_have_no_squared_error_and_are_compared_by_their_places() -> None:
    made = report([1, 5, 1, 5], [0.1, 0.9, 0.2, 0.1], in_units=False)
    assert math.isnan(made.mse)
    assert "MSE" not in repr(made)
    assert made.most_wrong(1).index[0] == 103
    assert ">cosine<" in made._repr_html_()
    assert ">said<" in report([1, 5, 1, 5], [1, 5, 2, 1])._repr_html_()


def test_many_pairs_make_a_figure_of_2_000_points() -> None:
    numbers = np.random.default_rng(0).normal(size=5000)
    assert len(report(list(numbers), list(numbers)).figure().data[0].x) == 2000


def test_the_line_that_sums_it_up() -> None:
    assert repr(report([1, 2, 3, 4], [1, 2, 3, 4])).endswith("MSE 0 · 4 pairs)")
