"""`SentenceSimilarity`: how alike two sentences are, in the units of whoever scored some pairs.

Without a fit it is an encoder's cosine, which searches and compares. `fit` puts that on the labels'
scale and learns a metric from them; `fine_tune` goes on into the encoder.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlnb.data.rows import left_out_text
from mlnb.errors import need, unknown
from mlnb.tasks.similarity import saving
from mlnb.tasks.similarity.learning import divided, learn
from mlnb.tasks.similarity.metric import Metric
from mlnb.tasks.similarity.pairs import to_evaluate_on, to_learn_from
from mlnb.tasks.similarity.report import SimilarityReport
from mlnb.tasks.similarity.scoring import Scorer
from mlnb.tasks.similarity.search import Searching
from mlnb.tasks.similarity.taking import Columns, take_pairs
from mlnb.tasks.similarity.tuning import fine_tune
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.fitting import encoder_of
from mlnb.tasks.texts.kept import Kept

if TYPE_CHECKING:
    import os
    from typing import Self

    from mlnb.data.features import Array
    from mlnb.networks.encoders import Encoder
    from mlnb.train.run import Run

METRICS = ("learned", "cosine")

_base: Any = need("sklearn.base", "train")


class SentenceSimilarity(Kept, Searching, _base.RegressorMixin, _base.BaseEstimator):
    """Says how alike two sentences are, and finds the nearest ones.

    >>> similarity = SentenceSimilarity()
    >>> similarity.search("The soup was cold.", reviews, k=3)
    >>> similarity.fit(train, a="sentence_a", b="sentence_b", target="score")
    >>> similarity.score(["A dog runs."], ["A dog is running."])
    array([4.7])
    >>> similarity.evaluate(test)
    SimilarityReport(Pearson 0.856 · …)

    A regressor of scikit-learn: `cross_val_score(SentenceSimilarity(), pairs, scores)` takes `[n,
    2]` of strings, or a frame, and gives R².

    A pair with a sentence that says nothing gets the mean score of training, and before `fit` a
    cosine of 0.

    Args:
        encoder: "auto", the one that needs no network; a folder or a name on the hub, as
            `mlnb.networks.encoders.encoder` takes them, or one that it gave.
        layers: whose outputs are averaged over a sentence, side by side; `None` for the last, which
            is what sentence encoders are trained for.
        metric: "cosine" fits a scale only; "learned" a matrix as well, which is dropped where it
            is no better on held-out pairs.
        max_len: tokens of a sentence at most, in the form "cross" of a pair; the rest is not read.
        device: where the encoder runs: "auto", "cpu", "cuda", ….
        seed: of all that is drawn.
        cache: whether embeddings are kept on this disk; or the folder for them.
        callbacks: of the training phases, as `Trainer` has them.

    Attributes:
        left_out_: why a pair was left out of learning, by its id.
        runs_: the training phases, the last one last; `run_` is that one.
    """

    left_out_: dict[Any, str]
    runs_: tuple[Run, ...]

    _saving = saving
    _loaded: tuple[Any, Encoder] | None = None
    _scorer: Scorer | None = None

    def __init__(
        self,
        encoder: str | os.PathLike[str] | Encoder = "auto",
        layers: Sequence[int] | None = None,
        metric: str = "learned",
        max_len: int = 128,
        device: str = "auto",
        seed: int | None = 0,
        *,
        cache: bool | str | os.PathLike[str] = True,
        callbacks: Iterable[Any] = (),
    ) -> None:
        self.encoder = encoder
        self.layers = layers
        self.metric = metric
        self.max_len = max_len
        self.device = device
        self.seed = seed
        self.cache = cache
        self.callbacks = callbacks

    def fit(
        self,
        first: Any,
        second: Any = None,
        score: Any = None,
        /,
        *,
        a: Any = None,
        b: Any = None,
        target: Any = None,
        validation: float = 0.1,
        tell: Callable[[str], object] = print,
    ) -> Self:
        """Learn from pairs with scores, in seconds.

        >>> SentenceSimilarity().fit(["A dog runs.", …], ["A dog is running.", …], [4.5, …])
        >>> SentenceSimilarity().fit(frame, a="left", b="right", target="stars")
        >>> SentenceSimilarity().fit(pairs, scores)

        Pairs without a score or with an empty sentence are left out, and told.

        Args:
            first: the first sentences; or both, as a frame, a `Sample` of one, or `[n, 2]`. Of a
                frame with a column `split` the rows "train" are trained on, and the rows
                "validation" held out.
            second: the second sentences; or, where `first` has both, the scores.
            score: a number for each pair, `[n]` or `[n, 1]`, in any units; by default the frame's.
            a: of a frame: the column of the first sentences; it may be left away where the columns
                are called sentence_a, sentence_b, score or much like that.
            b: likewise, of the second ones.
            target: likewise, of the scores.
            validation: the share of the pairs that is held out of training, to end and to judge it.
            tell: takes the lines that are otherwise printed.

        Raises:
            DataError: fewer than three pairs, all of one score, unequal lengths, no numbers.
            UnknownName: no such column, metric or encoder.
            MissingExtra: the encoder is not installed.
        """
        if self.metric not in METRICS:
            raise unknown("metric", str(self.metric), METRICS)
        pairs, left_out = to_learn_from(take_pairs(first, second, score, Columns(a, b, target)))
        learnt = divided(pairs, validation, self.seed)
        if left_out:
            tell(left_out_text(left_out, "pair"))
        self._scorer, run = learn(self, learnt, self._fresh_features(), tell)
        self.left_out_, self.runs_ = left_out, () if run is None else (run,)
        return self

    def fine_tune(
        self,
        epochs: int = 1,
        lr: float = 5e-5,
        batch_size: int = 16,
        form: str = "bi",
        freeze: str | int = "embeddings",
    ) -> Self:
        """Train the encoder too, from where `fit` ended; again, and it goes on.

        >>> similarity.fit(train).fine_tune().evaluate(test)

        AdamW with a decay of 0.01, a tenth of the steps to warm up and then down in a line,
        gradients clipped at 1, on the squared error (Reimers and Gurevych 2019, arXiv:1908.10084).

        Args:
            epochs: how often to go through the pairs that `fit` was given.
            lr: the learning rate at its height.
            batch_size: pairs a step.
            form: "bi" embeds each sentence by itself, and search follows; "cross" reads both at
                once, in the order given, and leaves search as it was.
            freeze: what stays as it is: "embeddings", of the words; "none"; or the number of
                lower layers that stay with them.

        Raises:
            TrainError: it was loaded, and has no pairs to train on.
            UnknownName: another form.
        """
        self._require_fitted()
        scorer, length = self._ready(), {"epochs": epochs, "batch_size": batch_size}
        self._scorer, run = fine_tune(scorer, self, lr=lr, form=form, freeze=freeze, **length)
        self.runs_ = (*self.runs_, run)
        return self

    @property
    def run_(self) -> Run:
        """The last training phase."""
        self._require_fitted()
        if not self.runs_:
            raise AttributeError("a cosine has a scale that is computed, and no run_")
        return self.runs_[-1]

    def predict(self, X: Any, *, a: Any = None, b: Any = None) -> Array:
        """The score of each pair in the labels' units, `float64 [n]`.

        >>> similarity.predict(frame)

        Args:
            X: pairs, as a frame or `[n, 2]` of strings.
            a: of a frame: the column of the first sentences.
            b: of the second ones.

        Raises:
            NotFittedError: there are no labels yet; `score` gives cosines.
        """
        self._require_fitted()
        return self._ready().scores(take_pairs(X, columns=Columns(a, b), labelled=False))

    def score(self, a: Any, b: Any = None) -> Any:
        """How alike sentences are, `float64 [n]` in the labels' units; before `fit` their cosine.

        >>> similarity.score(["A dog runs.", "It rains."], ["A dog is running.", "A dog runs."])
        array([4.7, 1.1])

        Args:
            a: the first sentences, or both, as a frame or `[n, 2]`.
            b: the second ones, or one for all. Numbers, beside pairs in `a`, are what
                scikit-learn's tools compare with: then the answer is R², one number.
        """
        if isinstance(b, str) and not isinstance(a, str):
            b = [b] * len(a)
        pairs = take_pairs(a, b, labelled=False)
        if pairs.scores is None:
            return self._ready().scores(pairs)
        self._require_fitted()
        r2 = need("sklearn.metrics", "train").r2_score
        return float(r2(pairs.scores, self._ready().scores(pairs)))

    def evaluate(
        self,
        first: Any,
        second: Any = None,
        score: Any = None,
        /,
        *,
        a: Any = None,
        b: Any = None,
        target: Any = None,
    ) -> SimilarityReport:
        """How well it agrees with scores that it has not seen: Pearson, Spearman, squared error.

        >>> similarity.evaluate(test).pearson
        0.856

        Before `fit` the cosines are compared, and there is no squared error.

        Args:
            first: as for `fit`; of a frame with a column `split` its rows "test".
            second: likewise.
            score: likewise.
            a: likewise.
            b: likewise.
            target: likewise.

        Raises:
            DataError: there is no pair with a score.
        """
        pairs, left_out = to_evaluate_on(take_pairs(first, second, score, Columns(a, b, target)))
        scorer = self._ready()
        notes = [scorer.features.text, *([left_out_text(left_out, "pair")] if left_out else [])]
        return SimilarityReport(
            pairs.a,
            pairs.b,
            pairs.known,
            scorer.scores(pairs),
            pairs.ids,
            in_units=self._scorer is not None,
            notes=tuple(notes),
        )

    # ---------------------------------------------------------------------------------------- below

    def __sklearn_clone__(self) -> Any:
        """The same words, unfitted; an encoder is shared, callbacks remember and are copied."""
        words = self.get_params(deep=False)
        return type(self)(**words | {"callbacks": copy.deepcopy(self.callbacks)})

    def __sklearn_is_fitted__(self) -> bool:
        return self._scorer is not None

    def _require_fitted(self) -> None:
        words = "This %(name)s is not fitted: fit(…) it; until then score(a, b) gives cosines."
        need("sklearn.utils.validation", "train").check_is_fitted(self, msg=words)

    def _ready(self) -> Scorer:
        """What scores; before `fit` the encoder's own cosine."""
        if self._scorer is not None:
            return self._scorer
        features = self._fresh_features()
        return Scorer(features, Metric(features.width, learned=False).eval(), self.cache)

    def _fresh_features(self) -> TextFeatures:
        """Of the encoder as it came, which is loaded once."""
        words = (self.encoder, self.device)
        if self._loaded is None or self._loaded[0] != words:
            self._loaded = words, encoder_of(self.encoder, self.device)
        return TextFeatures(self._loaded[1], self.layers, self.max_len)
