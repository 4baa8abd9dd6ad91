"""What `bench_text.py` measures on: Yelp's and SICK's sentences, and classifiers fitted on them."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

FIRST, SECOND = range(5), range(5, 10)
ROUNDS = 5
Seeds = tuple[range, ...]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rows: int = 1_000
    seeds: Seeds = (FIRST, SECOND)
    rounds: int = ROUNDS
    is_quick: bool = False


QUICK = Size(200, (range(2),), 1, True)


@functools.cache
def encoder() -> Any:
    """The one that comes with a package, warmed up."""
    from mlnb.networks.encoders import encoder

    made = encoder()
    made.embed(["once, to warm up"])
    return made


@functools.cache
def yelp(size: Size) -> tuple[list[str], np.ndarray]:
    """Sentences and their labels."""
    from mlnb.data.samples import load_sample

    frame = load_sample("yelp").data().head(size.rows)
    return list(frame["text"]), frame["label"].to_numpy()


def divided(size: Size, seed: int) -> Any:
    """Texts and labels to learn from, and the fifth that is unseen."""
    from sklearn.model_selection import train_test_split

    texts, labels = yelp(size)
    parts = train_test_split(texts, labels, test_size=0.2, stratify=labels, random_state=seed)
    train, test, known, truth = parts
    return (train, known), (test, truth)


@functools.cache
def _kept() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="mlnb-bench-")


def classifier(
    size: Size, seed: int, folder: str | None = None, encoder: Any = "auto"
) -> tuple[Any, Any]:
    """One that is fitted, and what it has not seen; without a folder it computes no text twice."""
    from mlnb.tasks.texts.classification import TextClassifier

    (train, labels), unseen = divided(size, seed)
    made = TextClassifier(encoder, seed=seed, cache=folder or _kept().name)
    made.fit(train, labels, tell=quiet)
    return made, unseen


def fitted(size: Size, seed: int, encoder: Any = "auto") -> Any:
    """How good one is on what it has not seen."""
    made, unseen = classifier(size, seed, encoder=encoder)
    return made.evaluate(*unseen)


def pairs(size: Size) -> tuple[Any, Any]:
    """Pairs with scores to learn from, and to score on."""
    from mlnb.data.samples import load_sample

    frame = load_sample("sick").data()
    part = frame["part"].str.lower()
    train, test = (frame[part.str.contains(name)] for name in ("train", "trial"))
    return (train.head(100), test.head(50)) if size.is_quick else (train, test)


def quiet(_: str) -> None:
    """Takes what would be printed."""
