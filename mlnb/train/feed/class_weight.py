"""One weight a class: `class_weight="balanced"`, numbers, or a dict of labels and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mlnb.errors import DataError
from mlnb.formatting import plural
from mlnb.train.feed.labels import told

if TYPE_CHECKING:
    from mlnb.train.feed.target_rule import TargetRule


def class_weights(
    rule: TargetRule, targets: Tensor, weight: Any, device: torch.device | str = "cpu"
) -> Tensor:
    """One weight a class, as float32.

    Args:
        rule: how the targets came to be.
        targets: as the loss takes them.
        weight: "balanced" (rows / (classes × rows of the class), as scikit-learn has it), a
            number a class, or a dict of labels and numbers.
        device: where the weights go.

    Raises:
        DataError: no classes, not a number for each, a label that is none.
    """
    count = 2 if rule.task == "binary" else rule.classes
    if count is None:
        raise DataError(
            "class_weight needs labels, and the targets are "
            f"{'numbers' if rule.task == 'regression' else 'no single class a row'}; leave it out"
        )
    if isinstance(weight, str):
        if weight != "balanced":
            raise DataError(f'class_weight="{weight}" is unknown; it is "balanced" or numbers')
        places = targets.reshape(-1)
        counts = torch.bincount(places[places >= 0].long(), minlength=count).cpu().double()
        there = counts > 0
        weights = counts.sum() / (there.sum() * counts.clamp_min(1))
        return torch.where(there, weights, torch.ones_like(weights)).float().to(device)
    if isinstance(weight, dict):
        names = rule.labels.classes if rule.labels is not None else tuple(range(count))
        unknown = [key for key in weight if key not in names]
        if unknown:
            raise DataError(f"class_weight has {told(unknown)}; the labels are {told(names)}")
        weight = [weight.get(name, 1.0) for name in names]
    weights = torch.as_tensor(weight, dtype=torch.float32).detach().cpu().reshape(-1)
    if len(weights) != count or not bool((torch.isfinite(weights) & (weights >= 0)).all()):
        raise DataError(
            f"class_weight has {plural(len(weights), 'number')} for {count} classes; it takes one "
            "number of 0 or more for each"
        )
    return weights.to(device)
