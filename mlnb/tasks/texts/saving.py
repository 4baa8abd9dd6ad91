"""A text classifier in a folder: `classifier.json`, `weights.safetensors`, no pickle.

The encoder is named with the sha256 of its weights, which keeps the folder small, or stands whole
in a folder within, which `encoder` reads by itself. What counted words have learnt is always there,
so that a loaded classifier is compared with it as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mlnb.cache import write_whole
from mlnb.data.label_map import LabelMap
from mlnb.data.text_columns import Columns
from mlnb.errors import CheckpointError
from mlnb.networks.sequential import Sequential
from mlnb.networks.spec import from_spec
from mlnb.tasks.images.heads import Standardise, headed
from mlnb.tasks.keeping import (
    below,
    check_files,
    fill,
    read_facts,
    read_tensors,
    rebuilding,
    shown,
    write,
)
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.fitting import TFIDF
from mlnb.tasks.texts.kept_encoder import FOLDER, Kept, keep, kept, written
from mlnb.tasks.texts.labels import classes_array
from mlnb.tasks.texts.own import OwnEncoder

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mlnb.networks.encoders import Encoder
    from mlnb.tasks.texts.classification import TextClassifier

FORMAT, VERSION = "mlnb.text_classifier", 1
JSON_FILE, WEIGHTS_FILE, TERMS_FILE = "classifier.json", "weights.safetensors", "tfidf.json"
FROZEN, OWN = "encoder", "own"
_FORMS = ("is_multi_label", "is_table", "is_paired", "gives_frames")


def save(classifier: TextClassifier, folder: str | os.PathLike[str], *, whole: bool) -> Path:
    """Write a classifier; see `TextClassifier.save`."""
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    terms, numbers = classifier._tfidf().to_parts()
    tensors = {f"tfidf.{name}": tensor for name, tensor in numbers.items()}
    tensors["shares"] = torch.from_numpy(classifier._shares)
    stored, files = _kept(classifier, target, whole)
    if classifier._encoder is not None:
        state = classifier._head.state_dict()
        tensors |= {f"head.{name}": tensor for name, tensor in state.items()}
    made, columns = classifier._made, classifier._columns
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "labels": classifier.labels_.to_json(),
        "encoder": stored,
        "layers": list(classifier._layers or classifier.layers),
        "head": None if made is None else made.spec(),
        "majority": classifier._majority,
        "columns": [_name(columns.text), _name(columns.text_pair), _name(columns.target)],
        **{form: getattr(classifier, f"_{form}") for form in _FORMS},
        "words": {"head": _word(classifier.head), "max_len": classifier.max_len}
        | {"seed": classifier.seed},
    }
    write_whole(target / TERMS_FILE, json.dumps(terms, ensure_ascii=False).encode())
    write(target, JSON_FILE, WEIGHTS_FILE, facts, tensors, [TERMS_FILE, *files])
    return target


def load(kind: type[TextClassifier], folder: str | os.PathLike[str], given: Any) -> Any:
    """Read a classifier; see `TextClassifier.load`."""
    source = Path(folder).expanduser()
    facts = read_facts(source, JSON_FILE, FORMAT, VERSION)
    tensors = read_tensors(source, WEIGHTS_FILE, facts)
    check_files(source, facts)
    with rebuilding(source, "classifier"):
        return _loaded(kind, source, facts, tensors, given)


# ------------------------------------------------------------------------------------------ writing


def _kept(classifier: TextClassifier, target: Path, whole: bool) -> Kept:
    """What the JSON says of the encoder, and the files that it was written into."""
    body = classifier._encoder
    if body is None:
        return {"kind": TFIDF}, []
    if isinstance(body, OwnEncoder):
        return {"kind": OWN}, written(body, target, FOLDER)
    facts, files = keep(body, classifier.encoder, target, whole=whole)
    return {"kind": FROZEN, **facts}, files


def _name(column: Any) -> Any:
    """A column's name where JSON can hold it; it is guessed anew otherwise."""
    if isinstance(column, list):
        return [str(name) for name in column]
    return column if isinstance(column, str | int) else None


def _word(head: Any) -> str:
    return head if isinstance(head, str) else "linear"


# ------------------------------------------------------------------------------------------ reading


def _loaded(
    kind: type[TextClassifier],
    source: Path,
    facts: dict[str, Any],
    tensors: Mapping[str, Tensor],
    given: Any,
) -> TextClassifier:
    stored, words = facts["encoder"], facts["words"]
    labels = LabelMap.from_json(facts["labels"])
    terms = json.loads((source / TERMS_FILE).read_bytes())
    counts = TfIdf.from_parts(terms, below("tfidf.", tensors))
    max_len = int(words["max_len"])
    seed = None if words["seed"] is None else int(words["seed"])
    body = _body(stored, given, source)
    classes = len(labels.classes)
    made = kind(
        _given(stored, body), tuple(facts["layers"]), str(words["head"]), max_len, seed=seed
    )
    made.classes_, made.labels_ = classes_array(labels), labels
    made._encoder, made._counts, made._made = body, counts, None
    made._layers, made._features, made._head = (), counts, None
    for form in _FORMS:
        setattr(made, f"_{form}", bool(facts[form]))
    if body is not None:
        features = TextFeatures(body, [int(layer) for layer in facts["layers"]], max_len)
        made._features, made._layers = features, features.layers
        width = features.width * (4 if made._is_paired else 1)
        if facts["head"] is not None:
            made._made = from_spec(facts["head"], Sequential)
            made.head = made._made
        made._head = _head(made._made, below("head.", tensors), (classes, width), source)
    made._columns = Columns(*facts["columns"])
    made._shares = tensors["shares"].float().numpy()
    made._majority = facts["majority"]
    made._learnt, made.held_out_, made.left_out_, made.runs_ = None, None, {}, ()
    if made._shares.shape != (classes,) or len(counts.bias) != classes:
        raise CheckpointError(f"{shown(source)} does not fit together.")
    return made


def _given(stored: Mapping[str, Any], body: Encoder | None) -> Any:
    """What a classifier would have been told to have this encoder."""
    if body is None:
        return TFIDF
    if isinstance(body, OwnEncoder):
        return body.net
    return body if stored["stored"] else str(stored["source"])


def _head(
    made: Sequential | None, state: dict[str, Tensor], shape: tuple[int, int], source: Path
) -> nn.Module:
    if made is None:
        linear: nn.Module = torch.nn.utils.skip_init(torch.nn.Linear, shape[1], shape[0])
        fill(linear, state, source)
        return linear.eval().requires_grad_(False)
    net = headed(Standardise(state["standardise.mean"], state["standardise.scale"]), made)
    fill(net, state, source)
    return net.eval()


def _body(stored: Mapping[str, Any], given: Any, source: Path) -> Encoder | None:
    if stored["kind"] == TFIDF:
        return None
    if stored["kind"] == OWN:
        return OwnEncoder.load(source / FOLDER)
    return kept(stored, given, source)
