"""A picture classifier as one ONNX file, from decoded pixels to probabilities.

Three graphs are put behind each other: what fits and scales pixels, the backbone, the head. The
resizing is ONNX's own with antialias, which computes what Pillow does.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from mlnb.errors import need
from mlnb.models import quantized
from mlnb.models.convert.target import export_target, write_export
from mlnb.networks.export import session
from mlnb.networks.taken import take
from mlnb.networks.to_onnx import to_onnx
from mlnb.progress import progress
from mlnb.tasks.exporting import OUTPUT, describe, difference, report, require_close
from mlnb.tasks.images.export_joints import behind, opset_of, rename
from mlnb.tasks.images.export_model import model_graph
from mlnb.tasks.images.export_pixels import pixels_graph
from mlnb.tasks.images.features import TorchFeatures, fast

if TYPE_CHECKING:
    import os

    from mlnb.networks.export import ExportReport
    from mlnb.tasks.images.classification import ImageClassifier
    from mlnb.tasks.images.features import Features

Array = np.ndarray[Any, np.dtype[Any]]

_WRONG = 0.02
"""The most by which a probability may differ: a grey level of rounding moves it by less."""
_WRONG_QUANTISED = 0.1
"""Of a quantised backbone, which rounds at every step, and in each runtime otherwise."""
_SIZES = ((260, 340), (224, 224), (150, 97))


def export(
    classifier: ImageClassifier, path: str | os.PathLike[str], *, preprocessing: bool
) -> ExportReport:
    """Write a classifier; see `ImageClassifier.export_onnx`."""
    begun = time.monotonic()
    target = export_target(path)
    with progress(f"export {target.name}", 3) as done:
        made = _core(classifier)
        done(1)
        if preprocessing:
            made = behind(pixels_graph(opset_of(made), classifier.preprocessing_), made)
        pixels = json.dumps(classifier.preprocessing_.to_json())
        backbone = classifier._features.text
        describe(made, classifier, {"preprocessing": pixels, "backbone": backbone})
        content = made.SerializeToString()
        done(2)
        largest = _checked(classifier, content, preprocessing)
        done(3)
    write_export(target, content)
    return report(target, made, len(content), largest, opset=opset_of(made), begun=begun)


# ------------------------------------------------------------------------------------- the networks


def _core(classifier: ImageClassifier) -> Any:
    """Backbone, head and softmax."""
    features, net = classifier._features, classifier._net
    if isinstance(features, TorchFeatures):
        body = fast(features.body).to(memory_format=torch.contiguous_format)
        for one in body.modules():  # torch's exporter takes what works in place apart, slowly
            if getattr(one, "inplace", False):
                one.inplace = False
        module = nn.Sequential(body, net, nn.Softmax(1)).eval()
        return _module_graph(module, (3, *classifier.preprocessing_.size), "picture")
    width = len(net.get_buffer("standardise.mean"))
    head = _module_graph(nn.Sequential(net, nn.Softmax(1)).eval(), (width,), "features")
    return behind(model_graph(features, width), head)


def _module_graph(module: nn.Module, shape: tuple[int, ...], name: str) -> Any:
    onnx = need("onnx", "train")
    made = onnx.load_from_string(to_onnx(take(module, torch.zeros(2, *shape))))
    rename(made, made.graph.input[0].name, name)
    rename(made, made.graph.output[0].name, OUTPUT)
    return made


# --------------------------------------------------------------------------------------- the check


def _checked(classifier: ImageClassifier, content: bytes, preprocessing: bool) -> float:
    """The largest difference of a probability, over pictures of several sizes.

    Raises:
        ExportError: it is too large, or onnxruntime fails.
    """
    runs = session(content)
    given = runs.get_inputs()[0]
    one_at_a_time = given.shape[0] == 1
    largest = 0.0
    for size in _SIZES:
        pictures = _smooth(size)[: 1 if one_at_a_time else None]
        fed = pictures
        if not preprocessing:
            fit = classifier.preprocessing_.fit
            fed = classifier.preprocessing_(np.stack([fit(one) for one in pictures]))
        wanted = classifier.predict_proba(list(pictures))
        largest = max(largest, difference(runs, {given.name: fed}, wanted))
    most = _WRONG_QUANTISED if _is_quantised(classifier._features) else _WRONG
    return require_close(largest, most)


def _is_quantised(features: Features) -> bool:
    if isinstance(features, TorchFeatures):
        return False
    return quantized.any_of(features.model.inputs) or quantized.any_of(features.model.outputs)


def _smooth(size: tuple[int, int]) -> Array:
    """Two pictures with some structure, `uint8 [2, height, width, 3]`."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (2, 9, 9, 3))
    rows, columns = (np.arange(side) * 9 // side for side in size)
    noise = generator.integers(-12, 13, (2, *size, 3))
    return (coarse[:, rows][:, :, columns] + noise).clip(0, 255).astype(np.uint8)
