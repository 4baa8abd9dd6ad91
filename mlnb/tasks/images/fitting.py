"""`learn`: the phases of a fit, one after the other, of a picture classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mlnb.data.rows import left_out_text
from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text
from mlnb.models.model import Model
from mlnb.networks.sequential import Sequential
from mlnb.tasks.images.bottleneck import Bottleneck, bottleneck, cache_of
from mlnb.tasks.images.conventions import by_best_convention, plain_pixels
from mlnb.tasks.images.features import Features, ModelFeatures, TorchFeatures, torch_body
from mlnb.tasks.images.heads import HEADS, make_head
from mlnb.tasks.images.learning import Learning, require_classes
from mlnb.tasks.images.preprocessing import preprocessing_of
from mlnb.tasks.images.training import Words, train_head
from mlnb.tasks.images.tuning import AUGMENTATIONS, fine_tune, require_stages

if TYPE_CHECKING:
    from torch import nn

    from mlnb.tasks.images.classification import ImageClassifier
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Learnt:
    """What a fit comes to.

    Args:
        features: the backbone, tuned where that was asked for.
        net: standardising and head.
        head: as it was written.
        runs: of the training phases.
        made: of the bottleneck phase.
        left_out: why pictures were not learnt from, by their ids.
    """

    features: Features
    net: nn.Module
    head: Sequential
    runs: tuple[Run, ...]
    made: Bottleneck
    left_out: dict[Any, str]


def learn(classifier: ImageClassifier, learning: Learning, tell: Callable[[str], object]) -> Learnt:
    """Bottleneck phase, training phase, and fine-tuning where that is asked for.

    Args:
        classifier: says how.
        learning: the pictures.
        tell: takes a line for each thing worth one.
    """
    features = features_for(classifier, learning, tell)
    cache = cache_of(classifier.cache, features)
    made = bottleneck(learning.pictures, features, cache)
    if made.computed:
        tell(f"bottleneck: {made.text}")
    if cache is not None and cache.problem:
        tell(f"features are not kept in {display_text(str(cache.folder), 200)}: {cache.problem}")
    left_out = {**learning.left_out, **made.left_out(learning.pictures.ids)}
    if left_out:
        tell(left_out_text(left_out, "picture"))
    train, held = learning.is_training & made.is_read, ~learning.is_training & made.is_read
    require_classes(learning.codes[train], learning.classes)
    words = Words.of(classifier)
    given = classifier.head
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(classifier.seed or 0)
        head = make_head(given, made.features.shape[1], len(learning.classes))
    data = [(made.features[rows], learning.codes[rows]) for rows in (train, held)]
    name = f"{given if given in HEADS else 'head'} on {features.name}"
    net, run = train_head(head, data[0], data[1], words, name)
    runs: tuple[Run, ...] = (run,)
    if classifier.fine_tune and isinstance(features, TorchFeatures):
        last, augment = classifier.fine_tune, classifier.augment
        features, net, run = fine_tune(
            features, net, learning, made.is_read, words, last=last, augment=augment
        )
        runs = (*runs, run)
    return Learnt(features, net, head, runs, made, left_out)


def features_for(
    classifier: ImageClassifier, learning: Learning, tell: Callable[[str], object]
) -> Features:
    """The backbone that a classifier names or holds, with its preprocessing."""
    given, how = classifier.backbone, classifier.preprocessing
    if isinstance(given, Model):
        if how is None:
            features = by_best_convention(given, learning, tell)
        else:
            features = ModelFeatures(given, preprocessing_of(how, plain_pixels(given)))
        if not given.is_cut:
            cut = display_text(features.cut, 60)
            tell(f"backbone: {display_text(given.title, 60)} cut at {cut}, before its classifier")
        return features
    body = torch_body(given, classifier.weights, classifier.seed)
    if classifier.fine_tune:
        require_stages(body, classifier.fine_tune)
    own = preprocessing_of(body.preprocess)
    return TorchFeatures(body, own if how is None else preprocessing_of(how, own))


def check_words(classifier: ImageClassifier) -> None:
    """Refuse words that cannot be meant, before any picture is looked at.

    Raises:
        UnknownName: no such head or augmentation.
        TrainError: words that do not go together.
    """
    if classifier.augment not in AUGMENTATIONS:
        raise unknown("augment", str(classifier.augment), AUGMENTATIONS)
    if not isinstance(classifier.head, Sequential) and classifier.head not in HEADS:
        raise unknown("head", str(classifier.head), [*HEADS, "a Sequential"])
    if classifier.fine_tune and isinstance(classifier.backbone, Model):
        raise TrainError(
            f"fine_tune={classifier.fine_tune}, but the weights of a loaded model stay as they "
            "are: fine_tune=0, or a backbone by name."
        )
