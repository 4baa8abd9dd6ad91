"""Loss and metrics over a whole set, and predictions: `measure`, `predict`.

The loss is the mean over rows, whatever the size of the last batch; sums stay on the device until
the end. Each module is put back into the mode it was in.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from mlnb.device import find_device
from mlnb.errors import DataError, TrainError
from mlnb.progress import progress
from mlnb.train.calling import evaluating, forward
from mlnb.train.feed.more_data import prepare_inputs
from mlnb.train.ledger import rows_of
from mlnb.train.steps.precision import Precision, choose
from mlnb.train.trees import leaves, tree_map, tree_of

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.feed.batches import Batches
    from mlnb.train.feed.reading import Reading
    from mlnb.train.plan import Plan
    from mlnb.train.run import Run
    from mlnb.train.trainer import Trainer


def measure(
    plan: Plan, models: Mapping[str, nn.Module], batches: Batches, *, run: Run | None = None
) -> dict[str, float] | None:
    """The loss and every metric over all rows of `batches`.

    >>> measure(plan, {"model": net}, batches)
    {'loss': 0.21, 'accuracy': 0.94}

    Args:
        plan: the loss, the metrics and the precision.
        models: by name, as they train.
        batches: from the first to the last, in their order.
        run: whose validation this is; what is asked of it meanwhile is looked at.

    Returns:
        `None` where the run was asked to stop meanwhile.

    Raises:
        DataError: there is no row.
    """
    if plan.loss is None:
        raise TrainError(
            "what the losses of Trainer(step=…) are on other rows cannot be told without training "
            "on them; use predict and a metric of your own"
        )
    model, total, rows = models["model"], None, 0
    # Its own counts: a person may evaluate a copy while the run validates.
    metrics = copy.deepcopy(plan.metrics)
    if metrics is not None:
        metrics.reset()
    with evaluating(models.values()):
        for inputs, targets in batches.epoch(0):
            outputs = forward(model, inputs, plan.chosen, plan.device)
            count = rows_of(inputs)
            loss = plan.loss.function(outputs, targets).double() * count
            total = loss if total is None else total + loss
            rows += count
            if metrics is not None:
                metrics.update(outputs, targets)
            if run is not None and _stops(run):
                return None
        if total is None:
            raise DataError("there is no row to evaluate on")
        values = {"loss": float(total) / rows}
        if metrics is not None:
            values.update(metrics.compute())
    return values


def predict(trainer: Trainer, model: nn.Module, x: Any, batch_size: int) -> Any:
    """The model's raw outputs for all rows of `x`, on the CPU.

    Returns:
        a tensor, or a tuple or dict of tensors where the model returns that.

    Raises:
        DataError: there is no row, or `x` is nothing to predict for.
    """
    device, precision, reading = _placed(trainer)
    model.to(device)
    batches = prepare_inputs(x, reading, batch_size=batch_size, device=device)
    label = type(model).__name__.lower()
    parts: list[Any] = []
    rows = 0
    shown = progress(label, batches.samples or 0)
    with evaluating([model]), shown as done:
        for inputs, _ in batches.epoch(0):
            outputs = forward(model, inputs, precision, device)
            parts.append(tree_map(torch.Tensor.cpu, outputs))
            rows += rows_of(inputs)
            done(rows)
    if not parts:
        raise DataError("there is no row to predict for")
    return _joined(parts)


def _placed(trainer: Trainer) -> tuple[torch.device, Precision, Reading | None]:
    """Device, precision, and how inputs are read: as at the last fit, if there was one."""
    plan = trainer.last_plan
    if plan is not None:
        return plan.device, plan.chosen, plan.prepared.reading
    device = find_device(trainer.device)
    if trainer.tuned is not None and trainer.precision == "auto":
        return device, trainer.tuned.precision, None
    return device, choose(trainer.precision, trainer.model, device), None


def _joined(parts: list[Any]) -> Any:
    """The batches' outputs one after another; own memory that autograd may use."""
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(parts) if first.ndim else torch.stack(parts)
    columns = zip(*(leaves(part) for part in parts), strict=True)
    return tree_of(first, [torch.cat(column) for column in columns])


def _stops(run: Run) -> bool:
    """Serve copies to others meanwhile, and say whether a stop was asked for."""
    if run._control.pending:
        run._glance()
    return bool(run._control.stopping)
