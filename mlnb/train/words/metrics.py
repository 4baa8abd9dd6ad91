"""Metrics by their usual names, right over the whole set, counted on the device.

Classification is one confusion matrix, regression a few sums; what needs the order of all scores
(AUC, average precision) keeps them until the end. They agree with scikit-learn where classes are
absent, scores tie, or batches differ in size; a value that does not exist is NaN, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text
from mlnb.train.words.class_measures import CONFUSION, Confusion, LogLoss, TopK
from mlnb.train.words.error_measures import ERRORS, Errors
from mlnb.train.words.measures import Given, Measure
from mlnb.train.words.own_measures import Kept, Torchmetric
from mlnb.train.words.ranked_measures import RANKED, Ranked

if TYPE_CHECKING:
    from mlnb.train.words.losses import Loss

ALIASES = {
    "acc": "accuracy", "categorical_accuracy": "accuracy", "binary_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy", "bacc": "balanced_accuracy", "f1_score": "f1",
    "roc_auc": "auc", "auroc": "auc", "roc_auc_score": "auc", "ap": "average_precision",
    "auprc": "average_precision", "pr_auc": "average_precision", "logloss": "log_loss",
    "matthews_corrcoef": "mcc", "cohen_kappa": "kappa", "mean_absolute_error": "mae", "l1": "mae",
    "mean_squared_error": "mse", "root_mean_squared_error": "rmse", "r2_score": "r2",
    "mean_absolute_percentage_error": "mape", "median_ae": "median_absolute_error",
    "sensitivity": "recall", "precision_score": "precision", "recall_score": "recall",
}  # fmt: skip
CLASSES = (*CONFUSION, *RANKED, "log_loss", "top5")
NAMES = (*CLASSES, *ERRORS)
_BEST_HIGH = {*CONFUSION, *RANKED, "r2", "explained_variance", "top_k", "samples_per_second"}
_BEST_LOW = {*ERRORS, "loss", "log_loss", "seconds", "huber", "hinge", "perplexity", "error"}
_TOP = re.compile(r"top_?(\d+)(?:_accuracy|_acc)?$|top_?k(?:_accuracy)?$")
_AVERAGE = re.compile(r"(.+)_(macro|micro|weighted)$")


def direction(name: str) -> str | None:
    """Whether "min" or "max" is best for this metric; None where the name does not tell.

    >>> direction("val_loss"), direction("f1_macro"), direction("val_top5")
    ('min', 'max', 'max')
    """
    bare = _bare(name.removeprefix("val_"))
    if bare in _BEST_HIGH or _TOP.match(bare) or bare.endswith("accuracy"):
        return "max"
    return "min" if bare in _BEST_LOW or bare.endswith("loss") else None


def resolve_metrics(metrics: object, *, loss: Loss, outputs: Any, targets: Any) -> EpochMetrics:
    """The metrics that words, torchmetrics and functions mean for these outputs and targets.

    >>> resolve_metrics(["accuracy", "top5"], loss=loss, outputs=outputs, targets=targets).names
    ('accuracy', 'top5')

    Args:
        metrics: "auto" (accuracy where there are classes, mae for a regression), one of or a list
            of names ("f1_macro", "top5", "auc"), `torchmetrics.Metric`, and functions of all
            outputs and all targets; a dict gives them names; None or () for none.
        loss: tells what the outputs are, and how they become probabilities.
        outputs: what the network gives for a few rows.
        targets: the targets of these rows.

    Raises:
        UnknownName: for a name that does not exist, with the closest.
        TrainError: for a metric that this kind of output does not have.
    """
    kind = loss.kind if loss.kind != "custom" else _guess(outputs, targets)
    if metrics is None:
        metrics = ()
    if isinstance(metrics, str) and metrics == "auto":
        first = "mae" if kind == "regression" else "accuracy"
        metrics = (first,) if kind != "custom" else ()
    if isinstance(metrics, dict):
        named = [(str(name), metric) for name, metric in metrics.items()]
    else:
        many = metrics if isinstance(metrics, list | tuple) else [metrics]
        named = [(_name(metric), metric) for metric in many]
    classes = 1
    if isinstance(outputs, Tensor) and outputs.ndim > 1:
        classes = int(outputs.shape[1])
    half = 0.0 if loss.activation or loss.name == "hinge" else 0.5
    given = Given(kind, loss.activation, classes, half)
    measures: dict[str, Measure] = {}
    for name, metric in named:
        if name in measures or name == "loss":
            raise TrainError(f"two metrics are called '{display_text(name)}'; give a dict of them")
        measures[name] = _measure(name, metric, given)
    return EpochMetrics(measures, given)


class EpochMetrics:
    """What is measured in an epoch: cheap counts while training, everything over a whole set.

    >>> metrics.reset()
    >>> for inputs, targets in batches:
    ...     metrics.update(net(inputs), targets)
    >>> metrics.compute()
    {'accuracy': 0.978}
    """

    def __init__(self, measures: dict[str, Measure], given: Given) -> None:
        self.names = tuple(measures)
        self._measures = measures
        self._parts = list({id(m.part): m.part for m in measures.values()}.values())
        self._given = given
        self._running = [n for n in self.names if n in ("accuracy", "mae", "mse", "rmse")]
        self._running_rows: Callable[[Tensor, Tensor], Tensor] | None = None

    def __repr__(self) -> str:
        return f"EpochMetrics({', '.join(self.names) or 'none'})"

    def reset(self) -> None:
        """Forget what was counted over a set."""
        for part in self._parts:
            part.reset()

    def update(self, outputs: Any, targets: Any) -> None:
        """Count a batch of the set, on the device where it is."""
        for part in self._parts:
            part.update(outputs, targets)

    def compute(self) -> dict[str, float]:
        """The value of every metric over all that was counted; NaN where there is none."""
        return {
            key: value
            for name, measure in self._measures.items()
            for key, value in measure.values(name).items()
        }

    # In the training loop

    def running(self, outputs: Tensor, targets: Tensor, sums: dict[str, Tensor]) -> None:
        """Add a batch to the running sums, without a host read.

        Args:
            outputs: detached outputs of the batch.
            targets: its targets.
            sums: what the run keeps of the unfinished epoch; the entries are made at first.
        """
        for name in self._running:
            value = self._given.running(name, outputs, targets)
            sums[name] = sums[name] + value if name in sums else value
        if self._running:
            rows = self._given.counted(targets)
            sums["count"] = sums["count"] + rows if "count" in sums else rows

    def running_values(self, sums: dict[str, Tensor]) -> dict[str, float]:
        """What the running sums come to: the metrics of the training epoch so far."""
        if "count" not in sums:
            return {}
        count = float(sums["count"])
        means = {name: float(sums[name]) / count for name in self._running if name in sums}
        return {name: mean**0.5 if name == "rmse" else mean for name, mean in means.items()}


def _guess(outputs: Any, targets: Any) -> str:
    """The kind of a custom loss, by what it is given."""
    if not isinstance(outputs, Tensor) or not isinstance(targets, Tensor):
        return "custom"
    per_class = outputs.shape[:1] + outputs.shape[2:] == targets.shape and outputs.ndim > 1
    if not targets.is_floating_point():
        return "classification" if per_class and outputs.shape[1] > 1 else "custom"
    return "regression" if outputs.numel() == targets.numel() else "custom"


def _name(metric: object) -> str:
    if isinstance(metric, str):
        return metric.strip().lower().replace("-", "_")
    return str(getattr(metric, "__name__", None) or type(metric).__name__)


def _bare(name: str) -> str:
    name = ALIASES.get(name, name)
    average = _AVERAGE.match(name)
    return ALIASES.get(average[1], average[1]) if average else name


def _measure(name: str, metric: object, given: Given) -> Measure:
    if isinstance(metric, str):
        return _named(_name(metric), given)
    if isinstance(metric, type):
        metric = metric()
    if hasattr(metric, "update") and hasattr(metric, "compute") and hasattr(metric, "reset"):
        return Torchmetric(metric)
    if callable(metric):
        return Kept(metric, display_text(name))
    raise TrainError(
        "a metric is a name, a torchmetrics.Metric, or a function of outputs and targets; "
        f"received {type(metric).__name__}"
    )


def _named(name: str, given: Given) -> Measure:
    known = ALIASES.get(name, name)
    top = _TOP.match(known)
    average = _AVERAGE.match(known)
    bare = _bare(known)
    if not (top or bare in CONFUSION or bare in RANKED or bare in ERRORS or bare == "log_loss"):
        raise unknown("metric", name, [*CONFUSION, *RANKED, "log_loss", "top5", *ERRORS, *ALIASES])
    if bare in ERRORS:
        if given.kind not in ("regression", "custom"):
            raise _misfit(name, given, CLASSES)
        return Errors(bare, given)
    if given.kind == "regression":
        raise _misfit(name, given, tuple(ERRORS))
    if given.kind == "custom":
        raise TrainError(
            f"metric '{name}' cannot be told from outputs of this form; give a function of "
            "outputs and targets"
        )
    if top:
        if given.kind != "classification":
            raise _misfit(name, given, CLASSES[:-1])
        return TopK(int(top[1] or 5), given)
    way = average[2] if average else None
    if bare in RANKED:
        return Ranked(bare, way, given)
    return LogLoss(given) if bare == "log_loss" else Confusion(bare, way, given)


def _misfit(name: str, given: Given, fitting: Sequence[str]) -> TrainError:
    return TrainError(
        f"metric '{name}' is not for {given.kind} outputs; "
        f"these have: {', '.join(dict.fromkeys(fitting))}"
    )
