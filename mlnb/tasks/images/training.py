"""The training phase: a head on features, by `Trainer`, so that the monitor opens on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from mlnb.tasks.images.heads import Standardise, headed
from mlnb.train.callbacks.early_stopping import EarlyStopping
from mlnb.train.trainer import Trainer

if TYPE_CHECKING:
    from mlnb.networks.sequential import Sequential
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

LR = 1e-3
WEIGHT_DECAY = 1.0
PATIENCE = 5


@dataclass(frozen=True)
class Words:
    """How to train, as the classifier was told.

    Args:
        epochs: the most.
        lr: the learning rate.
        batch_size: rows a step.
        patience: epochs without improvement that are borne; `None` never ends early.
        callbacks: more of them.
        seed: of everything that is drawn.
    """

    epochs: int = 30
    lr: float = LR
    batch_size: int = 32
    patience: int | None = PATIENCE
    callbacks: Iterable[Any] = ()
    seed: int | None = 0

    @classmethod
    def of(cls, given: Any) -> Words:
        """Those of a classifier."""
        patience = PATIENCE if given.early_stopping is True else given.early_stopping
        return cls(
            epochs=given.epochs,
            lr=LR if given.lr is None else given.lr,
            batch_size=given.batch_size,
            patience=None if patience is False else patience,
            callbacks=tuple(given.callbacks),
            seed=given.seed,
        )

    def trainer(self, net: Any, *, has_validation: bool, **options: Any) -> Trainer:
        """A trainer by these words."""
        early = [EarlyStopping(patience=self.patience)] if self.patience is not None else []
        return Trainer(
            net,
            loss="cross_entropy",
            callbacks=[*(early if has_validation else ()), *self.callbacks],
            seed=self.seed,
            **options,
        )


def train_head(
    head: Sequential,
    train: tuple[Array, Array],
    validation: tuple[Array, Array],
    words: Words,
    name: str,
) -> tuple[nn.Module, Run]:
    """The head with the standardising before it, trained; and its run.

    Args:
        head: fresh.
        train: features and codes.
        validation: likewise; they may be none.
        words: how.
        name: of the run.
    """
    net = headed(Standardise.of(train[0]), head)
    held = _tensors(validation) if len(validation[1]) else None
    trainer = words.trainer(
        net,
        has_validation=held is not None,
        lr=words.lr,
        optimizer=f"adamw(weight_decay={WEIGHT_DECAY})",
        metrics=["accuracy"],
    )
    run = trainer.fit(
        _tensors(train),
        validation=held,
        epochs=words.epochs,
        batch_size=words.batch_size,
        name=name,
    )
    return net.cpu().eval(), run


def probabilities(net: nn.Module, features: Array) -> Array:
    """`float32 [n, classes]` of features; NaN stays NaN."""
    with torch.inference_mode():
        made: Array = net.eval()(torch.from_numpy(features)).float().softmax(1).numpy()
    return made


def _tensors(data: tuple[Array, Array]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(np.ascontiguousarray(data[0])), torch.from_numpy(data[1])
