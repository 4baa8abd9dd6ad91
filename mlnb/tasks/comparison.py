"""`compare_backbones`: which network's features tell these photographs apart, and at what price.

A line on the features of each, judged on photographs that it has not seen: no backbone is trained,
so what is computed once serves the classifier that is made of the winner.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.confident_learning import out_of_sample
from mlnb.errors import CheckpointError, DataError, DownloadError, need, unknown
from mlnb.networks.backbones import Backbone, backbone
from mlnb.tasks.images.bottleneck import BATCH, bottleneck, cache_of
from mlnb.tasks.images.features import TorchFeatures
from mlnb.tasks.images.learning import in_turn, label_map
from mlnb.tasks.images.pictures import Pictures, take_pictures, usable
from mlnb.train.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    import os

    from pandas import DataFrame
    from plotly.graph_objects import Figure

    from mlnb.formatting import Markup

Array = np.ndarray[Any, np.dtype[Any]]

NAMES = ("vgg16", "inception_v3", "resnet18", "mobilenet_v2")
FOLDS = 5


@dataclass(frozen=True)
class ComparedBackbone:
    """One backbone on the photographs.

    Args:
        backbone: its name.
        evaluation: of a linear head on its features, out of sample; `None` where there is a reason.
        features: how many numbers it gives for a picture.
        seconds: what features and head took in this call; cached features take none.
        megabytes: of its weights, without the head that was taken off.
        per_second: pictures a second through the network, decoding included.
        reason: why it could not be compared.
    """

    backbone: str
    evaluation: Evaluation | None = None
    features: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0
    per_second: float = 0.0
    reason: str = ""

    @property
    def accuracy(self) -> float:
        """The share of photographs that are right; NaN where it could not be compared."""
        return float("nan") if self.evaluation is None else self.evaluation.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        nothing = (float("nan"), float("nan"))
        return nothing if self.evaluation is None else self.evaluation.interval


@dataclass(frozen=True)
class Comparison:
    """Backbones side by side, the most accurate first, those without weights last.

    Args:
        rows: one each.
        pictures: how many they were compared on.
    """

    rows: tuple[ComparedBackbone, ...]
    pictures: int

    def __getitem__(self, name: str) -> ComparedBackbone:
        for row in self.rows:
            if row.backbone == name:
                return row
        raise unknown("backbone", name, [row.backbone for row in self.rows])

    @property
    def best(self) -> str:
        """The name of the most accurate; of equals the fastest.

        Raises:
            DataError: none of them could be compared.
        """
        if not self.rows or self.rows[0].evaluation is None:
            raise DataError("None of the backbones could be compared; to_frame() has the reasons.")
        return self.rows[0].backbone

    def to_frame(self) -> DataFrame:
        """A row each: backbone, accuracy, low, high, features, seconds, MB, pictures/s, reason."""
        import pandas as pd

        return pd.DataFrame(
            {
                "backbone": row.backbone,
                "accuracy": row.accuracy,
                "low": row.interval[0],
                "high": row.interval[1],
                "features": row.features,
                "seconds": row.seconds,
                "MB": row.megabytes,
                "pictures/s": row.per_second,
                "reason": row.reason,
            }
            for row in self.rows
        )

    def figure(self) -> Figure:
        """Accuracy with its interval over pictures a second, as a plotly figure.

        Raises:
            MissingExtra: plotly is not installed.
        """
        from mlnb.tasks.comparison_views import comparison_figure

        return comparison_figure(self)

    def __repr__(self) -> str:
        from mlnb.tasks.comparison_views import comparison_text

        return comparison_text(self)

    def _repr_html_(self) -> Markup:
        from mlnb.tasks.comparison_views import comparison_html

        return comparison_html(self)


def compare_backbones(
    frame: DataFrame | str | os.PathLike[str],
    names: Iterable[str | Backbone] = NAMES,
    limit: int | None = 200,
    *,
    weights: Mapping[str, Any] | None = None,
    target: str | None = None,
    cache: bool | str | os.PathLike[str] = True,
    seed: int = 0,
) -> Comparison:
    """Accuracy, size and speed of backbones on one's own photographs, with a linear head.

    >>> compare_backbones(frame, ["vgg16", "inception_v3", "resnet18", "mobilenet_v2"])
    >>> compare_backbones(frame).figure()

    The accuracy is that of five folds, each judged by what was learnt from the others. Nothing is
    downloaded: a backbone whose weights are not on this machine has a row with the reason.

    Args:
        frame: a frame of `image_frame` or a folder, with labels.
        names: of torchvision's models, or a `Backbone` of one's own.
        limit: how many photographs, as many of each class; `None` takes all.
        weights: by the name of a backbone, as `backbone` takes them; "default" otherwise.
        target: the column of labels; "label" by default.
        cache: whether features are kept, as for `ImageClassifier`, or the folder for them.
        seed: of the choice of photographs and of the folds.

    Raises:
        UnknownName: no such backbone.
        DataError: one class, or a class with a single photograph.
        ImageError: not one picture can be read.
    """
    wanted = [names] if isinstance(names, str | Backbone) else list(names)
    models = need("torchvision.models", "train")
    known = models.list_models(module=models)
    for name in wanted:
        if not isinstance(name, Backbone) and name not in known:
            raise unknown("backbone", str(name), known)
    pictures, codes, classes = _chosen(frame, target, limit, seed)
    given = {} if weights is None else dict(weights)
    if any(value is None for value in given.values()):
        raise DataError("Random weights make random features; there is nothing to compare.")
    rows = []
    for name in dict.fromkeys(wanted):
        try:
            body = (
                name
                if isinstance(name, Backbone)
                else backbone(name, weights=given.get(name, "default"), fetch=False)
            )
        except (DownloadError, CheckpointError) as error:
            rows.append(ComparedBackbone(str(name), reason=str(error)))
            continue
        rows.append(_compared(body, pictures, codes, classes, cache, seed))
    rows.sort(key=lambda row: (row.evaluation is None, -row.accuracy, -row.per_second))
    return Comparison(tuple(rows), len(pictures))


# -------------------------------------------------------------------------------------------- parts


def _chosen(
    given: Any, target: str | None, limit: int | None, seed: int
) -> tuple[Pictures, Array, Array]:
    """Labelled pictures, as many of each class as there are, up to the limit."""
    pictures = take_pictures(given, target=target)
    if pictures.labels is None:
        raise DataError("The pictures have no labels; give a frame with a column of them: target=")
    pictures, _ = usable(pictures)
    known = label_map(pictures)
    codes, classes = known.codes(pictures.labels or ()), known.to_numpy()
    rows = np.sort(in_turn(codes, np.random.default_rng(seed))[:limit])
    if np.bincount(codes[rows], minlength=len(classes)).min() < 2:
        raise DataError(
            f"{len(rows)} photographs of {len(classes)} classes leave a class with fewer than two; "
            "take that class out, or raise limit="
        )
    return pictures.rows(rows), codes[rows], classes


def _compared(
    body: Backbone, pictures: Pictures, codes: Array, classes: Array, cache: Any, seed: int
) -> ComparedBackbone:
    begun = time.monotonic()
    features = TorchFeatures(body)
    made = bottleneck(pictures, features, cache_of(cache, features))
    read = np.flatnonzero(made.is_read)
    folds = min(FOLDS, int(np.bincount(codes[read], minlength=len(classes)).min()))
    if folds < 2:
        return ComparedBackbone(body.name, reason="A class has fewer than two pictures to read.")
    values = out_of_sample(made.features[read], codes[read], folds, seed)
    seconds = time.monotonic() - begun
    seen = pictures.rows(read)
    evaluation = evaluate(
        list(seen.labels or ()),
        values,
        classes,
        ids=seen.ids,
        frame=seen.shown(),
        noun="photograph",
        notes=[features.text, f"a linear head, {folds} folds"],
    )
    if made.computed >= BATCH:
        rate = made.computed / made.seconds
    else:
        rate = _rate(seen.rows(range(min(BATCH, len(seen)))), features)
    size = sum(tensor.nbytes for tensor in body.state_dict().values())
    return ComparedBackbone(
        body.name, evaluation, made.features.shape[1], seconds, size / 1e6, rate
    )


def _rate(pictures: Pictures, features: TorchFeatures) -> float:
    """Pictures a second, of a few that go through anew."""
    bottleneck(pictures.rows([0]), features, None)  # what is made on the first call
    made = bottleneck(pictures, features, None)
    return made.computed / made.seconds
