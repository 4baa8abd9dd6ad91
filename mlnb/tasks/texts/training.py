"""What fine-tuning and a network of one's own share: texts as batches, and the network trained.

Tokens are told once; every epoch puts texts of a like length together, in an order of its own, so
that little of a batch is padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.device import find_device
from mlnb.networks.token_batches import bucketed_batches, padded, sorted_batches
from mlnb.tasks.texts.heads import paired
from mlnb.train.steps.precision import has_amx

if TYPE_CHECKING:
    from mlnb.networks.tokenizing import Tokenizer

Array = np.ndarray[Any, np.dtype[Any]]

Inputs = tuple[Tensor, ...]
_JUDGED_AT_ONCE = 64


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
        codes: the class of each, `int64 [n]`; where a text has several, `float32 [n, classes]`.
        batch_size: texts a batch.
        max_len: tokens of a text that are read.
        shuffle: whether every epoch has an order of its own, texts of like length together; else
            they come from the longest to the shortest.
        seed: of that order.
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
    ) -> None:
        self._tokens = [tokenizer.encode(list(texts), max_len=max_len) for texts in columns]
        self._pad_id = tokenizer.pad_id
        self.codes, self.batch_size, self.shuffle = codes, batch_size, shuffle
        self._lengths = np.sum([tokens.lengths for tokens in self._tokens], axis=0)
        self._order = np.random.default_rng(seed)
        self._count = sum(1 for _ in self._batches(np.random.default_rng(seed)))

    def __len__(self) -> int:
        """Batches an epoch."""
        return self._count

    def __iter__(self) -> Iterator[tuple[Inputs, Tensor]]:
        """Inputs as `TextNet` takes them, and targets."""
        for rows in self._batches(self._order):
            yield self.inputs(rows), torch.from_numpy(self.codes[rows])

    def inputs(self, rows: Array) -> Inputs:
        """Ids and mask, `int64 [n, words]`; of pairs those of the second texts behind them."""
        inputs: list[Tensor] = []
        for tokens in self._tokens:
            ids, mask = padded([tokens.ids[row] for row in rows], self._pad_id)
            # A bool would become a float on its way to a model.
            inputs += [ids, mask.long()]
        return tuple(inputs)

    def _batches(self, order: np.random.Generator) -> Iterator[Array]:
        if self.shuffle:
            return bucketed_batches(self._lengths, self.batch_size, order)
        return sorted_batches(self._lengths, self.batch_size)


def loss_of(is_multi_label: bool) -> str:
    """The word for what training makes small."""
    return "bce" if is_multi_label else "cross_entropy"


def precision_for(device: Any) -> str:
    """bf16 on a CPU that multiplies it in hardware, where an encoder gains; else the trainer's."""
    return "bf16" if find_device(device).type == "cpu" and has_amx() else "auto"
