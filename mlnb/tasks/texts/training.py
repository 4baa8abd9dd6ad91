"""What all training of whole encoders shares: texts as batches, the network, and `tune`.

Tokens are told once; every epoch puts texts of a like length together, in an order of its own, so
that little of a batch is padding. What comes of it is a copy: whoever goes on with the run trains
the network that the run has, and not the one that answers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.device import find_device
from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text, plural
from mlnb.networks.token_batches import bucketed_batches, padded, sorted_batches
from mlnb.tasks.texts.heads import paired
from mlnb.train.steps.precision import has_amx
from mlnb.train.trainer import Trainer

if TYPE_CHECKING:
    from mlnb.networks.encoders import Encoder
    from mlnb.networks.tokenizing import Tokenizer
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

Inputs = tuple[Tensor, ...]
Net = TypeVar("Net", bound=nn.Module)
TUNED = ", fine-tuned"
_JUDGED_AT_ONCE = 64
_WEIGHT_DECAY, _WARM_UP, _CLIP = 0.01, 0.1, 1.0


class TextNet(nn.Module):
    """Encoder and head as one module, from ids to logits.

    Args:
        encoder: with `pooled(ids, mask, layers=…)`.
        head: from what is pooled to a logit for each class.
        layers: which of the encoder's are pooled.
    """

    def __init__(self, encoder: Any, head: nn.Module, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder, self.head, self.layers = encoder, head, layers

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        input_ids_2: Tensor | None = None,
        attention_mask_2: Tensor | None = None,
    ) -> Tensor:
        """Logits, `[n, classes]`.

        Args:
            input_ids: `int64 [n, words]`.
            attention_mask: `int64 [n, words]`, 1 where there is a word.
            input_ids_2: of the second texts, where texts come in pairs.
            attention_mask_2: likewise.
        """
        features = self.encoder.pooled(input_ids, attention_mask.bool(), layers=self.layers)
        if input_ids_2 is not None and attention_mask_2 is not None:
            other = self.encoder.pooled(input_ids_2, attention_mask_2.bool(), layers=self.layers)
            features = paired(features, other)
        logits: Tensor = self.head(features)
        return logits


class TextBatches:
    """Batches of texts for a `Trainer`: ids, mask and targets.

    >>> for (ids, mask), codes in TextBatches(tokenizer, [texts], codes, batch_size=16): ...

    Args:
        tokenizer: makes the ids.
        columns: the texts, `[texts]`, or with the second ones `[texts, pairs]`.
        codes: what is to be said of each: its class, `int64 [n]`; where a text has several,
            `float32 [n, classes]`; a score, `float32 [n]`.
        batch_size: texts a batch.
        max_len: tokens of a text that are read.
        shuffle: whether every epoch has an order of its own, texts of like length together; else
            they come from the longest to the shortest.
        seed: of that order.
        together: whether the two texts of a pair are read as one; then which of them a token is of
            stands behind the mask.
        unknown: the share of the words that are not told, another one each time: what is left
            cannot be learnt by heart, and the word for unknown ones is learnt at all.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        columns: Sequence[Sequence[str]],
        codes: Array,
        *,
        batch_size: int = _JUDGED_AT_ONCE,
        max_len: int = 128,
        shuffle: bool = False,
        seed: int = 0,
        together: bool = False,
        unknown: float = 0.0,
    ) -> None:
        texts = [list(column) for column in columns]
        self._tokens = (
            [tokenizer.encode(texts[0], texts[1], max_len)]
            if together
            else [tokenizer.encode(column, max_len=max_len) for column in texts]
        )
        self._pad_id, self._unknown_id = tokenizer.pad_id, tokenizer.unknown_id
        self._unknown = unknown
        self.codes, self.batch_size, self.shuffle = codes, batch_size, shuffle
        self._lengths = np.sum([tokens.lengths for tokens in self._tokens], axis=0)
        self._order = np.random.default_rng(seed)
        self._count = sum(1 for _ in self._batches(np.random.default_rng(seed)))

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._count

    def __iter__(self) -> Iterator[tuple[Inputs, Tensor]]:
        """Inputs as the network takes them, and targets."""
        for rows in self._batches(self._order):
            yield self.inputs(rows), torch.from_numpy(self.codes[rows])

    def inputs(self, rows: Array) -> Inputs:
        """Ids and mask, `int64 [n, words]`; of pairs those of the second texts, or the kinds."""
        inputs: list[Tensor] = []
        for tokens in self._tokens:
            ids, mask = padded([tokens.ids[row] for row in rows], self._pad_id)
            if self._unknown:
                hidden = torch.from_numpy(self._order.random(ids.shape) < self._unknown)
                ids[mask & hidden] = self._unknown_id
            # A bool would become a float on its way to a model.
            inputs += [ids, mask.long()]
            if tokens.kinds is not None:
                inputs.append(padded([tokens.kinds[row] for row in rows])[0])
        return tuple(inputs)

    def _batches(self, order: np.random.Generator) -> Iterator[Array]:
        if self.shuffle:
            return bucketed_batches(self._lengths, self.batch_size, order)
        return sorted_batches(self._lengths, self.batch_size)


