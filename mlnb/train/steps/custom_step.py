"""A step that the user wrote: `Trainer(step=fn)`, for what is no matter of outputs and targets.

A GAN has two optimizers, an autoencoder no targets. The function does forward, backward and the
optimizers' steps; the loop, the controls and the checkpoints are those of any other run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mlnb.errors import TrainError
from mlnb.formatting import display_text
from mlnb.train.steps.guard import gradients_of
from mlnb.train.steps.precision import autocast

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from mlnb.train.plan import Plan
    from mlnb.train.state import TrainState
    from mlnb.train.steps.guard import Guard

OwnStep = Callable[[Any, dict[str, Any], dict[str, Any]], Any]
"""Called with the batch, `(inputs, targets)` or only the inputs, the models and the optimizers."""


class CustomStep:
    """The step of a run whose step is the user's.

    >>> def step(batch, models, optimizers):
    ...     loss = (models["model"](batch) - batch).square().mean()
    ...     optimizers["optimizer"].zero_grad()
    ...     loss.backward()
    ...     optimizers["optimizer"].step()
    ...     return {"reconstruction": loss}
    >>> run = Trainer(autoencoder, step=step).fit(x)
    >>> run.history["reconstruction"]

    Args:
        function: the user's; it returns a loss, or losses by name.
        state: its models and optimizers are given to the function.
        guard: stands before the optimizers' steps.
        plan: on which device, and in which precision.
    """

    stepped = True
    scaler = None

    def __init__(self, function: OwnStep, state: TrainState, guard: Guard, plan: Plan) -> None:
        self.guard: Guard | None = guard
        self.precision = plan.chosen
        self.notes: list[str] = []
        self._watch = guard
        self._function = function
        self._state = state
        self._plan = plan
        self._norms: dict[int, Tensor] = {}
        self._norm_wanted = False
        guard.attach()
        self._hooks = [one.register_step_pre_hook(self._look) for one in state.optimizers.values()]

    def __call__(self, inputs: Any, targets: Any) -> tuple[dict[str, Tensor], None]:
        """One call of the function: its losses by name, "loss" among them."""
        batch = inputs if targets is None else (inputs, targets)
        if self._plan.precision == "fp32":
            result = self._function(batch, self._state.models, self._state.optimizers)
        else:
            with autocast(self._plan.device, self._plan.precision):
                result = self._function(batch, self._state.models, self._state.optimizers)
        losses = named_losses(result)
        self._watch.look_at_losses(losses.values())
        self._watch.after_step()
        self._norm_wanted = self._norm_wanted and not self._norms
        return losses, None

    def take_norm(self) -> Tensor | None:
        """The norm of all that its optimizers got on the step that was asked last."""
        norms, self._norms, self._norm_wanted = list(self._norms.values()), {}, True
        return torch.linalg.vector_norm(torch.stack(norms)) if norms else None

    def flush(self) -> bool:
        """Nothing is left over: the function accumulates what it wants."""
        return False

    def lr_changed(self) -> None:
        """The optimizers look by themselves."""

    def close(self) -> None:
        """Take the guard off the optimizers."""
        self._watch.close()
        for hook in self._hooks:
            hook.remove()

    def _look(self, optimizer: Optimizer, *_: Any) -> None:
        if self._norm_wanted and (gradients := gradients_of([optimizer])):
            self._norms[id(optimizer)] = nn.utils.get_total_norm(gradients)


def named_losses(result: Any) -> dict[str, Tensor]:
    """What a step returned, as losses by name, detached; "loss" is their sum where it is missing.

    >>> named_losses({"a": torch.tensor(1.0), "b": torch.tensor(2.0)})["loss"]
    tensor(3.)

    Raises:
        TrainError: it is neither a number nor numbers by name.
    """
    if not isinstance(result, Mapping):
        return {"loss": _number("loss", result)}
    losses = {str(name): _number(str(name), value) for name, value in result.items()}
    if not losses:
        raise TrainError("the step returned no loss; return a tensor, or a dict of them by name")
    for taken in ("lr", "step", "epoch", "seconds", "rows"):
        if taken in losses:
            raise TrainError(f"the step calls a loss '{taken}', which the history uses itself")
    if "loss" not in losses:
        losses["loss"] = torch.stack([value.float() for value in losses.values()]).sum()
    return losses


def _number(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.detach().reshape(())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return torch.tensor(float(value))
    shown = f"a tensor {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    raise TrainError(
        f"the step returned {display_text(shown)} as '{display_text(name)}'; return one number, or "
        'a dict of them by name: {"generator": g_loss, "discriminator": d_loss}'
    )
