"""`TextClassifier`: from a file of sentences to a model one can question, in seconds.

A frozen encoder makes features of every text once, and a logistic regression tells them apart; that
is most of the way. Fine-tuning goes on from there into the encoder. Beside every score stands what
counted words would have had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import left_out_text
from mlnb.data.text_columns import Columns
from mlnb.formatting import plural
from mlnb.tasks.texts import saving
from mlnb.tasks.texts.explaining import explain
from mlnb.tasks.texts.fitting import LAYERS, learn
from mlnb.tasks.texts.judging import Judged
from mlnb.tasks.texts.kept import Kept
from mlnb.tasks.texts.learning import learnt_of
from mlnb.tasks.texts.tuning import fine_tune

if TYPE_CHECKING:
    import os
    from typing import Self

    from mlnb.data.label_map import LabelMap
    from mlnb.networks.encoders import Encoder
    from mlnb.networks.export import ExportReport
    from mlnb.networks.sequential import Sequential
    from mlnb.tasks.texts.fitted import Fitted
    from mlnb.tasks.word_shares import Words
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

PREDICTED, SCORE = "PredictedLabel", "Score"


class TextClassifier(Kept, Judged):
    """Tells classes of texts apart, by the features of a network that has read a great deal.

    >>> classifier = TextClassifier().fit(["The soup was cold.", "Lovely!", …], [0, 1, …])
    >>> classifier.predict(["We sat an hour and the soup was cold."])
    array([0])
    >>> TextClassifier().fit(train, text="Text", target="Sentiment").evaluate(test)
    Evaluation(91.0% · 86.2 to 94.2 · 200 sentences · log-loss 0.238 · ECE 0.052 · …)

    A classifier of scikit-learn: `cross_val_score(TextClassifier(), texts, labels)`.

    Texts come as a list, a series or an array; pairs of them as a list of tuples, or as two columns
    of a frame. Labels are words, numbers or booleans; where a text may have many, a list of them
    for each, or a table of 0 and 1 with a column a class.

    Args:
        encoder: "auto", the one that needs no network; a folder or a name on the hub, as
            `mlnb.networks.encoders.encoder` takes them, or one that it gave; "tfidf", which counts
            words and letters; or a `Sequential` of one's own,
            `Sequential().embedding(5_000, 64).gru(64)`, whose first number is the most words that
            it tells apart; what is still a row of words at its end is averaged.
        layers: whose outputs are averaged over a text, side by side. Of an encoder that does not
            have six layers (6, 4) means its last one and the one at two thirds.
        head: "logreg", a logistic regression whose strength is chosen on texts that are held out;
            "linear", "mlp" or a `Sequential`, which are trained step by step.
        max_len: tokens of a text at most; the rest is not read.
        device: where the encoder runs: "auto", "cpu", "cuda", ….
        seed: of all that is drawn.
        cache: whether features are kept on this disk; or the folder for them.
        callbacks: of the training phases, as `Trainer` has them.

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        labels_: which number stands for which label, and how many texts had it.
        left_out_: why a text was left out of learning, by its id.
        held_out_: how good it was on texts that it was not trained on; `None` where it was trained
            on all: the validation rows, else each text as it was left out once.
        evaluation_: the last one that `evaluate` made.
        run_: the last training phase, where there was one; `runs_` has all. To go on with one
            changes the classifier no more: `fine_tune` again does.
    """

    takes_text = True  # what PredictionPanel gives it
    _saving = saving

    labels_: LabelMap
    runs_: tuple[Run, ...]
    left_out_: dict[Any, str]

    def __init__(
        self,
        encoder: str | os.PathLike[str] | Encoder | Sequential = "auto",
        layers: Sequence[int] = LAYERS,
        head: str | Sequential = "logreg",
        max_len: int = 128,
        device: str = "auto",
        seed: int | None = 0,
        *,
        cache: bool | str | os.PathLike[str] = True,
        callbacks: Iterable[Any] = (),
    ) -> None:
        self.encoder: Any = encoder
        self.layers = layers
        self.head = head
        self.max_len = max_len
        self.device = device
        self.seed = seed
        self.cache = cache
        self.callbacks = callbacks

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        text: Any = None,
        text_pair: Any = None,
        target: Any = None,
        validation: Any = None,
        tell: Callable[[str], object] = print,
    ) -> Self:
        """Learn from texts with labels.

        >>> TextClassifier().fit(texts, labels)
        >>> TextClassifier().fit(frame, text="Text", target="Sentiment")
        >>> TextClassifier().fit("yelp")

        Rows without a label, without a text, or whose `left_out` is true are left out, and told.

        Args:
            X: texts; a frame; a `Sample` or the name of one; a file that `read_table` reads. Of a
                frame with a column `split` the rows "train" are trained on, and the rows
                "validation" serve to choose.
            y: a label for each text; by default the frame's.
            text: the column of the texts; it may be left away where one alone can be meant.
            text_pair: the column of second texts.
            target: the column of labels, likewise; or several columns of 0 and 1.
            validation: texts to choose on, as `X`, or a tuple of texts and labels, or a share; by
                default the frame's. Without any the head is chosen on the training texts, which
                are held out by fifths; a network of one's own is stopped by a tenth of them.
            tell: takes the lines that are otherwise printed.

        Raises:
            DataError: one class, no labels, an unknown label in validation, bytes, a column that
                cannot be guessed.
            UnknownName: no such column, head or encoder.
            MissingExtra: the encoder is not installed.
        """
        learnt = learnt_of(X, y, Columns(text, text_pair, target), validation, self.seed)
        if learnt.left_out:
            tell(left_out_text(learnt.left_out, "text"))
        tell(f"labels: {learnt.labels}")
        self._keep(learn(self, learnt, tell), ())
        if held := self._ready.held_out:
            accuracy, interval, rows, *others = held.facts
            tell(" · ".join((f"{rows} held out: {accuracy} right, {interval}", *others)))
        return self

    def fine_tune(
        self,
        epochs: int = 2,
        lr: float = 1e-4,
        batch_size: int = 16,
        freeze: str | int = "embeddings",
    ) -> Self:
        """Train encoder and head together, from where `fit` ended; again, and it goes on.

        >>> classifier.fit(train).fine_tune().evaluate(test)

        AdamW with a decay of 0.01, a tenth of the steps to warm up and then down in a line,
        gradients clipped at 1 (Devlin et al. 2018, arXiv:1810.04805, A.3).

        Args:
            epochs: how often to go through the texts that `fit` was given.
            lr: the learning rate at its height.
            batch_size: texts a step.
            freeze: what stays as it is: "embeddings", of the words; "none"; or the number of
                lower layers that stay with them.

        Raises:
            TrainError: the encoder is none that can be trained, or `fit` was long ago: a loaded
                classifier has no texts.
        """
        tuned = fine_tune(
            self._ready, self, epochs=epochs, lr=lr, batch_size=batch_size, freeze=freeze
        )
        self._keep(tuned, self.runs_)
        return self

    def predict(
        self,
        X: Any,
        *,
        text: Any = None,
        text_pair: Any = None,
        tell: Callable[[str], object] = print,
    ) -> Any:
        """The likeliest label of each text; of a frame the frame with the answers in it.

        >>> classifier.predict(["Lovely!", "Never again."])
        array([1, 0])
        >>> classifier.predict(frame)[["Text", "PredictedLabel", "Score"]]

        A text that is empty, or nothing but white space, gets how often each class came in
        training; how many there are is told.

        Args:
            X: texts, one text, or a frame. A frame comes back as a copy with the columns
                `PredictedLabel` and `Score`, the probabilities in the order of `classes_`; of a
                classifier that was fitted as scikit-learn does it, on a frame `X` and labels `y`,
                the labels alone come back.
            text: of a frame: the column of the texts; by default that of `fit`.
            text_pair: likewise.
            tell: takes the lines that are otherwise printed.

        Returns:
            Labels `[n]`; where a text may have many, tuples of them, or, if they were given as a
            table, a table of 0 and 1.
        """
        fitted = self._ready
        rows = fitted.taken(X, Columns(text, text_pair))
        said = fitted.said(rows)
        empty = int(rows.is_empty.sum())
        if empty:
            tell(f"{plural(empty, 'text')} empty: answered by how often each class came")
        if rows.frame is None or not fitted.gives_frames:
            return fitted.answers(said, as_table=True)
        answers = list(fitted.answers(said, as_table=False))
        return rows.frame.assign(**{PREDICTED: answers, SCORE: list(said)})

    def predict_proba(self, X: Any, *, text: Any = None, text_pair: Any = None) -> Array:
        """The probability of each class, `float32 [n, classes]`; of many labels each by itself.

        >>> classifier.predict_proba(["Lovely!"])
        array([[0.01, 0.99]], dtype=float32)

        Args:
            X: as for `predict`.
            text: likewise.
            text_pair: likewise.
        """
        fitted = self._ready
        return fitted.said(fitted.taken(X, Columns(text, text_pair)))

    def explain(
        self,
        text: str | tuple[str, str],
        target: Any = None,
        *,
        method: str = "occlusion",
        pair: str | None = None,
    ) -> Words:
        """Which words of a text speak for a class, and which against it.

        >>> classifier.explain("We sat an hour and the soup was cold.")

        Args:
            text: what is explained; of a classifier of pairs (first, second).
            target: the class, one of `classes_`; the likeliest by default.
            method: "occlusion" leaves each word out in turn; "gradient" is the gradient times the
                input, averaged on the way from padding to the words (integrated gradients:
                Sundararajan et al. 2017, arXiv:1703.01365).
            pair: the second text, likewise; the words are those of the first.

        Raises:
            UnknownName: no such class or method.
        """
        return explain(self._ready, text, target, method=method, pair=pair)

    def export_onnx(self, path: str | os.PathLike[str]) -> ExportReport:
        """Write one ONNX file from token ids to probabilities, and the tokenizer beside it.

        Args:
            path: of the file; the tokenizer goes into `tokenizer.json` in its folder.

        Raises:
            ExportError: it cannot be written, or the file answers otherwise.
        """
        from mlnb.tasks.texts.export import export

        self._require_fitted()
        return export(self, path)

    def _keep(self, fitted: Fitted, runs: tuple[Run, ...]) -> None:
        """What came of it; what was said of an earlier one goes.

        Args:
            fitted: all of it.
            runs: the training phases before its own.
        """
        run, learnt = fitted.head.run, fitted.learnt
        self._fitted, self.classes_, self.labels_ = fitted, fitted.classes, fitted.labels
        self.left_out_ = {} if learnt is None else dict(learnt.left_out)
        self.runs_ = runs if run is None else (*runs, run)
        for name in ("run_", "evaluation_"):
            self.__dict__.pop(name, None)
        if self.runs_:
            self.run_ = self.runs_[-1]
