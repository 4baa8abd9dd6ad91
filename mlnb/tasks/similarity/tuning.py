"""Fine-tuning: the encoder goes on learning, from pairs with scores.

"bi" embeds each sentence by itself, so that search gains too; "cross" reads both at once, which
takes a run of the network for every pair and knows no embedding. What is tuned is a copy, so that
an error leaves everything as it was; whatever ends the run, what was learnt so far is taken over.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import TrainError, unknown
from mlnb.networks.token_batches import bucketed_batches, padded, sorted_batches
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.training import TextBatches, precision_for
from mlnb.tasks.texts.tuning import freeze_layers
from mlnb.train.trainer import Trainer

if TYPE_CHECKING:
    from mlnb.networks.encoders import Encoder
    from mlnb.networks.tokenizing import Tokenizer
    from mlnb.tasks.similarity.learning import Learnt
    from mlnb.tasks.similarity.metric import Metric
    from mlnb.tasks.similarity.scoring import Scorer
    from mlnb.tasks.similarity.similarity import SentenceSimilarity

Array = np.ndarray[Any, np.dtype[Any]]

FORMS = ("bi", "cross")
_WEIGHT_DECAY, _WARM_UP, _CLIP = 0.01, 0.1, 1.0
_TUNED = ", fine-tuned"
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


class PairBatches:
    """Batches of pairs that are read together, for a `Trainer`: ids, mask, kinds and targets.

    Args:
        tokenizer: makes the ids.
        a: the first sentences.
        b: the second ones.
        targets: `float32 [n]`.
        batch_size: pairs a batch.
        max_len: tokens of a pair that are read.
        shuffle: whether every epoch has an order of its own, pairs of like length together.
        seed: of that order.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        a: list[str],
        b: list[str],
        targets: Array,
        *,
        batch_size: int,
        max_len: int,
        shuffle: bool,
        seed: int,
    ) -> None:
        self._tokens = tokenizer.encode(a, b, max_len)
        self._pad_id, self._targets = tokenizer.pad_id, targets
        self.batch_size, self.shuffle = batch_size, shuffle
        self._order = np.random.default_rng(seed)
        self._count = sum(1 for _ in self._batches(np.random.default_rng(seed)))

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._count

    def __iter__(self) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """Inputs as `CrossNet` takes them, and targets."""
        kinds = self._tokens.kinds or []
        for rows in self._batches(self._order):
            ids, mask = padded([self._tokens.ids[row] for row in rows], self._pad_id)
            which = padded([kinds[row] for row in rows])[0]
            yield (ids, mask.long(), which), torch.from_numpy(self._targets[rows])

    def _batches(self, order: np.random.Generator) -> Iterator[Array]:
        if self.shuffle:
            return bucketed_batches(self._tokens.lengths, self.batch_size, order)
        return sorted_batches(self._tokens.lengths, self.batch_size)


def fine_tune(
    similarity: SentenceSimilarity,
    *,
    epochs: int,
    lr: float,
    batch_size: int,
    form: str,
    freeze: str | int,
) -> None:
    """See `SentenceSimilarity.fine_tune`."""
    if form not in FORMS:
        raise unknown("form", str(form), FORMS)
    learnt, scorer = similarity._learnt, similarity._ready()
    if learnt is None:
        raise TrainError(
            "fine_tune goes on with the pairs that fit was given, and one that was loaded has "
            "none: fit(a, b, score) first."
        )
    training = learnt.scores[learnt.is_training]
    mean, spread = float(training.mean()), float(training.std()) or 1.0
    net = (_bi_net if form == "bi" else _cross_net)(scorer).rescale(1 / spread, -mean / spread)
    frozen = freeze_layers(net.encoder, freeze)
    seed = None if similarity.seed is None else similarity.seed + len(similarity.runs_)
    train, held = (
        _batches(scorer, learnt, which, (mean, spread), form, batch_size, seed or 0)
        for which in (True, False)
    )
    trainer = Trainer(
        net,
        loss="mse",
        optimizer=f"adamw(weight_decay={_WEIGHT_DECAY})",
        lr=lr,
        metrics=["r2"],
        schedule=f"warmup_linear(share={_WARM_UP})",
        clip_norm=_CLIP,
        device=similarity.device,
        precision=precision_for(similarity.device),
        callbacks=similarity.callbacks,
        seed=seed,
    )
    name = f"{net.encoder.name} as {form}-encoder, {frozen}"
    run = trainer.fit(train, validation=held, epochs=epochs, name=name, folder=False)
    net.eval().requires_grad_(False).rescale(spread, mean)
    similarity._scorer = _with(scorer, net, learnt)
    similarity.runs_ = (*similarity.runs_, run)


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
    scorer: Scorer,
    learnt: Learnt,
    for_training: bool,
    scale: tuple[float, float],
    form: str,
    batch_size: int,
    seed: int,
) -> Any:
    """Those to train on, or those to validate on, where there are some."""
    pairs = learnt.pairs.rows(learnt.is_training == for_training)
    if not pairs:
        return None
    a, b = list(pairs.a), list(pairs.b)
    targets = ((pairs.known - scale[0]) / scale[1]).astype(np.float32)
    words: dict[str, Any] = {"max_len": scorer.features.max_len, "shuffle": for_training}
    words |= {"batch_size": batch_size, "seed": seed}
    tokenizer = scorer.features.encoder.tokenizer
    if form == "cross":
        return PairBatches(tokenizer, a, b, targets, **words)
    return TextBatches(tokenizer, [a, b], targets, **words)


def _with(scorer: Scorer, net: BiNet | CrossNet, learnt: Learnt) -> Scorer:
    """The scorer with what was tuned in it."""
    before = scorer.features
    encoder = net.encoder.to(before.encoder.device).changed()
    encoder.source = f"{before.encoder.source.removesuffix(_TUNED)}{_TUNED}"
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
