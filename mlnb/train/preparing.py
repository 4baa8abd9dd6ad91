"""From the words of a `Trainer` and its data to all that a run needs: `prepare_fit`.

Everything that can be wrong is found here, so that a run that begins is a run that can train. Data
is read, one batch of two rows goes through the model, and only then are loss and optimizer made,
which depend on what came out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from mlnb.device import describe_device, find_device
from mlnb.errors import TrainError
from mlnb.train import active
from mlnb.train.callbacks.callbacks import Callbacks
from mlnb.train.dry_batch import dry_batch
from mlnb.train.feed.data import Prepared, prepare
from mlnb.train.feed.more_data import prepare_more
from mlnb.train.history import History
from mlnb.train.plan import Asked, Plan
from mlnb.train.state import TrainState
from mlnb.train.steps import precision
from mlnb.train.words.losses import Loss, resolve_loss
from mlnb.train.words.metrics import EpochMetrics, resolve_metrics
from mlnb.train.words.optimizers import describe_optimizer
from mlnb.train.words.schedules import resolve_schedule

if TYPE_CHECKING:
    from mlnb.train.feed.batches import Batches
    from mlnb.train.run import Run
    from mlnb.train.steps.step import Step
    from mlnb.train.steps.tune import Tuned
    from mlnb.train.trainer import Trainer

MOST_TUNED = 4096


def prepare_fit(trainer: Trainer, asked: Asked) -> tuple[Plan, TrainState, Step]:
    """Bring together what a run needs, or say what does not fit.

    >>> plan, state, step = prepare_fit(trainer, Asked((x, y)))

    Raises:
        RunBusy: one of the models trains already.
        DataError: the data cannot be trained on.
        TrainError: the words, the model and the data do not go together.
    """
    active.refuse(trainer.models.values())
    device = find_device(trainer.device)
    seed = trainer.next_seed()
    if trainer.seed is not None:
        seed_everything(seed)
    for model in trainer.models.values():
        model.to(device)
    plan = _plan(trainer, asked, device, seed)
    optimizers = trainer.ensure_optimizers(device)
    # Told before a schedule begins, which may start far below the rate that was given.
    described = [describe_optimizer(optimizer, name) for name, optimizer in optimizers.items()]
    state = TrainState(
        models=trainer.models,
        optimizers=optimizers,
        batches=plan.prepared.train,
        history=History(),
        schedule=_schedule(trainer, plan, optimizers),
        callbacks=list(plan.callbacks),
    )
    state.history.extend([], loss=[], lr=[])
    step = plan.build_step(state)
    plan.notes.extend(_notes(plan, state, step, described))
    return plan, state, step


def plan_to_measure(trainer: Trainer, asked: Asked) -> tuple[Plan, Batches]:
    """What `evaluate` needs: the plan of the last fit with other rows, or one made for these.

    Raises:
        DataError: the data does not fit.
        TrainError: no loss can be told from it.
    """
    last = trainer.last_plan
    if last is None:
        device = find_device(trainer.device)
        for model in trainer.models.values():
            model.to(device)
        plan = _plan(trainer, replace(asked, shuffle=False), device, 0)
        return plan, plan.prepared.train
    batches, _ = prepare_more(
        asked.data,
        last.prepared.reading,
        target=last.asked.target if asked.target is None else asked.target,
        batch_size=asked.batch_size,
        device=last.device,
    )
    return last, batches


def tune(trainer: Trainer, sample: Any, target: Any) -> Tuned:
    """Which precision and layout is fastest on this batch; nothing is changed by it."""
    from mlnb.train.steps import tune as tuning

    active.refuse(trainer.models.values())
    if trainer.step is not None:
        raise TrainError("tune times forward, loss and backward, which step= does itself")
    device = find_device(trainer.device)
    trainer.model.to(device)
    asked = Asked(data=sample, target=target, batch_size=MOST_TUNED, shuffle=False)
    plan = _plan(trainer, asked, device, 0)
    batch = next(plan.prepared.train.epoch(0))
    return tuning.tune(trainer.model, plan.loss, batch, device)


def step_anew(run: Run) -> None:
    """The state of `run` was put in from a checkpoint: what depends on it begins anew."""
    step = run._step
    if step.guard is not None:
        step.guard.reset()
    step.lr_changed()


def seed_everything(seed: int) -> None:
    """Seed the random generators of Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _plan(trainer: Trainer, asked: Asked, device: torch.device, seed: int) -> Plan:
    if trainer.step is not None and asked.validation is not None:
        raise TrainError(
            "validation= needs a loss, and with step= the losses come from training; measure in a "
            "callback instead: on_epoch_end(run)"
        )
    prepared = prepare(
        asked.data,
        target=asked.target,
        validation=asked.validation,
        batch_size=asked.batch_size,
        device=device,
        shuffle=asked.shuffle,
        seed=seed,
        class_weight=asked.class_weight,
        probe=partial(dry_batch, trainer.model) if trainer.step is None else None,
        loss=trainer.loss,
        floats=_floats(trainer.models),
        join_last=_has_batch_norm(trainer.models),
    )
    chosen = _laid_out(trainer, device)
    loss, metrics = (None, None) if trainer.step is not None else _judges(trainer, prepared)
    return Plan(
        asked=asked,
        epochs=asked.epochs,
        device=device,
        chosen=chosen,
        backend=trainer.backend,
        prepared=prepared,
        loss=loss,
        metrics=metrics,
        callbacks=Callbacks(trainer.callbacks),
        accumulate=trainer.accumulate,
        clip_norm=trainer.clip_norm,
        seed=seed,
        own_step=trainer.step,
        settings={
            "trainer": {**trainer.settings(), "seed": seed},
            "fit": asked.settings(),
        },
    )


