"""`FittedTexts`: what a text classifier has learnt, and how it answers with it.

All that `fit`, `fine_tune` and `load` leave behind stands here; what one calls is in
`classification.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.text_columns import Columns
from mlnb.errors import DataError
from mlnb.networks.sequential import Sequential
from mlnb.tasks.estimator import Classifier
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.fitting import Fitted, cache_of, counted, features_of, logits_of
from mlnb.tasks.texts.heads import probabilities
from mlnb.tasks.texts.judging import majority_of, shares_of
from mlnb.tasks.texts.labels import classes_array
from mlnb.tasks.texts.learning import Learnt, testing_of
from mlnb.tasks.texts.taking import TextRows, named_data, take_texts

if TYPE_CHECKING:
    from mlnb.data.label_map import LabelMap
    from mlnb.train.evaluation import Evaluation
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

THRESHOLD = 0.5
"""Of many labels: from which probability on one is given."""


class FittedTexts(Classifier):
    """The inside of `TextClassifier`."""

    labels_: LabelMap
    left_out_: dict[Any, str]
    held_out_: Evaluation | None
    evaluation_: Evaluation
    runs_: tuple[Run, ...]

    # what fit, fine_tune and load leave behind; the encoder is None where words are counted
    _encoder: Any
    _features: Any
    _layers: tuple[int, ...]
    _head: Any
    _made: Sequential | None
    _learnt: Learnt | None
    _counts: TfIdf | None
    _columns: Columns
    _shares: Array
    _majority: Any
    _is_multi_label: bool
    _is_table: bool
    _is_paired: bool
    _gives_frames: bool

    # of the words
    encoder: Any
    head: Any
    cache: Any

    def texts_to_logits(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, *, cached: bool = True
    ) -> Array:
        """What the network says before it is made probabilities, `float32 [n, classes]`.

        Args:
            texts: strings; an empty one is computed as well.
            pairs: the second text of each, of a classifier of pairs.
            cached: whether features are looked for, and kept, on this disk.
        """
        self._require_fitted()
        if isinstance(self._features, TfIdf):
            return self._features.logits(texts, pairs)
        cache = cache_of(self.cache, self._features) if cached else None
        return logits_of(self._head, features_of(self._features, texts, pairs, cache))

    @property
    def text(self) -> str:
        """In a line, for reports: the encoder and the head."""
        self._require_fitted()
        if isinstance(self._features, TfIdf):
            return self._features.text
        if isinstance(self.encoder, Sequential):
            words = f"{self._encoder.tokenizer.size:,} words"
            return f"{self._encoder.name} over {words}, up to {self._features.max_len} tokens"
        head = self.head if isinstance(self.head, str) else "head"
        return f"{head} on {self._features.text}"

    def _keep(self, learnt: Learnt, fitted: Fitted) -> None:
        """What a fit came to; all of it at once, after all of the work."""
        codes = learnt.codes[learnt.is_training]
        self.classes_, self.labels_ = classes_array(learnt.labels), learnt.labels
        self.left_out_ = dict(learnt.left_out)
        self._encoder, self._features, self._layers = fitted.encoder, fitted.features, fitted.layers
        self._head, self._made = fitted.head.module, fitted.head.made
        self._learnt, self._columns = learnt, learnt.columns
        self._shares, self._majority = shares_of(codes, learnt.classes), majority_of(codes)
        self._is_multi_label = learnt.is_multi_label
        self._is_table = learnt.rows.names is not None
        self._is_paired = learnt.rows.pairs is not None
        self._counts = fitted.features if isinstance(fitted.features, TfIdf) else None
        self._forget_scores()
        self.__dict__.pop("run_", None)
        self.runs_ = ()
        if fitted.head.run is not None:
            self.run_, self.runs_ = fitted.head.run, (fitted.head.run,)

    def _forget_scores(self) -> None:
        """They are those of what it was before."""
        self.__dict__.pop("evaluation_", None)
        self.held_out_ = None

    def _taken(self, given: Any, asked: Columns) -> TextRows:
        self._require_fitted()
        rows = take_texts(given, columns=self._columns_in(given, asked), labelled=False)
        self._require_form(rows)
        return rows

    def _testing(self, given: Any, y: Any, asked: Columns) -> tuple[TextRows, dict[Any, str]]:
        data = named_data(given)
        rows, left_out = testing_of(data, y, self._columns_in(data, asked))
        self._require_form(rows)
        return rows, left_out

    def _columns_in(self, given: Any, asked: Columns) -> Columns:
        """Of a frame, those of `fit` where nothing else is said and they are there."""
        if not hasattr(given, "columns"):
            return asked
        known, there = self._columns, list(given.columns)
        has_target = known.target is not None and all(
            name in there for name in np.atleast_1d(np.array(known.target, object))
        )
        return Columns(
            asked.text if asked.text is not None or known.text not in there else known.text,
            asked.text_pair if asked.text_pair is not None else known.text_pair,
            asked.target if asked.target is not None or not has_target else known.target,
        )

    def _require_form(self, rows: TextRows) -> None:
        if (rows.pairs is not None) != self._is_paired and len(rows):
            wanted, came = "pairs of texts", "single texts"
            if not self._is_paired:
                wanted, came = came, wanted
            raise DataError(f"This classifier was fitted on {wanted}; received {came}.")

    def _probabilities(self, rows: TextRows) -> Array:
        said = np.repeat(self._shares[None], len(rows), axis=0)
        asked = np.flatnonzero(~rows.is_empty)
        if len(asked):
            some = rows.rows(asked)
            logits = self.texts_to_logits(some.texts, some.pairs)
            said[asked] = probabilities(logits, self._is_multi_label)
        return said

    def _answers(self, said: Array, *, as_table: bool = True) -> Array:
        if not self._is_multi_label:
            labels: Array = self.classes_[said.argmax(axis=1)]
            return labels
        table = said >= THRESHOLD
        if self._is_table and as_table:
            return table.astype(np.int64)
        answers = np.empty(len(table), object)
        answers[:] = [tuple(self.labels_.labels(np.flatnonzero(row).tolist())) for row in table]
        return answers

    def _tfidf(self) -> TfIdf:
        """What counted words make of the training texts, fitted when somebody first asks."""
        if self._counts is None:
            assert self._learnt is not None
            self._counts = counted(self._learnt)
        return self._counts
