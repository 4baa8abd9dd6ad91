"""`Metric`: how alike two embeddings are, as a cosine, and as a score in the labels' units.

A learned metric is the cosine after one matrix, which begins as the identity: it costs search
nothing, and where there is little to learn from it stays close to the encoder's own cosine. What
is trained is compared with that cosine on held-out pairs and dropped where it is no better.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlnb.tasks.texts.training import answering
from mlnb.train.callbacks.early_stopping import EarlyStopping
from mlnb.train.trainer import Trainer

if TYPE_CHECKING:
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

EPOCHS, LR, BATCH_SIZE, PATIENCE = 60, 3e-4, 32, 5
FEWEST_HELD = 3
"""Fewer held-out pairs cannot say whether a metric is better."""


class Metric(nn.Module):
    """The cosine of `matrix @ u` and `matrix @ v`, and `slope * cosine + offset`.

    Args:
        width: of an embedding.
        learned: whether there is a matrix.
    """

    def __init__(self, width: int, learned: bool) -> None:
        super().__init__()
        self.width = width
        self.matrix = nn.Parameter(torch.eye(width)) if learned else None
        self.slope = nn.Parameter(torch.ones(()))
        self.offset = nn.Parameter(torch.zeros(()))

    def placed(self, x: Tensor) -> Tensor:
        """Embeddings `[n, width]` where the product of two is their cosine; the same shape."""
        return F.normalize(x if self.matrix is None else x @ self.matrix.T, dim=1)

    def forward(self, u: Tensor, v: Tensor) -> Tensor:
        """Scores `[n]` of pairs of embeddings."""
        return self.slope * (self.placed(u) * self.placed(v)).sum(1) + self.offset

    def cosines(self, u: Array, v: Array) -> Array:
        """From -1 to 1, `float64 [n]`."""
        return np.asarray((self.places(u) * self.places(v)).sum(1, dtype=np.float64))

    def places(self, x: Array) -> Array:
        """As `placed`, of arrays."""
        with torch.inference_mode():
            placed: Array = self.placed(torch.from_numpy(x)).numpy()
        return placed

    def scores(self, u: Array, v: Array) -> Array:
        """In the labels' units, `float64 [n]`."""
        return np.asarray(self.slope.item() * self.cosines(u, v) + self.offset.item())

    @torch.no_grad()
    def fit_scale(self, u: Array, v: Array, scores: Array) -> Metric:
        """Slope and offset with the least squared error; a cosine that never varies has none."""
        cosines = self.cosines(u, v)
        spread = cosines - cosines.mean()
        variance = float(spread @ spread)
        slope = float(spread @ (scores - scores.mean())) / variance if variance > 1e-12 else 0.0
        self.slope.fill_(slope)
        self.offset.fill_(float(scores.mean() - slope * cosines.mean()))
        return self

    @torch.no_grad()
    def rescale(self, factor: float, shift: float) -> Metric:
        """Let the scores be `factor * score + shift`."""
        self.slope.mul_(factor)
        self.offset.mul_(factor).add_(shift)
        return self


def train_metric(
    u: Array,
    v: Array,
    scores: Array,
    is_training: Array,
    *,
    seed: int | None,
    callbacks: Iterable[Any],
    name: str,
) -> tuple[Metric, Run, bool]:
    """A learned metric, its run, and whether it is better on the held-out pairs than the cosine.

    Args:
        u: embeddings of the first sentences, `[n, width]`.
        v: of the second ones.
        scores: in the labels' units.
        is_training: which are trained on; the others end the training, and judge.
        seed: of the order.
        callbacks: as `Trainer` has them.
        name: of the run.
    """
    train, held = np.flatnonzero(is_training), np.flatnonzero(~is_training)
    frozen = Metric(u.shape[1], learned=False).fit_scale(u[train], v[train], scores[train])
    metric = Metric(u.shape[1], learned=True)
    metric.load_state_dict(frozen.state_dict(), strict=False)
    # Labels of any units train alike, and the loss is the share of their variance that is left.
    mean, spread = float(scores[train].mean()), float(scores[train].std()) or 1.0
    metric.rescale(1 / spread, -mean / spread)

    def data(rows: Array) -> Any:
        targets = torch.from_numpy(((scores[rows] - mean) / spread).astype(np.float32))
        return (torch.from_numpy(u[rows]), torch.from_numpy(v[rows])), targets

    trainer = Trainer(
        metric,
        loss="mse",
        lr=LR,
        metrics=["r2"],
        callbacks=[EarlyStopping(patience=PATIENCE), *copy.copy(list(callbacks))],
        device="cpu",
        seed=seed,
    )
    run = trainer.fit(
        data(train),
        validation=data(held),
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        name=name,
        folder=False,
    )
    metric = answering(metric).cpu().rescale(spread, mean)
    errors = [np.mean((m.scores(u[held], v[held]) - scores[held]) ** 2) for m in (metric, frozen)]
    return metric, run, bool(errors[0] < errors[1])
