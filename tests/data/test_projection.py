"""`project`: rows of many numbers as places on a plane."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from mlnb.data.projection import project
from mlnb.errors import DataError, UnknownName


def test_pca_is_that_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    rows = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    expected = decomposition.PCA(2, random_state=0).fit_transform(rows)
    np.testing.assert_allclose(project(rows), expected, atol=1e-5)


def test_many_rows_are_placed_by_the_axes_of_some():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(21_000, 4)).astype(np.float32) * [9, 3, 0.1, 0.1]
    placed = project(rows)
    assert placed.shape == (21_000, 2)
    assert abs(np.corrcoef(placed[:, 0], rows[:, 0])[0, 1]) > 0.999


def test_two_columns_are_places_already_and_one_is_a_line():
    rows = np.array([[3.0, 4.0], [5.0, 6.0]])
    assert project(rows).tolist() == rows.tolist()
    assert project(rows[:, :1]).tolist() == [[3, 0], [5, 0]]


def test_a_row_that_is_not_all_numbers_has_no_place_and_moves_no_other():
    rows = np.random.default_rng(0).normal(size=(20, 5))
    holes = np.vstack([rows, np.full((1, 5), np.nan), np.full((1, 5), np.inf)])
    placed = project(holes)
    assert np.isnan(placed[20:]).all()
    np.testing.assert_allclose(placed[:20], project(rows), atol=1e-5)


def test_rows_that_are_all_the_same_lie_on_one_place():
    assert np.ptp(project(np.ones((9, 5))), axis=0).tolist() == [0, 0]


def test_what_is_refused():
    with pytest.raises(DataError, match=r"features are \[n, d\]; received \[2, 3, 4\]"):
        project(np.zeros((2, 3, 4)))
    with pytest.raises(UnknownName, match="did you mean 'pca'"):
        project(np.zeros((2, 3)), method="pcb")


UMAP_PACKAGE = """
try:
    import tensorflow
except ImportError:
    import warnings
    warnings.warn("Tensorflow not installed")

class UMAP:
    def __init__(self, **options):
        pass

    def fit_transform(self, rows):
        return rows[:, :2]
"""


def test_umap_does_not_bring_tensorflow_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "umap.py").write_text(UMAP_PACKAGE)
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('the process would end')")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("umap", "tensorflow"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    rows = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    assert project(rows, "umap").tolist() == rows[:, :2].tolist()
    assert "tensorflow" not in sys.modules
    monkeypatch.delitem(sys.modules, "umap")


def test_rows_too_few_for_a_neighbourhood_are_placed_by_pca() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    assert project(rows, "umap").tolist() == project(rows, "pca").tolist()
