"""Two rows through the model before anything trains: `dry_batch`, which names the layer that fails.

It runs in eval mode and without gradients, so that no statistics change; lazy layers get their
shapes by it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mlnb.errors import TrainError
from mlnb.formatting import display_text, first_line
from mlnb.train.calling import kept_modes
from mlnb.train.memory import free, is_out_of_memory
from mlnb.train.steps.step import call
from mlnb.train.trees import dtype_text, named_leaves


def dry_batch(model: nn.Module, inputs: Any) -> Any:
    """What the model gives for `inputs`.

    >>> dry_batch(nn.Linear(4, 2), torch.zeros(2, 4)).shape
    torch.Size([2, 2])

    Raises:
        TrainError: the model cannot take them; the message names the layer and both shapes.
    """
    entered: list[str] = []
    hooks = [
        hook for name, module in model.named_modules() for hook in _watch(name, module, entered)
    ]
    try:
        with kept_modes([model]), torch.no_grad():
            model.eval()
            return call(model, inputs)
    except Exception as error:
        if is_out_of_memory(error):
            free(error)
            raise TrainError(
                "out of memory with a batch of two rows: use a smaller model or smaller inputs"
            ) from error
        raise _refusal(model, inputs, entered, error) from error
    finally:
        for hook in hooks:
            hook.remove()


def _watch(name: str, module: nn.Module, entered: list[str]) -> tuple[Any, Any]:
    """Hooks that keep in `entered` the layers which are being gone through."""

    def enter(*_: Any) -> None:
        entered.append(name)

    def leave(*_: Any) -> None:
        entered.pop()

    return module.register_forward_pre_hook(enter), module.register_forward_hook(leave)


def _refusal(model: nn.Module, inputs: Any, entered: list[str], error: Exception) -> TrainError:
    name = entered[-1] if entered else ""
    where = f"layer `{display_text(name)}` ({_kind(model, name)})" if name else "the model"
    shapes = ", ".join(
        ("" if path == "inputs" else f"{display_text(path)} ")
        + f"{dtype_text(leaf.dtype)} {list(leaf.shape)}"
        for path, leaf in named_leaves(inputs)
    )
    low = {parameter.dtype for parameter in model.parameters()} & {torch.bfloat16, torch.float16}
    remedy = (
        '. Keep the weights in float32, model.float(), and pass precision="bf16"' if low else ""
    )
    return TrainError(
        f"the model cannot take the data: {where} failed on a batch of two rows, {shapes}: "
        f"{first_line(error, 300)}{remedy}"
    )


def _kind(model: nn.Module, name: str) -> str:
    return display_text(repr(model.get_submodule(name)).splitlines()[0], 80)
