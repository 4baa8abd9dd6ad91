"""The head: a logistic regression whose strength is chosen on rows that were held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlnb.errors import LayerError, TrainError, UnknownName
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.heads import check_head, paired, probabilities, train
from mlnb.tasks.texts.logistic import FOLDS, STRENGTHS, Logistic, choose


def rows(
    n: int = 120, classes: int = 2, noise: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    centres = np.random.default_rng(99).normal(0, 1, (classes, 6))
    return (centres[codes] + numbers.normal(0, noise, (n, 6))).astype(np.float32), codes


def logreg(x: Any, y: Any, classes: int, held: Any = None, seed: int = 0) -> Any:
    more = held or (x[:0], y[:0])
    return train("logreg", (x, more[0]), (y, more[1]), classes, seed=seed)


def accuracy(module: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    return float((module(torch.from_numpy(x)).argmax(1).numpy() == y).mean())


@pytest.mark.parametrize("classes", [2, 5])
def test_a_logistic_regression_is_a_linear_layer_on_the_features_themselves(classes: int) -> None:
    x, y = rows(classes=classes, noise=0.3)
    head = logreg(x + 50, y, classes)
    assert isinstance(head.module, nn.Linear)
    assert head.module.weight.shape == (classes, 6)
    assert accuracy(head.module, x + 50, y) > 0.95


def test_it_says_what_scikit_learn_says() -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = rows()
    weights, bias = Logistic(x.astype(float), y, 2).fit(1.0)
    wanted = LogisticRegression(C=1.0, max_iter=1000).fit(x.astype(float), y)
    said = probabilities(x @ weights.T + bias, many=False)
    np.testing.assert_allclose(said, wanted.predict_proba(x), atol=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_strength_does_not_hang_on_the_size_of_the_features(scale: float) -> None:
    x, y = rows(noise=1.5)
    wanted, head = logreg(x, y, 2), logreg(x * np.float32(scale), y, 2)
    assert head.strength == wanted.strength
    np.testing.assert_allclose(head.said, wanted.said, atol=1e-3)


def test_noisy_classes_are_held_back_more_than_clear_ones() -> None:
    noisy, clear = (logreg(*rows(noise=noise), 2).strength for noise in (8.0, 0.2))
    assert noisy == min(STRENGTHS)
    assert clear == max(STRENGTHS)


def test_each_row_is_held_out_once_and_judged_by_what_did_not_see_it() -> None:
    x, y = rows(noise=8.0)
    head = logreg(x, y, 2)
    assert sorted(head.held.tolist()) == list(range(len(y)))
    right = (head.said.argmax(1) == y[head.held]).mean()
    assert right < accuracy(head.module, x, y)


def test_validation_rows_choose_where_there_are_some() -> None:
    x, y = rows()
    head = logreg(x, y, 2, rows(30, seed=1))
    assert head.held.tolist() == list(range(120, 150))
    assert head.said.shape == (30, 2)


@pytest.mark.parametrize("codes", [[0, 1], [0, 0, 0, 1], [0] * 20 + [1], [0, 1, 2]])
def test_too_few_rows_to_hold_out_stop_nothing(codes: list[int]) -> None:
    y = np.array(codes)
    x = np.random.default_rng(0).normal(0, 1, (len(y), 6)).astype(np.float32)
    head = logreg(x, y, int(y.max()) + 1)
    assert torch.isfinite(head.module.weight).all()


def test_features_that_are_all_the_same_give_the_shares() -> None:
    x, y = np.ones((20, 6), np.float32), np.array([0] * 15 + [1] * 5)
    said = probabilities(logreg(x, y, 2).module(torch.from_numpy(x)).numpy(), many=False)
    np.testing.assert_allclose(said[0], [0.75, 0.25], atol=0.01)


def test_the_same_seed_holds_out_the_same_rows() -> None:
    x, y = rows(noise=3.0)
    first, again, other = (choose(x.astype(float), y, 2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.logits, again.logits)
    assert first.rows.tolist() != other.rows.tolist()


def test_many_rows_are_held_out_once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlnb.tasks.texts.logistic.ENOUGH", 100)
    x, y = rows()
    assert len(choose(x.astype(float), y, 2).rows) == len(y) // FOLDS


def test_a_pair_has_both_their_distance_and_their_product() -> None:
    made = paired(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -1.0]]))
    assert made.tolist() == [[1, 2, 3, -1, 2, 3, 3, -2]]


def test_many_labels_have_a_probability_each() -> None:
    said = probabilities(np.array([[0.0, 100.0, -100.0]]), many=True)
    np.testing.assert_allclose(said, [[0.5, 1, 0]])


@pytest.mark.parametrize("given", ["linear", "mlp", Sequential().dense(4, "relu").dense(2)])
def test_a_head_may_be_trained_step_by_step(given: Any) -> None:
    x, y = rows(noise=0.3)
    head = train(given, (x, x[:0]), (y, y[:0]), 2, seed=0)
    assert accuracy(head.module, x, y) > 0.8
    assert head.run is not None
    assert head.made is not given


def test_heads_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'logreg'"):
        check_head("logrge", many=False)
    with pytest.raises(TrainError, match="many labels"):
        check_head("linear", many=True)
    x, y = rows()
    with pytest.raises(LayerError, match=r"dense\(2\)"):
        train(Sequential().dense(3), (x, x[:0]), (y, y[:0]), 2, seed=0)
