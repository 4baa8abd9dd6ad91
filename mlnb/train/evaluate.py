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
from mlnb.train.dry_batch import dry_batch
from mlnb.train.feed.more_data import prepare_inputs
from mlnb.train.ledger import rows_of
from mlnb.train.memory import first_rows, is_out_of_memory
from mlnb.train.steer import asking
from mlnb.train.trees import joined, tree_map
from mlnb.train.words.measures import has_double

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.feed.batches import Batches
    from mlnb.train.feed.reading import Reading
    from mlnb.train.plan import Plan
    from mlnb.train.run import Run
    from mlnb.train.steps.precision import Precision
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
    model, shares = models["model"], plan.loss.shares
    total, rows = None, torch.zeros(())
    # Its own counts: a person may evaluate a copy while the run validates.
    metrics = copy.deepcopy(plan.metrics)
    if metrics is not None:
        metrics.reset()
    with evaluating(models.values()):
        for inputs, targets in batches.epoch(0):
            outputs = _answer(model, inputs, plan.chosen, plan.device)
            loss = plan.loss.function(outputs, targets)
            loss = loss.double() if has_double(loss) else loss
            if shares is None:
                weight: Any = rows_of(inputs)
            else:  # a batch without any label weighs nothing, and its mean is NaN
                weight = shares(targets)
                loss = loss.where(weight > 0, 0.0)
            total = loss * weight if total is None else total + loss * weight
            rows = rows + weight
            if metrics is not None:
                metrics.update(outputs, targets)
            if run is not None and _stops(run):
                return None
        if total is None:
            raise DataError("there is no row to evaluate on")
        values = {"loss": float(total / rows)}
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
            outputs = _answer(model, inputs, precision, device)
            parts.append(tree_map(torch.Tensor.cpu, outputs))
            rows += rows_of(inputs)
            done(rows)
    if not parts:
        raise DataError("there is no row to predict for")
    return joined(parts)


def _answer(model: nn.Module, inputs: Any, precision: Precision, device: torch.device) -> Any:
    try:
        return forward(model, inputs, precision, device)
    except (RuntimeError, TypeError) as error:
        if not is_out_of_memory(error):
            dry_batch(model, first_rows(inputs, 2))  # names the layer that cannot take them
        raise


def _placed(trainer: Trainer) -> tuple[torch.device, Precision, Reading | None]:
    """Device, precision, and how inputs are read: as at the last fit, if there was one."""
    from mlnb.train.preparing import chosen_precision

    plan = trainer.last_plan
    if plan is not None:
        return plan.device, plan.chosen, plan.prepared.reading
    device = find_device(trainer.device)
    return device, chosen_precision(trainer, device), None


def _stops(run: Run) -> bool:
    """Serve copies to others meanwhile, and say whether a stop was asked for."""
    if run._control.pending:
        asking.glance(run)
    return bool(run._control.stopping)
