"""The functions that the names of losses build, for the outputs and targets at hand.

What has to be done to the targets (a shape, a dtype) is decided when a function is built, so that a
step pays for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LossFunction = Callable[[Any, Any], Tensor]
Shares = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """Outputs and targets of a few rows, and what else tells which loss they take.

    Args:
        outputs: what the network gives.
        targets: the targets of these rows.
        task: what the targets alone say.
        weight: one a class.
        last: the activation that the network ends in: "softmax", "log-softmax", "sigmoid".
    """

    outputs: Any
    targets: Any
    task: str
    weight: Tensor | None
    last: str | None

    @property
    def shape(self) -> list[int]:
        """The shape of the outputs."""
        return list(self.outputs.shape)

    @property
    def classes(self) -> int:
        """Outputs a row."""
        return self.shape[1] if len(self.shape) > 1 else 1

    @property
    def integers(self) -> bool:
        """Whether the targets are whole numbers."""
        return not (self.targets.is_floating_point() or self.targets.is_complex())

    @property
    def same_size(self) -> bool:
        """Whether outputs and targets have equally many elements."""
        return bool(self.outputs.numel() == self.targets.numel())

    @property
    def aligned(self) -> bool:
        """Whether outputs and targets have the same shape."""
        return self.shape == list(self.targets.shape)


def _cross_entropy(case: Case, *, label_smoothing: float = 0.0) -> LossFunction:
    options: dict[str, Any] = {"weight": case.weight, "label_smoothing": label_smoothing}
    if not label_smoothing:
        del options["label_smoothing"]
    if case.weight is None:
        del options["weight"]
    function: LossFunction = partial(F.cross_entropy, **options) if options else F.cross_entropy
    if case.last == "softmax":
        return lambda outputs, targets: function(_log(outputs), targets)
    return function


def _nll(case: Case) -> LossFunction:
    function: LossFunction = (
        partial(F.nll_loss, weight=case.weight) if case.weight is not None else F.nll_loss
    )
    if case.last == "softmax":
        return lambda outputs, targets: function(_log(outputs), targets)
    return function


def _log(probabilities: Tensor) -> Tensor:
    return probabilities.float().clamp_min(torch.finfo(torch.float32).tiny).log()


def _bce(case: Case, *, label_smoothing: float = 0.0) -> LossFunction:
    plain = F.binary_cross_entropy if case.last == "sigmoid" else F.binary_cross_entropy_with_logits
    weight = case.weight

    def smooth(targets: Tensor) -> Tensor:
        return targets * (1 - label_smoothing) + label_smoothing / 2 if label_smoothing else targets

    if weight is None:
        return _on_floats(case, lambda outputs, targets: plain(outputs, smooth(targets)))

    def weighted(outputs: Tensor, targets: Tensor) -> Tensor:
        factors = _factors(case, weight, targets)
        return plain(outputs, smooth(targets), weight=factors, reduction="sum") / factors.sum()

    return _on_floats(case, weighted)


def _factors(case: Case, weight: Tensor, targets: Tensor) -> Tensor:
    """One weight a label for several labels, where the rest weighs 1; else one a class."""
    several = case.aligned and case.classes > 1
    no, yes = (1.0, weight) if several else (weight[0], weight[1])
    return no + targets * (yes - no)


def _rmse(case: Case) -> LossFunction:
    def rmse(outputs: Tensor, targets: Tensor) -> Tensor:
        mse = F.mse_loss(outputs, targets)
        # The root's gradient is infinite at zero; below the smallest normal number it is none.
        return mse.clamp_min(torch.finfo(mse.dtype).tiny).sqrt()

    return _on_floats(case, rmse)


def _log_cosh(case: Case) -> LossFunction:
    def log_cosh(outputs: Tensor, targets: Tensor) -> Tensor:
        error = outputs - targets
        return (error + F.softplus(-2 * error)).mean() - 0.6931471805599453

    return _on_floats(case, log_cosh)


def _hinge(case: Case, *, margin: float = 1.0) -> LossFunction:
    if case.classes > 1 and not case.aligned:
        return partial(F.multi_margin_loss, margin=margin, weight=case.weight)
    signed = bool((case.targets < 0).any())

    def hinge(outputs: Tensor, targets: Tensor) -> Tensor:
        sign = targets if signed else targets * 2 - 1
        return (margin - sign * outputs).clamp_min(0).mean()

    return _on_floats(case, hinge)


def _kl_div(case: Case) -> LossFunction:
    def kl_div(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.kl_div(F.log_softmax(outputs, 1), targets, reduction="batchmean")

    return _on_floats(case, kl_div)


def _cosine(case: Case) -> LossFunction:
    def cosine(outputs: Tensor, targets: Tensor) -> Tensor:
        return 1 - F.cosine_similarity(outputs.flatten(1), targets.flatten(1)).mean()

    return _on_floats(case, cosine)


def _plain(function: Callable[..., Tensor], case: Case, **options: Any) -> LossFunction:
    return _on_floats(case, partial(function, **options) if options else function)


def _on_floats(case: Case, function: LossFunction) -> LossFunction:
    """`function` of targets that are floats and have the shape of the outputs.

    What has to be done to the targets is decided once, so that a step pays for nothing else.
    """
    reshape = not case.aligned and case.same_size
    if not (reshape or case.integers):
        return function
    if not reshape:
        return lambda outputs, targets: function(outputs, targets.float())
    if not case.integers:
        return lambda outputs, targets: function(outputs, targets.reshape(outputs.shape))
    return lambda outputs, targets: function(outputs, targets.reshape(outputs.shape).float())


def shares(name: str, case: Case, loss: Any = None) -> Shares | None:
    """What the rows of a batch weigh in the mean that a loss is; `None` where each weighs one.

    Without it the mean over a set would depend on how it was cut into batches.

    Args:
        name: of the loss.
        case: the weights, and what the targets are.
        loss: the module or the function of torch's, whose own weights count.
    """
    own = loss.keywords if isinstance(loss, partial) else getattr(loss, "__dict__", {})
    given = {**getattr(loss, "_buffers", {}), **own}
    weight = case.weight if given.get("weight") is None else given["weight"]
    if given.get("reduction", "mean") != "mean":
        return None
    if name in ("cross_entropy", "nll") and case.integers:
        return partial(_kept_shares, weight, given.get("ignore_index", -100))
    if name == "bce" and case.weight is not None:
        return lambda targets: _factors(case, case.weight, targets).sum()
    return None


def _kept_shares(weight: Tensor | None, ignored: int, targets: Tensor) -> Tensor:
    kept = targets != ignored
    return kept.sum() if weight is None else (weight[targets.clamp_min(0)] * kept).sum()


# The names


@dataclass(frozen=True)
class Word:
    """What a name stands for: what builds it, its options, and what the outputs are then."""

    build: Callable[..., LossFunction]
    kind: str
    options: tuple[str, ...] = ()
    activation: str | None = None


WORDS: dict[str, Word] = {
    "cross_entropy": Word(_cross_entropy, "classification", ("label_smoothing",), "softmax"),
    "nll": Word(_nll, "classification", (), "softmax"),
    "bce": Word(_bce, "binary", ("label_smoothing",), "sigmoid"),
    "hinge": Word(_hinge, "binary", ("margin",)),
    "mse": Word(partial(_plain, F.mse_loss), "regression"),
    "rmse": Word(_rmse, "regression"),
    "mae": Word(partial(_plain, F.l1_loss), "regression"),
    "huber": Word(partial(_plain, F.huber_loss), "regression", ("delta",)),
    "smooth_l1": Word(partial(_plain, F.smooth_l1_loss), "regression", ("beta",)),
    "log_cosh": Word(_log_cosh, "regression"),
    "poisson": Word(partial(_plain, F.poisson_nll_loss), "regression", ("log_input", "full")),
    "kl_div": Word(_kl_div, "regression"),
    "cosine": Word(_cosine, "regression"),
}
ALIASES = {
    "ce": "cross_entropy", "crossentropy": "cross_entropy",
    "categorical_crossentropy": "cross_entropy", "categorical_cross_entropy": "cross_entropy",
    "sparse_categorical_crossentropy": "cross_entropy", "softmax_cross_entropy": "cross_entropy",
    "nll_loss": "nll", "negative_log_likelihood": "nll",
    "binary_cross_entropy": "bce", "binary_crossentropy": "bce", "bce_with_logits": "bce",
    "multi_margin": "hinge", "l2": "mse", "mse_loss": "mse", "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse", "l1": "mae", "l1_loss": "mae",
    "mean_absolute_error": "mae", "huber_loss": "huber", "smoothl1": "smooth_l1",
    "smooth_l1_loss": "smooth_l1", "logcosh": "log_cosh", "poisson_nll": "poisson",
    "kl": "kl_div", "kl_divergence": "kl_div", "kld": "kl_div", "cosine_similarity": "cosine",
}  # fmt: skip


# torch's own


TORCHS: tuple[tuple[str, str, str | None, type[nn.Module], Any], ...] = (
    ("cross_entropy", "classification", "softmax", nn.CrossEntropyLoss, F.cross_entropy),
    ("nll", "classification", "softmax", nn.NLLLoss, F.nll_loss),
    ("hinge", "classification", None, nn.MultiMarginLoss, F.multi_margin_loss),
    ("bce", "binary", "sigmoid", nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits),
    ("bce", "binary", None, nn.BCELoss, F.binary_cross_entropy),
    ("mse", "regression", None, nn.MSELoss, F.mse_loss),
    ("mae", "regression", None, nn.L1Loss, F.l1_loss),
    ("huber", "regression", None, nn.HuberLoss, F.huber_loss),
    ("smooth_l1", "regression", None, nn.SmoothL1Loss, F.smooth_l1_loss),
    ("poisson", "regression", None, nn.PoissonNLLLoss, F.poisson_nll_loss),
)
"""Our name, the kind, what makes probabilities of the outputs; the class and the function."""


def torchs(loss: Any) -> tuple[str, str, str | None] | None:
    """Name, kind and activation of a class, a module or a function of torch's, or a partial.

    >>> torchs(nn.MSELoss())
    ('mse', 'regression', None)
    """
    bare = loss.func if isinstance(loss, partial) else loss
    bare = type(bare) if isinstance(bare, nn.Module) else bare
    return next((row[:3] for row in TORCHS if bare is row[3] or bare is row[4]), None)


def loss_kind(loss: Any) -> str | None:
    """What kind of targets a loss takes that the user named; `None` where that is not known."""
    if isinstance(loss, str):
        word = loss.partition("(")[0].strip()
        known = WORDS.get(ALIASES.get(word, word))
        return known.kind if known is not None else None
    own = torchs(loss)
    return own[1] if own is not None else None
