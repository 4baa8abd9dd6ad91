"""Which words of a text speak for a class: by leaving them out, or by the gradient.

Leaving out asks the model itself, once a word, and works for any. The gradient is taken eight times
however long the text is, on the way from padding to the words: at the words alone, gradient times
input ranks the words of a BERT against what leaving them out shows.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mlnb.data.text import clean
from mlnb.errors import DataError, unknown
from mlnb.tasks.texts.baselines import TfIdf
from mlnb.tasks.texts.heads import probabilities
from mlnb.tasks.texts.training import TextBatches, TextNet
from mlnb.tasks.texts.tuning import with_encoder
from mlnb.tasks.word_shares import Words, shared, words, words_of

if TYPE_CHECKING:
    from mlnb.tasks.texts.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]

METHODS = ("occlusion", "gradient")
STEPS = 8


def explain(
    fitted: Fitted,
    text: str | tuple[str, str],
    target: Any = None,
    *,
    method: str = "occlusion",
    pair: str | None = None,
) -> Words:
    """The words of a text with their shares, -1 to 1; see `TextClassifier.explain`.

    The gradient is that of the logarithm of the class's odds, which does not fade where the model
    is sure.
    """
    if method not in METHODS:
        raise unknown("method", str(method), METHODS)
    text, seconds = _checked(fitted, text, pair)
    number = None if target is None else _number(fitted, target)
    if method == "gradient":
        return _by_gradient(fitted, text, seconds, number)

    def predict(texts: Any) -> Array:
        pairs = None if seconds is None else seconds * len(texts)
        logits = fitted.logits(list(texts), pairs, cached=False)
        said = probabilities(logits, fitted.is_multi_label)
        nothing = [not "".join([one, *(seconds or ())]).strip() for one in texts]
        said[nothing] = fitted.shares
        return said

    return words(predict, text, number, until=_read_until(fitted, text))


def _by_gradient(fitted: Fitted, text: str, seconds: list[str] | None, target: int | None) -> Words:
    features = with_encoder(fitted, 'explain(method="gradient")')
    encoder, max_len = features.encoder, features.max_len
    found, note = words_of(text, _read_until(fitted, text))
    columns = [[text]] if seconds is None else [[text], seconds]
    batches = TextBatches(encoder.tokenizer, columns, np.zeros(1, np.int64), max_len=max_len)
    inputs = [one.to(encoder.device).expand(STEPS, -1) for one in batches.inputs(np.arange(1))]
    head = copy.deepcopy(fitted.head.module).to(encoder.device)
    net = TextNet(encoder, head, features.layers).eval()
    spans = encoder.tokenizer.spans(text, max_len=max_len)
    path = _Path(encoder.word_embeddings.weight, encoder.tokenizer.pad_id, spans)
    with torch.enable_grad(), path:
        logits = net(*inputs)
    with torch.enable_grad():
        if target is None:
            target = int(fitted.logits([text], seconds, cached=False)[0].argmax())
        score = _log_odds(logits, target, fitted.is_multi_label).sum()
        (gradient,) = torch.autograd.grad(score, path.seen)
    tokens = (gradient.mean(0) * path.way).sum(-1).double().cpu().numpy()
    return shared(text, found, _summed(tokens, spans, found), note)


class _Path(TorchFunctionMode):
    """Lets the words of a text come up out of padding, a copy of the text for each step of the way.

    It looks at the function and not at a module, because a network of one's own may have a bag,
    whose module gives one vector for all words. Only the first text of a pair is changed.

    Args:
        weight: of the embedding.
        pad_id: the row that the way begins at.
        spans: of the tokens; special ones, which have none, stay as they are.
    """

    seen: Tensor
    way: Tensor

    def __init__(self, weight: Tensor, pad_id: int, spans: list[tuple[int, int]]) -> None:
        super().__init__()
        self._weight, self._pad_id = weight, pad_id
        self._moves = [end > start for start, end in spans]
        self._is_first = True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        is_embedding = func is torch.nn.functional.embedding and args[1] is self._weight
        if not (is_embedding and self._is_first):
            return out
        self._is_first = False
        here, weight = out.detach(), self._weight.detach()
        moves = torch.tensor(self._moves, device=here.device)[:, None]
        self.way = (here[0] - weight[self._pad_id]) * moves
        left = 1 - (torch.arange(STEPS, device=here.device, dtype=here.dtype) + 0.5) / STEPS
        self.seen = (here - left[:, None, None] * self.way).requires_grad_()
        return self.seen


def _log_odds(logits: Tensor, target: int, is_multi_label: bool) -> Tensor:
    if is_multi_label:
        return logits[:, target]
    others = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1)
    return logits[:, target] - others.logsumexp(1)


def _summed(tokens: Array, spans: list[tuple[int, int]], found: Any) -> Array:
    """The tokens' shares added up over each word."""
    made = np.zeros(len(found))
    for share, (start, end) in zip(tokens, spans, strict=True):
        for at, word in enumerate(found):
            if start < word.end() and end > word.start():
                made[at] += share
    return made


def _read_until(fitted: Fitted, text: str) -> int | None:
    """Up to which character the encoder reads; `None` where it reads all."""
    if isinstance(fitted.features, TfIdf):
        return None
    max_len = fitted.features.max_len
    spans = fitted.features.encoder.tokenizer.spans(text, max_len=max_len)
    return max(end for _, end in spans) if len(spans) >= max_len else None


def _checked(fitted: Fitted, text: Any, pair: Any) -> tuple[str, list[str] | None]:
    """The text, and the second one as a column of one row."""
    if isinstance(text, tuple) and len(text) == 2 and pair is None:
        text, pair = text
    if not isinstance(text, str) or not isinstance(pair, str | None):
        kind = type(pair if isinstance(text, str) else text).__name__
        raise DataError(f"expected a text; received {kind}")
    if fitted.is_paired != (pair is not None):
        how = "in pairs: pair= is the second one" if fitted.is_paired else "alone, without pair="
        raise DataError(f"this classifier has learnt from texts {how}")
    return clean([text])[0], None if pair is None else clean([pair])


def _number(fitted: Fitted, target: Any) -> int:
    classes = fitted.labels.classes
    if target not in classes:
        raise unknown("class", str(target), [str(one) for one in classes])
    return classes.index(target)
