"""A `SentenceSimilarity` in a folder: `similarity.json` and `weights.safetensors`, no pickle.

The encoder is named with the sha256 of its weights, which keeps the folder small, or goes in whole,
as what was tuned always does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlnb.networks.encoders import encoder
from mlnb.tasks.keeping import below, fill
from mlnb.tasks.similarity.metric import Metric
from mlnb.tasks.similarity.scoring import Scorer
from mlnb.tasks.similarity.tuning import CrossNet
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.kept_encoder import Parts, keep, kept, written

if TYPE_CHECKING:
    from torch import Tensor

    from mlnb.tasks.similarity.similarity import SentenceSimilarity

FORMAT, VERSION = "mlnb.sentence_similarity", 1
JSON_FILE, NOUN = "similarity.json", "similarity"
CROSS_FOLDER = "cross"
_SCALE = ("lowest", "highest", "mean")


def parts(similarity: SentenceSimilarity, target: Path, whole: bool) -> Parts:
    """Facts, tensors and files; see `Kept`."""
    scorer = similarity._ready()
    body, cross = scorer.features.encoder, scorer.cross
    tensors = {f"metric.{name}": value for name, value in scorer.metric.state_dict().items()}
    stored, files = keep(body, similarity.encoder, target, whole=whole)
    if cross is not None:
        tensors |= {f"head.{name}": value for name, value in cross.head.state_dict().items()}
        files += written(cross.encoder, target, CROSS_FOLDER)
    facts = {
        "encoder": stored,
        "layers": list(scorer.features.layers),
        "is_learned": scorer.metric.matrix is not None,
        "is_cross": cross is not None,
        "scale": {name: getattr(scorer, name) for name in _SCALE},
        "words": {name: getattr(similarity, name) for name in ("metric", "max_len", "seed")},
    }
    return facts, tensors, files


def rebuilt(
    kind: type[SentenceSimilarity],
    source: Path,
    facts: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    given: Any,
) -> SentenceSimilarity:
    """One of what `parts` gave."""
    stored, layers = facts["encoder"], [int(layer) for layer in facts["layers"]]
    words = {name: facts["words"][name] for name in ("metric", "max_len", "seed")}
    body = kept(stored, given, source)
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