def _laid_out(trainer: Trainer, device: torch.device) -> precision.Precision:
    """The precision, with the weights in its layout; of a step of the user's what was asked for."""
    automatic = trainer.precision == "auto"
    if trainer.step is not None:
        models = nn.ModuleList(trainer.models.values())
        word = "fp32" if automatic else trainer.precision
        return precision.choose(word, models, device, channels_last=False)
    if automatic:
        precision.allow_tf32(device)
    chosen = chosen_precision(trainer, device)
    precision.lay_out(trainer.model, chosen.channels_last)
    return chosen


def chosen_precision(trainer: Trainer, device: torch.device) -> precision.Precision:
    """What was tuned, where that was not overruled; else by the word and the kind of model."""
    if trainer.tuned is not None and trainer.precision == "auto":
        return trainer.tuned.precision
    return precision.choose(trainer.precision, trainer.model, device)


def _judges(trainer: Trainer, prepared: Prepared) -> tuple[Loss, EpochMetrics]:
    """The loss and the metrics, which depend on what the model gave for two rows."""
    inputs, targets = prepared.sample
    outputs = prepared.outputs
    if outputs is None:
        outputs = dry_batch(trainer.model, inputs)
    loss = resolve_loss(
        trainer.loss,
        outputs=outputs,
        targets=targets,
        task=prepared.task,
        class_weight=prepared.class_weight,
        model=trainer.model,
    )
    return loss, resolve_metrics(trainer.metrics, loss=loss, outputs=outputs, targets=targets)


def _schedule(trainer: Trainer, plan: Plan, optimizers: Mapping[str, Any]) -> Any:
    if trainer.schedule is None:
        return None
    if len(optimizers) != 1:
        raise TrainError(
            f"schedule= changes the rate of one optimizer, but there are {len(optimizers)}; step "
            "your own schedulers in the step or in a callback"
        )
    return resolve_schedule(
        trainer.schedule,
        next(iter(optimizers.values())),
        total_steps=plan.total_steps,
        steps_per_epoch=plan.steps_per_epoch,
    )


def _notes(plan: Plan, state: TrainState, step: Step, described: list[str]) -> list[str]:
    """The line that says what "auto" meant, then what the data has to say."""
    parts = [*([] if plan.loss is None else [plan.loss.said]), *described]
    if state.schedule is not None:
        parts.append(state.schedule.said)
    if plan.device.type != "cpu":
        parts.append(f"device: {describe_device(plan.device)}")
    if plan.precision != "fp32" or plan.chosen.channels_last:
        parts.append(plan.chosen.said)
    return ["; ".join(part for part in parts if part), *step.notes, *plan.prepared.notes]


def _floats(models: Mapping[str, nn.Module]) -> torch.dtype:
    """What the first model calculates in: float32, or float64 where the user wants that."""
    parameters = next(iter(models.values())).parameters()
    made = (p for p in parameters if not isinstance(p, nn.UninitializedParameter))
    return next((p.dtype for p in made if p.dtype == torch.float64), torch.float32)


def _has_batch_norm(models: Mapping[str, nn.Module]) -> bool:
    kind = nn.modules.batchnorm._BatchNorm
    return any(isinstance(part, kind) for model in models.values() for part in model.modules())
