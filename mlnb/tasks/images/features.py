"""What turns pixels into features: `TorchFeatures`, and `ModelFeatures` for a loaded `Model`.

Both tell, in `key`, all that the features depend on beside the picture. torch's networks run in
channels-last layout with their batch norms folded into the convolutions before them.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.device import find_device
from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.networks.backbones import Backbone, backbone
from mlnb.networks.weights import state_hash
from mlnb.tasks.images.preprocessing import Preprocessing, preprocessing_of

if TYPE_CHECKING:
    from mlnb.models.model import Model

Array = np.ndarray[Any, np.dtype[Any]]

_CHUNK = 1 << 20
_FEW, _MANY = 8, 32
"""Pictures that cross to a model at once: few where they run one by one, which is told of."""


class TorchFeatures:
    """A torch backbone as a function of pixels; made to be fast, not to be trained.

    Args:
        body: the backbone, which stays as it is.
        preprocessing: of its pictures; by default what its weights were trained with.
        device: where it runs; by default the fastest that is there.

    Attributes:
        tuned: whether its weights are nobody else's, so that a saved classifier holds them.
    """

    kind = "torch"

    def __init__(
        self,
        body: Backbone,
        preprocessing: Preprocessing | None = None,
        device: torch.device | str = "auto",
    ) -> None:
        self.body = body
        self.preprocessing = preprocessing or preprocessing_of(body.preprocess)
        self.device = find_device(device)
        self.name = body.name
        self.weights = state_hash(body.body)
        self.source = body.source
        self.tuned = False
        self._fast: nn.Module | None = None

    @property
    def key(self) -> str:
        """Network, weights and preprocessing."""
        return f"{self.name} {self.weights} {self.preprocessing.to_json()}"

    @property
    def text(self) -> str:
        """In a line, for reports."""
        return f"{self.name} ({self.source}), {self.preprocessing.text}"

    def __call__(self, pixels: Array) -> Array:
        """`float32 [n, width]` of `uint8 [n, height, width, 3]` of the right size."""
        if self._fast is None:
            self._fast = fast(self.body).to(self.device)
        with torch.inference_mode():
            features: Array = self._fast(self.values(pixels)).float().cpu().numpy()
        return features

    def values(self, pixels: Array) -> Tensor:
        """What the backbone takes; the pixels lie channels last already."""
        given = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device).permute(0, 3, 1, 2)
        return normalised(given, self.preprocessing)


class ModelFeatures:
    """A loaded `Model`, cut before its classifier, as a function of pixels.

    Args:
        model: of any format that runs; cut where its owner cut it, else where its classifier
            begins.
        preprocessing: of its pictures.

    Raises:
        TrainError: it takes no pictures, or has no place to cut at.
    """

    kind = "model"

    def __init__(self, model: Model, preprocessing: Preprocessing) -> None:
        self.whole = model
        self.model = cut_for_features(model)
        self.preprocessing = preprocessing
        self.cut = self.model.outputs.names[0]
        self.name = model.name
        self.source = model.title
        self.weights = model_hash(model)
        shape = self.model.inputs[0].shape
        self._piece = _FEW if shape and shape[0] == 1 else _MANY

    @property
    def key(self) -> str:
        """Network, weights, cut and preprocessing."""
        return f"{self.weights} {self.cut} {self.preprocessing.to_json()}"

    @property
    def text(self) -> str:
        """In a line, for reports."""
        cut = display_text(self.cut, 60)
        return f"{display_text(self.source, 60)} cut at {cut}, {self.preprocessing.text}"

    def by(self, preprocessing: Preprocessing) -> ModelFeatures:
        """The same cut with its pictures prepared otherwise; nothing is read or opened again."""
        other = copy.copy(self)
        other.preprocessing = preprocessing
        return other

    def __call__(self, pixels: Array) -> Array:
        """`float32 [n, width]` of `uint8 [n, height, width, 3]` of the right size."""
        given = self.preprocessing(pixels)
        parts = [given[i : i + self._piece] for i in range(0, len(given), self._piece)]
        return np.concatenate([self._answer(part) for part in parts])

    def _answer(self, given: Array) -> Array:
        answer = self.model.predict(given)[self.cut]
        features = pooled(np.asarray(answer, np.float32), self.preprocessing.layout)
        if len(features) != len(given):
            raise TrainError(
                f"{display_text(self.source)} gives {list(answer.shape)} for {len(given)} "
                "pictures; a backbone gives a row for each."
            )
        return features


Features = TorchFeatures | ModelFeatures


def torch_body(name: Any, weights: Any, seed: int | None) -> Backbone:
    """The backbone of that name, or the one that is given; random weights are drawn from the seed.

    Args:
        name: as `backbone` takes it, or a `Backbone`.
        weights: as `backbone` takes them.
        seed: of random weights, so that two fits have the same.

    Raises:
        TrainError: it is the path of a file, which is a `Model` only when it is loaded.
    """
    if isinstance(name, Backbone):
        return name
    if os.path.isfile(name if isinstance(name, str | os.PathLike) else ""):
        shown = display_text(str(name), 200)
        raise TrainError(f"The backbone {shown} is a file; load it: backbone=load_model({shown!r})")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed or 0)
        return backbone(name, weights=weights)


def fast(body: Backbone) -> nn.Module:
    """A copy for inference: batch norms folded where torch.fx can follow, channels last."""
    from torch.fx.experimental.optimization import fuse

    module: nn.Module = body.eval()
    try:
        fused: nn.Module = fuse(body.body)
        module = _WithPool(fused, body)
    except Exception:  # noqa: BLE001 - whatever fx cannot follow runs as it is
        module = copy.deepcopy(body).eval()
    return module.to(memory_format=torch.channels_last).eval()


def normalised(pixels: Tensor, preprocessing: Preprocessing) -> Tensor:
    """`float32 [n, 3, height, width]` of pixels `[n, 3, height, width]` from 0 to 255."""
    values = pixels.float()
    if preprocessing.order == "BGR":
        values = values.flip(1)
    values = values - values.new_tensor(preprocessing.mean).view(1, 3, 1, 1)
    return values.mul_(values.new_tensor(preprocessing.scale).view(1, 3, 1, 1))


def cut_for_features(model: Model) -> Model:
    """The model as a feature extractor."""
    if len(model.inputs) != 1:
        raise TrainError(
            f"{display_text(model.title)} takes {len(model.inputs)} inputs; a backbone takes one, "
            "the pictures."
        )
    if model.is_cut:
        return model
    place = model.suggest_cut()
    if place is None:
        raise TrainError(
            f"{display_text(model.title)} has no classifier to take off; choose a tensor: "
            "backbone=model.cut(outputs=[name])"
        )
    return model.cut(outputs=[place])


def pooled(answer: Array, layout: str) -> Array:
    """`[n, features]`: a map is averaged over height and width, the rest is flattened."""
    if answer.ndim == 4:
        answer = answer.mean(axis=(2, 3) if layout == "NCHW" else (1, 2))
    return np.ascontiguousarray(answer.reshape(len(answer), -1), np.float32)


def model_hash(model: Model) -> str:
    """sha256 of the model's file, of the files of its folder, or of a live module's weights."""
    module = getattr(model._file, "module", None)
    if isinstance(module, nn.Module):
        return state_hash(module)
    found = hashlib.sha256()
    for piece in _content(model):
        found.update(piece)
    return found.hexdigest()


def _content(model: Model) -> Iterator[bytes]:
    path = model.path
    if path is None:
        with model._file.source.reading() as read:
            for start in range(0, model._file.source.size, _CHUNK):
                yield read(start, min(_CHUNK, model._file.source.size - start))
        return
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in (*files, *_beside(model, path)):
        if file != path:  # a file on its own may be called otherwise
            yield file.relative_to(path if path.is_dir() else path.parent).as_posix().encode()
        with file.open("rb") as content:
            while piece := content.read(_CHUNK):
                yield piece


def _beside(model: Model, path: Path) -> Iterator[Path]:
    folder = path if path.is_dir() else path.parent
    yield from (folder / part.name for part in model.parts if part.exists)


class _WithPool(nn.Module):
    """A folded body with the pooling of its backbone."""

    def __init__(self, body: nn.Module, owner: Backbone) -> None:
        super().__init__()
        self.body = body
        self._pooled = owner._pooled

    def forward(self, x: Tensor) -> Tensor:
        """The features, [n, features]."""
        return self._pooled(self.body(x))