def tune(
    net: Net,
    train: TextBatches,
    held: TextBatches | None,
    owner: Any,
    *,
    loss: str,
    metrics: Any,
    lr: float,
    epochs: int,
    name: str,
) -> tuple[Net, Run]:
    """Train all of a network that is not frozen; what came of it, a copy in eval mode, and the run.

    AdamW with a decay of 0.01, a tenth of the steps to warm up and then down in a line (Devlin et
    al. 2018, arXiv:1810.04805, A.3), gradients clipped at 1.

    Args:
        net: with the encoder in it.
        train: what is trained on.
        held: what is validated on.
        owner: says device, callbacks, and with `next_seed` the seed.
        loss: the word for it.
        metrics: as `Trainer` has them.
        lr: the highest learning rate.
        epochs: how often to go through.
        name: of the run.
    """
    trainer = Trainer(
        net,
        loss=loss,
        optimizer=f"adamw(weight_decay={_WEIGHT_DECAY})",
        lr=lr,
        metrics=metrics,
        schedule=f"warmup_linear(share={_WARM_UP})",
        clip_norm=_CLIP,
        device=owner.device,
        precision=precision_for(owner.device),
        callbacks=owner.callbacks,
        seed=next_seed(owner),
    )
    run = trainer.fit(train, validation=held, epochs=epochs, name=name, folder=False)
    return answering(net), run


def next_seed(owner: Any) -> int | None:
    """Another one for each training phase; `None` where all is to be drawn anew."""
    return None if owner.seed is None else owner.seed + len(owner.runs_)


def answering(net: Net) -> Net:
    """A copy that answers and is not trained: a run that is gone on with has the other one."""
    made = copy.deepcopy(net)
    made.eval().requires_grad_(False)
    return made


def tuned(encoder: Encoder, before: Encoder) -> Encoder:
    """An encoder in the place of the one that it was before its training."""
    encoder.to(before.device).changed()
    encoder.source = f"{before.source.removesuffix(TUNED)}{TUNED}"
    return encoder


def freeze_layers(encoder: Encoder, freeze: str | int) -> str:
    """Keep a part of an encoder as it is; what is kept, in words.

    Raises:
        UnknownName: a word that is neither "embeddings" nor "none".
        TrainError: more layers than there are.
    """
    encoder.requires_grad_(True)
    if freeze == "none":
        return "nothing frozen"
    if freeze == "embeddings":
        encoder.word_embeddings.requires_grad_(False)
        return "word embeddings frozen"
    if isinstance(freeze, bool) or not isinstance(freeze, int | np.integer):
        raise unknown("freeze", str(freeze), ["embeddings", "none", "a number of layers"])
    if not 0 <= freeze <= encoder.depth:
        raise TrainError(
            f"freeze={freeze}, but {display_text(encoder.name)} has "
            f"{plural(encoder.depth, 'layer')}."
        )
    encoder.requires_grad_(False)
    for block in encoder.blocks[freeze:]:
        block.requires_grad_(True)
    return f"embeddings and {plural(int(freeze), 'layer')} frozen"


def loss_of(is_multi_label: bool) -> str:
    """The word for what training makes small."""
    return "bce" if is_multi_label else "cross_entropy"


def precision_for(device: Any) -> str:
    """bf16 on a CPU that multiplies it in hardware, where an encoder gains; else the trainer's."""
    return "bf16" if find_device(device).type == "cpu" and has_amx() else "auto"
