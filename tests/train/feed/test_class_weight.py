"""Weights of classes: balanced as scikit-learn has it, by label, or by place."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mlnb.errors import DataError  # noqa: E402
from mlnb.train.feed.class_weight import class_weights  # noqa: E402
from mlnb.train.feed.labels import Labels  # noqa: E402
from mlnb.train.feed.target_rule import TargetRule  # noqa: E402


def test_balanced_is_what_scikit_learn_says():
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    targets = torch.tensor([0] * 7 + [1] * 2 + [2])
    rule = TargetRule("classification", classes=3)
    theirs = sklearn.compute_class_weight("balanced", classes=np.arange(3), y=targets.numpy())
    ours = class_weights(rule, targets, "balanced")
    assert ours.dtype == torch.float32
    assert ours.tolist() == pytest.approx(theirs.tolist())


def test_a_class_without_rows_does_not_change_the_others():
    rule = TargetRule("classification", classes=4)
    weights = class_weights(rule, torch.tensor([0, 0, 0, 2]), "balanced")
    assert weights.tolist() == pytest.approx([4 / (2 * 3), 1.0, 4 / (2 * 1), 1.0])


def test_weights_are_given_by_label_or_by_place():
    rule = TargetRule("binary", labels=Labels(("cat", "dog")), classes=2)
    assert class_weights(rule, torch.zeros(2), {"dog": 3}).tolist() == [1.0, 3.0]
    assert class_weights(rule, torch.zeros(2), [0.5, 2]).tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("balance", 'class_weight="balance" is unknown; it is "balanced" or numbers'),
        ({"cow": 1}, "class_weight has 'cow'; the labels are 'cat', 'dog'"),
        ([1, 2, 3], "class_weight has 3 numbers for 2 classes; it takes one number of 0 or more"),
        ([1, -2], "class_weight has 2 numbers for 2 classes; it takes one number of 0 or more"),
        ([1, float("nan")], "class_weight has 2 numbers for 2 classes"),
    ],
)
def test_other_weights_are_refused(weight, message):
    rule = TargetRule("binary", labels=Labels(("cat", "dog")), classes=2)
    with pytest.raises(DataError) as caught:
        class_weights(rule, torch.zeros(2), weight)
    assert str(caught.value).startswith(message)


def test_numbers_have_no_classes_to_weigh():
    with pytest.raises(DataError, match="needs labels, and the targets are numbers; leave it out"):
        class_weights(TargetRule("regression"), torch.zeros(2), "balanced")
