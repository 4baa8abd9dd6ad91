"""`Trainer`: a model and how it is to be trained; `fit` trains it and returns a `Run`.

The words are looked at when `fit` knows the data, because "auto" depends on it; what they come to
is said in one line. A second `fit` goes on with the same optimizer, and is a run of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlnb.formatting import display_text
from mlnb.train import active, session
from mlnb.train.callbacks.callbacks import Callbacks
from mlnb.train.given import by_name, check_words, checked_models, made_optimizers
from mlnb.train.run import Run
from mlnb.train.show import notices
from mlnb.train.steer.interrupts import ladder

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer

    from mlnb.train.keep.resuming import Resumed
    from mlnb.train.plan import Asked, Plan
    from mlnb.train.steps.custom_step import OwnStep
    from mlnb.train.steps.step import Step
    from mlnb.train.steps.tune import Tuned

SEED_STEP = 1_000_003


class Trainer:
    """How a model is trained.

    >>> trainer = Trainer(net, lr=3e-4)
    >>> run = trainer.fit((x, y), validation=0.1, epochs=5)
    >>> run.history["loss"]
    >>> trainer.evaluate((x_test, y_test))
    {'loss': 0.21, 'accuracy': 0.94}

    Args:
        model: any `torch.nn.Module`, or with `step` a dict of them by name.
        loss: "auto" (by targets and outputs), a name such as "mse", a class or module of
            `torch.nn`, or a function of outputs and targets.
        optimizer: "auto" (adamw), a name such as "sgd(momentum=0.9)", a class of `torch.optim`, a
            `functools.partial` of one, an instance; with `step` also a dict of them by name.
        lr: the learning rate; `None` takes the optimizer's own.
        metrics: "auto" (accuracy for classes, MAE for numbers), names, or metrics of torchmetrics.
        schedule: "one_cycle", "cosine", "step", "plateau", "warmup", or a scheduler of torch.
        clip_norm: the largest norm of all gradients together; `None` does not clip.
        accumulate: batches whose gradients make one step.
        device: "auto" (CUDA, MPS, CPU: the first that is there), or one of them.
        precision: "auto", "fp32", "bf16" or "fp16".
        backend: "eager", or "compile" for the whole step by `torch.compile`.
        callbacks: one object or several, with some of `on_fit_begin`, `on_epoch_begin`,
            `on_step_end`, `on_epoch_end` and `on_fit_end`, each called with the run.
        seed: what the global generators of Python, NumPy and torch, and the order of rows, begin
            with, so that the same call gives the same losses; `None` leaves them alone.
        step: a function of `(batch, models, optimizers)` which does forward, backward and the
            optimizers' steps, and returns a loss or losses by name.

    Raises:
        TrainError: a word that cannot be meant.
        UnknownName: with the closest one that is known.
    """

    def __init__(
        self,
        model: Any,
        loss: Any = "auto",
        optimizer: Any = "auto",
        lr: float | None = None,
        metrics: Any = "auto",
        schedule: Any = None,
        clip_norm: float | None = None,
        accumulate: int = 1,
        device: str | torch.device = "auto",
        precision: str = "auto",
        backend: str = "eager",
        callbacks: Any = (),
        seed: int | None = 0,
        step: OwnStep | None = None,
    ) -> None:
        self.models = checked_models(model, step)
        self.loss, self.optimizer, self.lr, self.metrics = loss, optimizer, lr, metrics
        self.schedule, self.clip_norm, self.accumulate = schedule, clip_norm, accumulate
        self.device, self.precision, self.backend = device, precision, backend
        self.callbacks: list[Any] = Callbacks(callbacks)
        self.seed = seed
        self.step = step
        self.optimizers: dict[str, Optimizer] = {}
        self._first_rates: dict[str, list[float]] = {}
        self.tuned: Tuned | None = None
        self._step: Step | None = None
        self._fits = 0
        self.last_plan: Plan | None = None
        check_words(self)

    @property
    def model(self) -> nn.Module:
        """The module that trains; with several, the first."""
        return next(iter(self.models.values()))

    def __repr__(self) -> str:
        names = ", ".join(display_text(type(model).__name__) for model in self.models.values())
        return f"Trainer({names})"

    def fit(
        self,
        data: Any,
        *,
        validation: Any = None,
        epochs: int = 10,
        batch_size: int = 64,
        target: Any = None,
        class_weight: Any = None,
        shuffle: bool = True,
        background: bool = False,
        folder: Any = "auto",
        keep: str | int = "2 GB",
        name: str | None = None,
        health: bool | float = False,
    ) -> Run:
        """Train, and return the run: its curve, its history, and the means to go on from it.

        >>> run = trainer.fit((x, y), validation=(x_val, y_val), epochs=20)
        >>> run.stop_reason
        'finished'

        Args:
            data: `(x, y)` of arrays or tensors, `x` alone where there are no targets, a pandas
                frame with `target`, a torch `Dataset` or `DataLoader`, or mlnb's own data.
            validation: a share of the rows between 0 and 1, or data as above; measured at the end
                of every epoch.
            epochs: how often to go through the data; 0 prepares everything and trains nothing.
            batch_size: rows a step.
            target: which column of a frame is the target.
            class_weight: "balanced", or a mapping of labels to weights.
            shuffle: whether each epoch has an order of its own.
            background: whether to return at once and train in a thread.
            folder: where to keep checkpoints, one an epoch; "auto" begins a folder in `mlnb_runs`
                after ten seconds and leaves out ends of epochs that come too soon to be cheap,
                `False` writes nothing.
            keep: how much the steps to go back to may take, "500 MB" or a number of bytes.
            name: of the run; the model's by default.
            health: whether to measure how each layer learns, ten times a minute; or the seconds
                between. See `run.health`.

        Raises:
            DataError: the data cannot be trained on; the message names row, column or label.
            TrainError: model, words and data do not go together, or training cannot go on.
            RunBusy: the model or the folder belongs to a run that still trains.
            CallbackError: naming the callback that raised.
        """
        from mlnb.train.plan import Asked

        return self._begin(
            Asked(
                data=data,
                validation=validation,
                epochs=epochs,
                batch_size=batch_size,
                target=target,
                class_weight=class_weight,
                shuffle=shuffle,
                background=background,
                folder=folder,
                keep=keep,
                name=name,
                health=health,
            )
        )

    def evaluate(self, data: Any, *, target: Any = None, batch_size: int = 256) -> dict[str, float]:
        """The loss and the metrics over all rows, in eval mode; while a run trains, on a copy.

        >>> trainer.evaluate((x_test, y_test))["loss"]
        0.21

        Args:
            data: as for `fit`; labels are read as they were there.
            target: which column of a frame is the target; by default that of `fit`.
            batch_size: rows at a time.

        Raises:
            DataError: the data does not fit.
        """
        return self._evaluate(self._quiet_models(), data, target=target, batch_size=batch_size)

    def predict(self, x: Any, *, batch_size: int = 256) -> Any:
        """What the model gives for `x`, raw, on the CPU; while a run trains, by a copy of it.

        >>> trainer.predict(x_test).argmax(1)

        Args:
            x: an array, a tensor, a dict or tuple of them for several inputs, or a `Dataset`.
            batch_size: rows at a time.

        Raises:
            DataError: the data does not fit.
        """
        return self._predict(self._quiet_models(), x, batch_size=batch_size)

    @classmethod
    def resume(
        cls,
        folder: Any,
        data: Any,
        *,
        model: Any,
        validation: Any = None,
        epochs: int | None = None,
        background: bool | None = None,
        **custom: Any,
    ) -> Run:
        """Go on with the run in `folder`, bit for bit on a CPU, from the middle of an epoch too.

        >>> run = Trainer.resume("mlnb_runs/net-20260101-101500", (x, y), model=net)

        Args:
            folder: the run's.
            data: what it trained on.
            model: a model built as that one was; its weights are replaced.
            validation: as for `fit`; by default what the run was told, where that was a share.
            epochs: the planned number of epochs, where it is to be another one.
            background: whether to return at once.
            custom: words of `Trainer` that were objects (a loss, callbacks, a step).

        Raises:
            CheckpointError: no checkpoint there can be read, or it is another model's.
            RunBusy: a run still writes to the folder.
        """
        from mlnb.train.keep import resuming
        from mlnb.train.plan import Asked

        resumed = resuming.prepare(
            folder, model=model, validation=validation, epochs=epochs, given=custom
        )
        words = {**resumed.fit}
        if background is not None:
            words["background"] = background
        try:
            return cls(model, **resumed.trainer)._begin(Asked(data, **words), resumed=resumed)
        except BaseException:
            resumed.close()
            raise

    def tune(self, sample: Any, *, target: Any = None) -> Tuned:
        """Time precisions and layouts on a batch of yours for two seconds, and take the best.

        >>> trainer.tune((x[:64], y[:64]))

        Weights and random state stay as they are. The choice holds for the fits that follow, as
        far as `precision="auto"` leaves it open.

        Args:
            sample: one batch, as `fit` takes data.
            target: which column of a frame is the target.

        Raises:
            RunBusy: the model trains.
        """
        from mlnb.train.preparing import tune

        self.tuned = tune(self, sample, target)
        return self.tuned

    def settings(self) -> dict[str, Any]:
        """Every word of this trainer as JSON has it; objects by their qualified name."""
        from mlnb.train.keep.begun import record

        names = "loss optimizer lr metrics schedule clip_norm accumulate device precision backend"
        words = {name: getattr(self, name) for name in names.split()}
        words |= {"callbacks": self.callbacks, "seed": self.seed, "step": self.step}
        return {name: record(value) for name, value in words.items()}

    def next_seed(self) -> int:
        """The seed of the next fit: a second one must not repeat the order of the first.

        Without a seed of its own it is that of torch's generator, which is only read.
        """
        import torch

        seed = torch.initial_seed() % 2**31 if self.seed is None else self.seed
        return seed + SEED_STEP * self._fits

    def ensure_optimizers(self, device: torch.device) -> dict[str, Optimizer]:
        """The optimizers, made at the first fit; later ones go on with them."""
        if not self.optimizers:
            self.optimizers = made_optimizers(self, device)
            self._first_rates = {
                name: [float(group["lr"]) for group in optimizer.param_groups]
                for name, optimizer in self.optimizers.items()
            }
        elif self.schedule is not None:
            # A schedule begins at the rate that was given, not at where the last one ended.
            for name, rates in self._first_rates.items():
                for group, rate in zip(self.optimizers[name].param_groups, rates, strict=False):
                    group["lr"] = rate
        return self.optimizers

    def _begin(
        self,
        asked: Asked,
        *,
        resumed: Resumed | None = None,
    ) -> Run:
        with ladder():
            from mlnb.train.preparing import prepare_fit, step_anew

            plan, state, step = prepare_fit(self, asked)
            if self._step is not None:
                self._step.close()
            self._step = step
            run = Run(self, plan, state, step, name=asked.name, resumed=resumed)
            if resumed is not None:
                resumed.apply(state, plan.prepared, say=run.say)
                step_anew(run)
            for note in plan.notes:
                run.say(note)
            self._fits += 1
            self.last_plan = plan
            if not active.has_listeners():
                notices.terminal_line(run)
            session.launch(run, asked.background)
        return run

    def _quiet_models(self) -> dict[str, nn.Module]:
        """The models, or copies of them while they train."""
        run = active.run_of(self.model)
        if run is None:
            return self.models
        return by_name(run.copy())

    def _evaluate(
        self, models: Any, data: Any, *, target: Any = None, batch_size: int = 256
    ) -> dict[str, float]:
        from mlnb.train.evaluate import measure
        from mlnb.train.plan import Asked
        from mlnb.train.preparing import plan_to_measure

        asked = Asked(data=data, target=target, batch_size=batch_size)
        plan, batches = plan_to_measure(self, asked)
        values = measure(plan, by_name(models), batches)
        assert values is not None
        return values

    def _predict(self, models: Any, x: Any, *, batch_size: int = 256) -> Any:
        from mlnb.train.evaluate import predict

        return predict(self, next(iter(by_name(models).values())), x, batch_size)

    def _clone(
        self, models: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer] | None = None
    ) -> Trainer:
        """The same words over other modules, which have optimizers already."""
        twin = copy.copy(self)
        twin.models = dict(models)
        twin.optimizers = dict(optimizers or {})
        twin.callbacks = list(self.callbacks)
        twin._step = None
        return twin
