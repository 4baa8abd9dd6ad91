"""Encoders that are no BERT, by the transformers library, behind the face of `Bert`.

The library is imported here only, and told to stay on this machine and to run no code of others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mlnb.errors import CheckpointError, need
from mlnb.formatting import display_text

_HERE = {"local_files_only": True, "trust_remote_code": False}
_OLDER = ("vocab.txt", "vocab.json", "*.model")
_LONGEST = 512
"""Tokens at once where a network sets no limit of its own."""


class OtherBody(nn.Module):
    """A network of the transformers library that gives a state to each token.

    Args:
        model: of the library.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        kinds: Tensor | None = None,
        depth: int | None = None,
    ) -> list[Tensor]:
        """The hidden states, as `Bert.forward` gives them."""
        given = {"input_ids": ids, "attention_mask": None if mask is None else mask.long()}
        if kinds is not None and getattr(self.model.config, "type_vocab_size", 0) > 1:
            given["token_type_ids"] = kinds
        found = self.model(**given, output_hidden_states=True, return_dict=True).hidden_states
        return list(found)[: None if depth is None else depth + 1]

    @property
    def width(self) -> int:
        """How many numbers stand for a token."""
        return int(self.model.config.hidden_size)

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return int(self.model.config.num_hidden_layers)

    @property
    def longest(self) -> int:
        """How many tokens it takes at most; RoBERTa's positions begin after its padding's."""
        most = getattr(self.model.config, "max_position_embeddings", None)
        if not isinstance(most, int) or most < 1:
            return _LONGEST
        offsets = [
            one.padding_idx + 1
            for name, one in self.model.named_modules()
            if name.endswith("position_embeddings") and getattr(one, "padding_idx", None)
        ]
        return most - max(offsets, default=0)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table of the words."""
        table: nn.Embedding = self.model.get_input_embeddings()
        return table

    @property
    def blocks(self) -> list[nn.Module]:
        """The layers, the lowest first."""
        lists = (one for one in self.model.modules() if isinstance(one, nn.ModuleList))
        return list(next((one for one in lists if len(one) == self.depth), ()))

    def save(self, folder: Path) -> None:
        """Write configuration and weights as the library does."""
        self.model.save_pretrained(folder)


def other_body(folder: Path) -> OtherBody:
    """The encoder in a folder."""
    lib = need("transformers", "text")
    config = lib.AutoConfig.from_pretrained(folder, **_HERE)
    if getattr(config, "is_encoder_decoder", False):
        raise CheckpointError(
            f"{display_text(str(config.model_type))} has a decoder too; an encoder alone is wanted"
        )
    model = lib.AutoModel.from_pretrained(folder, config=config, use_safetensors=True, **_HERE)
    return OtherBody(model.float().eval())


def other_tokenizer(folder: Path) -> bytes:
    """The `tokenizer.json` that a folder's older files come to."""
    if not any(next(folder.glob(pattern), None) for pattern in _OLDER):
        raise CheckpointError("there is no tokenizer.json")  # the library makes one without words
    lib = need("transformers", "text")
    tokenizer = lib.AutoTokenizer.from_pretrained(folder, use_fast=True, **_HERE)
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise CheckpointError("there is no tokenizer.json, and the older files make none")
    content: str = tokenizer.backend_tokenizer.to_str()
    return content.encode()
