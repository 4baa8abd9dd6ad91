"""Which places of a picture speak for a class, by whatever way the backbone allows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.data.images import read_image
from mlnb.data.label_map import LabelMap
from mlnb.tasks.explain import grad_cam, occlusion
from mlnb.tasks.images.features import TorchFeatures
from mlnb.tasks.images.pictures import take_pictures
from mlnb.tasks.images.training import probabilities

if TYPE_CHECKING:
    from mlnb.tasks.images.classification import ImageClassifier
    from mlnb.tasks.images.preprocessing import Preprocessing

Array = np.ndarray[Any, np.dtype[Any]]

LONGEST = 512
"""The longer side of a map; it is laid over the picture by whoever shows it."""


def explain(classifier: ImageClassifier, picture: Any, target: Any) -> Array:
    """A map over the whole picture, `float32 [height, width]`; see `ImageClassifier.explain`."""
    if target is not None:
        target = int(LabelMap.of(classifier.classes_).codes([target])[0])
    given = picture if isinstance(picture, str | os.PathLike) else [picture]
    [one] = take_pictures(given).content
    image = read_image(one) if isinstance(one, str) else one
    features, net = classifier._features, classifier._net
    preprocessing = features.preprocessing
    fitted = preprocessing.fit(image)
    if isinstance(features, TorchFeatures):
        seen = grad_cam(classifier.torch_module(), features.values(fitted[None])[0], target=target)
    else:
        seen = occlusion(lambda pixels: probabilities(net, features(pixels)), fitted, target=target)
    return over_the_whole(seen, preprocessing, image.shape[0], image.shape[1])


def over_the_whole(seen: Array, preprocessing: Preprocessing, height: int, width: int) -> Array:
    """A map of what the network saw, laid out over the picture that it was cut from.

    Args:
        seen: `float32 [h, w]`, of the network's input.
        preprocessing: says which part of the picture that was.
        height: of the picture.
        width: of the picture.

    Returns:
        The map with the picture's proportions, 0 where the network did not look.
    """
    from PIL import Image

    (inner_width, inner_height), box = preprocessing.fit.place(width, height)
    top, left = (
        (outer - inner) // 2
        for outer, inner in zip(seen.shape, (inner_height, inner_width), strict=True)
    )
    inner = np.ascontiguousarray(
        seen[top : top + inner_height, left : left + inner_width], np.float32
    )
    share = min(1.0, LONGEST / max(height, width))
    x0, y0, x1, y1 = (round(edge * share) for edge in box)
    size = (max(1, x1 - x0), max(1, y1 - y0))
    resized = np.asarray(Image.fromarray(inner).resize(size, Image.Resampling.BILINEAR))
    whole = np.zeros((max(1, round(height * share)), max(1, round(width * share))), np.float32)
    place = whole[y0 : y0 + size[1], x0 : x0 + size[0]]
    place[:] = resized[: place.shape[0], : place.shape[1]].clip(0.0, 1.0)
    return whole
