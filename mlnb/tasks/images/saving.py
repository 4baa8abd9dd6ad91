"""A picture classifier in a folder: `classifier.json` and `weights.safetensors`, no pickle.

The backbone is named with the sha256 of its weights, which keeps the folder small, or goes in
whole. The JSON is written last and holds the sha256 of the weights, so that two halves are never
mixed.
"""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlnb.cache import write_whole
from mlnb.errors import CheckpointError, DownloadError
from mlnb.formatting import display_text
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.networks.backbones import Backbone
from mlnb.networks.sequential import Sequential
from mlnb.networks.spec import from_spec
from mlnb.tasks.images.features import ModelFeatures, TorchFeatures, torch_body
from mlnb.tasks.images.heads import Standardise, headed
from mlnb.tasks.images.preprocessing import Preprocessing
from mlnb.tasks.keeping import below, fill, made, read, rebuilding, shown, write

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mlnb.tasks.images.classification import ImageClassifier

FORMAT, VERSION = "mlnb.image_classifier", 1
JSON_FILE, WEIGHTS_FILE, MODEL_FILE = "classifier.json", "weights.safetensors", "backbone"
_WORDS = ("fine_tune", "augment", "epochs", "lr", "batch_size", "early_stopping", "validation")


def save(classifier: ImageClassifier, folder: str | os.PathLike[str], *, whole: bool) -> Path:
    """Write a classifier; see `ImageClassifier.save`."""
    target = made(folder)
    features, files = classifier._features, list[str]()
    tensors = {f"net.{name}": tensor for name, tensor in classifier._net.state_dict().items()}
    stored: dict[str, Any] = {"kind": features.kind, "name": features.name}
    stored |= {"source": features.source, "sha256": features.weights}
    if isinstance(features, TorchFeatures):
        stored["weights"] = _weights_word(classifier)
        stored["stored"] = whole or features.tuned or classifier.weights is None
        if stored["stored"]:
            state = features.body.body.state_dict()
            tensors |= {f"backbone.{name}": tensor for name, tensor in state.items()}
    else:
        path = features.whole.path
        is_within = path is not None and target.resolve() in path.resolve().parents
        stored |= {"cut": features.cut, "stored": whole or path is None or is_within}
        stored["path"] = str(path)
        if stored["stored"]:
            stored["path"], files = _copy_model(features.whole, target)
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "classes": classifier.classes_.tolist(),
        "preprocessing": features.preprocessing.to_json(),
        "backbone": stored,
        "head": classifier._head.spec(),
        "words": {name: getattr(classifier, name) for name in _WORDS},
    }
    write(target, JSON_FILE, WEIGHTS_FILE, facts, tensors, files)
    return target


def load(kind: type[ImageClassifier], folder: str | os.PathLike[str], given: Any) -> Any:
    """Read a classifier; see `ImageClassifier.load`."""
    source = Path(folder).expanduser()
    facts, tensors = read(source, JSON_FILE, WEIGHTS_FILE, FORMAT, VERSION)
    with rebuilding(source, "classifier"):
        stored = dict(facts["backbone"])
        preprocessing = Preprocessing.from_json(facts["preprocessing"])
        classes = np.array(facts["classes"])
        head = from_spec(facts["head"], Sequential)
        words = {name: facts["words"][name] for name in _WORDS}
    if stored.get("kind") == TorchFeatures.kind:
        body = _body(stored, tensors, given, source)
        features: Any = TorchFeatures(body, preprocessing)
        features.tuned = bool(stored.get("stored"))
        loaded = kind(stored["name"], given or stored.get("weights"), **words)
    else:
        model = _model(stored, given, source)
        features = ModelFeatures(model, preprocessing)
        loaded = kind(model, **words, preprocessing=preprocessing)
    if features.weights != stored.get("sha256"):
        raise CheckpointError(
            f"The classifier in {shown(source)} was trained on {_named(stored)}, with other "
            f"weights than those that are here ({display_text(str(features.source), 80)}); "
            "give the right ones: load(folder, backbone=)"
        )
    loaded._features, loaded._head, loaded._net = features, head, _net(head, tensors, source)
    loaded.classes_, loaded.preprocessing_ = classes, preprocessing
    return loaded


# ------------------------------------------------------------------------------------------ writing


def _weights_word(classifier: ImageClassifier) -> str | None:
    """What `backbone` is told to get these weights again."""
    given = classifier.weights
    return None if given is None else str(getattr(given, "name", given))


def _copy_model(model: Model, folder: Path) -> tuple[str, list[str]]:
    """Put the model's file, or its folder, beside the weights: its name there, and all files'."""
    if model.path is None:
        size = model._file.source.size
        with model._file.source.reading() as window:
            write_whole(folder / MODEL_FILE, bytes(window(0, size)))
        return MODEL_FILE, [MODEL_FILE]
    name = f"{MODEL_FILE}{model.path.suffix}"
    home = model.path.parent
    if model.path.is_dir():
        inner = [p.relative_to(model.path).as_posix() for p in model.path.rglob("*") if p.is_file()]
        copies = {f"{name}/{one}": model.path / one for one in inner}
    else:
        copies = {name: model.path} | {p.name: home / p.name for p in model.parts if p.exists}
    for copy_name, original in copies.items():
        place = folder / copy_name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not (place.exists() and place.samefile(original)):  # it was loaded from this folder
            shutil.copyfile(original, place)
    return name, list(copies)


# ------------------------------------------------------------------------------------------ reading


def _body(stored: dict[str, Any], tensors: dict[str, Tensor], given: Any, source: Path) -> Backbone:
    is_stored = bool(stored.get("stored"))
    name = given if isinstance(given, Backbone) else str(stored["name"])
    weights = None if is_stored else given or stored.get("weights")
    try:
        body = torch_body(name, weights, seed=0)
    except DownloadError as error:
        raise CheckpointError(
            f"The classifier in {shown(source)} needs {_named(stored)}, whose weights are not "
            "in the folder and not on this machine: save(folder, whole=True) puts them in, or "
            f"load(folder, backbone=path). ({error})"
        ) from error
    if is_stored:
        body = copy.deepcopy(body) if body is given else body  # the user's stays as it is
        fill(body.body, below("backbone.", tensors), source)
        body.source = str(stored.get("source", body.source))
    return body


def _model(stored: dict[str, Any], given: Any, source: Path) -> Model:
    if isinstance(given, Model):
        model = given
    else:
        place = given or stored.get("path")
        path = source / str(place) if stored.get("stored") and not given else Path(str(place))
        if stored.get("stored") and not given and path.parent != source:
            raise CheckpointError(f"{shown(source)} names a file outside of it; refused.")
        if place is None or not path.exists():
            raise CheckpointError(
                f"The classifier in {shown(source)} needs {_named(stored)}, which is not at "
                f"{shown(path)}: load(folder, backbone=path), or save(folder, whole=True) puts it "
                "in."
            )
        model = load_model(path)
    return model if model.is_cut else model.cut(outputs=[str(stored["cut"])])


def _net(head: Sequential, tensors: dict[str, Tensor], source: Path) -> nn.Module:
    state = below("net.", tensors)
    try:
        mean, scale = state["standardise.mean"], state["standardise.scale"]
    except KeyError as error:
        raise CheckpointError(f"{shown(source)} holds no head.") from error
    net = headed(Standardise(mean, scale), head)
    fill(net, state, source)
    return net.eval()


def _named(stored: dict[str, Any]) -> str:
    name, source = (display_text(str(stored.get(key)), 60) for key in ("name", "source"))
    return f"the backbone {name} ({source})"
