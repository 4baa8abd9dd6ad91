"""Rows of many numbers as points on a plane: `project`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlnb.errors import DataError, MissingExtra, need, unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = ("pca", "umap")
_NEIGHBOURHOOD = 4
_SAMPLE = 20_000  # rows that the axes are found from; all of them are then turned


def project(
    features: Any, method: Literal["pca", "umap"] = "pca", *, seed: int = 0
) -> NDArray[np.float32]:
    """Each row of `features` as x and y; NaN for a row that is not all numbers.

    >>> project(classifier.features(frame)).shape
    (1000, 2)

    PCA keeps the two directions in which the rows differ most. UMAP keeps neighbours together
    (McInnes, Healy and Melville 2018, https://arxiv.org/abs/1802.03426); it has to be installed,
    and of fewer than four rows there is nothing to keep together: PCA places them.

    Args:
        features: `[n, d]`, an array or a tensor; of one or two columns they are the place itself.
        method: `"pca"` or `"umap"`.
        seed: equal seeds give equal maps.

    Raises:
        DataError: no `[n, d]` of numbers.
        MissingExtra: UMAP is not installed.
        UnknownName: no such method.
    """
    if method not in METHODS:
        raise unknown("method", str(method), METHODS)
    rows = _checked(features)
    finite = np.isfinite(rows).all(axis=1)
    placed = np.full((len(rows), 2), np.nan, np.float32)
    if rows.shape[1] <= 2:
        placed[finite, : rows.shape[1]] = rows[finite]
        placed[finite, rows.shape[1] :] = 0
    elif finite.sum() < 3:
        placed[finite] = rows[finite, :2]
    else:
        few = finite.sum() < _NEIGHBOURHOOD
        placed[finite] = (_pca if few or method == "pca" else _umap)(rows[finite], seed)
    return placed


def _pca(rows: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    decomposition = need("sklearn.decomposition", "train")
    sample = rows
    if len(rows) > _SAMPLE:
        sample = rows[np.random.default_rng(seed).choice(len(rows), _SAMPLE, replace=False)]
    with np.errstate(invalid="ignore"):  # rows that are all the same have no variance to explain
        pca = decomposition.PCA(2, random_state=seed).fit(sample)
    return pca.transform(rows)  # type: ignore[no-any-return]


def _umap(rows: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    try:
        with _without("tensorflow"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            umap = import_module("umap")
    except ImportError as error:
        raise MissingExtra(
            "UMAP is not installed; run: pip install umap-learn, or use method='pca'"
        ) from error
    neighbours = min(15, len(rows) - 1)
    reducer = umap.UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1)
    return reducer.fit_transform(rows)  # type: ignore[no-any-return]


@contextmanager
def _without(module: str) -> Iterator[None]:
    """As if it were not installed: umap imports TensorFlow, beside which torch ends the process."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def _checked(features: Any) -> NDArray[np.float32]:
    if hasattr(features, "detach"):
        features = features.detach().float().cpu().numpy()
    try:
        rows = np.asarray(features, np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"features are numbers [n, d]; received {type(features).__name__}"
        ) from error
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise DataError(f"features are [n, d]; received {list(rows.shape)}")
    return rows
