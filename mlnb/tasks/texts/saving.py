"""A text classifier in a folder: `classifier.json`, `weights.safetensors`, no pickle.

The encoder is named with the sha256 of its weights, which keeps the folder small, or stands whole
in a folder within, which `encoder` reads by itself. What counted words have learnt is always there,
so that a loaded classifier is compared with it as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
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
from mlnb.tasks.keeping import below, fill, shown
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.fitted import Fitted
from mlnb.tasks.texts.fitting import TFIDF
from mlnb.tasks.texts.heads import HEADS, LOGREG, Head
from mlnb.tasks.texts.kept_encoder import FOLDER, Parts, Stored, keep, kept, written
from mlnb.tasks.texts.own import OwnEncoder

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mlnb.networks.encoders import Encoder
    from mlnb.tasks.texts.classification import TextClassifier

FORMAT, VERSION = "mlnb.text_classifier", 1
JSON_FILE, TERMS_FILE, NOUN = "classifier.json", "tfidf.json", "classifier"
FROZEN, OWN = "encoder", "own"
_FORMS = ("is_multi_label", "is_table", "is_paired")


def parts(classifier: TextClassifier, target: Path, whole: bool) -> Parts:
    """Facts, tensors and files of a classifier; see `Kept`."""
    fitted = classifier._ready
    terms, numbers = fitted.counted.to_parts()
    write_whole(target / TERMS_FILE, json.dumps(terms, ensure_ascii=False).encode())
    stored, files = _stored(fitted, classifier.encoder, target, whole)
    head, columns = fitted.head, fitted.columns
    tensors = {f"tfidf.{name}": tensor for name, tensor in numbers.items()}
    tensors |= {f"head.{name}": tensor for name, tensor in head.module.state_dict().items()}
    tensors["shares"] = torch.from_numpy(fitted.shares)
    facts = {
        "labels": fitted.labels.to_json(),
        "encoder": stored,
        "layers": _layers(fitted, classifier),
        "head": None if head.made is None else head.made.spec(),
        "majority": fitted.majority,
        "columns": [_name(columns.text), _name(columns.text_pair), _name(columns.target)],
        **{form: getattr(fitted, form) for form in _FORMS},
        "words": {"head": head.name, "max_len": classifier.max_len, "seed": classifier.seed},
    }
    return facts, tensors, [TERMS_FILE, *files]


def rebuilt(
    kind: type[TextClassifier],
    source: Path,
    facts: dict[str, Any],
    tensors: Mapping[str, Tensor],
    given: Any,
) -> TextClassifier:
    """A classifier of what `parts` gave."""
    stored, words = facts["encoder"], facts["words"]
    terms = json.loads((source / TERMS_FILE).read_bytes())
    counts = TfIdf.from_parts(terms, below("tfidf.", tensors))
    made = None if facts["head"] is None else from_spec(facts["head"], Sequential)
    seed = None if words["seed"] is None else int(words["seed"])
    body, name = _body(stored, given, source), str(words["head"])
    classifier = kind(
        _given(stored, body),
        tuple(facts["layers"]),
        made if made is not None and name not in HEADS else name or LOGREG,
        int(words["max_len"]),
        seed=seed,
    )
    is_multi_label, is_table, is_paired = (bool(facts[form]) for form in _FORMS)
    fitted = Fitted(
        counts,
        Head(),
        LabelMap.from_json(facts["labels"]),
        tensors["shares"].float().numpy(),
        facts["majority"],
        Columns(*facts["columns"]),
        is_multi_label,
        is_table,
        is_paired,
        counts=counts,
    )
    classes = len(fitted.labels.classes)
    if body is not None:
        features = TextFeatures(body, [int(layer) for layer in facts["layers"]], classifier.max_len)
        width = features.width * (4 if fitted.is_paired else 1)
        module = _head(made, below("head.", tensors), (classes, width), source)
        fitted = replace(fitted, features=features, head=Head(module, name, made))
    if fitted.shares.shape != (classes,) or len(counts.bias) != classes:
        raise CheckpointError(f"{shown(source)} does not fit together.")
    classifier._keep(fitted, ())
    return classifier


# ------------------------------------------------------------------------------------------ writing


def _stored(fitted: Fitted, given: Any, target: Path, whole: bool) -> Stored:
    """What the JSON says of the encoder, and the files that it was written into."""
    body = fitted.encoder
    if body is None:
        return {"kind": TFIDF}, []
    if isinstance(body, OwnEncoder):
        return {"kind": OWN}, written(body, target, FOLDER)
    facts, files = keep(body, given, target, whole=whole)
    return {"kind": FROZEN, **facts}, files


def _layers(fitted: Fitted, classifier: TextClassifier) -> list[int]:
    features = fitted.features
    return list(features.layers if isinstance(features, TextFeatures) else classifier.layers)


def _name(column: Any) -> Any:
    """A column's name where JSON can hold it; it is guessed anew otherwise."""
    if isinstance(column, list):
        return [str(name) for name in column]
    return column if isinstance(column, str | int) else None


# ------------------------------------------------------------------------------------------ reading


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
