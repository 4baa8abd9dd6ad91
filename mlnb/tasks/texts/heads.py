"""The head: from what an encoder makes of a text to a logit for each class.

The fast one is a logistic regression, fitted in a blink and handed over as torch's own `Linear`, so
that fine-tuning and export go on from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mlnb.errors import TrainError, unknown
from mlnb.networks.sequential import Sequential
from mlnb.tasks.images.heads import HEADS as TRAINED
from mlnb.tasks.images.heads import make_head
from mlnb.tasks.images.training import Words, train_head
from mlnb.tasks.texts.logistic import Logistic, choose

if TYPE_CHECKING:
    from mlnb.train.run import Run

Array = np.ndarray[Any, np.dtype[Any]]

LOGREG, IN_WORDS = "logreg", {"logreg": "logistic regression"}
HEADS = (LOGREG, *TRAINED)


@dataclass(frozen=True)
class Head:
    """What was trained on features.

    Args:
        module: from features to logits; nothing where words are counted.
        name: in a word, for reports.
        made: as it was written; `None` of a logistic regression.
        run: of its training; `None` of a logistic regression.
        strength: C of a logistic regression.
        held: which rows had no part in what was said of them, `int64`.
        said: what that was, `float32 [held, classes]`.
    """

    module: nn.Module = field(default_factory=nn.Identity)
    name: str = ""
    made: Sequential | None = None
    run: Run | None = None
    strength: float | None = None
    held: Array | None = None
    said: Array | None = None


def paired(first: Tensor, second: Tensor) -> Tensor:
    """The features of a pair: both, how far they are apart, and where they agree.

    As InferSent has them (Conneau et al. 2017, "Supervised Learning of Universal Sentence
    Representations", figure 1). A frozen encoder does better so than with both texts in one input,
    which it never saw.

    Args:
        first: `[n, width]`.
        second: likewise.

    Returns:
        `[n, 4 * width]`.
    """
    return torch.cat([first, second, (first - second).abs(), first * second], dim=-1)


def probabilities(logits: Array, many: bool) -> Array:
    """`float32 [n, classes]`: softmax, or of many labels a sigmoid each."""
    given = torch.from_numpy(np.asarray(logits, np.float32))
    made: Array = (given.sigmoid() if many else given.softmax(1)).numpy()
    return made


def logits_of(module: nn.Module, rows: Array) -> Array:
    """What a head says of features, `float32 [n, classes]`."""
    with torch.inference_mode():
        made: Array = module.eval()(torch.from_numpy(rows)).float().numpy()
    return made


def check_head(given: Any, many: bool) -> None:
    """Refuse a head that cannot be meant.

    Raises:
        UnknownName: another word.
        TrainError: a trained head for rows of many labels.
    """
    if not isinstance(given, Sequential) and given not in HEADS:
        raise unknown("head", str(given), [*HEADS, "a Sequential"])
    if many and given != LOGREG:
        raise TrainError('Texts with many labels each take head="logreg".')


def train(
    given: Any,
    features: tuple[Array, Array],
    targets: tuple[Array, Array],
    classes: int,
    *,
    seed: int | None,
    callbacks: Iterable[Any] = (),
) -> Head:
    """A head on features.

    Args:
        given: a word of `HEADS`, or a `Sequential`.
        features: `float32 [n, width]` to train on and to validate on; of the latter may be none.
        targets: likewise, `int64 [n]`; of many labels `float32 [n, classes]`.
        classes: how many there are.
        seed: of all that is drawn.
        callbacks: of the training.
    """
    many = targets[0].ndim == 2
    check_head(given, many)
    if given == LOGREG:
        made = _logreg(features, targets, classes, seed)
    else:
        words = Words(callbacks=tuple(callbacks), seed=seed)
        made = _stepwise(given, features, targets, classes, words)
    if not len(targets[1]):
        return made
    said = probabilities(logits_of(made.module, features[1]), many)
    return replace(made, held=len(targets[0]) + np.arange(len(targets[1])), said=said)


def _stepwise(
    given: Any,
    features: tuple[Array, Array],
    targets: tuple[Array, Array],
    classes: int,
    words: Words,
) -> Head:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(words.seed or 0)
        made = make_head(given, features[0].shape[1], classes)
    name = given if isinstance(given, str) else "head"
    train, held = zip(features, targets, strict=True)
    net, run = train_head(made, train, held, words, f"{name} on texts")
    return Head(net, name, made, run)


def _logreg(
    features: tuple[Array, Array], targets: tuple[Array, Array], classes: int, seed: int | None
) -> Head:
    many = targets[0].ndim == 2
    mean = features[0].mean(0, dtype=np.float64)
    centred = features[0] - mean
    length = float(np.sqrt(np.square(centred).sum(1).mean())) or 1.0
    centred /= length
    validation = ((features[1] - mean) / length, targets[1]) if len(targets[1]) else None
    chosen = choose(centred, targets[0], classes, validation, seed)
    weights, bias = Logistic(centred, targets[0], classes).fit(chosen.strength)
    weights /= length
    head = linear(weights, bias - weights @ mean)
    said = probabilities(chosen.logits, many)
    return Head(head, LOGREG, strength=chosen.strength, held=chosen.rows, said=said)


def linear(weights: Array, bias: Array) -> nn.Linear:
    """Torch's layer of these weights."""
    classes, width = weights.shape
    made: nn.Linear = nn.utils.skip_init(nn.Linear, width, classes)  # draws nothing
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(np.asarray(weights, np.float32)))
        made.bias.copy_(torch.from_numpy(np.asarray(bias, np.float32)))
    return made.eval().requires_grad_(False)
