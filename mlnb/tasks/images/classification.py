"""`ImageClassifier`: from a folder of photographs to a model one can use, in two phases.

The bottleneck phase runs every picture through a frozen backbone once and keeps the features; the
training phase trains a head on them, and can be repeated in seconds with another head, split or
class. Fine-tuning then goes on into the backbone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from mlnb.data.label_map import LabelMap
from mlnb.data.rows import left_out_text
from mlnb.errors import TrainError
from mlnb.tasks.estimator import Classifier
from mlnb.tasks.images.bottleneck import bottleneck, cache_of
from mlnb.tasks.images.features import ModelFeatures
from mlnb.tasks.images.fitting import check_words, learn
from mlnb.tasks.images.learning import learning_of, testing_of
from mlnb.tasks.images.pictures import take_pictures
from mlnb.tasks.images.training import probabilities
from mlnb.train.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    import os
    from typing import Self

    from mlnb.models.model import Model
    from mlnb.networks.export import ExportReport
    from mlnb.networks.sequential import Sequential
    from mlnb.tasks.images.bottleneck import Bottleneck
    from mlnb.tasks.images.pictures import Pictures
    from mlnb.tasks.images.preprocessing import Preprocessing
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]


class ImageClassifier(Classifier):
    """Tells classes of pictures apart, by the features of a network that was trained on others.

    >>> classifier = ImageClassifier("mobilenet_v2").fit("cats_vs_dogs")
    >>> classifier.predict(["mine.jpg"])
    array(['cats'], dtype='<U4')
    >>> classifier.evaluate(test_frame).accuracy

    A classifier of scikit-learn: `cross_val_score(ImageClassifier(), frame, frame["label"])`.

    Args:
        backbone: a name that `mlnb.networks.backbones.backbone` knows, or a loaded `Model`: ONNX,
            TensorFlow, TFLite or a module, cut where you chose by `model.cut`, or else at the last
            tensor before its classifier.
        weights: "default", another name such as "IMAGENET1K_V1", a file, or `None` for random ones.
        head: "linear", "mlp", or a `Sequential` that gives a number for each class.
        fine_tune: how many of the backbone's last stages are trained as well, after the head.
        augment: how pictures vary while a backbone is fine-tuned: "light", "strong" or "none".
        epochs: the most, of each phase.
        lr: the learning rate of the head, 0.001; fine-tuning takes a tenth of it for the head and
            a hundredth for the backbone.
        batch_size: rows a step.
        early_stopping: whether to end when validation gets no better; or for how many epochs that
            is borne.
        validation: the share of the pictures that the training phase validates on, where `fit` is
            told of none.
        cache: whether features are kept on this disk; or the folder for them.
        preprocessing: of a picture, as the steps `[ResizeImages(…), ExtractPixels(…)]`; of one
            step that is missing, the weights' own or what the `Model` takes. `None` takes that of
            the weights, and for a `Model` tries the conventions and takes the one that scores best
            on the validation pictures.
        callbacks: of the training phases, as `Trainer` has them.
        seed: of the split, of the head and of random weights.

    Attributes:
        classes_: the labels, in the order of the columns of `predict_proba`.
        run_: the last training phase; `runs_` has all.
        preprocessing_: the `Preprocessing` that was taken.
        bottleneck_: what the bottleneck phase computed and what it cost.
        left_out_: why a picture was left out of learning, by its id.
    """

    run_: Run
    runs_: tuple[Run, ...]
    preprocessing_: Preprocessing
    bottleneck_: Bottleneck
    left_out_: dict[Any, str]

    def __init__(
        self,
        backbone: str | Model = "mobilenet_v2",
        weights: Any = "default",
        head: str | Sequential = "linear",
        fine_tune: int = 0,
        augment: str = "light",
        epochs: int = 30,
        lr: float | None = None,
        batch_size: int = 32,
        early_stopping: bool | int = True,
        validation: float = 0.1,
        cache: bool | str | os.PathLike[str] = True,
        preprocessing: Any = None,
        callbacks: Iterable[Any] = (),
        seed: int | None = 0,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.head = head
        self.fine_tune = fine_tune
        self.augment = augment
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation = validation
        self.cache = cache
        self.preprocessing = preprocessing
        self.callbacks = callbacks
        self.seed = seed

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        validation: Any = None,
        target: str | None = None,
        tell: Callable[[str], object] = print,
    ) -> Self:
        """Learn from pictures with labels; a bottleneck phase, then a training phase.

        >>> ImageClassifier().fit(split(image_frame("cats_vs_dogs")))

        Args:
            X: a frame of `image_frame`, a folder, files, or pixels. Of a frame that has been
                `split`, its training rows are trained on and its validation rows validated on.
            y: a label for each; by default the frame's or the folder's.
            validation: a share, or pictures as `X`; by default the frame's, else the share that the
                classifier was made with.
            target: the column of labels; "label" by default.
            tell: takes the lines that are otherwise printed.

        Raises:
            DataError: one class, no labels, an unknown label in validation.
            ImageError: not one picture can be read.
        """
        check_words(self)
        learning = learning_of(
            X, y, validation, share=self.validation, target=target, seed=self.seed, tell=tell
        )
        learnt = learn(self, learning, tell)
        self.classes_, self.left_out_ = learning.classes, learnt.left_out
        self.run_, self.runs_ = learnt.runs[-1], learnt.runs
        self.bottleneck_, self.preprocessing_ = learnt.made, learnt.features.preprocessing
        self._features, self._net, self._head = learnt.features, learnt.net, learnt.head
        return self

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, `float32 [n, classes]`; NaN for what cannot be read.

        >>> classifier.predict_proba("holiday_photos").shape
        (34, 2)

        Args:
            X: a frame, a folder, files, or pixels `uint8 [n, height, width, 3]`.

        Raises:
            ImageError: not one picture can be read.
        """
        features = self.features(X)
        return probabilities(self._net, features)

    def features(self, X: Any) -> Array:
        """What the backbone makes of pictures, `float32 [n, width]`; NaN for what cannot be read.

        >>> EmbeddingMap(classifier.features(frame), frame)

        Args:
            X: as for `predict_proba`.
        """
        self._require_fitted()
        pictures = take_pictures(X)
        if not pictures:
            return np.empty((0, self._net.get_buffer("standardise.mean").numel()), np.float32)
        return self._bottleneck(pictures).features

    def evaluate(self, test: Any, y: Any = None, *, target: str | None = None) -> Evaluation:
        """How good it is on pictures that it has not seen.

        >>> classifier.evaluate(test).accuracy
        0.985

        Args:
            test: as for `fit`; of a frame that has been `split`, its test rows.
            y: a label for each; by default the frame's or the folder's.
            target: the column of labels.

        Raises:
            DataError: there are no labels, or one that training has not.
        """
        self._require_fitted()
        pictures, left_out = testing_of(test, y, target=target)
        LabelMap.of(self.classes_).codes(pictures.labels or (), "test")  # refuses unknown ones
        made = self._bottleneck(pictures)
        left_out |= made.left_out(pictures.ids)
        read = np.flatnonzero(made.is_read)
        seen = pictures.rows(read)
        notes = [self._features.text, *([left_out_text(left_out, "picture")] if left_out else [])]
        return evaluate(
            list(seen.labels or ()),
            probabilities(self._net, made.features[read]),
            self.classes_,
            ids=seen.ids,
            frame=seen.shown(),
            content="path" if seen.in_files else None,
            noun="photograph",
            notes=notes,
        )

    def explain(self, picture: Any, target: Any = None) -> Array:
        """Which places of a picture speak for a class, `float32 [height, width]` from 0 to 1.

        Grad-CAM (Selvaraju et al. 2017) where the backbone is torch's, else what changes when a
        place is hidden (Zeiler and Fergus 2014).

        >>> seen = classifier.explain("mine.jpg", target="cats")

        Args:
            picture: a file, or pixels `uint8 [height, width, 3]`.
            target: one of `classes_`; the likeliest by default.

        Raises:
            DataError: no such class.
            ImageError: no such picture.
        """
        from mlnb.tasks.images.explaining import explain

        self._require_fitted()
        return explain(self, picture, target)

    def torch_module(self) -> nn.Module:
        """Backbone and head as one module: `[n, 3, height, width]`, preprocessed, to logits.

        Raises:
            TrainError: the backbone is a loaded `Model`, which torch cannot follow.
        """
        self._require_fitted()
        if isinstance(self._features, ModelFeatures):
            raise TrainError(f"{self._features.source} does not run in torch; explain() works.")
        return nn.Sequential(self._features.body, self._net).eval()

    def _bottleneck(self, pictures: Pictures) -> Bottleneck:
        return bottleneck(pictures, self._features, cache_of(self.cache, self._features))

    # ----------------------------------------------------------------------------------- keeping

    def save(self, folder: str | os.PathLike[str], *, whole: bool = False) -> Path:
        """Write the classifier into a folder: safetensors and JSON, no pickle.

        Args:
            folder: is made; an older classifier in it is replaced.
            whole: whether the backbone's weights go in too. Without, it is named with the sha256 of
                its weights; a fine-tuned one always goes in.
        """
        from mlnb.tasks.images.saving import save

        self._require_fitted()
        return save(self, folder, whole=whole)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, backbone: Any = None) -> ImageClassifier:
        """A classifier that `save` wrote, ready to predict.

        Args:
            folder: what `save` was given.
            backbone: where it is not in the folder and not where it was: the `Model`, or the file
                of the weights.

        Raises:
            CheckpointError: something is missing, damaged, or another one's.
        """
        from mlnb.tasks.images.saving import load

        made: ImageClassifier = load(cls, folder, backbone)
        return made

    def export_onnx(
        self, path: str | os.PathLike[str], *, preprocessing: bool = True
    ) -> ExportReport:
        """Write one ONNX file from decoded pixels to probabilities, checked before it is written.

        Args:
            path: of the file.
            preprocessing: whether it takes `uint8 [n, height, width, 3]` of any size; without,
                what `preprocessing_` makes of them.

        Raises:
            ExportError: it cannot be written, or the file answers otherwise.
        """
        from mlnb.tasks.images.export import export

        self._require_fitted()
        return export(self, path, preprocessing=preprocessing)
