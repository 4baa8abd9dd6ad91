"""A picture classifier in a folder: `classifier.json` and `weights.safetensors`, no pickle.

The backbone is named with the sha256 of its weights, which keeps the folder small, or goes in
whole. The JSON is written last and holds the sha256 of the weights, so that two halves are never
mixed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.cache import write_whole
from mlnb.errors import CheckpointError, DownloadError, MlnbError, need
from mlnb.formatting import display_text
from mlnb.models.loading import load_model
from mlnb.models.model import Model
from mlnb.networks.backbones import Backbone, backbone
from mlnb.networks.sequential import Sequential
from mlnb.networks.spec import from_spec
from mlnb.tasks.images.features import ModelFeatures, TorchFeatures
from mlnb.tasks.images.heads import Standardise
from mlnb.tasks.images.preprocessing import Preprocessing

if TYPE_CHECKING:
    from mlnb.tasks.images.classification import ImageClassifier

FORMAT, VERSION = "mlnb.image_classifier", 1
JSON_FILE, WEIGHTS_FILE, MODEL_FILE = "classifier.json", "weights.safetensors", "backbone"
_MOST_JSON = 16 << 20
_WORDS = ("fine_tune", "augment", "epochs", "lr", "batch_size", "early_stopping", "validation")


def save(classifier: ImageClassifier, folder: str | os.PathLike[str], *, whole: bool) -> Path:
    """Write a classifier; see `ImageClassifier.save`."""
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    features = classifier._features
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
        stored |= {"cut": features.cut, "stored": whole or features.whole.path is None}
        stored["path"] = str(features.whole.path) if features.whole.path else None
        if stored["stored"]:
            stored["path"] = _copy_model(features.whole, target)
    content = need("safetensors.torch", "train").save(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    )
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "classes": classifier.classes_.tolist(),
        "preprocessing": features.preprocessing.to_json(),
        "backbone": stored,
        "head": classifier._head.spec(),
        "words": {name: getattr(classifier, name) for name in _WORDS},
        "weights_sha256": hashlib.sha256(content).hexdigest(),
    }
    write_whole(target / WEIGHTS_FILE, content)
    write_whole(target / JSON_FILE, json.dumps(facts, indent=1, ensure_ascii=False).encode())
    return target


def load(kind: type[ImageClassifier], folder: str | os.PathLike[str], given: Any) -> Any:
    """Read a classifier; see `ImageClassifier.load`."""
    source = Path(folder).expanduser()
    facts = _facts(source)
    tensors = _tensors(source, facts)
    try:
        stored = dict(facts["backbone"])
        preprocessing = Preprocessing.from_json(facts["preprocessing"])
        classes = np.array(facts["classes"])
        head = from_spec(facts["head"], Sequential)
        words = {name: facts["words"][name] for name in _WORDS}
    except (KeyError, TypeError, ValueError, MlnbError) as error:
        raise CheckpointError(f"{_shown(source)} holds no classifier that mlnb knows.") from error
    if stored.get("kind") == TorchFeatures.kind:
        body = _body(stored, tensors, given, source)
        features: Any = TorchFeatures(body, preprocessing)
        features.tuned = bool(stored.get("stored"))
        made = kind(stored["name"], given or stored.get("weights"), **words)
    else:
        model = _model(stored, given, source)
        features = ModelFeatures(model, preprocessing)
        made = kind(model, **words, preprocessing=preprocessing)
    if features.weights != stored.get("sha256"):
        raise CheckpointError(
            f"The classifier in {_shown(source)} was trained on {_named(stored)}, with other "
            f"weights than those that are here ({display_text(str(features.source), 80)}); "
            "give the right ones: load(folder, backbone=)"
        )
    made._features, made._head, made._net = features, head, _net(head, tensors, source)
    made.classes_, made.preprocessing_ = classes, preprocessing
    return made


# ------------------------------------------------------------------------------------------ writing


def _weights_word(classifier: ImageClassifier) -> str | None:
    """What `backbone` is told to get these weights again."""
    given = classifier.weights
    return None if given is None else str(getattr(given, "name", given))


def _copy_model(model: Model, folder: Path) -> str:
    """Put the model's file, or its folder, beside the weights; its name there."""
    if model.path is None:
        size = model._file.source.size
        with model._file.source.reading() as read:
            write_whole(folder / MODEL_FILE, bytes(read(0, size)))
        return MODEL_FILE
    place = folder / f"{MODEL_FILE}{model.path.suffix}"
    if model.path.is_dir():
        shutil.copytree(model.path, place, dirs_exist_ok=True)
    else:
        shutil.copyfile(model.path, place)
        for part in model.parts:
            if part.exists:
                shutil.copyfile(model.path.parent / part.name, folder / part.name)
    return place.name


