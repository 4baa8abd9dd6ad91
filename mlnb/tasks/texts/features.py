"""`TextFeatures`: a frozen encoder as a function of texts, each of which is computed once.

Equal texts are computed once in a call, and once for ever where there is a cache. What is computed
is kept every few seconds, so that after an interrupt the same call goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mlnb.data.features import FeatureCache, content_key
from mlnb.networks.tokenizing import checked_length, two_columns
from mlnb.progress import progress
from mlnb.tasks.texts.heads import paired

if TYPE_CHECKING:
    from mlnb.networks.encoders import Encoder

Array = np.ndarray[Any, np.dtype[Any]]

KEEP_SECONDS = 5.0


class TextFeatures:
    """What an encoder makes of texts.

    >>> features = TextFeatures(encoder("auto"), layers=(6, 4))
    >>> features.of(["The soup was cold.", "Lovely!"]).shape
    (2, 768)

    Args:
        encoder: stays as it is.
        layers: whose outputs are taken, side by side; `None` for the last.
        max_len: tokens of a text, or of a pair, at most, and no more than the encoder can read.

    Raises:
        DataError: the encoder has no such layer, or `max_len` is no length.
    """

    def __init__(
        self, encoder: Encoder, layers: int | Sequence[int] | None = None, max_len: int = 128
    ) -> None:
        self.encoder = encoder
        self.layers = encoder.checked_layers(layers)
        self.max_len = min(checked_length(max_len), encoder.longest)

    @property
    def width(self) -> int:
        """How many numbers there are for a text."""
        return self.encoder.width * len(self.layers)

    @property
    def key(self) -> str:
        """All that they depend on beside the text."""
        return f"{self.encoder.key} layers {self.layers} max_len {self.max_len} float32"

    @property
    def text(self) -> str:
        """In a line, for reports."""
        return f"{self.encoder.about(self.layers)}, up to {self.max_len} tokens"

    def __repr__(self) -> str:
        return f"TextFeatures({self.text}, {self.width} numbers)"

    def of(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        cache: FeatureCache | None = None,
    ) -> Array:
        """A row of float32 for each text, `[n, width]`.

        Args:
            texts: as many as you like.
            pairs: a second text for each.
            cache: where rows are looked for and kept: `FeatureCache(features.key)`.
        """
        given, seconds = two_columns(texts, pairs)
        keys = _keys(given, seconds)
        first = {key: row for row, key in reversed(list(enumerate(keys)))}
        known = {} if cache is None else self._kept(cache, list(first))
        missing = [row for key, row in first.items() if key not in known]
        known |= self._computed(missing, keys, given, seconds, cache)
        rows = [known[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def _kept(self, cache: FeatureCache, keys: list[str]) -> dict[str, Array]:
        found = cache.get_many(keys)
        return {key: row for key, row in found.items() if row.shape == (self.width,)}

    def _computed(
        self,
        missing: list[int],
        keys: list[str],
        texts: list[str],
        pairs: list[str] | None,
        cache: FeatureCache | None,
    ) -> dict[str, Array]:
        """The rows of those texts, by key; an interrupt leaves what there is in the cache."""
        second = None if pairs is None else [pairs[row] for row in missing]
        tokens = self.encoder.tokenizer.encode(
            [texts[row] for row in missing], second, self.max_len
        )
        made: dict[str, Array] = {}
        fresh: dict[str, Array] = {}
        begun = time.monotonic()
        try:
            with progress("Embedding", len(missing), unit="texts") as done:
                for numbers, rows in self.encoder.embedded(tokens, self.layers):
                    fresh.update(
                        {keys[missing[i]]: row for i, row in zip(numbers, rows, strict=True)}
                    )
                    done(len(made) + len(fresh))
                    if cache is not None and time.monotonic() - begun > KEEP_SECONDS:
                        cache.put_many(fresh)
                        made, fresh, begun = made | fresh, {}, time.monotonic()
        finally:
            if cache is not None and fresh:
                cache.put_many(fresh)
        return made | fresh


def cache_of(where: Any, features: TextFeatures) -> FeatureCache | None:
    """Where the features of texts are kept: `True` is the usual folder, `False` and `None` nowhere.

    Those of a network of one's own are not: it is quick, and every fit makes another one.
    """
    if where is False or where is None or not features.encoder.is_worth_keeping:
        return None
    return FeatureCache(features.key, None if where is True else where)


def features_of(
    features: TextFeatures, texts: Sequence[str], pairs: Sequence[str] | None, where: Any
) -> Array:
    """What a head takes, `float32 [n, width]`; of pairs four times as wide, see `paired`."""
    cache = cache_of(where, features)
    if pairs is None:
        return features.of(texts, cache=cache)
    rows = torch.from_numpy(features.of([*texts, *pairs], cache=cache))
    made: Array = paired(rows[: len(texts)], rows[len(texts) :]).numpy()
    return made


def _keys(texts: list[str], pairs: list[str] | None) -> list[str]:
    singles = [content_key(text.encode()) for text in texts]
    if pairs is None:
        return singles
    seconds = (content_key(text.encode()) for text in pairs)
    return [content_key((a + b).encode()) for a, b in zip(singles, seconds, strict=True)]
