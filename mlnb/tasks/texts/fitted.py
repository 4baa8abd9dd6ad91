"""`Fitted`: what a text classifier has come to, and how it answers.

`fit`, `fine_tune` and `load` each make one whole, after all of their work, so that an error or an
interrupt leaves the classifier with the one that it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.text_columns import Columns
from mlnb.errors import DataError
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.features import TextFeatures, features_of
from mlnb.tasks.texts.heads import IN_WORDS, Head, logits_of, probabilities
from mlnb.tasks.texts.judging import beside, judged
from mlnb.tasks.texts.learning import Learnt, testing_of
from mlnb.tasks.texts.taking import TextRows, named_data, take_texts

if TYPE_CHECKING:
    from mlnb.data.label_map import LabelMap
    from mlnb.networks.encoders import Encoder
    from mlnb.train.evaluation import Evaluation

Array = np.ndarray[Any, np.dtype[Any]]

THRESHOLD = 0.5
"""Of many labels: from which probability on one is given."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """Features, head, and all that an answer needs beside them.

    Args:
        features: an encoder's; or counted words, which need no head.
        head: from features to logits.
        labels: which number stands for which label.
        shares: how often each class came, `float32 [classes]`: the answer to an empty text.
        majority: the class that came most often; of many labels the set, as 0 and 1.
        columns: of the frame that was learnt from.
        is_multi_label: whether a text may have many labels.
        is_table: whether those came as a table of 0 and 1.
        is_paired: whether texts come in pairs.
        learnt: what was learnt from; `None` of what was loaded.
        counts: what counted words have learnt, where `learnt` cannot tell.
        cache: whether features are kept on this disk; or the folder for them.
    """

    features: TextFeatures | TfIdf
    head: Head
    labels: LabelMap
    shares: Array
    majority: Any
    columns: Columns
    is_multi_label: bool
    is_table: bool
    is_paired: bool
    learnt: Learnt | None = None
    counts: TfIdf | None = None
    cache: Any = True

    @property
    def encoder(self) -> Encoder | None:
        """The network; `None` where words are counted."""
        return None if isinstance(self.features, TfIdf) else self.features.encoder

    @property
    def text(self) -> str:
        """In a line, for reports: the head and what it stands on."""
        head = IN_WORDS.get(self.head.name, self.head.name)
        return " on ".join(filter(None, (head, self.features.text)))

    @property
    def classes(self) -> Array:
        """The labels as scikit-learn has them, in the order of the probabilities."""
        return self.labels.to_numpy()

    @property
    def counted(self) -> TfIdf:
        """What counted words make of the training texts, fitted when somebody first asks."""
        if isinstance(self.features, TfIdf):
            return self.features
        if self.counts is None:
            assert self.learnt is not None
            return self.learnt.counted
        return self.counts

    def logits(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, *, cached: bool = True
    ) -> Array:
        """What is said before it is made probabilities, `float32 [n, classes]`.

        Args:
            texts: strings; an empty one is computed as well.
            pairs: the second text of each, where they come in pairs.
            cached: whether features are looked for, and kept, on this disk.
        """
        if isinstance(self.features, TfIdf):
            return self.features.logits(texts, pairs)
        rows = features_of(self.features, texts, pairs, self.cache if cached else False)
        return logits_of(self.head.module, rows)

    def said(self, rows: TextRows) -> Array:
        """The probability of each class, `float32 [n, classes]`."""
        said = np.repeat(self.shares[None], len(rows), axis=0)
        asked = np.flatnonzero(~rows.is_empty)
        if len(asked):
            some = rows.rows(asked)
            said[asked] = probabilities(self.logits(some.texts, some.pairs), self.is_multi_label)
        return said

    def answers(self, said: Array, *, as_table: bool) -> Array:
        """The labels that probabilities come to, `[n]`.

        Args:
            said: `float32 [n, classes]`.
            as_table: whether many labels that came as a table go as one, `[n, classes]`.
        """
        if not self.is_multi_label:
            labels: Array = self.classes[said.argmax(axis=1)]
            return labels
        table = said >= THRESHOLD
        if self.is_table and as_table:
            return table.astype(np.int64)
        answers = np.empty(len(table), object)
        answers[:] = [tuple(self.labels.labels(np.flatnonzero(row).tolist())) for row in table]
        return answers

    @property
    def gives_frames(self) -> bool:
        """Whether a frame comes back with the answers in it.

        Not where labels stood beside a frame: that is scikit-learn's way, and it wants labels.
        """
        return self.columns.text is None or self.columns.target is not None

    # ------------------------------------------------------------------------------ how good it is

    @cached_property
    def held_out(self) -> Evaluation | None:
        """How it does on texts that were held out of training; `None` where there were none."""
        learnt, head = self.learnt, self.head
        if learnt is None:
            return None
        apart = np.flatnonzero(~learnt.is_training)
        held = apart if head.held is None else head.held
        if not len(held):
            return None
        note = "" if len(apart) else "each text was left out of training when it was asked for"
        return judged(self, learnt.rows.rows(held), said=head.said, note=note)

    @cached_property
    def held_out_beside(self) -> Evaluation | None:
        """The same beside counted words, unless they have seen these texts."""
        learnt, made = self.learnt, self.held_out
        if learnt is None or made is None or learnt.is_training.all():
            return made
        return beside(self, learnt.rows.rows(np.flatnonzero(~learnt.is_training)), made)

    # ------------------------------------------------------------------------------ what is given

    def taken(self, given: Any, asked: Columns) -> TextRows:
        """Texts to answer for; of a frame those of the columns of `fit`, where none are asked for.

        Raises:
            DataError: no texts, or pairs where there were none, or none where there were.
        """
        rows = take_texts(given, columns=self._columns_in(given, asked), labelled=False)
        return self._of_this_form(rows)

    def testing(self, given: Any, y: Any, asked: Columns) -> tuple[TextRows, dict[Any, str]]:
        """Labelled texts to judge on, and why others are left out; see `testing_of`."""
        data = named_data(given)
        rows, left_out = testing_of(data, y, self._columns_in(data, asked))
        return self._of_this_form(rows), left_out

    def _columns_in(self, given: Any, asked: Columns) -> Columns:
        if not hasattr(given, "columns"):
            return asked
        known, there = self.columns, list(given.columns)
        has_target = known.target is not None and all(
            name in there for name in np.atleast_1d(np.array(known.target, object))
        )
        return Columns(
            asked.text if asked.text is not None or known.text not in there else known.text,
            asked.text_pair if asked.text_pair is not None else known.text_pair,
            asked.target if asked.target is not None or not has_target else known.target,
        )

    def _of_this_form(self, rows: TextRows) -> TextRows:
        if (rows.pairs is not None) != self.is_paired and len(rows):
            wanted, came = "single texts", "pairs of texts."
            if self.is_paired:
                wanted = "pairs of texts"
                came = "single texts. A pair is (first, second), or stands in two columns."
            raise DataError(f"This classifier was fitted on {wanted}; received {came}")
        return rows
