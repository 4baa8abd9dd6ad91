"""Pairs of made sentences with scores, and a `SentenceSimilarity` on a tiny encoder."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from mlnb.networks.encoders import Encoder
from mlnb.tasks.similarity.similarity import SentenceSimilarity


def pairs(count: int = 90) -> pd.DataFrame:
    """Pairs that share the thing, the word, both or neither; the score is 1 to 5 by that."""
    things, words = ("soup", "waiter", "room", "bread"), ("good", "cold", "rude", "fresh")
    one = list(itertools.product(things, words))
    rows = [
        (f"the {t} was {w}", f"the {u} is {v}", 1 + 2 * (t == u) + 2 * (w == v))
        for (t, w), (u, v) in itertools.product(one, one)
    ]
    chosen = np.random.default_rng(0).permutation(len(rows))[:count]
    return pd.DataFrame([rows[i] for i in chosen], columns=["sentence_a", "sentence_b", "score"])


def similarity(body: Encoder, **words: Any) -> SentenceSimilarity:
    return SentenceSimilarity(**{"encoder": body, "cache": False, "device": "cpu", **words})
