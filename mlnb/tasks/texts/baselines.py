"""What a text classifier is compared with: always the same answer, and `TfIdf`.

A network that loses to counted words is the thing to avoid, so the words are always counted. The
same model is a classifier by itself: `TextClassifier(encoder="tfidf")`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlnb.errors import CheckpointError, need
from mlnb.progress import progress
from mlnb.tasks.texts.logistic import Logistic

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTH = 10.0
MOST_TERMS = 100_000
"""Of words, and of letters: the most frequent ones."""
MOST_LETTERS = 10_000
"""Of a text that are read; an encoder reads less."""
MOST_FOR_LETTERS = 1_000_000
"""Of all texts together; of more only words are counted, which takes a fraction of the time."""
_LONG = 20
"""Longer words on average are none: there is no white space between them, as in Chinese."""
WORDS, LETTERS = "words", "letters"
_PARTS: dict[str, dict[str, Any]] = {
    WORDS: {"analyzer": "word", "ngram_range": (1, 2)},
    LETTERS: {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


class TfIdf:
    """A logistic regression on counted words and letters, by scikit-learn.

    One and two words, and two to five letters within a word, each by how often it comes in a text
    and how rare it is (Spärck Jones 1972); C is 10. Of more than a million letters in all, words
    alone.

    >>> TfIdf.fit(["good", "bad"], None, np.array([1, 0]), 2).logits(["so good"]).argmax()
    1

    Args:
        vectorizers: of words and of letters; one that found nothing is left out.
        weights: `float32 [classes, terms]`, of pairs four times as many.
        bias: `float32 [classes]`.
    """

    name, key = "TF-IDF", "tfidf"

    def __init__(self, vectorizers: Mapping[str, Any], weights: Array, bias: Array) -> None:
        self.vectorizers, self.weights, self.bias = dict(vectorizers), weights, bias

    @property
    def text(self) -> str:
        """In a line, for reports."""
        terms = sum(len(made.vocabulary_) for made in self.vectorizers.values())
        parts = " and parts of words" if LETTERS in self.vectorizers else ""
        return f"TF-IDF of {terms:,} words{parts}"

    @classmethod
    def fit(
        cls, texts: Sequence[str], pairs: Sequence[str] | None, targets: Array, classes: int
    ) -> TfIdf:
        """Count, and fit.

        Args:
            texts: to learn from.
            pairs: the second text of each, where there are two.
            targets: `int64 [n]`; of many labels `[n, classes]` of 0 and 1.
            classes: how many there are.
        """
        make = need("sklearn.feature_extraction.text", "train").TfidfVectorizer
        corpus = _read(texts if pairs is None else [*texts, *pairs])
        parts = {name: _PARTS[name] for name in _PARTS if name != LETTERS or _has_letters(corpus)}
        vectorizers, tables = {}, []
        with progress("TF-IDF", len(parts) + 1) as done:
            for step, (name, words) in enumerate(parts.items(), 1):
                vectorizer = make(**words, max_features=MOST_TERMS)
                try:
                    tables.append(vectorizer.fit_transform(corpus))
                except ValueError:  # not a word, or not a letter, in any text
                    continue
                vectorizers[name] = vectorizer
                done(step)
            terms = _features(tables, len(texts), len(corpus))
            weights, bias = Logistic(terms, targets, classes).fit(STRENGTH)
        return cls(vectorizers, weights.astype(np.float32), bias.astype(np.float32))

    def terms(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Any:
        """How much of each term is in each text: a sparse table, `[n, terms]`.

        Of pairs as `paired` has features: both texts, how far they are apart, where they agree.
        """
        corpus = _read(texts if pairs is None else [*texts, *pairs])
        tables = [vectorizer.transform(corpus) for vectorizer in self.vectorizers.values()]
        return _features(tables, len(texts), len(corpus))

    def logits(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Array:
        """`float32 [n, classes]`."""
        found = self.terms(texts, pairs) @ self.weights.T + self.bias
        return np.asarray(found, np.float32)

    # ----------------------------------------------------------------------------------- keeping

    def to_parts(self) -> tuple[dict[str, list[str]], dict[str, Tensor]]:
        """The terms in the order of their columns, and the numbers, for JSON and safetensors."""
        terms = {name: made.get_feature_names_out().tolist() for name, made in self._named()}
        idf = {f"{name}.idf": torch.from_numpy(made.idf_) for name, made in self._named()}
        numbers = {"weights": self.weights, "bias": self.bias}
        return terms, idf | {name: torch.from_numpy(one) for name, one in numbers.items()}

    @classmethod
    def from_parts(cls, terms: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TfIdf:
        """What `to_parts` gave, as a classifier.

        Raises:
            CheckpointError: they do not fit together.
        """
        make = need("sklearn.feature_extraction.text", "train").TfidfVectorizer
        made = {}
        try:
            for name, words in _PARTS.items():
                if name in terms:
                    made[name] = make(**words, vocabulary=[str(term) for term in terms[name]])
                    made[name].idf_ = tensors[f"{name}.idf"].double().numpy()
            weights, bias = (tensors[name].numpy() for name in ("weights", "bias"))
            found = cls(made, weights, bias)
            columns = sum(len(terms[name]) for name in made)
            if weights.shape[1] not in (columns, 4 * columns) or len(weights) != len(bias):
                raise ValueError(f"{weights.shape} for {columns} terms")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError("The TF-IDF model does not fit together.") from error
        return found

    def _named(self) -> list[tuple[str, Any]]:
        return list(self.vectorizers.items())


def _read(texts: Sequence[str]) -> list[str]:
    return [text[:MOST_LETTERS] for text in texts]


def _has_letters(corpus: Sequence[str]) -> bool:
    """Whether letters are counted too."""
    size, words = sum(map(len, corpus)), sum(len(text.split()) for text in corpus)
    return size <= MOST_FOR_LETTERS or size > _LONG * words


def _features(tables: Sequence[Any], texts: int, rows: int) -> Any:
    """The tables of words and of letters as one; the rows behind `texts` are the second texts."""
    sparse = need("scipy.sparse", "train")
    both = sparse.hstack(tables, format="csr") if tables else sparse.csr_matrix((rows, 0))
    if rows == texts:
        return both
    first, second = both[:texts], both[texts:]
    blocks = [first, second, abs(first - second), first.multiply(second)]
    return sparse.hstack(blocks, format="csr")
