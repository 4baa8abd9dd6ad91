"""What a `Trainer` is given, checked before anything else: models, words, optimizers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from mlnb.errors import TrainError, unknown
from mlnb.formatting import display_text
from mlnb.train.words.optimizers import resolve_optimizer

if TYPE_CHECKING:
    import torch
    from torch.optim import Optimizer

    from mlnb.train.trainer import Trainer

BACKENDS = ("eager", "compile")


def checked_models(model: Any, step: Any) -> dict[str, nn.Module]:
    """The modules by name; what only holds one is taken by its `module`."""
    given = model if isinstance(model, Mapping) else {"model": model}
    if isinstance(model, Mapping) and step is None:
        raise TrainError(
            "several models need a step of your own, which says how they train: "
            "Trainer({...}, step=fn)"
        )
    models = {str(name): _module(value) for name, value in given.items()}
    for name, value in models.items():
        if not isinstance(value, nn.Module):
            kind = "class" if isinstance(value, type) else type(value).__name__
            what = f"model '{display_text(name)}'" if isinstance(model, Mapping) else "model"
            raise TrainError(
                f"{what} is a torch.nn.Module; received a {display_text(kind)}"
                + (f": make one first, {value.__name__}(...)" if isinstance(value, type) else "")
            )
    if not models:
        raise TrainError("there is no model in the dict; give at least one")
    return models


def _module(value: Any) -> Any:
    inner = getattr(value, "module", None)
    return inner if not isinstance(value, nn.Module) and isinstance(inner, nn.Module) else value


def by_name(models: Any) -> dict[str, nn.Module]:
    """One model under the name that it has in a run, or several by theirs."""
    return dict(models) if isinstance(models, Mapping) else {"model": models}


def check_words(trainer: Trainer) -> None:
    """Refuse words that cannot be meant, before there is any data.

    Raises:
        TrainError: a number out of its range, a word that goes ill with another.
        UnknownName: no such backend.
    """
    if trainer.backend not in BACKENDS:
        raise unknown("backend", str(trainer.backend), BACKENDS)
    _check_number("accumulate", trainer.accumulate, whole=True)
    if trainer.clip_norm is not None:
        _check_number("clip_norm", trainer.clip_norm, whole=False)
    if trainer.seed is not None and (
        isinstance(trainer.seed, bool) or not isinstance(trainer.seed, int) or trainer.seed < 0
    ):
        raise TrainError(f"seed is a whole number from 0 up, or None; received {trainer.seed!r}")
    if trainer.step is None:
        return
    if not callable(trainer.step):
        raise TrainError(
            "step is a function of (batch, models, optimizers) that returns its losses"
        )
    for word, value, usual in (
        ("loss", trainer.loss, "auto"),
        ("clip_norm", trainer.clip_norm, None),
        ("accumulate", trainer.accumulate, 1),
        ("backend", trainer.backend, "eager"),
    ):
        if value != usual:
            raise TrainError(
                f"{word}= has no effect with step=, which does that itself; leave it out"
            )


def _check_number(name: str, value: Any, *, whole: bool) -> None:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < float("inf"):
        what = "a whole number from 1 up" if whole else "a number above 0"
        raise TrainError(f"{name} is {what}; received {display_text(repr(value))}")


def made_optimizers(trainer: Trainer, device: torch.device) -> dict[str, Optimizer]:
    """One optimizer for one model; with several, one each by the model's name, or as given.

    Raises:
        TrainError: there is nothing to train.
    """

    def made(word: Any, models: Iterable[nn.Module]) -> Optimizer:
        parameters = [parameter for model in models for parameter in model.parameters()]
        return resolve_optimizer(word, parameters, trainer.lr, device=device)

    models = trainer.models
    if isinstance(trainer.optimizer, Mapping):
        if trainer.step is None:
            raise TrainError("several optimizers need a step of your own: Trainer(..., step=fn)")
        return {
            str(name): made(word, [models[name]] if name in models else models.values())
            for name, word in trainer.optimizer.items()
        }
    if list(models) == ["model"]:
        return {"optimizer": made(trainer.optimizer, models.values())}
    # A frozen one among several is no mistake: a critic, a teacher.
    learning = {name: model for name, model in models.items() if _learns(model)} or models
    return {name: made(trainer.optimizer, [model]) for name, model in learning.items()}


def _learns(model: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in model.parameters())
