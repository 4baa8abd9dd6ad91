"""A `SentenceSimilarity` in a folder: `similarity.json` and `weights.safetensors`, no pickle.

The encoder is named with the sha256 of its weights, which keeps the folder small, or goes in whole,
as what was tuned always does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.errors import CheckpointError, MlnbError
from mlnb.formatting import display_text
from mlnb.networks.encoders import Encoder, encoder
from mlnb.tasks.keeping import below, check_files, fill, read_facts, read_tensors, shown, write
from mlnb.tasks.similarity.metric import Metric
from mlnb.tasks.similarity.scoring import Scorer
from mlnb.tasks.similarity.tuning import CrossNet
from mlnb.tasks.texts.features import TextFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from mlnb.tasks.similarity.similarity import SentenceSimilarity

FORMAT, VERSION = "mlnb.sentence_similarity", 1
JSON_FILE, WEIGHTS_FILE = "similarity.json", "weights.safetensors"
ENCODER_FOLDER, CROSS_FOLDER = "encoder", "cross"
_SCALE = ("lowest", "highest", "mean")


def save(similarity: SentenceSimilarity, folder: str | os.PathLike[str], *, whole: bool) -> Path:
    """Write it; see `SentenceSimilarity.save`."""
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    scorer = similarity._ready()
    body, cross = scorer.features.encoder, scorer.cross
    is_named = not isinstance(similarity.encoder, Encoder)
    is_stored = whole or not (is_named and similarity._fresh_features().encoder is body)
    tensors = {f"metric.{name}": value for name, value in scorer.metric.state_dict().items()}
    files = _stored(body, target, ENCODER_FOLDER) if is_stored else []
    if cross is not None:
        tensors |= {f"head.{name}": value for name, value in cross.head.state_dict().items()}
        files += _stored(cross.encoder, target, CROSS_FOLDER)
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "encoder": {
            "name": body.name,
            "source": _absolute(body.source),
            "sha256": body.weights,
            "stored": is_stored,
        },
        "layers": list(scorer.features.layers),
        "is_learned": scorer.metric.matrix is not None,
        "is_cross": cross is not None,
        "scale": {name: getattr(scorer, name) for name in _SCALE},
        "words": {name: getattr(similarity, name) for name in ("metric", "max_len", "seed")},
    }
    write(target, JSON_FILE, WEIGHTS_FILE, facts, tensors, files)
    return target


def load(kind: type[SentenceSimilarity], folder: str | os.PathLike[str], given: Any) -> Any:
    """Read it; see `SentenceSimilarity.load`."""
    source = Path(folder).expanduser()
    facts = read_facts(source, JSON_FILE, FORMAT, VERSION)
    tensors = read_tensors(source, WEIGHTS_FILE, facts)
    check_files(source, facts)
    try:
        return _loaded(kind, source, facts, tensors, given)
    except CheckpointError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OSError, MlnbError) as error:
        raise CheckpointError(f"{shown(source)} holds no similarity that mlnb knows.") from error


def _stored(body: Encoder, target: Path, name: str) -> list[str]:
    """The files that an encoder was written into."""
    body.save(target / name)
    files = sorted(file for file in (target / name).rglob("*") if file.is_file())
    return [file.relative_to(target).as_posix() for file in files]


def _absolute(source: str) -> str:
    """A folder so that it is found from anywhere; "auto" and names on the hub as they are."""
    return str(Path(source).resolve()) if source != "auto" and Path(source).is_dir() else source


def _loaded(
    kind: type[SentenceSimilarity],
    source: Path,
    facts: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    given: Any,
) -> SentenceSimilarity:
    stored, layers = facts["encoder"], [int(layer) for layer in facts["layers"]]
    words = {name: facts["words"][name] for name in ("metric", "max_len", "seed")}
    body = _body(stored, given, source)
    made = kind(body if stored["stored"] else str(stored["source"]), layers, **words)
    features = TextFeatures(body, layers, int(words["max_len"]))
    metric = Metric(features.width, learned=bool(facts["is_learned"]))
    fill(metric, below("metric.", tensors), source)
    metric.eval().requires_grad_(False)
    lowest, highest, mean = (float(facts["scale"][name]) for name in _SCALE)
    scorer = Scorer(features, metric, lowest=lowest, highest=highest, mean=mean)
    if facts["is_cross"]:
        cross = CrossNet(encoder(source / CROSS_FOLDER), features.layers)
        fill(cross.head, below("head.", tensors), source)
        scorer = replace(scorer, cross=cross.eval().requires_grad_(False))
    made._scorer, made.left_out_, made.runs_ = scorer, {}, ()
    made._loaded = (made.encoder, made.device), body
    return made


def _body(stored: Mapping[str, Any], given: Any, source: Path) -> Encoder:
    if stored["stored"]:
        body = encoder(source / ENCODER_FOLDER)
        body.name, body.source = str(stored["name"]), str(stored["source"])
        body.weights = str(stored["sha256"])
        return body
    name = ", ".join(display_text(str(stored[key]), 60) for key in ("name", "source"))
    try:
        named = given or str(stored["source"])
        body = given if isinstance(given, Encoder) else encoder(named, local=True)
    except MlnbError as error:
        raise CheckpointError(
            f"What is in {shown(source)} needs the encoder {name}, which is not in the folder and "
            "not on this machine: save(folder, whole=True) puts it in, or "
            f"load(folder, encoder=path). ({error})"
        ) from error
    if body.weights != stored["sha256"]:
        raise CheckpointError(
            f"What is in {shown(source)} was fitted on the encoder {name}, with other weights than "
            f"those that are here ({display_text(str(body.source), 80)}); give the right ones: "
            "load(folder, encoder=)"
        )
    return body
