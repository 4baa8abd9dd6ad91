"""A text classifier as one ONNX file, from the ids of tokens to probabilities, and its tokenizer.

ONNX has no words, so a `tokenizer.json` lies beside the file; it cuts and pads as training did, so
that three lines of any program with the `tokenizers` library are enough:

    encoded = tokenizers.Tokenizer.from_file("tokenizer.json").encode_batch(texts)
    ids, mask = [one.ids for one in encoded], [one.attention_mask for one in encoded]
    load_model("yelp.onnx").predict({"input_ids": ids, "attention_mask": mask})

An empty text has no ids to ask about; the classifier answers it by how often each class came.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import ExportError, need
from mlnb.formatting import display_text
from mlnb.models.convert.exporter import OPSET, constant_batch, exported, require_small
from mlnb.models.convert.target import export_target, write_export
from mlnb.networks.export import session
from mlnb.networks.tokenizing import PAD
from mlnb.progress import progress
from mlnb.tasks.exporting import OUTPUT, describe, difference, report, require_close
from mlnb.tasks.texts.features import TextFeatures
from mlnb.tasks.texts.heads import probabilities
from mlnb.tasks.texts.training import TextNet

if TYPE_CHECKING:
    import os

    from mlnb.networks.export import ExportReport
    from mlnb.tasks.texts.classification import TextClassifier
    from mlnb.tasks.texts.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]

TOKENIZER = "tokenizer.json"
INPUTS = ("input_ids", "attention_mask")
_SECOND = "_2"
"""Behind the names of the inputs of second texts."""
_WRONG = 1e-3
"""The most by which a probability may differ; rounding moves it by less than a hundredth of it."""
_ROWS = (1, 2, 5)
_MADE = (
    "We sat an hour and the soup was cold.",
    "Lovely!",
    "?!",
    "naïve CAFÉ — 9/10 \U0001f60b ¡qué rico! 美味しい <b>&amp;</b>",
    "never again, " * 200,
)
_REAL = 11


def export(classifier: TextClassifier, path: str | os.PathLike[str]) -> ExportReport:
    """Write a classifier and its tokenizer; see `TextClassifier.export_onnx`.

    Args:
        classifier: fitted.
        path: of the file; what stands there is replaced by the whole new file or not at all.

    Raises:
        ExportError: it cannot be followed or written, the file answers otherwise than the
            classifier, or another model's tokenizer lies in the folder.
    """
    begun, fitted = time.monotonic(), classifier._ready
    features = _exportable(fitted)
    target = export_target(path)
    tokenizer = _tokenizer_of(features)
    _require_room(target, tokenizer)
    with progress(f"export {target.name}", 3) as done:
        made = _graph(fitted, features)
        done(1)
        facts = {"labels": "any number of them" if fitted.is_multi_label else "one"}
        describe(made, classifier, facts | {"encoder": features.text, "tokenizer": TOKENIZER})
        content = made.SerializeToString()
        done(2)
        largest = _checked(fitted, content, tokenizer)
        done(3)
    write_export(target.with_name(TOKENIZER), tokenizer)
    write_export(target, content)
    return report(target, made, len(content), largest, opset=OPSET, begun=begun)


class _Probabilities(TextNet):
    """The same network up to probabilities."""

    is_multi_label = False

    def forward(self, *inputs: Tensor) -> Tensor:
        """`[n, classes]`."""
        logits = super().forward(*inputs)
        return logits.sigmoid() if self.is_multi_label else logits.softmax(1)


def _graph(fitted: Fitted, features: TextFeatures) -> Any:
    """Encoder, head and probabilities; batch and lengths are free."""
    whole = (features.encoder, fitted.head.module)
    encoder, head = (copy.deepcopy(part).cpu() for part in whole)
    net = _Probabilities(encoder, head, features.layers).eval()
    net.is_multi_label = fitted.is_multi_label
    require_small(sum(x.nbytes for x in (*net.parameters(), *net.buffers())))
    names = input_names(fitted)
    samples = tuple(torch.ones(2, 5 + at // 2, dtype=torch.int64) for at in range(len(names)))
    free = [
        {0: torch.export.Dim("batch"), 1: torch.export.Dim(f"length{_ending(at)}", min=1)}
        for at in range(len(names))
    ]
    with _slow_attention():
        made = exported(
            net,
            samples,
            name="TextClassifier",
            outputs=[OUTPUT],
            input_names=list(names),
            dynamic_shapes=(tuple(free),),
        )
    for one in made.graph.input:
        if not all(dim.dim_param for dim in one.type.tensor_type.shape.dim):
            raise ExportError(constant_batch("the network"))
    return made


def input_names(fitted: Fitted) -> tuple[str, ...]:
    """What the file is fed, by name: ids and mask, of pairs those of both texts."""
    columns = 2 if fitted.is_paired else 1
    return tuple(f"{name}{_SECOND * at}" for at in range(columns) for name in INPUTS)


def _ending(at: int) -> str:
    return _SECOND * (at // len(INPUTS))


@contextmanager
def _slow_attention() -> Iterator[None]:
    """torch's fused layer in eval mode has no counterpart in ONNX."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


