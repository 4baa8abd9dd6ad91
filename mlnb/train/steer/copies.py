"""Copies of what a run trains, taken between two steps: to predict with, or to branch off.

Models, optimizers, schedule and callbacks point at each other, so they are copied as one, with one
memo; the data is shared, never copied.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

from mlnb.errors import TrainError

if TYPE_CHECKING:
    from torch import nn

    from mlnb.train.state import TrainState


def for_prediction(models: dict[str, nn.Module]) -> dict[str, nn.Module]:
    """The models as they are now, in eval mode and without gradients.

    Raises:
        TrainError: one of them holds something that cannot be copied.
    """
    copies: dict[str, nn.Module] = copied(models)
    for model in copies.values():
        model.eval().requires_grad_(False)
    return copies


def branched(state: TrainState, *, only_stateful: bool = False) -> tuple[TrainState, list[str]]:
    """A state of its own over the same data, and the names of the callbacks it goes without.

    Args:
        state: copied as it is now; a snapshot is put back into the copy afterwards.
        only_stateful: leave out the callbacks that do not keep their state, which are views and
            files; those that steer the training keep it.
    """
    memo: dict[int, Any] = {}
    models, optimizers, schedule, scaler = copied(
        (state.models, state.optimizers, state.schedule, state.scaler), memo
    )
    callbacks, left = [], []
    for callback in state.callbacks:
        try:
            if only_stateful and not hasattr(callback, "state_dict"):
                raise TypeError("it keeps no state")
            callbacks.append(copy.deepcopy(callback, memo))
        except Exception:  # noqa: BLE001  open files, connections: they stay with the original
            left.append(type(callback).__name__)
    branch = dataclasses.replace(
        state,
        models=models,
        optimizers=optimizers,
        schedule=schedule,
        scaler=scaler,
        callbacks=callbacks,
        batches=copy.copy(state.batches),
        history=type(state.history)(),
        sums={},
    )
    return branch, left


def copied(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """A deep copy.

    Raises:
        TrainError: something in it cannot be copied.
    """
    try:
        return copy.deepcopy(value, memo)
    except Exception as error:
        raise TrainError(
            f"the model cannot be copied: {error}. A module that keeps a result of its forward as "
            "an attribute can keep result.detach() instead"
        ) from error


Weights = dict[str, dict[str, Any]]


def weights_of(models: dict[str, nn.Module]) -> Weights:
    """Every parameter and buffer, in memory of its own."""
    return {
        name: {key: copy.deepcopy(value) for key, value in model.state_dict().items()}
        for name, model in models.items()
    }


def weights_differ(models: dict[str, nn.Module], weights: Weights) -> bool:
    """Whether something has changed since."""
    import torch

    return any(
        isinstance(value, torch.Tensor) and not torch.equal(value, weights[name][key])
        for name, model in models.items()
        for key, value in model.state_dict().items()
    )


def put_weights(models: dict[str, nn.Module], weights: Weights) -> None:
    """Write them back into the tensors that the models have."""
    for name, model in models.items():
        model.load_state_dict(weights[name])
