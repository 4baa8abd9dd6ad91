"""Fine-tuning: the encoder goes on learning, from pairs with scores.

"bi" embeds each sentence by itself, so that search gains too; "cross" reads both at once, which
takes a run of the network for every pair and knows no embedding. What is tuned is a copy, so that
an error leaves everything as it was; whatever ends the run, what was learnt so far is taken over.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import TrainError, unknown
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.training import TextBatches, freeze_layers, next_seed, tune, tuned

if TYPE_CHECKING:
    from mlnb.networks.encoders import Encoder
    from mlnb.tasks.similarity.learning import Learnt
    from mlnb.tasks.similarity.metric import Metric
    from mlnb.tasks.similarity.scoring import Scorer
    from mlnb.tasks.similarity.similarity import SentenceSimilarity
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

FORMS = ("bi", "cross")
_FEWEST_FOR_SCALE = 20


class BiNet(nn.Module):
    """Encoder and metric as one module: a score of two sentences that are embedded each by itself.

    Args:
        encoder: of both.
        metric: of the embeddings.
        layers: which of the encoder's are pooled.
    """

    def __init__(self, encoder: Encoder, metric: Metric, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder, self.metric, self.layers = encoder, metric, layers

    def forward(self, ids: Tensor, mask: Tensor, ids_2: Tensor, mask_2: Tensor) -> Tensor:
        """Scores `[n]` of ids and masks, `int64 [n, tokens]` each."""
        u = self.encoder.pooled(ids, mask.bool(), layers=self.layers)
        v = self.encoder.pooled(ids_2, mask_2.bool(), layers=self.layers)
        scores: Tensor = self.metric(u, v)
        return scores

    def rescale(self, factor: float, shift: float) -> BiNet:
        """Let the scores be `factor * score + shift`."""
        self.metric.rescale(factor, shift)
        return self


class CrossNet(nn.Module):
    """Encoder and head as one module: a score of two sentences that are read together.

    Args:
        encoder: of the pair.
        layers: which of its layers are pooled.
        mean: what it says of every pair before it is trained.
    """

    def __init__(self, encoder: Encoder, layers: tuple[int, ...], mean: float = 0.0) -> None:
        super().__init__()
        self.encoder, self.layers = encoder, layers
        self.head = nn.Linear(encoder.width * len(layers), 1)
        nn.init.zeros_(self.head.weight)
        nn.init.constant_(self.head.bias, mean)

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """Scores `[n]`; `kinds` is 1 in the second sentence."""
        pooled = self.encoder.pooled(ids, mask.bool(), kinds, self.layers)
        scores: Tensor = self.head(pooled).squeeze(1)
        return scores

    @torch.no_grad()
    def rescale(self, factor: float, shift: float) -> CrossNet:
        """Let the scores be `factor * score + shift`."""
        self.head.weight.mul_(factor)
        self.head.bias.mul_(factor).add_(shift)
        return self

    def features(self, max_len: int) -> TextFeatures:
        """What is pooled of a pair."""
        return TextFeatures(self.encoder, self.layers, max_len)

    def scores(self, made: Array) -> Array:
        """In the labels' units, `float64 [n]`, of what is pooled."""
        with torch.inference_mode():
            found: Array = self.head(torch.from_numpy(made)).squeeze(1).double().numpy()
        return found


def fine_tune(
    scorer: Scorer,
    owner: SentenceSimilarity,
    *,
    epochs: int,
    lr: float,
    batch_size: int,
    form: str,
    freeze: str | int,
) -> tuple[Scorer, Run]:
    """What came of training the encoder of a scorer too, which stays as it is, and the run.

    See `SentenceSimilarity.fine_tune`; the owner says device, callbacks and seed.
    """
    if form not in FORMS:
        raise unknown("form", str(form), FORMS)
    learnt, seed = scorer.learnt, next_seed(owner) or 0
    if learnt is None:
        raise TrainError(
            "fine_tune goes on with the pairs that fit was given, and one that was loaded has "
            "none: fit(a, b, score) first."
        )
    training = learnt.scores[learnt.is_training]
    mean, spread = float(training.mean()), float(training.std()) or 1.0
    net = (_bi_net if form == "bi" else _cross_net)(scorer).rescale(1 / spread, -mean / spread)
    frozen = freeze_layers(net.encoder, freeze)
    train, held = (
        _batches(scorer.features, learnt, which, (mean, spread), form, batch_size, seed)
        for which in (True, False)
    )
    assert train is not None
    net, run = tune(
        net,
        train,
        held,
        owner,
        loss="mse",
        metrics=["r2"],
        lr=lr,
        epochs=epochs,
        name=f"{net.encoder.name} as {form}-encoder, {frozen}",
    )
    return _with(scorer, net.rescale(spread, mean), learnt), run


def _bi_net(scorer: Scorer) -> BiNet | CrossNet:
    encoder, metric = scorer.features.encoder.copy(), copy.deepcopy(scorer.metric)
    return BiNet(encoder, metric.requires_grad_(True), scorer.features.layers)


def _cross_net(scorer: Scorer) -> BiNet | CrossNet:
    if scorer.cross is None:
        return CrossNet(scorer.features.encoder.copy(), scorer.features.layers, scorer.mean)
    cross = copy.deepcopy(scorer.cross)
    cross.requires_grad_(True)
    return cross


def _batches(
    features: TextFeatures,
    learnt: Learnt,
    for_training: bool,
    scale: tuple[float, float],
    form: str,
    batch_size: int,
    seed: int,
) -> TextBatches | None:
    """Those to train on, or those to validate on, where there are some."""
    pairs = learnt.pairs.rows(learnt.is_training == for_training)
    if not pairs:
        return None
    return TextBatches(
        features.encoder.tokenizer,
        [pairs.a, pairs.b],
        ((pairs.known - scale[0]) / scale[1]).astype(np.float32),
        batch_size=batch_size,
        max_len=features.max_len,
        shuffle=for_training,
        seed=seed,
        together=form == "cross",
    )


def _with(scorer: Scorer, net: BiNet | CrossNet, learnt: Learnt) -> Scorer:
    """The scorer with what was tuned in it."""
    before = scorer.features
    encoder = tuned(net.encoder, before.encoder)
    if isinstance(net, CrossNet):
        net.head.cpu()
        return replace(scorer, cross=net)
    features = TextFeatures(encoder, before.layers, before.max_len)
    made = replace(scorer, features=features, metric=net.metric.cpu(), cross=None)
    # Training has flattered the cosines of its own pairs; the scale is fitted on the others.
    held = learnt.pairs.rows(~learnt.is_training)
    if len(held) >= _FEWEST_FOR_SCALE:
        made.metric.fit_scale(*made.embedded(held.a, held.b), held.known)
    return made