# --------------------------------------------------------------------------------------- the check


def _checked(fitted: Fitted, content: bytes, tokenizer: bytes) -> float:
    """The largest difference of a probability, over real and made texts and several batches.

    Raises:
        ExportError: it is too large, or onnxruntime fails.
    """
    runs = session(content)
    columns = _texts(fitted)
    largest, at = 0.0, 0
    while at < len(columns[0]):
        rows = slice(at, at + _ROWS[min(at, len(_ROWS) - 1)])
        given = [column[rows] for column in columns]
        fed = [array for column in given for array in encoded(tokenizer, column)]
        pairs = given[1] if len(given) > 1 else None
        logits = fitted.logits(given[0], pairs, cached=False)
        wanted = probabilities(logits, fitted.is_multi_label)
        named = dict(zip(input_names(fitted), fed, strict=True))
        largest = max(largest, difference(runs, named, wanted))
        at = rows.stop
    return require_close(largest, _WRONG)


def _texts(fitted: Fitted) -> list[list[str]]:
    """Made ones that are difficult, then a few that it has learnt from; of pairs both columns."""
    learnt = fitted.learnt
    texts = [*_MADE, *([] if learnt is None else learnt.texts[:_REAL])]
    if not fitted.is_paired:
        return [texts]
    seconds = [*_MADE[::-1], *([] if learnt is None else (learnt.pairs or [])[:_REAL])]
    return [texts, seconds]


def encoded(tokenizer: bytes, texts: Sequence[str]) -> tuple[Array, Array]:
    """Ids and mask as an exported file takes them, `int64 [n, tokens]`.

    >>> ids, mask = encoded(Path("tokenizer.json").read_bytes(), ["The soup was cold."])

    Args:
        tokenizer: the bytes of the `tokenizer.json` beside the file.
        texts: one or more.
    """
    inner = need("tokenizers", "text").Tokenizer.from_buffer(tokenizer)
    found = inner.encode_batch(list(texts))
    ids = np.array([one.ids or [0] for one in found], np.int64)
    return ids, np.array([one.attention_mask or [0] for one in found], np.int64)


# ----------------------------------------------------------------------------------- the tokenizer


def _tokenizer_of(features: TextFeatures) -> bytes:
    """The tokenizer's file with the cutting and the padding that the network was trained with."""
    tokenizer = features.encoder.tokenizer
    inner = need("tokenizers", "text").Tokenizer.from_buffer(tokenizer.content)
    inner.enable_truncation(features.max_len)
    pad = inner.id_to_token(tokenizer.pad_id) or PAD
    inner.enable_padding(pad_id=tokenizer.pad_id, pad_token=pad)
    made: str = inner.to_str()
    return made.encode()


def _require_room(target: Path, tokenizer: bytes) -> None:
    """Refuse to replace the tokenizer of another model in the folder."""
    beside = target.with_name(TOKENIZER)
    if target.exists() or not beside.exists() or beside.read_bytes() == tokenizer:
        return
    raise ExportError(
        f"{display_text(str(beside), 200)} is another model's, which would read its texts by this "
        "one's from then on; export into a folder of its own."
    )


def _exportable(fitted: Fitted) -> TextFeatures:
    if not isinstance(fitted.features, TextFeatures):
        raise ExportError(
            'encoder="tfidf" counts words and letters, for which ONNX has no operators that all '
            'runtimes know; save() keeps it, and encoder="auto" can be exported.'
        )
    if any(isinstance(layer, nn.RNN) for layer in fitted.features.encoder.modules()):
        raise ExportError(
            "A plain rnn over texts of any length is nothing that torch can write as ONNX; gru and "
            "lstm are: Sequential().embedding(5_000, 64).gru(64)."
        )
    return fitted.features
