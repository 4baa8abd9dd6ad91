"""`TextClassifier`: from a file of sentences to a model one can question, in seconds.

A frozen encoder makes features of every text once, and a logistic regression tells them apart; that
is most of the way. Fine-tuning goes on from there into the encoder. Beside every score stands what
counted words would have had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.rows import left_out_text
from mlnb.data.text_columns import Columns
from mlnb.errors import TrainError
from mlnb.formatting import plural
from mlnb.networks.sequential import Sequential
from mlnb.tasks.texts.fitted import FittedTexts
from mlnb.tasks.texts.fitting import LAYERS, learn
from mlnb.tasks.texts.judging import held_out, judged
from mlnb.tasks.texts.learning import learnt_of

if TYPE_CHECKING:
    import os
    from typing import Self

    import pandas as pd

    from mlnb.networks.encoders import Encoder
    from mlnb.networks.export import ExportReport
    from mlnb.tasks.word_shares import Words
    from mlnb.train.evaluation import Evaluation

Array = np.ndarray[Any, np.dtype[Any]]

PREDICTED, SCORE = "PredictedLabel", "Score"
HELD_BACK = 0.1
"""The share of the texts that ends the training of a network of one's own, where none is named."""


class TextClassifier(FittedTexts):
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
        columns = Columns(text, text_pair, target)
        learnt = learnt_of(X, y, columns, validation, self.seed)
        if isinstance(self.encoder, Sequential):
            learnt = learnt.with_some_held_out(HELD_BACK, self.seed)
        if learnt.left_out:
            tell(left_out_text(learnt.left_out, "text"))
        tell(f"labels: {learnt.labels}")
        fitted = learn(self, learnt, tell)
        self._keep(learnt, fitted)
        self._gives_frames = not (hasattr(X, "columns") and y is not None)
        self.held_out_ = held_out(self, learnt, fitted.head)
        if self.held_out_ is not None:
            tell(f"held out: {' · '.join(self.held_out_.facts)}")
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
        from mlnb.tasks.texts import tuning

        self._require_fitted()
        tuning.fine_tune(self, epochs=epochs, lr=lr, batch_size=batch_size, freeze=freeze)
        self._forget_scores()
        assert self._learnt is not None
        self.held_out_ = held_out(self, self._learnt, None)
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
        rows = self._taken(X, Columns(text, text_pair))
        said = self._probabilities(rows)
        empty = int(rows.is_empty.sum())
        if empty:
            tell(f"{plural(empty, 'text')} empty: answered by how often each class came")
        if rows.frame is None or not self._gives_frames:
            return self._answers(said)
        answers = list(self._answers(said, as_table=False))
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
        return self._probabilities(self._taken(X, Columns(text, text_pair)))

    def evaluate(
        self,
        test: Any,
        y: Any = None,
        *,
        text: Any = None,
        text_pair: Any = None,
        target: Any = None,
    ) -> Evaluation:
        """How good it is on texts that it has not seen, beside what is simpler.

        Its `baselines` are "majority", the answer most frequent in training, and "TF-IDF", a
        logistic regression on counted words and letters that has learnt from the same texts.

        >>> classifier.evaluate(test).baselines
        {'majority': 0.5, 'TF-IDF': 0.84}

        Args:
            test: as for `fit`; of a frame with a column `split` its rows "test".
            y: a label for each; by default the frame's.
            text: of a frame: the column of the texts; by default that of `fit`.
            text_pair: likewise.
            target: of the labels, likewise.

        Raises:
            DataError: there are no labels, or one that training has not.
        """
        self._require_fitted()
        rows, left_out = self._testing(test, y, Columns(text, text_pair, target))
        self.evaluation_ = judged(self, rows, left_out)
        return self.evaluation_

    def score(self, X: Any, y: Any = None) -> float:
        """The share that is right, of many labels in every class; `evaluate` tells more."""
        self._require_fitted()
        rows, _ = self._testing(X, y, Columns())
        return judged(self, rows, beside=False).accuracy

    def most_wrong(self, n: int = 10) -> pd.DataFrame:
        """The texts whose label it thought least likely: odd sentences, and labels that are wrong.

        Of the last `evaluate`; before one, of the texts that were held out of training.

        >>> classifier.most_wrong(5)

        Args:
            n: at most so many.

        Raises:
            TrainError: it was trained on all texts and has not been evaluated.
        """
        self._require_fitted()
        scored = getattr(self, "evaluation_", None) or self.held_out_
        if scored is None:
            raise TrainError("There is nothing that it was judged on: evaluate(test) first.")
        return scored.most_wrong(n)

    def explain(
        self,
        text: str,
        target: Any = None,
        *,
        method: str = "occlusion",
        pair: str | None = None,
    ) -> Words:
        """Which words of a text speak for a class, and which against it.

        >>> classifier.explain("We sat an hour and the soup was cold.")

        Args:
            text: what is explained.
            target: the class, one of `classes_`; the likeliest by default.
            method: "occlusion" leaves each word out in turn; "gradient" is the gradient times the
                input, averaged on the way from padding to the words (integrated gradients:
                Sundararajan et al. 2017, arXiv:1703.01365).
            pair: the second text, of a classifier of pairs; the words are those of the first.

        Raises:
            UnknownName: no such class or method.
        """
        from mlnb.tasks.texts.explaining import explain

        self._require_fitted()
        return explain(self, text, target, method=method, pair=pair)

    # ----------------------------------------------------------------------------------- keeping

    def save(self, folder: str | os.PathLike[str], *, whole: bool = False) -> Path:
        """Write the classifier into a folder: safetensors and JSON, no pickle.

        Args:
            folder: is made; an older classifier in it is replaced.
            whole: whether the encoder goes in too. Without, it is named with the sha256 of its
                weights; a fine-tuned one, or one of one's own, always goes in.
        """
        from mlnb.tasks.texts.saving import save

        self._require_fitted()
        return save(self, folder, whole=whole)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, encoder: Any = None) -> TextClassifier:
        """A classifier that `save` wrote, ready to predict; no network is asked.

        Args:
            folder: what `save` was given.
            encoder: where it is not in the folder and not where it was: an `Encoder`, or the folder
                of one.

        Raises:
            CheckpointError: something is missing, damaged, or another one's.
        """
        from mlnb.tasks.texts.saving import load

        made: TextClassifier = load(cls, folder, encoder)
        return made

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
