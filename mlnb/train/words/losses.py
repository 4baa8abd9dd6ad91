"""Losses by name, class, module or function, and which one "auto" means.

Every named loss takes what a network gives before any activation (logits), because that is what is
exact. A network that ends in softmax, log-softmax or sigmoid is noticed and taken as it is.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from mlnb.errors import TrainError
from mlnb.formatting import display_text, first_line
from mlnb.train.trees import dtype_text
from mlnb.train.words.loss_functions import (
    ALIASES,
    WORDS,
    Case,
    LossFunction,
    Shares,
    shares,
    torchs,
)
from mlnb.train.words.parsing import look_up, parse_word, refuse_options


@dataclass(frozen=True)
class Loss:
    """A loss that is ready to be called.

    Args:
        name: what it is called.
        function: takes outputs and targets, gives a tensor without dimensions.
        said: the sentence that tells which one it is and why.
        kind: "classification", "binary", "multilabel", "regression" or "custom".
        activation: "softmax" or "sigmoid" where the outputs become probabilities by it.
        shares: what the targets of a batch weigh together; `None` where each row weighs one.
    """

    name: str
    function: LossFunction
    said: str
    kind: str = "custom"
    activation: str | None = None
    shares: Shares | None = None

    def __repr__(self) -> str:
        return f"Loss({self.name!r}, {self.kind})"


def resolve_loss(
    loss: object,
    *,
    outputs: Any,
    targets: Any,
    task: str = "unknown",
    class_weight: Tensor | None = None,
    model: nn.Module | None = None,
) -> Loss:
    """The loss that a word, a class, a module or a function means for these outputs and targets.

    >>> resolve_loss("auto", outputs=torch.zeros(2, 10), targets=torch.tensor([3, 7])).said
    'loss: cross_entropy (integer targets, 10 outputs)'

    Args:
        loss: "auto", a name such as "mse" or "cross_entropy(label_smoothing=0.1)", a class or an
            instance of `torch.nn`, or a function of outputs and targets.
        outputs: what the network gives for a few rows.
        targets: the targets of these rows; None where there are none.
        task: what the targets alone say: "classification", "binary", "multilabel", "regression".
        class_weight: one weight a class, for losses of classification.
        model: the network; its last layer tells whether the outputs are probabilities already.

    Raises:
        UnknownName: for a name or an option that does not exist, with the closest.
        TrainError: where nothing fits the outputs and targets.
    """
    case = Case(outputs, targets, task, class_weight, _last_activation(model, outputs))
    if isinstance(loss, str):
        name, options = parse_word(loss)
        if name == "auto":
            return _tried(_named(_auto_name(case), {}, case, auto=True), case)
        return _tried(_named(name, options, case), case)
    if isinstance(loss, type) and issubclass(loss, nn.Module):
        loss = loss()
    if callable(loss):
        return _tried(_own(loss, case), case)
    raise TrainError(
        "loss is a name, a class or module of torch.nn, or a function of outputs and targets; "
        f"received {type(loss).__name__}"
    )


def _named(name: str, options: dict[str, Any], case: Case, auto: bool = False) -> Loss:
    word = look_up("loss", name, WORDS, ALIASES)
    name = ALIASES.get(name, name)
    refuse_options("loss", name, options, word.options)
    _need_tensors(name, case)
    kind, activation = word.kind, word.activation
    if name == "bce" and case.task != "binary" and case.classes > 1 and case.aligned:
        kind = "multilabel"
    if name == "hinge" and case.classes > 1:
        kind = "classification"
    if kind == "regression" and case.weight is not None:
        raise TrainError(
            f"class_weight needs a loss of classification such as cross_entropy; {name} weighs "
            "no classes"
        )
    function = word.build(case, **options)
    if name in ("cross_entropy", "bce") and case.last in ("softmax", "sigmoid"):
        activation = None
    said = _sentence(name, options, case, kind, auto)
    return Loss(name, function, said, kind, activation, shares(name, case))


def _sentence(name: str, options: dict[str, Any], case: Case, kind: str, auto: bool) -> str:
    given = ", ".join(f"{key}={value!r}" for key, value in options.items())
    notes = []
    if auto:
        notes.append(_reason(case, kind))
    if case.last and name in ("cross_entropy", "bce", "nll"):
        notes.append(f"the network ends in {case.last}")
    if kind in ("regression", "binary") and not case.aligned and case.same_size:
        notes.append(f"targets {list(case.targets.shape)[1:]} read as {case.shape[1:]} a row")
    if case.weight is not None and kind != "regression":
        notes.append("classes weighted")
    why = "; ".join(notes)
    return f"loss: {name}{f'({given})' if given else ''}{f' ({why})' if why else ''}"


def _reason(case: Case, kind: str) -> str:
    outputs = f"{case.classes:,} output{'s' * (case.classes != 1)}"
    if kind == "binary":
        return "two classes, 1 output"
    if kind == "multilabel":
        return f"yes or no for each of {outputs}"
    return f"{'integer' if case.integers else 'float'} targets, {outputs}"


def _auto_name(case: Case) -> str:
    _need_tensors("auto", case)
    per_class = case.shape[:1] + case.shape[2:] == list(case.targets.shape)
    if case.task == "multilabel" and case.aligned:
        return "bce"
    if case.integers and per_class and case.classes > 1:
        return "cross_entropy"
    if case.task == "binary" and case.same_size:
        return "bce"
    if case.task == "classification" and case.aligned and case.classes > 1:
        return "cross_entropy"
    if case.task == "classification" and case.classes == 1:
        raise TrainError(
            "the targets are more than two classes, but the network has 1 output; give it one "
            'output a class, or loss="mse" for a regression'
        )
    if case.same_size:
        return "mse"
    raise TrainError(
        f"no loss fits outputs {case.shape} and {dtype_text(case.targets.dtype)} targets "
        f"{list(case.targets.shape)}; change the last layer, or give loss= a function of both"
    )


def _need_tensors(name: str, case: Case) -> None:
    if case.targets is None:
        raise TrainError(
            f'loss="{name}" compares outputs with targets, but the data has none; give (x, y), '
            "target= with the column of a frame, (x, x) for an autoencoder, or a step of your own: "
            "Trainer(step=…)"
        )
    for what, value in (("the network's output", case.outputs), ("the target", case.targets)):
        if not isinstance(value, Tensor):
            raise TrainError(
                f'loss="{name}" takes one tensor, but {what} is a {type(value).__name__}; give '
                "loss= a function of outputs and targets"
            )


# Modules and functions


def _own(loss: Any, case: Case) -> Loss:
    """A module or a function, of torch's or of the user's."""
    bare = loss.func if isinstance(loss, partial) else loss
    shown = display_text(getattr(bare, "__name__", type(bare).__name__))
    name, kind, activation = torchs(loss) or (shown, "custom", None)
    if name == "bce" and isinstance(case.outputs, Tensor) and case.classes > 1:
        kind = "multilabel"
    if case.weight is not None:
        loss = _weighted(loss, shown, case.weight)
    if isinstance(loss, nn.Module) and isinstance(case.outputs, Tensor):
        loss = loss.to(case.outputs.device)
    return Loss(name, loss, f"loss: {shown}", kind, activation, shares(name, case, loss))


def _weighted(loss: Any, shown: str, weight: Tensor) -> Any:
    if not isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss) or loss.weight is not None:
        raise TrainError(
            f"class_weight cannot be given to {shown}; give the loss its own weights, or "
            'loss="cross_entropy"'
        )
    loss = copy.copy(loss)
    loss._buffers = {**loss._buffers, "weight": weight}
    return loss


def _tried(loss: Loss, case: Case) -> Loss:
    """The loss, once it gave one number for the first rows."""
    try:
        value = loss.function(case.outputs, case.targets)
    except Exception as error:
        raise TrainError(
            f"the loss {loss.name} failed on the first rows: {first_line(error, 200)}"
        ) from error
    if not isinstance(value, Tensor):
        raise TrainError(
            f"the loss {loss.name} gave a {type(value).__name__}; it must give a tensor"
        )
    if value.ndim:
        raise TrainError(
            f"the loss {loss.name} gave {list(value.shape)}, expected one number; return its mean()"
        )
    return loss


def _last_activation(model: nn.Module | None, outputs: Any) -> str | None:
    """By the last layer and by the values: "softmax", "log-softmax", "sigmoid", or None."""
    if model is None or not isinstance(outputs, Tensor) or outputs.ndim < 1:
        return None
    leaves = [module for module in model.modules() if not any(module.children())]
    last = leaves[-1] if leaves else None
    values = outputs.detach().float()
    within = bool(((values >= 0) & (values <= 1)).all())
    if isinstance(last, nn.Sigmoid) and within:
        return "sigmoid"
    if isinstance(last, nn.Softmax | nn.Softmax2d) and within:
        return "softmax"
    if isinstance(last, nn.LogSoftmax) and bool((values <= 0).all()):
        return "log-softmax"
    return None
