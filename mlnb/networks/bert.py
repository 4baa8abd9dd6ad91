"""`Bert`: the encoder of the BERT family in plain torch, for inference and for fine-tuning.

It computes what the transformers library computes, without importing it: that alone costs as much
time as torch. Its weights have short names; `published_name` tells those in a published file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlnb.errors import CheckpointError
from mlnb.formatting import display_text

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
}
_MOST = {"num_hidden_layers": 1_000}
_ANY_COUNT = 10_000_000


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT, under the names of its `config.json`."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    layer_norm_eps: float = 1e-12

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> BertConfig:
        """What a `config.json` says, as far as it matters here.

        Raises:
            CheckpointError: a size is missing, or is none that a network can have.
        """
        known = {name: given[name] for name in cls.__dataclass_fields__ if name in given}
        for name, field in cls.__dataclass_fields__.items():
            value = known.get(name, field.default)
            if field.type == "int" and not _is_count(value, _MOST.get(name, _ANY_COUNT)):
                raise CheckpointError(
                    f"config.json: {name} should be a whole number from 1 to "
                    f"{_MOST.get(name, _ANY_COUNT):,}; received {_shown(known.get(name))}"
                )
            if field.type == "float" and not _is_share(value):
                raise CheckpointError(
                    f"config.json: {name} should be a number from 0 to 1; received {_shown(value)}"
                )
        config = cls(**known)
        if str(config.hidden_act) not in ACTIVATIONS:
            raise CheckpointError(
                f"config.json: hidden_act should be one of {', '.join(ACTIVATIONS)}; received "
                f"{_shown(config.hidden_act)}"
            )
        if config.hidden_size % config.num_attention_heads:
            raise CheckpointError(
                f"config.json: hidden_size {config.hidden_size} cannot be divided among "
                f"{config.num_attention_heads} attention heads"
            )
        return config

    def to_json(self) -> dict[str, Any]:
        """A `config.json` that the transformers library reads too."""
        return {"model_type": "bert", "architectures": ["BertModel"], **asdict(self)}


class Bert(nn.Module):
    """A BERT without a head (Devlin et al. 2018, arXiv:1810.04805).

    >>> config = BertConfig(30_522, 384, 6, 12, 1_536)
    >>> hidden = Bert(config)(torch.tensor([[101, 7592, 102]]))
    >>> len(hidden), hidden[-1].shape
    (7, torch.Size([1, 3, 384]))

    Args:
        config: its sizes.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = _Embeddings(config)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        kinds: Tensor | None = None,
        depth: int | None = None,
    ) -> list[Tensor]:
        """The hidden states `[n, tokens, width]`: of the embeddings, then of each layer.

        Args:
            ids: of the tokens, int64 `[n, tokens]`.
            mask: True where a token is no padding, `[n, tokens]`; `None` where there is none.
            kinds: 0 in the first text of a pair and 1 in the second; `None` is 0 everywhere.
            depth: the last layer that is wanted; those after it are not computed.
        """
        x = self.embeddings(ids, kinds)
        hidden = [x]
        attended = None if mask is None else mask.bool()[:, None, None, :]
        for layer in self.layers[:depth]:
            x = layer(x, attended)
            hidden.append(x)
        return hidden

    @property
    def width(self) -> int:
        """How many numbers stand for a token."""
        return self.config.hidden_size

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return self.config.num_hidden_layers

    @property
    def longest(self) -> int:
        """How many tokens it takes at most."""
        return self.config.max_position_embeddings

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table of the words."""
        return self.embeddings.words

    @property
    def blocks(self) -> list[nn.Module]:
        """The layers, the lowest first."""
        return list(self.layers)


class _Embeddings(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.words = _table(config.vocab_size, width)
        self.positions = _table(config.max_position_embeddings, width)
        self.kinds = _table(config.type_vocab_size, width)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids: Tensor, kinds: Tensor | None) -> Tensor:
        kind = self.kinds.weight[0] if kinds is None else self.kinds(kinds)
        x = self.words(ids) + kind + self.positions.weight[: ids.shape[1]]
        normed: Tensor = self.dropout(self.norm(x))
        return normed


def _table(rows: int, width: int) -> nn.Embedding:
    """Drawn as BERT's are; not on the meta device, where drawing imports torch's compiler."""
    weight = torch.empty(rows, width)
    if not weight.is_meta:
        nn.init.normal_(weight, std=0.02)
    return nn.Embedding.from_pretrained(weight, freeze=False)


class _Layer(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.act = ACTIVATIONS[config.hidden_act]
        self.attention_dropout = config.attention_probs_dropout_prob
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.gathered = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.wide = nn.Linear(width, config.intermediate_size)
        self.narrow = nn.Linear(config.intermediate_size, width)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        dropout = self.attention_dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, mask, dropout)
        x = self.attention_norm(x + self.dropout(self.gathered(seen.transpose(1, 2).flatten(2))))
        out: Tensor = self.norm(x + self.dropout(self.narrow(self.act(self.wide(x)))))
        return out


def published_name(name: str) -> str:
    """The name of a weight in a published file, by its name here.

    >>> published_name("layers.0.query.weight")
    'encoder.layer.0.attention.self.query.weight'
    """
    if name.startswith("layers."):
        _, number, part, leaf = name.split(".")
        return f"encoder.layer.{number}.{_PARTS[part]}.{leaf}"
    _, part, leaf = name.split(".")
    return f"embeddings.{_TABLES[part]}.{leaf}"


_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "gathered": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm": "output.LayerNorm",
}
_TABLES = {
    "words": "word_embeddings",
    "positions": "position_embeddings",
    "kinds": "token_type_embeddings",
    "norm": "LayerNorm",
}


def _is_count(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _shown(value: Any) -> str:
    return "nothing" if value is None else display_text(str(value), 60)
