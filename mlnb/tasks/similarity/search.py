"""Sentences by what they mean, where one matrix product finds the nearest: `search`, `index`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.sample import Sample
from mlnb.data.text import clean
from mlnb.data.text_columns import Columns, columns_of
from mlnb.errors import DataError
from mlnb.formatting import display_text, plural

if TYPE_CHECKING:
    from pandas import DataFrame, Index

    from mlnb.tasks.similarity.scoring import Scorer

Array = np.ndarray[Any, np.dtype[Any]]


class Searching:
    """The part of `SentenceSimilarity` that finds sentences."""

    @abstractmethod
    def _ready(self) -> Scorer:
        """What places sentences."""

    def search(self, query: str, corpus: Any, k: int = 5, *, text: Any = None) -> DataFrame:
        """The sentences that mean most nearly the same, the nearest first.

        >>> similarity.search("The soup was cold.", reviews, k=3)

        It needs no labels; after `fit` it follows the metric that was learnt.

        Args:
            query: one sentence.
            corpus: sentences, as a list, a series or a frame; or an index of them, which answers
                at once.
            k: at most so many.
            text: of a frame: the column of the sentences.

        Returns:
            `text`, `similarity` (a cosine, at most 1) and `id`: of the row in the series or the
            frame, or the place in the list.

        Raises:
            DataError: an empty query or corpus, or an index that was made before the last fit.
        """
        wanted = checked_query(query, k)
        index = corpus if isinstance(corpus, SearchIndex) else self.index(corpus, text=text)
        scorer = self._ready()
        if index.key != scorer.key:
            raise DataError(
                "This index was made before the last fit, by other embeddings; make it again: "
                "index = similarity.index(corpus)"
            )
        return index.nearest(scorer.places([wanted])[0], int(k))

    def index(self, corpus: Any, *, text: Any = None) -> SearchIndex:
        """Sentences made ready to be searched many times.

        >>> index = similarity.index(frame, text="review")
        >>> similarity.search("The soup was cold.", index)

        Args:
            corpus: a list, a series or a frame; empty sentences are left out.
            text: of a frame: the column; it may be left away where one alone can be meant.
        """
        texts, ids = take_corpus(corpus, text)
        scorer = self._ready()
        return SearchIndex(texts, ids, scorer.places(texts), scorer.key)


@dataclass(frozen=True, eq=False, repr=False)
class SearchIndex:
    """Sentences and where they lie; made by `SentenceSimilarity.index`.

    >>> index = similarity.index(frame, text="review")
    >>> similarity.search("The soup was cold.", index)

    Args:
        texts: the sentences; empty ones are not among them.
        ids: of each: its label in the series or the frame, or its place in the list.
        places: `float32 [n, width]`, where the product of two is their similarity.
        key: of what made them.
    """

    texts: tuple[str, ...]
    ids: Index
    places: Array
    key: str

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"SearchIndex({plural(len(self), 'sentence')}, {self.places.shape[1]} numbers each)"

    def nearest(self, place: Array, k: int) -> DataFrame:
        """The `k` that are most similar, the nearest first; all where there are fewer.

        Args:
            place: of the query, `float32 [width]`.
            k: how many.
        """
        import pandas as pd

        similarity = self.places @ place
        best = np.argsort(-similarity, kind="stable")[:k]
        texts = [self.texts[row] for row in best]
        found = {"text": texts, "similarity": similarity[best], "id": self.ids[best]}
        return pd.DataFrame(found)


def take_corpus(corpus: Any, text: Any = None) -> tuple[tuple[str, ...], Index]:
    """Sentences to search in, without empty ones, and their ids.

    Args:
        corpus: a list, a series, a frame, or a `Sample` of one.
        text: of a frame: the column of the sentences; it may be left away where one alone can be
            meant.

    Raises:
        DataError: no sentence is in it.
    """
    import pandas as pd

    if isinstance(corpus, Sample):
        corpus = corpus.data()
    if isinstance(corpus, pd.DataFrame):
        corpus = corpus[columns_of(corpus, Columns(text), labelled=False).text]
    elif text is not None:
        raise DataError("text= names a column, and the corpus is no frame; leave it out.")
    texts = clean(corpus, "The corpus's sentences")
    ids = corpus.index if isinstance(corpus, pd.Series) else pd.RangeIndex(len(texts))
    said = [row for row, one in enumerate(texts) if one.strip()]
    if not said:
        held = f"its {plural(len(texts), 'text')} are empty" if texts else "it is empty"
        raise DataError(f"There is no sentence in the corpus to search in: {held}.")
    return tuple(texts[row] for row in said), ids[said]


def checked_query(query: Any, k: Any) -> str:
    """The sentence that is searched for.

    Raises:
        DataError: it is no string, it is empty, or `k` is no number from 1 on.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise DataError(f"k is a whole number from 1 on; received {display_text(repr(k), 40)}.")
    if not isinstance(query, str):
        raise DataError(f"The query is one sentence, a string; received {type(query).__name__}.")
    if not query.strip():
        raise DataError("The query is empty; give a sentence to search for.")
    return clean([query])[0]
