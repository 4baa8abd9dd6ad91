"""A network of one's own over a vocabulary of one's own, in the place of an encoder.

The chain that one writes makes a vector of a text; the classifier puts its dense layer behind it
and trains both. From then on it is an encoder like any other. The first number of its embedding is
the most words that the vocabulary may have, so that nothing has to be known of the data before.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.device import find_device
from mlnb.errors import CheckpointError, LayerError
from mlnb.formatting import display_text
from mlnb.networks.encoder_loading import Parts
from mlnb.networks.encoders import Encoder
from mlnb.networks.sequential import Sequential
from mlnb.networks.tokenizing import Tokenizer
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.heads import Head
from mlnb.tasks.texts.masked import masked
from mlnb.tasks.texts.training import TextNet, answering, loss_of
from mlnb.tasks.texts.tuning import batches_of
from mlnb.train.callbacks.early_stopping import EarlyStopping
from mlnb.train.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.learning import Learnt

NETWORK, VOCABULARY = "network.safetensors", "tokenizer.json"
EPOCHS, BATCH_SIZE, PATIENCE = 30, 32, 5
LR, ATTENTION_LR, WEIGHT_DECAY = 1e-2, 5e-3, 0.1
SPREAD = 0.1
"""The standard deviation that an embedding begins with. Torch's is 1: of so large ones a network
tells the few sentences that it has apart by heart, before it has learnt what any word means."""
UNKNOWN = 0.2
"""The share of the words that are hidden in training, as Iyyer et al. 2015 do (word dropout)."""
HELD_BACK = 0.1
"""The share of the texts that ends the training, where no others are named."""
_LEAST = 4
"""The three special words and one more."""


class OwnEncoder(Encoder):
    """A chain of layers with its vocabulary, as an encoder of one layer.

    >>> net = Sequential().embedding(5_000, 64).gru(64)
    >>> OwnEncoder(net, Tokenizer.of_texts(texts, 5_000))

    Padding is never read: see `mlnb.tasks.texts.masked`.

    Args:
        net: as one wrote it, an embedding first; a copy is taken.
        tokenizer: of its vocabulary.

    Raises:
        LayerError: it does not begin with an embedding, or cannot stand.
        TrainError: a layer that wants every text to have the same number of words.
    """

    is_worth_keeping = False  # it is quick, and every fit makes another one

    def __init__(self, net: Sequential, tokenizer: Tokenizer) -> None:
        self.net = copy.deepcopy(net).build(torch.zeros(2, 8, dtype=torch.int64))
        body = _Chain(self.net.module)
        with torch.no_grad():
            body.word_embeddings.weight[tokenizer.pad_id].zero_()  # never read: it is nothing
        super().__init__(Parts(body, tokenizer, "mean", ""), net.name, "one's own")
        self.changed()

    def about(self, layers: Sequence[int]) -> str:
        """Its name and the size of its vocabulary, for reports."""
        return f"{self.name} over {self.tokenizer.size:,} words"

    def __repr__(self) -> str:
        return f"OwnEncoder({display_text(self.name)!r}, {self.tokenizer!r} -> [{self.width}])"

    def pooled(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        kinds: Tensor | None = None,
        layers: int | Sequence[int] | None = None,
    ) -> Tensor:
        """The vector of each text, `[n, width]`; what is still a row of words is averaged.

        Args:
            ids: `int64 [n, words]`.
            mask: True where there is a word; `None` is everywhere.
            kinds: means nothing here.
            layers: likewise; there is one way through.
        """
        return self.body(ids, mask, None, 1)[-1]

    def save(self, folder: str | Path) -> Path:
        """Write network and vocabulary into a folder, without pickle; `load` reads them.

        Raises:
            LayerError: a module or function of somebody else in it, which no definition can hold.
        """
        where = Path(folder).expanduser()
        where.mkdir(parents=True, exist_ok=True)
        self.net.save(where / NETWORK)
        self.tokenizer.save(where / VOCABULARY)
        return where

    @classmethod
    def load(cls, folder: str | Path) -> OwnEncoder:
        """What `save` wrote.

        Raises:
            CheckpointError: something is missing, damaged, or is something else.
        """
        where = Path(folder).expanduser()
        try:
            content = (where / VOCABULARY).read_bytes()
        except OSError as error:
            shown = display_text(str(where / VOCABULARY), 200)
            raise CheckpointError(f"Cannot read {shown}: {error.strerror}.") from error
        return cls(Sequential.load(where / NETWORK), Tokenizer(content))


def fit(classifier: TextClassifier, learnt: Learnt) -> tuple[TextFeatures, Head]:
    """Make the vocabulary of the texts, and train network and head until validation is at its best.

    >>> features, head = fit(classifier, learnt)

    The words for training that one wrote at the network hold: `.optimizer("adam", lr=3e-3)`,
    `.schedule(…)`, `.training(clip_norm=1.0)`; else it is adamw, at 0.01, or 0.005 where there is
    attention. An embedding of the network's own begins small, and a fifth of the words are hidden.

    Args:
        classifier: says network, seed and device.
        learnt: the texts; those that are held out of training end it. The vocabulary is that of the
            others.

    Raises:
        LayerError: the network does not begin with an embedding, or cannot stand.
        TrainError: it wants every text to have the same number of words.
    """
    net = classifier.encoder
    assert isinstance(net, Sequential)
    seen = np.flatnonzero(learnt.is_training)
    columns = [learnt.texts] if learnt.pairs is None else [learnt.texts, learnt.pairs]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(classifier.seed or 0)
        tokenizer = vocabulary_for(net, [column[row] for column in columns for row in seen])
        encoder = OwnEncoder(net, tokenizer)
        with torch.no_grad():
            encoder.word_embeddings.weight.mul_(SPREAD)
        width = encoder.width if learnt.pairs is None else 4 * encoder.width
        head = nn.Linear(width, learnt.classes)
    whole = TextNet(encoder, head, (1,))
    seed = classifier.seed or 0
    train, held = batches_of(learnt, tokenizer, classifier.max_len, BATCH_SIZE, seed, UNKNOWN)
    settings = {"seed": classifier.seed, "device": classifier.device, **_rate(encoder)}
    settings |= net.settings
    early = EarlyStopping(patience=PATIENCE)
    settings["callbacks"] = [early, *classifier.callbacks, *settings.get("callbacks", ())]
    settings["loss"] = loss_of(learnt.is_multi_label)
    run = Trainer(whole, **settings).fit(
        train, validation=held, epochs=EPOCHS, name=encoder.name, folder=False
    )
    whole = answering(whole)
    made = whole.encoder.to(find_device(classifier.device)).changed()
    return TextFeatures(made, 1, classifier.max_len), Head(whole.head.cpu(), run=run)


def _rate(encoder: OwnEncoder) -> dict[str, Any]:
    """Another way to train, where the network says none."""
    if "optimizer" in encoder.net.settings:
        return {}
    attends = any(isinstance(one, nn.MultiheadAttention) for one in encoder.modules())
    optimizer = f"adamw(weight_decay={WEIGHT_DECAY})"
    return {"optimizer": optimizer, "lr": ATTENTION_LR if attends else LR}


def vocabulary_for(net: Sequential, texts: Sequence[str]) -> Tokenizer:
    """The most frequent words of texts, as many as the embedding of a network has places for.

    Raises:
        LayerError: the network does not begin with an embedding, or with one of too few places.
    """
    first = next(iter(net.layers), None)
    size = None
    if first is not None:
        size = first.options.get("num_embeddings", getattr(first.thing, "num_embeddings", None))
    if size is None:
        raise LayerError(
            "A network over texts begins with an embedding, whose first number is the most words "
            "that it tells apart: Sequential().embedding(5_000, 64).gru(64)."
        )
    if size < _LEAST:
        raise LayerError(
            f"An embedding of {size} places has no room for words: three of them are padding, "
            "what is not known, and what stands between two texts."
        )
    return Tokenizer.of_texts(texts, size)


class _Chain(nn.Module):
    """The layers with the face of an encoder's body.

    Args:
        chain: an embedding first.
    """

    depth = 1
    longest = 2**20

    def __init__(self, chain: nn.Module) -> None:
        super().__init__()
        self.chain = chain
        with torch.no_grad():
            chain.eval()
            # Of two lengths, so that a layer which wants only one is told of here.
            answers = [self(torch.zeros(2, words, dtype=torch.int64))[-1] for words in (3, 5)]
        if answers[0].dim() != 2:
            raise LayerError(
                f"The network gives {list(answers[0].shape[1:])} for a text; expected a vector, or "
                "a vector for each of its words."
            )
        self.width = int(answers[0].shape[1])

    @property
    def word_embeddings(self) -> Any:
        """The layer that the ids go into."""
        return next(iter(self.chain.children()))

    @property
    def blocks(self) -> list[nn.Module]:
        """All behind the embedding, as one."""
        return [nn.ModuleList(list(self.chain.children())[1:])]

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        kinds: Tensor | None = None,
        depth: int | None = None,
    ) -> list[Tensor]:
        """The vector of each text, `[n, width]`."""
        is_word = torch.ones_like(ids).bool() if mask is None else mask.bool()
        return [masked(self.chain, ids, is_word)]
