"""Training and predicting by the network's own words; `mlnb.train.Trainer` does the work.

`loss`, `optimizer`, `schedule`, `metrics` and `training` keep what `fit` then uses. A second `fit`
goes on with the same optimizer, as long as neither they nor the layers changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.errors import InputError, MlnbError, unknown
from mlnb.networks.mistakes import shape_of
from mlnb.networks.taken import as_batch

if TYPE_CHECKING:
    from typing import Self

    from mlnb.train.run import Run
    from mlnb.train.trainer import Trainer

_TRAINING = ("lr", "clip_norm", "accumulate", "device", "precision", "backend", "callbacks", "seed")


class Fitting:
    """What a network knows of its training."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self._trainer: Trainer | None = None

    @property
    def module(self) -> nn.Module:
        """The network as an ordinary `torch.nn.Module`."""
        raise NotImplementedError

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one sample for each input by name; empty while it is not known."""
        raise NotImplementedError

    def dry_inputs(self) -> tuple[Any, ...] | None:
        """Two zeros for each input; `None` while a shape is not known."""
        raise NotImplementedError

    def _ready_for(self, data: Any) -> None:
        """Let the network see the first data, where it did not know its shape."""

    def _changed(self) -> None:
        """The layers or the settings are others: the next fit begins with a new optimizer."""
        self._trainer = None

    # ------------------------------------------------------------------------------------ settings

    def loss(self, loss: Any) -> Self:
        """What `fit` makes small.

        >>> net.loss("cross_entropy")

        Args:
            loss: "auto", a name with options such as "cross_entropy(label_smoothing=0.1)", a class
                or module of `torch.nn`, or a function of outputs and targets. The named ones take
                what the network gives before any softmax or sigmoid; `predict` applies it.

        Raises:
            UnknownName: with the closest name.
        """
        from mlnb.networks.names import check_loss

        check_loss(loss)
        return self._set(loss=loss)

    def optimizer(self, optimizer: Any, lr: float | None = None, **options: Any) -> Self:
        """What changes the weights.

        >>> net.optimizer("sgd", lr=0.1, momentum=0.9)

        Args:
            optimizer: "auto", a name, a class of `torch.optim`, a partial of one, or an instance.
            lr: the learning rate; `None` takes the optimizer's own.
            options: more keywords of a named one.

        Raises:
            UnknownName: with the closest name.
        """
        from mlnb.networks.names import check_optimizer, with_options

        check_optimizer(optimizer)
        return self._set(optimizer=with_options(optimizer, options), lr=lr)

    def schedule(self, schedule: Any, **options: Any) -> Self:
        """How the learning rate goes: "one_cycle", "cosine", …, or a scheduler of torch.

        >>> net.schedule("cosine")

        Raises:
            UnknownName: with the closest name.
        """
        from mlnb.networks.names import check_schedule, with_options

        check_schedule(schedule)
        return self._set(schedule=with_options(schedule, options))

    def metrics(self, *metrics: Any) -> Self:
        """What is measured beside the loss: names, or metrics of torchmetrics."""
        return self._set(metrics=list(metrics))

    def training(self, **options: Any) -> Self:
        """Further words of `mlnb.train.Trainer`: device, precision, clip_norm, seed and so on.

        >>> net.training(precision="bf16", clip_norm=1.0)

        Raises:
            UnknownName: with the closest word.
        """
        for key in options:
            if key not in _TRAINING:
                raise unknown("word for training", key, _TRAINING)
        return self._set(**options)

    def _set(self, **settings: Any) -> Self:
        self.settings = {**self.settings, **settings}
        self._changed()
        return self

    # ----------------------------------------------------------------------------------- training

    @property
    def trainer(self) -> Trainer:
        """The trainer that `fit` uses, made when it is first asked for."""
        from mlnb.train.trainer import Trainer

        if self._trainer is None:
            self._trainer = Trainer(self.module, **self.settings)
        return self._trainer

    def trainer_for(self, data: Any, **options: Any) -> Trainer:
        """A new trainer with words of its own; `predict` and `evaluate` use it from then on.

        Args:
            data: what is trained on, for a network that waits for its first data.
            options: words of `mlnb.train.Trainer`, which go before what was set.
        """
        from mlnb.train.trainer import Trainer

        self._ready_for(data[0] if isinstance(data, tuple) and data else data)
        self._trainer = Trainer(self.module, **{**self.settings, **options})
        return self._trainer

    def fit(self, x: Any, y: Any = None, **words: Any) -> Run:
        """Train the network.

        >>> run = net.fit(images, labels, epochs=5, validation=0.1)

        Args:
            x: samples, [samples, …]; for several inputs a dict by name; or anything else that
                `Trainer.fit` takes: a frame, a `Dataset`, a `DataLoader`, mlnb's own samples.
            y: targets, where `x` does not bring them.
            words: those of `Trainer.fit`: validation, epochs=10, batch_size=64, target,
                class_weight, shuffle, background, folder, keep, name, health.

        Returns:
            The run: its curve, its history, and the means to go on from it.

        Raises:
            LayerError: the layers do not fit the data.
            DataError: the data cannot be trained on.
        """
        data = x if y is None else (x, y)
        self._ready_for(x)
        return self.trainer.fit(data, **{"name": self._run_name(), **words})

    def evaluate(self, x: Any, y: Any = None, **words: Any) -> dict[str, float]:
        """The loss and the metrics over all samples, in eval mode.

        >>> net.evaluate(test_images, test_labels)
        {'loss': 0.05, 'accuracy': 0.98}

        Args:
            x: as for `fit`.
            y: as for `fit`.
            words: those of `Trainer.evaluate`: target, batch_size=256.
        """
        self._ready_for(x)
        return self.trainer.evaluate(x if y is None else (x, y), **words)

    def predict(
        self, x: Any, *, raw: bool = False, batch_size: int = 256, backend: str = "eager"
    ) -> Any:
        """What the network says of a sample or of a batch, in eval mode, on the CPU.

        >>> net.predict(images[0])  # one sample: its probabilities
        >>> net.predict(images).argmax(1)

        While a run trains the network, a copy taken between two steps answers.

        Args:
            x: one sample of the input's shape, a batch of them, or for several inputs a dict.
            raw: what the module gives; otherwise what the loss implies, which is probabilities
                for a classification by softmax or sigmoid, and the numbers themselves else.
            batch_size: samples at a time.
            backend: "eager", "compile" or "onnxruntime"; the same weights on another engine, which
                is prepared at the first call.

        Returns:
            A torch tensor, for one sample without the axis of the batch; a dict of them for
            several outputs.

        Raises:
            InputError: neither a sample nor a batch.
        """
        self._ready_for(x)
        batch, single = self._as_batch(x)
        out = self._predicted(batch, batch_size, backend)
        if not raw:
            out = _each(out, self._probabilities)
        return _each(out, lambda tensor: tensor[0]) if single else out

    def _run_name(self) -> str | None:
        name = getattr(self, "name", None)
        return name if name != "network" else None

    def _as_batch(self, x: Any) -> tuple[Any, bool]:
        """The samples as a batch, and whether one alone was given: the number of axes tells."""
        shapes = self.input_shapes
        given = x if isinstance(x, Mapping) else {next(iter(shapes), ""): x}
        if not shapes or not all(
            hasattr(v, "shape") or isinstance(v, list) for v in given.values()
        ):
            return x, False
        batch, singles = {}, set()
        for name, value in given.items():
            if name not in shapes:
                raise unknown("input", str(name), shapes)
            tensor = value if hasattr(value, "shape") else self._numbers(name, value)
            extra = len(tensor.shape) - len(shapes[name])
            if extra not in (0, 1):
                raise InputError(
                    f"predict expects one sample {shape_of(shapes[name])} or a batch of them; "
                    f"received {shape_of(tensor.shape)}."
                )
            singles.add(extra == 0)
            batch[name] = tensor[None] if extra == 0 else tensor
        missing = [name for name in shapes if name not in batch]
        if missing:
            text = f"The network reads {', '.join(shapes)}; received no {' and no '.join(missing)}."
            raise InputError(f"{text} Give a dict of them by name.")
        if len(singles) > 1:
            raise InputError("predict expects one sample of every input, or a batch of every one.")
        return (batch if isinstance(x, Mapping) else next(iter(batch.values()))), singles == {True}

    def _numbers(self, name: str, values: list[Any]) -> Tensor:
        """A list in the dtype of the input that it is for, since it has none of its own."""
        dry = dict(zip(self.input_shapes, self.dry_inputs() or (), strict=True))
        return as_batch(name, values).to(dry[name].dtype)

    def _predicted(self, batch: Any, batch_size: int, backend: str) -> Any:
        try:
            if backend != "eager":
                from mlnb.networks.backends import run_on

                return run_on(self, backend, batch, batch_size=batch_size)
            return self.trainer.predict(batch, batch_size=batch_size)
        except RuntimeError as error:
            takes = next(iter(self.input_shapes.values()), None)
            if takes is None or isinstance(batch, Mapping) or tuple(batch.shape[1:]) == takes:
                raise
            came = shape_of(batch.shape[1:])
            text = f"The network takes {shape_of(takes)} a sample; received {came}."
            raise InputError(text) from error

    def _probabilities(self, out: Tensor) -> Tensor:
        kind = self._activation(out)
        if kind == "softmax":
            return torch.softmax(out.float(), dim=1)
        return torch.sigmoid(out.float()) if kind == "sigmoid" else out

    def _activation(self, out: Tensor) -> str | None:
        """Which one the loss implies: the one that was trained with, else the one that is set."""
        plan = self._trainer.last_plan if self._trainer else None
        if plan is not None:
            return plan.loss.activation if plan.loss else None
        loss = self.settings.get("loss", "auto")
        if loss == "auto":
            return None
        return _implied(loss, out[:2], self.module)


def _implied(loss: Any, out: Tensor, module: nn.Module) -> str | None:
    """What a loss makes of outputs, found with targets of the kinds that it may take."""
    from mlnb.train.words.losses import resolve_loss

    classes = out.argmax(1) if out.dim() > 1 else torch.zeros(len(out), dtype=torch.int64)
    for targets in (torch.zeros_like(out), classes):
        try:
            return resolve_loss(loss, outputs=out, targets=targets, model=module).activation
        except MlnbError:
            continue
    return None


def _each(out: Any, act: Any) -> Any:
    """`act` of a tensor, or of each tensor in a dict."""
    return {name: act(one) for name, one in out.items()} if isinstance(out, dict) else act(out)
