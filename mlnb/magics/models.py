"""The model that a name in a notebook stands for: a loaded one, or a live module taken as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlnb.errors import InputError
from mlnb.graph.graph import Graph
from mlnb.magics.shell import MagicError
from mlnb.models.live import live_module
from mlnb.models.loading import load_model
from mlnb.models.model import Model

if TYPE_CHECKING:
    from mlnb.magics.shell import Call

_SIZES = re.compile(r"\d+(?:[x×]\d+)*")


def named(call: Call, name: str, *others: type) -> Any:
    """The user's variable `name`, which holds a model or something of another kind that will do.

    A torch module and a network of mlnb stand for a model.

    Raises:
        MagicError: it holds something else.
        UnknownName: no such variable, with the closest.
    """
    value = call.variable(name, "model", _is_drawn)
    if isinstance(value, (Model, *others)):
        return value
    if live_module(value) is not None:
        return _of_module(call, name, value)
    raise MagicError(
        f"{name} is of type {type(value).__name__}, not a Model; load one: %mlload PATH --name NAME"
    )


def _is_drawn(value: object) -> bool:
    return isinstance(value, Model | Graph) or live_module(value) is not None


def is_table(model: object) -> bool:
    """Whether it is a file of weights, which has tensors and nothing else."""
    return isinstance(model, Model) and not model.outputs and not model.graph.nodes


def sample_of(call: Call) -> Any:
    """What `--sample` stands for: a variable, or a shape such as `2x3x224x224`; `None` without it.

    Raises:
        UnknownName: no such variable, with the closest.
    """
    text = getattr(call.options, "sample", None)
    if text is None:
        return None
    if _SIZES.fullmatch(text):
        return tuple(int(size) for size in re.split("[x×]", text))
    return call.variable(text)


def _of_module(call: Call, name: str, value: Any) -> Model:
    sample = sample_of(call)
    try:
        return load_model(value, sample=sample, name=name if name.isidentifier() else None)
    except InputError as error:
        if sample is not None or not hasattr(call.options, "sample"):
            raise
        raise MagicError(
            f"{name} does not say what goes in: --sample VARIABLE, a batch of it, or its shape, "
            "--sample 2x3x224x224"
        ) from error