# ------------------------------------------------------------------------------------------ reading


def _facts(source: Path) -> dict[str, Any]:
    file = source / JSON_FILE
    if not file.is_file():
        raise CheckpointError(f"{_shown(source)} holds no classifier: {JSON_FILE} is missing.")
    try:
        if file.stat().st_size > _MOST_JSON:
            raise ValueError("it is too large")
        facts = json.loads(file.read_bytes())
        known = facts["format"] == FORMAT and facts["version"] == VERSION
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{_shown(file)} is damaged, or no classifier's.") from error
    if not known:
        raise CheckpointError(
            f"{_shown(file)} is {display_text(str(facts['format']), 40)} version "
            f"{display_text(str(facts['version']), 10)}; expected {FORMAT} version {VERSION}."
        )
    return dict(facts)


def _tensors(source: Path, facts: dict[str, Any]) -> dict[str, Tensor]:
    file = source / WEIGHTS_FILE
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"There is no file {_shown(file)}.") from error
    if hashlib.sha256(content).hexdigest() != facts.get("weights_sha256"):
        raise CheckpointError(f"{_shown(file)} is damaged, or another classifier's.")
    tensors: dict[str, Tensor] = need("safetensors.torch", "train").load(content)
    return tensors


def _body(stored: dict[str, Any], tensors: dict[str, Tensor], given: Any, source: Path) -> Backbone:
    if isinstance(given, Backbone):
        body = given
    else:
        try:
            weights = None if stored.get("stored") else given or stored.get("weights")
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                body = backbone(str(stored["name"]), weights=weights)
        except DownloadError as error:
            raise CheckpointError(
                f"The classifier in {_shown(source)} needs {_named(stored)}, whose weights are not "
                "in the folder and not on this machine: save(folder, whole=True) puts them in, or "
                f"load(folder, backbone=path). ({error})"
            ) from error
    if stored.get("stored"):
        state = {
            name.removeprefix("backbone."): tensor
            for name, tensor in tensors.items()
            if name.startswith("backbone.")
        }
        _fill(body.body, state, source)
        body.source = str(stored.get("source", body.source))
    return body


def _model(stored: dict[str, Any], given: Any, source: Path) -> Model:
    if isinstance(given, Model):
        model = given
    else:
        place = given or stored.get("path")
        path = source / str(place) if stored.get("stored") and not given else Path(str(place))
        if stored.get("stored") and not given and path.parent != source:
            raise CheckpointError(f"{_shown(source)} names a file outside of it; refused.")
        if place is None or not path.exists():
            raise CheckpointError(
                f"The classifier in {_shown(source)} needs {_named(stored)}, which is not at "
                f"{_shown(path)}: load(folder, backbone=path), or save(folder, whole=True) puts it "
                "in."
            )
        model = load_model(path)
    return model if model.is_cut else model.cut(outputs=[str(stored["cut"])])


def _net(head: Sequential, tensors: dict[str, Tensor], source: Path) -> nn.Module:
    state = {
        name.removeprefix("net."): tensor
        for name, tensor in tensors.items()
        if name.startswith("net.")
    }
    try:
        mean, scale = state["standardise.mean"], state["standardise.scale"]
    except KeyError as error:
        raise CheckpointError(f"{_shown(source)} holds no head.") from error
    chain = OrderedDict(standardise=Standardise(mean, scale), head=head.module)
    net = nn.Sequential(chain)
    _fill(net, state, source)
    return net.eval()


def _fill(module: nn.Module, state: dict[str, Tensor], source: Path) -> None:
    try:
        module.load_state_dict(state)
    except (RuntimeError, MlnbError) as error:
        said = display_text(str(error), 300)
        raise CheckpointError(f"The weights in {_shown(source)} do not fit: {said}") from error


def _named(stored: dict[str, Any]) -> str:
    name, source = (display_text(str(stored.get(key)), 60) for key in ("name", "source"))
    return f"the backbone {name} ({source})"


def _shown(path: Path) -> str:
    return display_text(str(path), 200)
